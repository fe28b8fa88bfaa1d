"""Silence: a schedule that did not run, and a Flow that brings nothing although it always did (R19)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from ml_connector import audit, clock
from ml_connector.integrations.base import FlowKind
from ml_connector.sync import problems
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import PARK_AT, Flow, Problem, ProblemState, Run, RunKind
from ml_connector.sync.problems import Cause

LATE = timedelta(minutes=15)
"""A reading may be so late before people are told, or twice its interval where that is longer."""
HISTORY = timedelta(days=60)
DAYS_NEEDED = 10
"""Days with new documents, of the last 60, before a Flow's silence says anything."""
LEAST_DAYS = 3


def check_schedules() -> int:
    """Opens a Problem for each Flow whose reading is long overdue, and ends those that are over; says how many are
    late. A Flow is not late while it waits for a Connection that is down: that has a Problem of its own."""
    now = clock.now()
    running = Flow.objects.across_workspaces().filter(
        paused=False, integration__paused=False, deaths__lt=PARK_AT, next_pull_at__lt=now - LATE
    )
    rows = running.select_related("workspace", "integration__erp", "integration__platform")
    late = [flow for flow in rows if flow.next_pull_at and now - flow.next_pull_at > timedelta(seconds=2 * flow.every)]
    for flow in late:
        _open(
            flow,
            "schedule_missed",
            f"The {spec_of(flow).label} should have been read at {flow.next_pull_at:%Y-%m-%d %H:%M} UTC and were not.",
            "See that a worker runs and has room: ml-connector status. It is read as soon as its turn comes.",
        )
    _end_others("schedule_missed", late)
    return len(late)


def check_quiet() -> int:
    """Opens a Problem for each Flow of documents that has had nothing new for more than twice its longest pause of
    the last 60 days, and ends those that are over; says how many are quiet."""
    rows = Flow.objects.across_workspaces().filter(paused=False, integration__paused=False)
    quiet = []
    for flow in rows.select_related("workspace", "integration__erp", "integration__platform"):
        if spec_of(flow).kind is not FlowKind.DOCUMENTS or flow.last_success_at is None:
            continue
        if clock.now() - flow.last_success_at > timedelta(days=1):
            # It is not read: other Problems say why.
            continue
        days = _days_with_documents(flow)
        if len(days) < DAYS_NEEDED:
            continue
        longest = max((after - before).days for before, after in pairwise(days))
        pause = (clock.now().date() - days[-1]).days
        if pause > max(2 * longest, LEAST_DAYS):
            quiet.append(flow)
            _open(
                flow,
                "source_quiet",
                f"No {spec_of(flow).label} came since {days[-1]:%Y-%m-%d}; before, the longest pause was"
                f" {longest} day{'s' if longest > 1 else ''}.",
                "If that is no holiday: see whether documents are entered, and whether the Connection's user and"
                " filters still show them. It ends with the next document.",
            )
    _end_others("source_quiet", quiet)
    return len(quiet)


def _days_with_documents(flow: Flow) -> list[date]:
    runs = Run.objects.of(flow.workspace_id).filter(
        flow=flow, kind__in=[RunKind.PULL, RunKind.SWEEP], started_at__gte=clock.now() - HISTORY
    )
    found = runs.values_list("started_at", "counts").iterator()
    return sorted({at.date() for at, counts in found if counts.get("new") or counts.get("changed")})


def _open(flow: Flow, cause: str, text: str, fix: str) -> None:
    with audit.recording(flow.workspace, actor="worker") as trail:
        found = Cause(cause, f"flow:{flow.name}", text, fix, blocks=False)
        problems.open_problem(trail, flow.integration, found, flow)


def _end_others(cause: str, flows: Iterable[Flow]) -> None:
    """Ends the open Problems of a cause that are of none of these Flows."""
    open_ones = Problem.objects.across_workspaces().filter(cause=cause, state=ProblemState.OPEN)
    over = open_ones.exclude(flow__in=[flow.pk for flow in flows]).select_related("workspace", "integration")
    for problem in over:
        with audit.recording(problem.workspace, actor="worker") as trail:
            problems.end_problem(trail, problem.integration, cause, subject=problem.subject)

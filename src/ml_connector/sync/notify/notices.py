"""The outbox: what people are to be told, committed in the transaction that caused it."""

from __future__ import annotations

from ml_connector import audit, clock
from ml_connector.sync.models import Channel, Event, Notice, Problem, ProblemState
from ml_connector.workspaces.models import Workspace

CONNECTION_CAUSES = frozenset({"credentials_refused", "wrong_company", "target_unavailable"})
"""An outage of a Connection. It is told when it begins and when it is over."""
SILENCE_CAUSES = frozenset({"source_silent", "source_quiet", "schedule_missed"})


def problem_opened(trail: audit.Trail, problem: Problem) -> None:
    """To be called in the transaction that opens the Problem."""
    if problem.cause in CONNECTION_CAUSES:
        if not _outage(problem):
            _put(trail, problem, Event.CONNECTION_DOWN)
    elif problem.cause in SILENCE_CAUSES:
        _put(trail, problem, Event.SILENCE)
    else:
        _put(trail, problem, Event.PROBLEM)


def problem_solved(trail: audit.Trail, problem: Problem) -> None:
    """To be called in the transaction that solves it. Only the end of an outage is told."""
    if problem.cause in CONNECTION_CAUSES and not _outage(problem):
        _put(trail, problem, Event.CONNECTION_UP)


def digest_due(workspace: Workspace, day: str) -> bool:
    """Puts the digest of a day into the outbox; False when it was there already."""
    _, made = Notice.objects.of(workspace).get_or_create(
        event=Event.DIGEST, subject=day, defaults={"workspace": workspace, "at": clock.now()}
    )
    return made


def wanted(workspace_id: int, event: Event) -> list[Channel]:
    """The Channels that are told of an event, whatever the Integration."""
    return [row for row in Channel.objects.of(workspace_id).order_by("pk") if event in row.events]


def _outage(problem: Problem) -> bool:
    """Whether another Problem says already that this Connection is down: it may serve several Integrations."""
    others = Problem.objects.of(problem.workspace_id).exclude(pk=problem.pk)
    return others.filter(cause__in=CONNECTION_CAUSES, subject=problem.subject, state=ProblemState.OPEN).exists()


def _put(trail: audit.Trail, problem: Problem, event: Event) -> None:
    """Nothing is kept for Workspaces that want to be told nothing."""
    if not wanted(problem.workspace_id, event):
        return
    Notice.objects.of(problem.workspace_id).get_or_create(
        event=event,
        subject=f"problem:{problem.pk}",
        defaults={
            "workspace_id": problem.workspace_id,
            "integration_id": problem.integration_id,
            "problem_id": problem.pk,
            "run_id": trail.run,
            "at": clock.now(),
        },
    )

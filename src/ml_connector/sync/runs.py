"""Runs: one execution of a Flow's pull, sweep, push or listing, under the lease of the one Connection it uses.

A Run speaks to that Connection and to no other, is boxed in time, stores where it stands and says when the Flow is
due again. It never sleeps for a retry and lets no exception out but LeaseLost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from ml_connector import audit, clock, vault
from ml_connector.integrations.base import FlowKind
from ml_connector.redaction import redacted
from ml_connector.sync import alignment, answering, enriching, health, problems, pull, push, transfers
from ml_connector.sync.connections import confirm_identity, opened
from ml_connector.sync.flows import connection_for, declaration, spec_of
from ml_connector.sync.leases import Lease, LeaseLost
from ml_connector.sync.models import Flow, Record, Run, RunKind, RunState, State
from ml_connector.systems.base import Client, ShapeChanged, SystemFailure

log = logging.getLogger(__name__)

Body = Callable[[Flow, Run, Client, Lease, float], dict[str, Any]]


def execute(flow: Flow, kind: RunKind, lease: Lease, job_id: str = "", seconds: float = 60) -> Run:
    """Does a Flow's work of one kind and stores it as a Run. Raises LeaseLost, and nothing else that is foreseen."""
    connection = connection_for(flow, kind)
    started = clock.now()
    run = Run.objects.create(
        workspace_id=flow.workspace_id, flow=flow, connection=connection, kind=kind, job=job_id,
        fence=lease.fence, started_at=started,
    )  # fmt: skip
    try:
        with opened(connection, lease) as client:
            confirm_identity(connection, client)
            counts = body(flow, kind)(flow, run, client, lease, time.monotonic() + seconds)
    except LeaseLost:
        Run.objects.of(flow.workspace_id).filter(pk=run.pk).update(state=RunState.LOST, ended_at=clock.now())
        raise
    except SystemFailure as failure:
        _failed(flow, run, failure)
    except Exception as bug:
        log.exception("A Run ended in an error of ours.", extra={"flow": flow.pk, "run": run.pk})
        _failed(flow, run, bug)
    else:
        _ended(flow, run, counts)
    _due_again(flow, run, started)
    return run


def body(flow: Flow, kind: RunKind) -> Body:
    """What a Run of this kind does for a Flow."""
    if kind is RunKind.SWEEP:
        return pull.sweep
    pulls, pushes = BODIES[spec_of(flow).kind]
    return pulls if kind is RunKind.PULL else pushes


BODIES: dict[FlowKind, tuple[Body, Body]] = {
    FlowKind.REFERENCE: (pull.codes, push.codes),
    FlowKind.DOCUMENTS: (pull.changes, push.documents),
    FlowKind.OBSERVED: (pull.changes, push.observed),
    FlowKind.COMPARED: (alignment.read, alignment.compare),
    FlowKind.PROPOSED: (enriching.read, push.documents),
}


def _ended(flow: Flow, run: Run, counts: dict[str, Any]) -> None:
    stopped = counts.pop("stopped_by", None)
    run.counts = counts
    if stopped is not None:
        _failed(flow, run, stopped)
        return
    held = counts.get("blocked", 0) + counts.get("in_doubt", 0) + counts.get("failed", 0)
    over = [("internal_error", f"flow:{flow.name}"), *health.said_of(run.connection)]
    if run.kind in {RunKind.PULL, RunKind.SWEEP}:
        over.append(("source_shape_changed", f"flow:{flow.name}"))
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        _close(trail, flow, run, _state(counts, held=bool(held)))
        health.works(run.connection)
        problems.end_problems(trail, flow.integration, over)
    if not counts.get("unfinished"):
        flow.last_success_at = run.ended_at
        flow.deaths = 0
        flow.save(update_fields=["last_success_at", "deaths"])


def _state(counts: dict[str, Any], *, held: bool) -> RunState:
    if held:
        return RunState.WITH_PROBLEMS
    return RunState.UNDECIDED if counts.get("waiting") else RunState.SUCCEEDED


def _failed(flow: Flow, run: Run, failure: Exception) -> None:
    """A Run that could not do its work is never called a success (R19)."""
    explained = isinstance(failure, (SystemFailure, vault.VaultError))
    text = redacted(str(failure)) if explained else f"An error of ours ({type(failure).__name__})."
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        _close(trail, flow, run, RunState.FAILED, text)
        if isinstance(failure, ShapeChanged):
            what = f"The {spec_of(flow).label} cannot be read: {text}"
            fix = "Nothing of the page was stored. Correct the field or the setting that names it; it goes on then."
            _report(trail, flow, "source_shape_changed", what, fix, field=failure.field)
        elif isinstance(failure, SystemFailure):
            health.fails(trail, flow.integration, run.connection, failure)
        else:
            what = f"The {run.kind} of {spec_of(flow).label} ended early: {text}"
            fix = "Nothing is lost; it is tried again on schedule. The log has the details: please report them."
            _report(trail, flow, "internal_error", what, fix if not explained else "It is tried again on schedule.")


def _report(trail: audit.Trail, flow: Flow, cause: str, text: str, fix: str, **detail: str) -> None:
    found = problems.Cause(cause, f"flow:{flow.name}", text, fix, blocks=False, detail=detail)
    problems.open_problem(trail, flow.integration, found, flow)


def _close(trail: audit.Trail, flow: Flow, run: Run, state: RunState, text: str = "") -> None:
    run.state, run.text, run.ended_at = state, text, clock.now()
    run.save(update_fields=["state", "text", "ended_at", "counts"])
    trail.add("run", f"flow:{flow.pk}", kind=run.kind, state=str(state), counts=run.counts)


# --- when it is due again


def _due_again(flow: Flow, run: Run, started: datetime) -> None:
    """The earliest of what the Run found to do. A wake-up that came while it ran is kept. Where it found nothing, the
    schedule says when the Flow is read again."""
    to_tell = answering.next_due(flow)
    if to_tell is not None:
        earlier(flow, "next_pull_at", _not_before(run, to_tell) if run.kind == RunKind.PULL else to_tell)
    if run.kind == RunKind.PULL:
        if run.counts.get("unfinished"):
            earlier(flow, "next_pull_at", _not_before(run, clock.now()))
        if run.counts.get("new") or run.counts.get("changed") or run.counts.get("claimed"):
            earlier(flow, "next_push_at", clock.now())
    elif run.kind == RunKind.SWEEP:
        earlier(flow, "next_push_at", clock.now())
    else:
        if spec_of(flow).kind is FlowKind.REFERENCE:
            at = started + timedelta(seconds=flow.every)
            earlier(flow, "next_push_at", _not_before(run, at))
            return
        work = waiting(flow)
        if work is not None:
            earlier(flow, "next_push_at", _not_before(run, work))
        if run.counts.get("created"):
            _compared_soon(flow, run)


def _compared_soon(flow: Flow, run: Run) -> None:
    """What was just made in the target is read back at once: what is compared from then on begins there."""
    specs = declaration(flow.integration).flows
    reading = [spec.name for spec in specs if spec.kind is FlowKind.COMPARED and flow.name in spec.after]
    for other in Flow.objects.of(flow.workspace_id).filter(integration=flow.integration, name__in=reading):
        earlier(other, "next_pull_at", _not_before(run, clock.now()))


def waiting(flow: Flow) -> datetime | None:
    """When the Flow next has something to resolve, send, search for or ask about; None when it has nothing."""
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow)
    to_send = transfers.deliverable(flow, rows)
    if to_send.filter(Q(state=State.STAGED) | Q(state=State.READY, next_attempt_at=None)).exists():
        return clock.now()
    if rows.filter(state=State.IN_DOUBT, next_attempt_at=None).exists():
        return clock.now()
    asked = rows.filter(state__in=[State.IN_DOUBT, State.IN_FLIGHT], next_attempt_at__isnull=False)
    later = to_send.filter(state=State.READY, next_attempt_at__isnull=False) | asked
    return later.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


def _not_before(run: Run, at: datetime) -> datetime:
    run.connection.refresh_from_db(fields=["not_before"])
    return max(at, run.connection.not_before) if run.connection.not_before else at


def earlier(flow: Flow, column: str, at: datetime) -> None:
    """Sets a due time unless an earlier one, a wake-up that came meanwhile, stands there."""
    rows = Flow.objects.of(flow.workspace_id).filter(pk=flow.pk)
    rows.filter(Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__gt": at})).update(**{column: at})

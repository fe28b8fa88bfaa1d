"""What people steer by hand: pause and resume, read again from a date; and whether there is work left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from ml_connector import audit, clock
from ml_connector.integrations.base import FlowKind
from ml_connector.sync import problems, runs
from ml_connector.sync.flows import connection_for, spec_of
from ml_connector.sync.models import HANDED_OVER, PARK_AT, Flow, Health, Integration, Record, Run, RunKind, RunState
from ml_connector.workspaces.models import Workspace


def set_paused(row: Integration | Flow, actor: str, *, paused: bool) -> bool:
    """Pauses or resumes; False when it was so already. Resuming also takes a parked Flow back."""
    parked = isinstance(row, Flow) and row.deaths > 0 and not paused
    if row.paused == paused and not parked:
        return False
    with audit.recording(row.workspace, actor=actor) as trail:
        row.paused = paused
        row.save(update_fields=["paused"])
        if isinstance(row, Flow) and not paused:
            row.deaths = 0
            row.save(update_fields=["deaths"])
            problems.end_problem(trail, row.integration, "flow_parked", subject=f"flow:{row.name}")
        subject = f"{'flow' if isinstance(row, Flow) else 'integration'}:{row.pk}"
        trail.add("config_change", subject, fields=["paused"], paused=paused)
    return True


def read_again(flow: Flow, since: date, actor: str) -> None:
    """Has the next pull read everything from a date on. A Flow that was not read since that date goes on from where
    it stands, which is earlier: nothing between the two is left out."""
    if spec_of(flow).kind is FlowKind.REFERENCE:
        return
    if flow.cursor is not None and (flow.last_success_at is None or flow.last_success_at.date() < since):
        return
    with audit.recording(flow.workspace, actor=actor) as trail:
        flow.backfill_from, flow.cursor = since, None
        flow.save(update_fields=["backfill_from", "cursor"])
        trail.add("config_change", f"flow:{flow.pk}", fields=["backfill_from"], since=since.isoformat())


def flows_of_records(workspace: Workspace, ids: Iterable[int]) -> list[Flow]:
    """The Flows that these Records belong to, in order."""
    of_records = Record.objects.of(workspace).filter(pk__in=list(ids)).values("flow_id")
    rows = Flow.objects.of(workspace).filter(pk__in=of_records).order_by("integration__name", "position")
    return list(rows.select_related("workspace", "integration__erp", "integration__platform"))


def unfinished(flows: Sequence[Flow], kinds: Collection[RunKind], since: datetime) -> list[str]:
    """Names of the Flows whose jobs of these kinds, made due at `since`, a worker has not done yet.

    Those that must not run now (paused, parked, a Connection that waits) are not waited for.
    """
    left = []
    for flow in _read_anew(flows):
        found = list(Run.objects.of(flow.workspace_id).filter(flow=flow, started_at__gte=since))
        done = {run.kind for run in found if run.state != RunState.LIVE}
        waits = [kind for kind in kinds if kind not in done and _may_run(flow, kind)]
        if waits or any(run.state == RunState.LIVE for run in found) or _due(flow):
            left.append(flow.name)
    return left


def _read_anew(flows: Sequence[Flow]) -> list[Flow]:
    if not flows:
        return []
    rows = Flow.objects.of(flows[0].workspace_id).filter(pk__in=[flow.pk for flow in flows])
    return list(rows.select_related("integration__erp", "integration__platform").order_by("position"))


def _due(flow: Flow) -> bool:
    """Due now; or a push that was handed to the queue a moment ago, whose Run is not there yet."""
    now = clock.now()
    pull_due = flow.next_pull_at is not None and flow.next_pull_at <= now
    until = now + HANDED_OVER if spec_of(flow).kind is FlowKind.DOCUMENTS else now
    push_due = flow.next_push_at is not None and flow.next_push_at <= until
    return (pull_due and _may_run(flow, RunKind.PULL)) or (push_due and _may_run(flow, RunKind.PUSH))


def _may_run(flow: Flow, kind: RunKind) -> bool:
    connection = connection_for(flow, kind)
    waits = connection.not_before is not None and connection.not_before > clock.now()
    return not _stopped(flow) and not waits and connection.health != Health.CIRCUIT_OPEN


def waits_until(flow: Flow, kind: RunKind) -> datetime | None:
    """Before which instant a job's Connection must not be called; None where it may be now."""
    until = connection_for(flow, kind).not_before
    return until if until is not None and until > clock.now() else None


def needs_person(flow: Flow, kind: RunKind) -> bool:
    """Whether no such job starts until somebody acts: paused, parked, or credentials refused."""
    return _stopped(flow) or connection_for(flow, kind).health == Health.CIRCUIT_OPEN


def _stopped(flow: Flow) -> bool:
    return flow.paused or flow.integration.paused or flow.deaths >= PARK_AT


def next_work(flows: Sequence[Flow]) -> datetime | None:
    """When the next push of Records that are on their way is due; None when there are none, or when their Flow or
    Connection waits for a person."""
    instants = []
    for flow in _read_anew(flows):
        target = connection_for(flow, RunKind.PUSH)
        work = runs.waiting(flow)
        if work is None or _stopped(flow) or target.health == Health.CIRCUIT_OPEN:
            continue
        scheduled = flow.next_push_at if flow.next_push_at and flow.next_push_at > clock.now() else work
        instants.append(max(scheduled, target.not_before) if target.not_before else scheduled)
    return min(instants, default=None)


def waiting(flows: Sequence[Flow]) -> list[Flow]:
    """Those that have Records on their way."""
    return [flow for flow in flows if runs.waiting(flow) is not None]

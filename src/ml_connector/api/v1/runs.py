"""Runs, and steering Flows by hand: run now, pause, resume, read again from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from ninja import Router

from ml_connector.api.v1.failures import Failure
from ml_connector.api.v1.frame import Call, changes, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import Backfill, Id, Page, Run, Started, Text, Which
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync import control
from ml_connector.sync.models import Flow, Integration, RunKind, RunState
from ml_connector.sync.queries.run_page import RunRow, one_run, run_rows
from ml_connector.workspaces.roles import Permission

router = Router(tags=["Runs"])


@reads(router, "/runs", Page[Run])
def list_runs(
    request: Call,
    workspace: str,
    state: RunState | None = None,
    integration: Text = "",
    flow: Text = "",
    cursor: Cursor = "",
    limit: Limit = SIZE,
) -> object:
    """What was executed, the newest first."""
    pages = Pages(cursor, limit, "runs", state, integration, flow)
    rows = run_rows(
        request.workspace,
        before=pages.after_number(),
        state=state or "",
        integration=integration,
        flow=flow,
        at_most=pages.at_most,
    )
    page = pages.page(rows, lambda row: row.id)
    return {**page, "items": [_shown(row) for row in page["items"]]}


@reads(router, "/runs/{int:run}", Run)
def show_run(request: Call, workspace: str, run: Id) -> object:
    """One Run, with what it counted."""
    found = one_run(request.workspace, run)
    if found is None:
        raise Http404
    return _shown(found)


@changes(router, "/runs", Started, Permission.RUN, status=202)
def start_runs(request: Call, workspace: str, body: Which) -> object:
    """Makes Flows due now: both sides are read, and what is ready is written."""
    return _started(_due(request, body), "Due now")


@changes(router, "/runs/backfill", Started, Permission.RUN, status=202)
def backfill_flows(request: Call, workspace: str, body: Backfill) -> object:
    """Has Flows read everything again from a day on. A Flow that stands before that day goes on from there."""
    flows = _due(request, body)
    for flow in flows:
        control.read_again(flow, body.since, request.actor)
    return _started(flows, f"Read again from {body.since} on")


@changes(router, "/runs/pause", Started, Permission.RUN)
def pause_flows(request: Call, workspace: str, body: Which) -> object:
    """Pauses an Integration or one Flow. What is under way ends in good order."""
    flows = _flows(request, body)
    changed = control.set_paused(_steered(flows, body), request.actor, paused=True)
    return _started(flows, "Paused" if changed else "Paused already")


@changes(router, "/runs/resume", Started, Permission.RUN)
def resume_flows(request: Call, workspace: str, body: Which) -> object:
    """Resumes an Integration or one Flow, also one that was parked. It is due at once."""
    flows = _flows(request, body)
    if control.set_paused(_steered(flows, body), request.actor, paused=False):
        _wake(flows)
        return _started(flows, "Running")
    return _started(flows, "Running already")


def _due(request: Call, body: Which) -> list[Flow]:
    """The Flows named, made due now. Raises Failure where a pause would keep all of them from running."""
    flows = _flows(request, body)
    if all(flow.paused or flow.integration.paused for flow in flows):
        raise Failure("refused", f"{body.flow or body.integration} is paused. Nothing was started.", "Resume it first.")
    _wake(flows)
    return flows


def _flows(request: Call, body: Which) -> list[Flow]:
    rows = Flow.objects.of(request.workspace).filter(integration__name=body.integration)
    if body.flow is not None:
        rows = rows.filter(name=body.flow)
    found = list(rows.select_related("workspace", "integration__workspace").order_by("position"))
    if not found:
        raise Http404
    return found


def _steered(flows: Sequence[Flow], body: Which) -> Flow | Integration:
    return flows[0].integration if body.flow is None else flows[0]


def _wake(flows: Sequence[Flow]) -> None:
    ids = [flow.pk for flow in flows]
    schedule.wake(ids, RunKind.PULL)
    schedule.wake(ids, RunKind.PUSH)


def _started(flows: Sequence[Flow], what: str) -> dict[str, Any]:
    names = [flow.name for flow in flows]
    workers = len(workers_alive())
    text = f"{what}: {', '.join(names)}.{'' if workers else ' But no worker runs.'}"
    return {"flows": names, "workers": workers, "text": text}


def _shown(row: RunRow) -> Run:
    return Run(
        id=row.id,
        integration=row.integration,
        flow=row.flow,
        label=row.label,
        kind=row.kind,
        state=row.state,
        connection=row.connection,
        started_at=row.started_at,
        seconds=row.seconds,
        counts=dict(row.counts),
        text=row.text,
    )

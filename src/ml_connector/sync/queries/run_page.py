"""Runs as the console lists them, and the Flows that they belong to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ml_connector import clock
from ml_connector.integrations.base import FlowKind
from ml_connector.redaction import redacted
from ml_connector.sync.flows import declaration, policy, spec_of
from ml_connector.sync.models import PARK_AT, Flow, Run, RunKind, RunState
from ml_connector.sync.proposing import OFF, last_yield
from ml_connector.sync.queries.webhook_page import active_connections, heard
from ml_connector.workspaces.models import Workspace

PAGE = 50
READ_TARGET = "read_target"
COMPARE = "compare"
FAR = 366 * 24 * 3600
"""Seconds beyond which a due time means that a job runs now."""


@dataclass(frozen=True)
class RunRow:
    """One Run."""

    id: int
    integration: str
    flow: str
    label: str
    kind: str
    """As the engine calls it; READ_TARGET for the other side's reading of a Flow that writes nothing, COMPARE for
    a comparison."""
    state: str
    connection: str
    started_at: datetime
    seconds: float | None
    """None while it runs."""
    counts: tuple[tuple[str, int], ...]
    text: str


@dataclass(frozen=True)
class FlowRow:
    """One Flow with its schedule."""

    id: int
    integration: str
    name: str
    label: str
    every: int
    """Seconds."""
    records: int
    paused: bool
    parked: bool
    running: bool
    last_success: datetime | None
    next_run: datetime | None
    backfill_from: date | None
    heard: str
    """How it hears of changes, where its source could announce them: webhook, polling only; of enrichments, by which
    route, and when that last yielded any; else empty."""


@dataclass(frozen=True)
class RunPage:
    """The Flows, and one page of Runs, the newest first."""

    flows: tuple[FlowRow, ...]
    runs: tuple[RunRow, ...]
    after: int | None
    live: bool
    """A Run is under way: the page looks again by itself."""
    paused: dict[str, bool]
    """By name of the Integration."""
    not_transferred: dict[str, tuple[str, ...]]
    """What could be expected to travel and does not, by name of the Integration."""
    workers: tuple[str, ...]


def run_page(workspace: Workspace, workers: Sequence[str], before: int | None = None) -> RunPage:
    flows, active = _flows(workspace), active_connections(workspace)
    found = run_rows(workspace, before=before, at_most=PAGE + 1)
    live = _live(workspace)
    return RunPage(
        tuple(_flow(flow, active, running=flow.pk in live) for flow in flows),
        tuple(found[:PAGE]),
        found[PAGE - 1].id if len(found) > PAGE else None,
        bool(live) or any(_due(flow) for flow in flows),
        {flow.integration.name: flow.integration.paused for flow in flows},
        {flow.integration.name: declaration(flow.integration).not_transferred for flow in flows},
        tuple(workers),
    )


def run_rows(
    workspace: Workspace,
    *,
    before: int | None = None,
    state: str = "",
    integration: str = "",
    flow: str = "",
    at_most: int = PAGE,
) -> list[RunRow]:
    """Runs before an id, the newest first."""
    rows = Run.objects.of(workspace).select_related("flow__integration", "connection").order_by("-pk")
    wanted = {"pk__lt": before, "state": state, "flow__integration__name": integration, "flow__name": flow}
    return [_run(run) for run in rows.filter(**{name: value for name, value in wanted.items() if value})[:at_most]]


def one_run(workspace: Workspace, run_id: int) -> RunRow | None:
    rows = Run.objects.of(workspace).select_related("flow__integration", "connection")
    run = rows.filter(pk=run_id).first()
    return _run(run) if run else None


def flow_rows(workspace: Workspace) -> list[FlowRow]:
    """The Flows of all Integrations, in order."""
    live, active = _live(workspace), active_connections(workspace)
    return [_flow(flow, active, running=flow.pk in live) for flow in _flows(workspace)]


def _flows(workspace: Workspace) -> list[Flow]:
    rows = Flow.objects.of(workspace).select_related("integration__erp", "integration__platform")
    return list(rows.order_by("integration__name", "position"))


def _live(workspace: Workspace) -> set[int]:
    """Flows that have a Run under way."""
    return {run.flow_id for run in Run.objects.of(workspace).filter(state=RunState.LIVE)}


def _run(run: Run) -> RunRow:
    ended = run.ended_at
    return RunRow(
        run.pk,
        run.flow.integration.name,
        run.flow.name,
        spec_of(run.flow).label,
        _kind(run),
        run.state,
        run.connection.name,
        run.started_at,
        (ended - run.started_at).total_seconds() if ended else None,
        tuple((name, value) for name, value in run.counts.items() if _counted(name, value)),
        redacted(run.text),
    )  # fmt: skip


def _kind(run: Run) -> str:
    kind = spec_of(run.flow).kind
    if run.kind != RunKind.PUSH or kind in {FlowKind.DOCUMENTS, FlowKind.PROPOSED}:
        return run.kind
    return COMPARE if kind is FlowKind.COMPARED else READ_TARGET


def _counted(name: str, value: object) -> bool:
    return isinstance(value, int) and bool(value) and name not in {"failed", "unfinished"}


def _flow(flow: Flow, active: Collection[int], *, running: bool) -> FlowRow:
    stopped = flow.paused or flow.integration.paused
    due = [at for at in (flow.next_pull_at, flow.next_push_at, flow.next_sweep_at) if at and not _far(at)]
    return FlowRow(
        flow.pk,
        flow.integration.name,
        flow.name,
        spec_of(flow).label,
        flow.every,
        flow.records_ever,
        stopped,
        flow.deaths >= PARK_AT,
        running,
        flow.last_success_at,
        min(due) if due and not stopped else None,
        flow.backfill_from,
        heard(flow, active) or _route(flow),
    )


def _route(flow: Flow) -> str:
    """By which route enrichments are read, and when it last yielded any; empty for other Flows."""
    if spec_of(flow).kind is not FlowKind.PROPOSED:
        return ""
    route = policy(flow, "enrichment_route")
    last = last_yield(flow)
    if route == OFF:
        return "route off"
    return f"route {route}, last yielded something on {last:%Y-%m-%d}" if last else f"route {route}, no yield yet"


def _far(at: datetime) -> bool:
    return (at - clock.now()).total_seconds() > FAR


def _due(flow: Flow) -> bool:
    if flow.paused or flow.integration.paused or flow.deaths >= PARK_AT:
        return False
    return any(at is not None and at <= clock.now() for at in (flow.next_pull_at, flow.next_push_at))

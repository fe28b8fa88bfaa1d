"""The status of a Workspace: do the states add up (R76), when did each Flow last succeed, which Connections work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from ml_connector import clock
from ml_connector.sync.models import Connection, Flow, Health, Problem, ProblemState, Record, State
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class Invariant:
    """Everything ever staged = the sum of the states (R76)."""

    ever_staged: int
    total: int
    states: dict[str, int]
    holds: bool
    text: str
    """Which Flow does not add up, by how much."""


@dataclass(frozen=True)
class FlowStatus:
    integration: str
    flow: str
    records: int
    last_success: datetime | None
    next_run: datetime | None
    cursor: dict[str, Any] | None
    paused: bool
    every: int
    """Seconds."""
    found_only_by_sweep: int


@dataclass(frozen=True)
class ConnectionStatus:
    connection: str
    system: str
    company: str
    health: str
    text: str
    since: datetime | None
    in_use_by: str


@dataclass(frozen=True)
class Status:
    workspace: str
    invariant: Invariant
    flows: tuple[FlowStatus, ...]
    connections: tuple[ConnectionStatus, ...]
    open_problems: int
    workers: tuple[str, ...]
    """Workers alive in this installation."""


def status(workspace: Workspace, workers: Sequence[str]) -> Status:
    """The status now; which workers live is known to the job engine and told by the caller."""
    flows = list(Flow.objects.of(workspace).select_related("integration").order_by("integration__name", "position"))
    return Status(
        workspace.name,
        _invariant(workspace, flows),
        tuple(_flow(flow) for flow in flows),
        tuple(_connection(row) for row in Connection.objects.of(workspace).order_by("name")),
        Problem.objects.of(workspace).filter(state=ProblemState.OPEN).count(),
        tuple(workers),
    )


def _invariant(workspace: Workspace, flows: Sequence[Flow]) -> Invariant:
    found = states_by_flow(workspace)
    states = {state.value: sum(counts.get(state.value, 0) for counts in found.values()) for state in State}
    total = sum(sum(counts.values()) for counts in found.values())
    ever = Flow.objects.of(workspace).aggregate(sum=Sum("records_ever"))["sum"] or 0
    faults = [text for _, text in _imbalances(flows, {flow: sum(counts.values()) for flow, counts in found.items()})]
    unknown = total - sum(states.values())
    if unknown:
        faults.append(f"{unknown} records are in no known state.")
    return Invariant(ever, total, states, not faults, " ".join(faults))


def states_by_flow(workspace: Workspace) -> dict[int, dict[str, int]]:
    """How many Records of each Flow, by its id, are in each state that occurs."""
    found: dict[int, dict[str, int]] = {}
    for row in Record.objects.of(workspace).values("flow_id", "state").annotate(count=Count("pk")):
        found.setdefault(row["flow_id"], {})[row["state"]] = row["count"]
    return found


def imbalances(workspace: Workspace) -> list[tuple[Flow, str]]:
    """The Flows that ever staged another number of Records than there are, each with what it comes to."""
    flows = Flow.objects.of(workspace).select_related("integration__workspace")
    counts = Record.objects.of(workspace).values("flow_id").annotate(count=Count("pk"))
    return _imbalances(list(flows), {row["flow_id"]: row["count"] for row in counts})


def _imbalances(flows: Sequence[Flow], there: Mapping[int, int]) -> list[tuple[Flow, str]]:
    return [
        (
            flow,
            f"{flow.integration.name}.{flow.name}: {flow.records_ever} were staged, the states add up to"
            f" {there.get(flow.pk, 0)}.",
        )
        for flow in flows
        if flow.records_ever != there.get(flow.pk, 0)
    ]


def _flow(flow: Flow) -> FlowStatus:
    due = [instant for instant in (flow.next_pull_at, flow.next_push_at, flow.next_sweep_at) if instant]
    paused = flow.paused or flow.integration.paused
    return FlowStatus(
        flow.integration.name,
        flow.name,
        flow.records_ever,
        flow.last_success_at,
        min(due) if due and not paused else None,
        flow.cursor,
        paused,
        flow.every,
        flow.found_only_by_sweep,
    )


def _connection(row: Connection) -> ConnectionStatus:
    text = row.health_text
    if row.not_before and row.not_before > clock.now() and row.health != Health.CIRCUIT_OPEN:
        text = f"{text} Waits until {row.not_before:%H:%M:%S} UTC.".strip()
    return ConnectionStatus(row.name, row.system, row.identity_text, row.health, text, row.health_at, row.lease_holder)

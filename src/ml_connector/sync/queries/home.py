"""The home page: is everything well, what waits for people, and what was done lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.utils import timezone

from ml_connector import clock
from ml_connector.integrations.base import FlowKind
from ml_connector.sync.flows import declaration, spec_of
from ml_connector.sync.models import PARK_AT, Connection, Flow, Health, Integration, Record, Run, RunKind, State
from ml_connector.sync.queries.problems import ProblemRow, problem_rows
from ml_connector.workspaces.models import Workspace

DAYS = 14
"""How many days the volume chart shows."""
COUNTED_UP_TO = 10_000
"""Records on their way are counted so far and no further: more are shown as `10,000+`."""
_ON_THE_WAY = (State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT)
_WRITTEN = ("created", "updated", "cancelled", "adopted", "confirmed")


class Condition(StrEnum):
    """How an Integration is, in one word."""

    HEALTHY = "healthy"
    WAITING = "waiting for you"
    STOPPED = "stopped"
    NEW = "not started"


@dataclass(frozen=True)
class IntegrationCard:
    """One Integration at a glance."""

    id: int
    name: str
    label: str
    condition: Condition
    why: str
    """What to know of the condition, as a sentence."""
    problems: int
    records: int
    """Ever staged."""
    on_the_way: int
    on_the_way_more: bool
    """There are more than were counted."""
    last_success: datetime | None
    next_run: datetime | None


@dataclass(frozen=True)
class CauseRow:
    """What waits for one kind of cause."""

    cause: str
    problems: int
    records: int
    amount: dict[str, Decimal]
    earliest_due_date: date | None


@dataclass(frozen=True)
class DayVolume:
    """Records read new or changed, and written, on one day of the Workspace's zone."""

    day: date
    read: int
    written: int
    failed: int
    """Runs that failed."""


@dataclass(frozen=True)
class Home:
    integrations: tuple[IntegrationCard, ...]
    waiting: tuple[CauseRow, ...]
    """What blocks documents, the most urgent first."""
    reports: tuple[ProblemRow, ...]
    """Problems that hold nothing back but should be known."""
    waiting_records: int
    waiting_amount: dict[str, Decimal]
    earliest_due_date: date | None
    days: tuple[DayVolume, ...]
    workers: tuple[str, ...]


def home(workspace: Workspace, workers: Sequence[str]) -> Home:
    """Everything of the home page. Cost does not grow with the number of Records that are done."""
    problems = problem_rows(workspace)
    blocking = [row for row in problems if row.blocks]
    integrations = Integration.objects.of(workspace).select_related("erp", "platform").order_by("name")
    flows = list(Flow.objects.of(workspace).select_related("integration").order_by("position"))
    dues = [row.earliest_due_date for row in blocking if row.earliest_due_date]
    return Home(
        tuple(
            _card(row, [flow for flow in flows if flow.integration_id == row.pk], problems, workers)
            for row in integrations
        ),
        _by_cause(blocking),
        tuple(row for row in problems if not row.blocks),
        sum(row.records for row in blocking),
        _summed(blocking),
        min(dues, default=None),
        _volume(workspace, flows),
        tuple(workers),
    )


def _card(
    row: Integration, flows: Sequence[Flow], problems: Sequence[ProblemRow], workers: Sequence[str]
) -> IntegrationCard:
    mine = [problem for problem in problems if problem.integration == row.name]
    count = _on_the_way(flows)
    condition, why = _condition(row, flows, mine, workers)
    documents = [flow for flow in flows if spec_of(flow).kind is FlowKind.DOCUMENTS]
    succeeded = [flow.last_success_at for flow in documents if flow.last_success_at]
    due = [at for flow in flows if not flow.paused for at in (flow.next_pull_at, flow.next_push_at) if at]
    return IntegrationCard(
        row.pk,
        row.name,
        declaration(row).label,
        condition,
        why,
        len(mine),
        sum(flow.records_ever for flow in flows),
        min(count, COUNTED_UP_TO),
        count > COUNTED_UP_TO,
        max(succeeded, default=None),
        min(due) if due and not row.paused else None,
    )


def _on_the_way(flows: Sequence[Flow]) -> int:
    """Counted by Flow and state, as the index has them, and no further than people need to know."""
    count = 0
    for flow in flows:
        for state in _ON_THE_WAY:
            rows = Record.objects.of(flow.workspace_id).filter(flow=flow, state=state).values("pk")
            count += rows[: COUNTED_UP_TO + 1].count()
            if count > COUNTED_UP_TO:
                return count
    return count


def _condition(
    row: Integration, flows: Sequence[Flow], problems: Sequence[ProblemRow], workers: Sequence[str]
) -> tuple[Condition, str]:
    stopped = _stopped_by(row, flows, workers)
    failing = [side for side in (row.erp, row.platform) if side.health == Health.FAILING]
    held = sum(1 for problem in problems if problem.blocks)
    if stopped:
        return Condition.STOPPED, stopped
    if all(flow.last_success_at is None for flow in flows):
        return Condition.NEW, "Nothing has been read yet."
    if problems:
        return Condition.WAITING, f"{held} causes hold documents back." if held > 1 else problems[0].text
    if failing:
        return Condition.WAITING, f"Connection {failing[0].name}: {_sentence(failing[0])}"
    paused = [flow.name for flow in flows if flow.paused]
    return Condition.HEALTHY, f"Paused: {', '.join(paused)}." if paused else ""


def _stopped_by(row: Integration, flows: Sequence[Flow], workers: Sequence[str]) -> str:
    """Why nothing is read or written, or an empty text."""
    refused = [side for side in (row.erp, row.platform) if side.health == Health.CIRCUIT_OPEN]
    parked = [flow.name for flow in flows if flow.deaths >= PARK_AT]
    if row.paused:
        return "Paused by a person."
    if refused:
        return f"Connection {refused[0].name}: {_sentence(refused[0])}"
    if parked:
        return f"{', '.join(parked)} is parked: its jobs killed their workers."
    return "" if workers else "No worker runs, so nothing is read or written."


def _sentence(connection: Connection) -> str:
    return connection.health_text or "it does not work."


def _by_cause(blocking: Sequence[ProblemRow]) -> tuple[CauseRow, ...]:
    grouped: dict[str, list[ProblemRow]] = {}
    for row in blocking:
        grouped.setdefault(row.cause, []).append(row)
    return tuple(
        CauseRow(
            cause,
            len(rows),
            sum(row.records for row in rows),
            _summed(rows),
            min((row.earliest_due_date for row in rows if row.earliest_due_date), default=None),
        )
        for cause, rows in grouped.items()
    )


def _summed(rows: Sequence[ProblemRow]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for row in rows:
        for currency, amount in row.amount.items():
            total[currency] = total.get(currency, Decimal(0)) + amount
    return dict(sorted(total.items()))


def _volume(workspace: Workspace, flows: Sequence[Flow]) -> tuple[DayVolume, ...]:
    """From what the Runs counted, so that its cost does not grow with the Records."""
    today = timezone.localdate(clock.now())
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    read, written, failed = (dict.fromkeys(days, 0) for _ in range(3))
    documents = [flow.pk for flow in flows if spec_of(flow).kind is FlowKind.DOCUMENTS]
    since = clock.now() - timedelta(days=DAYS)
    runs = Run.objects.of(workspace).filter(flow__in=documents, started_at__gte=since)
    for kind, state, started, counts in runs.values_list("kind", "state", "started_at", "counts").iterator():
        day = timezone.localdate(started)
        if day not in read:
            continue
        failed[day] += state == "failed"
        if kind == RunKind.PUSH:
            written[day] += sum(int(counts.get(name, 0)) for name in _WRITTEN)
        else:
            read[day] += int(counts.get("new", 0)) + int(counts.get("changed", 0))
    return tuple(DayVolume(day, read[day], written[day], failed[day]) for day in days)

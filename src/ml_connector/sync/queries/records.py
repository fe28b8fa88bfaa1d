"""The list of Records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from ml_connector.domain.money import from_units
from ml_connector.domain.numbers import normalised
from ml_connector.integrations.base import FlowSpec
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import Flow, Link, ProblemRecord, ProblemState, Record, State
from ml_connector.workspaces.models import Workspace

ACCEPTED = "accepted"
"""What is shown of a Record or an Attempt that waits for the target's decision (R12)."""
_BATCH = 500


@dataclass(frozen=True)
class Holding:
    """An open Problem of a Record."""

    id: int
    cause: str
    blocks: bool


@dataclass(frozen=True)
class RecordRow:
    """One Record in a list."""

    id: int
    integration: str
    flow: str
    type: str
    """supplier, invoice, credit_note, payment."""
    key: str
    number: str
    state: str
    amount: Decimal | None
    currency: str
    due_date: date | None
    target_key: str | None
    problem: int | None
    """The open Problem that holds it, or that reports on it."""
    problems: tuple[Holding, ...]
    reason: str
    """Why it is skipped or written off."""
    next_attempt_at: datetime | None
    gone: bool
    erased_at: datetime | None
    """When its content was removed, by age or on request."""

    @property
    def shown_state(self) -> str:
        """Its state as people understand it: of one in flight, whether the target has accepted it to decide later."""
        waits = self.state == State.IN_FLIGHT and self.next_attempt_at is not None
        return ACCEPTED if waits else self.state


def record_type(spec: FlowSpec) -> str:
    """What people call a record of this Flow, in the singular and as a name."""
    return spec.link_type or spec.record_type


def record_rows(
    workspace: Workspace,
    *,
    state: str | None = None,
    type_name: str | None = None,
    search: str | None = None,
    flows: Sequence[Flow] | None = None,
    ids: Sequence[int] | None = None,
    problem: int | None = None,
    after: int = 0,
    limit: int | None = None,
) -> Iterator[RecordRow]:
    """Records behind an id in the order in which they were staged, read in batches, so that a million of them fit."""
    rows = _rows(workspace, state, type_name, search, flows)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    if problem is not None:
        rows = rows.filter(problems__problem=problem)
    last, left = after, limit
    while left is None or left > 0:
        size = _BATCH if left is None else min(_BATCH, left)
        part = list(rows.filter(pk__gt=last).order_by("pk")[:size])
        if not part:
            return
        last = part[-1].pk
        left = None if left is None else left - len(part)
        yield from _described(workspace, part)


def count_records(
    workspace: Workspace, *, state: str | None = None, type_name: str | None = None, search: str | None = None
) -> int:
    return _rows(workspace, state, type_name, search, None).count()


def _rows(
    workspace: Workspace,
    state: str | None,
    type_name: str | None,
    search: str | None,
    flows: Sequence[Flow] | None,
) -> QuerySet[Record]:
    rows = Record.objects.of(workspace).select_related("flow__integration").defer("payload", "observed")
    if flows is None and type_name:
        flows = [flow for flow in _all_flows(workspace) if record_type(spec_of(flow)) == type_name]
    if flows is not None:
        rows = rows.filter(flow__in=flows)
    if state:
        rows = rows.filter(state=state)
    return rows.filter(_matching(workspace, search)) if search else rows


def _matching(workspace: Workspace, text: str) -> Q:
    """By number as written or as people compare numbers, by key of either side, by supplier."""
    linked = Link.objects.of(workspace).filter(
        integration=OuterRef("flow__integration"), source_key=OuterRef("key"), target_key=text
    )
    found = Q(number__icontains=text) | Q(key__icontains=text) | Q(Exists(linked))
    form = normalised(text)
    return found | Q(natural_key__contains=f"|{form}") | Q(natural_key__startswith=f"{text}|") if form else found


def _all_flows(workspace: Workspace) -> list[Flow]:
    return list(Flow.objects.of(workspace).select_related("integration"))


def _linked(workspace: Workspace, rows: Sequence[Record]) -> dict[tuple[int, str, str], str]:
    """The targets' keys; asked for by Integration and type as well, because the index begins with them."""
    keys: dict[tuple[int, str], list[str]] = {}
    for row in rows:
        keys.setdefault((row.flow.integration_id, spec_of(row.flow).link_type), []).append(row.key)
    found = {}
    for (integration, link_type), wanted in keys.items():
        links = Link.objects.of(workspace).filter(integration=integration, type=link_type, source_key__in=wanted)
        for source_key, target_key in links.values_list("source_key", "target_key"):
            found[integration, link_type, source_key] = target_key
    return found


def _described(workspace: Workspace, rows: Sequence[Record]) -> Iterator[RecordRow]:
    held: dict[int, list[Holding]] = {}
    open_ones = ProblemRecord.objects.of(workspace).filter(record__in=rows, problem__state=ProblemState.OPEN)
    for row in open_ones.select_related("problem").order_by("-problem__blocks", "problem_id"):
        held.setdefault(row.record_id, []).append(Holding(row.problem_id, row.problem.cause, row.problem.blocks))
    links = _linked(workspace, rows)
    for record in rows:
        spec = spec_of(record.flow)
        problems = tuple(held.get(record.pk, ()))
        yield RecordRow(
            id=record.pk,
            integration=record.flow.integration.name,
            flow=record.flow.name,
            type=record_type(spec),
            key=record.key,
            number=record.number,
            state=record.state,
            amount=None if record.amount is None else from_units(record.amount, record.currency),
            currency=record.currency,
            due_date=record.due_date,
            target_key=links.get((record.flow.integration_id, spec.link_type, record.key)),
            problem=problems[0].id if problems else None,
            problems=problems,
            reason=record.reason,
            next_attempt_at=record.next_attempt_at,
            gone=record.gone,
            erased_at=record.erased_at,
        )

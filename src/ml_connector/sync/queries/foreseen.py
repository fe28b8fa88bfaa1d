"""What a sync comes to, by record type and by cause, as far as the tables at hand tell: those of a preview."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum

from ml_connector.domain.money import from_units
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import (
    Attempt,
    Flow,
    Link,
    Operation,
    Outcome,
    Problem,
    ProblemRecord,
    ProblemState,
    Record,
    State,
)
from ml_connector.sync.resolve import LIKE_ITS_INVOICE
from ml_connector.workspaces.models import Workspace

EXAMPLES = 5
"""Problems of a cause that are named, those that hold most documents."""
_NEVER_SENT = re.compile(rf"^Invoice .*?{re.escape(LIKE_ITS_INVOICE)}")
_ON_THE_WAY = (State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT)


@dataclass(frozen=True)
class Tally:
    """Documents, and the money in them by currency, never added up over currencies."""

    records: int = 0
    amount: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """One Problem of a cause."""

    text: str
    fix: str
    records: int


@dataclass(frozen=True)
class HeldBy:
    """What one kind of cause holds back. A document that several causes hold counts with each."""

    cause: str
    problems: int
    tally: Tally
    examples: tuple[Example, ...]
    """The first of them, by what they hold."""


@dataclass(frozen=True)
class LeftOut:
    """What is not sent for one reason."""

    reason: str
    tally: Tally


@dataclass(frozen=True)
class FlowForeseen:
    """One record type."""

    flow: str
    label: str
    read: int
    """Records new or changed."""
    created: Tally
    updated: Tally
    cancelled: Tally
    found: Tally
    """In the target already as they should be; only linked."""
    skipped: Tally
    blocked: Tally
    """Each once, however many causes hold it; also those that were held before."""
    on_the_way: Tally
    """Neither done nor held: the target is asked again later."""
    reasons: tuple[LeftOut, ...]
    causes: tuple[HeldBy, ...]


@dataclass(frozen=True)
class Before:
    """How things stood before, so that only what is new is told."""

    attempt: int
    link: int
    skipped: frozenset[int]


def before(workspace: Workspace, flows: Sequence[Flow]) -> Before:
    skipped = Record.objects.of(workspace).filter(flow__in=flows, state=State.SKIPPED)
    return Before(
        _last(Attempt.objects.of(workspace)),
        _last(Link.objects.of(workspace)),
        frozenset(skipped.values_list("pk", flat=True).iterator()),
    )


def foreseen(flow: Flow, since: Before, read: int) -> FlowForeseen:
    """What became of one Flow's Records since."""
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow)
    written = {operation: _written(flow, since, operation) for operation in Operation}
    skipped = [row for row in _plain(rows.filter(state=State.SKIPPED)) if row["pk"] not in since.skipped]
    reasons: dict[str, list[Mapping[str, Any]]] = {}
    for row in skipped:
        reasons.setdefault(_NEVER_SENT.sub("Like the invoice that it corrects:", row["reason"]), []).append(row)
    return FlowForeseen(
        flow.name,
        spec_of(flow).label,
        read,
        _tally(_plain(rows.filter(pk__in=written[Operation.CREATE]))),
        _tally(_plain(rows.filter(pk__in=written[Operation.UPDATE]))),
        _tally(_plain(rows.filter(pk__in=written[Operation.CANCEL]))),
        _tally(_plain(rows.filter(key__in=_found(flow, since)).exclude(pk__in=written[Operation.UPDATE]))),
        _tally(skipped),
        _summed(rows.filter(state=State.BLOCKED)),
        _summed(rows.filter(state__in=_ON_THE_WAY)),
        tuple(LeftOut(reason, _tally(found)) for reason, found in sorted(reasons.items())),
        _causes(flow),
    )


def _written(flow: Flow, since: Before, operation: Operation) -> QuerySet[Attempt, int]:
    rows = Attempt.objects.of(flow.workspace_id).filter(record__flow=flow, pk__gt=since.attempt, operation=operation)
    return rows.filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED]).values_list("record_id", flat=True)


def _found(flow: Flow, since: Before) -> QuerySet[Link, str]:
    rows = Link.objects.of(flow.workspace_id).filter(integration=flow.integration, type=spec_of(flow).link_type)
    return rows.filter(pk__gt=since.link, made_by="found").values_list("source_key", flat=True)


def _causes(flow: Flow) -> tuple[HeldBy, ...]:
    held = ProblemRecord.objects.of(flow.workspace_id).filter(
        record__flow=flow, record__state=State.BLOCKED, problem__state=ProblemState.OPEN, problem__blocks=True
    )
    found = []
    for cause in sorted(set(held.values_list("problem__cause", flat=True))):
        of_cause = held.filter(problem__cause=cause)
        counts = dict(of_cause.values_list("problem").annotate(count=Count("pk")).order_by("-count", "problem"))
        shown = Problem.objects.of(flow.workspace_id).in_bulk(list(counts)[:EXAMPLES])
        tally = _summed(Record.objects.of(flow.workspace_id).filter(pk__in=of_cause.values("record_id")))
        examples = tuple(Example(shown[pk].text, shown[pk].fix, counts[pk]) for pk in list(counts)[:EXAMPLES])
        found.append(HeldBy(cause, len(counts), tally, examples))
    return tuple(sorted(found, key=lambda one: (-one.tally.records, one.cause)))


def _plain(rows: QuerySet[Record]) -> Iterable[Mapping[str, Any]]:
    return rows.values("pk", "amount", "currency", "reason")


def _tally(rows: Iterable[Mapping[str, Any]]) -> Tally:
    count, units = 0, dict[str, int]()
    for row in rows:
        count += 1
        if row["amount"] is not None:
            units[row["currency"]] = units.get(row["currency"], 0) + row["amount"]
    return Tally(count, _amounts(units.items()))


def _summed(rows: QuerySet[Record]) -> Tally:
    sums = rows.exclude(amount=None).values_list("currency").annotate(units=Sum("amount"))
    return Tally(rows.count(), _amounts(sums))


def _amounts(units: Collection[tuple[str, int]] | QuerySet[Any]) -> dict[str, Decimal]:
    return {currency: from_units(sum_, currency) for currency, sum_ in sorted(units)}


def _last(rows: QuerySet[Any]) -> int:
    return rows.aggregate(last=Max("pk"))["last"] or 0

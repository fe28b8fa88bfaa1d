"""Problems as the console lists them, narrowed and page by page, and what a decision on several would mean."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Sum

from ml_connector import clock
from ml_connector.domain.money import from_units
from ml_connector.sync.models import Problem, ProblemRecord, ProblemState, Record
from ml_connector.sync.problems import unfit
from ml_connector.sync.queries.problems import ProblemRow, described_problems, problem_rows
from ml_connector.workspaces.models import Workspace

PAGE = 100
ENDED_SHOWN = 200
"""Problems that are over and still listed, the newest."""
NOBODY = 0
"""Stands for Problems that have no owner."""
AGES = (1, 7, 30)
"""Days after which a Problem can be asked for as old."""


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; an empty value leaves it as wide as it is."""

    cause: str = ""
    integration: str = ""
    owner: int | None = None
    """A person, or NOBODY."""
    older_than: int = 0
    """Days since it was opened."""
    snoozed: bool | None = None
    over_too: bool = False
    """Also the latest that are over."""


@dataclass(frozen=True)
class ProblemList:
    rows: tuple[ProblemRow, ...]
    found: int
    page: int
    pages: int
    causes: dict[str, int]
    """Open Problems by cause, all that the rest of the narrowing leaves."""
    integrations: tuple[str, ...]
    """Of all open Problems."""
    owners: frozenset[int]
    """Of all open Problems."""
    records: int
    """Held back by all that was found, snoozed or not."""
    amount: dict[str, Decimal]
    earliest_due_date: date | None


@dataclass(frozen=True)
class Preview:
    """What a decision on several Problems would mean."""

    rows: tuple[ProblemRow, ...]
    """Those that it fits."""
    unfit: tuple[tuple[ProblemRow, str], ...]
    """The others, and why not."""
    records: int
    """Each document once, however many of the Problems hold it."""
    amount: dict[str, Decimal]


def problem_list(workspace: Workspace, wanted: Wanted, page: int = 1) -> ProblemList:
    """What is open, most urgent first, and after it what is over where that is wanted too."""
    everything = problem_rows(workspace)
    narrowed = [row for row in everything if _fits(row, wanted)]
    rows = [row for row in narrowed if not wanted.cause or row.cause == wanted.cause]
    blocking = [row for row in rows if row.blocks]
    dues = [row.earliest_due_date for row in blocking if row.earliest_due_date]
    ended = _ended(workspace, wanted) if wanted.over_too else []
    listed = [*rows, *ended]
    pages = max(-(-len(listed) // PAGE), 1)
    page = min(max(page, 1), pages)
    return ProblemList(
        tuple(listed[(page - 1) * PAGE : page * PAGE]),
        len(listed),
        page,
        pages,
        dict(collections.Counter(row.cause for row in narrowed)),
        tuple(sorted({row.integration for row in everything})),
        frozenset(row.owner for row in everything if row.owner is not None),
        sum(row.records for row in blocking),
        _summed(row.amount for row in blocking),
        min(dues, default=None),
    )


def preview(workspace: Workspace, ids: Sequence[int], action: str = "") -> Preview:
    """What a decision on these Problems would mean. No action: something that fits every open one."""
    found = Problem.objects.of(workspace).filter(pk__in=list(ids))
    why = {row.pk: unfit(row, action or "retry") for row in found}
    rows = described_problems(workspace, list(why))
    fitting = [row for row in rows if not why[row.id]]
    holds = ProblemRecord.objects.of(workspace).filter(problem__in=[row.id for row in fitting])
    sums = (
        Record.objects.of(workspace)
        .filter(pk__in=holds.values("record_id"))
        .values("currency")
        .annotate(records=Count("pk"), units=Sum("amount"))
        .order_by("currency")
    )
    totals = list(sums)
    return Preview(
        tuple(fitting),
        tuple((row, why[row.id]) for row in rows if why[row.id]),
        sum(total["records"] for total in totals),
        {
            total["currency"]: from_units(total["units"], total["currency"])
            for total in totals
            if total["currency"] and total["units"] is not None
        },
    )


def _fits(row: ProblemRow, wanted: Wanted) -> bool:
    return (
        wanted.integration in {"", row.integration}
        and (wanted.owner is None or (row.owner or NOBODY) == wanted.owner)
        and (not wanted.older_than or row.opened_at <= _before(wanted.older_than))
        and (wanted.snoozed is None or (row.snoozed_until is not None) is wanted.snoozed)
    )


def _before(days: int) -> datetime:
    return clock.now() - timedelta(days=days)


def _ended(workspace: Workspace, wanted: Wanted) -> list[ProblemRow]:
    over = Problem.objects.of(workspace).exclude(state=ProblemState.OPEN).order_by("-ended_at")
    if wanted.cause:
        over = over.filter(cause=wanted.cause)
    if wanted.integration:
        over = over.filter(integration__name=wanted.integration)
    if wanted.owner is not None:
        over = over.filter(owner=wanted.owner or None)
    if wanted.older_than:
        over = over.filter(opened_at__lte=_before(wanted.older_than))
    rows = described_problems(workspace, list(over.values_list("pk", flat=True)[:ENDED_SHOWN]))

    return sorted(rows, key=lambda row: row.ended_at or row.opened_at, reverse=True)


def _summed(amounts: Iterable[dict[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for amount in amounts:
        for currency, value in amount.items():
            total[currency] = total.get(currency, Decimal(0)) + value
    return total

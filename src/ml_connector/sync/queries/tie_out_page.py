"""Kept tie-outs as the console shows them: sums, suppliers, differences, page by page. Nothing is compared here."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import msgspec
from django.db.models import Q, QuerySet

from ml_connector.sync.books import declares_documents
from ml_connector.sync.differences import Reason
from ml_connector.sync.flows import declaration
from ml_connector.sync.mapping_files import guarded
from ml_connector.sync.models import Integration, Pack, StoredTieOut, TieOutLine, TieOutRow
from ml_connector.sync.results import newest
from ml_connector.sync.tieout import amount_of
from ml_connector.workspaces.models import Workspace

PAGE = 50
LINES = 100


@dataclass(frozen=True)
class Sum:
    """All suppliers in one currency."""

    currency: str
    source: Decimal
    linked: Decimal
    target: Decimal
    difference: Decimal
    unexplained: Decimal
    by_reason: dict[str, Decimal]


@dataclass(frozen=True)
class Clearing:
    """The clearing account, as `sync.clearing.Statement` says it."""

    account: str
    name: str
    currency: str
    read_at: datetime
    balance: Decimal
    paid: Decimal
    posted: Decimal
    to_post: Decimal
    left_out: Decimal
    to_cancel: Decimal
    others: Decimal
    unvalued: int


@dataclass(frozen=True)
class Head:
    """One kept tie-out, without its rows."""

    id: int
    integration: str
    period: str
    source: str
    target: str
    made_at: datetime
    seconds: float
    source_read_at: datetime | None
    target_read_at: datetime | None
    suppliers: int
    differences: int
    sums: tuple[Sum, ...]
    clearing: Clearing | None
    """The account that payments are posted to; None where none are posted."""

    @property
    def unexplained(self) -> dict[str, Decimal]:
        return {one.currency: one.unexplained for one in self.sums if one.unexplained}


@dataclass(frozen=True)
class SupplierRow:
    """One supplier in one currency."""

    id: int
    supplier: str
    name: str
    currency: str
    source: Decimal
    linked: Decimal
    target: Decimal
    difference: Decimal
    unexplained: Decimal
    differences: int
    only_in_target: bool


@dataclass(frozen=True)
class DifferenceRow:
    """One difference."""

    supplier: str
    name: str
    currency: str
    reason: str
    amount: Decimal
    number: str
    text: str
    date: date | None
    age: int | None
    """Days from the document's posting to the comparison."""
    record: int | None
    source_key: str
    target_key: str
    problem: int | None


@dataclass(frozen=True)
class SupplierPage:
    rows: tuple[SupplierRow, ...]
    after: int | None
    """Where the next page goes on; None on the last one."""


@dataclass(frozen=True)
class DifferencePage:
    rows: tuple[DifferenceRow, ...]
    after: int | None


@dataclass(frozen=True)
class IntegrationRow:
    """An Integration, and how its last tie-out ended."""

    name: str
    label: str
    head: Head | None
    packs: int


def integrations(workspace: Workspace) -> tuple[IntegrationRow, ...]:
    """Those that move documents with balances."""
    rows = Integration.objects.of(workspace).select_related("workspace").order_by("name")
    found = []
    for row in rows:
        if declares_documents(row):
            stored = newest(row)
            packs = Pack.objects.of(workspace).filter(integration=row).count()
            found.append(IntegrationRow(row.name, declaration(row).label, head(stored) if stored else None, packs))
    return tuple(found)


def head(stored: StoredTieOut) -> Head:
    """`stored` comes with its Integration."""
    return Head(
        stored.pk,
        stored.integration.name,
        stored.period,
        stored.source_label,
        stored.target_label,
        stored.made_at,
        stored.seconds,
        stored.source_read_at,
        stored.target_read_at,
        stored.suppliers,
        stored.differences,
        tuple(
            Sum(
                total["currency"],
                Decimal(total["source"]),
                Decimal(total["linked"]),
                Decimal(total["target"]),
                Decimal(total["difference"]),
                Decimal(total["unexplained"]),
                {reason: Decimal(amount) for reason, amount in total["by_reason"].items()},
            )
            for total in stored.totals
        ),
        msgspec.convert(stored.clearing, Clearing, strict=False) if stored.clearing else None,
    )


SHOW = {
    "differences": Q(differences__gt=0),
    "unexplained": ~Q(unexplained=0),
    "all": Q(),
    "only_in_target": Q(only_in_target=True),
}
"""What the list of suppliers can be narrowed to; the first unless said otherwise."""


def suppliers(
    stored: StoredTieOut, *, show: str = "differences", search: str = "", currency: str = "", after: int = 0
) -> SupplierPage:
    """Suppliers in their order, those that only the target has apart."""
    rows = _rows(stored).filter(SHOW.get(show, SHOW["differences"]), pk__gt=after)
    if show != "only_in_target":
        rows = rows.filter(only_in_target=False)
    if search:
        rows = rows.filter(Q(supplier__icontains=search) | Q(name__icontains=search))
    if currency:
        rows = rows.filter(currency=currency)
    found = [_supplier(row) for row in rows.order_by("pk")[: PAGE + 1]]
    return SupplierPage(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def supplier(stored: StoredTieOut, row: int) -> SupplierRow | None:
    found = _rows(stored).filter(pk=row).first()
    return _supplier(found) if found else None


def differences(stored: StoredTieOut, *, row: int | None = None, reason: str = "", after: int = 0) -> DifferencePage:
    """The differences of one supplier's row, or of all, of one reason or of all."""
    lines = _lines(stored).filter(pk__gt=after)
    if row is not None:
        lines = lines.filter(row=row)
    if reason in set(Reason):
        lines = lines.filter(reason=reason)
    if row is None:
        lines = lines.filter(row__only_in_target=False)
    found = list(lines.select_related("row").order_by("pk")[: LINES + 1])
    rows = tuple(_difference(line, stored) for line in found[:LINES])
    return DifferencePage(rows, found[LINES - 1].pk if len(found) > LINES else None)


COLUMNS = (
    "supplier", "name", "currency", "source", "linked", "target", "difference", "reason", "document", "posted",
    "age_days", "amount", "text", "record", "problem", "source_key", "target_key", "only_in_target",
)  # fmt: skip


def csv_lines(stored: StoredTieOut) -> Iterator[str]:
    """The tie-out as CSV: a line for each difference, and one for each supplier without any. Balances stand in the
    first line of a supplier only, so that columns can be added up."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    lines = _lines(stored).order_by("row_id", "pk").iterator(2000)
    line = next(lines, None)
    for row in _rows(stored).order_by("pk").iterator(2000):
        shown = _supplier(row)
        balances = [shown.source, shown.linked, shown.target, shown.difference]
        written = False
        while line is not None and line.row_id == row.pk:
            line.row = row
            one = _difference(line, stored)
            yield writer.writerow(_cells(shown, ["", "", "", ""] if written else balances, one))
            written, line = True, next(lines, None)
        if not written:
            yield writer.writerow(_cells(shown, balances, None))


def _cells(row: SupplierRow, balances: list[Decimal] | list[str], line: DifferenceRow | None) -> list[object]:
    texts = [guarded(row.supplier), guarded(row.name), row.currency, *balances]
    told = ["", "", "", "", "", "", "", "", "", ""]
    if line is not None:
        told = [
            line.reason, guarded(line.number), line.date.isoformat() if line.date else "",
            "" if line.age is None else str(line.age), str(line.amount), guarded(line.text), str(line.record or ""),
            str(line.problem or ""), guarded(line.source_key), guarded(line.target_key),
        ]  # fmt: skip
    return [*texts, *told, "yes" if row.only_in_target else ""]


class _Echo:
    """A file for csv.writer that gives each line back."""

    def write(self, text: str) -> str:
        return text


def _rows(stored: StoredTieOut) -> QuerySet[TieOutRow]:
    return TieOutRow.objects.of(stored.workspace_id).filter(tie_out=stored)


def _lines(stored: StoredTieOut) -> QuerySet[TieOutLine]:
    return TieOutLine.objects.of(stored.workspace_id).filter(tie_out=stored)


def _supplier(row: TieOutRow) -> SupplierRow:
    source, linked, target, unexplained, difference = (
        amount_of(units, row.currency)
        for units in (row.source, row.linked, row.target, row.unexplained, row.source - row.target)
    )
    return SupplierRow(
        row.pk, row.supplier, row.name, row.currency, source, linked, target, difference, unexplained,
        row.differences, row.only_in_target,
    )  # fmt: skip


def _difference(line: TieOutLine, stored: StoredTieOut) -> DifferenceRow:
    row = line.row
    age = (stored.made_at.date() - line.date).days if line.date else None
    return DifferenceRow(
        row.supplier, row.name, row.currency, line.reason, amount_of(line.amount, row.currency), line.number, line.text,
        line.date, age, line.record, line.source_key, line.target_key, line.problem,
    )  # fmt: skip

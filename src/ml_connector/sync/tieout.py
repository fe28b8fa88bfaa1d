"""The tie-out: per supplier and currency, the source's open balance against the target's, to the cent (R73).

Computed from what was last read of both sides; nothing is asked here. `differences` does the arithmetic; this
module gathers the documents and makes a report that people and programs read.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ml_connector import clock
from ml_connector.domain.money import UNITS, UnknownCurrency, from_units
from ml_connector.sync.books import Book, Caption, read_book
from ml_connector.sync.clearing import Statement, statement
from ml_connector.sync.differences import Document, Entry, Item, Reason, differences, families, loose
from ml_connector.sync.models import Integration


@dataclass(frozen=True, slots=True)
class Line:
    """One difference. Positive: the source shows more than the target's bills."""

    reason: Reason
    amount: Decimal
    number: str
    """The document, as its supplier printed it."""
    text: str
    date: date | None = None
    """When the document was posted, from which a difference's age counts."""
    record: int | None = None
    source_key: str = ""
    target_key: str = ""
    problem: int | None = None
    """The open Problem that says more, and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One supplier in one currency. `source` less `target` is the sum of the lines."""

    supplier: str
    """Source key; for a supplier that only the target has, the target's key."""
    name: str
    currency: str
    source: Decimal
    linked: Decimal
    """Of the source's, what is linked to documents of the target."""
    target: Decimal
    """What the target's bills leave open; its open credits are lines."""
    lines: tuple[Line, ...]

    @property
    def difference(self) -> Decimal:
        return self.source - self.target

    @property
    def unexplained(self) -> Decimal:
        return _sum(self.lines, Reason.UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class Total:
    """All suppliers in one currency."""

    currency: str
    source: Decimal
    linked: Decimal
    target: Decimal
    by_reason: dict[Reason, Decimal]

    @property
    def difference(self) -> Decimal:
        return self.source - self.target

    @property
    def unexplained(self) -> Decimal:
        return self.by_reason.get(Reason.UNEXPLAINED, Decimal(0))


@dataclass(frozen=True, slots=True)
class TieOut:
    """The comparison of an Integration's two sides, and of when it speaks."""

    integration: str
    source: str
    """Label of the system on the source's side."""
    target: str
    made_at: datetime
    period: str | None
    source_read_at: datetime | None
    """The oldest of the readings that it rests on; None where one was never complete."""
    target_read_at: datetime | None
    rows: tuple[Row, ...]
    totals: tuple[Total, ...]
    only_in_target: tuple[Row, ...]
    """Suppliers that the source does not know, apart: they are in no total."""
    clearing: Statement | None = None
    """The account that payments are posted to; None where none are posted."""

    @property
    def unexplained(self) -> dict[str, Decimal]:
        """What nothing explains, by currency; empty when the two sides tie out."""
        return {total.currency: total.unexplained for total in self.totals if total.unexplained}

    def to_json(self) -> dict[str, Any]:
        """The same as plain values: money as text, instants and dates as ISO text."""
        return {
            "integration": self.integration,
            "source": self.source,
            "target": self.target,
            "made_at": self.made_at.isoformat(),
            "period": self.period,
            "source_read_at": self.source_read_at.isoformat() if self.source_read_at else None,
            "target_read_at": self.target_read_at.isoformat() if self.target_read_at else None,
            "totals": [_total_json(total) for total in self.totals],
            "rows": [_row_json(row) for row in self.rows],
            "only_in_target": [_row_json(row) for row in self.only_in_target],
            **({"clearing": self.clearing.to_json()} if self.clearing else {}),
        }


def tie_out(
    integration: Integration,
    period: str | None = None,
    read: Callable[[Integration], object] | None = None,
    seen: Callable[[int], None] | None = None,
) -> TieOut:
    """Compares the open balances of both sides as last read; `read` is called first to read both again, `seen` now
    and then with the number of rows looked at.

    `period` (YYYY-MM) leaves out documents posted after its last day; balances are today's. Raises ValueError for
    a period that is no month.
    """
    until = last_day(period) if period else None
    if read is not None:
        read(integration)
    book = read_book(integration, seen)
    return replace(report(integration.name, book, clock.now(), period, until), clearing=statement(integration))


def last_day(period: str) -> date:
    """The last day of a month written YYYY-MM. Raises ValueError, saying how it is written."""
    try:
        first = date.fromisoformat(f"{period}-01")
    except ValueError:
        raise ValueError(f"{period!r} is no period. Write the year and the month, for example 2026-10.") from None
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def report(integration: str, book: Book, made_at: datetime, period: str | None, until: date | None) -> TieOut:
    """The tie-out of a book. Pure."""
    rows = [
        _row(book, supplier, currency, documents, entries, until)
        for (supplier, currency), (documents, entries) in _by_supplier(book, book.documents, book.loose).items()
    ]
    strangers = [
        _row(book, supplier, currency, (), entries, until)
        for (supplier, currency), (_, entries) in _by_supplier(book, (), book.strangers).items()
    ]
    return TieOut(
        integration,
        book.source_label,
        book.target_label,
        made_at,
        period,
        book.source_read_at,
        book.target_read_at,
        rows=_sorted(rows),
        totals=_totals(rows),
        only_in_target=_sorted(strangers),
    )


Group = tuple[list[Document], list[Entry]]


def _by_supplier(book: Book, documents: Iterable[Document], entries: Iterable[Entry]) -> dict[tuple[str, str], Group]:
    groups: dict[tuple[str, str], Group] = {}
    for document in documents:
        groups.setdefault((document.supplier, document.currency), ([], []))[0].append(document)
    for entry in entries:
        supplier = book.suppliers.get(entry.supplier, entry.supplier)
        groups.setdefault((supplier, entry.currency), ([], []))[1].append(entry)
    return groups


def _row(
    book: Book,
    supplier: str,
    currency: str,
    documents: Iterable[Document],
    entries: Iterable[Entry],
    until: date | None,
) -> Row:
    source = linked = target = 0
    items: list[Item] = []
    for family in families(documents):
        if until is not None and family.root.date is not None and family.root.date > until:
            continue
        source += family.owed
        linked += family.linked
        target += family.billed
        items += differences(family)
    for entry in entries:
        day = book.captions[entry.type, entry.key].date
        if until is not None and day is not None and day > until:
            continue
        target += 0 if entry.credit else entry.open
        items += loose(entry, moved=(entry.type, entry.key) in book.moved)
    lines = tuple(_line(book, item, currency) for item in items)
    name = book.names.get(supplier, "")
    return Row(
        supplier,
        name,
        currency,
        amount_of(source, currency),
        amount_of(linked, currency),
        amount_of(target, currency),
        lines,
    )


def _line(book: Book, item: Item, currency: str) -> Line:
    document, entry = item.document, item.entry
    caption = book.captions[entry.type, entry.key] if entry and not document else Caption()
    about = item.payment.record if item.payment else document.record if document else None
    problem = book.problem(about, item.reason) if about else None
    text = SENTENCES[item.reason].format(source=book.source_label, target=book.target_label)
    if item.payment:
        text = f"{text} Payment {item.payment.number}."
    said = problem.text if problem else (document.note if document and item.reason in SAID_BY_RECORD else "")
    return Line(
        item.reason,
        amount_of(item.units, currency),
        document.number if document else caption.number,
        f"{text} {said}".strip(),
        date=document.date if document else caption.date,
        record=about,
        source_key=document.key if document else "",
        target_key=entry.key if entry else "",
        problem=problem.id if problem else None,
    )


SENTENCES: dict[Reason, str] = {
    Reason.NOT_YET_SENT: "Read, and not sent to {target} yet.",
    Reason.IN_FLIGHT: "On its way to {target}.",
    Reason.IN_DOUBT: "Sent, but the answer of {target} was lost; it is being searched for.",
    Reason.BLOCKED: "Held back.",
    Reason.SKIPPED: "Not sent, by a rule or a decision.",
    Reason.WRITTEN_OFF: "Written off.",
    Reason.NOT_LISTED: "Delivered, but not in the last listing of {target}.",
    Reason.ARCHIVED_IN_TARGET: "Archived in {target}, still open in {source}.",
    Reason.CREDIT_NOT_APPLIED: "Credit that is open in {target}: apply it to its bill there.",
    Reason.CREDIT_APPLIED_ELSEWHERE: "Credit that was applied in {target} to another bill.",
    Reason.PAID_IN_SOURCE: "Paid in {source}, still open in {target}.",
    Reason.PAID_IN_TARGET: "Paid or credited in {target}, still open in {source}.",
    Reason.PAYMENT_TO_POST: "Paid in {target}; the posting in {source} is on its way.",
    Reason.PAYMENT_HELD: "Paid in {target}; the posting in {source} waits for a person.",
    Reason.PAYMENT_LEFT_OUT: "Paid in {target}; not posted in {source}, by a rule or a decision.",
    Reason.PAYMENT_UNDER_WAY: "A payment is under way in {target}; it is posted in {source} once it is paid.",
    Reason.PAYMENT_POSTED: "Posted in {source}; its balance was read before that.",
    Reason.PAYMENT_TO_CANCEL: "Taken back in {target}; its posting in {source} still stands.",
    Reason.AMENDED: "{source} and {target} hold different amounts.",
    Reason.VOIDED_IN_SOURCE: "Voided in {source}, not in {target}.",
    Reason.GONE_IN_SOURCE: "No longer in {source}, but in {target}.",
    Reason.CORRECTS_UNREAD: "Corrects a document that was not read from {source}.",
    Reason.ONLY_IN_TARGET: "Entered in {target} by hand: not from us.",
    Reason.UNEXPLAINED: "Nothing explains this difference.",
}

SAID_BY_RECORD = frozenset({Reason.SKIPPED, Reason.WRITTEN_OFF})
"""Reasons that the Record itself gives in words."""


def _totals(rows: Iterable[Row]) -> tuple[Total, ...]:
    found: dict[str, Total] = {}
    for row in rows:
        before = found.get(row.currency) or Total(row.currency, Decimal(0), Decimal(0), Decimal(0), {})
        by_reason = dict(before.by_reason)
        for line in row.lines:
            by_reason[line.reason] = by_reason.get(line.reason, Decimal(0)) + line.amount
        found[row.currency] = Total(
            row.currency,
            before.source + row.source,
            before.linked + row.linked,
            before.target + row.target,
            by_reason,
        )
    return tuple(found[currency] for currency in sorted(found))


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    shown = (row for row in rows if row.source or row.target or row.lines)
    return tuple(sorted(shown, key=lambda row: (row.supplier, row.currency)))


def _sum(lines: Iterable[Line], reason: Reason) -> Decimal:
    return sum((line.amount for line in lines if line.reason is reason), Decimal(0))


def amount_of(units: int, currency: str) -> Decimal:
    """The amount with the currency's digits; with as many as it has where the currency is none, never rounded."""
    exact = Decimal(units) / UNITS
    try:
        shown = from_units(units, currency)
    except UnknownCurrency:
        return exact
    return shown if shown == exact else exact


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "supplier": row.supplier,
        "name": row.name,
        "currency": row.currency,
        "source": str(row.source),
        "linked": str(row.linked),
        "target": str(row.target),
        "difference": str(row.difference),
        "unexplained": str(row.unexplained),
        "lines": [
            {
                "reason": line.reason.value,
                "amount": str(line.amount),
                "number": line.number,
                "text": line.text,
                "date": line.date.isoformat() if line.date else None,
                "record": line.record,
                "source_key": line.source_key,
                "target_key": line.target_key,
                "problem": line.problem,
            }
            for line in row.lines
        ],
    }


def _total_json(total: Total) -> dict[str, Any]:
    return {
        "currency": total.currency,
        "source": str(total.source),
        "linked": str(total.linked),
        "target": str(total.target),
        "difference": str(total.difference),
        "unexplained": str(total.unexplained),
        "by_reason": {reason.value: str(amount) for reason, amount in sorted(total.by_reason.items())},
    }

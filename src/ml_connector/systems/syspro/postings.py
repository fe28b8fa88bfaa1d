"""The postings of invoices: which journal entry carries a document, how it is coded, what was paid or adjusted.

SYSPRO: ApJnlSummary says which document a journal entry belongs to, ApJnlDistrib has the entry's ledger rows. Both
are keyed by year, month, journal and entry, so those of a page of invoices in the order of journals are read as
ranges. Invoices that were taken on, or whose entry is numbered otherwise, are looked up by their own key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from ml_connector.systems.syspro.reading import Reading
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApJnlDistrib, ApJnlSummary
from ml_connector.systems.syspro.where import Condition, Terms, Where, one_of

INVOICE = "I"
ADJUSTMENT = "A"
CREDIT = "C"
DEBIT = "D"
FURTHER = (ADJUSTMENT, CREDIT, DEBIT)
"""Transaction codes of what is booked on an invoice later."""

ENTRY = ("TrnYear", "TrnMonth", "Journal", "EntryNumber")
DOCUMENT = ("Supplier", "Invoice")

P = TypeVar("P", ApJnlSummary, ApJnlDistrib)

Entry = tuple[int, int, int, int]
"""Year, month, journal, entry: what a posting is found by."""

_posted_at = attrgetter("invoice_year", "invoice_month", "journal", "entry_number")
_entry = attrgetter("trn_year", "trn_month", "journal", "entry_number")
_document = attrgetter("supplier", "invoice")

NO_ROWS: tuple[ApJnlDistrib, ...] = ()


@dataclass(slots=True)
class Moved:
    """What happened to an invoice after it was booked."""

    payments: list[ApInvoicePay] = field(default_factory=list)
    further: list[ApJnlSummary] = field(default_factory=list)


def coding(reading: Reading, headers: Sequence[ApInvoice]) -> list[Sequence[ApJnlDistrib]]:
    """The ledger rows of each invoice, in the order of the invoices; none where there are none."""
    places: list[Entry] = [_posted_at(header) for header in headers]
    spans = ranges(places)
    found = {_entry(row): row for row in _over(reading, ApJnlSummary, spans)}
    rows = _by_entry(_over(reading, ApJnlDistrib, spans))
    result: list[Sequence[ApJnlDistrib]] = []
    strays = []
    for index, (header, place) in enumerate(zip(headers, places, strict=True)):
        summary = found.get(place)
        if summary is None or (
            (summary.invoice != header.invoice or summary.supplier != header.supplier)
            and bare(*_document(summary)) != bare(*_document(header))
        ):
            strays.append(index)
        result.append(rows.get(place, NO_ROWS))
    if strays:
        for index, ledger in zip(strays, _elsewhere(reading, [headers[i] for i in strays]), strict=True):
            result[index] = ledger
    return result


def of_entries(reading: Reading, summaries: Sequence[ApJnlSummary]) -> list[Sequence[ApJnlDistrib]]:
    """The ledger rows of each journal entry, in the order of the entries."""
    places: list[Entry] = [_entry(summary) for summary in summaries]
    rows = _by_entry(reading.matching(ApJnlDistrib, ENTRY, sorted(set(places))))
    return [rows.get(place, NO_ROWS) for place in places]


def moved(reading: Reading, headers: Sequence[ApInvoice]) -> dict[tuple[str, str], Moved]:
    """What was paid on the invoices and booked on them later, by supplier and invoice."""
    wanted = [_document(header) for header in headers]
    result = {bare(*key): Moved() for key in wanted}
    for payment in reading.matching(ApInvoicePay, DOCUMENT, wanted):
        result[bare(payment.supplier, payment.invoice)].payments.append(payment)
    for summary in reading.matching(ApJnlSummary, DOCUMENT, wanted, one_of(("TransactionCode",), zip(FURTHER))):
        result[bare(summary.supplier, summary.invoice)].further.append(summary)
    return result


def touched(header: ApInvoice) -> bool:
    """Whether anything was paid or booked on the invoice since: its balance or a counter says so."""
    return header.mth_inv_bal1 != header.orig_inv_value or header.next_paym_entry > 1 or header.total_adjustments != 0


def bare(supplier: str, invoice: str) -> tuple[str, str]:
    """A document's key without the blanks that pad it."""
    return supplier.rstrip(), invoice.rstrip()


@dataclass(frozen=True, slots=True)
class Span:
    """Journal entries from one place to another, both included, within one month."""

    first: Entry
    last: Entry

    def terms(self) -> Terms:
        """The span as one conjunction; of several journals all entries are taken."""
        year, month, journal, entry = self.first
        whole: Terms = (Condition("TrnYear", "eq", year), Condition("TrnMonth", "eq", month))
        if journal == self.last[2]:
            low, high = Condition("EntryNumber", "ge", entry), Condition("EntryNumber", "le", self.last[3])
            return (*whole, Condition("Journal", "eq", journal), low, high)
        return (*whole, Condition("Journal", "ge", journal), Condition("Journal", "le", self.last[2]))

    def where(self) -> Where:
        """The span alone, exact at both ends."""
        _, _, journal, entry = self.first
        _, _, last_journal, last_entry = self.last
        if journal == last_journal:
            return Where(self.terms())
        return Where(
            self.terms(),
            (
                ((Condition("Journal", "gt", journal),), (Condition("EntryNumber", "ge", entry),)),
                ((Condition("Journal", "lt", last_journal),), (Condition("EntryNumber", "le", last_entry),)),
            ),
        )


def ranges(places: Sequence[Entry]) -> list[Span]:
    """The fewest spans over the places that skip no journal."""
    ordered = sorted(places)
    lasts = {place[:3]: place for place in ordered}
    firsts = {place[:3]: place for place in reversed(ordered)}
    spans: list[Span] = []
    for journal, last in lasts.items():
        before = spans[-1].last if spans else None
        if before is not None and journal[:2] == before[:2] and journal[2] - before[2] == 1:
            spans[-1] = Span(spans[-1].first, last)
        else:
            spans.append(Span(firsts[journal], last))
    return spans


def _over(reading: Reading, table: type[P], spans: Sequence[Span]) -> list[P]:
    if len(spans) == 1:
        return reading.rows(table, spans[0].where())
    return reading.meeting(table, spans, lambda some: Where(any=(tuple(span.terms() for span in some),)))


def _elsewhere(reading: Reading, headers: Sequence[ApInvoice]) -> Iterator[Sequence[ApJnlDistrib]]:
    """The ledger rows of invoices whose entry is not where the header says."""
    wanted = [_document(header) for header in headers]
    booked = one_of(("TransactionCode",), [(INVOICE,)])
    summaries = {
        bare(row.supplier, row.invoice): row for row in reading.matching(ApJnlSummary, DOCUMENT, wanted, booked)
    }
    places = {key: _entry(row) for key, row in summaries.items()}
    rows = _by_entry(reading.matching(ApJnlDistrib, ENTRY, sorted(set(places.values()))))
    for key in wanted:
        place = places.get(bare(*key))
        yield NO_ROWS if place is None else rows.get(place, NO_ROWS)


def _by_entry(rows: Iterable[ApJnlDistrib]) -> dict[Entry, list[ApJnlDistrib]]:
    """Rows by the entry they belong to; they come in its order."""
    return {place: list(group) for place, group in groupby(rows, _entry)}

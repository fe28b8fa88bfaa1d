"""ApInvoice -> Invoice, with the credit notes, debit notes and adjustments that are booked on invoices.

A poll has three phases: invoices whose journal is recent; invoices that a recent adjustment, credit, debit or
payment names, which leaves no stamp on the invoice itself; and those entries as documents of their own. Nothing in
SYSPRO tells of an edit to an older invoice: `sweep` reads every open one. InvoiceDate decides nothing (R13).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.syspro import postings
from ml_connector.systems.syspro.books import books
from ml_connector.systems.syspro.company import Period, current_period
from ml_connector.systems.syspro.dates import readable_date
from ml_connector.systems.syspro.documents import Documents
from ml_connector.systems.syspro.keys import invoice_key, parts
from ml_connector.systems.syspro.postings import DOCUMENT, ENTRY, bare
from ml_connector.systems.syspro.progress import FURTHER, REVISIT, SCAN, Progress, progress
from ml_connector.systems.syspro.reading import Reading, Tables, key_of
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApJnlSummary, InvoiceKey
from ml_connector.systems.syspro.terms import DueDates
from ml_connector.systems.syspro.where import ALL_ROWS, Where, after, one_of, that

INVOICES = "invoice"
CREDIT_NOTES = "credit_note"

RECENT_PERIODS = 2
"""SYSPRO posts into the current period and at most the two before it."""

REVISITED = 500
"""Invoices of one page of the second phase."""

_place = key_of(ApInvoice, ApInvoice.KEY)
_entry = key_of(ApJnlSummary, ApJnlSummary.KEY)


@dataclass(frozen=True, slots=True)
class Policy:
    """What of SYSPRO's payables a Flow wants."""

    only: str | None = None
    """invoice, credit_note, or both."""
    from_date: date | None = None
    """Earliest journal date."""
    open_only: bool = True
    """The first load leaves out what has no balance."""

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> Policy:
        start = policy.get("from_date")
        return cls(
            only=policy.get("only"),
            from_date=date.fromisoformat(start) if isinstance(start, str) else start,
            open_only=bool(policy.get("open_only", True)),
        )


class Invoices:
    """Source of Invoice."""

    def __init__(self, tables: Tables, options: Options, policy: Policy, now: Callable[[], datetime]) -> None:
        self._reading = tables.reading()
        self._options = options
        self._policy = policy
        self._now = now

    def changes(self, since: Cursor | None) -> Iterator[Page[Invoice]]:
        """Everything the policy wants for None; else what recent journals say may have changed."""
        scan = self._scan()
        done = progress(since)
        period = current_period(scan.reading, self._options)
        if self._policy.only == CREDIT_NOTES and done.phase == SCAN:
            done = done.at(FURTHER)
        if done.phase == SCAN:
            progressed = done
            for page, reached in scan.by_journal(done, self._today()):
                yield page
                progressed = reached
            done = progressed.at(REVISIT)
        if done.phase == REVISIT:
            if since is not None and done.since is not None:
                yield from scan.revisited(done, self._recent(done, period))
            done = done.at(FURTHER)
        first = done.period is None
        recent = ALL_ROWS if first else self._recent(done, period)
        for items, last in scan.further(recent, done.after, open_only=first and self._policy.open_only):
            yield scan.page(items, done.at(FURTHER, last).cursor())
        yield scan.page([], done.ended(period).cursor())

    def sweep(self) -> Iterator[Page[Invoice]]:
        """Every open invoice and what was booked on it, as it is now (R17)."""
        scan = self._scan()
        if self._policy.only != CREDIT_NOTES:
            for headers in scan.reading.pages(ApInvoice, self._wanted().plus(that("MthInvBal1", "ne", 0))):
                yield scan.page(scan.invoices(scan.wanted(headers)), None)
        for items, _ in scan.further(ALL_ROWS, (), open_only=True):
            yield scan.page(items, None)

    def keys(self) -> Iterator[str]:
        """Every document of the policy that there is, open or not."""
        scan = self._scan()
        if self._policy.only != CREDIT_NOTES:
            for rows in scan.reading.pages(InvoiceKey, self._wanted()):
                for row in rows:
                    if scan.in_time(row.journal_date):
                        yield invoice_key(row.supplier, row.invoice)
        for items, _ in scan.further(ALL_ROWS, (), open_only=False):
            yield from (item.key for item in items)

    def get(self, key: str) -> Item[Invoice] | None:
        scan = self._scan()
        named = parts(key)
        if len(named) == len(ENTRY):
            found = scan.reading.matching(ApJnlSummary, ENTRY, [tuple(map(int, named))])
            return next(iter(scan.documents_of(found, open_only=False)), None)
        return next(iter(scan.invoices(scan.headers([(named[0], named[1])]))), None)

    def booked_on(self, supplier: str, invoice: str) -> list[tuple[Item[Invoice], ApJnlSummary, str]]:
        """Every credit, debit and adjustment of an invoice, those that take it back as a whole included, each with
        its journal entry and the texts of that entry's ledger rows."""
        entries = self._reading.matching(
            ApJnlSummary, DOCUMENT, [(supplier, invoice)], one_of(("TransactionCode",), zip(postings.FURTHER))
        )
        headers = self._reading.matching(ApInvoice, DOCUMENT, [(supplier, invoice)])
        if not entries or not headers:
            return []
        moved = postings.moved(self._reading, headers)[bare(headers[0].supplier, headers[0].invoice)]
        ledgers = postings.of_entries(self._reading, entries)
        return [
            (
                self._documents.entry(entry, headers[0], ledger, moved),
                entry,
                " ".join(row.reference or "" for row in ledger),
            )
            for entry, ledger in zip(entries, ledgers, strict=True)
        ]

    @cached_property
    def _documents(self) -> Documents:
        due_dates = DueDates(self._reading, self._options.default_due_days)
        return Documents(books(self._reading, self._options), self._options, due_dates)

    def _scan(self) -> Scan:
        return Scan(self._reading, self._documents, self._policy, self._options)

    def _today(self) -> date:
        return self._now().astimezone(self._options.zone).date()

    def _wanted(self) -> Where:
        return since_day(self._policy.from_date)

    def _recent(self, done: Progress, period: Period) -> Where:
        """Entries of the periods that can have changed since the last scan ended."""
        start = min(period, done.period or period).back(RECENT_PERIODS)
        return after(("TrnYear", "TrnMonth"), start, inclusive=True)


def since_day(day: date | None) -> Where:
    """Journals of that day and later; a day more, because OData shifts a date by the server's offset."""
    return ALL_ROWS if day is None else that("JournalDate", "ge", day - timedelta(days=1))


class Scan:
    """One pass over the tables."""

    def __init__(self, reading: Reading, documents: Documents, policy: Policy, options: Options) -> None:
        self.reading = reading
        self._documents = documents
        self._policy = policy
        self._options = options
        self._found: set[tuple[str, str]] = set()

    def page(self, items: Sequence[Item[Invoice]], cursor: Cursor | None) -> Page[Invoice]:
        return Page(items, cursor, self.reading.digest())

    def in_time(self, journal_date: str | None) -> bool:
        """Whether a journal date is the policy's; one that cannot be read is, so that it is seen."""
        start = self._policy.from_date
        if start is None:
            return True
        day = readable_date(journal_date)
        return day is None or day >= start

    def by_journal(self, done: Progress, today: date) -> Iterator[tuple[Page[Invoice], Progress]]:
        """Invoices since the last journal date seen, less the overlap (R14), in the order of journals."""
        if done.since is None:
            where = since_day(self._policy.from_date)
            if self._policy.open_only:
                where = where.plus(that("MthInvBal1", "ne", 0))
        else:
            where = since_day(done.since - timedelta(days=self._options.overlap_days))
        remember = done.since is not None
        for headers in self.reading.pages(ApInvoice, where, after_key=done.after):
            if not headers:
                continue
            done = done.at(SCAN, _place(headers[-1]), latest((h.journal_date for h in headers), today, done.seen))
            if remember:
                self._found.update(bare(h.supplier, h.invoice) for h in headers)
            yield self.page(self.invoices(self.wanted(headers)), done.cursor()), done

    def revisited(self, done: Progress, recent: Where) -> Iterator[Page[Invoice]]:
        """Invoices named by recent entries and payments, less those that this pass has already read."""
        assert done.since is not None
        start = done.since - timedelta(days=self._options.overlap_days)
        named: dict[tuple[str, str], None] = {}
        for entries in self.reading.pages(ApJnlSummary, recent.plus(_further_codes())):
            named.update(dict.fromkeys(bare(row.supplier, row.invoice) for row in entries))
        for payments in self.reading.pages(ApInvoicePay, since_day(start)):
            named.update(dict.fromkeys(bare(row.supplier, row.invoice) for row in payments))
        wanted = [key for key in named if key not in self._found]
        for begin in range(0, len(wanted), REVISITED):
            headers = self.wanted(self.headers(wanted[begin : begin + REVISITED]))
            yield self.page(self.invoices(headers), done.at(REVISIT).cursor())

    def headers(self, keys: Sequence[tuple[str, str]]) -> list[ApInvoice]:
        return self.reading.matching(ApInvoice, DOCUMENT, keys)

    def wanted(self, headers: list[ApInvoice]) -> list[ApInvoice]:
        """Those of the policy's days."""
        if self._policy.from_date is None:
            return headers
        return [header for header in headers if self.in_time(header.journal_date)]

    def invoices(self, headers: Sequence[ApInvoice]) -> list[Item[Invoice]]:
        """The invoices of headers."""
        if not headers:
            return []
        changed = [header for header in headers if postings.touched(header)]
        moved = postings.moved(self.reading, changed) if changed else {}
        ledgers = postings.coding(self.reading, headers)
        make = self._documents.invoice
        if not moved:
            return list(map(make, headers, ledgers))
        return [
            make(header, ledger, moved.get(bare(header.supplier, header.invoice)))
            for header, ledger in zip(headers, ledgers, strict=True)
        ]

    def further(
        self, recent: Where, after_key: Sequence[str | int], *, open_only: bool
    ) -> Iterator[tuple[list[Item[Invoice]], Sequence[Any]]]:
        """What was booked on invoices, page by page with the key of the page's last entry."""
        for entries in self.reading.pages(ApJnlSummary, recent.plus(_further_codes()), after_key=after_key):
            if entries:
                items = self.documents_of(entries, open_only=open_only)
                start = self._policy.from_date
                yield [item for item in items if start is None or item.record.date >= start], _entry(entries[-1])

    def documents_of(self, entries: Iterable[ApJnlSummary], *, open_only: bool) -> list[Item[Invoice]]:
        """The entries that are documents of their own and of the direction that the policy wants."""
        entries = [entry for entry in entries if self._asked_for(entry)]
        headers = self._headers(entries)
        if open_only:
            headers = {key: header for key, header in headers.items() if header.mth_inv_bal1 != 0}
        entries = [entry for entry in entries if bare(entry.supplier, entry.invoice) in headers]
        if not entries:
            return []
        moved = postings.moved(self.reading, list(headers.values()))
        items = []
        for entry, ledger in zip(entries, postings.of_entries(self.reading, entries), strict=True):
            key = bare(entry.supplier, entry.invoice)
            item = self._documents.further(entry, headers[key], ledger, moved[key])
            if item is not None:
                items.append(item)
        return items

    def _asked_for(self, entry: ApJnlSummary) -> bool:
        lowers = self._documents.lowers(entry)
        return self._policy.only is None or lowers == (self._policy.only == CREDIT_NOTES)

    def _headers(self, entries: Sequence[ApJnlSummary]) -> dict[tuple[str, str], ApInvoice]:
        wanted = list(dict.fromkeys((entry.supplier, entry.invoice) for entry in entries))
        rows = self.reading.matching(ApInvoice, DOCUMENT, wanted)
        return {bare(row.supplier, row.invoice): row for row in rows}


def _further_codes() -> Where:
    return one_of(("TransactionCode",), [(code,) for code in postings.FURTHER])


def latest(texts: Iterable[str | None], today: date, seen: date | None) -> date | None:
    """The latest date that was seen and has come; one in the future would hide what is booked until then."""
    days = {readable_date(text) for text in set(texts)} | {seen}
    return max((day for day in days if day is not None and day <= today), default=None)

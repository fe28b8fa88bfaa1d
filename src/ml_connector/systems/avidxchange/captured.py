"""Invoices that were captured, coded and approved in AvidXchange: read by closed batches, and acknowledged by batch.

A batch that is closed again has another closing date and is read again. What came from the ERP, which bears our mark,
is never read back. An acknowledgement may be repeated: it says the same once more, which is assumed to be harmless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ml_connector.domain.records import Invoice
from ml_connector.systems.avidxchange.documents import mark_of
from ml_connector.systems.avidxchange.invoices import from_invoice, invoice_row
from ml_connector.systems.avidxchange.lists import AGAIN, Rows, after, done, later, narrowed, pages
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import Row, render
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.base import Cursor, Item, Page, Refused

BATCHES = "the list of closed batches"


@dataclass(frozen=True)
class Batches:
    """The closed batches of one accounting system."""

    avid: Avid

    def closed(self, since: date | None) -> Iterator[tuple[Row, date | None]]:
        """Batches by their closing date, with the day before which all have been given."""
        operation = self.avid.contract.operations.batches
        place = {"system": accounting_system(self.avid)[0]}
        for page, reached in narrowed(self.avid, operation, since, about=BATCHES, place=place):
            for row in page.rows:
                yield Row(self.avid.contract.records.batch, row, "a batch of invoices"), reached

    def invoices(self, batch: Row) -> Iterator[Rows]:
        """A batch's invoices by pages: behind its link, or by its id where it has none."""
        about = f"the invoices of batch {batch.text('id')}"
        link = batch.words("invoices") or ""
        operation = self.avid.contract.operations.batch
        yield from pages(self.avid, operation, about=about, place={"id": batch.text("id")}, link=link)

    def acknowledge(self, batch: str, started: datetime, ended: datetime) -> None:
        """Tells AvidXchange that all of a batch's invoices are posted. Raises OutcomeUnknown when the answer is lost;
        it is then told again."""
        about = f"the acknowledgement of batch {batch}"
        body = render(
            self.avid.contract.records.acknowledgement, {"batch": batch, "started": started, "ended": ended}, about
        )
        self.avid.put(self.avid.contract.operations.acknowledge, body, about=about)


@dataclass(frozen=True)
class CapturedInvoices:
    """Source of Invoice. Each states its batch in `observed`."""

    avid: Avid

    def changes(self, since: Cursor | None) -> Iterator[Page[Invoice]]:
        for items, digest, reached in self._read(after(since)):
            yield Page(items, later(since, reached), digest)
        yield done(self.avid)

    def keys(self) -> Iterator[str]:
        seen: set[str] = set()
        for items, _, _ in self._read(None):
            for item in items:
                if item.key not in seen:
                    seen.add(item.key)
                    yield item.key

    def sweep(self) -> Iterator[Page[Invoice]]:
        """The batches of the last weeks, once more."""
        for items, digest, _ in self._read((self.avid.access.now() - AGAIN).date()):
            yield Page(items, None, digest)

    def get(self, key: str) -> Item[Invoice] | None:
        row = self.avid.one(self.avid.contract.operations.invoice, key, about=f"invoice {key}")
        return None if row is None else self._item(row, "")

    def _read(self, since: date | None) -> Iterator[tuple[list[Item[Invoice]], str, date | None]]:
        batches = Batches(self.avid)
        for batch, reached in batches.closed(since):
            for page in batches.invoices(batch):
                items = [item for row in page.rows if (item := self._item(row, batch.text("id"))) is not None]
                yield items, page.digest, reached

    def _item(self, body: Json, batch: str) -> Item[Invoice] | None:
        row = invoice_row(self.avid, body)
        if mark_of(row) is not None:
            return None
        found = from_invoice(self.avid, body)
        observed = {"batch": batch} if batch else {}
        return Item(
            row.text("id"),
            found.record,
            found.updated,
            row.instant("modified"),
            observed=observed,
            invalid=self._invalid(found.record),
        )

    def _invalid(self, invoice: Invoice) -> str | None:
        if not invoice.adds_up():
            return (
                f"totals_differ: AvidXchange states {invoice.gross} {invoice.currency}; the lines differ from it by "
                f"{invoice.difference()}."
            )
        bare = [line.line_key for line in invoice.lines if not line.account]
        if bare:
            group = self.avid.settings.account_group
            return f"unmapped_code: line {bare[0]} has no code of the group {group!r}. Code it in AvidXchange."
        return None


def accounting_system(avid: Avid) -> tuple[str, str]:
    """Id and name of the accounting system that the Connection is for. Raises Refused where it is not there, or where
    none is named and there are several."""
    about, wanted = "the list of accounting systems", avid.settings.accounting_system_name
    fields = avid.contract.records.system
    rows = [
        Row(fields, row, "an accounting system")
        for page in pages(avid, avid.contract.operations.systems, about=about)
        for row in page.rows
    ]
    known = [(row.text("id"), row.text("name")) for row in rows]
    found = [(key, name) for key, name in known if not wanted or name.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(name for _, name in known) or "none"
    raise Refused(
        "accounting_system",
        f"AvidXchange has these accounting systems: {names}. Write the right one into accounting_system_name.",
        "accounting_system_name",
    )

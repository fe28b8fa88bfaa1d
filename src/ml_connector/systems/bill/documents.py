"""What bills and vendor credits have in common: search, create, amend, archive, list.

A document has no currency of its own: it is its vendor's `billCurrency`, which is looked up and kept for the life of
the Connection's client. No reference but the description can hold our mark, and no list filters by description; so a
search reads the vendor's documents and looks for the mark and the number in them.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ml_connector.domain.numbers import normalised
from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Conflict, Cursor, DocumentState, Found, NotFound, OutcomeUnknown, Ref, Refused
from ml_connector.systems.bill import lines
from ml_connector.systems.bill.currencies import Currencies
from ml_connector.systems.bill.errors import no_longer
from ml_connector.systems.bill.lists import Rows, created_pages, number, text, updated_pages
from ml_connector.systems.bill.session import Bill, Json, identified
from ml_connector.systems.bill.settings import AXES
from ml_connector.systems.bill.wording import header_agrees, header_note, read_note
from ml_connector.systems.transport.http import Answer


class Documents(ABC):
    """Target of Invoice over one of BILL's lists; also listed."""

    path: str
    noun: str
    lines_field: str

    def __init__(self, bill: Bill, currencies: Currencies, policy: Mapping[str, Any]) -> None:
        """`policy["source_label"]`: what stands before the voucher in the note, for example `SYSPRO RIL`."""
        self.bill = bill
        self.currencies = currencies
        self.source_label = str(policy.get("source_label") or "")
        self.axis_field = AXES[bill.settings.cost_center_axis]

    # --- how one kind of document looks ---

    @abstractmethod
    def to_wire(self, invoice: Invoice, mark: str) -> Json:
        """The body of a create. Raises Refused, naming document and field, for what BILL would not take."""

    @abstractmethod
    def from_wire(self, row: Json, currency: str) -> Found[Invoice]:
        """The document in our terms. Raises ShapeChanged for a field that must be there."""

    @abstractmethod
    def status(self, row: Json) -> str:
        """BILL's own word for how far the document has gone."""

    @abstractmethod
    def header_changes(self, invoice: Invoice, mark: str, row: Json, found: Invoice) -> Json:
        """The top-level fields, lines apart, that differ from what BILL holds."""

    @abstractmethod
    def replacement(self, invoice: Invoice, mark: str, row: Json) -> Json:
        """The body of a PUT without its lines, with what is BILL's own kept."""

    @abstractmethod
    def own_differences(self, sent: Invoice, found: Invoice) -> list[str]:
        """Fields of this kind of document that differ, besides identity, note and lines."""

    # --- Target ---

    def find(self, record: Invoice, mark: str) -> list[Found[Invoice]]:
        """The vendor's documents with our mark, else those with the same normalised number, typed by hand too (R40)."""
        about = f"the search for {self.about(record)}"
        filters = [f"vendorId:eq:{record.supplier}"]
        rows = self._rows(created_pages(self.bill, self.path, filters=filters, about=about))
        return self.matching(record, mark, rows)

    def matching(self, record: Invoice, mark: str, rows: Iterable[Json]) -> list[Found[Invoice]]:
        """The rows that bear the mark; where none does, those that bear the number."""
        theirs = [row for row in rows if row.get("vendorId") == record.supplier]
        marked = [row for row in theirs if self.read_note(row)[1] == mark]
        hits = marked or [row for row in theirs if same_number(self.number_of(row), record.number)]
        return [self.found(self.complete(row)) for row in hits]

    @abstractmethod
    def number_of(self, row: Json) -> str:
        """The document's number as a row states it, or an empty text."""

    def get(self, key: str) -> Found[Invoice] | None:
        row = self.bill.one(self.path, key, about=f"{self.noun} {key}")
        return None if row is None else self.found(row)

    def create(self, record: Invoice, mark: str) -> Ref:
        """Sends one create after checking what BILL would refuse, the vendor's currency included."""
        about = self.about(record)
        self.check_currency(record)
        body = self.to_wire(record, mark)
        try:
            answer = self.bill.write("POST", self.path, body, about=about)
        except NotFound as stale:
            refusal = str(stale)
        else:
            return self.ref(record, identified(answer), answer)
        raise Refused(
            "reference_missing",
            f"{about.capitalize()} names a vendor, account or department that BILL no longer has or has archived. "
            f"Check its mappings. {refusal}",
        )

    def update(self, ref: Ref, record: Invoice, mark: str) -> Ref:
        """Reads the document, then sends what differs: PATCH, or PUT where lines come or go. Nothing if equal."""
        about = self.about(record)
        row = self._current(ref, about)
        found = self.found(row)
        changed = self.differences(record, found.record)
        if not changed:
            return Ref(ref.key, self._known_lines(ref, record, row), number(row, "amount"))
        self._check_open(about, found, row, record, changed)
        self.check_currency(record)
        rows = row.get(self.lines_field) or []
        ids = lines.corresponding(record, ref.lines, rows, self.axis_field)
        self.to_wire(record, mark)
        if all(ids) and set(ids) == {text(line, "id") for line in rows}:
            body = self.header_changes(record, mark, row, found.record)
            line_changes = lines.line_changes(record, ids, rows, self.axis_field)
            if line_changes:
                body[self.lines_field] = line_changes
            method = "PATCH"
        else:
            body = self.replacement(record, mark, row)
            body[self.lines_field] = lines.all_lines(record, ids, rows, self.axis_field)
            method = "PUT"
        answer = self.bill.write(method, f"{self.path}/{ref.key}", body, about=about)
        return self.ref(record, identified(answer, ref.key), answer)

    def cancel(self, ref: Ref, reason: str) -> None:
        """Archives a document that has not moved money; raises NoLonger for any other. Done twice is done once."""
        about = f"{self.noun} {ref.key}"
        row = self._current(ref, about)
        found = self.found(row)
        about = f"{self.noun} {found.record.number or ref.key}"
        if found.state is DocumentState.ARCHIVED:
            return
        if not self.may_archive(row):
            raise no_longer(about, self.status(row), [])
        answer = self.bill.write("POST", f"{self.path}/{ref.key}/archive", about=f"the archiving of {about}")
        if identified(answer, ref.key).get("archived") is not True:
            raise OutcomeUnknown(f"BILL answered the archiving of {about} without saying that it happened.")

    @abstractmethod
    def may_archive(self, row: Json) -> bool:
        """Whether BILL's own word says that nothing was paid, planned or applied."""

    def identity_differences(self, sent: Invoice, found: Invoice) -> list[str]:
        """Supplier, kind, normalised number, currency, gross, date (R5). An unknown currency differs."""
        pairs = {
            "supplier": sent.supplier == found.supplier,
            "number": same_number(sent.number, found.number),
            "currency": sent.currency == found.currency,
            "gross": sent.gross == found.gross,
            "date": sent.date == found.date,
        }
        return [name for name, same in pairs.items() if not same]

    def differences(self, sent: Invoice, found: Invoice) -> list[str]:
        identity = self.identity_differences(sent, found)
        note = [] if header_agrees(sent, found, self.source_label) else ["memo"]
        spelling = ["number"] if sent.number != found.number and "number" not in identity else []
        own = self.own_differences(sent, found)
        return [*identity, *spelling, *own, *note, *lines.line_differences(sent.lines, found.lines)]

    # --- Listed ---

    def listing(self, since: Cursor | None) -> Iterator[Sequence[Found[Invoice]]]:
        if since is None:
            self.currencies.read_all()
        for page in updated_pages(self.bill, self.path, since, about=f"the list of {self.noun}s"):
            yield [self.found(row) for row in page.rows]

    def listing_cursor(self, seen: Found[Invoice]) -> Cursor:
        return {"updated": seen.updated or ""}

    # --- shared steps ---

    def about(self, record: Invoice) -> str:
        return f"{self.noun} {record.number}"

    def note(self, invoice: Invoice, mark: str) -> str:
        return header_note(invoice, self.source_label, mark)

    def read_note(self, row: Json) -> tuple[str | None, str | None]:
        description = row.get("description")
        return read_note(description if isinstance(description, str) else None, self.source_label)

    def wire_lines(self, invoice: Invoice) -> list[Json]:
        """Raises Refused for a document without lines, or with an amount that BILL cannot hold."""
        about = self.about(invoice)
        if not invoice.lines:
            raise Refused("field_missing", f"{about.capitalize()} has no lines; BILL needs at least one.", "lines")
        return [
            lines.to_line(line, position, invoice.currency, self.axis_field, about)
            for position, line in enumerate(invoice.lines, start=1)
        ]

    def found(self, row: Json) -> Found[Invoice]:
        return self.from_wire(row, self.currencies.of(text(row, "vendorId")))

    def complete(self, row: Json) -> Json:
        """The document behind a row of the list that lacks its lines."""
        if isinstance(row.get(self.lines_field), list):
            return row
        return self.bill.one(self.path, text(row, "id"), about=f"{self.noun} {row['id']}") or row

    def check_currency(self, record: Invoice) -> None:
        theirs = self.currencies.of(record.supplier)
        if theirs != record.currency:
            raise Refused(
                "currency_not_allowed",
                f"{self.about(record).capitalize()} is in {record.currency}, its vendor in BILL takes {theirs}. Link "
                "the supplier to a vendor of that currency.",
                "currency",
            )

    def ref(self, record: Invoice, row: Json, answer: Answer) -> Ref:
        """What BILL made of it. A reply about another document says nothing (R12)."""
        vendor = row.get("vendorId")
        theirs = self.number_of(row)
        if (vendor and vendor != record.supplier) or (theirs and not same_number(theirs, record.number)):
            raise answer.unclear("it holds another document than the one sent")
        ids = lines.reply_ids(record, row.get(self.lines_field), self.axis_field)
        return Ref(text(row, "id"), ids, number(row, "amount"))

    def _rows(self, found: Iterable[Rows]) -> Iterator[Json]:
        for page in found:
            yield from page.rows

    def _current(self, ref: Ref, about: str) -> Json:
        row = self.bill.one(self.path, ref.key, about=about)
        if row is None:
            raise NotFound(f"BILL has no {self.noun} {ref.key} any more.")
        return row

    def _check_open(self, about: str, found: Found[Invoice], row: Json, sent: Invoice, changed: list[str]) -> None:
        if found.record.supplier != sent.supplier:
            raise Conflict(f"BILL has {about} under another vendor ({found.record.supplier}) than {sent.supplier}.")
        if found.state is DocumentState.OPEN:
            return
        status = "archived" if found.state is DocumentState.ARCHIVED else self.status(row)
        raise no_longer(about, status, [_both(name, sent, found.record) for name in changed])

    def _known_lines(self, ref: Ref, record: Invoice, row: Json) -> tuple[str, ...]:
        if len(ref.lines) == len(record.lines):
            return ref.lines
        return lines.reply_ids(record, row.get(self.lines_field), self.axis_field)


def same_number(left: str, right: str) -> bool:
    """Normalised numbers agree (R38), and so do the letters that normalising drops: those outside A to Z."""
    return (normalised(left), _other_letters(left)) == (normalised(right), _other_letters(right))


def _other_letters(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [letter for letter in folded if letter.isalnum() and not letter.isascii()]


def _both(name: str, sent: Invoice, found: Invoice) -> str:
    """A field with both values, for people; lines by name only."""
    if not hasattr(sent, name) or name == "lines":
        return name
    return f"{name} is {getattr(found, name)} in BILL, {getattr(sent, name)} in the source"

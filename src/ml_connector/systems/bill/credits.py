"""Invoice of kind credit note <-> BILL vendor credit.

A credit stays NOT_APPLIED until somebody in BILL applies it: the API applies credits only while a bill is made. Its
amounts are positive, and its number is `referenceNumber`. It has no due date.
"""

from __future__ import annotations

from decimal import Decimal

from ml_connector.domain.records import Invoice, InvoiceKind
from ml_connector.systems.base import DocumentState, Found, Refused
from ml_connector.systems.bill.documents import Documents
from ml_connector.systems.bill.lines import from_line
from ml_connector.systems.bill.lists import amount, day, number, stamp, text, words
from ml_connector.systems.bill.session import Json

UNAPPLIED = "NOT_APPLIED"

STATES = {
    UNAPPLIED: DocumentState.OPEN,
    "UNDEFINED": DocumentState.OPEN,
    "IN_PROCESS": DocumentState.SCHEDULED,
    "PARTIALLY_APPLIED": DocumentState.PART_PAID,
    "FULLY_APPLIED": DocumentState.PAID,
}
"""By `status`; an unknown word counts as scheduled, which is left alone."""

KEPT = ("applyToChartOfAccountId", "applyToBankAccountId")


class VendorCredits(Documents):
    """Target of Invoice as vendor credit."""

    path = "/v3/vendor-credits"
    noun = "vendor credit"
    lines_field = "vendorCreditLineItems"

    def to_wire(self, invoice: Invoice, mark: str) -> Json:
        return {**self._header(invoice, mark), "vendorCreditLineItems": self.wire_lines(invoice)}

    def from_wire(self, row: Json, currency: str) -> Found[Invoice]:
        found_lines = tuple(
            from_line(line, currency, self.axis_field) for line in row.get(self.lines_field) or [] if line
        )
        gross = number(row, "amount")
        if gross is None:
            gross = sum((line.amount for line in found_lines), Decimal(0))
        memo, mark = self.read_note(row)
        date = day(row, "creditDate")
        record = Invoice(
            kind=InvoiceKind.CREDIT_NOTE,
            number=self.number_of(row),
            supplier=text(row, "vendorId"),
            date=date,
            due_date=date,
            currency=currency,
            gross=amount(gross, currency),
            net=amount(gross, currency),
            memo=memo,
            lines=found_lines,
        )
        return Found(
            text(row, "id"),
            record,
            mark,
            _state(row),
            _open(row, gross, currency),
            stamp(row),
            tuple(line.line_key for line in found_lines),
        )

    def number_of(self, row: Json) -> str:
        return words(row, "referenceNumber") or ""

    def status(self, row: Json) -> str:
        return words(row, "status") or "UNDEFINED"

    def may_archive(self, row: Json) -> bool:
        return self.status(row) == UNAPPLIED

    def own_differences(self, sent: Invoice, found: Invoice) -> list[str]:
        return []

    def header_changes(self, invoice: Invoice, mark: str, row: Json, found: Invoice) -> Json:
        wanted = self._header(invoice, mark)
        differing = set(self.differences(invoice, found))
        fields = {"referenceNumber": "number", "creditDate": "date", "description": "memo"}
        return {name: wanted[name] for name, ours in fields.items() if ours in differing}

    def replacement(self, invoice: Invoice, mark: str, row: Json) -> Json:
        return {**{name: row[name] for name in KEPT if name in row}, **self._header(invoice, mark)}

    def _header(self, invoice: Invoice, mark: str) -> Json:
        if not invoice.number.strip():
            raise Refused("field_missing", "A credit note without a number cannot become a vendor credit.", "number")
        return {
            "vendorId": invoice.supplier,
            "referenceNumber": invoice.number,
            "creditDate": invoice.date.isoformat(),
            "description": self.note(invoice, mark),
        }


def _state(row: Json) -> DocumentState:
    if row.get("archived") is True:
        return DocumentState.ARCHIVED
    return STATES.get(words(row, "status") or "UNDEFINED", DocumentState.SCHEDULED)


def _open(row: Json, gross: Decimal, currency: str) -> Decimal | None:
    """What is left to apply; BILL's word that nothing was applied says it too."""
    applied = number(row, "appliedAmount")
    if applied is None:
        return amount(gross, currency) if words(row, "status") == UNAPPLIED else None
    return amount(gross - applied, currency)

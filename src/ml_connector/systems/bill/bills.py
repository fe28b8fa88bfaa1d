"""Invoice <-> BILL bill.

`invoice.invoiceNumber` takes 21 characters, `dueDate` stands at the top level, `description` takes 4,000. Whether a
second bill with the same number is refused without being asked is not documented: BILL is asked to refuse it. The
number is not among the documented filters and some organisations accept it. A bill is amended while nothing is
paid or planned; with `billApprovals` on each amendment its approvers are asked again. There are no purchase orders
(the number travels as text), no tax fields and no ledger date.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import DocumentState, Found, Ref, Refused
from ml_connector.systems.bill.documents import Documents, same_number
from ml_connector.systems.bill.lines import from_line
from ml_connector.systems.bill.lists import amount, created_pages, day, number, safe, stamp, text, words
from ml_connector.systems.bill.session import Json

BATCH_SIZE = 100
SEVERAL_ORDERS = "several"

STATES = {
    "UNPAID": DocumentState.OPEN,
    "UNDEFINED": DocumentState.OPEN,
    "SCHEDULED": DocumentState.SCHEDULED,
    "IN_PROCESS": DocumentState.SCHEDULED,
    "PARTIAL": DocumentState.PART_PAID,
    "PARTIALLY_PAID": DocumentState.PART_PAID,
    "PAID": DocumentState.PAID,
}
"""By `paymentStatus`; an unknown word counts as scheduled, which is left alone."""

KEPT = ("payFromChartOfAccountId", "classifications", "paymentTermId")
"""Fields of BILL's users that a PUT would otherwise drop."""


class Bills(Documents):
    """Target of Invoice as bill; also created in batches."""

    path = "/v3/bills"
    noun = "bill"
    lines_field = "billLineItems"
    batch_size = BATCH_SIZE

    _filters_by_number = True
    """Until BILL refuses the filter or answers with other bills."""

    def to_wire(self, invoice: Invoice, mark: str) -> Json:
        body = self._header(invoice, mark)
        body["billLineItems"] = self.wire_lines(invoice)
        if self.bill.settings.send_duplicate_guard:
            body["allowDuplicateInvoiceNumber"] = False
        return body

    def from_wire(self, row: Json, currency: str) -> Found[Invoice]:
        found_lines = tuple(
            from_line(line, currency, self.axis_field) for line in row.get(self.lines_field) or [] if line
        )
        gross = number(row, "amount")
        if gross is None:
            gross = sum((line.amount for line in found_lines), Decimal(0))
        memo, mark = self.read_note(row)
        order = words(row, "purchaseOrderNumber")
        record = Invoice(
            number=self.number_of(row),
            supplier=text(row, "vendorId"),
            date=day(row, "invoice.invoiceDate"),
            due_date=day(row, "dueDate"),
            currency=currency,
            gross=amount(gross, currency),
            net=amount(gross, currency),
            orders=(order,) if order and order != SEVERAL_ORDERS else (),
            memo=memo,
            lines=found_lines,
        )
        return Found(
            text(row, "id"),
            record,
            mark,
            _state(row),
            _open(row, currency),
            stamp(row),
            tuple(line.line_key for line in found_lines),
        )

    def find(self, record: Invoice, mark: str) -> list[Found[Invoice]]:
        """By the exact number first, where BILL filters by it: that settles a lost answer with one request."""
        if self._filters_by_number and self.bill.settings.filter_invoice_number and safe(record.number):
            found = self._by_number(record, mark)
            if any(hit.mark == mark for hit in found):
                return found
        return super().find(record, mark)

    def number_of(self, row: Json) -> str:
        return words(row, "invoice.invoiceNumber") or ""

    def status(self, row: Json) -> str:
        return words(row, "paymentStatus") or "UNDEFINED"

    def may_archive(self, row: Json) -> bool:
        return self.status(row) == "UNPAID"

    def own_differences(self, sent: Invoice, found: Invoice) -> list[str]:
        orders = len(sent.orders) == 1 and sent.orders != found.orders
        return [*(["due_date"] if sent.due_date != found.due_date else []), *(["orders"] if orders else [])]

    def header_changes(self, invoice: Invoice, mark: str, row: Json, found: Invoice) -> Json:
        wanted = self._header(invoice, mark)
        differing = set(self.differences(invoice, found))
        fields = {
            "dueDate": {"due_date"},
            "invoice": {"number", "date"},
            "purchaseOrderNumber": {"orders"},
            "description": {"memo"},
        }
        body = {name: wanted[name] for name, ours in fields.items() if ours & differing and name in wanted}
        if self.bill.settings.attach_approvers:
            body["billApprovals"] = True
        return body

    def replacement(self, invoice: Invoice, mark: str, row: Json) -> Json:
        return {**{name: row[name] for name in KEPT if name in row}, **self._header(invoice, mark)}

    def create_batch(self, records: Sequence[tuple[Invoice, str]]) -> list[Ref]:
        """All or nothing; BILL's reply is a bare array."""
        bodies = []
        for record, mark in records:
            self.check_currency(record)
            bodies.append(self.to_wire(record, mark))
        answer = self.bill.write_batch(f"{self.path}/bulk", bodies, about=f"{len(bodies)} bills at once")
        reply = answer.json()
        rows = reply.get("bills") if isinstance(reply, dict) else reply
        if not isinstance(rows, list) or len(rows) != len(records):
            raise answer.unclear("it does not hold a bill for each one sent")
        refs = []
        for (record, _), row in zip(records, rows, strict=True):
            if not isinstance(row, dict) or not row.get("id") or not same_number(self.number_of(row), record.number):
                raise answer.unclear("its bills are not the ones sent")
            refs.append(self.ref(record, row, answer))
        return refs

    def _by_number(self, record: Invoice, mark: str) -> list[Found[Invoice]]:
        filters = [f"vendorId:eq:{record.supplier}", f"invoice.invoiceNumber:eq:{record.number}"]
        about = f"the search for {self.about(record)}"
        rows: list[Json] = []
        try:
            for page in created_pages(self.bill, self.path, filters=filters, about=about):
                if any(not same_number(self.number_of(row), record.number) for row in page.rows):
                    self._filters_by_number = False
                    return []
                rows += page.rows
        except Refused as refused:
            if refused.code != "filter_refused":
                raise
            self._filters_by_number = False
            return []
        return self.matching(record, mark, rows)

    def _header(self, invoice: Invoice, mark: str) -> Json:
        limit = self.bill.settings.invoice_number_max
        if not invoice.number.strip():
            raise Refused("field_missing", "An invoice without a number cannot become a bill.", "number")
        if len(invoice.number) > limit:
            raise Refused(
                "number_too_long",
                f"Invoice {invoice.number} has a number of {len(invoice.number)} characters, BILL takes {limit}. "
                "Enter it in BILL by hand, or shorten it in the source.",
                "number",
            )
        body: Json = {
            "vendorId": invoice.supplier,
            "dueDate": invoice.due_date.isoformat(),
            "invoice": {"invoiceNumber": invoice.number, "invoiceDate": invoice.date.isoformat()},
            "description": self.note(invoice, mark),
        }
        if invoice.orders:
            body["purchaseOrderNumber"] = invoice.orders[0] if len(invoice.orders) == 1 else SEVERAL_ORDERS
        if self.bill.settings.attach_approvers:
            body["billApprovals"] = True
        return body


def _state(row: Json) -> DocumentState:
    if row.get("archived") is True:
        return DocumentState.ARCHIVED
    return STATES.get(words(row, "paymentStatus") or "UNDEFINED", DocumentState.SCHEDULED)


def _open(row: Json, currency: str) -> Decimal | None:
    """What is left to pay; unknown unless BILL states it or everything that it is made of."""
    due = number(row, "dueAmount")
    if due is None:
        parts = [number(row, name) for name in ("amount", "creditAmount", "scheduledAmount", "paidAmount")]
        known = [value for value in parts if value is not None]
        if len(known) < len(parts):
            return None
        due = known[0] - sum(known[1:], Decimal(0))
    return amount(due, currency)

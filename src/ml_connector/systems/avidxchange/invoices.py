"""Invoice -> invoice that awaits approval, and what became of it.

A credit note is an invoice with a negative gross and negative lines; the number stays (R26). What is in workflow cannot
be changed through the interface. The status texts are the contract map's; an unknown one is `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ml_connector.domain.approvals import ApprovalState, InvoiceApproval
from ml_connector.domain.numbers import MARK_PATTERN, normalised
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus
from ml_connector.systems.avidxchange.codes import coded, line_codes
from ml_connector.systems.avidxchange.documents import document_key, found_by_key, mark_of
from ml_connector.systems.avidxchange.lists import Changing, by_external_id
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import Row, render
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.avidxchange.upserts import Kind, Upserts
from ml_connector.systems.avidxchange.vendors import code_of
from ml_connector.systems.base import DocumentState, Found, Item, Refused

STATES = {
    ApprovalState.APPROVED: DocumentState.SCHEDULED,
    ApprovalState.PAID: DocumentState.PAID,
    ApprovalState.REJECTED: DocumentState.ARCHIVED,
    ApprovalState.VOIDED: DocumentState.ARCHIVED,
}


def to_invoice(avid: Avid, invoice: Invoice, mark: str) -> Json:
    about = f"{invoice.kind.value.replace('_', ' ')} {invoice.number}"
    if not invoice.number.strip():
        raise Refused("field_missing", f"{about.capitalize()} needs a number.", "number")
    if not invoice.adds_up():
        raise Refused("totals_differ", f"The lines of {about} do not add up to its total {invoice.gross}.", "gross")
    sign = -1 if invoice.kind is InvoiceKind.CREDIT_NOTE else 1
    fields = avid.contract.records
    lines = [
        render(
            fields.invoice_line,
            {
                "amount": sign * line.amount,
                "description": line.description,
                "codes": line_codes(avid, line.account, line.cost_center, about),
            },
            about,
        )
        for line in invoice.lines
    ]
    values = {
        "external_id": mark or None,
        "number": invoice.number,
        "vendor": invoice.supplier,
        "date": invoice.date,
        "due_date": invoice.due_date,
        "order": ", ".join(invoice.orders) or None,
        "gross": sign * invoice.gross,
        "currency": invoice.currency,
        "memo": " ".join(part for part in (invoice.memo, invoice.voucher) if part) or None,
        "lines": lines,
    }
    return render(fields.invoice, values, about)


def from_invoice(avid: Avid, body: Json) -> Found[Invoice]:
    row = invoice_row(avid, body)
    currency = row.words("currency") or avid.settings.default_currency
    signed = row.amount_of("gross", currency)
    sign = -1 if signed < 0 else 1
    day = row.day("date")
    if day is None:
        raise row.missing("date")
    order = row.words("order")
    state = approval_state(avid, row)
    record = Invoice(
        kind=InvoiceKind.CREDIT_NOTE if sign < 0 else InvoiceKind.INVOICE,
        number=row.text("number"),
        supplier=code_of(row.text("vendor")),
        date=day,
        due_date=row.day("due_date") or day,
        currency=currency,
        gross=sign * signed,
        net=sign * signed,
        status=InvoiceStatus.VOIDED if state is ApprovalState.VOIDED else InvoiceStatus.APPROVED,
        orders=tuple(order.split(", ")) if order else (),
        memo=row.words("memo"),
        lines=tuple(_lines(avid, row, currency, sign)),
    )
    return Found(
        document_key(row), record, mark_of(row), STATES.get(state, DocumentState.OPEN), updated=row.stamp("modified")
    )


def _lines(avid: Avid, row: Row, currency: str, sign: int) -> Iterator[InvoiceLine]:
    parts = row.parts("lines", avid.contract.records.invoice_line, "a line of an invoice")
    for position, line in enumerate(parts, start=1):
        codes = coded(avid, line)
        yield InvoiceLine(
            line_key=str(position),
            description=line.words("description"),
            amount=sign * line.amount_of("amount", currency),
            account=codes.get(avid.settings.account_group, ""),
            cost_center=codes.get(avid.settings.cost_center_group),
        )


def invoice_row(avid: Avid, body: Json) -> Row:
    return Row(avid.contract.records.invoice, body, "an invoice")


def approval_state(avid: Avid, row: Row) -> ApprovalState:
    said = (row.words("status") or "").casefold()
    for ours, texts in avid.contract.words.invoice.items():
        if said in {text.casefold() for text in texts}:
            return ours
    return ApprovalState.UNKNOWN


class Invoices(Upserts[Invoice]):
    """Target of Invoice: created once, changed by nobody from outside."""

    def __init__(self, avid: Avid) -> None:
        operations = avid.contract.operations
        super().__init__(
            avid,
            Kind(
                noun="invoice",
                listed=operations.invoices,
                written=operations.invoice_put,
                about=lambda invoice: f"{invoice.kind.value.replace('_', ' ')} {invoice.number} of {invoice.supplier}",
                to_wire=lambda invoice, mark: to_invoice(avid, invoice, mark),
                from_wire=lambda body: from_invoice(avid, body),
                ours=lambda hit, _, mark: hit.mark == mark,
                key=lambda _, mark: mark,
                one=lambda key: found_by_key(
                    avid, operations.invoices, operations.invoice, key, lambda body: from_invoice(avid, body)
                ),
                identity=("supplier", "number", "currency", "gross", "date", "kind"),
                owned=("due_date", "orders", "lines"),
                alike=lambda hit, invoice: (
                    normalised(hit.record.number) == invoice.number_normalised
                    and hit.record.supplier == invoice.supplier
                    and hit.record.kind is invoice.kind
                ),
                since=lambda invoice: invoice.date,
                amended=False,
                gone=lambda hit: hit.state is DocumentState.ARCHIVED,
            ),
        )


def approvals(avid: Avid) -> Changing[InvoiceApproval]:
    """Source of InvoiceApproval: how far each invoice is, under the key of its Link."""
    operations = avid.contract.operations

    def convert(body: Json) -> Item[InvoiceApproval]:
        row = invoice_row(avid, body)
        key = document_key(row)
        record = InvoiceApproval(
            invoice=key,
            number=row.text("number"),
            supplier=code_of(row.text("vendor")),
            state=approval_state(avid, row),
            state_text=row.words("status"),
        )
        return Item(key, record, row.stamp("modified"), row.instant("modified"))

    def one(key: str) -> Json | None:
        if not MARK_PATTERN.fullmatch(key):
            return avid.one(operations.invoice, key, about=f"invoice {key}")
        rows = by_external_id(avid, operations.invoices, key, about=f"invoice {key}")
        return next((row for row in rows if document_key(invoice_row(avid, row)) == key), None)

    return Changing(avid, operations.invoices, "invoice", convert, one)

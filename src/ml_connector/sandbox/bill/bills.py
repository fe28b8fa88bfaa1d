"""Bills.

BILL: vendorId, dueDate, invoice (number of at most 21 characters, date) and at least one line are required;
PATCH changes lines by id, PUT replaces them; bulk create of at most 100, all or nothing, answered by a bare
array; no filter by invoice number is documented; a repeated invoice number may be accepted silently.
"""

from collections.abc import Iterator
from decimal import Decimal

from ml_connector.sandbox.bill.approvals import Approvals
from ml_connector.sandbox.bill.errors import APPLICATION, Error, Refused, invalid, overpaid
from ml_connector.sandbox.bill.ids import BILL, BILL_LINE
from ml_connector.sandbox.bill.ledger import Ledger
from ml_connector.sandbox.bill.lines import (
    LONGEST_TEXT,
    new_lines,
    patched_lines,
    read_classifications,
    read_lines,
    references,
    replaced_lines,
    total,
)
from ml_connector.sandbox.bill.listing import AMONG, RANGE, Rules, date, flag, text, time
from ml_connector.sandbox.bill.reading import Reader, body_of, merged, without_null
from ml_connector.sandbox.bill.records import CLASSIFICATIONS, Books, Call, Creatable
from ml_connector.sandbox.bill.tables import Table
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import BadInput, Row

LINES = "billLineItems"
HEADER_CLASSIFICATIONS = {
    name: kind
    for name, kind in CLASSIFICATIONS.items()
    if name in {"chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId"}
}
NOT_STORED = ("allowDuplicateInvoiceNumber", "billApprovals", "vendorCredits")
DERIVED = {"paymentStatus", "paidAmount", "scheduledAmount", "creditAmount", "dueAmount"}

RULES = Rules(
    filters={
        "id": text(*AMONG),
        "archived": flag(),
        "vendorId": text("eq", "in"),
        "dueDate": date(*RANGE),
        "paymentStatus": text(*AMONG),
        "createdTime": time(),
        "updatedTime": time(),
        "payFromChartOfAccountId": text(*AMONG),
        **{f"classifications.{name}": text(*AMONG) for name in HEADER_CLASSIFICATIONS},
    },
    sorts=("archived", "fundingAmount", "exchangeRate", "description", "dueDate", "createdTime", "updatedTime"),
)
LENIENT_RULES = Rules({**RULES.filters, "invoice.invoiceNumber": text("eq")}, RULES.sorts)


class Bills(Creatable):
    events = "bill"
    watched = ("vendorId", "amount", "invoice")

    def __init__(self, books: Books, ledger: Ledger, approvals: Approvals) -> None:
        super().__init__(books, books.bills, RULES, BILL)
        self._ledger = ledger
        self._approvals = approvals

    def rules_now(self) -> Rules:
        lenient = self.books.options.bills_filter_invoice_number == "accept"
        return LENIENT_RULES if lenient else RULES

    def draft(self, body: object, batch: list[Row]) -> Row:
        row = without_null(self._read(body, partial=False))
        row[LINES] = new_lines(row[LINES], self.books.ids, BILL_LINE, LINES)
        row["amount"] = self._total(row)
        self.books.require(self._references(row))
        self._check_duplicate(row, batch)
        self._check_credits(row)
        return row

    def add(self, draft: Row) -> Row:
        row = {name: value for name, value in draft.items() if name not in NOT_STORED}
        row |= {"paymentStatus": "UNPAID", "approvalStatus": "UNASSIGNED", "dueAmount": row["amount"]}
        if draft.get("billApprovals"):
            self._approvals.assign(row)
        stored = super().add(row)
        self._ledger.settle_bill(stored)
        credits = [(credit["id"], credit["amount"]) for credit in draft.get("vendorCredits", ())]
        if credits:
            self._ledger.apply_credits(stored, credits)
        return stored

    def patch(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        taken = self._read(body_of(call.request), partial=True)
        given = taken.pop(LINES, None)
        changed = merged(row, taken)
        if given is not None:
            changed[LINES] = patched_lines(row[LINES], given, LINES)
        self.books.require(self._references(taken, given or ()))
        return self._changed(row, changed, taken)

    def put(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        taken = self._read(body_of(call.request), partial=False)
        given = without_null(taken)
        lines = replaced_lines(row[LINES], given.pop(LINES), self.books.ids, BILL_LINE, LINES)
        kept = {name: value for name, value in row.items() if name not in _WRITABLE}
        self.books.require(self._references(given, lines))
        return self._changed(row, {**kept, **given, LINES: lines}, taken)

    def show(self, row: Row, *, listed: bool = False) -> Row:
        shown = {**row, "vendorName": self.books.vendor_name(row["vendorId"])}
        if self.books.options.bill_get_has_payments and not listed:
            shown["payments"] = [
                {name: payment[name] for name in ("id", "amount", "processDate", "singleStatus")}
                for payment in self._ledger.payments_of(row)
            ]
        return shown

    def reply(self, row: Row) -> Row:
        """Without vendorName, which only GET and lists have."""
        return row

    def defaults(self, row: Row) -> Row:
        return {"approvalStatus": "UNASSIGNED", LINES: [{"amount": row.get("amount", Decimal("0.00"))}], "invoice": {}}

    def place(self, row: Row, known: Row | None, given: Row) -> None:
        for line in row[LINES]:
            line.setdefault("id", self.books.ids.new(BILL_LINE))
        if "vendorId" not in row:
            raise BadInput("bills: vendorId is missing")
        if LINES in given or "amount" not in row:
            row["amount"] = given.get("amount", total(row[LINES]))
        stated = {name: given[name] for name in DERIVED & given.keys()}
        self._ledger.settle_bill(row)
        row.update(stated)
        super().place(row, known, given)

    def forget(self, row: Row) -> None:
        self._ledger.forget(row["id"])
        super().forget(row)

    def _changed(self, row: Row, changed: Row, taken: Row) -> Response:
        changed = {name: value for name, value in changed.items() if name not in NOT_STORED}
        changed["amount"] = self._total(changed)
        self._check_still_covers(row, changed["amount"])
        if taken.get("billApprovals"):
            self._approvals.assign(changed)
        self._ledger.settle_bill(changed)
        return Response.json(self.reply(self.change(row, changed)))

    def _read(self, body: object, *, partial: bool) -> Row:
        reader = Reader(body, partial=partial)
        reader.text("vendorId", required=True)
        reader.date("dueDate", required=True)
        reader.text("description", longest=LONGEST_TEXT)
        reader.text("payFromChartOfAccountId")
        reader.text("purchaseOrderNumber")
        reader.text("paymentTermId")
        reader.flag("billApprovals")
        reader.flag("allowDuplicateInvoiceNumber")
        read_classifications(reader, HEADER_CLASSIFICATIONS)
        read_lines(reader, LINES, quantities=True)
        invoice = reader.inner("invoice", required=True)
        if invoice is not None:
            self._read_invoice(invoice)
        for credit in reader.rows("vendorCredits") or ():
            credit.text("id", required=True)
            credit.number("amount", required=True)
        return self.taken(reader)

    def _read_invoice(self, invoice: Reader) -> None:
        longest = self.books.options.invoice_number_max
        number = invoice.text("invoiceNumber", required=True)
        if number is not None and len(number) > longest:
            message = f"invoiceNumber: Maximum length cannot be greater than {longest} characters."
            invoice.errors.append(invalid(message))
        invoice.date("invoiceDate", required=True)

    def _references(self, row: Row, lines: "list[Row] | tuple[()] | None" = None) -> Iterator[tuple[Table | None, str]]:
        if row.get("vendorId") is not None:
            yield self.books.vendors, row["vendorId"]
        if row.get("payFromChartOfAccountId") is not None:
            yield self.books.classifications["chart-of-accounts"], row["payFromChartOfAccountId"]
        yield from references(self.books, row)
        for line in row.get(LINES, ()) if lines is None else lines:
            yield from references(self.books, line)

    def _total(self, row: Row) -> Decimal:
        amount = total(row[LINES])
        if amount < 0:
            raise Refused(400, invalid("amount: must not be negative."))
        return amount

    def _check_duplicate(self, row: Row, batch: list[Row]) -> None:
        """Vendor and invoice number, among the bills that are not archived unless set otherwise."""
        default = self.books.options.bill_duplicate_default == "allow"
        if row.get("allowDuplicateInvoiceNumber", default):
            return
        key = (row["vendorId"], row["invoice"]["invoiceNumber"])
        archived_too = self.books.options.bill_duplicate_counts_archived
        same_number = self.table.where("invoice.invoiceNumber", [key[1]])
        others = [other for other in same_number if archived_too or not other["archived"]]
        if any((other["vendorId"], other["invoice"]["invoiceNumber"]) == key for other in [*others, *batch]):
            text = f"Invoice number {key[1]} already exists for this vendor."
            raise Refused(422, Error(text, "BDC_1171", APPLICATION))

    def _check_credits(self, row: Row) -> None:
        credits = row.get("vendorCredits", ())
        self.books.require((self.books.credits, credit["id"]) for credit in credits)
        for credit in credits:
            stored = self.books.credits.get(credit["id"])
            if stored is None or stored["vendorId"] != row["vendorId"]:
                raise Refused(400, invalid(f"vendorCredits: {credit['id']} belongs to another vendor."))
            if credit["amount"] > self._ledger.unused(stored):
                raise Refused(422, invalid(f"vendorCredits: {credit['id']} has not enough left."))
        if sum((credit["amount"] for credit in credits), Decimal(0)) > row["amount"]:
            raise overpaid("")

    def _check_still_covers(self, row: Row, amount: Decimal) -> None:
        used = Decimal(row["amount"]) - self._ledger.open_amount(row)
        if amount < used:
            raise overpaid(row["id"])


_WRITABLE = {
    "vendorId",
    "dueDate",
    "invoice",
    "description",
    "classifications",
    "payFromChartOfAccountId",
    "purchaseOrderNumber",
    "paymentTermId",
    LINES,
}

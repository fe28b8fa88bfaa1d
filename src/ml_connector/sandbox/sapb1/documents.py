"""A/P invoices, credit notes and purchase orders: checked, priced, posted; and the drafts that wait for approval."""

import copy
import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.sandbox.sapb1 import amounts, balances
from ml_connector.sandbox.sapb1.books import (
    ALL_CURRENCIES,
    FREIGHT,
    INPUT_TAX,
    LOCAL_CURRENCY,
    PAYABLES,
    ROUNDING,
    ZERO,
    Booking,
    Books,
    require,
    stated,
    total,
)
from ml_connector.sandbox.sapb1.errors import invalid, missing_reference
from ml_connector.sandbox.sapb1.schema import SETS
from ml_connector.sandbox.standin import Row

CODES: dict[str, str] = {
    "PurchaseInvoices": "oPurchaseInvoices",
    "PurchaseCreditNotes": "oPurchaseCreditNotes",
    "PurchaseOrders": "oPurchaseOrders",
}
KINDS: dict[str, str] = {code: kind for kind, code in CODES.items()}
LINE_TABLES = {"PurchaseInvoices": "PCH1", "PurchaseCreditNotes": "RPC1", "PurchaseOrders": "POR1"}
ORIGINS = {"PurchaseInvoices": "ttAPInvoice", "PurchaseCreditNotes": "ttAPCreditNote"}
BASES: dict[tuple[str, int], str] = {
    ("PurchaseInvoices", 22): "PurchaseOrders",
    ("PurchaseCreditNotes", 18): "PurchaseInvoices",
}
"""Which documents a line may be based on."""


@dataclass(frozen=True, slots=True)
class Credited:
    """What a credit note took off an invoice: in its currency, and in local value at the rate of either."""

    invoice: int
    amount: Decimal
    local: Decimal
    own: Decimal


class Documents:
    """`trusted` postings come from the control side: of any day, for any vendor, without approval."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def prepare(self, kind: str, body: Row, *, trusted: bool = False) -> Row:
        """The document that the body asks for, complete but not posted. Raises Refused."""
        books, table, line_table = self._books, SETS[kind].table, LINE_TABLES[kind]
        document = stated(body)
        document["_body"] = body
        day = document.setdefault("DocDate", books.today()) or books.today()
        document["DocDate"] = day
        vendor = self._vendor(document, day, table, trusted=trusted)
        if not trusted:
            books.check_period(day, f"{table}.DocDate")
        self._set_dates(document, vendor)
        self._set_currency(document, vendor, table)
        books.check_branch(document.get("BPL_IDAssignedToInvoice"))
        document.setdefault("DocType", "dDocument_Items")
        document["DocObjectCode"] = CODES[kind]
        for name in ("DocumentLines", "DocumentAdditionalExpenses", "WithholdingTaxDataCollection"):
            document.setdefault(name, [])
        require(bool(document["DocumentLines"]), invalid(f"Enter at least one line [{line_table}.LineNum]"))
        self._inherit(kind, document)
        self._check_type(document, line_table)
        amounts.price_lines(books, document, line_table, vendor.get("VatGroup"))
        amounts.sum_up(document, table)
        amounts.spread_installments(document, table)
        self._check_number(kind, document, table)
        document.setdefault("JournalMemo", f"A/P - {document['CardCode']}")
        document.setdefault("ControlAccount", vendor.get("DebitorAccount") or books.account_code(PAYABLES))
        document.setdefault("PeriodIndicator", str(day.year))
        document.setdefault("AuthorizationStatus", "dasWithout")
        document.setdefault("DocTime", document.get("UpdateTime") or books.time())
        document.update(DocumentStatus="bost_Open", Cancelled="tNO", CancelStatus="csNo")
        return document

    def post(self, kind: str, document: Row) -> Row:
        """Stores a prepared document with all that follows from it."""
        books = self._books
        document = books.put(kind, document)
        for line in document["DocumentLines"]:
            line["DocEntry"] = document["DocEntry"]
        if kind == "PurchaseOrders":
            return document
        self._book(kind, document, sign=1)
        if kind == "PurchaseInvoices":
            self._close_orders(document)
        else:
            self._credit_invoices(document)
        return document

    def cancel(self, kind: str, document: Row, *, on: dt.date | None = None) -> Row:
        """The row of the cancellation, of today or of a past day; an order only changes its state. Raises Refused."""
        books, table = self._books, SETS[kind].table
        day = on or books.today()
        if kind == "PurchaseOrders":
            require(balances.is_open(document), invalid("Document is already closed or canceled [OPOR.DocStatus]"))
            document.update(Cancelled="tYES", CancelStatus="csYes", CancelDate=day)
            balances.set_status(document, closed=True)
            books.touch(document)
            return document
        self._check_cancel(document, table, day)
        if on is None:
            books.check_period(day, f"{table}.DocDate")
        return self._reverse(kind, document, day)

    def _check_cancel(self, document: Row, table: str, day: dt.date) -> None:
        most = self._books.options.max_days_for_cancel
        if document["CancelStatus"] != "csNo":
            raise invalid(f"Document is already canceled [{table}.CANCELED]")
        settled = sum((one.own for one in document.get("_credits", [])), ZERO)
        if document["PaidToDate"] != settled:
            raise invalid(f"Document is paid or credited; cancel the payment first [{table}.PaidToDate]")
        if most and (day - document["DocDate"]).days > most:
            raise invalid(f"Document is older than {most} days and cannot be canceled [{table}.DocDate]")

    def _reverse(self, kind: str, document: Row, day: dt.date) -> Row:
        """The second row, both closed; the journal entry and the credited invoices turned back."""
        books = self._books
        second = copy.deepcopy(document)
        for name in ("DocEntry", "DocNum", "UpdateDate", "UpdateTime", "DataVersion", "_credits"):
            second.pop(name, None)
        second.update(DocDate=day, CreationDate=day, CancelStatus="csCancellation", DocTime=books.time())
        second["Cancelled"] = "tYES" if books.options.cancellation_row_cancelled else "tNO"
        for line in second["DocumentLines"]:
            line.update(BaseType=SETS[kind].object_code, BaseEntry=document["DocEntry"], BaseLine=line["LineNum"])
        second = books.put(kind, second)
        for line in second["DocumentLines"]:
            line["DocEntry"] = second["DocEntry"]
        self._book(kind, second, sign=-1)
        for one in document.pop("_credits", []):
            balances.unsettle_in_order(books.tables["PurchaseInvoices"][one.invoice], one.amount, one.local, day)
        document.update(Cancelled="tYES", CancelStatus="csYes", CancelDate=day)
        for one in (document, second):
            balances.set_status(one, closed=True)
            one["PaidToDate"], one["PaidToDateFC"], one["ClosingDate"] = one["DocTotal"], one["DocTotalFc"], day
        books.touch(document)
        return second

    # --- the parts of a preparation ------------------------------------------------------------------------

    def _vendor(self, document: Row, day: dt.date, table: str, *, trusted: bool) -> Row:
        books, code = self._books, document.get("CardCode")
        if trusted and code in books.tables["BusinessPartners"]:
            vendor = books.tables["BusinessPartners"][code]
        else:
            vendor = books.vendor(code, day, table)
        document.setdefault("CardName", vendor.get("CardName"))
        document.setdefault("FederalTaxID", vendor.get("FederalTaxID"))
        document.setdefault("PayToCode", vendor.get("BilltoDefault"))
        return vendor

    def _set_dates(self, document: Row, vendor: Row) -> None:
        """Due after the terms, counted from the date of the vendor's document."""
        terms = document.get("PaymentGroupCode") or vendor.get("PayTermsGrpCode")
        self._books.check_reference("PaymentTermsTypes", terms, "OPCH.GroupNum")
        row = self._books.tables["PaymentTermsTypes"].get(terms, {})
        document["PaymentGroupCode"] = terms
        document["TaxDate"] = document.get("TaxDate") or document["DocDate"]
        days = row.get("NumberOfAdditionalDays") or 0
        document["DocDueDate"] = document.get("DocDueDate") or document["TaxDate"] + dt.timedelta(days=days)
        document["VatDate"] = document.get("VatDate") or document["DocDate"]

    def _set_currency(self, document: Row, vendor: Row, table: str) -> None:
        """DocTotalFc stays None for a document in local currency until the totals are set."""
        books, own = self._books, vendor.get("Currency") or LOCAL_CURRENCY
        currency = document.get("DocCurrency") or (LOCAL_CURRENCY if own == ALL_CURRENCIES else own)
        allowed = own == ALL_CURRENCIES or currency in (own, LOCAL_CURRENCY)
        if currency not in books.tables["Currencies"] or not allowed:
            raise invalid(f"Invalid currency '{currency}' for business partner [{table}.DocCur]")
        foreign = currency != LOCAL_CURRENCY
        require((document.get("DocRate") or ZERO) >= ZERO, invalid(f"Enter a positive rate [{table}.DocRate]"))
        books.check_reference("ChartOfAccounts", document.get("ControlAccount"), f"{table}.CtlAccount")
        rate = document.get("DocRate") or books.rate(currency, document["DocDate"])
        document.update(
            DocCurrency=currency, DocRate=rate if foreign else Decimal(1), DocTotalFc=ZERO if foreign else None
        )

    def _check_type(self, document: Row, line_table: str) -> None:
        """The stand-in has no items: a document of items finds none of them."""
        if document["DocType"] == "dDocument_Items":
            raise invalid(f"Item number is missing or unknown [{line_table}.ItemCode]")

    def _check_number(self, kind: str, document: Row, table: str) -> None:
        books, number = self._books, document.get("NumAtCard")
        if not books.options.unique_vendor_number or not number:
            return
        for other in books.tables[kind].values():
            same = (other["CardCode"], other.get("NumAtCard")) == (document["CardCode"], number)
            if same and other["CancelStatus"] == "csNo":
                raise invalid(f"Vendor reference number '{number}' already exists [{table}.NumAtCard]")

    def _inherit(self, kind: str, document: Row) -> None:
        """Lines that are based on another document take over what they do not say. Raises Refused."""
        for line in document["DocumentLines"]:
            base_type = line.get("BaseType", -1)
            if base_type in (-1, None):
                continue
            source = self._base(kind, line, document["CardCode"])
            document["DocType"] = source["DocType"]
            base = next((row for row in source["DocumentLines"] if row["LineNum"] == line.get("BaseLine")), None)
            if base is None:
                raise missing_reference()
            if base["LineStatus"] == "bost_Close":
                raise invalid("One of the base documents has already been closed")
            for name in ("AccountCode", "CostingCode", "ItemDescription", "VatGroup", "ProjectCode"):
                line.setdefault(name, base.get(name))
            if not any(line.get(name) is not None for name in ("LineTotal", "RowTotalFC", "UnitPrice", "Price")):
                line["RowTotalFC" if document["DocTotalFc"] is not None else "LineTotal"] = (
                    base["OpenAmountFC"] if document["DocTotalFc"] is not None else base["OpenAmount"]
                )

    def _base(self, kind: str, line: Row, vendor: str) -> Row:
        base_set = BASES.get((kind, line["BaseType"]))
        source = self._books.tables[base_set].get(line.get("BaseEntry")) if base_set else None
        if source is None or source["CardCode"] != vendor:
            raise missing_reference()
        if not balances.is_open(source):
            raise invalid("One of the base documents has already been closed")
        return source

    # --- the effects of a posting --------------------------------------------------------------------------

    def _book(self, kind: str, document: Row, sign: int) -> None:
        """Costs, freight, tax and rounding against the vendor; a credit note the other way round."""
        books = self._books
        sign *= -1 if kind == "PurchaseCreditNotes" else 1
        share = document.get("DiscountPercent", ZERO) / 100
        bookings = [
            Booking(
                line["AccountCode"],
                sign * (line["LineTotal"] - (line["LineTotal"] * share).quantize(Decimal("0.01"))),
                cost_center=line.get("CostingCode") or "",
                text=line.get("ItemDescription") or "",
            )
            for line in document["DocumentLines"]
        ]
        freight = total(document["DocumentAdditionalExpenses"], "LineTotal")
        bookings.append(Booking(books.account_code(FREIGHT), sign * freight, text="Freight"))
        bookings.append(Booking(books.account_code(INPUT_TAX), sign * document["VatSum"], text="Tax"))
        payable = Booking(document["ControlAccount"], -sign * document["DocTotal"], document["CardCode"])
        rest = -sum((one.amount for one in (*bookings, payable)), ZERO)
        bookings += [Booking(books.account_code(ROUNDING), rest, text="Rounding"), payable]
        memo = document["JournalMemo"] or ""
        document["TransNum"] = books.book(ORIGINS[kind], document["DocEntry"], document["DocDate"], memo, bookings)

    def _close_orders(self, invoice: Row) -> None:
        """Invoiced order lines close; with the last of them the order."""
        for line in invoice["DocumentLines"]:
            if line["BaseType"] != 22:
                continue
            order = self._books.tables["PurchaseOrders"][line["BaseEntry"]]
            base = next(row for row in order["DocumentLines"] if row["LineNum"] == line["BaseLine"])
            base["OpenAmount"] = max(base["OpenAmount"] - line["LineTotal"], ZERO)
            base["OpenAmountFC"] = max(base["OpenAmountFC"] - line["RowTotalFC"], ZERO)
            if not base["OpenAmount"]:
                base["LineStatus"] = "bost_Close"
            if all(row["LineStatus"] == "bost_Close" for row in order["DocumentLines"]):
                order.update(DocumentStatus="bost_Close", ClosingDate=invoice["DocDate"])
            self._books.touch(order)

    def _credit_invoices(self, credit: Row) -> None:
        """A credit note that is based on an invoice lowers what is open there, as far as it goes."""
        entries = sorted({line["BaseEntry"] for line in credit["DocumentLines"] if line["BaseType"] == 18})
        day = credit["DocDate"]
        for entry in entries:
            invoice = self._books.tables["PurchaseInvoices"][entry]
            amount = min(balances.open_amount(invoice), balances.open_amount(credit))
            if amount <= ZERO:
                continue
            part = Credited(entry, amount, balances.local_part(invoice, amount), balances.local_part(credit, amount))
            balances.settle_in_order(invoice, amount, part.local, day)
            balances.settle_in_order(credit, amount, part.own, day)
            credit.setdefault("_credits", []).append(part)
            self._books.bump(invoice)

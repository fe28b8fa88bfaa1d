"""Outgoing payments: means on one side, the documents that they settle on the other.

Amounts of means are in the payment's currency. A row takes `SumApplied` off a document in local currency and
`AppliedFC` off a foreign one; what the means exceed the rows stays on the vendor's account.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.sandbox.sapb1 import balances
from ml_connector.sandbox.sapb1.books import (
    ALL_CURRENCIES,
    EXCHANGE_DIFFERENCES,
    LOCAL_CURRENCY,
    PAYABLES,
    ZERO,
    Booking,
    Books,
    cents,
    require,
    stated,
    total,
)
from ml_connector.sandbox.sapb1.errors import Refused, business, invalid, missing_reference
from ml_connector.sandbox.standin import Row

SETS_PAID = {"it_PurchaseInvoice": "PurchaseInvoices", "it_PurchaseCreditNote": "PurchaseCreditNotes"}
CLOSED = "Invoice is already closed or blocked  [Message 3524-20]"
OTHER_BRANCH = "Ensure selected branch is the same as the branch of documents to be paid"


@dataclass(frozen=True, slots=True)
class Applied:
    """One row as it takes effect: signed, a credit note's amounts are negative."""

    set_name: str
    entry: int
    installment: int
    currency: str
    amount: Decimal
    """In the document's currency."""
    local: Decimal
    """At the document's own rate."""

    @property
    def sign(self) -> int:
        return -1 if self.set_name == "PurchaseCreditNotes" else 1

    @property
    def foreign(self) -> bool:
        return self.currency != LOCAL_CURRENCY


class Payments:
    def __init__(self, books: Books) -> None:
        self._books = books

    def prepare(self, body: Row, *, trusted: bool = False) -> Row:
        """The payment that the body asks for, checked but not posted. Raises Refused."""
        books = self._books
        payment = stated(body)
        payment["_body"] = body
        day = payment["DocDate"] = payment.get("DocDate") or books.today()
        for name in ("DueDate", "TaxDate", "VatDate"):
            payment[name] = payment.get(name) or day
        if not trusted:
            books.check_period(day, "OVPM.DocDate")
        payment.setdefault("DocType", "rCustomer")
        payment["DocTypte"] = payment["DocType"]
        payment["DocObjectCode"] = "bopot_OutgoingPayments"
        for name in ("PaymentChecks", "PaymentInvoices", "PaymentAccounts"):
            payment.setdefault(name, [])
        books.check_branch(payment.get("BPLID"))
        self._check_party(payment, day, trusted=trusted)
        means = self._check_means(payment, trusted=trusted)
        applied = self.applied(payment)
        self._check_rows(payment, means, applied)
        payment.update(Cancelled="tNO")
        payment.setdefault("AuthorizationStatus", "pasWithout")
        payment.setdefault("JournalRemarks", f"Outgoing Payments - {payment.get('CardCode') or ''}"[:50])
        return payment

    def post(self, payment: Row) -> Row:
        """Stores a prepared payment: journal, balances of the documents, what stays on account."""
        books = self._books
        payment = books.put("VendorPayments", payment)
        payment["_applied"] = self.applied(payment)
        self._move(payment, sign=1)
        for row, one in zip(payment["PaymentInvoices"], payment["_applied"], strict=True):
            row.update(SumApplied=one.local, AppliedSys=one.local, AppliedFC=one.amount if one.foreign else ZERO)
            row.update(
                PaidSum=one.local,
                LinkDate=payment["DocDate"],
                DocRate=self._document(one)["DocRate"] if one.foreign else ZERO,
            )
        return payment

    def cancel(self, payment: Row) -> None:
        """Takes the payment back as of today. Raises Refused."""
        require(payment["Cancelled"] == "tNO", invalid("Payment is already canceled [OVPM.Canceled]"))
        self._books.check_period(self._books.today(), "OVPM.DocDate")
        self._move(payment, sign=-1)
        payment["Cancelled"] = "tYES"

    def means(self, payment: Row) -> Decimal:
        """In the payment's currency."""
        return Decimal(
            (payment.get("TransferSum") or ZERO)
            + (payment.get("CashSum") or ZERO)
            + total(payment["PaymentChecks"], "CheckSum")
        )

    def local_means(self, payment: Row) -> Decimal:
        return cents(self.means(payment) * (payment["DocRate"] or Decimal(1)))

    def applied(self, payment: Row) -> list[Applied]:
        """The rows against their documents as they stand now. Raises Refused."""
        return [self._applied(payment, number, row) for number, row in enumerate(payment["PaymentInvoices"])]

    # --- checks --------------------------------------------------------------------------------------------

    def _check_party(self, payment: Row, day: dt.date, *, trusted: bool) -> None:
        books, code = self._books, payment.get("CardCode")
        if payment["DocType"] == "rAccount":
            require(bool(payment["PaymentAccounts"]), invalid("Enter at least one account [VPM4.AcctCode]"))
            for row in payment["PaymentAccounts"]:
                books.posting_account(row.get("AccountCode"), "VPM4.AcctCode")
                books.check_rule(row.get("ProfitCenter"))
            payment.update(DocCurrency=LOCAL_CURRENCY, DocRate=ZERO)
            return
        require(payment["DocType"] == "rSupplier", invalid("Invalid BP code [OVPM.CardCode]"))
        vendor = books.tables["BusinessPartners"].get(code) if trusted else None
        vendor = vendor or books.vendor(code, day, "OVPM")
        own = vendor.get("Currency") or LOCAL_CURRENCY
        currency = payment.get("DocCurrency") or (LOCAL_CURRENCY if own == ALL_CURRENCIES else own)
        if currency not in books.tables["Currencies"] or (
            own != ALL_CURRENCIES and currency not in (own, LOCAL_CURRENCY)
        ):
            raise invalid(f"Invalid currency '{currency}' for business partner [OVPM.DocCurr]")
        foreign = currency != LOCAL_CURRENCY
        require((payment.get("DocRate") or ZERO) >= ZERO, invalid("Enter a positive rate [OVPM.DocRate]"))
        books.check_reference("ChartOfAccounts", payment.get("ControlAccount"), "OVPM.BpAct")
        payment["DocRate"] = (payment.get("DocRate") or books.rate(currency, payment["DocDate"])) if foreign else ZERO
        payment.update(DocCurrency=currency, LocalCurrency="tNO" if foreign else "tYES")
        payment.setdefault("CardName", vendor.get("CardName"))
        payment.setdefault("ControlAccount", vendor.get("DebitorAccount") or books.account_code(PAYABLES))

    def _check_means(self, payment: Row, *, trusted: bool) -> Decimal:
        books = self._books
        pairs = [("TransferSum", "TransferAccount"), ("CashSum", "CashAccount")]
        for amount, account in pairs:
            value = payment.get(amount) or ZERO
            if value < ZERO or value != cents(value):
                raise invalid(f"Enter a positive amount with two decimals [OVPM.{amount}]")
            if value:
                books.posting_account(payment.get(account), f"OVPM.{account}")
        if payment.get("TransferSum"):
            on = payment["TransferDate"] = payment.get("TransferDate") or payment["DocDate"]
            if not trusted:
                books.check_period(on, "OVPM.TrsfrDate")
        for row in payment["PaymentChecks"]:
            books.posting_account(row.get("CheckAccount") or payment.get("CheckAccount"), "VPM1.CheckAct")
            require((row.get("CheckSum") or ZERO) > ZERO, invalid("Enter a positive amount [VPM1.CheckSum]"))
        means = self.means(payment)
        require(means > ZERO or bool(payment["PaymentInvoices"]), invalid("Enter a payment amount [OVPM.DocTotal]"))
        return means

    def _applied(self, payment: Row, number: int, row: Row) -> Applied:
        set_name = SETS_PAID.get(row.get("InvoiceType") or "it_Invoice")
        document = self._books.tables[set_name].get(row.get("DocEntry")) if set_name else None
        if set_name is None or document is None:
            raise missing_reference()
        if document["CardCode"] != payment.get("CardCode"):
            raise invalid(f"Document {document['DocNum']} belongs to another business partner [VPM2.DocEntry]")
        if not balances.is_open(document) or document.get("PaymentBlock") == "tYES":
            raise business(CLOSED)
        if document.get("BPL_IDAssignedToInvoice") != payment.get("BPLID"):
            raise invalid(OTHER_BRANCH)
        installment = row.setdefault("InstallmentId", 1) or 1
        require(balances.has_installment(document, installment), missing_reference())
        row.setdefault("LineNum", number)
        amount = self._amount(payment, row, document, installment)
        if amount <= ZERO:
            raise invalid("Enter a positive amount to apply [VPM2.SumApplied]")
        if amount > balances.open_amount(document, installment):
            raise self._over_applied(document["DocNum"])
        sign = -1 if set_name == "PurchaseCreditNotes" else 1
        local = sign * balances.local_part(document, amount)
        return Applied(set_name, document["DocEntry"], installment, document["DocCurrency"], sign * amount, local)

    def _amount(self, payment: Row, row: Row, document: Row, installment: int) -> Decimal:
        """What the row takes off, in the document's currency; without an amount all that is due."""
        currency = document["DocCurrency"]
        if payment["DocCurrency"] not in (currency, LOCAL_CURRENCY):
            raise invalid(
                f"Document {document['DocNum']} is in another currency than the payment, {currency} [VPM2.DocEntry]"
            )
        if not balances.is_foreign(document):
            given = row.get("SumApplied")
        elif row.get("AppliedFC") is None and row.get("SumApplied") is not None:
            rate = row.get("DocRate") or payment["DocRate"] or self._books.rate(currency, payment["DocDate"])
            given = cents(row["SumApplied"] / rate)
        else:
            given = row.get("AppliedFC")
        if given is None:
            return balances.open_amount(document, installment)
        if given != cents(given):
            raise invalid("Enter an amount with two decimals [VPM2.SumApplied]")
        return abs(given) if row.get("InvoiceType") == "it_PurchaseCreditNote" else Decimal(given)

    def _check_rows(self, payment: Row, means: Decimal, applied: list[Applied]) -> None:
        most = self._books.options.max_documents_in_payment
        if len(applied) > most:
            raise invalid(f"A payment settles {most} documents at most [OVPM.DocEntry]")
        per_due: dict[tuple[str, int, int], Decimal] = {}
        for one in applied:
            due = (one.set_name, one.entry, one.installment)
            per_due[due] = per_due.get(due, ZERO) + abs(one.amount)
            if per_due[due] > balances.open_amount(self._document(one), one.installment):
                raise self._over_applied(self._document(one)["DocNum"])
        wanted = sum((self._in_payment_currency(payment, one) for one in applied), ZERO)
        if payment["DocType"] == "rAccount":
            wanted = total(payment["PaymentAccounts"], "SumPaid")
            require(wanted == means, invalid("Payment amount differs from the sum of the accounts [VPM4.SumApplied]"))
        if wanted > means:
            raise invalid(f"Sum applied {wanted} is greater than the payment {means} [OVPM.DocTotal]")
        require(wanted >= ZERO, invalid("Credit notes exceed the invoices to be paid [OVPM.DocTotal]"))

    def _in_payment_currency(self, payment: Row, one: Applied) -> Decimal:
        if one.currency == payment["DocCurrency"]:
            return one.amount
        return cents(one.amount * self._books.rate(one.currency, payment["DocDate"]))

    def _over_applied(self, number: int) -> Refused:
        text = f"Amount applied is greater than the balance due of document {number} [VPM2.SumApplied]"
        return Refused(400, self._books.options.over_applied_code, text)

    def _document(self, one: Applied) -> Row:
        return self._books.tables[one.set_name][one.entry]

    # --- effects -------------------------------------------------------------------------------------------

    def _move(self, payment: Row, sign: int) -> None:
        """Books the payment, or takes it back, and settles or opens its documents."""
        books, day = self._books, payment["DocDate"] if sign > 0 else self._books.today()
        for one in payment["_applied"]:
            amount, local = sign * one.sign * one.amount, sign * one.sign * one.local
            document = self._document(one)
            balances.settle(document, amount, local, day, one.installment)
            if books.options.payment_stamps_invoice:
                books.touch(document)
            else:
                books.bump(document)
        bookings = [Booking(*pair) for pair in self._credits(payment)]
        if payment["DocType"] == "rAccount":
            rows = payment["PaymentAccounts"]
            bookings += [Booking(r["AccountCode"], r["SumPaid"], cost_center=r.get("ProfitCenter") or "") for r in rows]
        else:
            bookings += self._debits(payment)
        turned = [Booking(b.account, sign * b.amount, b.partner, b.cost_center, b.text) for b in bookings]
        number = books.book("ttVendorPayment", payment["DocEntry"], day, payment["JournalRemarks"] or "", turned)
        payment.setdefault("_journal", number)

    def _credits(self, payment: Row) -> list[tuple[str, Decimal]]:
        rate = payment["DocRate"] or Decimal(1)
        pairs = [
            (payment.get("TransferAccount") or "", -cents((payment.get("TransferSum") or ZERO) * rate)),
            (payment.get("CashAccount") or "", -cents((payment.get("CashSum") or ZERO) * rate)),
        ]
        checks = payment["PaymentChecks"]
        return pairs + [
            (row.get("CheckAccount") or payment["CheckAccount"], -cents(row["CheckSum"] * rate)) for row in checks
        ]

    def _debits(self, payment: Row) -> list[Booking]:
        """The vendor: its documents at their own rates, the rest on account at today's; the difference is booked."""
        applied: list[Applied] = payment["_applied"]
        paid = sum((amount for _, amount in self._credits(payment)), ZERO)
        on_account = self.means(payment) - sum((self._in_payment_currency(payment, one) for one in applied), ZERO)
        rest = cents(on_account * (payment["DocRate"] or Decimal(1)))
        vendor = sum((one.local for one in applied), ZERO) + rest
        difference = -paid - vendor
        return [
            Booking(payment["ControlAccount"], vendor, payment["CardCode"]),
            Booking(self._books.account_code(EXCHANGE_DIFFERENCES), difference, text="Exchange difference"),
        ]

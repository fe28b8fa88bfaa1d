"""VendorPayments <-> Payment.

A payment has means (here: a transfer) and rows that apply it; the type of a row's document is a customer's invoice
unless said otherwise. Amounts of rows are in the company's own currency, or in a foreign document's as `AppliedFC`.
What is applied less than the means stays on account. Payments have no stamp and no total of their own. Nothing stops a
second payment of the same kind: the mark lies in `TransferReference`, and `Remarks` says it to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import (
    DocumentState,
    Found,
    Item,
    NoLonger,
    NotFound,
    Ref,
    Refused,
)
from ml_connector.systems.sapb1.company import Books
from ml_connector.systems.sapb1.documents import CREDIT_NOTES, INVOICES, Kind
from ml_connector.systems.sapb1.errors import NAME
from ml_connector.systems.sapb1.paying import Paid, about_payment, applied, ours, to_payment
from ml_connector.systems.sapb1.reading import Query, Reading, Whole, any_of, since
from ml_connector.systems.sapb1.rows import (
    ZERO,
    Unsound,
    amount,
    day,
    entry,
    members,
    number,
    quoted,
    text,
    whole,
    words,
    yes,
)
from ml_connector.systems.sapb1.session import Json, ServiceLayer
from ml_connector.systems.sapb1.settings import Options

PAYMENTS = "VendorPayments"
DRAFTS = "PaymentDrafts"
DOCUMENTS_AT_A_TIME = 40

SELECT = (
    "DocEntry", "DocNum", "DocType", "CardCode", "DocDate", "DocCurrency", "DocRate", "TransferSum",
    "TransferReference", "CashSum", "CashSumFC", "PaymentChecks", "PaymentCreditCards", "BillOfExchangeAmount",
    "Remarks", "Cancelled", "AuthorizationStatus", "PaymentInvoices",
)  # fmt: skip
OPTIONAL = frozenset({"PaymentChecks", "PaymentCreditCards", "BillOfExchangeAmount"})
SUPPLIERS = "DocType eq 'rSupplier'"

TYPES: Mapping[str, Kind] = {
    "it_PurchaseInvoice": INVOICES,
    "18": INVOICES,
    "it_PurchaseCreditNote": CREDIT_NOTES,
    "19": CREDIT_NOTES,
}
PENDING = frozenset({"pasPending", "W"})


class VendorPayments:
    """Target of Payment."""

    def __init__(self, reading: Reading, books: Books, options: Options) -> None:
        self._reading = reading
        self._layer: ServiceLayer = reading.layer
        self._books = books
        self._options = options
        self._query = Query(PAYMENTS, SELECT, optional=OPTIONAL)

    def find(self, record: Payment, mark: str) -> list[Found[Payment]]:
        """Payments with our mark, cancelled ones too; else those typed by hand that agree with it.

        Raises Refused where an approval procedure has put the payment among the drafts: a person decides on it.
        """
        theirs = self._query.where(SUPPLIERS, f"CardCode eq {quoted(record.supplier)}")
        marked = self._found(theirs.where(f"TransferReference eq {quoted(mark)}"))
        if marked:
            return marked
        self._no_draft(record, mark)
        same_day = theirs.where(f"DocDate eq {quoted(record.date)}", "Cancelled eq 'tNO'")
        by_hand = [row for row in self._reading.rows(same_day, "DocEntry") if not _posted_by_us(row)]
        found = [from_payment(row, self._books) for row in by_hand]
        return [hit for hit in found if not self.identity_differences(record, hit.record)]

    def get(self, key: str) -> Found[Payment] | None:
        row = self._row(key)
        return None if row is None else from_payment(row, self._books)

    def create(self, record: Payment, mark: str) -> Ref:
        """One payment by transfer from the clearing account, after checking what is paid with it."""
        about = about_payment(record)
        body = to_payment(record, mark, self._documents(record), self._books.company, self._options)
        try:
            answer = self._layer.write("POST", PAYMENTS, body, about=about)
        except Refused as refused:
            if refused.code in {"reference_missing", "draft_left_behind"}:
                self._no_draft(record, mark)
            raise
        except NotFound as gone:
            raise Refused("reference_missing", f"{NAME} lacks something that {about} names. {gone}") from None
        row = answer.json()
        if not isinstance(row, dict) or not isinstance(row.get("DocEntry"), int):
            raise answer.unclear("it holds no payment")
        if DRAFTS in answer.headers.get("location", "") or row.get("AuthorizationStatus") in PENDING:
            raise self._left_behind(about, row)
        if row.get("CardCode") != record.supplier or row.get("TransferReference") != mark:
            raise answer.unclear("it holds another payment than the one sent")
        return Ref(str(row["DocEntry"]), amount=number(row, "TransferSum"))

    def update(self, ref: Ref, record: Payment, mark: str) -> Ref:
        """Nothing of a posted payment can be changed. Raises NoLonger where something would have to be."""
        there = self.get(ref.key)
        if there is None:
            raise NotFound(f"{NAME} has no payment {ref.key} any more.")
        fields = self.differences(record, there.record)
        if fields or there.state is DocumentState.ARCHIVED:
            what = f"differs in {', '.join(fields)}" if fields else "was cancelled"
            raise NoLonger(
                "unsupported",
                f"{NAME} cannot change a posted payment, and payment {ref.key} {what} from {about_payment(record)}.",
            )
        return ref

    def cancel(self, ref: Ref, reason: str) -> None:
        """Takes a payment back, which opens its invoices again. Done twice is done once."""
        about = f"the cancellation of payment {ref.key}"
        row = self._row(ref.key)
        if row is None:
            raise NotFound(f"{NAME} has no payment {ref.key} any more.")
        if not yes(row, "Cancelled"):
            self._layer.write("POST", f"{PAYMENTS}({ref.key})/Cancel", about=about)

    def identity_differences(self, sent: Payment, found: Payment) -> list[str]:
        """Supplier, currency, amount, date and the documents paid, each with its amount."""
        pairs: dict[str, tuple[Any, Any]] = {
            "supplier": (sent.supplier, found.supplier),
            "currency": (sent.currency, found.currency),
            "amount": (sent.amount, found.amount),
            "date": (sent.date, found.date),
            "allocations": (sorted(applied(sent)), sorted(applied(found))),
        }
        return [name for name, (ours, theirs) in pairs.items() if ours != theirs]

    def differences(self, sent: Payment, found: Payment) -> list[str]:
        return self.identity_differences(sent, found)

    def _row(self, key: str) -> Json | None:
        number_ = entry(key)
        return None if number_ is None else self._reading.one(self._query, number_, f"payment {key}")

    def _found(self, query: Query) -> list[Found[Payment]]:
        return [from_payment(row, self._books) for row in self._reading.rows(query, "DocEntry")]

    def _no_draft(self, record: Payment, mark: str) -> None:
        query = Query(DRAFTS, ("DocEntry", "DocNum", "CardCode", "TransferReference"))
        query = query.where(f"CardCode eq {quoted(record.supplier)}", f"TransferReference eq {quoted(mark)}")
        for row in self._reading.rows(query, "DocEntry"):
            raise self._left_behind(about_payment(record), row)

    def _left_behind(self, about: str, row: Json) -> Refused:
        return Refused(
            "draft_left_behind",
            f"An approval procedure of {NAME} made draft {row.get('DocEntry')} of {about}. Add the draft there (it is "
            "then found by its reference), or remove it; nothing is posted a second time meanwhile.",
            "AuthorizationStatus",
        )

    def _documents(self, record: Payment) -> dict[str, Paid]:
        """What the payment pays, by key, as it stands now."""
        found: dict[str, Paid] = {}
        for kind in (INVOICES, CREDIT_NOTES):
            entries = [entry for key, _ in applied(record) if (entry := kind.entry(key)) is not None]
            for begin in range(0, len(entries), DOCUMENTS_AT_A_TIME):
                some = any_of("DocEntry", entries[begin : begin + DOCUMENTS_AT_A_TIME])
                for row in self._reading.rows(_standing(kind, some), "DocEntry"):
                    paid = self._paid(kind, row)
                    found[kind.key(paid.entry)] = paid
        return found

    def _paid(self, kind: Kind, row: Json) -> Paid:
        currency = self._books.iso(words(row, "DocCurrency"))
        foreign = currency != self._books.company.local_currency
        suffix, total = ("FC", "DocTotalFc") if foreign else ("", "DocTotal")
        name = f"PaidToDate{suffix}"
        branch = row.get("BPL_IDAssignedToInvoice")
        return Paid(
            kind=kind,
            entry=whole(row, "DocEntry"),
            number=words(row, "NumAtCard") or str(row["DocNum"]),
            supplier=text(row, "CardCode"),
            currency=currency,
            open=number(row, total) - number(row, name) if name in row else None,
            usable=row.get("DocumentStatus") in {"bost_Open", "O"} and not yes(row, "Cancelled"),
            branch=branch if isinstance(branch, int) and branch > 0 else None,
        )


def _posted_by_us(row: Json) -> bool:
    return ours(words(row, "TransferReference") or "", words(row, "Remarks") or "")


def from_payment(row: Json, books: Books) -> Found[Payment]:
    record = _record(row, books)
    state = DocumentState.ARCHIVED if record.status is PaymentStatus.VOIDED else DocumentState.PAID
    return Found(str(whole(row, "DocEntry")), record, words(row, "TransferReference"), state)


def payments(reading: Reading, books: Books, policy: Mapping[str, Any]) -> Whole[Payment]:
    """Source of Payment: payments to suppliers, all of them each time, because they have no stamp."""
    start = policy.get("from_date")
    first = date.fromisoformat(start) if isinstance(start, str) else start
    query = Query(PAYMENTS, SELECT, SUPPLIERS, optional=OPTIONAL)

    def convert(row: Json) -> Item[Payment]:
        problem = None
        try:
            record = _record(row, books)
        except Unsound as unsound:
            record, problem = _unsound(row, books), str(unsound)
        return Item(str(whole(row, "DocEntry")), record, invalid=problem)

    wanted = query.where(since("DocDate", first)) if first else query
    return Whole(reading, wanted, "DocEntry", convert, "payment", by_number=True)


def _record(row: Json, books: Books) -> Payment:
    """Raises Unsound for an amount or currency that cannot be told."""
    currency = books.iso(words(row, "DocCurrency"))
    entry = whole(row, "DocEntry")
    if not currency:
        raise Unsound(f"unmapped_code: The currency of payment {entry} in SAP Business One is no ISO 4217 code.")
    foreign = currency != books.company.local_currency
    name = "AppliedFC" if foreign else "SumApplied"
    transfer, cash = number(row, "TransferSum"), number(row, "CashSumFC" if foreign else "CashSum")
    checks = _sum(row, "PaymentChecks", "CheckSum")
    means = transfer + cash + checks + _sum(row, "PaymentCreditCards", "CreditSum")
    means += number(row, "BillOfExchangeAmount") if "BillOfExchangeAmount" in row else ZERO
    allocations = []
    for paid in members(row, "PaymentInvoices"):
        kind = TYPES.get(str(paid.get("InvoiceType")))
        key = kind.key(whole(paid, "DocEntry")) if kind else f"{paid.get('InvoiceType')}-{paid.get('DocEntry')}"
        value = amount(number(paid, name), currency)
        allocations.append(PaymentAllocation(invoice=key, gross=value, net=value))
    rate = number(row, "DocRate") if foreign else ZERO
    return Payment(
        supplier=text(row, "CardCode"),
        date=day(row, "DocDate") or date(1900, 1, 1),
        amount=amount(means, currency),
        currency=currency,
        method="check" if checks else "cash" if cash else "transfer" if transfer else "other",
        reference=words(row, "TransferReference") or str(whole(row, "DocNum")),
        status=PaymentStatus.VOIDED if yes(row, "Cancelled") else PaymentStatus.ISSUED,
        rate=rate or None,
        allocations=tuple(allocations),
    )


def _unsound(row: Json, books: Books) -> Payment:
    """What stands for a payment that cannot travel."""
    return Payment(
        supplier=text(row, "CardCode"),
        date=day(row, "DocDate") or date(1900, 1, 1),
        amount=number(row, "TransferSum"),
        currency=books.company.local_currency,
        status=PaymentStatus.UNKNOWN,
        allocations=(),
    )


def _sum(row: Json, members_name: str, name: str) -> Decimal:
    return sum((number(one, name) for one in members(row, members_name)), ZERO) if members_name in row else ZERO


def _standing(kind: Kind, condition: str) -> Query:
    """What is asked of documents before they are paid."""
    return Query(
        kind.entity,
        (
            "DocEntry", "DocNum", "NumAtCard", "CardCode", "DocCurrency", "DocTotal", "DocTotalFc", "PaidToDate",
            "PaidToDateFC", "DocumentStatus", "Cancelled", "BPL_IDAssignedToInvoice",
        ),
        condition,
        optional=frozenset({"PaidToDate", "PaidToDateFC", "BPL_IDAssignedToInvoice"}),
    )  # fmt: skip

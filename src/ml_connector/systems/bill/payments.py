"""Payment <- BILL payment; Payment -> a payment recorded in BILL as made outside it.

`singleStatus` says how far a payment is and is preferred to `status`, which spells CANCELLED with two L. A payment
can cover several bills: `billPayments[]` is the split, `amount` the whole. An outside payment has `onlinePayment`
false, moves no money and needs no second factor; overpaying a bill is refused (`BDC_1159`). Payments cannot be
filtered by bill. We never cancel or void a payment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ml_connector.domain.records import CreditUsed, Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import DocumentState, Found, Item, NotFound, Page, Ref, Refused
from ml_connector.systems.bill.currencies import Currencies
from ml_connector.systems.bill.lines import exact
from ml_connector.systems.bill.lists import (
    Rowed,
    Rows,
    amount,
    created_pages,
    day,
    instant,
    number,
    part,
    stamp,
    text,
    words,
)
from ml_connector.systems.bill.session import Bill, Json, identified
from ml_connector.systems.bill.settings import BillSettings

PATH = "/v3/payments"
RECORD_PATH = "/v3/bills/record-payment"

SINGLE_STATUSES = {
    "SCHEDULED": PaymentStatus.PENDING,
    "READY_TO_FUND": PaymentStatus.PENDING,
    "FUNDING_STARTED": PaymentStatus.IN_FLIGHT,
    "PROCESSED": PaymentStatus.ISSUED,
    "SENT": PaymentStatus.ISSUED,
    "DELIVERED": PaymentStatus.ISSUED,
    "CLEARED": PaymentStatus.ISSUED,
    "EXPIRING": PaymentStatus.ISSUED,
    "PARTIALLY_CLAIMED": PaymentStatus.ISSUED,
    "DISBURSEMENT_ON_HOLD": PaymentStatus.IN_FLIGHT,
    "CANCELLATION_IN_PROGRESS": PaymentStatus.IN_FLIGHT,
    "VOID_PENDING": PaymentStatus.IN_FLIGHT,
    "CANCELED": PaymentStatus.IN_FLIGHT,
    "VOIDED": PaymentStatus.IN_FLIGHT,
    "FUNDING_FAILED_VOIDED": PaymentStatus.IN_FLIGHT,
    "FUNDING_FAILED_ACTION_NEEDED": PaymentStatus.IN_FLIGHT,
    "DISBURSEMENT_FAILED_ACTION_NEEDED": PaymentStatus.IN_FLIGHT,
    "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED": PaymentStatus.IN_FLIGHT,
}
"""What the settings paid_when and reversed_when do not decide. A word that is missing here is unknown, never paid."""

FAILED = frozenset({"FUNDING_FAILED_VOIDED"})

FAILURES = {
    "FUNDING_FAILED_VOIDED": "BILL could not draw the money and voided the payment",
    "FUNDING_FAILED_ACTION_NEEDED": "BILL could not draw the money; somebody has to act in BILL",
    "DISBURSEMENT_FAILED_ACTION_NEEDED": "the money did not reach the vendor; somebody has to act in BILL",
    "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED": "the vendor's bank sent the money back",
}
"""What went wrong, for people. BILL itself names only the state."""

IN_FORCE = frozenset({"TO_BE_PROCESSED", "ACCEPTED"})
"""States of a void that count; the others were refused or had no effect."""
AGAIN = timedelta(days=30)
"""For so long after its process date a payment is read again each night: a void may come late."""

OUTSIDE_STATUSES = {"PAID": PaymentStatus.CLEARED, "VOID": PaymentStatus.VOIDED, "CANCELLED": PaymentStatus.VOIDED}
"""By `status`, for outside payments, whose `singleStatus` may be absent or UNDEFINED."""

METHODS = {
    "ACH": "ach",
    "CHECK": "check",
    "RPPS": "epayment",
    "AMEX": "virtual_card",
    "VIRTUAL_CARD": "virtual_card",
    "WALLET": "other",
    "OFFLINE": "offline",
    "INTERNATIONAL_E_PAYMENT": "wire",
}

REFERENCES = (
    "disbursementInfo.checkDisbursement.checkNumber",
    "disbursementInfo.rppsDisbursement.traceNumber",
    "disbursementInfo.vcardDisbursement.last4CardNumber",
    "confirmationNumber",
    "transactionNumber",
)
"""Where the number lies by which people know a payment, best first."""


def from_payment(row: Json, currency: str, settings: BillSettings) -> Payment:
    return Payment(
        supplier=text(row, "vendorId"),
        date=day(row, "processDate"),
        amount=amount(number(row, "amount") or Decimal(0), currency),
        currency=currency,
        method="offline"
        if row.get("onlinePayment") is False
        else METHODS.get(str(row.get("disbursementType")), "other"),
        reference=_reference(row),
        status=status_of(row, settings),
        status_text=words(row, "singleStatus") or words(row, "status"),
        failure=_failure(row),
        credited=any(void.get("type") == "VOID_AND_CREDIT" for void in _voids(row)),
        base_amount=number(row, "fundingAmount"),
        rate=number(row, "exchangeRate"),
        allocations=tuple(_allocations(row, currency)),
    )


def status_of(row: Json, settings: BillSettings) -> PaymentStatus:
    """Whole words are compared; what nobody has named is unknown."""
    single = words(row, "singleStatus") or "UNDEFINED"
    if single in settings.paid_when:
        return PaymentStatus.CLEARED
    if single in settings.reversed_when:
        return PaymentStatus.FAILED if single in FAILED else PaymentStatus.VOIDED
    if single in SINGLE_STATUSES:
        return SINGLE_STATUSES[single]
    if single == "UNDEFINED" and row.get("onlinePayment") is False:
        return OUTSIDE_STATUSES.get(words(row, "status") or "", PaymentStatus.UNKNOWN)
    return PaymentStatus.UNKNOWN


def to_outside_payment(payment: Payment, mark: str) -> Json:
    """The body of record-payment; the mark is its `transactionNumber`. Raises Refused for what cannot be recorded."""
    about = f"the payment of {payment.date}"
    if not payment.allocations:
        raise Refused("field_missing", f"{about.capitalize()} names no invoice that it pays.", "allocations")
    return {
        "vendorId": payment.supplier,
        "processDate": payment.date.isoformat(),
        "toPrintCheck": False,
        "transactionNumber": mark,
        "payments": [
            {"billId": paid.invoice, "amount": exact(paid.net, payment.currency, about)} for paid in payment.allocations
        ],
    }


class OutsidePayments:
    """Target of Payment: records what was paid outside BILL, so that nobody pays it again."""

    def __init__(self, bill: Bill, currencies: Currencies) -> None:
        self.bill = bill
        self.currencies = currencies

    def find(self, record: Payment, mark: str) -> list[Found[Payment]]:
        """The vendor's payments with our mark, else those with the same date, amount and bills."""
        about = f"the search for {_about(record)}"
        filters = [f"vendorId:eq:{record.supplier}"]
        found = [
            self._found(row)
            for page in created_pages(self.bill, PATH, filters=filters, about=about)
            for row in page.rows
        ]
        marked = [hit for hit in found if hit.mark == mark]
        return marked or [hit for hit in found if not self.identity_differences(record, hit.record)]

    def get(self, key: str) -> Found[Payment] | None:
        row = self.bill.one(PATH, key, about=f"payment {key}")
        return None if row is None else self._found(row)

    def create(self, record: Payment, mark: str) -> Ref:
        try:
            answer = self.bill.write("POST", RECORD_PATH, to_outside_payment(record, mark), about=_about(record))
        except NotFound as gone:
            refusal = str(gone)
        else:
            row = identified(answer)
            return Ref(str(row["id"]), amount=number(row, "amount"))
        raise Refused("reference_missing", f"BILL no longer has the vendor or a bill of {_about(record)}. {refusal}")

    def update(self, ref: Ref, record: Payment, mark: str) -> Ref:
        raise Refused("unsupported", f"BILL cannot change {_about(record)}; void it in BILL, then it is recorded anew.")

    def cancel(self, ref: Ref, reason: str) -> None:
        raise Refused("unsupported", f"Payments in BILL are voided by people only: void payment {ref.key} in BILL.")

    def identity_differences(self, sent: Payment, found: Payment) -> list[str]:
        """Supplier, currency, amount, date and the bills paid, each with its amount."""
        pairs: dict[str, tuple[Any, Any]] = {
            "supplier": (sent.supplier, found.supplier),
            "currency": (sent.currency, found.currency),
            "amount": (sent.amount, found.amount),
            "date": (sent.date, found.date),
            "allocations": (_split(sent.allocations), _split(found.allocations)),
        }
        return [name for name, (ours, theirs) in pairs.items() if ours != theirs]

    def differences(self, sent: Payment, found: Payment) -> list[str]:
        return self.identity_differences(sent, found)

    def _found(self, row: Json) -> Found[Payment]:
        record = from_payment(row, self.currencies.of(text(row, "vendorId")), self.bill.settings)
        taken_back = record.status in {PaymentStatus.VOIDED, PaymentStatus.FAILED}
        state = DocumentState.ARCHIVED if taken_back else DocumentState.PAID
        return Found(text(row, "id"), record, words(row, "transactionNumber"), state, None, stamp(row))


class PaymentsMade(Rowed[Payment]):
    """Source of Payment; its sweep reads again what was paid lately, because a void may leave the stamp as it is."""

    def sweep(self) -> Iterator[Page[Payment]]:
        since = f"processDate:gte:{(self.bill.access.now() - AGAIN).date().isoformat()}"
        for page in self._lately(since):
            yield Page([self.convert(row) for row in page.rows], None, page.digest)

    def _lately(self, since: str) -> Iterator[Rows]:
        """Those of the last weeks; all, where BILL does not filter by that date."""
        about = "the list of late payments"
        try:
            yield from created_pages(self.bill, PATH, filters=[since], about=about)
        except Refused as refused:
            if refused.code != "filter_refused":
                raise
        else:
            return
        yield from created_pages(self.bill, PATH, about=about)


def payments(bill: Bill, currencies: Currencies) -> PaymentsMade:
    """Source of Payment. A payment whose parts do not make its whole is yielded as invalid."""

    def convert(row: Json) -> Item[Payment]:
        record = from_payment(row, currencies.of(text(row, "vendorId")), bill.settings)
        split = sum((paid.net for paid in record.allocations), Decimal(0))
        wrong = None
        if split != record.amount:
            wrong = f"totals_differ: BILL states {record.amount} {record.currency} and splits {split} over bills."
        return Item(text(row, "id"), record, stamp(row), instant(row), invalid=wrong)

    return PaymentsMade(bill, PATH, "payment", convert)


def _allocations(row: Json, currency: str) -> Iterator[PaymentAllocation]:
    split = row.get("billPayments")
    if isinstance(split, list) and split:
        for paid in split:
            net = amount(number(paid, "amount") or Decimal(0), currency)
            credits = tuple(
                CreditUsed(ref=text(used, "id"), amount=amount(number(used, "amount") or Decimal(0), currency))
                for used in paid.get("vendorCredits") or []
            )
            credit = sum((used.amount for used in credits), Decimal(0))
            yield PaymentAllocation(
                invoice=text(paid, "billId"), gross=net + credit, net=net, credit=credit, credits=credits
            )
        return
    bill_id = words(row, "billId")
    if bill_id:
        whole = amount(number(row, "amount") or Decimal(0), currency)
        yield PaymentAllocation(invoice=bill_id, gross=whole, net=whole)


def _voids(row: Json) -> list[Json]:
    """The voids of a payment that are in force, oldest first."""
    voids = row.get("voidInfo")
    rows = [void for void in voids if isinstance(void, dict)] if isinstance(voids, list) else []
    return [void for void in rows if void.get("status") in IN_FORCE]


def _failure(row: Json) -> str | None:
    state = words(row, "singleStatus") or ""
    if state not in FAILURES:
        return None
    reasons = [reason for void in _voids(row) if (reason := words(void, "reason"))]
    return ". ".join([f"{FAILURES[state]} ({state})", *reasons[-1:]])


def _reference(row: Json) -> str | None:
    for name in REFERENCES:
        value = part(row, name)
        if value not in (None, ""):
            return str(value)
    return None


def _split(allocations: Sequence[PaymentAllocation]) -> list[tuple[str, Decimal]]:
    return sorted((paid.invoice, paid.net) for paid in allocations)


def _about(record: Payment) -> str:
    return f"the outside payment of {record.amount} {record.currency} on {record.date}"

"""What is paid, scheduled and credited on each bill, and how much of each credit is used.

    dueAmount = amount - creditAmount - scheduledAmount - paidAmount

A payment walks SCHEDULED, in process, settled; a void or cancellation gives its bills back.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.sandbox.bill.reading import cents
from ml_connector.sandbox.bill.records import Books
from ml_connector.sandbox.standin import Row

WAITING = frozenset({"SCHEDULED", "READY_TO_FUND"})
SETTLED = frozenset({"CLEARED", "FUNDS_ESCHEATED"})
UNDONE = frozenset({"CANCELED", "VOIDED", "FUNDING_FAILED_VOIDED"})
IN_PROCESS = frozenset(
    {
        "FUNDING_STARTED",
        "PROCESSED",
        "SENT",
        "DELIVERED",
        "DISBURSEMENT_ON_HOLD",
        "CANCELLATION_IN_PROGRESS",
        "VOID_PENDING",
        "FUNDING_FAILED_ACTION_NEEDED",
        "DISBURSEMENT_FAILED_ACTION_NEEDED",
        "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
        "PARTIALLY_CLAIMED",
        "EXPIRING",
        "UNDEFINED",
    }
)
SINGLE_STATUSES = WAITING | IN_PROCESS | SETTLED | UNDONE
NOTHING = Decimal("0.00")
LOCAL_CURRENCY = "USD"
EXCHANGE_RATES = {"EUR": Decimal("1.080000"), "GBP": Decimal("1.270000"), "CAD": Decimal("0.720000")}


@dataclass(frozen=True)
class Use:
    """Money or credit that goes to one bill."""

    bill: str
    cash: Decimal
    credits: tuple[tuple[str, Decimal], ...]
    status: str


class Ledger:
    """Derives the amounts and states of bills and credits from what was applied to them."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._by_source: dict[str, list[Use]] = {}
        self._sources_of: dict[str, set[str]] = defaultdict(set)

    def apply_credits(self, bill: Row, credits: Iterable[tuple[str, Decimal]]) -> None:
        """Credits that a bill uses from its creation on."""
        self._record(bill["id"], [Use(bill["id"], NOTHING, tuple(credits), "CLEARED")])

    def apply_payment(self, payment: Row) -> None:
        """Takes a payment as it now is; its bills and credits follow."""
        self._record(payment["id"], [_use(row, payment["singleStatus"]) for row in payment["billPayments"]])

    def forget(self, source: str) -> None:
        self._record(source, [])

    def open_amount(self, bill: Row) -> Decimal:
        """What can still be paid: not yet scheduled, paid or credited."""
        return cents(bill["amount"]) - sum((use.cash + _sum(use.credits) for use in self._uses(bill["id"])), NOTHING)

    def unused(self, credit: Row) -> Decimal:
        return cents(credit["amount"]) - self._applied(credit["id"])[0]

    def payments_of(self, bill: Row) -> list[Row]:
        sources = sorted(self._sources_of[bill["id"]])
        return [row for row in map(self._books.payments.get, sources) if row is not None]

    def settle_bill(self, bill: Row) -> None:
        """Sets the amounts and the paymentStatus of a bill. Zero amounts other than dueAmount are left out."""
        uses = list(self._uses(bill["id"]))
        paid = sum((use.cash for use in uses if use.status in SETTLED), NOTHING)
        scheduled = sum((use.cash for use in uses if use.status not in SETTLED), NOTHING)
        credit = sum((_sum(use.credits) for use in uses), NOTHING)
        amount = cents(bill["amount"])
        for name, value in (("paidAmount", paid), ("scheduledAmount", scheduled), ("creditAmount", credit)):
            if value or name in bill:
                bill[name] = value
        bill["dueAmount"] = amount - credit - scheduled - paid
        bill["paymentStatus"] = self._status(amount, paid, credit, uses)
        self._convert(bill)

    def settle_credit(self, credit: Row) -> None:
        applied, in_process = self._applied(credit["id"])
        amount = cents(credit["amount"])
        if applied or "appliedAmount" in credit:
            credit["appliedAmount"] = applied
        if not applied:
            credit["status"] = "NOT_APPLIED"
        elif in_process:
            credit["status"] = "IN_PROCESS"
        else:
            credit["status"] = "FULLY_APPLIED" if applied >= amount else "PARTIALLY_APPLIED"

    def _record(self, source: str, uses: list[Use]) -> None:
        before = self._by_source.pop(source, [])
        for use in before:
            self._forget_source(source, use)
        if uses:
            self._by_source[source] = uses
        for use in uses:
            for owner in (use.bill, *(credit for credit, _ in use.credits)):
                self._sources_of[owner].add(source)
        self._refresh([*before, *uses])

    def _forget_source(self, source: str, use: Use) -> None:
        for owner in (use.bill, *(credit for credit, _ in use.credits)):
            self._sources_of[owner].discard(source)

    def _refresh(self, uses: list[Use]) -> None:
        for identifier in dict.fromkeys(use.bill for use in uses):
            bill = self._books.bills.get(identifier)
            if bill is not None:
                self.settle_bill(bill)
                if self._books.options.bill_updated_on_payment:
                    bill["updatedTime"] = self._books.stamp()
        for identifier in dict.fromkeys(credit for use in uses for credit, _ in use.credits):
            row = self._books.credits.get(identifier)
            if row is not None:
                self.settle_credit(row)
                row["updatedTime"] = self._books.stamp()

    def _uses(self, bill: str) -> list[Use]:
        """Every use for the bill that has not been undone."""
        return [
            use
            for source in self._sources_of.get(bill, ())
            for use in self._by_source[source]
            if use.bill == bill and use.status not in UNDONE
        ]

    def _applied(self, credit: str) -> tuple[Decimal, bool]:
        """How much of a credit is used, and whether a part of it is still in process."""
        uses = [
            (amount, use.status)
            for source in self._sources_of.get(credit, ())
            for use in self._by_source[source]
            for identifier, amount in use.credits
            if identifier == credit and use.status not in UNDONE
        ]
        return sum((amount for amount, _ in uses), NOTHING), any(status not in SETTLED for _, status in uses)

    def _status(self, amount: Decimal, paid: Decimal, credit: Decimal, uses: list[Use]) -> str:
        if amount > 0 and paid + credit >= amount:
            return "PAID"
        moving = {use.status for use in uses if use.cash} - SETTLED
        if moving:
            return "IN_PROCESS" if moving - WAITING else "SCHEDULED"
        return self._books.options.partly_paid if paid else "UNPAID"

    def _convert(self, bill: Row) -> None:
        """A bill in a foreign currency also shows its amount in USD."""
        currency = self._books.vendor_currency(bill["vendorId"])
        if currency != LOCAL_CURRENCY:
            rate = EXCHANGE_RATES.get(currency, Decimal("1.000000"))
            bill["exchangeRate"] = rate
            bill["fundingAmount"] = cents(cents(bill["amount"]) * rate)


def _use(row: Row, status: str) -> Use:
    credits = tuple((credit["id"], cents(credit["amount"])) for credit in row.get("vendorCredits", ()))
    return Use(row["billId"], cents(row["amount"]), credits, status)


def _sum(credits: Iterable[tuple[str, Decimal]]) -> Decimal:
    return sum((amount for _, amount in credits), NOTHING)

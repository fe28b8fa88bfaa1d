"""Payment -> mark-as-paid. Procurify knows a bill as paid or not: no amount, no reference, and nothing takes it back.

Only an approved bill without a payment can be marked. What becomes of a list in which one cannot is not known, so bills
go one by one, and each is read before and after. The answer's body says nothing that the bill does not say better.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ml_connector.domain.money import MINOR_UNITS, rounded
from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import (
    DocumentState,
    Found,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Ref,
    Refused,
    ShapeChanged,
)
from ml_connector.systems.procurify.approved import bill
from ml_connector.systems.procurify.bills import APPROVED, PAID
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.reading import pages
from ml_connector.systems.procurify.rows import ZERO, day, ident, maybe_ident, number, part, unique, whole, words
from ml_connector.systems.procurify.session import Domain, Json

PATH = "/api/v3/ap/bills/mark-as-paid/"
PAYMENTS = "/api/public/v1/payments/"
OLD_PAYMENTS = "/api/v2/ap/payments/"
"""Announced for removal in 2026: asked only where the new list is not there."""

OWN_PAYMENT = frozenset({6, 7, 8})
"""Statuses of bills that Procurify is about to pay itself."""
TAKEN_BACK = frozenset({PaymentStatus.VOIDED, PaymentStatus.FAILED})
UNDER_WAY = frozenset({"pending_approval", "approved", "paid", "processing", "scheduled"})
"""Of Procurify's own payments: those that pay a bill, or will."""


class PaidMarks:
    """Target of Payment. One payment of one invoice, which it pays in full."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def find(self, record: Payment, mark: str) -> list[Found[Payment]]:
        """The bill, where it is paid already."""
        row = self._bill(self._allocation(record).invoice)
        return [self._found(row, record)] if _is_paid(row) else []

    def get(self, key: str) -> Found[Payment] | None:
        found = bill(self.domain, key)
        return None if found is None or not _is_paid(found[0]) else self._found(found[0])

    def create(self, record: Payment, mark: str) -> Ref:
        """Marks the bill, then reads what became of it: only that counts (R11, R12)."""
        row = self._bill(self._allocation(record).invoice)
        self._check(row, record)
        key, about = unique(row, "uuid"), _about(row)
        body = {"bill_uuids": [key], "payment_date": record.date.isoformat()}
        self.domain.write("POST", PATH, body, about=f"marking {about} as paid")
        after = bill(self.domain, key)
        if after is None or not _is_paid(after[0]):
            raise OutcomeUnknown(f"{NAME} answered that {about} was marked as paid, but does not show it so.")
        return Ref(key)

    def update(self, ref: Ref, record: Payment, mark: str) -> Ref:
        if record.status in TAKEN_BACK:
            raise self._for_good(ref)
        return ref

    def cancel(self, ref: Ref, reason: str) -> None:
        raise self._for_good(ref)

    def identity_differences(self, sent: Payment, found: Payment) -> list[str]:
        """The bill and its currency: of the payment itself Procurify says nothing."""
        pairs = {
            "allocations": [part.invoice for part in sent.allocations] == [part.invoice for part in found.allocations],
            "currency": sent.currency == found.currency,
        }
        return [name for name, same in pairs.items() if not same]

    def differences(self, sent: Payment, found: Payment) -> list[str]:
        taken_back = (sent.status in TAKEN_BACK) != (found.status in TAKEN_BACK)
        return [*self.identity_differences(sent, found), *(["status"] if taken_back else [])]

    def _check(self, row: Json, record: Payment) -> None:
        """Raises Refused for what cannot be marked, before anything leaves."""
        about, gross, part_of = _about(row), _gross(row), self._allocation(record)
        if record.status in TAKEN_BACK:
            raise Refused(
                "void_after_payment", f"The payment of {about} was taken back before {NAME} knew of it.", "status"
            )
        if _currency(row) != record.currency:
            raise Refused(
                "currency_not_allowed",
                f"{about} is in {_currency(row)} in {NAME}, and the payment in {record.currency}. Compare both sides.",
                "currency",
            )
        if part_of.gross != gross:
            raise Refused(
                "part_paid",
                f"{about} comes to {gross} {record.currency}, of which this payment settles {part_of.gross}. {NAME} "
                "knows paid or not: once all of it is paid, mark it there by hand.",
                "allocations",
            )
        status = whole(row, "status")
        if status in OWN_PAYMENT or part(row, "bill_payment") or (status == APPROVED and self._under_way(row)):
            raise NoLonger(
                "paid_elsewhere",
                f"{about} has a payment of its own in {NAME}, and the ERP has paid it too. Stop one of them before "
                "the money leaves twice.",
                "bill_payment",
            )
        if status != APPROVED:
            raise NoLonger(
                "not_approved",
                f"{about} is not approved in {NAME} (status {status}), so it cannot be marked as paid. Approve it "
                "there, or mark it by hand.",
                "status",
            )

    def _under_way(self, row: Json) -> bool:
        """Whether a payment in Procurify names the bill's group; bills without one have none."""
        group = maybe_ident(row, "group")
        if group is None:
            return False
        try:
            found = [
                one
                for batch in pages(self.domain, PAYMENTS, {"bill_groups": group}, about=f"payments of {_about(row)}")
                for one in batch.rows
            ]
        except ShapeChanged as gone:
            if gone.field != "path":
                raise
            return self._under_way_of_old(row)
        return any(_names(one, group) and words(one, "status") in UNDER_WAY for one in found)

    def _under_way_of_old(self, row: Json) -> bool:
        """By the list that is announced for removal. With neither list, the bill's own word counts."""
        number_of = words(row, "invoice_number") or ""
        try:
            found = [
                one
                for batch in pages(self.domain, OLD_PAYMENTS, {"search": number_of}, about=f"payments of {_about(row)}")
                for one in batch.rows
            ]
        except ShapeChanged as gone:
            if gone.field != "path":
                raise
            return False
        return any(
            maybe_ident(paid, "bill") == ident(row, "id") and whole(one, "status") in {1, 2, 5, 6, 7, 9}
            for one in found
            for paid in one.get("bill_payments") or []
        )

    def _bill(self, key: str) -> Json:
        found = bill(self.domain, key)
        if found is None:
            raise NotFound(f"{NAME} has no bill {key} any more, which a payment settles.")
        return found[0]

    def _allocation(self, record: Payment) -> PaymentAllocation:
        if len(record.allocations) != 1:
            raise Refused(
                "unsupported",
                f"The payment of {record.amount} {record.currency} on {record.date} settles "
                f"{len(record.allocations)} invoices; {NAME} is told of one at a time.",
                "allocations",
            )
        return record.allocations[0]

    def _found(self, row: Json, sent: Payment | None = None) -> Found[Payment]:
        key, gross = unique(row, "uuid"), _gross(row)
        payment = part(part(row, "bill_payment"), "payment")
        record = Payment(
            supplier=maybe_ident(row, "vendor") or "",
            date=day(payment, "payment_date", self.domain.options.zone) or (sent.date if sent else date(1900, 1, 1)),
            amount=gross,
            currency=_currency(row),
            status=PaymentStatus.ISSUED,
            status_text="paid",
            allocations=(PaymentAllocation(invoice=key, gross=gross, net=gross),),
        )
        return Found(key, record, None, DocumentState.PAID)

    def _for_good(self, ref: Ref) -> NoLonger:
        return NoLonger(
            "void_after_payment",
            f"Bill {ref.key} is marked as paid in {NAME}, which nobody can take back from outside. The payment was "
            "taken back in the ERP: settle the bill with the AP team there.",
            "status",
        )


def _names(payment: Json, group: str) -> bool:
    """Whether a payment is of the bill's group: a filter that is not known is passed over."""
    groups = payment.get("bill_groups")
    return isinstance(groups, list) and group in map(str, groups)


def _is_paid(row: Json) -> bool:
    return whole(row, "status") == PAID


def _currency(row: Json) -> str:
    return (words(part(row, "currency"), "name") or "").upper()


def _gross(row: Json) -> Decimal:
    value = number(row, "invoice_total")
    if value is None:
        value = (number(row, "total_cost_with_tax") or ZERO) + (number(row, "shipping_amount") or ZERO)
    return rounded(value, _currency(row)) if _currency(row) in MINOR_UNITS else value


def _about(row: Json) -> str:
    return f"bill {words(row, 'invoice_number') or unique(row, 'uuid')} of {words(part(row, 'vendor'), 'name') or '?'}"

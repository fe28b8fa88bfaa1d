"""Payments that the platform made, in the terms of the system that owns the invoices.

Supplier, invoices and credit notes are what other Flows of the Integration have written to the platform: their Links
are followed backwards. Only what the source says is paid is posted; what it has taken back is cancelled, and what is
neither waits for its next state. A payment that is made again after it was taken back is a new cycle: its mark and its
Link are not those of the one that was cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from ml_connector.domain.money import Money
from ml_connector.domain.records import CreditUsed, Invoice, Payment, PaymentAllocation, PaymentStatus, decode
from ml_connector.sync import cycles
from ml_connector.sync.flows import declaration, document_flows, policy, spec_of
from ml_connector.sync.models import Flow, Link, Record
from ml_connector.sync.problems import Cause
from ml_connector.sync.resolved import Held, Resolved, Skip

RATE_STEP = Decimal("0.000001")

OUTSIDE = "offline"
"""The method of a payment that the source has not made, and that its money did not pass through."""
TAKEN_BACK = frozenset({PaymentStatus.VOIDED, PaymentStatus.FAILED})
"""No money has gone, or it has come back."""


@dataclass(frozen=True)
class Part:
    """One bill of a payment: what it is applied to, or why that cannot be told."""

    allocation: PaymentAllocation | None
    stranger: str = ""
    """What the payment pays that did not come from the other side."""
    misplaced: str = ""
    """A credit that lowered another invoice there."""


class Paying:
    """Resolves the payments of one Flow."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.integration = flow.integration
        spec, page = spec_of(flow), declaration(flow.integration)
        self.source, self.target = page.system(spec.source).label, page.system(spec.target).label
        declared = {setting.name for setting in spec.policies}
        self.posts_known = "unmatched" in declared and policy(flow, "unmatched") == "post_known"
        self.start = _date(policy(flow, "paid_from")) if "paid_from" in declared else None
        self._credit_flows = [other.pk for other in document_flows(self.integration, "credit_note")]

    def resolve(self, record: Record, payment: Payment, link: Link | None) -> Resolved | Held | Skip:
        """What becomes of a payment by its state. `link`: its posting, unless that was cancelled."""
        ended = cycles.ended(self.flow, record.key)
        payment = msgspec.structs.replace(payment, cycle=ended + 1)
        if link is None and payment.method == OUTSIDE:
            return Skip(f"Made outside {self.source} and only recorded there: whoever made it books it.")
        if payment.status is PaymentStatus.UNKNOWN:
            return Held((self._unknown(record, payment, link),))
        if payment.status is PaymentStatus.CLEARED:
            return self._paid(record, payment, link)
        if payment.status in TAKEN_BACK:
            return self._taken_back(record, payment, link, ended)
        return self._waits(record, payment, link)

    def _waits(self, record: Record, payment: Payment, link: Link | None) -> Held | Skip:
        """Neither paid nor taken back."""
        if payment.failure:
            return Held((self._failed(record, payment, posted=link is not None),))
        word = payment.status_text or payment.status
        if link is not None:
            return Skip(f"Posted; {self.source} now says {word}. Nothing is changed until it is taken back.")
        return Skip(f"{self.source} says {word}: it is posted once it is paid.")

    def _taken_back(self, record: Record, payment: Payment, link: Link | None, ended: int) -> Resolved | Held | Skip:
        if link is not None:
            return Resolved(payment, link, {}, self._to_know(record, payment))
        if ended:
            return Skip(f"Taken back in {self.source}; its payment in {self.target} was cancelled.")
        if payment.status is PaymentStatus.FAILED:
            return Held((self._failed(record, payment, posted=False),))
        return Skip(f"Taken back in {self.source} before it was posted.")

    # --- what is paid

    def _paid(self, record: Record, payment: Payment, link: Link | None) -> Resolved | Held | Skip:
        if link is None and self.start is not None and payment.date < self.start:
            return Skip(f"Made before {self.start.isoformat()}, from which on payments are posted (paid_from).")
        supplier = self._source_key("supplier", payment.supplier)
        parts = [self._part(allocation) for allocation in payment.allocations]
        known = tuple(part.allocation for part in parts if part.allocation is not None)
        strangers = [part.stranger for part in parts if part.stranger]
        misplaced = [part.misplaced for part in parts if part.misplaced]
        if misplaced:
            return Held((self._misplaced(record, payment, misplaced),))
        if supplier is None or not known or (strangers and not self.posts_known):
            return Held((self._unmatched(record, payment, strangers, known=len(known)),))
        amount = sum((allocation.net for allocation in known), Decimal(0))
        resolved = msgspec.structs.replace(
            payment, supplier=supplier, amount=amount, rate=_rate(payment), allocations=known
        )
        warnings = (self._posted_in_part(record, payment, strangers, amount),) if strangers else ()
        return Resolved(resolved, link, {}, warnings)

    def _part(self, paid: PaymentAllocation) -> Part:
        invoice = self._source_key("invoice", paid.invoice)
        if invoice is None:
            return Part(None, stranger=f"bill {paid.invoice}")
        credits: list[CreditUsed] = []
        for used in paid.credits:
            ref = self._source_key("credit_note", used.ref)
            if ref is None:
                return Part(None, stranger=f"credit {used.ref}")
            corrects = self._corrected_by(ref)
            if corrects is None:
                credits.append(msgspec.structs.replace(used, ref=ref))
            elif corrects != invoice:
                return Part(None, misplaced=self._number(ref))
        # A credit note that is based on its invoice has lowered it in its own books: only the cash is left to apply.
        credit = sum((used.amount for used in credits), Decimal(0))
        return Part(
            msgspec.structs.replace(
                paid,
                invoice=invoice,
                gross=paid.net + paid.discount + credit,
                credit=credit,
                credits=tuple(credits),
            )
        )

    def _source_key(self, link_type: str, target_key: str) -> str | None:
        """What a document or supplier of the platform is called where it came from."""
        rows = Link.objects.of(self.flow.workspace_id).filter(
            integration=self.integration, type=link_type, target_key=target_key
        )
        return rows.values_list("source_key", flat=True).first()

    def _credit(self, key: str) -> Record | None:
        rows = Record.objects.of(self.flow.workspace_id).filter(flow_id__in=self._credit_flows, key=key)
        return rows.first()

    def _corrected_by(self, key: str) -> str | None:
        """The invoice that a credit note is based on."""
        record = self._credit(key)
        value = decode("invoice", bytes(record.payload)) if record is not None else None
        return value.corrects if isinstance(value, Invoice) else None

    def _number(self, key: str) -> str:
        record = self._credit(key)
        return record.number if record is not None else key

    # --- what people are told

    def _named(self, record: Record, payment: Payment) -> str:
        reference = f" ({payment.reference})" if payment.reference else ""
        return f"Payment {record.key}{reference} over {Money(payment.amount, payment.currency)} of {payment.date}"

    def _unknown(self, record: Record, payment: Payment, link: Link | None) -> Cause:
        posted = f"It is posted in {self.target} already." if link is not None else "Nothing is posted."
        return Cause(
            "unknown_status",
            record.key,
            f"{self._named(record, payment)} is in a state that is not known:"
            f" {payment.status_text or 'none'}. {posted}",
            f"Look the payment up in {self.source}. If the state means that it is paid, or that it was taken back, name"
            " it in the Connection's settings paid_when or reversed_when; otherwise it follows when its state changes.",
            detail={"status": payment.status_text or ""},
        )

    def _failed(self, record: Record, payment: Payment, *, posted: bool) -> Cause:
        state = "It stays posted" if posted else "Nothing was posted"
        return Cause(
            "payment_failed",
            record.key,
            f"{self._named(record, payment)} did not reach the supplier: {payment.failure or 'no reason is given'}."
            f" {state} in {self.target}.",
            f"Settle it in {self.source}: what becomes of it there follows by itself. If it was paid in another way,"
            " skip this one with a reason.",
        )

    def _to_know(self, record: Record, payment: Payment) -> tuple[Cause, ...]:
        """What people must know although the posting is cancelled."""
        if payment.credited:
            return (
                Cause(
                    "void_left_credit",
                    record.key,
                    f"{self._named(record, payment)} was voided in {self.source} for a credit: its payment in"
                    f" {self.target} is cancelled and the invoices are open again, but the money did not come back.",
                    f"Book the credit with the supplier in {self.target}, then accept this with a reason.",
                    blocks=False,
                    detail={"records": [record.pk]},
                ),
            )
        if payment.status is PaymentStatus.FAILED:
            failed = self._failed(record, payment, posted=False)
            text = failed.text.replace("Nothing was posted in", "Its payment was cancelled in")
            fix = f"Pay the invoices again in {self.source}, then accept this with a reason."
            return (Cause(failed.cause, record.key, text, fix, blocks=False, detail={"records": [record.pk]}),)
        return ()

    def _unmatched(self, record: Record, payment: Payment, strangers: Sequence[str], *, known: int) -> Cause:
        what = ", ".join(strangers[:5]) + (f" and {len(strangers) - 5} more" if len(strangers) > 5 else "")
        of = what or (f"its vendor {payment.supplier}" if payment.allocations else "it names no bill")
        part = f" The other {known} of its bills did." if known and strangers else ""
        return Cause(
            "payment_unmatched",
            record.key,
            f"{self._named(record, payment)} pays what did not come from {self.target}: {of}.{part} Nothing was"
            " posted.",
            f"Post it in {self.target} by hand and skip it here; or enter the missing invoices there, let them travel,"
            " and link them. The policy unmatched=post_known posts the part that is known.",
            detail={"unknown": list(strangers)},
        )

    def _misplaced(self, record: Record, payment: Payment, credits: Sequence[str]) -> Cause:
        return Cause(
            "payment_unmatched",
            record.key,
            f"{self._named(record, payment)} uses credit note {', '.join(credits)} for another invoice than the one"
            f" that it has lowered in {self.target}. Nothing was posted.",
            f"Post it in {self.target} by hand as it should be, and skip it here with a reason.",
            detail={"credits": list(credits)},
        )

    def _posted_in_part(self, record: Record, payment: Payment, strangers: Sequence[str], amount: Decimal) -> Cause:
        rest = Money(payment.amount - amount, payment.currency)
        return Cause(
            "payment_unmatched",
            record.key,
            f"{self._named(record, payment)} was posted without {rest}, which pays what did not come from"
            f" {self.target}: {', '.join(strangers[:5])}.",
            f"Post the rest in {self.target} by hand, then accept this with a reason.",
            blocks=False,
            detail={"records": [record.pk], "unknown": list(strangers)},
        )


def _rate(payment: Payment) -> Decimal | None:
    """What one unit of the payment's currency cost, from the money that was drawn. None where it was drawn in the same
    currency, or where that is not said: then the target's own rate of the day applies."""
    if payment.base_amount is None or not payment.amount or payment.base_amount == payment.amount:
        return None
    return (payment.base_amount / payment.amount).quantize(RATE_STEP, rounding=ROUND_HALF_UP)


def _date(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value

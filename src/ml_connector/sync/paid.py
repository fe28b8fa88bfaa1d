"""The payments of a tie-out: what each took off the target's bills, and how far its posting in the source is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ml_connector.domain.money import to_units
from ml_connector.domain.records import Payment, PaymentStatus, decode
from ml_connector.sync.clearing import LEFT_OUT, payment_flows
from ml_connector.sync.differences import Paid, Reason
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import Flow, Integration, Link, Record, State
from ml_connector.sync.paying import TAKEN_BACK


@dataclass(frozen=True, slots=True)
class Paying:
    """What one payment takes off one bill."""

    paid: Paid
    posted_at: datetime | None
    """None: it is not posted."""


def payments_by_bill(integration: Integration) -> dict[str, list[Paying]]:
    """By the bill's key in the target; what waits for people first."""
    found: dict[str, list[Paying]] = {}
    for flow in payment_flows(integration):
        links = Link.objects.of(flow.workspace_id).filter(integration=integration, type=spec_of(flow).link_type)
        posted = dict(links.values_list("source_key", "made_at"))
        for record, payment in _payments(flow):
            at = posted.get(record.key)
            reason = _reason(record, payment, posted=at is not None)
            if reason is None:
                continue
            for part in payment.allocations:
                paid = Paid(reason, to_units(part.net), record.number or record.key, record.pk)
                found.setdefault(part.invoice, []).append(Paying(paid, at))
    order = list(Reason)
    for several in found.values():
        several.sort(key=lambda one: (one.paid.reason is not Reason.PAYMENT_HELD, order.index(one.paid.reason)))
    return found


def _payments(flow: Flow) -> Iterator[tuple[Record, Payment]]:
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow, gone=False).only("key", "number", "payload", "state")
    for record in rows.iterator():
        yield record, decode("payment", bytes(record.payload))


def _reason(record: Record, payment: Payment, *, posted: bool) -> Reason | None:
    """Why both sides may show it differently; None for what neither counts."""
    if payment.status in TAKEN_BACK:
        return Reason.PAYMENT_TO_CANCEL if posted else None
    if posted:
        return Reason.PAYMENT_POSTED
    if payment.status is not PaymentStatus.CLEARED:
        return Reason.PAYMENT_UNDER_WAY
    if record.state == State.BLOCKED:
        return Reason.PAYMENT_HELD
    if record.state in LEFT_OUT:
        return Reason.PAYMENT_LEFT_OUT
    return Reason.PAYMENT_TO_POST

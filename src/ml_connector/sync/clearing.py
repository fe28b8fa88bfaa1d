"""The clearing account: what it should hold by the payments that we posted, and what it holds (R30).

A payment that the platform made is posted against this account; the bank's debit for it is booked there by people. So
its balance is what others booked less what we posted, and what the platform has paid is what we posted and what is
still to be posted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ml_connector import clock
from ml_connector.domain.money import from_units, to_units
from ml_connector.domain.records import Payment, PaymentStatus, decode
from ml_connector.sync.flows import document_flows, side, spec_of
from ml_connector.sync.models import ClearingBalance, Connection, Flow, Integration, Link, Record, State
from ml_connector.sync.paying import OUTSIDE, TAKEN_BACK
from ml_connector.systems.base import Clears, Client

LEFT_OUT = frozenset({State.SKIPPED, State.WRITTEN_OFF})


@dataclass(frozen=True, slots=True)
class Statement:
    """The account, in the company's own currency. `paid` = `posted` + `to_post` + `left_out` - `to_cancel`, and
    `balance` = `others` - `posted`."""

    account: str
    name: str
    currency: str
    read_at: datetime
    balance: Decimal
    """As last read; above zero: a debit balance."""
    paid: Decimal
    """What the platform has paid, by what it drew for it."""
    posted: Decimal
    to_post: Decimal
    """Paid there and not posted yet."""
    left_out: Decimal
    """Paid there and not posted, by a rule or a decision."""
    to_cancel: Decimal
    """Posted, and taken back there since."""
    unvalued: int
    """Payments in a foreign currency of which it is not said what was drawn for them: they are in no sum."""

    @property
    def others(self) -> Decimal:
        """What is booked on the account besides our payments: the bank's debits, an opening balance."""
        return self.balance + self.posted

    def to_json(self) -> dict[str, Any]:
        """Plain values: money as text, instants as ISO text."""
        plain = {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}
        return {**plain, "read_at": self.read_at.isoformat(), "others": str(self.others)}


def read(connection: Connection, client: Client) -> None:
    """Asks a system that has one for its clearing account's balance, and keeps it."""
    found = client.clearing() if isinstance(client, Clears) else None
    if found is None:
        return
    ClearingBalance.objects.of(connection.workspace_id).update_or_create(
        connection=connection,
        defaults={
            "workspace_id": connection.workspace_id,
            "account": found.account[:60],
            "name": found.name[:200],
            "amount": to_units(found.amount),
            "currency": found.currency,
            "read_at": clock.now(),
        },
    )


def payment_flows(integration: Integration) -> list[Flow]:
    """The Flows that post payments; those that only tell of them book nothing."""
    specs = [(flow, spec_of(flow)) for flow in document_flows(integration)]
    return [flow for flow, spec in specs if spec.record_type == "payment" and not spec.told_of]


def statement(integration: Integration) -> Statement | None:
    """What is known of the clearing account; None where no payments are posted, or its balance was never read."""
    flows = payment_flows(integration)
    if not flows:
        return None
    target = side(integration, spec_of(flows[0]).target)
    row = ClearingBalance.objects.of(integration.workspace_id).filter(connection=target).first()
    if row is None:
        return None
    sums: dict[str, Decimal] = dict.fromkeys(("posted", "to_post", "left_out", "to_cancel"), Decimal(0))
    unvalued = 0
    for payment, state, posted in _payments(integration, flows):
        if not posted and payment.status is not PaymentStatus.CLEARED:
            continue
        drawn = _drawn(payment, row.currency)
        if drawn is None:
            unvalued += 1
            continue
        if posted:
            sums["posted"] += drawn
            sums["to_cancel"] += drawn if payment.status in TAKEN_BACK else 0
        else:
            sums["left_out" if state in LEFT_OUT else "to_post"] += drawn
    return Statement(
        row.account,
        row.name,
        row.currency,
        row.read_at,
        from_units(row.amount, row.currency),
        **{name: from_units(to_units(amount), row.currency) for name, amount in sums.items()},
        paid=sums["posted"] + sums["to_post"] + sums["left_out"] - sums["to_cancel"],
        unvalued=unvalued,
    )


def _payments(integration: Integration, flows: list[Flow]) -> Iterator[tuple[Payment, str, bool]]:
    """The payments that the platform made itself, their states, and whether each is posted now."""
    for flow in flows:
        links = Link.objects.of(integration.workspace_id).filter(integration=integration, type=spec_of(flow).link_type)
        posted = set(links.values_list("source_key", flat=True))
        rows = Record.objects.of(integration.workspace_id).filter(flow=flow, invalid="", gone=False)
        for key, payload, state in rows.values_list("key", "payload", "state").iterator():
            payment = decode("payment", bytes(payload))
            if key in posted or payment.method != OUTSIDE:
                yield payment, state, key in posted


def _drawn(payment: Payment, currency: str) -> Decimal | None:
    """What a payment took from the company's own money; None where that is not said."""
    if payment.base_amount is not None:
        return payment.base_amount
    return payment.amount if payment.currency == currency else None

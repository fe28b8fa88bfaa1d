"""Our own postings among the payments that a Flow observes: what another Flow of the Integration has posted there."""

from __future__ import annotations

from functools import cached_property

from ml_connector import audit
from ml_connector.domain.money import to_units
from ml_connector.domain.records import Payment, PaymentStatus, decode
from ml_connector.sync import outcomes
from ml_connector.sync.flows import document_flows, source_of, target_of
from ml_connector.sync.models import Flow, Link, Record, State

BY_US = "Posted by us, from a payment that the target made."


class OwnPostings:
    """Of the payments that a Flow observes, those that are the targets of another Flow's Links."""

    def __init__(self, flow: Flow) -> None:
        self._observed = flow
        self._flows = [
            other for other in document_flows(flow.integration, "payment") if target_of(other) == source_of(flow)
        ]

    @cached_property
    def _keys(self) -> dict[str, str]:
        """By key here, the key of the payment that it stands for; without those that were cancelled."""
        if not self._flows:
            return {}
        rows = Link.objects.of(self._observed.workspace_id).filter(
            integration=self._observed.integration, type="payment"
        )
        return {target: source for source, target in rows.values_list("source_key", "target_key") if "/" not in source}

    @cached_property
    def _settled(self) -> dict[str, int]:
        """By invoice, what our own postings have settled of it, in 1/10,000 of its currency."""
        sums: dict[str, int] = {}
        for _, payment in self._payments():
            if payment.status is not PaymentStatus.VOIDED:
                for paid in payment.allocations:
                    sums[paid.invoice] = sums.get(paid.invoice, 0) + to_units(paid.gross)
        return sums

    def settled(self, invoice: str) -> int:
        return self._settled.get(invoice, 0)

    def made(self, key: str) -> bool:
        """Whether a payment here is one of ours."""
        return key in self._keys

    def notice_cancelled(self, trail: audit.Trail) -> int:
        """Postings that people cancelled here although the payment stands: they are held for a decision."""
        count = 0
        for observed, payment in self._payments():
            if payment.status is not PaymentStatus.VOIDED:
                continue
            record = self._stands_for(self._keys[observed.key])
            if record is not None:
                outcomes.cancelled_by_others(trail, record.flow, record, observed.key)
                count += 1
        return count

    def _payments(self) -> list[tuple[Record, Payment]]:
        rows = Record.objects.of(self._observed.workspace_id).filter(flow=self._observed, invalid="", erased_at=None)
        found = rows.filter(key__in=list(self._keys)) if self._keys else rows.none()
        return [(row, decode("payment", bytes(row.payload))) for row in found]

    def _stands_for(self, key: str) -> Record | None:
        """The payment's Record, while nothing is on its way for it and its source says that it is paid."""
        record = (
            Record.objects.of(self._observed.workspace_id)
            .select_for_update()
            .filter(flow__in=[flow.pk for flow in self._flows], key=key, state=State.CONFIRMED, erased_at=None)
            .first()
        )
        if record is None or decode("payment", bytes(record.payload)).status is not PaymentStatus.CLEARED:
            return None
        record.flow = next(flow for flow in self._flows if flow.pk == record.flow_id)
        return record

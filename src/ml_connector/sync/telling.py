"""Payments that the ERP made, told to the platform that approved what they pay.

An invoice that the platform handed over is paid where it was posted; the platform is told of each payment, and of each
that was taken back. It is told of one payment of an invoice at a time, because what it is told is what was paid in all,
and of none before it has taken the answer that the invoice is posted. Payments of other invoices stay where they are.
"""

from __future__ import annotations

import msgspec

from ml_connector import audit
from ml_connector.domain.money import Money
from ml_connector.domain.records import Payment, decode
from ml_connector.sync.flows import declaration, flow_named, spec_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Answered, Flow, Link, Record, Run, RunKind, State, Transfer
from ml_connector.sync.models.runs import DONE
from ml_connector.sync.paying import TAKEN_BACK
from ml_connector.sync.problems import Cause
from ml_connector.sync.resolved import Held, Resolved, Skip

CAUSE = "parent_not_confirmed"


class Telling:
    """Resolves the payments of one Flow that tells of them."""

    def __init__(self, flow: Flow) -> None:
        page, spec = declaration(flow.integration), spec_of(flow)
        self.flow = flow
        self.paid_for = flow_named(flow.integration, spec.told_of)
        self.source, self.target = page.system(spec.source).label, page.system(spec.target).label

    @staticmethod
    def applies(flow: Flow) -> bool:
        return bool(spec_of(flow).told_of)

    def resolve(self, payment: Payment, link: Link | None) -> Resolved | Held | Skip:
        """What becomes of a payment. `link`: the platform was told of it."""
        if payment.status in TAKEN_BACK and link is None:
            return Skip(f"Taken back in {self.source} before {self.target} was told of it.")
        document = self._document(payment)
        if document is None:
            return Skip(self.not_from_there)
        if link is None and not self._answered(document):
            return Held((self._too_early(payment, document),))
        (paid,) = payment.allocations
        named = msgspec.structs.replace(paid, invoice=document.source_key)
        return Resolved(msgspec.structs.replace(payment, allocations=(named,)), link, {})

    @property
    def not_from_there(self) -> str:
        return f"It pays an invoice that did not come from {self.target}."

    def _document(self, payment: Payment) -> Link | None:
        """The invoice that is paid, between its posting and the platform's document."""
        links = Link.objects.of(self.flow.workspace_id).filter(
            integration=self.flow.integration, type=spec_of(self.paid_for).link_type
        )
        return links.filter(target_key__in=[part.invoice for part in payment.allocations]).first()

    def _answered(self, document: Link) -> bool:
        """Whether the platform knows that the document is posted. One that was never handed over is its to judge."""
        rows = Transfer.objects.of(self.flow.workspace_id).filter(flow=self.paid_for, current=True)
        transfer = rows.filter(record__key=document.source_key).first()
        return transfer is None or (transfer.answer == Answered.GIVEN and transfer.success is True)

    def _too_early(self, payment: Payment, document: Link) -> Cause:
        rows = Record.objects.of(self.flow.workspace_id).filter(flow=self.paid_for, key=document.source_key)
        number = rows.values_list("number", flat=True).first() or document.source_key
        return Cause(
            CAUSE,
            subject(self.paid_for, document.source_key),
            f"{self.source} paid {Money(payment.amount, payment.currency)} of invoice {number} on {payment.date}, and"
            f" {self.target} has not taken the answer yet that the invoice is posted.",
            "It is told of the payment by itself when it has. If it refuses the answer, solve that Problem first.",
        )


def subject(flow: Flow, key: str) -> str:
    """What a payment that waits for the answer to its document is held by."""
    return f"{spec_of(flow).link_type}:{key}"


def judge_again(flow: Flow, run: Run, lease: Lease) -> None:
    """Has payments judged again that were left out, where their invoices were linked since the last push."""
    before = Run.objects.of(flow.workspace_id).filter(flow=flow, kind=RunKind.PUSH, state__in=DONE)
    started = before.exclude(pk=run.pk).order_by("-pk").values_list("started_at", flat=True).first()
    telling = Telling(flow)
    links = Link.objects.of(flow.workspace_id).filter(
        integration=flow.integration, type=spec_of(telling.paid_for).link_type
    )
    if started is None or not (linked := set(links.filter(made_at__gte=started).values_list("target_key", flat=True))):
        return
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow, state=State.SKIPPED, erased_at=None, gone=False)
    found = [
        record.pk
        for record in rows.filter(reason=telling.not_from_there).only("payload").iterator()
        if any(part.invoice in linked for part in decode("payment", bytes(record.payload)).allocations)
    ]
    with audit.recording(flow.workspace, actor="worker", run=run.pk):
        lease.confirm()
        for start in range(0, len(found), 500):
            rows.filter(pk__in=found[start : start + 500]).update(state=State.STAGED)

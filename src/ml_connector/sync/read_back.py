"""After payments were posted or cancelled: what they were applied to is read again, for its balance. Likewise suppliers
that were changed where they come from.

A payment may leave the stamp of its invoice as it is. No poll would find the new balance before the sweep of the night,
and a tie-out in between would not agree.
"""

from __future__ import annotations

import hashlib
import logging

from ml_connector import clock
from ml_connector.domain.records import Payment, decode
from ml_connector.sync.flows import document_flows, source_of, source_policy, spec_of, target_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Attempt, Flow, Operation, Outcome, Record, Run
from ml_connector.sync.stage import encoded, stage
from ml_connector.systems.base import Client, Page, SystemFailure

log = logging.getLogger(__name__)

WROTE = (Outcome.CONFIRMED, Outcome.ADOPTED)


def invoices(flow: Flow, run: Run, client: Client, lease: Lease) -> int:
    """Reads again what this Run's payments were applied to; says how many documents. Where that fails, the sweep reads
    them. Raises LeaseLost."""
    keys = _applied_to(flow, run)
    return sum(_read(parent, run, client, lease, keys) for parent in _sources(flow)) if keys else 0


def _read(parent: Flow, run: Run, client: Client, lease: Lease, keys: set[str]) -> int:
    known = Record.objects.of(parent.workspace_id).filter(flow=parent, gone=False, key__in=keys)
    source = client.source(spec_of(parent).record_type, source_policy(parent))
    try:
        found = [source.get(key) for key in known.order_by("pk").values_list("key", flat=True)]
    except SystemFailure as failure:
        log.warning("What was written to could not be read again: %s", failure, extra={"flow": parent.pk})
        return 0
    items = [item for item in found if item is not None]
    if items:
        digest = hashlib.sha256(b"".join(item.record.payload() for item in items)).hexdigest()
        stage(parent, [encoded(Page(items, None, digest))], run, lease)
        Flow.objects.of(parent.workspace_id).filter(pk=parent.pk).update(next_push_at=clock.now())
    return len(items)


def suppliers(flow: Flow, run: Run, client: Client, lease: Lease) -> int:
    """Reads again the suppliers that this Run changed where they come from; says how many. Where that fails, their
    next pull reads them. Raises LeaseLost."""
    attempts = Attempt.objects.of(flow.workspace_id).filter(record__flow=flow, outcome__in=WROTE)
    keys = set(attempts.filter(answered_at__gte=run.started_at).values_list("target_key", flat=True))
    return sum(_read(parent, run, client, lease, keys) for parent in document_flows(flow.integration, "supplier"))


def _sources(flow: Flow) -> list[Flow]:
    """The Flows that read the documents which these payments pay."""
    integration = flow.integration
    parents = [*document_flows(integration, "invoice"), *document_flows(integration, "credit_note")]
    return [parent for parent in parents if source_of(parent) == target_of(flow)]


def _applied_to(flow: Flow, run: Run) -> set[str]:
    """Keys of the invoices and credit notes, as they were when each payment was posted."""
    attempts = Attempt.objects.of(flow.workspace_id).filter(record__flow=flow, outcome__in=WROTE).exclude(request=b"")
    moved = attempts.filter(answered_at__gte=run.started_at).values("record_id")
    posted = attempts.filter(record__in=moved, operation=Operation.CREATE)
    keys: set[str] = set()
    for request in posted.values_list("request", flat=True):
        payment = decode("payment", bytes(request))
        assert isinstance(payment, Payment)
        for paid in payment.allocations:
            keys |= {paid.invoice, *(used.ref for used in paid.credits)}
    return keys

"""Reading what people enriched on the platform: staged, compared with what the ERP has, and proposed."""

from __future__ import annotations

import hashlib
from typing import Any

from ml_connector import audit
from ml_connector.sync import problems, pull
from ml_connector.sync.flows import policy, source_policy, spec_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Flow, Record, Run
from ml_connector.sync.proposing import CAUSES, OFF, Proposing
from ml_connector.sync.stage import encoded, stage
from ml_connector.systems.base import Client, Page


def read(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Stages what may have changed on the platform, and proposes it. With the route off nothing is asked."""
    if policy(flow, "enrichment_route") == OFF:
        with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
            for cause in CAUSES.values():
                problems.end_problem(trail, flow.integration, cause)
        return {}
    counts = pull.changes(flow, run, client, lease, deadline)
    if counts.get("unfinished"):
        return counts
    return {**counts, "proposed": _propose(flow, run, client, lease)}


def _propose(flow: Flow, run: Run, client: Client, lease: Lease) -> int:
    """Opens and ends Problems. What differs is first read once more: the list may be older than what was last sent."""
    before = Proposing(flow)
    judged_first = {record.key: before.judge(record) for record in _vendors(flow)}
    first = {key: judged for key, judged in judged_first.items() if judged is not None and judged.settled}
    source = client.source(spec_of(flow).record_type, source_policy(flow))
    found = [source.get(key) for key, judged in first.items() if judged.changes]
    items = [item for item in found if item is not None]
    if items:
        digest = hashlib.sha256(b"".join(item.record.payload() for item in items)).hexdigest()
        stage(flow, [encoded(Page(items, None, digest))], run, lease)
    count = 0
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        proposing = Proposing(flow)
        for record in _vendors(flow):
            judged = proposing.judge(record)
            seen = first.get(record.key)
            if judged is not None and judged.settled and seen is not None and judged.version == seen.version:
                count += proposing.report(trail, record, judged)
    return count


def _vendors(flow: Flow) -> list[Record]:
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow, gone=False, invalid="", erased_at=None)
    return list(rows.select_related("flow").order_by("pk"))

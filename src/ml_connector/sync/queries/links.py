"""The list of Links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ml_connector.sync import cycles
from ml_connector.sync.flows import document_flows, spec_of
from ml_connector.sync.models import Integration, Link, Record

_BATCH = 500


@dataclass(frozen=True)
class LinkRow:
    integration: str
    type: str
    source_key: str
    number: str
    """What people know the source's one by."""
    target_key: str
    lines: list[str]
    made_by: str
    made_at: datetime


def link_rows(integration: Integration, type_name: str | None = None) -> Iterator[LinkRow]:
    """Links in the order in which they were made."""
    rows = Link.objects.of(integration.workspace_id).filter(integration=integration).order_by("pk")
    if type_name is not None:
        rows = rows.filter(type=type_name)
    flows = {flow.pk: spec_of(flow).link_type for flow in document_flows(integration)}
    last = 0
    while part := list(rows.filter(pk__gt=last)[:_BATCH]):
        last = part[-1].pk
        found = Record.objects.of(integration.workspace_id).filter(
            flow__in=list(flows), key__in=[cycles.record_key(link) for link in part]
        )
        numbers = {(flows[flow], key): number for flow, key, number in found.values_list("flow_id", "key", "number")}
        for link in part:
            yield LinkRow(
                integration.name,
                link.type,
                link.source_key,
                numbers.get((link.type, cycles.record_key(link)), ""),
                link.target_key,
                list(link.lines),
                link.made_by,
                link.made_at,
            )

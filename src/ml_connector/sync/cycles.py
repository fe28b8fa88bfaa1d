"""Cycles: a payment can be made again under the key of one that was taken back, and is then another document.

While a payment is posted, its Link stands under its key. When its posting is cancelled, the Link is kept under
`KEY/1`, `KEY/2` and so on: nothing is posted under KEY any more, and what was cancelled is still known to be ours.
"""

from __future__ import annotations

from django.db.models import QuerySet

from ml_connector import audit, clock
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import Flow, Link, Record

PAYMENT = "payment"
"""Link type of what can be made again; its keys have no slash."""


def cycles(flow: Flow) -> bool:
    """Whether the records of a Flow can be made again."""
    return spec_of(flow).link_type == PAYMENT


def record_key(link: Link) -> str:
    """The key of the Record that a Link is of, also when its posting was cancelled."""
    return link.source_key.partition("/")[0] if link.type == PAYMENT else link.source_key


def ended(flow: Flow, key: str) -> int:
    """How many postings of a payment were cancelled."""
    count = 0
    while _links(flow).filter(source_key=_kept_under(key, count + 1)).exists():
        count += 1
    return count


def end(trail: audit.Trail, flow: Flow, record: Record, target_key: str) -> None:
    """The posting of a payment is cancelled: its Link, made here where there was none, stands under its key no more.

    Runs inside the transaction that stores why.
    """
    source_key = _kept_under(record.key, ended(flow, record.key) + 1)
    link = _links(flow).filter(target_key=target_key).first()
    if link is None:
        Link.objects.create(
            workspace_id=flow.workspace_id,
            integration=flow.integration,
            type=spec_of(flow).link_type,
            source_key=source_key,
            target_key=target_key,
            made_by="found",
            made_at=clock.now(),
        )
    elif link.source_key == record.key:
        link.source_key = source_key
        link.save(update_fields=["source_key"])
    else:
        return
    trail.add("link_ended", f"record:{record.pk}", target_key=target_key, source_key=source_key)


def _kept_under(key: str, cycle: int) -> str:
    return f"{key}/{cycle}"


def _links(flow: Flow) -> QuerySet[Link]:
    return Link.objects.of(flow.workspace_id).filter(integration=flow.integration, type=spec_of(flow).link_type)

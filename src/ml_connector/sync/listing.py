"""What the target holds, listed once per Run, so that a first create is searched for without a call each (R40).

The list is kept: a Run reads only what changed since. It finds documents typed by hand, and those that a restored
database no longer knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ml_connector import audit, clock
from ml_connector.domain.money import to_units
from ml_connector.domain.records import Invoice, JournalEntry, Payment, PurchaseOrder, Supplier, decode
from ml_connector.sync.flows import spec_of, target_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Flow, Listing, Run, TargetEntry
from ml_connector.systems.base import DocumentState, Found, Listed

T = TypeVar("T")


def refresh(flow: Flow, target: Listed[Any], run: Run, lease: Lease) -> int:
    """Brings the target's list of the Flow's type up to date; gives the number of entries read.

    Each page is stored with its cursor. Raises LeaseLost, and what the target raises.
    """
    workspace, connection, link_type = flow.workspace_id, target_of(flow), spec_of(flow).link_type
    listing, _ = Listing.objects.of(workspace).get_or_create(
        connection=connection, type=link_type, defaults={"workspace_id": workspace}
    )
    read = 0
    for page in _ahead(target.listing(listing.cursor)):
        with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
            lease.confirm()
            _store(flow, connection.pk, page)
            read += len(page)
            if page:
                listing.cursor = dict(target.listing_cursor(page[-1]))
                listing.save(update_fields=["cursor"])
                trail.add("read_batch", f"connection:{connection.pk}", type=link_type, read=len(page))
    listing.complete_at = clock.now()
    listing.save(update_fields=["complete_at"])
    return read


def _ahead(pages: Iterable[T]) -> Iterator[T]:
    """The same pages; while one is stored, the next is asked for."""
    each = iter(pages)
    with ThreadPoolExecutor(1, thread_name_prefix="listing") as pool:
        following = pool.submit(next, each, None)
        while (page := following.result()) is not None:
            following = pool.submit(next, each, None)
            yield page


def _store(flow: Flow, connection_id: int, page: Any) -> None:
    link_type = spec_of(flow).link_type
    rows = [_entry(flow.workspace_id, connection_id, link_type, found) for found in page]
    columns = ["natural_key", "mark", "state", "amount", "open", "currency", "supplier", "payload", "seen_at"]
    TargetEntry.objects.bulk_create(
        {row.key: row for row in rows}.values(),
        update_conflicts=True,
        unique_fields=["workspace", "connection", "type", "key"],
        update_fields=columns,
    )


def _entry(workspace_id: int, connection_id: int, link_type: str, found: Found[Any]) -> TargetEntry:
    record = found.record
    invoice = isinstance(record, Invoice)
    return TargetEntry(
        workspace_id=workspace_id,
        connection_id=connection_id,
        type=link_type,
        key=found.key,
        natural_key=natural_key(record),
        mark=found.mark or "",
        state=found.state.value,
        amount=to_units(record.gross) if invoice else None,
        open=to_units(found.open) if found.open is not None else None,
        currency=record.currency or "",
        supplier=record.supplier if invoice else "",
        payload=record.payload(),
        seen_at=clock.now(),
    )


def natural_key(record: Any) -> str:
    """What the target's records of one type are known by, in the target's terms; empty for what can be there twice:
    two payments over the same amount can both be true."""
    if isinstance(record, Invoice):
        return f"{record.supplier}|{record.number_normalised}|{record.kind}"
    if isinstance(record, Supplier):
        return record.code or f"name:{record.name}"
    if isinstance(record, PurchaseOrder):
        return record.number
    if isinstance(record, JournalEntry):
        return record.reference
    if isinstance(record, Payment):
        return ""
    return str(record.code)


def hits(flow: Flow, wanted: Mapping[str, Any]) -> dict[str, list[Found[Any]]]:
    """Listed entries that could be these records, which are given by mark: those with the mark, else those with the
    natural key. Marks of which nothing is listed are left out."""
    rows = TargetEntry.objects.of(flow.workspace_id).filter(connection=target_of(flow), type=spec_of(flow).link_type)
    by_mark: dict[str, list[TargetEntry]] = defaultdict(list)
    for row in rows.filter(mark__in=list(wanted)):
        by_mark[row.mark].append(row)
    unmarked = {mark: natural_key(record) for mark, record in wanted.items() if mark not in by_mark}
    keys = {mark: key for mark, key in unmarked.items() if key}
    by_key: dict[str, list[TargetEntry]] = defaultdict(list)
    for row in rows.filter(natural_key__in=set(keys.values())):
        by_key[row.natural_key].append(row)
    found = {**by_mark, **{mark: by_key[key] for mark, key in keys.items() if key in by_key}}
    return {mark: _found(flow, entries) for mark, entries in found.items()}


def _found(flow: Flow, entries: Iterable[TargetEntry]) -> list[Found[Any]]:
    return [
        Found(
            key=row.key,
            record=decode(spec_of(flow).record_type, bytes(row.payload)),
            mark=row.mark or None,
            state=DocumentState(row.state),
        )
        for row in entries
    ]

"""Stage: a page of changed records and the cursor after it, committed in one transaction (R15).

From then on nothing can be lost: the cursor never runs ahead of what is stored. A record whose content hash is
unchanged is not staged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from ml_connector import audit, clock
from ml_connector.domain.money import to_units
from ml_connector.domain.numbers import normalised
from ml_connector.domain.records import Invoice, Payment, Supplier, canonical
from ml_connector.sync import bulk, closing
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Flow, Record, Run
from ml_connector.systems.base import Item, Page

_encode = msgspec.json.Encoder().encode


@dataclass
class Staged:
    """What a page, or all pages of a Run, came to."""

    read: int = 0
    new: int = 0
    changed: int = 0
    older: int = 0
    """Versions that were older than what is stored; they change nothing (R55)."""

    def add(self, other: Staged) -> None:
        self.read += other.read
        self.new += other.new
        self.changed += other.changed
        self.older += other.older


def stage(flow: Flow, page: Page[Any], run: Run, lease: Lease, *, keep_cursor: bool = False) -> Staged:
    """Stores a page and its cursor. With `keep_cursor` (a sweep) the Flow's cursor stays where it is.

    Raises LeaseLost: then nothing of the page was stored.
    """
    staged = Staged(read=len(page.items))
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        keys = sha256()
        if page.items:
            _store(trail, flow, page.items, staged, keys)
        if not keep_cursor and page.cursor is not None:
            flow.cursor = dict(page.cursor)
        flow.records_ever += staged.new
        flow.found_only_by_sweep += (staged.new + staged.changed) if keep_cursor else 0
        flow.save(update_fields=["cursor", "records_ever", "found_only_by_sweep"])
        trail.add(
            "read_batch",
            f"flow:{flow.pk}",
            source_version=page.digest,
            read=staged.read,
            new=staged.new,
            changed=staged.changed,
            records=keys.hexdigest(),
        )
    return staged


def _store(trail: audit.Trail, flow: Flow, items: Sequence[Item[Any]], staged: Staged, keys: Any) -> None:
    known = bulk.known(flow, [item.key for item in items])
    closed = closing.closed_periods(flow)
    newer_months: dict[str, str] = {}
    hashed: list[bytes] = []
    inserts: dict[str, bulk.New] = {}
    updates: list[tuple[Any, ...]] = []
    for item in items:
        key, record, version, invalid = item.key, item.record, item.version, item.invalid
        payload = canonical(record)
        digest = sha256(payload).digest()
        hashed += (key.encode(), digest)
        observed = _encode(item.observed).decode() if item.observed else ""
        changed_at = item.changed_at and bulk.stored(item.changed_at)
        before = known.get(key)
        if before is None:
            staged.new += key not in inserts
            if closed:
                newer_months[key] = closing.month_of(record)
            inserts[key] = (
                key, bytearray(digest), bytearray(payload), version or "", changed_at, observed, invalid or "",
                *_columns_of(record),
            )  # fmt: skip
            continue
        if before.changed_at and changed_at and changed_at < before.changed_at:
            staged.older += 1
            continue
        newer = digest != before.hash or before.gone or (invalid or "") != before.invalid
        moved = observed != before.observed
        if not newer and not moved and changed_at in {None, before.changed_at}:
            continue
        staged.changed += newer
        if closed and newer:
            newer_months[key] = closing.month_of(record)
        updates.append(
            (digest, payload, version or "", changed_at, observed, invalid or "", False, *_columns_of(record), newer,
             newer or moved, before.id)
        )  # fmt: skip
    keys.update(b"".join(hashed))
    older_months = closing.months_stored(flow, newer_months.keys() & known.keys()) if newer_months else {}
    bulk.insert(flow, bulk.stored(clock.now()), list(inserts.values()))
    if updates:
        bulk.update(updates)
    if newer_months:
        closing.notice(trail, flow, closed, older_months, newer_months)


def _columns_of(record: Any) -> tuple[str, str, int | None, str, str | None]:
    """number, natural_key, amount, currency, due_date: what lists, searches and totals need."""
    if isinstance(record, Invoice):
        natural_key = record.supplier + "|" + normalised(record.number) + "|" + record.kind
        due = record.due_date.isoformat()
        return record.number, natural_key[:160], to_units(record.gross), record.currency, due
    if isinstance(record, Supplier):
        return record.code, "", None, record.currency or "", None
    if isinstance(record, Payment):
        return record.reference or "", "", to_units(record.amount), record.currency, None
    return "", "", None, "", None


def mark_gone(flow: Flow, seen: Iterable[str], run: Run, lease: Lease) -> list[Record]:
    """After a complete sweep: the Records whose keys the source no longer has (R18). Marks and returns them."""
    present = set(seen)
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow, gone=False).only("id", "key", "number", "state")
    missing = [row for row in rows.iterator() if row.key not in present]
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        for start in range(0, len(missing), 1000):
            part = missing[start : start + 1000]
            Record.objects.of(flow.workspace_id).filter(pk__in=[row.pk for row in part]).update(gone=True)
        trail.add("sweep", f"flow:{flow.pk}", keys=len(present), missing=len(missing))
    return missing

"""Stage: pages of changed records and the cursor after the last of them, committed in one transaction (R15).

From then on nothing can be lost: the cursor never runs ahead of what is stored. A record whose content hash is
unchanged is not staged again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from typing import Any, NamedTuple

import msgspec

from ml_connector import audit, clock
from ml_connector.domain.money import to_units
from ml_connector.domain.numbers import normalised
from ml_connector.domain.records import Invoice, JournalEntry, Payment, PurchaseOrder, Supplier, canonical
from ml_connector.sync import bank, bulk, closing, transfers
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Flow, Record, Run
from ml_connector.systems.base import Cursor, Page

GATHERED = 5_000
"""Records from which a transaction is full. Keys arrive in no order, so each transaction writes most leaves of the
indexes again: of large ones there are fewer. What was gathered and not committed is read again after a crash."""
GATHERED_SECONDS = 2.0
"""What a slow source gave is stored after so long."""

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


class Encoded(NamedTuple):
    """A page as it is stored, which takes less memory than the records that it was made of."""

    rows: list[bulk.New]
    digest: str
    """Of the raw answers, as the page has it."""
    keys: str
    """SHA-256 (hex) of all keys with their content hashes."""
    cursor: Cursor | None


def gathered(pages: Iterable[Page[Any]], deadline: float = inf) -> Iterator[list[Encoded]]:
    """Pages in groups that are worth a transaction of their own, in their order.

    A group ends with so many records, or so many seconds after its first page, or past the deadline. Where the
    source fails, what it gave before comes first.
    """
    group: list[Encoded] = []
    until = deadline
    try:
        for page in pages:
            if not group:
                until = min(deadline, time.monotonic() + GATHERED_SECONDS)
            group.append(encoded(page))
            if sum(len(one.rows) for one in group) >= GATHERED or time.monotonic() > until:
                yield group
                group = []
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group


def encoded(page: Page[Any]) -> Encoded:
    rows: list[bulk.New] = []
    keys = sha256()
    for item in page.items:
        key, record, changed_at = item.key, item.record, item.changed_at
        payload = canonical(record)
        digest = sha256(payload).digest()
        keys.update(key.encode() + digest)
        rows.append((
            key, bytearray(digest), bytearray(payload), item.version or "", changed_at and bulk.stored(changed_at),
            _encode(item.observed).decode() if item.observed else "", item.invalid or "", *_columns_of(record),
        ))  # fmt: skip
    return Encoded(rows, page.digest, keys.hexdigest(), page.cursor)


def stage(
    flow: Flow,
    pages: Sequence[Encoded],
    run: Run,
    lease: Lease,
    *,
    keep_cursor: bool = False,
    then: Callable[[audit.Trail], None] | None = None,
) -> Staged:
    """Stores pages and the cursor after them. With `keep_cursor` (a sweep) the Flow's cursor stays where it is. `then`
    is called in the same transaction: it notes what the pages were read for.

    Raises LeaseLost: then nothing of the pages was stored.
    """
    total = Staged()
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        closed = closing.closed_periods(flow)
        for page in pages:
            staged = Staged(read=len(page.rows))
            if page.rows:
                _store(trail, flow, page.rows, staged, closed)
                transfers.open_offered(trail, flow, page.rows)
            if not keep_cursor and page.cursor is not None:
                flow.cursor = dict(page.cursor)
            total.add(staged)
            trail.add(
                "read_batch",
                f"flow:{flow.pk}",
                source_version=page.digest,
                read=staged.read,
                new=staged.new,
                changed=staged.changed,
                records=page.keys,
            )
        flow.records_ever += total.new
        flow.found_only_by_sweep += (total.new + total.changed) if keep_cursor else 0
        flow.save(update_fields=["cursor", "records_ever", "found_only_by_sweep"])
        if then is not None:
            then(trail)
    return total


def _store(trail: audit.Trail, flow: Flow, rows: Sequence[bulk.New], staged: Staged, closed: frozenset[str]) -> None:
    known = bulk.known(flow, [row[0] for row in rows])
    newer_months: dict[str, str] = {}
    inserts: dict[str, bulk.New] = {}
    updates: list[tuple[Any, ...]] = []
    paid_to: dict[str, bank.Observed] = {}
    now = bulk.stored(clock.now())
    for row in rows:
        before = known.get(row[0])
        if before is None:
            inserts[row[0]] = row
            if closed:
                newer_months[row[0]] = closing.month_of(row[2])
            continue
        _, digest, _, _, changed_at, observed, invalid, *_ = row
        if before.changed_at and changed_at and changed_at < before.changed_at:
            staged.older += 1
            continue
        newer = digest != before.hash or before.gone or invalid != before.invalid
        moved = observed != before.observed
        if not newer and not moved and (before.erased or changed_at in {None, before.changed_at}):
            continue
        staged.changed += newer
        if moved:
            paid_to[row[0]] = before.observed, observed
        if closed and newer:
            newer_months[row[0]] = closing.month_of(row[2])
        renewed = now if newer or moved else None
        updates.append((*row[1:7], False, *row[7:], renewed, newer, newer or moved, before.id))
    staged.new = len(inserts)
    older_months = closing.months_stored(flow, newer_months.keys() & known.keys()) if newer_months else {}
    bulk.insert(flow, now, list(inserts.values()))
    if updates:
        bulk.update(updates)
    if newer_months:
        closing.notice(trail, flow, closed, older_months, newer_months)
    if bank.watches(flow):
        bank.notice(trail, flow, paid_to)
        bank.notice_new(trail, flow, {key: row[5] for key, row in inserts.items()})


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
    if isinstance(record, PurchaseOrder):
        wanted = record.due_date.isoformat() if record.due_date else None
        return record.number[:100], "", to_units(record.total), record.currency, wanted
    if isinstance(record, JournalEntry):
        return record.reference[:100], "", to_units(record.debit), record.currency, None
    return record.code[:100], "", None, "", None


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

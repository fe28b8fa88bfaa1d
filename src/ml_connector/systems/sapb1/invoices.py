"""Sources of Invoice: purchase invoices, or purchase credit notes.

A row in either set is posted: what waits for approval is a draft, which is never read. Reconciliations, payments and
cancellations may leave the stamp as it is, so `sweep` reads every open document, and those closed lately, again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.sapb1.company import Books
from ml_connector.systems.sapb1.documents import (
    CREDIT_NOTES,
    INVOICES,
    OPTIONAL,
    SELECT,
    Documents,
    Kind,
    cancellation,
    orders_named,
)
from ml_connector.systems.sapb1.reading import Query, Reading, any_of, since
from ml_connector.systems.sapb1.rows import whole
from ml_connector.systems.sapb1.session import Json
from ml_connector.systems.sapb1.settings import Options
from ml_connector.systems.sapb1.stamps import Stamped

ORDERS = "PurchaseOrders"
ORDERS_AT_A_TIME = 40
CLOSED_LATELY = timedelta(days=35)

OPEN = "DocumentStatus eq 'bost_Open'"


class Invoices:
    """Source of Invoice over one of the two sets."""

    def __init__(
        self, reading: Reading, books: Books, options: Options, policy: Mapping[str, Any], now: Callable[[], datetime]
    ) -> None:
        """`policy`: only = credit_note, from_date (first posting date), open_only (first load), empty_number."""
        self.kind: Kind = CREDIT_NOTES if policy.get("only") == "credit_note" else INVOICES
        self._reading = reading
        self._documents = Documents(self.kind, books, options, policy)
        self._now = now
        self._zone = options.zone
        start = policy.get("from_date")
        first = date.fromisoformat(start) if isinstance(start, str) else start
        self._wanted = since("DocDate", first) if first else ""
        self._open_only = bool(policy.get("open_only", True))
        self._query = Query(self.kind.entity, SELECT, self._wanted, optional=OPTIONAL)
        overlap = timedelta(minutes=options.overlap_minutes)
        self._stamped: Stamped[Invoice] = Stamped(
            reading, self._query, "DocEntry", "CreationDate", self._items, overlap, options.zone, now
        )

    def changes(self, since: Cursor | None) -> Iterator[Page[Invoice]]:
        """For None everything open, or all; else what was stamped since, whatever became of it."""
        return self._stamped.changes(since, first=OPEN if self._open_only else "")

    def sweep(self) -> Iterator[Page[Invoice]]:
        """Every open document, and those closed in the last weeks, as they are now (R17)."""
        lately = self._now().astimezone(self._zone).date() - CLOSED_LATELY
        for batch in self._reading.keyed(self._query.where(f"{OPEN} or {since('ClosingDate', lately)}"), "DocEntry"):
            yield Page(self._items(batch.rows), None, batch.digest)

    def keys(self) -> Iterator[str]:
        query = Query(self.kind.entity, ("DocEntry", "CancelStatus"), self._wanted)
        for batch in self._reading.keyed(query, "DocEntry"):
            yield from (self.kind.key(whole(row, "DocEntry")) for row in batch.rows if not cancellation(row))

    def get(self, key: str) -> Item[Invoice] | None:
        entry = self.kind.entry(key)
        if entry is None:
            return None
        row = self._reading.one(self._query, entry, f"{self.kind.noun} {key}")
        return None if row is None else next(iter(self._items([row])), None)

    def _items(self, rows: list[Json]) -> list[Item[Invoice]]:
        rows = [row for row in rows if not cancellation(row)]
        orders = self._orders(orders_named(rows))
        return [self._documents.item(row, orders) for row in rows]

    def _orders(self, entries: list[int]) -> dict[int, str]:
        """The numbers of orders by which people know them."""
        found: dict[int, str] = {}
        for begin in range(0, len(entries), ORDERS_AT_A_TIME):
            some = any_of("DocEntry", entries[begin : begin + ORDERS_AT_A_TIME])
            rows = self._reading.rows(Query(ORDERS, ("DocEntry", "DocNum"), some), "DocEntry")
            found.update({whole(row, "DocEntry"): str(whole(row, "DocNum")) for row in rows})
        return found

"""BILL's lists: filters, pages, changes since a cursor, and the fields of a row.

A list takes `filters=field:op:value,...` (AND), `sort=field:asc`, `max` (1 to 100) and an opaque `page`. Values that
are times, lists or used with `sw` stand in double quotes; a comma, colon or quote inside a value cannot be escaped.
The order without `sort` is not documented. Several rows can share an `updatedTime`, and clocks differ, so changes
are read with an overlap. Fields without a value are left out: absent is unknown, not zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from ml_connector.domain.money import NotAnAmount, UnknownCurrency, quantise
from ml_connector.domain.records import Record
from ml_connector.systems.base import Cursor, Item, Page, Refused, ShapeChanged
from ml_connector.systems.bill.session import Bill, Json

R = TypeVar("R", bound=Record)

ROWS_PER_PAGE = "100"
OVERLAP = timedelta(minutes=5)
NO_CURRENCY = "XXX"
"""ISO 4217's code for none: what a document's currency is called when its vendor does not say."""

_UNSAFE = frozenset(',:"')


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a list."""

    rows: list[Json]
    digest: str
    """SHA-256 (hex) of the answer as it came."""
    last: bool
    """Whether BILL named no page after it."""


def safe(value: str) -> bool:
    """Whether a filter can hold this value at all."""
    return bool(value.strip()) and not _UNSAFE.intersection(value) and value == value.strip()


def pages(bill: Bill, path: str, *, filters: Sequence[str] = (), sort: str, about: str) -> Iterator[Rows]:
    """All pages of a list. Ends normally only when the list was read to its end."""
    base = {"max": ROWS_PER_PAGE, "sort": sort}
    if filters:
        base["filters"] = ",".join(filters)
    token = ""
    while True:
        answer = bill.read(path, {**base, "page": token} if token else base, about=about)
        body = answer.json()
        rows = body.get("results") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise answer.unclear("it is no list")
        following = body.get("nextPage")
        yield Rows(rows, hashlib.sha256(answer.content).hexdigest(), not following)
        if not following:
            return
        if following == token:
            raise answer.unclear("its next page is the same page")
        token = str(following)


def ordered_pages(
    bill: Bill, path: str, by: str, *, start: str = "", filters: Sequence[str] = (), about: str
) -> Iterator[Rows]:
    """A list in the order of a time field, each row once, none lost to rows that move while it is read (R16).

    Page tokens may count rows: one that moves to the end shifts another out of sight. So each page asks anew from
    the newest time seen, and tokens serve only among rows of one and the same time.
    """
    frontier, more = start, True
    seen: set[tuple[str, str]] = set()
    while more:
        conditions = [*filters, f'{by}:gte:"{frontier}"'] if frontier else filters
        for page in pages(bill, path, filters=conditions, sort=f"{by}:asc", about=about):
            stamped = [(text(row, "id"), stamp(row, by), row) for row in page.rows]
            fresh = [row for key, moment, row in stamped if (key, moment) not in seen]
            seen.update((key, moment) for key, moment, _ in stamped)
            yield replace(page, rows=fresh)
            more = not page.last
            newest = max((moment for _, moment, _ in stamped), default=frontier)
            if newest > frontier:
                frontier = newest
                seen = {(key, moment) for key, moment in seen if moment >= frontier}
                break


def updated_pages(bill: Bill, path: str, since: Cursor | None, *, about: str) -> Iterator[Rows]:
    """Pages in the order of change, from some minutes before the cursor."""
    start = _before(since["updated"]) if since else ""
    return ordered_pages(bill, path, "updatedTime", start=start, about=about)


def created_pages(bill: Bill, path: str, *, filters: Sequence[str] = (), about: str) -> Iterator[Rows]:
    """All pages in the order in which the objects were made."""
    return ordered_pages(bill, path, "createdTime", filters=filters, about=about)


@dataclass(frozen=True)
class Rowed(Generic[R]):
    """A Source over one list whose rows carry `updatedTime`."""

    bill: Bill
    path: str
    noun: str
    """What a row is called, for people."""
    convert: Callable[[Json], Item[R]]

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        newest = since["updated"] if since else ""
        for page in self._or_whole(updated_pages(self.bill, self.path, since, about=self._about)):
            newest = max([newest, *(stamp(row) for row in page.rows)])
            cursor = {"updated": newest} if newest else None
            yield Page([self.convert(row) for row in page.rows], cursor, page.digest)

    def keys(self) -> Iterator[str]:
        for page in self._or_whole(created_pages(self.bill, self.path, about=self._about)):
            yield from (text(row, "id") for row in page.rows)

    def get(self, key: str) -> Item[R] | None:
        row = self.bill.one(self.path, key, about=f"{self.noun} {key}")
        return None if row is None else self.convert(row)

    @property
    def _about(self) -> str:
        return f"the list of {self.noun}s"

    def _or_whole(self, wished: Iterator[Rows]) -> Iterator[Rows]:
        """The pages; the whole list by name, rows twice perhaps, where BILL does not filter or sort by that time."""
        try:
            yield from wished
        except Refused as refused:
            if refused.code != "filter_refused":
                raise
        else:
            return
        yield from pages(self.bill, self.path, sort="name:asc", about=self._about)


def text(row: Json, name: str) -> str:
    """A field that must be there. Raises ShapeChanged, naming it (R20)."""
    value = part(row, name)
    if not isinstance(value, str) or not value:
        raise ShapeChanged(name, f"BILL answered an object without {name}, which it always had.")
    return value


def words(row: Json, name: str) -> str | None:
    """A text that may be absent; blank counts as absent."""
    value = part(row, name)
    return value.strip() or None if isinstance(value, str) else None


def number(row: Json, name: str) -> Decimal | None:
    """A number that may be absent. Raises ShapeChanged for a value of another type."""
    value = part(row, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ShapeChanged(name, f"BILL answered {name} as something that is no number.")
    return Decimal(value)


def amount(value: Decimal, currency: str) -> Decimal:
    """The number in the currency's digits; as it is where it has more or the currency is not known."""
    try:
        return quantise(value, currency)
    except (NotAnAmount, UnknownCurrency):
        return value


def day(row: Json, name: str) -> date:
    """A date; webhooks send date-times, of which the first ten characters count. Raises ShapeChanged."""
    value = text(row, name)
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        wrong = ShapeChanged(name, f"BILL answered {name} as {value[:30]!r}, which is no date.")
    raise wrong


def instant(row: Json, name: str = "updatedTime") -> datetime:
    """A time, with offset or Z. Raises ShapeChanged."""
    value = text(row, name)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        wrong = ShapeChanged(name, f"BILL answered {name} as {value[:40]!r}, which is no time.")
    else:
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    raise wrong


def stamp(row: Json, name: str = "updatedTime") -> str:
    """A time in one spelling, which sorts as text."""
    return _spelled(instant(row, name))


def part(row: Json, path: str) -> Any:
    """A field by its dotted path, None where any step is absent."""
    value: Any = row
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _before(cursor: str) -> str:
    return _spelled(datetime.fromisoformat(cursor) - OVERLAP)


def _spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Lists of AvidXchange: their pages, and windows of whole days over what changed.

Windows have the precision of a day and a greatest length, so what changed is always read again from the day before.
Pages are counted and their order is not known: a list whose rows are fewer in the end than it says has moved while it
was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from ml_connector.domain.records import Record
from ml_connector.systems.avidxchange import paths
from ml_connector.systems.avidxchange.contract import Operation
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.base import Cursor, Item, Page, ShapeChanged, Transient

R = TypeVar("R", bound=Record)

NOTHING = hashlib.sha256(b"").hexdigest()
DAY = timedelta(days=1)
AGAIN = timedelta(days=60)
"""For so long a document's later states are read again each night."""


@dataclass(frozen=True, slots=True)
class Rows:
    rows: list[Json]
    digest: str
    """SHA-256 (hex) of the answer as it came."""


def pages(
    avid: Avid,
    operation: Operation,
    *,
    about: str,
    params: Mapping[str, str] | None = None,
    place: Mapping[str, str] | None = None,
    link: str = "",
) -> Iterator[Rows]:
    """All pages of a list. Ends normally only when as many different rows were read as the list says there are."""
    lists = avid.contract.lists
    number, seen = 1, set()
    while True:
        asked = {**(params or {}), lists.page_parameter: str(number), lists.size_parameter: str(lists.size)}
        answer = avid.read(operation, about=about, params=asked, place=place, link=link)
        body = answer.json()
        rows = paths.listed(paths.read(body, lists.rows)) if isinstance(body, dict) else body
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise answer.unclear("it is no list")
        if not rows and isinstance(body, dict) and paths.read(body, lists.rows) is None:
            raise ShapeChanged(
                lists.rows, f"AvidXchange answered {about} without {lists.rows}. Compare the contract map."
            )
        seen |= {hashlib.sha256(repr(row).encode()).digest() for row in rows}
        yield Rows(rows, hashlib.sha256(answer.content).hexdigest())
        if number >= _count(body, lists.pages):
            break
        number += 1
    total = _number(body, lists.total)
    if total is not None and len(seen) < total:
        raise Transient(
            f"AvidXchange's {about} moved while it was read: {len(seen)} of {total} rows. It is read again."
        )


def windows(since: date, until: date, days: int) -> Iterator[tuple[date, date]]:
    """Windows of at most so many days, both ends included, that cover everything between."""
    while since <= until:
        end = min(since + DAY * (days - 1), until)
        yield since, end
        since = end + DAY


def narrowed(
    avid: Avid, operation: Operation, since: date | None, *, about: str, place: Mapping[str, str] | None = None
) -> Iterator[tuple[Rows, date | None]]:
    """Pages of what changed since that day, and with each the day before which all has been read.

    Without a day, and where the list has no such parameters: all of it, by windows where it demands them.
    """
    today, query = avid.access.now().date(), operation.query
    if not query.since or (since is None and not query.demanded):
        for page in pages(avid, operation, about=about, place=place):
            yield page, None
        return
    start = since or today - DAY * avid.settings.history_days
    for begin, end in windows(start, today, query.days):
        params = {query.since: begin.isoformat(), query.until: end.isoformat()}
        for page in pages(avid, operation, params=params, about=about, place=place):
            yield page, begin


def by_external_id(avid: Avid, operation: Operation, value: str, *, about: str) -> list[Json]:
    """The rows that a list holds under an id of ours; all rows where it cannot be asked for one. To be compared."""
    name = operation.query.external_ids
    read = (
        pages(avid, operation, params={name: value}, about=about)
        if name
        else (page for page, _ in narrowed(avid, operation, None, about=about))
    )
    return [row for page in read for row in page.rows]


def after(cursor: Cursor | None) -> date | None:
    """The day from which is read: the day before the cursor's."""
    return None if cursor is None else date.fromisoformat(cursor["day"]) - DAY


def later(cursor: Cursor | None, reached: date | None) -> Cursor | None:
    """The cursor of a page: never before the one that was begun with."""
    if reached is None:
        return cursor
    day = reached.isoformat()
    return {"day": max(day, cursor["day"]) if cursor else day}


def done(avid: Avid) -> Page[Any]:
    """The page after the last one: everything up to today has been yielded."""
    return Page([], {"day": avid.access.now().date().isoformat()}, NOTHING)


@dataclass(frozen=True)
class Changing(Generic[R]):
    """A Source over one list whose rows can be asked for by their day of change."""

    avid: Avid
    operation: Operation
    noun: str
    convert: Callable[[Json], Item[R] | None]
    """None: not ours to read."""
    one: Callable[[str], Json | None]
    """A row by its key."""

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        for page, reached in narrowed(self.avid, self.operation, after(since), about=self._about):
            yield Page(self._items(page), later(since, reached), page.digest)
        yield done(self.avid)

    def keys(self) -> Iterator[str]:
        seen: set[str] = set()
        for page, _ in narrowed(self.avid, self.operation, None, about=self._about):
            for item in self._items(page):
                if item.key not in seen:
                    seen.add(item.key)
                    yield item.key

    def sweep(self) -> Iterator[Page[R]]:
        """What changed within the last weeks, once more."""
        since = (self.avid.access.now() - AGAIN).date()
        for page, _ in narrowed(self.avid, self.operation, since, about=self._about):
            yield Page(self._items(page), None, page.digest)

    def get(self, key: str) -> Item[R] | None:
        row = self.one(key)
        return None if row is None else self.convert(row)

    def _items(self, page: Rows) -> list[Item[R]]:
        return [item for row in page.rows if (item := self.convert(row)) is not None]

    @property
    def _about(self) -> str:
        return f"the list of {self.noun}s"


def _count(body: object, names: tuple[str, ...]) -> int:
    found = [number for name in names if (number := _number(body, name)) is not None]
    return found[0] if found else 1


def _number(body: object, path: str) -> int | None:
    value = paths.read(body, path)
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None

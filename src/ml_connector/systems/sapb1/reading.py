"""Reading entity sets: page by page by key, or by next links.

A page is 20 rows unless the request prefers another number, and the server may give fewer. The next link counts rows,
so rows that come and go meanwhile shift the others: sets are read from key to key instead, each page asking for what
lies beyond the last key, with the server's own comparison. A full last page has a next link all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, TypeVar
from urllib.parse import quote

from ml_connector.domain.records import Record
from ml_connector.systems.base import Cursor, Item, Page, Refused, ShapeChanged
from ml_connector.systems.sapb1.errors import NAME, UNKNOWN_PROPERTY
from ml_connector.systems.sapb1.rows import entry, quoted
from ml_connector.systems.sapb1.session import Json, ServiceLayer
from ml_connector.systems.transport.answer import Answer

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of an entity set."""

    entity: str
    select: tuple[str, ...]
    filter: str = ""
    order: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    """Selected fields that older releases lack."""

    def where(self, *conditions: str) -> Query:
        """Narrowed by further conditions, each of which may be empty."""
        parts = [part for part in (self.filter, *conditions) if part]
        return replace(self, filter=" and ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts))

    def path(self, without: frozenset[str] = frozenset()) -> str:
        """Path and query. Spaces and quotes are percent-encoded: a plus for a space is not understood everywhere."""
        options = {
            "$select": ",".join(name for name in self.select if name not in without),
            "$filter": self.filter,
            "$orderby": ",".join(self.order),
        }
        query = "&".join(f"{name}={quote(value, safe=',')}" for name, value in options.items() if value)
        return f"{self.entity}?{query}"


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of a set."""

    rows: list[Json]
    digest: str
    """SHA-256 (hex) of the answer as it came."""
    following: str | None


class Reading:
    """The sets of one company; remembers which fields its release lacks."""

    def __init__(self, layer: ServiceLayer) -> None:
        self.layer = layer
        self._absent: set[tuple[str, str]] = set()

    def linked(self, query: Query) -> Iterator[Batch]:
        """Answer after answer along the next links, to the end."""
        batch = self._first(query)
        followed: set[str] = set()
        while True:
            yield batch
            if not batch.rows or batch.following is None:
                return
            if batch.following in followed:
                raise ShapeChanged("nextLink", f"{NAME} gave a next link for {query.entity} twice.")
            followed.add(batch.following)
            batch = self._batch(self.layer.own(batch.following), query)

    def keyed(self, query: Query, key: str) -> Iterator[Batch]:
        """All rows in the order of the set's key, however many come and go meanwhile (R16)."""
        beyond = ""
        while True:
            batch = self._first(replace(query.where(beyond), order=(key,)))
            yield batch
            if not batch.rows or batch.following is None:
                return
            last = batch.rows[-1].get(key)
            if last is None:
                raise ShapeChanged(f"{query.entity}.{key}", f"{NAME} answered rows of {query.entity} without {key}.")
            further = f"{key} gt {quoted(last) if isinstance(last, str) else last}"
            if further == beyond:
                raise ShapeChanged(f"{query.entity}.{key}", f"{NAME} gives the same rows of {query.entity} again.")
            beyond = further

    def rows(self, query: Query, key: str) -> list[Json]:
        return [row for batch in self.keyed(query, key) for row in batch.rows]

    def one(self, query: Query, key: str | int, about: str) -> Json | None:
        """The object of a key, or None."""
        named = quote(quoted(key), safe="") if isinstance(key, str) else str(key)
        return self._known(
            replace(query, filter="", order=()),
            lambda path: self.layer.one(path.replace("?", f"({named})?", 1), about=about),
        )

    def _first(self, query: Query) -> Batch:
        return self._known(query, lambda path: self._batch(path, query))

    def _known(self, query: Query, ask: Callable[[str], T]) -> T:
        """An answer without the fields that this release lacks. Raises ShapeChanged for one that must be there."""
        while True:
            absent = frozenset(name for name in query.optional if (query.entity, name) in self._absent)
            try:
                return ask(query.path(absent))
            except Refused as refused:
                if refused.code != UNKNOWN_PROPERTY:
                    raise
                if refused.field not in query.optional - absent:
                    raise ShapeChanged(f"{query.entity}.{refused.field}", str(refused)) from None
                self._absent.add((query.entity, refused.field))

    def _batch(self, path: str, query: Query) -> Batch:
        about = f"the list of {query.entity}"
        answer = self.layer.read(path, about=about, page_size=self.layer.options.page_size)
        return batch(answer)


def batch(answer: Answer) -> Batch:
    """The rows of an answer of either version. Raises Transient for what is no list."""
    body = answer.json()
    rows = body.get("value") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise answer.unclear("it is no list")
    following = body.get("@odata.nextLink") or body.get("odata.nextLink")
    return Batch(rows, hashlib.sha256(answer.content).hexdigest(), following if isinstance(following, str) else None)


@dataclass(frozen=True)
class Whole(Generic[R]):
    """A Source over a set without stamps: read as a whole each time, compared by hash."""

    reading: Reading
    query: Query
    key: str
    convert: Callable[[Json], Item[R] | None]
    """None for a row that is not wanted."""
    about: str
    by_number: bool = False
    """Whether the set's key is a number."""

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        """All there is, whatever the cursor."""
        for found in self.reading.keyed(self.query, self.key):
            yield Page(self._items(found.rows), None, found.digest)

    def keys(self) -> Iterator[str]:
        for found in self.reading.keyed(self.query, self.key):
            for item in self._items(found.rows):
                yield item.key

    def get(self, key: str) -> Item[R] | None:
        named = entry(key) if self.by_number else key
        row = None if named is None else self.reading.one(self.query, named, f"{self.about} {key}")
        return None if row is None else self.convert(row)

    def _items(self, rows: Sequence[Json]) -> list[Item[R]]:
        return [item for row in rows if (item := self.convert(row)) is not None]


def any_of(key: str, values: Sequence[int | str]) -> str:
    """A condition that a field equals one of the values."""
    return " or ".join(f"{key} eq {quoted(value) if isinstance(value, str) else value}" for value in values)


def since(name: str, on: date) -> str:
    return f"{name} ge {quoted(on)}"

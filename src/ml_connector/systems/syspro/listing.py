"""Sources whose tables are small, or state no change at all: read as a whole each time, compared by hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from ml_connector.domain.records import Record
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.syspro.reading import Reading, Tables

R = TypeVar("R", bound=Record)


class Listing(Generic[R]):
    """Source of everything that a function reads, in its pages. Has no cursor: each read is complete."""

    def __init__(
        self,
        tables: Tables,
        read: Callable[[Reading], Iterable[list[Item[R]]]],
        one: Callable[[Reading, str], Item[R] | None] | None = None,
    ) -> None:
        """`one` reads a single record where that is cheaper than reading all."""
        self._tables = tables
        self._read = read
        self._one = one

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        """All there is, whatever the cursor."""
        reading = self._tables.reading()
        for items in self._read(reading):
            yield Page(items, None, reading.digest())

    def keys(self) -> Iterator[str]:
        for items in self._read(self._tables.reading()):
            for item in items:
                yield item.key

    def get(self, key: str) -> Item[R] | None:
        reading = self._tables.reading()
        if self._one is not None:
            return self._one(reading, key)
        return next((item for items in self._read(reading) for item in items if item.key == key), None)

"""Rows of SYSPRO's tables, by OData or by COMFND, the same either way.

Both routes page by key: each page asks for what comes after the last row of the one before. A list of keys that is
too long for one address is split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from ml_connector.systems.base import Refused, ShapeChanged
from ml_connector.systems.syspro import comfnd
from ml_connector.systems.syspro.session import Enet
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import Row, columns, from_json, from_texts, names
from ml_connector.systems.syspro.where import ALL_ROWS, Value, Where, after, one_of, that, to_filter
from ml_connector.systems.transport.odata import CAP, Query, Service, raw_rows, typed_rows

T = TypeVar("T", bound=Row)
V = TypeVar("V")

QUERY = "Query/Query"

ODATA_QUERY_BYTES = 2_000
"""Below the 2,048 bytes that IIS, which hosts the OData service, accepts as a query string by default."""

DETAILS = 5
"""What belongs to a page of documents comes in requests of so many times its rows, up to the vendor's cap."""

_LONGEST_TEXT = "X" * 20
_LONGEST_NUMBER = 9_999_999_999


class Tables:
    """The tables of one Connection's company. Stateless, besides what the session is."""

    def __init__(self, options: Options, enet: Enet, odata: Service | None) -> None:
        self.options = options
        self.enet = enet
        self._odata = odata

    def route(self, table: type[Row]) -> str:
        """odata or comfnd: which way this table is read."""
        if self._odata is None:
            return "comfnd"
        return self.options.routes.get(table.NAME, "odata")

    def reading(self) -> Reading:
        return Reading(self)

    def answers(
        self, table: type[T], where: Where, order: tuple[str, ...], size: int, route: str | None = None
    ) -> Iterator[tuple[list[T], bytes]]:
        """Page after page: the rows and the raw answer that they came in. `route`: another than the table's own."""
        if (route or self.route(table)) == "odata":
            return self._by_odata(table, where, order, size)
        return self._by_comfnd(table, where, order, size)

    def fits(self, table: type[Row], where: Where, order: tuple[str, ...], size: int) -> bool:
        """Whether the question is short enough for an address, that for a later page included."""
        longest = [_LONGEST_TEXT if c.kind is str else _LONGEST_NUMBER for c in columns(table) if c.name in order]
        later = where.plus(after(order, longest))
        if self.route(table) == "odata":
            return len(self._query(table, later, order, size).text()) <= ODATA_QUERY_BYTES
        document = comfnd.query(table.NAME, names(table), later, order, size)
        return (
            self.enet.url_bytes(QUERY, BusinessObject=comfnd.BUSINESS_OBJECT, XmlIn=document)
            <= self.options.max_url_bytes
        )

    def _by_odata(
        self, table: type[T], where: Where, order: tuple[str, ...], size: int
    ) -> Iterator[tuple[list[T], bytes]]:
        assert self._odata is not None
        key = key_of(table, order)

        def following(row: T) -> str:
            return to_filter(where.plus(after(order, key(row))), self.options.date_style)

        path = f"{self.options.odata_company}/{table.NAME}"
        for batch in self._odata.pages(path, self._query(table, where, order, size), _decoder(table), following):
            yield batch.rows, batch.content

    def _query(self, table: type[Row], where: Where, order: tuple[str, ...], size: int) -> Query:
        return Query(names(table), to_filter(where, self.options.date_style), order, size)

    def _by_comfnd(
        self, table: type[T], where: Where, order: tuple[str, ...], size: int
    ) -> Iterator[tuple[list[T], bytes]]:
        key = key_of(table, order)
        beyond = where
        while True:
            document = comfnd.query(table.NAME, names(table), beyond, order, size)
            text = self._found(table, document)
            rows = from_texts(table, comfnd.answer(text, table.NAME))
            yield rows, text.encode()
            if len(rows) < size:
                return
            beyond = where.plus(after(order, key(rows[-1])))

    def _found(self, table: type[Row], document: str) -> str:
        """The answer to a question. SYSPRO refuses one about a column that is gone without naming it, in words that
        are not published: the columns are then tried one by one, so that the one at fault can be named (R20)."""
        try:
            return self.enet.read(QUERY, BusinessObject=comfnd.BUSINESS_OBJECT, XmlIn=document)
        except Refused as refused:
            if refused.code != "error" or not self._readable(table, table.KEY[0]):
                raise
            gone = next((name for name in names(table) if not self._readable(table, name)), None)
            if gone is None:
                raise
            why = str(refused)
        raise ShapeChanged(f"{table.NAME}.{gone}", f"{table.NAME} of SYSPRO has no column {gone} any more. {why}")

    def _readable(self, table: type[Row], column: str) -> bool:
        document = comfnd.query(table.NAME, (column,), ALL_ROWS, (column,), 1)
        try:
            self.enet.read(QUERY, BusinessObject=comfnd.BUSINESS_OBJECT, XmlIn=document)
        except Refused:
            return False
        return True


class Reading:
    """One thread's way through the tables; sums up the raw answers for the audit trail."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._size = tables.options.page_size
        self._detail = min(CAP, DETAILS * self._size)
        self._hash = hashlib.sha256()

    def digest(self) -> str:
        """SHA-256 (hex) of the answers since the last call."""
        result = self._hash.hexdigest()
        self._hash = hashlib.sha256()
        return result

    def pages(
        self,
        table: type[T],
        where: Where = ALL_ROWS,
        *,
        after_key: Sequence[Value] = (),
    ) -> Iterator[list[T]]:
        """Page after page in the order of the table's key, those after a given key only."""
        if after_key:
            where = where.plus(after(table.KEY, after_key))
        return self._pages(table, where, self._size)

    def rows(self, table: type[T], where: Where = ALL_ROWS) -> list[T]:
        """All rows that meet the condition, in the order of the table's key."""
        pages = list(self._pages(table, where, self._detail))
        return pages[0] if len(pages) == 1 else [row for page in pages for row in page]

    def like(self, table: type[T], column: str, pattern: str) -> list[T]:
        """All rows whose column has the pattern, in which `*` stands for any text. By COMFND, which alone has that."""
        pages = self.tables.answers(table, that(column, "like", pattern), table.KEY, self._detail, "comfnd")
        return [row for rows, _ in pages for row in rows]

    def matching(
        self, table: type[T], key: Sequence[str], wanted: Sequence[Sequence[Value]], where: Where = ALL_ROWS
    ) -> list[T]:
        """All rows whose columns `key` equal one of `wanted`, in as many questions as the length takes."""
        return self.meeting(table, wanted, lambda some: where.plus(one_of(key, some)))

    def meeting(self, table: type[T], wanted: Sequence[V], where: Callable[[Sequence[V]], Where]) -> list[T]:
        """All rows that meet `where` of the wanted, asked for in parts that fit into an address."""
        found: list[T] = []
        start, count = 0, len(wanted)
        while start < len(wanted):
            part = wanted[start : start + count]
            condition = where(part)
            if len(part) > 1 and not self.tables.fits(table, condition, table.KEY, self._detail):
                count = min(32, (len(part) + 1) // 2)
                continue
            found.extend(self.rows(table, condition))
            start += len(part)
        return found

    def _pages(self, table: type[T], where: Where, size: int) -> Iterator[list[T]]:
        for rows, answer in self.tables.answers(table, where, table.KEY, size):
            self._hash.update(answer)
            yield rows


def key_of(table: type[Row], order: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives a row's values of the ordering columns."""
    fields = {column.name: column.field for column in columns(table)}
    get = attrgetter(*(fields[name] for name in order))
    return (lambda row: (get(row),)) if len(order) == 1 else get


@cache
def _decoder(table: type[T]) -> Callable[[bytes], tuple[list[T], str | None]]:
    typed = typed_rows(table)

    def decode(content: bytes) -> tuple[list[T], str | None]:
        try:
            return typed(content)
        except msgspec.ValidationError:
            rows, following = raw_rows(content)
            return from_json(table, rows), following

    return decode

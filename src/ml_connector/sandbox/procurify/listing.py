"""Lists: filters, order and pages.

Procurify: `page` from 1 and `page_size`; `_0` and `_1` bound a range, both ends included, by days or by instants;
`search` is free text; `order_by` a field with `-` for descending; a parameter that nobody knows is ignored.
"""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.procurify.errors import Invalid, Refused, Wrong
from ml_connector.sandbox.procurify.incoming import WHOLE_LIMIT, day_of, decimal_of, instant_of
from ml_connector.sandbox.procurify.options import ProcurifyOptions
from ml_connector.sandbox.standin import Row

Test = Callable[[Row], bool]
Value = Any
Place = Literal["metadata", "top"]


@dataclass(frozen=True)
class Filter:
    """What a query parameter must look like, and which rows it keeps."""

    read: Callable[[str], Value]
    """Raises ValueError."""
    keeps: Callable[[Row, Value], bool]
    many: bool = False
    """Several values, in one parameter with commas or repeated; `keeps` gets their list."""


Filters = Mapping[str, Filter]


def whole(text: str) -> int:
    number = text.removeprefix("-")
    if not number.isascii() or not number.isdecimal() or len(number) > 12 or int(number) > WHOLE_LIMIT:
        raise ValueError("Enter a whole number.")
    return int(text)


def flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("Must be true or false.")
    return text.lower() == "true"


def number(text: str) -> Decimal:
    return decimal_of(text)


def choice(known: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(f"Select a valid choice. {text} is not one of the available choices.")
        return text

    return read


def same(name: str, read: Callable[[str], Value] = whole) -> Filter:
    """Rows whose field is this."""
    return Filter(read, lambda row, value: bool(row.get(name) == value))


def one_of(name: str, read: Callable[[str], Value] = whole) -> Filter:
    return Filter(read, lambda row, values: row.get(name) in values, many=True)


def ignored(read: Callable[[str], Value] = str) -> Filter:
    """A parameter of the contract that does nothing here, though it must look right."""
    return Filter(read, lambda row, value: True)


def instants(prefix: str, name: str, suffixes: tuple[str, str] = ("_0", "_1")) -> dict[str, Filter]:
    """A range of instants, both ends included."""

    def stamp(row: Row) -> dt.datetime | None:
        text = row.get(name)
        return instant_of(text) if text else None

    def after(row: Row, value: dt.datetime) -> bool:
        moment = stamp(row)
        return moment is not None and moment >= value

    def before(row: Row, value: dt.datetime) -> bool:
        moment = stamp(row)
        return moment is not None and moment <= value

    return {f"{prefix}{suffixes[0]}": Filter(moment, after), f"{prefix}{suffixes[1]}": Filter(moment, before)}


def through(step: Callable[[Row], Row], filters: Filters) -> dict[str, Filter]:
    """The filters, on what a step leads to from a row."""

    def led(one: Filter) -> Filter:
        return Filter(one.read, lambda row, value: one.keeps(step(row), value), one.many)

    return {name: led(one) for name, one in filters.items()}


def moment(text: str) -> dt.datetime:
    # A plus sign of an offset that was not escaped arrives as a blank.
    return instant_of(text.replace(" ", "+") if "T" in text and " " in text else text)


class Lists:
    """Cuts what is asked for into pages, in the domain's days."""

    def __init__(self, options: ProcurifyOptions) -> None:
        self._options = options
        self.origin = ""
        """Where the stand-in answers; set when the port is known."""

    def days(self, prefix: str, name: str) -> dict[str, Filter]:
        """A range of days, both included: a bound on an instant means the start and the end of that day."""

        def day(row: Row) -> dt.date | None:
            text = row.get(name)
            if not text:
                return None
            if len(text) == len("2026-11-16"):
                return dt.date.fromisoformat(text)
            return instant_of(text).astimezone(ZoneInfo(self._options.time_zone)).date()

        def since(row: Row, value: dt.date) -> bool:
            known = day(row)
            return known is not None and known >= value

        def until(row: Row, value: dt.date) -> bool:
            known = day(row)
            return known is not None and known <= value

        return {f"{prefix}_0": Filter(day_of, since), f"{prefix}_1": Filter(day_of, until)}

    def chosen(self, request: Request, rows: Iterable[Row], filters: Filters, searched: Sequence[str]) -> list[Row]:
        """The stored rows that the query asks for. Raises Refused, naming every parameter that cannot be taken."""
        tests, wrong = _tests(request, filters)
        if wrong:
            raise Invalid(wrong)
        sought = (request.parameter("search") or "").strip().lower()
        if sought:
            tests.append(lambda row: any(sought in str(row.get(name) or "").lower() for name in searched))
        return [row for row in rows if all(test(row) for test in tests)]

    def answer(
        self,
        request: Request,
        rows: list[Row],
        render: Callable[[Row], Row],
        metadata: Callable[[list[Row]], Row] = lambda rows: {},
        place: Place = "metadata",
        order: Sequence[str] | None = None,
    ) -> Response:
        """A page of the chosen rows. `order` are the only names that `order_by` may have; any if None."""
        rows = _ordered(rows, request.parameter("order_by"), order)
        size, pages = self._size(request, len(rows))
        page = self._page(request, pages)
        first = (page - 1) * size
        shown = rows[first : first + size]
        if self._options.repeat_last_row and 1 < page <= pages:
            shown = rows[first - 1 : first + size]
        data = [render(row) for row in shown]
        if wants_csv(request):
            return as_csv(data)
        pagination = {
            "count": len(rows),
            "next": self._link(request, page + 1) if page < pages else None,
            "previous": self._link(request, page - 1) if page > 1 else None,
            "page_size": size,
            "num_pages": pages,
            "current_page": page,
        }
        if place == "top":
            return Response.json({"pagination": pagination, "data": data})
        return Response.json({"metadata": {**metadata(rows), "pagination": pagination}, "data": data})

    def _size(self, request: Request, count: int) -> tuple[int, int]:
        """Rows of a page, and how many pages there are, at least one."""
        given = request.parameter("page_size")
        size = self._options.page_size
        if given is not None:
            try:
                asked = whole(given)
            except ValueError as error:
                raise Invalid({"page_size": Wrong(str(error))}) from None
            if asked < 1:
                raise Invalid({"page_size": Wrong("Ensure this value is greater than or equal to 1.")})
            size = min(asked, self._options.max_page_size)
        return size, max(1, ceil(count / size))

    def _page(self, request: Request, pages: int) -> int:
        given = request.parameter("page")
        if given is None:
            return 1
        try:
            page = whole(given)
        except ValueError:
            raise Refused(404, "Invalid page.") from None
        if page < 1 or (page > pages and self._options.beyond_last_page == "refuse"):
            raise Refused(404, "Invalid page.")
        return page

    def _link(self, request: Request, page: int) -> str:
        origin = self._options.next_origin or self.origin
        query = [(name, value) for name, value in request.query if name != "page"]
        return f"{origin}{request.path}?{urlencode([*query, ('page', str(page))])}"


def single(request: Request, data: Row, metadata: Row | None = None, status: int = 200) -> Response:
    """One object in its envelope."""
    if wants_csv(request):
        return as_csv([data], status)
    return Response.json({"metadata": metadata or {}, "data": data}, status)


def as_csv(rows: list[Row], status: int = 200) -> Response:
    """The plain fields of the rows; what holds more is left out."""
    names = [name for name, value in rows[0].items() if not isinstance(value, dict | list)] if rows else []
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    for row in rows:
        writer.writerow(["" if row.get(name) is None else row[name] for name in names])
    return Response.text(text.getvalue(), status, "text/csv; charset=utf-8")


def wants_csv(request: Request) -> bool:
    """Raises Refused, 404, for a format that there is not."""
    wanted = request.parameter("format")
    if wanted not in (None, "json", "csv"):
        raise Refused(404)
    return wanted == "csv"


def _tests(request: Request, filters: Filters) -> tuple[list[Test], dict[str, Wrong]]:
    given: dict[str, list[str]] = {}
    for name, text in request.query:
        if name in filters and text:
            given.setdefault(name, []).append(text)
    tests: list[Test] = []
    wrong: dict[str, Wrong] = {}
    for name, texts in given.items():
        one = filters[name]
        try:
            value: Value = (
                [one.read(part) for text in texts for part in text.split(",")] if one.many else one.read(texts[-1])
            )
        except ValueError as error:
            wrong[name] = Wrong(str(error))
        else:
            tests.append(_test(one, value))
    return tests, wrong


def _test(one: Filter, value: Value) -> Test:
    return lambda row: one.keeps(row, value)


def _ordered(rows: list[Row], by: str | None, known: Sequence[str] | None) -> list[Row]:
    """Sorted by a field that the rows have; as they are otherwise."""
    if not by:
        return rows
    name = by.removeprefix("-")
    if known is not None and name not in known:
        raise Invalid({"order_by": Wrong(f"Select a valid choice. {by} is not one of the available choices.")})
    if not rows or not isinstance(rows[0].get(name), str | int | Decimal):
        return rows
    return sorted(
        rows, key=lambda row: (row.get(name) is None, str(type(row.get(name))), row.get(name)), reverse=by[0] == "-"
    )

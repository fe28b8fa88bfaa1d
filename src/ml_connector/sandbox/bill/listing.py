"""BILL's list calls: `max`, opaque `page` tokens, `filters` and `sort`."""

import base64
import datetime as dt
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.sandbox.bill.errors import Error, Refused
from ml_connector.sandbox.bill.options import BillOptions
from ml_connector.sandbox.bill.reading import is_date
from ml_connector.sandbox.bill.tables import Table, at
from ml_connector.sandbox.http import Request
from ml_connector.sandbox.standin import Row

MOST = 100
KEPT_SNAPSHOTS = 50

EQUAL = ("eq", "ne")
AMONG = ("eq", "ne", "in")
ANY_OF = ("eq", "ne", "in", "nin")
RANGE = ("gt", "gte", "lt", "lte")
OPERATORS = {"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "sw"}


@dataclass(frozen=True)
class Filterable:
    """What may be asked of a field: its kind and its operators."""

    kind: str
    operators: Collection[str]


def text(*operators: str) -> Filterable:
    return Filterable("text", operators)


def flag() -> Filterable:
    return Filterable("flag", EQUAL)


def date(*operators: str) -> Filterable:
    return Filterable("date", operators)


def time() -> Filterable:
    return Filterable("time", RANGE)


def number() -> Filterable:
    return Filterable("number", ("eq", "ne", *RANGE))


@dataclass(frozen=True)
class Rules:
    """The documented filter and sort fields of one kind of object."""

    filters: Mapping[str, Filterable]
    sorts: Collection[str]


@dataclass(frozen=True)
class Condition:
    field: str
    operator: str
    values: tuple[Any, ...]

    def holds(self, row: Row) -> bool:
        value = at(row, self.field)
        first = self.values[0]
        match self.operator:
            case "eq":
                return bool(value == first)
            case "ne":
                return bool(value != first)
            case "in":
                return value in self.values
            case "nin":
                return value not in self.values
            case "sw":
                return value is not None and str(value).startswith(str(first))
        return value is not None and _compare[self.operator](value, first)


_compare: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, limit: bool(value > limit),
    "gte": lambda value, limit: bool(value >= limit),
    "lt": lambda value, limit: bool(value < limit),
    "lte": lambda value, limit: bool(value <= limit),
}


class Listing:
    """Answers list calls. With `page_tokens=snapshot` it remembers what the first page saw."""

    def __init__(self, options: BillOptions) -> None:
        self._options = options
        self._snapshots: OrderedDict[str, list[str]] = OrderedDict()
        self._count = 0

    def page(self, table: Table, request: Request, rules: Rules) -> tuple[list[Row], Row]:
        """The rows of the page that is asked for, and its `nextPage` and `prevPage`."""
        size = self._size(request.parameter("max"))
        filters, sort = request.parameter("filters") or "", request.parameter("sort") or ""
        asked = f"{filters}|{sort}"
        token = request.parameter("page")
        start, snapshot = _open_token(token, asked) if token else (0, None)
        if snapshot is not None:
            rows = self._from_snapshot(table, snapshot)
        else:
            rows = self._select(table, parse_filters(filters, rules), parse_sort(sort, rules))
            if self._options.page_tokens == "snapshot" and len(rows) > size:
                snapshot = self._keep(rows)
        links = {}
        if start + size < len(rows):
            links["nextPage"] = _token(start + size, asked, snapshot)
        if start > 0:
            links["prevPage"] = _token(max(0, start - size), asked, snapshot)
        return rows[start : start + size], links

    def _size(self, given: str | None) -> int:
        if given is None:
            return self._options.list_default_max
        if not given.isdecimal() or not 1 <= int(given) <= MOST:
            raise Refused(400, Error(f"max: must be between 1 and {MOST}"))
        return int(given)

    def _select(self, table: Table, conditions: list[Condition], sort: list[tuple[str, bool]]) -> list[Row]:
        if not self._options.list_includes_archived and all(c.field != "archived" for c in conditions):
            conditions = [*conditions, Condition("archived", "ne", (True,))]
        rows: Iterable[Row] = table
        for condition in conditions:
            if condition.operator in {"eq", "in"} and table.has_index(condition.field):
                rows = table.where(condition.field, condition.values)
                break
        selected = [row for row in rows if all(condition.holds(row) for condition in conditions)]
        for field, descending in reversed(sort):
            selected.sort(key=lambda row: _sortable(at(row, field)), reverse=descending)
        return selected

    def _keep(self, rows: list[Row]) -> str:
        self._count += 1
        name = str(self._count)
        self._snapshots[name] = [row["id"] for row in rows]
        if len(self._snapshots) > KEPT_SNAPSHOTS:
            self._snapshots.popitem(last=False)
        return name

    def _from_snapshot(self, table: Table, snapshot: str) -> list[Row]:
        if snapshot not in self._snapshots:
            raise Refused(400, Error("page: token has expired", "BDC_1119"))
        return table.where("id", self._snapshots[snapshot])


def parse_filters(given: str, rules: Rules) -> list[Condition]:
    """`field:op:value,field:op:value`. Refuses fields (`BDC_1130`) and operators (`BDC_1131`) not documented."""
    return [_condition(part, rules) for part in _split(given)] if given else []


def parse_sort(given: str, rules: Rules) -> list[tuple[str, bool]]:
    """`field:asc,field:desc` as (field, descending)."""
    sort = []
    for part in given.split(",") if given else ():
        field, _, direction = part.partition(":")
        if field not in rules.sorts:
            raise Refused(400, Error(f"Invalid sort field: {field}.", "BDC_1119"))
        if direction not in {"asc", "desc"}:
            raise Refused(400, Error(f"Invalid sort direction: {direction}.", "BDC_1119"))
        sort.append((field, direction == "desc"))
    return sort


def _condition(part: str, rules: Rules) -> Condition:
    field, _, rest = part.partition(":")
    operator, colon, raw = rest.partition(":")
    filterable = rules.filters.get(field)
    if filterable is None:
        raise Refused(400, Error(f"Invalid filter field: {field}.", "BDC_1130"))
    if not colon or operator not in OPERATORS or operator not in filterable.operators:
        raise Refused(400, Error(f"Invalid filter operator for {field}: {operator}.", "BDC_1131"))
    quoted = len(raw) >= 2 and raw.startswith('"') and raw.endswith('"')
    if not quoted and (operator in {"in", "nin", "sw"} or filterable.kind == "time"):
        raise Refused(400, Error(f"Invalid filter value for {field}: must be in double quotes.", "BDC_1119"))
    value = raw[1:-1] if quoted else raw
    values = value.split(",") if operator in {"in", "nin"} else [value]
    return Condition(field, operator, tuple(_value(field, filterable.kind, item) for item in values))


def _split(given: str) -> list[str]:
    """At the commas that are outside of double quotes."""
    parts, start, quoted = [], 0, False
    for position, character in enumerate(given):
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(given[start:position])
            start = position + 1
    return [*parts, given[start:]]


def _value(field: str, kind: str, raw: str) -> Any:
    refused = Refused(400, Error(f"Invalid filter value for {field}: {raw}.", "BDC_1119"))
    match kind:
        case "flag":
            if raw not in {"true", "false"}:
                raise refused
            return raw == "true"
        case "date":
            if not is_date(raw):
                raise refused
            return raw
        case "time":
            return _stamp(raw, refused)
        case "number":
            try:
                return Decimal(raw)
            except InvalidOperation:
                raise refused from None
    return raw


def _stamp(raw: str, refused: Refused) -> str:
    """A date-time of the documented patterns, in the form in which rows carry theirs, which compares as text."""
    try:
        instant = dt.datetime.fromisoformat(raw)
    except ValueError:
        raise refused from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.UTC)
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds")


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, "" if value is None else value)


def _token(start: int, asked: str, snapshot: str | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, asked, snapshot]).encode()).decode().rstrip("=")


def _open_token(token: str, asked: str) -> tuple[int, str | None]:
    try:
        start, made_for, snapshot = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        raise Refused(400, Error("page: invalid token", "BDC_1119")) from None
    if made_for != asked:
        raise Refused(400, Error("page: token belongs to another list call", "BDC_1119"))
    return int(start), snapshot

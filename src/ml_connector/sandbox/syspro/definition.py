"""What a column and a table of SYSPRO are.

Every column is NOT NULL with a blank or 0 by default, dates apart; every table ends with a rowversion,
TimeStamp, that changes on every write. There is no last-changed date anywhere. One database per company.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Literal

from ml_connector.sandbox.standin import BadInput

Kind = Literal["varchar", "char", "decimal", "date", "rowversion"]
Value = str | int | Decimal | dt.datetime | None

TIMESTAMP = "TimeStamp"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    width: int = 0
    scale: int = 0

    @property
    def blank(self) -> Value:
        if self.kind == "date":
            return None
        if self.kind == "rowversion":
            return 0
        if self.kind == "decimal":
            return Decimal(0).scaleb(-self.scale) if self.scale else 0
        return ""

    def value(self, given: Any) -> Value:
        """The value as the database would hold it. Raises BadInput for what does not fit the column."""
        match self.kind:
            case "varchar" | "char":
                return self._text(given)
            case "date":
                return self._date(given)
            case _:
                return self._number(given)

    def _text(self, given: Any) -> str:
        if not isinstance(given, str):
            raise BadInput(f"{self.name}: expected text, got {given!r}")
        text = given.rstrip(" ")
        if len(text) > self.width:
            raise BadInput(f"{self.name}: {text!r} is longer than {self.width} characters")
        try:
            text.encode("cp1252")
        except UnicodeEncodeError:
            raise BadInput(f"{self.name}: {text!r} has characters outside Windows-1252") from None
        return text

    def _date(self, given: Any) -> dt.datetime | None:
        if given is None or given == "":
            return None
        try:
            day = dt.date.fromisoformat(str(given)[:10])
        except ValueError:
            raise BadInput(f"{self.name}: expected a date yyyy-MM-dd, got {given!r}") from None
        return midnight(day)

    def _number(self, given: Any) -> int | Decimal:
        if isinstance(given, bool) or not isinstance(given, int | str | Decimal):
            raise BadInput(f"{self.name}: expected a number, got {given!r}")
        try:
            number = Decimal(given)
            exact = number.quantize(Decimal(1).scaleb(-self.scale))
        except InvalidOperation:
            raise BadInput(f"{self.name}: expected a number, got {given!r}") from None
        if exact != number:
            raise BadInput(f"{self.name}: {given} has more than {self.scale} decimals")
        if abs(exact) >= Decimal(1).scaleb(self.width - self.scale):
            raise BadInput(f"{self.name}: {given} is too large for {self.width} digits")
        return exact if self.scale else int(exact)


@dataclass(frozen=True)
class Definition:
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        return {column.name: position for position, column in enumerate(self.columns)}

    @cached_property
    def blank(self) -> tuple[Value, ...]:
        return tuple(column.blank for column in self.columns)

    def column(self, name: str) -> Column:
        return self.columns[self.index[name]]


def midnight(day: dt.date) -> dt.datetime:
    """SQL datetime as the OData service shows it: the day at 00:00:00Z."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


_KINDS: dict[str, Kind] = {"v": "varchar", "c": "char", "d": "decimal", "t": "date"}
_part = re.compile(r"(\w+?)(?:(\d+)\.\.(\d+))? ([vcdt])(\d*)(?:\.(\d+))?")


def _columns(text: str) -> Iterator[Column]:
    """`Supplier v15, PurchValMth1..12 d14.2, DueDate t`: names with their kind, width and scale."""
    for part in text.replace("\n", " ").split(","):
        match = _part.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"column {part.strip()!r}")
        name, first, last, kind, width, scale = match.groups()
        names = [f"{name}{n}" for n in range(int(first), int(last) + 1)] if first else [name]
        for one in names:
            yield Column(one, _KINDS[kind], int(width or 0), int(scale or 0))


def table(name: str, key: str, columns: str) -> Definition:
    """A table with its primary key, and TimeStamp as its last column."""
    return Definition(
        name, (*_columns(columns), Column(TIMESTAMP, "rowversion", 8)), tuple(key.replace(",", " ").split())
    )

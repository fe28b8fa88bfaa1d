"""One item of a posted document: its fields as SYSPRO reads them, and what is wrong with them."""

import datetime as dt
import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from lxml import etree

from ml_connector.sandbox.syspro.books import Books
from ml_connector.sandbox.syspro.definition import Value
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.schema import TABLES

_date = re.compile(r"\d{4}-\d\d-\d\d")

NOT_FOUND = 100001
MISSING = 100002
NOT_NUMERIC = 100003
NOT_A_DATE = 100004
TOO_LONG = 100005
NOT_ALLOWED = 100006


@dataclass(frozen=True, slots=True)
class Remark:
    """An error, or a warning, about the field at a path."""

    path: str
    value: str
    number: int
    text: str
    is_warning: bool


class Item:
    """`warnings` is N when a warning rejects, W when it is reported, Y when it is not even looked for."""

    def __init__(self, element: etree._Element, long_text: Literal["refuse", "cut"], warnings: str) -> None:
        self.element = element
        self.remarks: list[Remark] = []
        self._long_text = long_text
        self._warnings = warnings

    @property
    def is_refused(self) -> bool:
        return any(not remark.is_warning or self._warnings == "N" for remark in self.remarks)

    def wrong(self, path: str, number: int, text: str, value: str | None = None) -> None:
        given = self.plain(path) if value is None and path else value or ""
        self.remarks.append(Remark(path, given, number, text, is_warning=False))

    def warn(self, path: str, number: int, text: str, value: str | None = None) -> None:
        if self._warnings != "Y":
            given = self.plain(path) if value is None and path else value or ""
            self.remarks.append(Remark(path, given, number, text, is_warning=True))

    def judge(self, how: str, path: str, number: int, text: str, value: str | None = None) -> None:
        """Accepts, warns or refuses as the site has it."""
        if how == "refuse":
            self.wrong(path, number, text, value)
        elif how == "warn":
            self.warn(path, number, text, value)

    def needs(self, path: str) -> None:
        """Says that a field is missing, if it was left out; of one that could not be read, that was said before."""
        if not self.plain(path):
            self.wrong(path, MISSING, f"{_name(path)} is needed")

    # --- fields ------------------------------------------------------------------------------------------

    def parts(self, path: str) -> list["Item"]:
        """Elements that repeat within the item; what is said of them counts for the item."""
        found = [self.part(element) for element in self.element.findall(path)]
        for part in found:
            part.remarks = self.remarks
        return found

    def part(self, element: etree._Element) -> "Item":
        """An element within the item, of which things can be said apart."""
        return Item(element, self._long_text, self._warnings)

    def take_over(self, part: "Item", below: str) -> None:
        """What was said of a part counts for the item, under the path `below`."""
        self.remarks += [replace(remark, path=f"{below}/{remark.path}") for remark in part.remarks]

    def has(self, path: str) -> bool:
        return self.element.find(path) is not None

    def plain(self, path: str) -> str:
        """The field as it was sent, without blanks around it."""
        return (self.element.findtext(path) or "").strip()

    def text(self, path: str, column: str, where: str = "") -> str:
        """The field as the column `Table.Name` holds it: no other characters than Windows-1252 has."""
        table, _, name = column.partition(".")
        width, text = TABLES[table].column(name).width, self.plain(path)
        if len(text) > width and self._long_text == "refuse":
            self.wrong(where or path, TOO_LONG, f"{_name(path)} is longer than {width} characters", text)
        return text.encode("cp1252", "replace").decode("cp1252")[:width].rstrip()

    def number(self, path: str, column: str, where: str = "") -> Decimal | None:
        """None when it is left out or not numeric, of which the latter is said."""
        given = self.plain(path)
        if not given:
            return None
        table, _, name = column.partition(".")
        scale, width = TABLES[table].column(name).scale, TABLES[table].column(name).width
        try:
            number = Decimal(given)
            exact = number.quantize(Decimal(1).scaleb(-scale))
        except InvalidOperation:
            self.wrong(where or path, NOT_NUMERIC, f"{_name(path)} '{given}' is not numeric", given)
            return None
        if exact != number or abs(exact) >= Decimal(1).scaleb(width - scale):
            text = f"{_name(path)} '{given}' does not fit {width} digits with {scale} decimals"
            self.wrong(where or path, NOT_NUMERIC, text, given)
            return None
        return exact

    def date(self, path: str, where: str = "") -> dt.date | None:
        given = self.plain(path)
        if not given:
            return None
        day = _day(given)
        if day is None:
            self.wrong(where or path, NOT_A_DATE, f"{_name(path)} '{given}' is not a date yyyy-MM-dd", given)
        return day

    def flag(self, path: str, *, default: bool = False) -> bool:
        given = self.plain(path).upper()
        return default if not given else given == "Y"

    def choice(self, path: str, known: str, default: str) -> str:
        """One of the letters, or the default for none; any other is an error."""
        given = self.plain(path).upper()
        if given and given not in known.split():
            self.wrong(
                path,
                NOT_ALLOWED,
                f"{_name(path)} '{given}' is not one of {', '.join(known.split())}",
            )
        return given or default

    def code(self, books: Books, path: str, table: str, default: str = "", where: str = "") -> dict[str, Any] | None:
        """The row of a code table; None for a blank one, and for an unknown one, which is said."""
        given = self.plain(path) or default
        if not given:
            return None
        row = books.row(table, given)
        if row is None:
            self.wrong(where or path, NOT_FOUND, f"{_name(path)} '{given}' not found", given)
        return row

    def columns(self, names: dict[str, str]) -> dict[str, Value]:
        """Fields that are there and not blank, by the column `Table.Name` in which they end up."""
        found: dict[str, Value] = {}
        for path, column in names.items():
            if not self.plain(path):
                continue
            table, _, name = column.partition(".")
            kind, scale = TABLES[table].column(name).kind, TABLES[table].column(name).scale
            if kind == "decimal":
                number = self.number(path, column) or Decimal(0)
                found[name] = number if scale else int(number)
            elif kind == "date":
                day = self.date(path)
                found[name] = None if day is None else dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
            else:
                found[name] = self.text(path, column)
        return found

    # --- the answer --------------------------------------------------------------------------------------

    def remarks_as_nodes(self, *, lower: bool) -> list[Node]:
        """What was said, field by field; setup business objects name the field in lower case, beside the key."""
        nodes = [_node(remark, lower=lower) for remark in self.remarks]
        warnings: list[Node] = [
            ("WarningMessage", [("WarningNumber", str(remark.number)), ("WarningDescription", remark.text)])
            for remark in self.remarks
            if remark.is_warning
        ]
        return [*nodes, ("WarningMessages", warnings)] if warnings else nodes


def _day(given: str) -> dt.date | None:
    """Only yyyy-MM-dd, and only years that SQL's datetime holds with room for terms."""
    try:
        day = dt.date.fromisoformat(given) if _date.fullmatch(given) else None
    except ValueError:
        return None
    return day if day is not None and 1753 <= day.year < 9990 else None


def _name(path: str) -> str:
    """The field's own name, without the elements around it."""
    return path.rpartition("/")[2]


def _node(remark: Remark, *, lower: bool) -> Node:
    kind = "Warning" if remark.is_warning else "Error"
    content: list[Node] = [
        ("Value", remark.value),
        (f"{kind}Number", str(remark.number)),
        (f"{kind}Description", remark.text),
    ]
    names = [name for name in remark.path.split("/") if name] or ["Document"]
    if lower:
        return names[-1].lower(), content
    node: Node = (names[-1], content)
    for name in reversed(names[:-1]):
        node = (name, [node])
    return node

"""`$filter` and `$orderby` over rows: the operators and functions that the Service Layer has, and no others.

eq ne gt ge lt le, and or not, brackets, null; startswith, endswith, contains, substringof. No any or all, no
arithmetic, no functions of dates, no conditions on the rows of a document.
"""

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from ml_connector.sandbox.sapb1 import incoming
from ml_connector.sandbox.sapb1.enums import member
from ml_connector.sandbox.sapb1.errors import bad_query
from ml_connector.sandbox.sapb1.schema import Property, Type

Test = Callable[[Mapping[str, Any]], bool]

OPERATORS: dict[type[ast._Comparator], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda text, part: part in text,
    "substringof": lambda text, part: part in text,
}
BAD_FILTER = "Query string error - Invalid filter condition"
_ARGUMENTS = dict.fromkeys(FUNCTIONS, 2)


def condition(text: str, type_: Type, *, ignore_case: bool, minute_times: bool) -> Test:
    """Raises Refused for what cannot be parsed, an unknown property, or a literal of another type."""
    return _Translator(type_, ignore_case=ignore_case, minute_times=minute_times).test(_tree(text))


def ordering(text: str, type_: Type) -> list[tuple[str, bool]]:
    """`UpdateDate,DocEntry desc` as (property, descending)."""
    order = []
    for part in text.split(","):
        words = part.split()
        if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1].lower() not in {"asc", "desc"}):
            raise bad_query("Query string error - Invalid orderby condition")
        order.append((property_named(words[0], type_).name, words[-1].lower() == "desc"))
    return order


def in_order(rows: list[Any], order: Sequence[tuple[str, bool]], type_: Type) -> list[Any]:
    """Sorted; nothing comes before everything."""
    for name, descending in reversed(order):
        default = type_.properties[name].default
        rows.sort(key=lambda row: _sortable(row.get(name, default)), reverse=descending)
    return rows


def property_named(name: str, type_: Type) -> Property:
    """A property that can be compared and sorted by."""
    property_ = type_.properties.get(name)
    if property_ is None or property_.kind == "list":
        raise bad_query(f"Property '{name}' is invalid")
    return property_


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value if value is not None else 0


@lru_cache(maxsize=512)
def _tree(text: str) -> ast._Node:
    parser = ODataParser()
    # Its own list of functions is OData 4's, without substringof and with many that are not served here.
    setattr(parser, "_function_call", _function)  # noqa: B010 (a method of the library's class)
    try:
        tree: ast._Node | None = parser.parse(ODataLexer().tokenize(_dates_as_text(text)))
    except (ODataException, ValueError, IndexError):
        raise bad_query(BAD_FILTER) from None
    if tree is None:
        raise bad_query(BAD_FILTER)
    return tree


def _dates_as_text(text: str) -> str:
    """datetime'2024-04-23' goes on as a string, which is how all dates are written here."""
    return re.sub(r"(?<![\w'])(?:datetime|time)'", "'", text)


def _function(name: ast.Identifier, arguments: list[ast._Node]) -> ast.Call:
    if len(arguments) != _ARGUMENTS.get(name.name):
        raise bad_query(BAD_FILTER)
    return ast.Call(name, arguments)


class _Translator:
    def __init__(self, type_: Type, *, ignore_case: bool, minute_times: bool) -> None:
        self._type = type_
        self._fold: Callable[[str], str] = str.casefold if ignore_case else str
        self._minute_times = minute_times

    def test(self, node: ast._Node) -> Test:  # noqa: PLR0911 (one per kind of node)
        match node:
            case ast.BoolOp(op, left, right):
                first, second = self.test(left), self.test(right)
                if isinstance(op, ast.And):
                    return lambda row: first(row) and second(row)
                return lambda row: first(row) or second(row)
            case ast.UnaryOp(ast.Not(), operand):
                inner = self.test(operand)
                return lambda row: not inner(row)
            case ast.Compare(comparator, ast.Call() as call, ast.Boolean(flag)) if isinstance(
                comparator, ast.Eq | ast.NotEq
            ):
                found, wanted = self.test(call), (flag == "true") is isinstance(comparator, ast.Eq)
                return lambda row: found(row) is wanted
            case ast.Compare(comparator, ast.Identifier(name), literal) if type(comparator) in OPERATORS:
                return self._compare(name, OPERATORS[type(comparator)], literal)
            case ast.Call(ast.Identifier("substringof"), [ast.String(part), ast.Identifier(name)]):
                return self._matches("substringof", name, part)
            case ast.Call(ast.Identifier(function), [ast.Identifier(name), ast.String(part)]) if (
                function != "substringof"
            ):
                return self._matches(function, name, part)
        raise bad_query(BAD_FILTER)

    def _compare(self, name: str, compare: Callable[[Any, Any], bool], literal: ast._Node) -> Test:
        property_ = property_named(name, self._type)
        default = property_.default
        if isinstance(literal, ast.Null):
            if compare not in (operator.eq, operator.ne):
                raise bad_query(BAD_FILTER)
            return lambda row: compare(row.get(name, default), None)
        value = self._value(property_, literal)
        seen = self._seen(property_)

        def test(row: Mapping[str, Any]) -> bool:
            held = row.get(name, default)
            return held is not None and compare(seen(held), value)

        return test

    def _seen(self, property_: Property) -> Callable[[Any], Any]:
        """A stored value as the comparison sees it."""
        if property_.kind == "string":
            return self._fold
        if property_.kind == "time" and self._minute_times:
            return _to_the_minute
        return _as_is

    def _matches(self, function: str, name: str, part: str) -> Test:
        property_ = property_named(name, self._type)
        if property_.kind != "string":
            raise bad_query(BAD_FILTER)
        holds, fold, folded = FUNCTIONS[function], self._fold, self._fold(part)
        return lambda row: (held := row.get(name)) is not None and holds(fold(held), folded)

    def _value(self, property_: Property, literal: ast._Node) -> Any:
        try:
            match property_.kind, literal:
                case "string", ast.String(text):
                    return self._fold(text)
                case "enum", (ast.String(text) | ast.Integer(text)):
                    name = member(property_.of, text)
                    if name is not None:
                        return name
                case "date", ast.String(text):
                    return incoming.date(text)
                case "time", ast.String(text):
                    return self._seen(property_)(incoming.time(text))
                case "int", (ast.Integer(text) | ast.String(text)):
                    return int(text)
                case "double", (ast.Integer(text) | ast.Float(text) | ast.String(text)):
                    return Decimal(text)
        except (ValueError, ArithmeticError):
            raise bad_query(BAD_FILTER) from None
        raise bad_query(BAD_FILTER)


def _as_is(value: Any) -> Any:
    return value


def _to_the_minute(value: dt.time) -> dt.time:
    return value.replace(second=0)

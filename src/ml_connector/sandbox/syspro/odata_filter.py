"""OData `$filter` and `$orderby`: the text to a condition on the columns that the reader sees.

eq ne gt ge lt le, and or not, brackets, in, contains, startswith, endswith, null. A literal must have the column's
type; a date must be spelt as this site's service understands it.
"""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser

from ml_connector.sandbox.syspro.conditions import And, Compare, Condition, IsNull, Matches, Not, Operator, Or
from ml_connector.sandbox.syspro.definition import Column, Value, midnight
from ml_connector.sandbox.syspro.table import OrderBy
from ml_connector.sandbox.syspro.view import View

DateStyle = Literal["datetimeoffset", "date", "quoted", "any"]


class BadQuery(Exception):
    """A 400 of the service."""


OPERATORS: dict[type[ast._Comparator], Operator] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Lt: "lt",
    ast.LtE: "le",
}
PATTERNS: dict[str, Callable[[str], str]] = {
    "contains": lambda text: text,
    "startswith": lambda text: rf"\A{text}",
    "endswith": lambda text: rf"{text}\Z",
}


def condition(text: str, view: View, date_style: DateStyle) -> Condition:
    """Raises BadQuery for what cannot be parsed, an unknown column, or a literal of another type."""
    return _Translator(view, date_style).translate(_parsed(text))


def ordering(text: str, view: View) -> list[OrderBy]:
    """`Supplier,InvoiceDate desc`."""
    order = []
    for part in text.split(","):
        words = part.split()
        if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1] not in {"asc", "desc"}):
            raise BadQuery(f"Syntax error in $orderby at '{part.strip()}'.")
        order.append(OrderBy(column_named(words[0], view).name, words[-1] == "desc"))
    return order


def column_named(name: str, view: View) -> Column:
    column = view.columns.get(name)
    if column is None:
        raise BadQuery(f"Could not find a property named '{name}' on type 'SYSPRO.{view.name}'.")
    return column


@lru_cache(maxsize=256)
def _parsed(text: str) -> ast._Node:
    try:
        tree: ast._Node | None = ODataParser().parse(ODataLexer().tokenize(_rowversions_as_text(text)))
    except (ODataException, ValueError) as error:
        raise BadQuery(f"Syntax error in $filter: {error}") from None
    if tree is None:
        raise BadQuery("Syntax error in $filter: it is empty.")
    return tree


def _rowversions_as_text(text: str) -> str:
    """The parser does not know binary literals: binary'AAAAAAAAB9E=' goes on as a string."""
    return re.sub(r"(?<![\w'])binary'", "'", text)


class _Translator:
    def __init__(self, view: View, date_style: DateStyle) -> None:
        self._view = view
        self._date_style = date_style

    def translate(self, node: ast._Node) -> Condition:  # noqa: PLR0911 (one per kind of node)
        match node:
            case ast.BoolOp(ast.And()):
                return And(tuple(self.translate(part) for part in _chain(node, ast.And)))
            case ast.BoolOp(ast.Or()):
                return Or(tuple(self.translate(part) for part in _chain(node, ast.Or)))
            case ast.UnaryOp(ast.Not(), operand):
                return Not(self.translate(operand))
            case ast.Compare(ast.In(), ast.Identifier(name), ast.List(literals)):
                return Or(tuple(self._compare(name, "eq", literal) for literal in literals))
            case ast.Compare(_, ast.Call(), ast.Boolean(flag)):
                found = self.translate(node.left)
                return found if (flag == "true") is isinstance(node.comparator, ast.Eq) else Not(found)
            case ast.Compare(comparator, ast.Identifier(name), literal) if type(comparator) in OPERATORS:
                return self._compare(name, OPERATORS[type(comparator)], literal)
            case ast.Call(ast.Identifier(function), [ast.Identifier(name), ast.String(text)]):
                return self._matches(function, name, text)
            case _:
                raise BadQuery(f"$filter: {type(node).__name__} is not supported here.")

    def _compare(self, name: str, operator: Operator, literal: ast._Node) -> Condition:
        column = column_named(name, self._view)
        if isinstance(literal, ast.Null):
            if operator not in {"eq", "ne"}:
                raise _wrong_type(column, "null")
            null = IsNull(column.name)
            return null if operator == "eq" else Not(null)
        compared = Compare(column.name, operator, self._value(column, literal))
        if operator == "ne" and column.kind == "date":
            return Or((compared, IsNull(column.name)))
        return compared

    def _matches(self, function: str, name: str, text: str) -> Condition:
        column = column_named(name, self._view)
        anchored = PATTERNS.get(function)
        if anchored is None:
            raise BadQuery(f"An unknown function with name '{function}' was found.")
        if column.kind not in {"varchar", "char"}:
            raise _wrong_type(column, "text")
        return Matches(column.name, re.compile(anchored(re.escape(text))))

    def _value(self, column: Column, literal: ast._Node) -> Value:  # noqa: PLR0911 (one per type)
        match column.kind, literal:
            case (("varchar" | "char"), ast.String(text)):
                return text.rstrip(" ")
            case "decimal", ast.Integer(text):
                return int(text)
            case "decimal", ast.Float(text):
                return Decimal(text)
            case "rowversion", ast.String(text):
                return rowversion(text)
            case "date", ast.DateTime(text) if self._date_style in {"datetimeoffset", "any"}:
                return _instant(text)
            case "date", ast.Date(text) if self._date_style in {"date", "any"}:
                return midnight(dt.date.fromisoformat(text))
            case "date", ast.String(text) if self._date_style in {"quoted", "any"}:
                return _instant(text)
            case _:
                raise _wrong_type(column, type(literal).__name__)


def rowversion(text: str) -> int:
    """The number behind eight bytes in base64."""
    try:
        return int.from_bytes(base64.b64decode(text, validate=True), "big")
    except binascii.Error:
        raise BadQuery(f"'{text}' is no binary literal.") from None


def _chain(node: ast._Node, operator: type[ast.And | ast.Or]) -> list[ast._Node]:
    """The parts of `a or b or c`, which the parser nests to the left."""
    parts: list[ast._Node] = []
    while isinstance(node, ast.BoolOp) and type(node.op) is operator:
        parts.append(node.right)
        node = node.left
    return [node, *reversed(parts)]


def _instant(text: str) -> dt.datetime:
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadQuery(f"'{text}' is no date.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)


def _wrong_type(column: Column, literal: str) -> BadQuery:
    edm = {"varchar": "Edm.String", "char": "Edm.String", "date": "Edm.DateTimeOffset"}
    edm |= {"decimal": "Edm.Decimal", "rowversion": "Edm.Binary"}
    return BadQuery(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{edm[column.kind]}' (column {column.name}) and '{literal}'."
    )

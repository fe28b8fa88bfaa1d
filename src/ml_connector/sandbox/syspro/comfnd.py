"""COMFND: the generic table query, `/Query/Query` with BusinessObject COMFND; and COMFCH, one row by key.

Input root Query: TableName, ReturnRows (left out: all rows), AllColumns, Columns/Column, Where/Expression
(AndOr, OpenBracket, Column, Condition, Value, CloseBracket), OrderBy/Column, Sequence. Conditions are EQ NE GT
GE LT LE LIKE with the wildcards `*` and `?`. Names are case-sensitive. No continuation token: page by key.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import cast

from lxml import etree

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.conditions import And, Compare, Condition, IsNull, Matches, Not, Operator, Or
from ml_connector.sandbox.syspro.definition import Column, Value
from ml_connector.sandbox.syspro.documents import Node, Refused, parse, render, shown, text_of
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.table import OrderBy, Table
from ml_connector.sandbox.syspro.view import View, view

QUERY_ELEMENTS = {"TableName", "ReturnRows", "AllColumns", "Columns", "Where", "OrderBy", "Sequence"}
EXPRESSION_ELEMENTS = {"AndOr", "OpenBracket", "Column", "Condition", "Value", "CloseBracket"}


def find(xml: str | None, tables: Mapping[str, Table], options: SysproOptions) -> bytes:
    query = parse(xml, "Query")
    _only(query, QUERY_ELEMENTS)
    seen = _view(text_of(query, "TableName"), tables, options)
    columns = _columns(query, seen)
    order = [OrderBy(_column(name, seen).name) for name in _names(query, "OrderBy")]
    order = _descending(query, order, seen)
    rows = seen.table.select(_where(query, seen), order, _limit(query))
    at = [(name, seen.columns[name], seen.position(name)) for name in columns]
    found: list[Node] = [
        ("Row", [(name, shown(column, row[position])) for name, column, position in at]) for row in rows
    ]
    header: list[Node] = [
        ("TableName", seen.name),
        ("Columns", [("Column", name) for name in columns]),
        ("OrderBy", [("Column", name) for name in _names(query, "OrderBy")]),
    ]
    tail: Node = ("RowsReturned", f"{len(rows):8d}")
    return render(seen.name, [("HeaderDetails", header), *found, tail])


def fetch(xml: str | None, tables: Mapping[str, Table], options: SysproOptions) -> bytes:
    """COMFCH: every column of one row; a date without value is 0000-00-00."""
    query = parse(xml, "Fetch")
    seen = _view(text_of(query, "TableName"), tables, options)
    given = [text_of(query, "Key"), *(text_of(query, f"OptionalKey{n}") for n in range(1, 13))]
    key_columns = [seen.table.definition.column(name) for name in seen.table.definition.key]
    key = [_value(column, text) for column, text in zip(key_columns, given, strict=False)]
    row = seen.table.get(*key)
    if row is None:
        raise Refused(f"{seen.name}: key '{' '.join(given).strip()}' not found")
    cells: list[Node] = [
        (name, shown(column, row[seen.position(name)], no_date="0000-00-00")) for name, column in seen.columns.items()
    ]
    return render(seen.name, cells)


def _view(name: str, tables: Mapping[str, Table], options: SysproOptions) -> View:
    seen = view(tables, name, options)
    if seen is None:
        raise Refused(f"Table '{name}' not found")
    return seen


def _columns(query: etree._Element, seen: View) -> list[str]:
    if text_of(query, "AllColumns") == "Y":
        return list(seen.columns)
    names = _names(query, "Columns")
    if not names:
        raise Refused("Columns: at least one Column is needed")
    for name in names:
        _column(name, seen)
    return names


def _descending(query: etree._Element, order: list[OrderBy], seen: View) -> list[OrderBy]:
    down = {
        _column(element.get("Name") or "", seen).name
        for element in query.findall("Sequence/Column")
        if element.get("Orderby") == "D"
    }
    return [OrderBy(by.column, by.column in down) for by in order]


def _limit(query: etree._Element) -> int | None:
    text = text_of(query, "ReturnRows")
    if not text:
        return None
    if not text.isdigit():
        raise Refused(f"ReturnRows '{text}' is not numeric")
    return int(text)


def _names(query: etree._Element, parent: str) -> list[str]:
    return [(element.text or "").strip() for element in query.findall(f"{parent}/Column")]


def _column(name: str, seen: View) -> Column:
    column = seen.columns.get(name)
    if column is None:
        raise Refused(f"Column '{name}' not found in table '{seen.name}'")
    return column


def _only(element: etree._Element, known: set[str]) -> None:
    """A query document that does not match its schema raises an exception."""
    for child in element:
        if child.tag not in known:
            raise Refused(f"XmlIn: element {child.tag} is not expected in {element.tag}")


# --- Where -----------------------------------------------------------------------------------------------


@dataclass
class _Tokens:
    """`(`, `)`, And, Or and conditions in their order; And binds closer than Or, as in SQL."""

    items: list[str | Condition]
    position: int = 0

    def peek(self) -> str | Condition | None:
        return self.items[self.position] if self.position < len(self.items) else None

    def take(self) -> str | Condition | None:
        item = self.peek()
        self.position += 1
        return item


def _where(query: etree._Element, seen: View) -> Condition | None:
    items: list[str | Condition] = []
    for number, expression in enumerate(query.findall("Where/Expression")):
        _only(expression, EXPRESSION_ELEMENTS)
        if number:
            items.append("Or" if text_of(expression, "AndOr").lower() == "or" else "And")
        items += _brackets(expression, "OpenBracket", "(")
        items.append(_condition(expression, seen))
        items += _brackets(expression, "CloseBracket", ")")
    if not items:
        return None
    tokens = _Tokens(items)
    condition = _any(tokens)
    if tokens.peek() is not None:
        raise Refused("Where: brackets do not match")
    return condition


def _brackets(expression: etree._Element, name: str, bracket: str) -> Sequence[str]:
    text = text_of(expression, name)
    if text.strip(bracket):
        raise Refused(f"{name}: '{text}'")
    return [bracket] * len(text)


def _any(tokens: _Tokens) -> Condition:
    parts = [_every(tokens)]
    while tokens.peek() == "Or":
        tokens.take()
        parts.append(_every(tokens))
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _every(tokens: _Tokens) -> Condition:
    parts = [_one(tokens)]
    while tokens.peek() == "And":
        tokens.take()
        parts.append(_one(tokens))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _one(tokens: _Tokens) -> Condition:
    item = tokens.take()
    if item == "(":
        inner = _any(tokens)
        if tokens.take() != ")":
            raise Refused("Where: brackets do not match")
        return inner
    if item is None or isinstance(item, str):
        raise Refused("Where: brackets do not match")
    return item


def _condition(expression: etree._Element, seen: View) -> Condition:
    column = _column(text_of(expression, "Column"), seen)
    name, text = text_of(expression, "Condition"), (expression.findtext("Value") or "").rstrip()
    if name == "LIKE":
        return Matches(column.name, _like(text))
    if name not in {"EQ", "NE", "GT", "GE", "LT", "LE"}:
        raise Refused(f"Condition '{name}' is not valid")
    if column.kind == "date" and not text:
        return IsNull(column.name) if name == "EQ" else Not(IsNull(column.name))
    return Compare(column.name, cast("Operator", name.lower()), _value(column, text))


def _like(pattern: str) -> re.Pattern[str]:
    body = "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
    return re.compile(rf"\A{body}\Z", re.DOTALL)


def _value(column: Column, text: str) -> Value:
    if column.kind == "decimal":
        try:
            return Decimal(text or "0")
        except InvalidOperation:
            raise Refused(f"Value '{text}' of column '{column.name}' is not numeric") from None
    if column.kind == "rowversion":
        try:
            return int(text, 16)
        except ValueError:
            raise Refused(f"Value '{text}' of column '{column.name}' is not hexadecimal") from None
    if column.kind == "date":
        try:
            return column.value(text)
        except BadInput as error:
            raise Refused(str(error)) from None
    return text

"""COMFND, e.net's query of one table: the document that asks, the document that answers.

SYSPRO: table and column names are case-sensitive in the question and may change case in the answer; conditions are
EQ NE GT GE LT LE joined by AndOr with brackets; `ReturnRows` is always set, because without it the whole table comes.
There is no paging but by key. An answer counts its rows in `RowsReturned`, padded with blanks. Its root names the
format of decimals: 1 is the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape

from ml_connector.systems.base import ShapeChanged, Transient
from ml_connector.systems.syspro.where import Condition, Value, Where
from ml_connector.systems.transport.xml import Element, Malformed, children, parse, printable, text, to_decimal

NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"
BUSINESS_OBJECT = "COMFND"
DECIMAL_POINT = "1"


def query(table: str, columns: Sequence[str], where: Where, order: Sequence[str], rows: int) -> str:
    """The document for up to `rows` rows. ASCII: other characters are numeric references."""
    parts = [
        f'<Query xmlns:xsd="{NAMESPACE}" xsd:noNamespaceSchemaLocation="{BUSINESS_OBJECT}.XSD">',
        f"<TableName>{table}</TableName><ReturnRows>{rows}</ReturnRows><AllColumns>N</AllColumns><Columns>",
        *(f"<Column>{column}</Column>" for column in columns),
        "</Columns>",
        *_where(where),
        "<OrderBy>",
        *(f"<Column>{column}</Column>" for column in order),
        "</OrderBy></Query>",
    ]
    return "".join(parts)


def answer(document: str, table: str) -> list[dict[str, str]]:
    """The rows, their columns named in lower case, their texts as they are.

    Raises Transient for a document that is cut off or counts other rows than it has, ShapeChanged for one that is
    no answer about the table or has amounts with another decimal sign.
    """
    root = xml(document)
    if root.tag.lower() != table.lower():
        raise ShapeChanged(table, f"SYSPRO answered the query of {table} with a document {root.tag!r}.")
    decimals = root.get("DecFormat", DECIMAL_POINT)
    if decimals != DECIMAL_POINT:
        raise ShapeChanged(
            "DecFormat",
            f"SYSPRO writes amounts in decimal format {decimals} for this operator. Set the operator's decimal format "
            "to 1 (decimal point) in Operator Maintenance.",
        )
    rows = [_columns(row) for row in children(root, "Row")]
    counted = text(root, "RowsReturned")
    if counted and int(to_decimal(counted)) != len(rows):
        raise Transient(f"SYSPRO counted {counted} rows of {table} but sent {len(rows)}.")
    return rows


def xml(document: str) -> Element:
    """Any XML answer of e.net. Raises Transient where it is cut off or broken."""
    try:
        return parse(document)
    except Malformed as broken:
        raise Transient(f"SYSPRO's answer cannot be read: {broken}") from None


def _columns(row: Element) -> dict[str, str]:
    return {column.tag.lower(): column.text or "" for column in row}


def _where(where: Where) -> list[str]:
    expressions = [_expression(condition) for condition in where.all]
    for group in where.any:
        for index, terms in enumerate(group):
            for place, condition in enumerate(terms):
                opening = ("(" if place == 0 and len(terms) > 1 else "") + ("(" if index == place == 0 else "")
                closing = (")" if place == len(terms) - 1 and len(terms) > 1 else "") + (
                    ")" if index == len(group) - 1 and place == len(terms) - 1 else ""
                )
                joined = "And" if place or index == 0 else "Or"
                expressions.append(_expression(condition, joined, opening, closing))
    if not expressions:
        return []
    first = expressions[0].replace("<AndOr>And</AndOr>", "", 1)
    return ["<Where>", first, *expressions[1:], "</Where>"]


def _expression(condition: Condition, joined: str = "And", opening: str = "", closing: str = "") -> str:
    brackets = f"<OpenBracket>{opening}</OpenBracket>" if opening else ""
    closed = f"<CloseBracket>{closing}</CloseBracket>" if closing else ""
    return (
        f"<Expression><AndOr>{joined}</AndOr>{brackets}<Column>{condition.column}</Column>"
        f"<Condition>{condition.op.upper()}</Condition><Value>{_value(condition.value)}</Value>{closed}</Expression>"
    )


def _value(value: Value) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return escape(printable(str(value))).encode("ascii", "xmlcharrefreplace").decode("ascii")

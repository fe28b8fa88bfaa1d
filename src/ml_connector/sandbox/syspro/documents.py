"""The XML that e.net takes and gives.

Out: declared and encoded as Windows-1252, root attributes in single quotes, a newline after each tag, and a
newline and a blank at the end. Numbers are padded with blanks on the left.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from xml.sax.saxutils import escape

from lxml import etree

from ml_connector.sandbox.syspro.definition import Column, Value

DECLARATION = '<?xml version="1.0" encoding="Windows-1252"?>'
ROOT_ATTRIBUTES = (
    "Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' "
    "Version='7.0.053' OperatorPrimaryRole='   '"
)

Node = tuple[str, "str | list[Node]"]
"""An element: its name, and its text or its children."""


class Refused(Exception):
    """e.net refuses the whole call; over REST the text follows `ERROR: `."""


def render(root: str, children: Iterable[Node]) -> bytes:
    lines = [DECLARATION, f"<{root} {ROOT_ATTRIBUTES}>", *_lines(children), f"</{root}>", " "]
    return "\n".join(lines).encode("cp1252", "xmlcharrefreplace")


def _lines(nodes: Iterable[Node]) -> Iterator[str]:
    for name, content in nodes:
        if isinstance(content, list):
            yield f"<{name}>"
            yield from _lines(content)
            yield f"</{name}>"
        elif content:
            yield f"<{name}>{escape(content)}</{name}>"
        else:
            yield f"<{name}/>"


def shown(column: Column, value: Value, *, no_date: str = "") -> str:
    """A column's value as text: dates yyyy-MM-dd, numbers right-aligned in the column's width."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if value is None:
        return no_date
    if column.kind == "rowversion":
        return f"{value:016X}"
    if isinstance(value, int | Decimal):
        number = f"{value:f}" if column.scale else str(value)
        return number.rjust(column.width + (1 if column.scale else 0) + 1)
    return value


_declaration = re.compile(r"^\s*<\?xml[^>]*\?>")
_parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)


def parse(text: str | None, root: str) -> etree._Element:
    """An input document, with or without a declaration. Raises Refused."""
    if not text or not text.strip():
        raise Refused("XmlIn is empty")
    try:
        element = etree.fromstring(_declaration.sub("", text).encode(), _parser)
    except etree.XMLSyntaxError as error:
        raise Refused(f"XmlIn is not well-formed: {error.msg}") from None
    if element.tag != root:
        raise Refused(f"XmlIn: root {element.tag} where {root} is expected")
    return element


def text_of(element: etree._Element, name: str) -> str:
    """The text of a child, stripped; blank when there is none."""
    return (element.findtext(name) or "").strip()

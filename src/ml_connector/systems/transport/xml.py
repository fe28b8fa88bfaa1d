"""XML that comes from outside: no entity is expanded, no DOCTYPE accepted, no document larger than it should be.

Elements are looked up without regard to the case of letters, because vendors change it between request and answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

__all__ = ["Element", "Malformed", "child", "children", "parse", "printable", "text", "to_decimal", "walk"]

Element = etree._Element

LIMIT = 64 * 1024 * 1024
"""Bytes of the largest document that is parsed."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML 1.0 cannot hold, not even as a character reference."""

_FORBIDDEN_REFERENCE = re.compile(r"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));")

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")

_NUMBER = re.compile(r"([+-]?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(\.[0-9]*)?(-?)")


class Malformed(ValueError):
    """The text is no acceptable XML document. Says why, and holds none of the document."""


def parse(document: str, *, limit: int = LIMIT) -> Element:
    """The root of a decoded document; its XML declaration, encoding included, is passed over.

    Control characters that XML forbids are removed first: vendors let them through from their databases.
    Raises Malformed.
    """
    if len(document) > limit:
        raise Malformed(f"The document has more than {limit} characters.")
    content = printable(_DECLARATION.sub("", document, count=1)).encode("utf-8", "replace")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as broken:
        where = f"line {broken.lineno}" if broken.lineno else "its beginning"
        raise Malformed(f"The document is cut off or broken at {where}.") from None
    if _declares_doctype(root):
        raise Malformed("The document declares a DOCTYPE, which is never accepted.")
    return root


def printable(value: str) -> str:
    """`value` without the control characters that XML forbids, written out or as references."""
    return _FORBIDDEN_REFERENCE.sub("", _FORBIDDEN.sub("", value))


def child(element: Element, name: str) -> Element | None:
    """The first child of that name, in any case of letters."""
    return next(children(element, name), None)


def children(element: Element, name: str) -> Iterator[Element]:
    """The children of that name, in any case of letters."""
    wanted = name.lower()
    return (found for found in element if _name(found) == wanted)


def walk(element: Element, name: str) -> Iterator[Element]:
    """The element and everything below it of that name, in any case of letters."""
    wanted = name.lower()
    return (found for found in element.iter() if _name(found) == wanted)


def text(element: Element, name: str) -> str:
    """The trimmed text of a child, empty where there is none."""
    found = child(element, name)
    return "" if found is None else (found.text or "").strip()


def to_decimal(value: str) -> Decimal:
    """An exact number from text: padded with blanks or zeros, with thousands commas, signed before or after.

    An empty text is 0. Raises ValueError for anything else, a decimal comma included.
    """
    stripped = value.strip()
    if not stripped:
        return Decimal(0)
    found = _NUMBER.fullmatch(stripped)
    if found is None or not any(map(str.isdigit, stripped)) or (found[1] and found[4]):
        raise ValueError(f"{stripped!r} is no number.")
    return Decimal(f"{found[1] or found[4]}{found[2].replace(',', '') or '0'}{found[3] or ''}")


def _declares_doctype(root: Any) -> bool:
    return bool(root.getroottree().docinfo.doctype)


def _name(element: Element) -> str:
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    return tag.rpartition("}")[2].lower()

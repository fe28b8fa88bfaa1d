"""A document of WCF's binary XML in memory, and what one may at most be."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.sax.saxutils import escape

from ml_connector.systems.transport.xml import printable

Name: TypeAlias = tuple[str, str]
"""Namespace and local name."""


class Malformed(ValueError):
    """What arrived is no document, or none that is accepted. Says why, and holds none of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is accepted of an answer at most. Beyond it the answer is Malformed, as soon as that is seen."""

    size: int = 64 * 1024 * 1024
    """Bytes of an answer, and characters of all its text together."""
    words: int = 64 * 1024
    """Bytes of the table that a session's messages add words to."""
    depth: int = 64
    nodes: int = 10_000
    """Elements, attributes and declarations of namespaces. Business documents are one text and count as one."""
    records: int = 1_000_000
    """Records in a document, and chunks of a streamed answer."""


@dataclass(slots=True)
class Element:
    """An element. Text that stands between children is not told apart from text before or after them."""

    name: str
    namespace: str = ""
    attributes: dict[Name, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    parts: list[str | bytes] = field(default_factory=list)
    """What it holds, in the pieces that it came in: text, or the bytes that text shows as base64."""

    @property
    def text(self) -> str:
        """All its text; bytes as base64."""
        shown: list[str] = []
        raw: list[bytes] = []
        for part in self.parts:
            if isinstance(part, bytes):
                raw.append(part)
                continue
            if raw:
                shown.append(_base64(raw))
                raw = []
            shown.append(part)
        return "".join([*shown, _base64(raw)])

    @property
    def content(self) -> bytes | None:
        """The bytes that it holds; None where any of it came as text, or nothing at all."""
        raw = [part for part in self.parts if isinstance(part, bytes)]
        return b"".join(raw) if raw and len(raw) == len(self.parts) else None

    def child(self, name: str, namespace: str) -> Element | None:
        """The first child of that name."""
        return next(self.all(name, namespace), None)

    def all(self, name: str, namespace: str) -> Iterator[Element]:
        """The children of that name."""
        return (child for child in self.children if (child.name, child.namespace) == (name, namespace))


def as_xml(element: Element) -> bytes:
    """Elements and text as XML for people; attributes and what XML cannot hold are left out."""
    return _as_xml(element, "").encode("utf-8", "replace")


def _as_xml(element: Element, inherited: str) -> str:
    space = "" if element.namespace == inherited else f' xmlns="{escape(element.namespace, {chr(34): "&quot;"})}"'
    inner = "".join(_as_xml(child, element.namespace) for child in element.children)
    return f"<{element.name}{space}>{escape(printable(element.text))}{inner}</{element.name}>"


def _base64(pieces: list[bytes]) -> str:
    """Of all pieces together: that of each one would be another where a piece is no multiple of three bytes."""
    return b64encode(b"".join(pieces)).decode()

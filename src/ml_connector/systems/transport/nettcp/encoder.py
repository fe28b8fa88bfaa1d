"""Elements into binary XML [MC-NBFX], as it is sent: words of the static dictionary by number, all others spelled.

A sender need not announce words to the session, and we do not: a request then means the same on every connection,
buffered or streamed, and no table can be out of step.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from uuid import UUID

from ml_connector.systems.transport.nettcp.cursor import write_size
from ml_connector.systems.transport.nettcp.element import Element
from ml_connector.systems.transport.nettcp.strings import NUMBERS
from ml_connector.systems.transport.nettcp.values import (
    BYTES_8,
    DICTIONARY,
    EMPTY,
    ONE,
    TEXT_8,
    UNIQUE_ID,
)

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

LETTERS = {SOAP: "s", ADDRESSING: "a", INSTANCE: "i"}
"""Namespaces that get a prefix, declared at the root. Any other is the default namespace of its elements."""

_END = b"\x01"
_UUID = re.compile(r"urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def encode(root: Element) -> bytes:
    """The document's bytes. Raises UnicodeEncodeError for text that is no Unicode (a half of a surrogate pair), and
    ValueError for an attribute in a namespace that has no prefix here."""
    used = _prefixed(root)
    return b"".join(_element(root, "", [space for space in LETTERS if space in used]))


def _element(element: Element, inherited: str, declare: Iterable[str] = ()) -> Iterator[bytes]:
    letter = LETTERS.get(element.namespace)
    if letter is not None:
        yield _named(0x44 + _place(letter), 0x5E + _place(letter), element.name)
    else:
        yield _named(0x42, 0x40, element.name)
        if element.namespace != inherited:
            inherited = element.namespace
            yield _named(0x0A, 0x08, inherited)
    for space in declare:
        own = _spelled(LETTERS[space])
        yield (b"\x0b" + own + write_size(NUMBERS[space])) if space in NUMBERS else b"\x09" + own + _spelled(space)
    for (space, name), value in element.attributes.items():
        if space and space not in LETTERS:
            raise ValueError(f"There is no prefix for the namespace of the attribute {name}.")
        place = _place(LETTERS[space]) if space else 0
        yield _named(0x0C + place, 0x26 + place, name) if space else _named(0x06, 0x04, name)
        yield bytes([ONE]) if value == "1" else b"".join(_text(value, 0))
    if element.children:
        for part in element.parts:
            yield from _part(part, 0)
        for child in element.children:
            yield from _element(child, inherited)
        yield _END
    elif element.parts:
        for part in element.parts[:-1]:
            yield from _part(part, 0)
        yield from _part(element.parts[-1], 1, by_number=letter is not None)
    else:
        yield _END


def _part(part: str | bytes, last: int, *, by_number: bool = False) -> Iterator[bytes]:
    """A piece of text; `last` is 1 where its element ends with it. `by_number`: a word of the dictionary or an id may
    stand for it, as usual in headers."""
    if isinstance(part, bytes):
        yield from _sized(BYTES_8 + last, part)
    elif by_number and part in NUMBERS and part:
        yield bytes([DICTIONARY + last]) + write_size(NUMBERS[part])
    elif by_number and (found := _UUID.fullmatch(part)):
        yield bytes([UNIQUE_ID + last]) + UUID(found[1]).bytes_le
    else:
        yield from _text(part, last)


def _text(value: str, last: int) -> Iterator[bytes]:
    if value:
        yield from _sized(TEXT_8 + last, value.encode())
    else:
        yield bytes([EMPTY + last])


def _sized(code: int, content: bytes) -> Iterator[bytes]:
    """A record with its size before it: in one byte, in two or in four, under the code for that."""
    size = len(content)
    for step, (layout, most) in enumerate((("<BB", 0xFF), ("<BH", 0xFFFF), ("<Bi", 0x7FFF_FFFF))):
        if size <= most:
            yield struct.pack(layout, code + 2 * step, size)
            yield content
            return
    raise ValueError("A text has more than 2 GiB.")


def _named(by_number: int, spelled: int, name: str) -> bytes:
    number = NUMBERS.get(name)
    return bytes([spelled]) + _spelled(name) if number is None else bytes([by_number]) + write_size(number)


def _spelled(word: str) -> bytes:
    content = word.encode()
    return write_size(len(content)) + content


def _place(letter: str) -> int:
    return ord(letter) - ord("a")


def _prefixed(element: Element) -> set[str]:
    """The namespaces of the tree that get a prefix."""
    found = {space for space, _ in element.attributes if space in LETTERS}
    if element.namespace in LETTERS:
        found.add(element.namespace)
    return found.union(*map(_prefixed, element.children))

"""Elements to binary XML, as .NET writes them."""

import struct
import uuid
from collections.abc import Mapping

from ml_connector.sandbox.nettcp.strings import NUMBERS, SentStrings

LONGEST_WITH_END = 169
"""Bytes of UTF-8: .NET writes the end of an element that holds a longer text as a record of its own."""
PIECE = 255
"""Bytes of a stream in one record."""


def size(number: int) -> bytes:
    """A number of up to 31 bits, seven of them to a byte, the lowest first."""
    coded = bytearray()
    while number >= 0x80:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    coded.append(number)
    return bytes(coded)


def string(text: str) -> bytes:
    encoded = text.encode()
    return size(len(encoded)) + encoded


class Writer:
    """Writes one document. With the strings of a session, names that are not fixed get a number there."""

    def __init__(self, strings: SentStrings | None = None) -> None:
        self._strings = strings
        self.data = bytearray()

    def start(self, prefix: str, name: str) -> None:
        """A prefix is blank or one letter."""
        number = self._number(name)
        letter = ord(prefix) - ord("a") if prefix else 0
        if number is not None:
            self.data.append(0x44 + letter if prefix else 0x42)
            self.data += size(number)
        else:
            self.data.append(0x5E + letter if prefix else 0x40)
            self.data += string(name)

    def declare(self, prefix: str, namespace: str) -> None:
        number = self._number(namespace)
        self.data.append((0x09 if number is None else 0x0B) if prefix else (0x08 if number is None else 0x0A))
        self.data += string(prefix) if prefix else b""
        self.data += string(namespace) if number is None else size(number)

    def must_understand(self) -> None:
        self.data += b"\x1e\x00\x82"

    def language(self) -> None:
        self.data += b"\x05" + string("xml") + string("lang") + b"\x98" + string("en-US")

    def end(self, times: int = 1) -> None:
        self.data += b"\x01" * times

    def close_with(self, text: str) -> None:
        """The text of an element, and its end."""
        encoded = text.encode()
        if not encoded:
            self.data.append(0xA9)
            return
        form, code = _width(len(encoded), 0x98)
        short = len(encoded) <= LONGEST_WITH_END
        self.data.append(code + 1 if short else code)
        self.data += struct.pack(form, len(encoded)) + encoded
        if not short:
            self.end()

    def close_with_known(self, text: str) -> None:
        """The same for a text that both sides know beforehand."""
        number = self._number(text)
        if number is None:
            self.close_with(text)
        else:
            self.data.append(0xAB)
            self.data += size(number)

    def close_with_id(self, text: str) -> None:
        """The same for a message's id, which is a GUID as a rule."""
        try:
            guid = uuid.UUID(text.removeprefix("urn:uuid:"))
        except ValueError:
            guid = None
        if guid is None or text != f"urn:uuid:{guid}":
            self.close_with(text)
        else:
            self.data.append(0xAD)
            self.data += guid.bytes_le

    def close_with_stream(self, content: bytes) -> None:
        """The same for the bytes of a stream, in many records."""
        last = len(content) - len(content) % PIECE if len(content) % PIECE else max(len(content) - PIECE, 0)
        for start in range(0, last, PIECE):
            self.data += bytes((0x9E, PIECE)) + content[start : start + PIECE]
        self.data += bytes((0x9F, len(content) - last)) + content[last:]

    def leaf(self, prefix: str, name: str, text: str, declared: Mapping[str, str] | None = None) -> None:
        self.start(prefix, name)
        for known, namespace in (declared or {}).items():
            self.declare(known, namespace)
        self.close_with(text)

    def _number(self, text: str) -> int | None:
        if text in NUMBERS:
            return NUMBERS[text]
        return None if self._strings is None else self._strings.number(text)


def _width(length: int, code: int) -> tuple[str, int]:
    if length <= 0xFF:
        return "<B", code
    return ("<H", code + 2) if length <= 0xFFFF else ("<I", code + 4)

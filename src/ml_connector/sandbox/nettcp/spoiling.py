"""Envelopes on the wire, and what becomes of them when a fault asks for an answer that no client can take."""

from dataclasses import dataclass
from typing import Literal, get_args

from ml_connector.sandbox.nettcp.framing import END, SIZED, UNSIZED
from ml_connector.sandbox.nettcp.writer import size, string

Spoiling = Literal["record", "size", "xml", "number", "strings", "deep", "relates_to", "endless"]
"""
    record      a record of the framing that does not exist
    size        a size of 2 GiB, of which only the envelope comes, and then nothing
    xml         no record where the envelope should end
    number      an element whose name has a number that nobody gave
    strings     a mebibyte of strings for the session; streamed, where no strings belong
    deep        a hundred thousand elements, one in the other
    relates_to  the proper answer to another message
    endless     a text that goes on until the client closes
"""
SPOILINGS: tuple[str, ...] = get_args(Spoiling)

CHUNK = 4096
LARGEST = (1 << 31) - 1
DEPTH = 100_000
FLOOD = 1 << 20
FILLING = b"x" * 65_536
CLOSING = b"\x01\x01\x01"
"""The ends of the operation's element, the body and the envelope."""


@dataclass(frozen=True)
class Wire:
    """What goes to the client for an answer."""

    data: bytes
    filling: bytes = b""
    """Sent again and again behind the data."""
    silent: bool = False
    """Nothing follows, however long the client waits."""
    ends: bool = False
    """The connection ends with it."""


def framed(block: bytes | None, document: bytes) -> bytes:
    """A proper envelope: of known size in a session, whose strings are the block; else in chunks."""
    if block is not None:
        return bytes((SIZED,)) + size(len(block) + len(document)) + block + document
    pieces = [document[start : start + CHUNK] for start in range(0, len(document), CHUNK)]
    return bytes((UNSIZED,)) + b"".join(size(len(piece)) + piece for piece in pieces) + bytes((0, END))


def spoiled(how: str, block: bytes | None, document: bytes) -> Wire:
    """`relates_to` is spoilt in the envelope itself, before it comes here."""
    head = document.removesuffix(CLOSING)
    match how:
        case "record":
            return Wire(b"\x42" + framed(block, document)[1:])
        case "size":
            announced = bytes((UNSIZED if block is None else SIZED,)) + size(LARGEST)
            return Wire(announced + (block or b"") + document, silent=True)
        case "endless":
            return _endless(block, head)
        case "xml":
            document = document[:-1] + b"\xff"
        case "number":
            document = head + b"\x42" + size(4001) + b"\xa9" + CLOSING
        case "deep":
            document = head + b"\x40\x01x" * DEPTH + b"\x01" * DEPTH + CLOSING
        case "strings":
            own = b"" if block is None else _strings(block)
            flood = own + b"".join(string(f"{place:0127d}") for place in range(FLOOD // 128))
            prefix = size(len(flood)) + flood
            block, document = (None, prefix + document) if block is None else (prefix, document)
    return Wire(framed(block, document))


def _endless(block: bytes | None, head: bytes) -> Wire:
    begun = (block or b"") + head + b"\x9c" + LARGEST.to_bytes(4, "little")
    if block is None:
        return Wire(bytes((UNSIZED,)) + size(len(begun)) + begun, size(len(FILLING)) + FILLING)
    return Wire(bytes((SIZED,)) + size(LARGEST) + begun, FILLING)


def _strings(block: bytes) -> bytes:
    """The strings of a block: what follows its own size."""
    return block[1 + next(place for place, byte in enumerate(block) if byte < 0x80) :]

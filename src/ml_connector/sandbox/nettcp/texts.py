"""Values as they stand in the text records of binary XML, little-endian; each is read into the text it means."""

import datetime as dt
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal, localcontext

from ml_connector.sandbox.nettcp.errors import Malformed

TICKS_OF_DAY = 864_000_000_000
"""A tick is 100 ns."""


class Cursor:
    """Reads on in bytes. Every method raises Malformed where they end too early."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    @property
    def done(self) -> bool:
        return self.at >= len(self._data)

    def take(self, length: int) -> bytes:
        piece = self._data[self.at : self.at + length]
        if len(piece) < length:
            raise Malformed("the bytes end in the middle of a record")
        self.at += length
        return piece

    def byte(self) -> int:
        return self.take(1)[0]

    def size(self) -> int:
        """A number of up to 31 bits, seven of them to a byte, the lowest first."""
        number = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            raise Malformed("a size has more than five bytes")
        if number >= 1 << 31:
            raise Malformed("a size has more than 31 bits")
        return number

    def string(self) -> str:
        return utf8(self.take(self.size()))

    def number(self, form: str) -> int:
        """By a code of `struct`."""
        value: int = struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0]
        return value


def utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("a text is not UTF-8") from None


def utf16(data: bytes) -> str:
    try:
        return data.decode("utf-16-le")
    except UnicodeDecodeError:
        raise Malformed("a text is not UTF-16") from None


def _real(form: str) -> Callable[[Cursor], str]:
    def read(cursor: Cursor) -> str:
        value: float = struct.unpack(f"<{form}", cursor.take(struct.calcsize(f"<{form}")))[0]
        named = {"inf": "INF", "-inf": "-INF", "nan": "NaN"}
        return named.get(str(value), f"{value:.9g}" if form == "f" else repr(value))

    return read


def _decimal(cursor: Cursor) -> str:
    _, scale, sign, high, low = struct.unpack("<HBBIQ", cursor.take(16))
    if scale > 28 or sign not in (0, 0x80):
        raise Malformed("a decimal is out of its range")
    with localcontext() as context:
        context.prec = 40
        value = Decimal(high << 64 | low).scaleb(-scale)
    return f"{'-' if sign else ''}{value:f}"


def _instant(cursor: Cursor) -> str:
    raw = cursor.number("Q")
    ticks, kind = raw & (1 << 62) - 1, raw >> 62
    days, rest = divmod(ticks, TICKS_OF_DAY)
    if days >= dt.date.max.toordinal():
        raise Malformed("an instant is after the year 9999")
    seconds, fraction = divmod(rest, 10_000_000)
    moment = dt.datetime.fromordinal(days + 1) + dt.timedelta(seconds=seconds)
    behind = f".{fraction:07d}".rstrip("0") if fraction else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{behind}{'Z' if kind == 1 else ''}"


def _duration(cursor: Cursor) -> str:
    ticks = cursor.number("q")
    days, rest = divmod(abs(ticks), TICKS_OF_DAY)
    seconds, fraction = divmod(rest, 10_000_000)
    behind = f".{fraction:07d}".rstrip("0") if fraction else ""
    return f"{'-' if ticks < 0 else ''}P{days}DT{seconds}{behind}S"


def _flag(cursor: Cursor) -> str:
    byte = cursor.byte()
    if byte > 1:
        raise Malformed("a bool is neither 0 nor 1")
    return "true" if byte else "false"


def _guid(cursor: Cursor) -> str:
    return str(uuid.UUID(bytes_le=cursor.take(16)))


READERS: dict[int, Callable[[Cursor], str | bytes]] = {
    0x80: lambda _: "0",
    0x82: lambda _: "1",
    0x84: lambda _: "false",
    0x86: lambda _: "true",
    0x88: lambda cursor: str(cursor.number("b")),
    0x8A: lambda cursor: str(cursor.number("h")),
    0x8C: lambda cursor: str(cursor.number("i")),
    0x8E: lambda cursor: str(cursor.number("q")),
    0x90: _real("f"),
    0x92: _real("d"),
    0x94: _decimal,
    0x96: _instant,
    0x98: lambda cursor: utf8(cursor.take(cursor.number("B"))),
    0x9A: lambda cursor: utf8(cursor.take(cursor.number("H"))),
    0x9C: lambda cursor: utf8(cursor.take(cursor.number("I"))),
    0x9E: lambda cursor: cursor.take(cursor.number("B")),
    0xA0: lambda cursor: cursor.take(cursor.number("H")),
    0xA2: lambda cursor: cursor.take(cursor.number("I")),
    0xA8: lambda _: "",
    0xAC: lambda cursor: f"urn:uuid:{_guid(cursor)}",
    0xAE: _duration,
    0xB0: _guid,
    0xB2: lambda cursor: str(cursor.number("Q")),
    0xB4: _flag,
    0xB6: lambda cursor: utf16(cursor.take(cursor.number("B"))),
    0xB8: lambda cursor: utf16(cursor.take(cursor.number("H"))),
    0xBA: lambda cursor: utf16(cursor.take(cursor.number("I"))),
}
"""By the even code of the record. Lists (A4) and what needs the numbered strings (AA, BC) are the reader's."""

"""The values of binary XML's text records, as the text that XML would show in their place.

[MC-NBFX] An even code is the value alone; the odd one after it is the same value and the end of its element. Numbers
are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from math import isinf, isnan
from uuid import UUID

from ml_connector.systems.transport.nettcp.cursor import Cursor, text
from ml_connector.systems.transport.nettcp.element import Malformed

ZERO, ONE = 0x80, 0x82
TEXT_8, TEXT_16, TEXT_32 = 0x98, 0x9A, 0x9C
BYTES_8, BYTES_16, BYTES_32 = 0x9E, 0xA0, 0xA2
LIST, LIST_END = 0xA4, 0xA6
EMPTY = 0xA8
DICTIONARY = 0xAA
UNIQUE_ID = 0xAC
UTF16_8, UTF16_16, UTF16_32 = 0xB6, 0xB8, 0xBA
QNAME = 0xBC

ARRAY_TYPES = frozenset({0x8B, 0x8D, 0x8F, 0x91, 0x93, 0x95, 0x97, 0xAF, 0xB1, 0xB5})
"""Records that an array may hold: int16, int32, int64, float, double, decimal, datetime, timespan, GUID, bool."""

_TICKS_A_SECOND = 10_000_000
_LAST_TICK = 3_155_378_975_999_999_999
"""Of the year 9999, counted from the year 1."""
_SIGNED_31 = 0x7FFF_FFFF


def read_value(code: int, cursor: Cursor) -> str | bytes:
    """The value of an even code but those of lists, words of a dictionary and QNames. Raises Malformed."""
    constant = _CONSTANT.get(code)
    if constant is not None:
        return constant
    fixed = _FIXED.get(code)
    if fixed is not None:
        size, read = fixed
        return read(bytes(cursor.take(size)))
    sized = _SIZED.get(code)
    if sized is None:
        raise Malformed(f"A record has the unknown code {code:02X}.")
    width, kind = sized
    size = int.from_bytes(cursor.take(width), "little")
    if size > _SIGNED_31:
        raise Malformed("A text has a negative size.")
    content = cursor.take(size)
    return bytes(content) if kind is None else text(content, kind)


def _number(layout: str) -> Callable[[bytes], str]:
    return lambda raw: str(struct.unpack(layout, raw)[0])


def _real(layout: str, digits: int) -> Callable[[bytes], str]:
    def read(raw: bytes) -> str:
        value: float = struct.unpack(layout, raw)[0]
        if isnan(value):
            return "NaN"
        if isinf(value):
            return "INF" if value > 0 else "-INF"
        return repr(value) if digits == 17 else f"{value:.{digits}g}"

    return read


def _decimal(raw: bytes) -> str:
    _, scale, sign, high, low = struct.unpack("<HBBIQ", raw)
    if scale > 28 or sign not in {0, 0x80}:
        raise Malformed("A decimal number has an impossible scale or sign.")
    digits = tuple(map(int, str(high << 64 | low)))
    return format(Decimal((1 if sign else 0, digits, -scale)), "f")


def _moment(raw: bytes) -> str:
    (value,) = struct.unpack("<Q", raw)
    kind, ticks = value >> 62, value & (1 << 62) - 1
    if kind > 1:
        raise Malformed("A time is in a zone that it does not name.")
    if ticks > _LAST_TICK:
        raise Malformed("A time lies after the year 9999.")
    seconds, fraction = divmod(ticks, _TICKS_A_SECOND)
    whole = (datetime(1, 1, 1) + timedelta(seconds=seconds)).isoformat()  # noqa: DTZ001
    return f"{whole}{_fraction(fraction)}{'Z' if kind else ''}"


def _span(raw: bytes) -> str:
    (ticks,) = struct.unpack("<q", raw)
    seconds, fraction = divmod(abs(ticks), _TICKS_A_SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count)
    if seconds or fraction:
        clock += f"{seconds}{_fraction(fraction)}S"
    day = f"{days}D" if days else ""
    if not day and not clock:
        return "PT0S"
    return f"{'-' if ticks < 0 else ''}P{day}{'T' if clock else ''}{clock}"


def _fraction(ticks: int) -> str:
    return f".{ticks:07}".rstrip("0") if ticks else ""


def _boolean(raw: bytes) -> str:
    if raw[0] > 1:
        raise Malformed("A truth value is neither 0 nor 1.")
    return "true" if raw[0] else "false"


_CONSTANT = {ZERO: "0", ONE: "1", 0x84: "false", 0x86: "true", EMPTY: ""}

_FIXED: dict[int, tuple[int, Callable[[bytes], str]]] = {
    0x88: (1, _number("<b")),
    0x8A: (2, _number("<h")),
    0x8C: (4, _number("<i")),
    0x8E: (8, _number("<q")),
    0x90: (4, _real("<f", 9)),
    0x92: (8, _real("<d", 17)),
    0x94: (16, _decimal),
    0x96: (8, _moment),
    UNIQUE_ID: (16, lambda raw: f"urn:uuid:{UUID(bytes_le=raw)}"),
    0xAE: (8, _span),
    0xB0: (16, lambda raw: str(UUID(bytes_le=raw))),
    0xB2: (8, _number("<Q")),
    0xB4: (1, _boolean),
}
"""Size and reading of values of one size."""

_SIZED: dict[int, tuple[int, str | None]] = {
    TEXT_8: (1, "utf-8"),
    TEXT_16: (2, "utf-8"),
    TEXT_32: (4, "utf-8"),
    BYTES_8: (1, None),
    BYTES_16: (2, None),
    BYTES_32: (4, None),
    UTF16_8: (1, "utf-16-le"),
    UTF16_16: (2, "utf-16-le"),
    UTF16_32: (4, "utf-16-le"),
}
"""Width of the size before the value, and its encoding; None for bytes."""

"""Reading forward through bytes that are all there, and the numbers of 31 bits that sizes are written as."""

from __future__ import annotations

from collections.abc import Callable

from ml_connector.systems.transport.nettcp.element import Malformed

_MOST = 0x7FFF_FFFF


class Cursor:
    """A place in a document. Whatever asks for more than is left raises Malformed."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)
        self._end = len(self._data)
        self._at = 0

    @property
    def left(self) -> int:
        return self._end - self._at

    def peek(self) -> int:
        """The next byte, which stays."""
        if self._at >= self._end:
            raise Malformed("It is cut off.")
        return self._data[self._at]

    def byte(self) -> int:
        value = self.peek()
        self._at += 1
        return value

    def take(self, size: int) -> memoryview:
        """The next bytes, uncopied."""
        if size > self._end - self._at:
            raise Malformed("It is cut off.")
        self._at += size
        return self._data[self._at - size : self._at]

    def size(self) -> int:
        return read_size(self.byte)

    def word(self) -> str:
        """A text with its size before it."""
        return text(self.take(self.size()))


def read_size(byte: Callable[[], int]) -> int:
    """A number of 31 bits, seven of them a byte, the lowest first. Raises Malformed for a longer one."""
    value = 0
    for shift in (0, 7, 14, 21, 28):
        part = byte()
        value |= (part & 0x7F) << shift
        if part < 0x80:
            break
    else:
        raise Malformed("A size has more than five bytes.")
    if value > _MOST:
        raise Malformed("A size has more than 31 bits.")
    return value


def write_size(value: int) -> bytes:
    """The same number as bytes. Raises ValueError for one that has more than 31 bits."""
    if not 0 <= value <= _MOST:
        raise ValueError(f"{value} has more than 31 bits.")
    parts = bytearray()
    while value > 0x7F:
        parts.append(0x80 | value & 0x7F)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def text(content: memoryview, encoding: str = "utf-8") -> str:
    """The text that the bytes spell. Raises Malformed."""
    try:
        return str(content, encoding)
    except UnicodeDecodeError:
        pass
    raise Malformed(f"A text is no {encoding.upper()}.")

"""The records of the framing on one connection, and its preamble."""

import asyncio
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ml_connector.sandbox.nettcp.errors import FramingFault, FramingName, Malformed
from ml_connector.sandbox.nettcp.writer import string

VERSION, MODE, VIA, KNOWN_ENCODING, EXTENSIBLE_ENCODING = 0x00, 0x01, 0x02, 0x03, 0x04
UNSIZED, SIZED, END, FAULT, UPGRADE, UPGRADE_GRANTED, ACK, PREAMBLE_END = 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C

SINGLETON_UNSIZED, DUPLEX = 0x01, 0x02
MODES = range(1, 5)
ENCODINGS = {
    0x00: "text/xml; charset=utf-8",
    0x01: "text/xml; charset=utf-16",
    0x02: "text/xml; charset=unicodeFFFE",
    0x03: "application/soap+xml; charset=utf-8",
    0x04: "application/soap+xml; charset=utf-16",
    0x05: "application/soap+xml; charset=unicodeFFFE",
    0x06: "multipart/related",
    0x07: "application/soap+msbin1",
    0x08: "application/soap+msbinsession1",
}
LONGEST_VIA = 2048
LONGEST_CONTENT_TYPE = 256
FAULTS = "http://schemas.microsoft.com/ws/2006/05/framing/faults/"

TLS = "application/ssl-tls"
WINDOWS = "application/negotiate"


@dataclass(frozen=True)
class Preamble:
    mode: int
    via: str
    content_type: str


class Incoming:
    """Reads records. Raises IncompleteReadError at the end of the connection, TimeoutError after `seconds` of rest."""

    def __init__(self, reader: asyncio.StreamReader, seconds: float) -> None:
        self._reader = reader
        self._seconds = seconds

    async def take(self, length: int) -> bytes:
        async with asyncio.timeout(self._seconds):
            return await self._reader.readexactly(length)

    async def byte(self) -> int:
        return (await self.take(1))[0]

    async def size(self) -> int:
        number = 0
        for shift in range(0, 35, 7):
            byte = await self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            raise Malformed("a size has more than five bytes")
        if number >= 1 << 31:
            raise Malformed("a size has more than 31 bits")
        return number

    async def string(self, longest: int, too_long: FramingName) -> str:
        length = await self.size()
        if length > longest:
            raise FramingFault(too_long)
        data = await self.take(length)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Malformed("a text of the framing is not UTF-8") from None

    async def preamble(self, first: int) -> Preamble:
        """From its first byte, which was read, through the encoding. Raises FramingFault, Malformed."""
        await self._expect(VERSION, first)
        if (await self.take(2))[0] != 1:
            raise FramingFault("UnsupportedVersion")
        await self._expect(MODE)
        mode = await self.byte()
        if mode not in MODES:
            raise FramingFault("UnsupportedMode")
        await self._expect(VIA)
        via = await self.string(LONGEST_VIA, "ViaTooLong")
        kind = await self.byte()
        if kind == KNOWN_ENCODING:
            content_type = ENCODINGS.get(await self.byte())
            if content_type is None:
                raise FramingFault("ContentTypeInvalid")
        elif kind == EXTENSIBLE_ENCODING:
            content_type = await self.string(LONGEST_CONTENT_TYPE, "ContentTypeTooLong")
        else:
            raise Malformed("the preamble names no encoding")
        return Preamble(mode, via, content_type)

    async def upgrade(self) -> str | None:
        """What the client asks the connection to be upgraded to before the preamble ends; None for its end."""
        record = await self.byte()
        if record == PREAMBLE_END:
            return None
        await self._expect(UPGRADE, record)
        return await self.string(LONGEST_CONTENT_TYPE, "UpgradeInvalid")

    async def sized(self, most: int) -> bytes:
        """The envelope behind its record's type. Raises FramingFault for more bytes than that."""
        length = await self.size()
        if length > most:
            raise FramingFault("MaxMessageSizeExceededFault")
        return await self.take(length)

    async def unsized(self, most: int) -> bytes:
        """The same in chunks."""
        pieces: list[bytes] = []
        total = 0
        while length := await self.size():
            total += length
            if total > most:
                raise FramingFault("MaxMessageSizeExceededFault")
            pieces.append(await self.take(length))
        return b"".join(pieces)

    async def _expect(self, record: int, given: int | None = None) -> None:
        if (await self.byte() if given is None else given) != record:
            raise Malformed("a record of another type was due")


def check(preamble: Preamble, mode: Literal["buffered", "streamed"], path: str) -> None:
    """Whether the service takes this preamble. The host and port of a via are those of whoever forwards it."""
    via = urlsplit(preamble.via)
    if via.scheme.lower() != "net.tcp" or via.path.rstrip("/").lower() != path.lower():
        raise FramingFault("EndpointNotFound")
    if preamble.mode != (DUPLEX if mode == "buffered" else SINGLETON_UNSIZED):
        raise FramingFault("UnsupportedMode")
    if preamble.content_type != ENCODINGS[0x08 if mode == "buffered" else 0x07]:
        raise FramingFault("ContentTypeInvalid")


def fault(name: FramingName) -> bytes:
    return bytes((FAULT,)) + string(f"{FAULTS}{name}")

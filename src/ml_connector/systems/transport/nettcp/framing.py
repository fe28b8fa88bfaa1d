"""Message framing [MC-NMF]: one connection, one session with a service.

A preamble says what will be spoken and with whom; the service acknowledges it, or names a fault and closes. Then
messages follow: buffered, each a record of its own with its size before it, as many as one likes; or streamed, one
to a session, in chunks. TLS, where it is asked for, begins before the preamble ends.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Final

import httpcore2

from ml_connector.systems.transport.nettcp.cursor import Cursor, read_size, write_size
from ml_connector.systems.transport.nettcp.decoder import SessionWords, decode
from ml_connector.systems.transport.nettcp.element import Element, Limits, Malformed

VERSION: Final = b"\x00\x01\x00"
UNSIZED, SIZED, END, FAULT, UPGRADE, UPGRADED, ACKNOWLEDGED, COMPLETE = 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C

TLS = "application/ssl-tls"
WINDOWS = "application/negotiate"

FAULTS: Final = "http://schemas.microsoft.com/ws/2006/05/framing/faults/"

_LONGEST_FAULT: Final = 2_048
_AT_ONCE: Final = 64 * 1024
_PARTING: Final = 1.0
"""Seconds that a service gets to say that it has ended the session as well."""

BROKEN = (httpcore2.NetworkError, httpcore2.TimeoutException, OSError)
"""What a connection raises that breaks or is too slow. Closed by the other side between records it raises Closed."""


class Closed(Exception):
    """The service ended the session or closed the connection."""


class Faulted(Exception):
    """The service refused by a fault of the framing; `name` is the fault's, without its namespace."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Session:
    """A session on an open connection. Not for several threads at a time.

    Everything raises what `BROKEN` lists, and Malformed, Closed or Faulted for what the service says; after that
    the session can only be closed.
    """

    def __init__(self, stream: httpcore2.NetworkStream, limits: Limits, *, streamed: bool, step: float) -> None:
        """`step`: seconds that the service has to answer each step of the opening."""
        self.streamed = streamed
        self._limits = limits
        self._step = step
        self._words = SessionWords(limits)
        self._stream = stream
        self._buffer = bytearray()
        self._at = 0

    def open(self, via: str, *, tls: ssl.SSLContext | None = None, host: str = "") -> None:
        """`host`: whose certificate must be shown where TLS is spoken."""
        if tls is None:
            self._stream.write(self._preamble(via) + bytes([COMPLETE]), self._step)
        else:
            self.upgrade(via, TLS)
            self._stream = self._stream.start_tls(tls, host, self._step)
            self._stream.write(bytes([COMPLETE]), self._step)
        self._expect(ACKNOWLEDGED)

    def upgrade(self, via: str, to: str) -> None:
        """Has the service agree to go on in another way, and begins none."""
        self._stream.write(self._preamble(via) + bytes([UPGRADE]) + _text(to), self._step)
        self._expect(UPGRADED)
        if self._at < len(self._buffer):
            # What came in clear behind the agreement would be taken for something said under protection.
            raise Malformed("It went on in clear after it had agreed to protection.")

    def ask(self, document: bytes) -> Element:
        """Sends a message and gives the one that answers it."""
        try:
            self._send(document)
        except BROKEN:
            # A service that refuses closes at once; why, it may have said before.
            self._read_refusal()
            raise
        return self._answer()

    def end(self) -> None:
        """Tells the service that nothing more comes, gives it a moment to say the same, and closes."""
        with suppress(*BROKEN):
            if not self.streamed:
                self._stream.write(bytes([END]), _PARTING)
            raw: Any = self._stream.get_extra_info("socket")
            if type(raw) is socket.socket:
                raw.shutdown(socket.SHUT_WR)
            until = time.monotonic() + _PARTING
            said: bytes = bytes(self._buffer[self._at :])
            while END not in said:
                said = self._stream.read(_AT_ONCE, max(0.001, until - time.monotonic())) or bytes([END])
        self.close()

    def close(self) -> None:
        self._stream.close()

    # --- sending

    def _preamble(self, via: str) -> bytes:
        mode, encoding = (b"\x01", b"\x07") if self.streamed else (b"\x02", b"\x08")
        return VERSION + b"\x01" + mode + b"\x02" + _text(via) + b"\x03" + encoding

    def _send(self, document: bytes) -> None:
        if not self.streamed:
            # One byte says that the message announces no words.
            self._stream.write(bytes([SIZED]) + write_size(len(document) + 1) + b"\x00" + document)
            return
        chunks = bytearray([UNSIZED])
        for start in range(0, len(document), _AT_ONCE):
            chunk = document[start : start + _AT_ONCE]
            chunks += write_size(len(chunk)) + chunk
        self._stream.write(bytes(chunks) + b"\x00" + bytes([END]))

    # --- receiving

    def _answer(self) -> Element:
        code = self._byte()
        if code == FAULT:
            raise self._fault()
        if code == END:
            raise Closed
        if code != (UNSIZED if self.streamed else SIZED):
            raise Malformed(f"A record of the code {code:02X} came in place of an answer.")
        if self.streamed:
            return decode(Cursor(self._chunks()), (), self._limits)
        message = Cursor(self._exactly(self._bounded(self._size())))
        self._words.learn(message)
        return decode(message, self._words.words, self._limits)

    def _chunks(self) -> bytearray:
        whole = bytearray()
        count = 0
        while size := self._size():
            count += 1
            self._bounded(len(whole) + size)
            if count > self._limits.records:
                raise Malformed(f"It comes in more than {self._limits.records} chunks.")
            whole += self._exactly(size)
        return whole

    def _bounded(self, size: int) -> int:
        if size > self._limits.size:
            raise Malformed(f"It has more than {self._limits.size} bytes.")
        return size

    def _expect(self, wanted: int) -> None:
        code = self._byte(self._step)
        if code == FAULT:
            raise self._fault()
        if code != wanted:
            raise Malformed(f"A record of the code {code:02X} came in place of {wanted:02X}.")

    def _fault(self) -> Faulted:
        size = self._size()
        if size > _LONGEST_FAULT:
            raise Malformed("It names a fault of more than 2,048 bytes.")
        said = self._exactly(size).decode("utf-8", "replace")
        return Faulted("".join(filter(str.isalnum, said.removeprefix(FAULTS)))[:60] or "unnamed")

    def _read_refusal(self) -> None:
        """Raises Faulted where the service named a fault before the connection broke."""
        with suppress(Malformed, Closed, *BROKEN):
            if self._byte(_PARTING) == FAULT:
                raise self._fault()

    def _size(self) -> int:
        return read_size(self._byte)

    def _byte(self, timeout: float | None = None) -> int:
        if self._at == len(self._buffer):
            self._buffer = bytearray(self._received(_AT_ONCE, timeout))
            self._at = 0
        self._at += 1
        return self._buffer[self._at - 1]

    def _exactly(self, size: int) -> bytearray:
        """So many bytes. Memory is used as they arrive, not as they were announced."""
        found = self._buffer[self._at : self._at + size]
        self._at += len(found)
        while len(found) < size:
            found += self._received(min(_AT_ONCE, size - len(found)), None)
        return found

    def _received(self, most: int, timeout: float | None) -> bytes:
        data = self._stream.read(most, timeout)
        if not data:
            raise Closed
        return data


def _text(value: str) -> bytes:
    content = value.encode()
    return write_size(len(content)) + content

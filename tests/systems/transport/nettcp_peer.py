"""A net.tcp service of a few lines on a real socket, told by each test what it takes and how it misbehaves."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ml_connector.systems.transport.nettcp.cursor import Cursor, write_size
from ml_connector.systems.transport.nettcp.decoder import decode
from ml_connector.systems.transport.nettcp.element import Element
from ml_connector.systems.transport.nettcp.encoder import ADDRESSING, SOAP, encode

SERVICE = "http://SYSPROWcfService"
FAULTS = "http://schemas.microsoft.com/ws/2006/05/framing/faults/"
ACK = b"\x0b"
BUFFERED, STREAMED = 2, 1


@dataclass
class Call:
    """One request as it arrived."""

    action: str
    to: str
    via: str
    message_id: str
    operation: Element
    mode: int

    def arguments(self) -> dict[str, str]:
        return {part.name: part.text for part in self.operation.children}


@dataclass
class Peer:
    """`answer` makes an envelope, or the bytes that are sent in place of a message; None closes the connection."""

    answer: Callable[[Call], Element | bytes | None]
    modes: tuple[int, ...] = (BUFFERED, STREAMED)
    refuse: str | None = "UnsupportedMode"
    """The fault for a mode that is not taken; empty: the connection is closed without one."""
    always: str = ""
    """The fault for every preamble."""
    upgrades: tuple[str, ...] = ()
    """Upgrades that are agreed to; where there are some, a session without one is closed."""
    tls: ssl.SSLContext | None = None
    clear: bytes = b""
    """What is sent in clear right behind the agreement to TLS."""
    calls: list[Call] = field(default_factory=list)
    preambles: list[int] = field(default_factory=list)
    """The modes that sessions asked for."""
    asked: list[str] = field(default_factory=list)
    """The upgrades that sessions asked for."""

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"net.tcp://127.0.0.1:{self.port}/SYSPROWCFService"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        holder = [connection]
        try:
            self._session(holder)
        except (OSError, EOFError):
            pass
        finally:
            holder[-1].close()

    def _session(self, holder: list[socket.socket]) -> None:
        read = _Reader(holder[-1])
        assert read.exactly(3) == b"\x00\x01\x00"
        assert read.exactly(1) == b"\x01"
        mode = read.exactly(1)[0]
        self.preambles.append(mode)
        assert read.exactly(1) == b"\x02"
        via = read.exactly(read.size()).decode()
        assert read.exactly(2) == (b"\x03\x08" if mode == BUFFERED else b"\x03\x07")
        following = read.exactly(1)
        upgraded = following == b"\x09"
        if upgraded:
            wanted = read.exactly(read.size()).decode()
            self.asked.append(wanted)
            if wanted not in self.upgrades:
                self._fault(holder[-1], "UpgradeInvalid")
                return
            holder[-1].sendall(b"\x0a" + self.clear)
            if self.tls is None:
                holder[-1].recv(1)
                return
            holder.append(self.tls.wrap_socket(holder[-1], server_side=True))
            read = _Reader(holder[-1])
            following = read.exactly(1)
        assert following == b"\x0c"
        if self.upgrades and not upgraded:
            return
        if self.always or mode not in self.modes:
            if self.always or self.refuse:
                self._fault(holder[-1], self.always or self.refuse or "")
            return
        holder[-1].sendall(ACK)
        while True:
            if not self._call(holder[-1], read, mode, via):
                return

    def _call(self, connection: socket.socket, read: _Reader, mode: int, via: str) -> bool:
        kind = read.exactly(1)
        if kind == b"\x07":
            connection.sendall(b"\x07")
            return False
        if mode == BUFFERED:
            assert kind == b"\x06"
            message = read.exactly(read.size())
            assert message[0] == 0
            document = message[1:]
        else:
            assert kind == b"\x05"
            document = b""
            while size := read.size():
                document += read.exactly(size)
            assert read.exactly(1) == b"\x07"
        call = _call(decode(Cursor(document)), via, mode)
        self.calls.append(call)
        said = self.answer(call)
        if said is None:
            return False
        connection.sendall(said if isinstance(said, bytes) else framed(said, mode))
        return not isinstance(said, bytes)

    def _fault(self, connection: socket.socket, name: str) -> None:
        uri = (FAULTS + name).encode()
        connection.sendall(b"\x08" + write_size(len(uri)) + uri)


def framed(envelope: Element, mode: int) -> bytes:
    document = encode(envelope)
    if mode == BUFFERED:
        return b"\x06" + write_size(len(document) + 1) + b"\x00" + document
    half = len(document) // 2
    chunks = b"".join(write_size(len(part)) + part for part in (document[:half], document[half:]))
    return b"\x05" + chunks + b"\x00\x07"


def reply(call: Call, *body: Element, relates_to: str | None = None) -> Element:
    header = Element("Header", SOAP)
    header.children = [
        Element("Action", ADDRESSING, {(SOAP, "mustUnderstand"): "1"}, parts=["response"]),
        Element("RelatesTo", ADDRESSING, parts=[relates_to or call.message_id]),
    ]
    return Element("Envelope", SOAP, children=[header, Element("Body", SOAP, children=list(body))])


def result(call: Call, *parts: str | bytes) -> Element:
    name = call.operation.name
    found = Element(f"{name}Result", SERVICE, parts=list(parts))
    return reply(call, Element(f"{name}Response", SERVICE, children=[found]))


def fault(call: Call, reason: str, code: str = "s:Sender", subcode: str = "") -> Element:
    value = [Element("Value", SOAP, parts=[code])]
    if subcode:
        value.append(Element("Subcode", SOAP, children=[Element("Value", SOAP, parts=[subcode])]))
    text = Element("Text", SOAP, parts=[reason])
    parts = [Element("Code", SOAP, children=value), Element("Reason", SOAP, children=[text])]
    return reply(call, Element("Fault", SOAP, children=parts))


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _call(envelope: Element, via: str, mode: int) -> Call:
    header, body = envelope.children
    named = {part.name: part.text for part in header.children}
    (operation,) = body.children
    return Call(named["Action"], named["To"], via, named["MessageID"], operation, mode)


class _Reader:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self._connection.recv(size - len(found))
            if not part:
                raise EOFError
            found += part
        return found

    def size(self) -> int:
        value = shift = 0
        while True:
            (part,) = self.exactly(1)
            value |= (part & 0x7F) << shift
            shift += 7
            if part < 0x80:
                return value

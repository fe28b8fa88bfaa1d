"""A small HTTP/1.1 server on asyncio and h11 whose connections can also be broken on purpose."""

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote

import h11

from ml_connector.sandbox.http import Request, Response

LONGEST_HEAD = 1 << 20
"""Request line and headers; a system's own, lower limit is the stand-in's business."""


class Exchange(ABC):
    """One request and the means to answer it, properly or not."""

    request: Request

    def send(self, response: Response) -> None:
        """The proper answer."""
        self.begin(response, len(response.body))
        self.write(response.body)
        self.finish()

    @abstractmethod
    def begin(self, response: Response, length: int) -> None:
        """What stands before the body, promising one of this length."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Some of the body."""

    @abstractmethod
    def finish(self) -> None:
        """The body is complete."""

    @abstractmethod
    def leave_unanswered(self) -> None:
        """Says nothing until the client gives up."""

    @abstractmethod
    def close(self) -> None:
        """Ends the connection in order, whatever has been promised."""

    @abstractmethod
    def reset(self) -> None:
        """Ends the connection with a TCP RST."""


class HttpExchange(Exchange):
    def __init__(self, connection: "Connection", request: Request) -> None:
        self.request = request
        self.body = bytearray()
        self.complete = False
        self.unanswered = False
        self._connection = connection

    def begin(self, response: Response, length: int) -> None:
        self._connection.send(
            h11.Response(
                status_code=response.status,
                headers=[(k.encode(), v.encode("latin-1")) for k, v in response.wire_headers(length)],
                reason=_phrase(response.status),
            )
        )

    def write(self, data: bytes) -> None:
        if data and self.request.method != "HEAD":
            self._connection.send(h11.Data(data=data))

    def finish(self) -> None:
        self._connection.send(h11.EndOfMessage())
        self._connection.next_request()

    def leave_unanswered(self) -> None:
        self.unanswered = True

    def close(self) -> None:
        self._connection.close()

    def reset(self) -> None:
        self._connection.reset()


class Answerer(Protocol):
    """Who decides what happens to an exchange."""

    def headers_arrived(self, exchange: Exchange) -> None: ...

    def body_arrived(self, exchange: Exchange) -> None: ...

    def resets_connection(self) -> bool:
        """Whether a connection that was just accepted is reset before anything is read."""

    def abandoned(self, exchange: Exchange) -> None:
        """The client went away before its body was complete, or gave up on an exchange left unanswered."""


class Connection(asyncio.Protocol):
    """One client connection, kept alive between requests."""

    def __init__(self, answerer: Answerer, connections: "set[Connection]") -> None:
        self._answerer = answerer
        self._connections = connections
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self._exchange: HttpExchange | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)
        if self._answerer.resets_connection():
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._connections.discard(self)
        if self._exchange is not None and (self._exchange.unanswered or not self._exchange.complete):
            self._answerer.abandoned(self._exchange)

    def data_received(self, data: bytes) -> None:
        self._h11.receive_data(data)
        self._read()

    def eof_received(self) -> bool:
        """A client may close its sending half and still wait for the answer."""
        self._h11.receive_data(b"")
        self._read()
        return self._exchange is not None and not self._exchange.unanswered

    def send(self, event: h11.Response | h11.Data | h11.EndOfMessage) -> None:
        """Writes the event, or nothing when the client has gone."""
        if self._transport is None or self._transport.is_closing():
            return
        data = self._h11.send(event)
        if data:
            self._transport.write(data)

    def next_request(self) -> None:
        self._exchange = None
        if self._transport is None or self._transport.is_closing():
            return
        if self._h11.our_state is h11.MUST_CLOSE:
            self._transport.close()
        elif self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            asyncio.get_running_loop().call_soon(self._read)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is None:
            return
        tcp = self._transport.get_extra_info("socket")
        if tcp is not None:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _read(self) -> None:
        while self._transport is not None and not self._transport.is_closing():
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(error)
                return
            if isinstance(event, h11.Request):
                self._exchange = HttpExchange(self, _request(event))
                self._answerer.headers_arrived(self._exchange)
                if self._h11.they_are_waiting_for_100_continue:
                    self._transport.write(self._h11.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            elif isinstance(event, h11.Data) and self._exchange is not None:
                self._exchange.body += event.data
            elif isinstance(event, h11.EndOfMessage) and self._exchange is not None:
                self._exchange.complete = True
                self._exchange.request.body = bytes(self._exchange.body)
                self._answerer.body_arrived(self._exchange)
            elif isinstance(event, h11.ConnectionClosed):
                if self._exchange is None:
                    self._transport.close()
                return
            else:
                return

    def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """What is no HTTP gets a 4xx when an answer is still possible, and the connection ends."""
        transport = self._transport
        if transport is None:
            return
        if self._h11.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("Content-Length", "0"), ("Connection", "close")]
            self.send(h11.Response(status_code=error.error_status_hint, headers=headers))
            self.send(h11.EndOfMessage())
        transport.close()


def bound(port: int) -> socket.socket:
    """A socket that has the port but does not listen: a connect to it is refused."""
    # Named as TCP, or asyncio leaves small packets to wait for each other: 40 ms an answer.
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", port))
    except OSError:
        tcp.close()
        raise
    return tcp


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""


def _request(event: h11.Request) -> Request:
    raw_path, _, raw_query = event.target.decode("latin-1").partition("?")
    if raw_path.startswith(("http://", "https://")):
        raw_path = "/" + raw_path.split("/", 3)[3] if raw_path.count("/") >= 3 else "/"
    return Request(
        method=event.method.decode("ascii"),
        path=unquote(raw_path),
        raw_query=raw_query,
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers},
    )

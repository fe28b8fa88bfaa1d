"""A server of a few lines on a real socket, told by each test how to misbehave."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from ml_connector.systems.transport.http import Http
from ml_connector.systems.transport.policy import NetworkPolicy

Behaviour = Callable[[socket.socket], None]


@dataclass
class Server:
    """Serves one connection after the other in threads; `requests` are the bytes that each one sent."""

    behave: Behaviour
    context: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.requests.append(read_request(connection))
            self.behave(connection)
        except OSError:
            pass
        finally:
            connection.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(behave: Behaviour, context: ssl.SSLContext | None = None) -> Server:
        made.append(Server(behave, context))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def http() -> Iterator[Callable[..., Http]]:
    made: list[Http] = []

    def make(url: str, **wishes: object) -> Http:
        settings: dict[str, object] = {
            "name": "BILL",
            "access_network": NetworkPolicy(),
            "may_write": lambda: None,
            "parallel": 3,
            "secret_parameters": frozenset({"OperatorPassword"}),
            **wishes,
        }
        made.append(Http(url, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()

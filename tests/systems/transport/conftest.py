"""A server of a few lines on a real socket, told by each test how to misbehave."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ml_connector.systems.transport.http import Http
from ml_connector.systems.transport.nettcp import Element, Endpoint, NetTcp
from ml_connector.systems.transport.policy import NetworkPolicy

from .nettcp_peer import Call, Peer

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


@pytest.fixture(scope="module")
def authority():
    """A private authority, and the server context of a certificate that it issued for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Private authority")])
    now = datetime.datetime.now(datetime.UTC)

    def certificate(subject, public_key, extension):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=True)
            .sign(key, hashes.SHA256())
        )

    root = certificate(name, key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = certificate(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]),
        leaf_key.public_key(),
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
    )
    pem = serialization.Encoding.PEM
    plain = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return root.public_bytes(pem).decode(), plain + leaf.public_bytes(pem)


@pytest.fixture
def secure(authority, tmp_path):
    path = tmp_path / "server.pem"
    path.write_bytes(authority[1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    """Services over net.tcp."""
    made: list[Peer] = []

    def make(answer: Callable[[Call], Element | bytes | None], **wishes: Any) -> Peer:
        made.append(Peer(answer, **wishes))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def nettcp() -> Callable[..., NetTcp]:
    def make(address: str, via: str = "", **wishes: Any) -> NetTcp:
        settings: dict[str, Any] = {
            "name": "SYSPRO",
            "access_network": NetworkPolicy(),
            "may_write": lambda: None,
            "total_timeout": 5,
            **wishes,
        }
        return NetTcp(Endpoint.of(address, via), **settings)

    return make

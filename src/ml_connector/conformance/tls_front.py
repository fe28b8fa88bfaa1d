"""TLS in front of a stand-in, under a certificate of a private authority that nobody knows."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
CHUNK = 65536


class TlsFront:
    """Listens on https, passes on what it hears to a plain http address; stops when its `with` block ends."""

    def __init__(self, upstream: str, directory: Path) -> None:
        """`directory` is where its key is kept while it runs."""
        parts = urlsplit(upstream)
        assert parts.hostname and parts.port
        self._upstream = (parts.hostname, parts.port)
        self.authority, chain = _certificates()
        path = directory / "front.pem"
        path.write_bytes(chain)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(path)
        self._socket = socket.create_server((HOST, 0))
        self.url = f"https://{HOST}:{self._socket.getsockname()[1]}"
        self.requests = 0
        """Connections on which something was said after the handshake."""

    def __enter__(self) -> TlsFront:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                heard, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(heard,), daemon=True).start()

    def _serve(self, heard: socket.socket) -> None:
        try:
            with self._context.wrap_socket(heard, server_side=True) as inside:
                first = inside.recv(CHUNK)
                if not first:
                    return
                self.requests += 1
                with socket.create_connection(self._upstream) as upstream:
                    upstream.sendall(first)
                    back = threading.Thread(target=_pass_on, args=(upstream, inside), daemon=True)
                    back.start()
                    _pass_on(inside, upstream)
                    back.join()
        except OSError:
            return


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _certificates() -> tuple[str, bytes]:
    """A new authority as PEM, and a certificate for this machine with its key."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A private authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    authority = (
        _builder(issuer, issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    leaf = (
        _builder(subject, issuer, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    return authority.public_bytes(pem).decode(), private + leaf.public_bytes(pem)


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )

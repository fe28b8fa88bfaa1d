"""The way onto the network: resolves, checks and connects, and keeps each request's time.

The address that was checked is the one connected to, so a name that resolves differently a moment later gains
nothing. Link-local and metadata addresses never pass; private and loopback ones as the host allows.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2

from ml_connector.systems.transport.policy import NetworkPolicy

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # most clouds; link-local, named here for the reader
        "fd00:ec2::254",  # AWS over IPv6
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's host
        "192.0.0.192",  # Oracle Cloud
    )
)
"""Where clouds hand credentials to whoever asks."""

_CHUNK = 64 * 1024
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The host's rules forbid every address that the name stands for. Shown to people."""


class Progress:
    """How far one request has come. Belongs to the thread that makes the request."""

    def __init__(self, total: float) -> None:
        self.deadline = time.monotonic() + total
        self.sent = False
        """Whether any byte of the request left. Until then nothing can have happened at the other end."""

    def left(self, at_most: float | None = None) -> float:
        """Seconds that remain. Raises httpcore2.ReadTimeout when none do."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise httpcore2.ReadTimeout("total time limit")
        return remaining if at_most is None else min(at_most, remaining)


class Network(httpcore2.NetworkBackend):
    """Connects for a pool of connections, under a policy."""

    def __init__(self, policy: NetworkPolicy) -> None:
        self._policy = policy
        self._plain = httpcore2.SyncBackend()
        self._current = threading.local()

    @contextmanager
    def request(self, total: float) -> Iterator[Progress]:
        """Everything that this thread sends and receives meanwhile counts against `total` seconds."""
        progress = Progress(total)
        self._current.progress = progress
        try:
            yield progress
        finally:
            self._current.progress = None

    def progress(self) -> Progress | None:
        return getattr(self._current, "progress", None)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in self._allowed(host, port):
            try:
                stream = self._plain.connect_tcp(
                    address,
                    port,
                    timeout=self._left(timeout),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as refused:
                failure = refused
            else:
                return Stream(stream, self)
        raise failure

    def _allowed(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as unknown:
            raise httpcore2.ConnectError(unknown) from None
        addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
        reasons = {address: forbidden(address, self._policy) for address in addresses}
        passed = [address for address, reason in reasons.items() if reason is None]
        if not passed:
            raise AddressRefused("; ".join(sorted({reason for reason in reasons.values() if reason})))
        return passed

    def _left(self, at_most: float | None) -> float | None:
        progress = self.progress()
        return at_most if progress is None else progress.left(at_most)


class Stream(httpcore2.NetworkStream):
    """A connection that notes the first byte sent and never outlives the request's time."""

    def __init__(self, inner: httpcore2.NetworkStream, network: Network) -> None:
        self._inner = inner
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        progress = self._network.progress()
        for start in range(0, len(buffer), _CHUNK):
            left = self._left(timeout)
            if progress is not None:
                progress.sent = True
            self._inner.write(buffer[start : start + _CHUNK], left)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return Stream(self._inner.start_tls(ssl_context, server_hostname, self._left(timeout)), self._network)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _left(self, at_most: float | None) -> float | None:
        progress = self._network.progress()
        return at_most if progress is None else progress.left(at_most)


def forbidden(text: str, policy: NetworkPolicy) -> str | None:
    """Why no request may go to this address, with what to do about it, or None when it may."""
    address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    if address in METADATA_ADDRESSES or address.is_link_local:
        return f"{text} is a link-local or cloud metadata address, which is never allowed: use the system's own address"
    if address.is_unspecified or address.is_multicast:
        return f"{text} is no address of a server: use the system's own address"
    if address.is_loopback:
        return None if policy.allow_loopback else _closed(text, "this machine itself", "loopback")
    if address.is_private or address in _SHARED or address.is_reserved:
        return None if policy.allow_private else _closed(text, "a private address", "private")
    return None


def _closed(text: str, what: str, kind: str) -> str:
    return f"{text} is {what}, which this host does not allow: allow {kind} addresses on the host, or change the URL"


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address merely carries."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if carried is None and address in _NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return carried
    return address

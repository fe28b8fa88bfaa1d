"""A BILL stand-in as the system under which the kernel is tested, and raw HTTP to it."""

import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from ml_connector import sandbox

VENDOR = {"name": "Pakko", "address": {"line1": "1 Road", "city": "Reno", "zipOrPostalCode": "8", "country": "US"}}


class Caller:
    """A logged-in client of the stand-in."""

    def __init__(self, stand_in: sandbox.Running) -> None:
        self.stand_in = stand_in
        self.http = httpx2.Client(base_url=stand_in.url, timeout=5)
        self.login()

    def login(self) -> None:
        settings, secrets = self.stand_in.settings, self.stand_in.secrets
        reply = self.http.post(
            "/connect/v3/login",
            json={
                "username": settings["username"],
                "organizationId": settings["organizationId"],
                **secrets,
            },
        )
        self.http.headers.update({"devKey": secrets["devKey"], "sessionId": reply.json()["sessionId"]})

    def create(self, **more: Any) -> httpx2.Response:
        return self.http.post("/connect/v3/vendors", json={**VENDOR, **more})

    def vendors(self) -> httpx2.Response:
        return self.http.get("/connect/v3/vendors")

    def names(self) -> list[str]:
        return [row["name"] for row in self.stand_in.state("vendors")]

    def fault(self, do: str, method: str = "POST", path: str = "/v3/vendors", **more: Any) -> None:
        match = {name: more.pop(name) for name in ("nth", "contains", "probability") if name in more}
        self.stand_in.faults([{"match": {"method": method, "path": path, **match}, "do": do, **more}])

    def raw(self, data: bytes) -> bytes:
        """What comes back for these bytes until the stand-in closes the connection."""
        host, port = self.stand_in.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as tcp:
            tcp.sendall(data)
            pieces = []
            while piece := tcp.recv(65536):
                pieces.append(piece)
        return b"".join(pieces)


@pytest.fixture
def stand_in() -> Iterator[sandbox.Running]:
    with sandbox.start("bill", seed=1) as running:
        yield running


@pytest.fixture
def caller(stand_in: sandbox.Running) -> Iterator[Caller]:
    caller = Caller(stand_in)
    yield caller
    caller.http.close()

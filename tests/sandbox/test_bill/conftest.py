"""A BILL stand-in and a client that is logged in to it."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from ml_connector import sandbox

Json = dict[str, Any]
ADDRESS = {"line1": "1 Dock Road", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}


class Bill:
    """The API of the stand-in, with bodies that are right unless a test makes them wrong."""

    def __init__(self, stand_in: sandbox.Running) -> None:
        self.stand_in = stand_in
        self.http = httpx2.Client(timeout=5)
        self.login()

    def login(self, **wrong: str) -> httpx2.Response:
        settings = self.stand_in.settings
        body = {
            "username": settings["username"],
            "organizationId": settings["organizationId"],
            **self.stand_in.secrets,
        }
        reply = self.http.post(f"{settings['base_url']}/v3/login", json={**body, **wrong})
        if reply.status_code == 200:
            key = self.stand_in.secrets["devKey"]
            self.http.headers.update({"devKey": key, "sessionId": reply.json()["sessionId"]})
        return reply

    def call(self, method: str, path: str, body: object = None, **params: object) -> httpx2.Response:
        host = "events_base_url" if path.startswith(("/subscriptions", "/events")) else "base_url"
        headers = {"X-Idempotent-Key": str(uuid.uuid4())} if host == "events_base_url" else {}
        url = f"{self.stand_in.settings[host]}/v3{path}"
        return self.http.request(method, url, json=body, params=params or None, headers=headers)

    def get(self, path: str, **params: object) -> httpx2.Response:
        return self.call("GET", path, **params)

    def post(self, path: str, body: object = None) -> httpx2.Response:
        return self.call("POST", path, body)

    def patch(self, path: str, body: object) -> httpx2.Response:
        return self.call("PATCH", path, body)

    def put(self, path: str, body: object) -> httpx2.Response:
        return self.call("PUT", path, body)

    def vendor(self, name: str = "Pakko Packaging LLC", **more: object) -> Json:
        reply = self.post("/vendors", {"name": name, "address": ADDRESS, **more})
        assert reply.status_code == 201, reply.text
        return reply.json()

    def bill_body(self, vendor: str, number: str = "PK-500", *amounts: float, **more: object) -> Json:
        return {
            "vendorId": vendor,
            "dueDate": "2026-12-12",
            "invoice": {"invoiceNumber": number, "invoiceDate": "2026-11-12"},
            "billLineItems": [{"amount": amount} for amount in amounts or (640, 35)],
            **more,
        }

    def bill(self, vendor: str, number: str = "PK-500", *amounts: float, **more: object) -> Json:
        reply = self.post("/bills", self.bill_body(vendor, number, *amounts, **more))
        assert reply.status_code == 201, reply.text
        return reply.json()

    def credit(self, vendor: str, amount: float = 75) -> Json:
        body = {
            "vendorId": vendor,
            "referenceNumber": "PK-501",
            "creditDate": "2026-11-13",
            "vendorCreditLineItems": [{"amount": amount}],
        }
        reply = self.post("/vendor-credits", body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    def account(self, number: str) -> str:
        rows = self.stand_in.state("chart-of-accounts")
        return next(row["id"] for row in rows if row["account"].get("number") == number)

    def read(self, path: str) -> Json:
        reply = self.get(path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def rows(self, path: str, **params: object) -> list[Json]:
        reply = self.get(path, **params)
        assert reply.status_code == 200, reply.text
        return reply.json()["results"]


@pytest.fixture
def stand_in() -> Iterator[sandbox.Running]:
    with sandbox.start("bill", seed=1) as running:
        running.clock(now="2026-11-16T06:00:00Z", running=False)
        yield running


@pytest.fixture
def bill(stand_in: sandbox.Running) -> Iterator[Bill]:
    client = Bill(stand_in)
    yield client
    client.http.close()


@pytest.fixture
def vendor(bill: Bill) -> str:
    return bill.vendor()["id"]


@pytest.fixture
def refused():
    """`refused(reply) == (status, code, message)` of the first error."""

    def first(reply: httpx2.Response) -> tuple[int, str | None, str]:
        error = reply.json()[0]
        return reply.status_code, error.get("code"), error["message"]

    return first

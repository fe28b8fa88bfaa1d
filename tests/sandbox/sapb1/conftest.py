"""A SAP Business One stand-in and a client that is logged in to it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from ml_connector import sandbox

Json = dict[str, Any]
NOW = "2026-11-16T15:00:00Z"  # nine in the morning in Chicago
CLEARING = "10-1090"


class Layer:
    """The Service Layer of the stand-in, with bodies that are right unless a test makes them wrong."""

    def __init__(self, stand_in: sandbox.Running, version: str = "v2") -> None:
        self.stand_in = stand_in
        self.version = version
        self.http = httpx2.Client(base_url=f"{stand_in.url}/b1s/{version}/", timeout=10)

    def login(self, **wrong: str) -> httpx2.Response:
        body = {
            "CompanyDB": self.stand_in.settings["company_db"],
            "UserName": self.stand_in.settings["user"],
            "Password": self.stand_in.secrets["password"],
        }
        self.http.cookies.clear()
        reply = self.http.post("Login", json={**body, **wrong})
        self.http.cookies.clear()
        if reply.status_code == 200:
            self.http.headers["Cookie"] = f"B1SESSION={reply.json()['SessionId']}; ROUTEID=.node1"
        return reply

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, **query: object
    ) -> httpx2.Response:
        params = {f"${name}": str(value) for name, value in query.items()}
        content = None if body is None else json.dumps(body, default=float)
        return self.http.request(method, path, content=content, params=params or None, headers=headers)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: object) -> httpx2.Response:
        return self.call("GET", path, headers=headers, **query)

    def post(self, path: str, body: object = None, headers: dict[str, str] | None = None) -> httpx2.Response:
        return self.call("POST", path, body, headers)

    def patch(self, path: str, body: object, headers: dict[str, str] | None = None) -> httpx2.Response:
        return self.call("PATCH", path, body, headers)

    def read(self, path: str, **query: object) -> Json:
        reply = self.get(path, **query)
        assert reply.status_code == 200, reply.text
        return json.loads(reply.text, parse_float=Decimal)

    def rows(self, path: str, **query: object) -> list[Json]:
        return self.read(path, **query)["value"]

    def made(self, path: str, body: object) -> Json:
        reply = self.post(path, body)
        assert reply.status_code == 201, reply.text
        return json.loads(reply.text, parse_float=Decimal)

    def vendor(self, code: str = "PAK003", **more: object) -> Json:
        return self.made("BusinessPartners", {"CardCode": code, "CardName": "Pakko", **VENDOR, **more})

    def invoice(self, *amounts: float, vendor: str = "PAK003", **more: object) -> Json:
        return self.made("PurchaseInvoices", invoice_body(*amounts, vendor=vendor, **more))

    def payment(self, *rows: Json, total: object, vendor: str = "PAK003", **more: object) -> httpx2.Response:
        return self.post("VendorPayments", payment_body(*rows, total=total, vendor=vendor, **more))

    def open_of(self, entry: int) -> tuple[Decimal, str]:
        row = self.read(f"PurchaseInvoices({entry})")
        return Decimal(row["DocTotal"]) - Decimal(row["PaidToDate"]), row["DocumentStatus"]


VENDOR = {"CardType": "cSupplier", "Currency": "USD", "PayTermsGrpCode": 4, "VatGroup": "P0"}


def line(amount: float, account: str = "10-6200", **more: object) -> Json:
    return {"AccountCode": account, "LineTotal": amount, "ItemDescription": "Cartons", **more}


def invoice_body(*amounts: float, vendor: str = "PAK003", **more: object) -> Json:
    return {
        "CardCode": vendor,
        "DocType": "dDocument_Service",
        "NumAtCard": "PK-500",
        "TaxDate": "2026-11-12",
        "DocumentLines": [line(amount) for amount in amounts or (640,)],
        **more,
    }


def payment_body(*rows: Json, total: object, vendor: str = "PAK003", **more: object) -> Json:
    return {
        "DocType": "rSupplier",
        "CardCode": vendor,
        "TransferAccount": CLEARING,
        "TransferSum": total,
        "TransferReference": "stp01",
        "PaymentInvoices": [{"InvoiceType": "it_PurchaseInvoice", **row} for row in rows],
        **more,
    }


def refusal(reply: httpx2.Response) -> tuple[int, int, str]:
    """(status, code, text) of an error in either version's envelope."""
    error = reply.json()["error"]
    message = error["message"]
    return reply.status_code, int(error["code"]), message if isinstance(message, str) else message["value"]


@pytest.fixture(scope="session")
def company() -> Iterator[sandbox.Running]:
    """A seeded company that no test changes."""
    with sandbox.start("sapb1", seed=1, options={"invoices": 130}) as running:
        running.clock(now=NOW, running=False)
        yield running


@pytest.fixture
def stand_in() -> Iterator[sandbox.Running]:
    """A company with its master data and without documents, for a test to change."""
    with sandbox.start("sapb1", seed=1, data={"PurchaseInvoices": [], "BusinessPartners": []}) as running:
        running.clock(now=NOW, running=False)
        yield running


@pytest.fixture
def layer(stand_in: sandbox.Running) -> Iterator[Layer]:
    client = Layer(stand_in)
    client.login()
    yield client
    client.http.close()


@pytest.fixture(params=["v1", "v2"])
def reader(company: sandbox.Running, request: pytest.FixtureRequest) -> Iterator[Layer]:
    """Logged in to the seeded company, once in each version."""
    client = Layer(company, request.param)
    client.login()
    yield client
    client.http.close()


@pytest.fixture
def seeded(company: sandbox.Running) -> Iterator[Layer]:
    client = Layer(company)
    client.login()
    yield client
    client.http.close()

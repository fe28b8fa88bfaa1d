"""A Basware stand-in, a client that holds a token, and a receiver of notifications."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from ml_connector import sandbox

Json = dict[str, Any]
NOW = "2026-11-16T12:00:00Z"
SCOPES = tuple(
    f"{name}.{right}"
    for name in (
        *("vendors", "accounts", "costCenters", "paymentTerms", "taxCodes", "lists", "projects", "exchangeRates"),
        *("matchingOrders", "matchingOrderLines", "accountingDocuments", "requestStatus", "errorFeedbacks"),
        *("subscriptions", "tasks", "companies"),
    )
    for right in ("read", "write", "delete")
)
COMPANIES = [{"companyCode": "RIL", "inherit": False, "active": True}]
TOKEN = "x-amz-meta-continuationtoken"


class Api:
    """The API of the stand-in, with bodies that are right unless a test makes them wrong."""

    def __init__(self, stand_in: sandbox.Running) -> None:
        self.stand_in = stand_in
        self.http = httpx2.Client(base_url=stand_in.url, timeout=10)
        self.log_in()

    def token(self, scopes: str = " ".join(SCOPES), **more: Any) -> httpx2.Response:
        form = {"grant_type": "client_credentials", "scope": scopes}
        user = (self.stand_in.settings["client_id"], self.stand_in.secrets["client_secret"])
        return self.http.post("/v1/tokens", **{"auth": user, "data": form, **more})

    def log_in(self, scopes: str = " ".join(SCOPES)) -> None:
        self.http.headers.pop("Authorization", None)
        reply = self.token(scopes)
        assert reply.status_code == 200, reply.text
        self.http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    def call(self, method: str, path: str, body: object = None, **more: Any) -> httpx2.Response:
        content = None if body is None else json.dumps(body, default=float)
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        return self.http.request(method, path, content=content, headers=headers, **more)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: object) -> httpx2.Response:
        """Follows a redirect without the credential, as the vendor asks for."""
        params = {name: str(value) for name, value in query.items()}
        reply = self.http.get(path, params=params or None, headers=headers)
        if reply.status_code == 302:
            return httpx2.get(reply.headers["location"])
        return reply

    def post(self, path: str, body: object = None, **more: Any) -> httpx2.Response:
        return self.call("POST", path, body, **more)

    def rows(self, name: str, **query: object) -> list[Json]:
        """A list, wrapped or bare; empty for 404."""
        reply = self.get(f"/v1/{name}", **query)
        if reply.status_code == 404:
            return []
        assert reply.status_code == 200, reply.text
        body = json.loads(reply.text, parse_float=Decimal)
        return body if isinstance(body, list) else next(iter(body.values()))

    def written(self, name: str, *rows: Json) -> str:
        """Posts records that the API takes; the id of the request."""
        reply = self.post(f"/v1/{name}", list(rows))
        assert reply.status_code == 200, reply.text
        return reply.headers["x-amzn-requestid"]

    def outcome(self, request_id: str) -> Json:
        """Record -> status, after P2P has had its time."""
        self.stand_in.clock(advance=2)
        return self.outcome_now(request_id)

    def outcome_now(self, request_id: str) -> Json:
        (status,) = self.rows(f"requestStatus/{request_id}")
        return {item["externalCode"]: item["status"] for item in status["systems"][0]["items"]}

    def said(self, request_id: str) -> list[str]:
        """What P2P said to the records of a request, after its time."""
        self.stand_in.clock(advance=2)
        (status,) = self.rows(f"requestStatus/{request_id}")
        return [error["message"] for item in status["systems"][0]["items"] for error in item["errors"]]

    def master_data(self) -> None:
        """What orders need: term, accounts, cost center and vendor, all of it in P2P."""
        self.written("paymentTerms", term())
        self.written("accounts", account())
        self.written("costCenters", cost_center())
        self.outcome(self.written("vendors", vendor()))

    def status_of(self, invoice_id: str) -> str:
        (row,) = self.rows(f"accountingDocuments/{invoice_id}")
        return row["processingStatus"]


def term(code: str = "30", **more: object) -> Json:
    return {
        "externalCode": f"RIL_term_{code}",
        "paymentTermCode": code,
        "paymentTermNames": [{"translation": f"{code} days", "language": "en-US"}],
        "validFrom": "2000-01-01",
        "validTo": "2099-12-31",
        "dueDateCalc": 1,
        "dueDateDays": int(code),
        "companies": COMPANIES,
        **more,
    }


def account(code: str = "10-6100", **more: object) -> Json:
    return {
        "externalCode": f"RIL_account_{code}",
        "accountCode": code,
        "accountNames": [{"translation": "Components", "language": "en-US"}],
        "companies": COMPANIES,
        **more,
    }


def cost_center(code: str = "WH1", **more: object) -> Json:
    return {
        "externalCode": f"RIL_center_{code}",
        "costCenterCode": code,
        "costCenterNames": [{"translation": "Warehouse", "language": "en-US"}],
        "companies": [{"companyCode": "RIL", "active": True}],
        **more,
    }


def vendor(code: str = "ELC001", **more: object) -> Json:
    return {
        "externalCode": f"RIL_vendor_{code}",
        "vendorCode": code,
        "name": "Electra Components Inc.",
        "companies": [{"companyCode": "RIL", "inheritToChildUnits": True}],
        "identifiers": [{"id": "12-3456789", "schemeId": "VAT"}],
        "paymentMeans": [{"paymentMeansCode": "CHK", "currencyCode": "USD", "default": True}],
        "paymentTerms": {"paymentTermCode": "30"},
        "processingStatus": {"active": True, "paymentDenied": False},
        **more,
    }


def order(number: str = "PO 150", supplier: str = "ELC001", **more: object) -> Json:
    return {
        "externalCode": f"RIL_order_{number}",
        "orderNumber": number,
        "sourceSystem": "SYSPRO",
        "companyCode": "RIL",
        "organizationElementCode": "RIL-HQ",
        "currencyCode": "USD",
        "supplierCode": supplier,
        **more,
    }


def line(number: int = 1, order_number: str = "PO 150", **more: object) -> Json:
    return {
        "externalCode": f"RIL_line_{order_number}_{number}",
        "orderExternalCode": f"RIL_order_{order_number}",
        "lineNumber": str(number),
        "quantity": 100,
        "matchingMode": "Standard",
        "netPrice": 12,
        "netSum": 1200,
        "isDeleted": False,
        **more,
    }


def coding(**more: object) -> list[Json]:
    return [{"externalCode": "c1", "rowIndex": 0, "allocatedQuantity": 100, "accountCode": "10-6100", **more}]


def invoice(invoice_id: str = "f" * 32, **more: object) -> Json:
    """An invoice of two coding rows as P2P holds it."""
    return {
        "invoiceId": invoice_id,
        "invoiceNumber": "ELC-1001",
        "processingStatus": "WaitingForTransfer",
        "companyCode": "RIL",
        "supplierCode": "ELC001",
        "currencyCode": "USD",
        "invoiceDate": "2026-11-10",
        "netSum": 1500,
        "taxSum1": 120,
        "grossSum": 1620,
        "codingRows": [
            {"externalCode": "r1", "rowIndex": 0, "accountCode": "10-6100", "netTotal": 1200},
            {"externalCode": "r2", "rowIndex": 10, "accountCode": "10-6200", "netTotal": 300},
        ],
        **more,
    }


def answer(code: str = "a1", *, success: bool = True, **more: object) -> Json:
    return {
        "externalCode": code,
        "success": success,
        "responseMessage": "Posted" if success else "Cost center WH9 has no SYSPRO code",
        "paymentBlock": False,
        **more,
    }


class Receiver:
    """Listens for notifications and answers with the next of `statuses`, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: list[int] = []
        self.before: Callable[[], object] = lambda: None
        """Done before the answer."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, {name.lower(): value for name, value in self.headers.items()}))
                receiver.before()
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def wait(self, count: int) -> list[Json]:
        """The bodies, when as many as asked for have come."""
        deadline = time.monotonic() + 5
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(self.got) == count
        return [json.loads(body) for body, _ in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stand_in() -> Iterator[sandbox.Running]:
    """A tenant without invoices, its clock held."""
    with sandbox.start("basware", seed=1, data={"accountingDocuments": []}) as running:
        running.clock(now=NOW, running=False)
        yield running


@pytest.fixture
def api(stand_in: sandbox.Running) -> Iterator[Api]:
    client = Api(stand_in)
    yield client
    client.http.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture(scope="session")
def contract() -> Any:
    """The vendor's published files; only for tests that need them."""
    from tests.sandbox.basware.published import FOLDER, Contract

    return Contract(FOLDER)


def errors(reply: httpx2.Response) -> list[tuple[str, str]]:
    """(code, message) of each error of a refusal."""
    body = reply.json()
    assert body["hasErrors"] is True
    assert body["requestId"] == reply.headers["x-amzn-requestid"]
    return [(one["code"], one["message"]) for one in body["errors"]]

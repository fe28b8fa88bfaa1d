"""A Procurify stand-in with the small company of the story, and a client that holds a token."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from ml_connector import sandbox

Json = dict[str, Any]
NOW = "2026-11-16T12:00:00Z"
AUDIENCE = "https://api.procurify.com/"


class Api:
    """The API of the stand-in; JSON numbers are read as Decimal."""

    def __init__(self, stand_in: sandbox.Running, **more: Any) -> None:
        self.stand_in = stand_in
        self.http = httpx2.Client(base_url=stand_in.url, timeout=10, headers={"X-Procurify-Client": "api"}, **more)
        self.log_in()

    def token(self, **wrong: object) -> httpx2.Response:
        """Asks for a token, with a field changed or (None) left out."""
        body = {
            "client_id": self.stand_in.settings["client_id"],
            "client_secret": self.stand_in.secrets["client_secret"],
            "audience": AUDIENCE,
            "grant_type": "client_credentials",
            **wrong,
        }
        return self.http.post("/oauth/token", json={name: value for name, value in body.items() if value is not None})

    def log_in(self) -> Json:
        reply = self.token()
        assert reply.status_code == 200, reply.text
        self.http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        body: Json = reply.json()
        return body

    def call(self, method: str, path: str, body: object = None, **query: object) -> httpx2.Response:
        params = {name: str(value) for name, value in query.items()}
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self.http.request(method, path, content=content, headers=headers, params=params or None)

    def get(self, path: str, **query: object) -> httpx2.Response:
        return self.call("GET", path, **query)

    def answer(self, path: str, **query: object) -> Json:
        """The whole answer of a GET that succeeds."""
        reply = self.get(path, **query)
        assert reply.status_code == 200, reply.text
        body: Json = json.loads(reply.text, parse_float=Decimal)
        return body

    def rows(self, path: str, **query: object) -> list[Json]:
        """The rows of the first page, which is as long as can be."""
        data: list[Json] = self.answer(path, **{"page_size": 100, **query})["data"]
        return data

    def one(self, path: str) -> Json:
        data: Json = self.answer(path)["data"]
        return data

    def taken(self, method: str, path: str, body: object = None) -> Any:
        """The data of a write that succeeds."""
        reply = self.call(method, path, body)
        assert reply.status_code in {200, 201}, reply.text
        return json.loads(reply.text, parse_float=Decimal).get("data")

    def do(self, do: str, **action: object) -> None:
        """What a person does."""
        self.stand_in.edit("actions", {"do": do, **action})

    def order(self, number: str) -> Json:
        """One order with its lines, by its number."""
        (row,) = [row for row in self.rows("/api/v2/purchase_orders/purchased/all/") if row["number"] == number]
        return self.one(f"/api/v2/purchase_orders/{row['procurify_PO']}/")

    def bill(self, number: str) -> Json:
        """One bill with its items, by its number."""
        (row,) = [row for row in self.rows("/api/v3/ap/bills/") if row["invoice_number"] == number]
        return self.one(f"/api/v2/ap/bills/{row['uuid']}/")


def vendor(name: str = "Kabelwerk AG", **more: object) -> Json:
    return {"name": name, "type": 3, "email": ["ap@kabelwerk.example"], "overall_score": None, **more}


def revision(order: Json) -> Json:
    """The body that leaves an order as it is."""
    roles = ("name", "contact", "addressLineOne", "postalCode", "city", "state_province", "country")
    parties = [f"{role}_{name}" for role in ("buyer", "receiver") for name in roles]
    names = ("version", "promise_date", *parties)
    lines = [{name: line[name] for name in ("id", "name", "unit", "price")} for line in order["order_items"]]
    for line, known in zip(lines, order["order_items"], strict=True):
        line |= {"quantity": str(known["quantity"]), "custom_fields": []}
    return {
        **{name: order[name] for name in names},
        "order_items": lines,
        "tax": {"value": 0, "type": "amount"},
        "discount": {"value": 0, "type": "amount"},
        "buyer_address": order["buyer_address"]["id"],
        "receiver_address": order["receiver_address"]["id"],
    }


def errors(reply: httpx2.Response) -> dict[str, str]:
    """Field -> code of a 400."""
    assert reply.status_code == 400, reply.text
    body = reply.json()
    assert set(body) == {"errors"}
    return {name: one["code"] for name, one in body["errors"].items()}


@pytest.fixture
def stand_in() -> Iterator[sandbox.Running]:
    """The small company of the story, its clock held."""
    with sandbox.start("procurify", seed=1, options={"base_set": "syspro"}) as running:
        running.clock(now=NOW, running=False)
        yield running


@pytest.fixture
def api(stand_in: sandbox.Running) -> Iterator[Api]:
    client = Api(stand_in)
    yield client
    client.http.close()

"""An AvidXchange stand-in and a client that speaks whichever contract it has."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from ml_connector import sandbox

Json = dict[str, Any]
NOW = "2026-11-16T12:00:00Z"
ACCOUNT, CENTER = "GL Account", "Cost Center"
SINCE = "2026-11-01"


class Api:
    """Rows in the stand-in's own names go in and come out; bodies are made and read as the contract says."""

    def __init__(self, stand_in: sandbox.Running) -> None:
        self.stand_in = stand_in
        self.contract: Json = stand_in.state("contract")[0]
        self.root = self.contract["root"]
        self.http = httpx2.Client(base_url=stand_in.url, timeout=10)
        self.headers: dict[str, str] = {}
        self.params: dict[str, str] = {}
        if stand_in.settings["auth_profile"] == "oauth2_client_credentials":
            self.log_in()
        self.name_company(stand_in.settings["company_id"])

    def log_in(self) -> None:
        reply = self.token()
        assert reply.status_code == 200, reply.text
        self.headers[self.contract["access"]["bearer"]] = f"Bearer {reply.json()['access_token']}"

    def token(self, **more: Any) -> httpx2.Response:
        user = (self.stand_in.settings["client_id"], self.stand_in.secrets["client_secret"])
        form = {"grant_type": "client_credentials"}
        return self.http.post(self.contract["access"]["token"], **{"auth": user, "data": form, **more})

    def name_company(self, company: str) -> None:
        place = self.contract["access"]["company"]
        where = self.headers if place["place"] == "header" else self.params
        where[place["name"]] = company

    def send(self, method: str, path: str, body: object = None, **query: object) -> httpx2.Response:
        """A call below the root."""
        content = None if body is None else json.dumps(body, default=float)
        headers = {**self.headers, **({} if body is None else {"Content-Type": "application/json"})}
        params = {**self.params, **{name: str(value) for name, value in query.items()}}
        return self.http.request(method, self.root + path, content=content, headers=headers, params=params)

    def call(self, name: str, body: object = None, values: Json | None = None, **query: object) -> httpx2.Response:
        """An operation, its parameters by our names for them."""
        call = self.contract["calls"][name]
        method, path = call["call"].split(" ")
        takes = call.get("takes", {})
        query = {takes[one]: value for one, value in query.items()}
        return self.send(method, path.format(**(values or {})), body, **query)

    # --- records -----------------------------------------------------------------------------------------------

    def body(self, record: str, row: Json) -> Json:
        body: Json = {}
        for name, value in row.items():
            field = self.contract["records"][record][name]
            *way, last = field["at"].split(".")
            here = body
            for step in way:
                first = step.endswith("[0]")
                here = here.setdefault(step[:-3], [{}])[0] if first else here.setdefault(step, {})
            here[last.removesuffix("[]")] = self._wire(field, value)
        return body

    def row(self, record: str, body: Json) -> Json:
        return {name: self._own(field, body) for name, field in self.contract["records"][record].items()}

    def _wire(self, field: Json, value: Any) -> Any:
        kind = field.get("kind", "text")
        if kind == "rows":
            return [self.body(field["of"], one) for one in value]
        if kind == "money_text":
            return f"{value:.2f}"
        return self.contract["words"].get(kind, {}).get(value, value)

    def _own(self, field: Json, body: Json) -> Any:
        value = at(body, field["at"].removesuffix("[]"))
        kind = field.get("kind", "text")
        if kind == "rows":
            return [self.row(field["of"], one) for one in value]
        if kind == "money_text" and value is not None:
            assert isinstance(value, str)
            return Decimal(value)
        words = {text: word for word, text in self.contract["words"].get(kind, {}).items()}
        return words.get(value, value)

    # --- calls -------------------------------------------------------------------------------------------------

    def write(self, name: str, *rows: Json) -> list[tuple[bool, Any]]:
        """Writes rows; (True, the row) or (False, its texts) for each."""
        record = self.contract["calls"][name]["record"]
        bodies = [self.body(record, row) for row in rows]
        reply = self.call(name, {self.contract["writes"]["items"]: bodies})
        assert reply.status_code == 200, reply.text
        return self.outcomes(record, reply)

    def outcomes(self, record: str, reply: httpx2.Response) -> list[tuple[bool, Any]]:
        names = self.contract["answers"]
        found: list[tuple[bool, Any]] = []
        for result in at(exact(reply), names["results"]):
            good = at(result, names["good"])
            texts = [error[names["error_text"]] for error in result[names["errors"]]]
            found.append((good, self.row(record, result[names["result_item"]]) if good else texts))
        return found

    def written(self, name: str, *rows: Json) -> list[Json]:
        outcomes = self.write(name, *rows)
        assert all(good for good, _ in outcomes), outcomes
        return [row for _, row in outcomes]

    def refused(self, name: str, row: Json) -> str:
        ((good, texts),) = self.write(name, row)
        assert good is False
        return "; ".join(texts)

    def rows(self, name: str, values: Json | None = None, **query: object) -> list[Json]:
        """All pages of a list."""
        record = "invoice" if name == "batches.get" else self.contract["calls"][name]["record"]
        return [self.row(record, one) for one in self.bodies(name, values, **query)]

    def bodies(self, name: str, values: Json | None = None, **query: object) -> list[Json]:
        names, number, found = self.contract["answers"], 1, []
        while True:
            reply = self.call(name, values=values, page=number, **query)
            assert reply.status_code == 200, reply.text
            page = exact(reply)
            found += at(page, names["items"])
            if number >= at(page, names["page"]["count"]):
                return found
            number += 1

    def get(self, name: str, identifier: str) -> Json:
        reply = self.call(name, values={"id": identifier})
        assert reply.status_code == 200, reply.text
        return self.row(self.contract["calls"][name]["record"], at(exact(reply), self.contract["answers"]["item"]))

    def do(self, what: str, **more: Any) -> None:
        self.stand_in.edit("actions", {"do": what, **more})

    def days_later(self, days: int) -> None:
        """A new token is needed by then."""
        self.stand_in.clock(advance=days * 86400)
        self.log_in()

    def fault(self, reply: httpx2.Response, shape: str = "flat") -> tuple[int, str]:
        """Status and code of a gateway's refusal."""
        return reply.status_code, str(at(reply.json(), self.contract["faults"][shape]["code"]))

    def refusal(self, reply: httpx2.Response) -> tuple[int, str]:
        return reply.status_code, at(reply.json(), self.contract["answers"]["refusal"]["code"])

    # --- what most tests need ----------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Vendors, accounts and a cost center, as the ERP writes them."""
        accounts = [code(one) for one in ("10-2250", "10-6100", "10-6200", "10-6300", "10-6400")]
        self.written("codes.write", *accounts, *(code(one, CENTER) for one in ("WH1", "WH2")))
        self.written("vendors.write", vendor("ELC001"), vendor("PAK003"), vendor("NOR002", currency="EUR"))

    def approved(self, *rows: Json) -> list[Json]:
        stored = self.written("invoices.write", *rows)
        self.do("approve_all")
        return stored

    def payment(self, number: int) -> Json:
        (row,) = self.rows("payments.list", ids=number)
        return row

    def invoice(self, number: str) -> Json:
        (row,) = [row for row in self.rows("invoices.list", **{"from": SINCE}) if row["number"] == number]
        return row


def at(body: Any, place: str) -> Any:
    for step in place.split("."):
        name = step.removesuffix("[0]").removesuffix("[]")
        body = body[name]
        if body is None:
            return None
        if step.endswith("[0]"):
            if not body:
                return None
            body = body[0]
    return body


def exact(reply: httpx2.Response) -> Any:
    return json.loads(reply.text, parse_float=Decimal)


def vendor(code: str, **more: object) -> Json:
    return {"code": code, "name": f"Vendor {code}", "active": True, "currency": "USD", **more}


def code(value: str, group: str = ACCOUNT, **more: object) -> Json:
    return {"code": value, "description": f"Code {value}", "group": group, **more}


def line(amount: float, account: str = "10-6100", center: str = "") -> Json:
    codes = [{"code": account, "group": ACCOUNT}] + ([{"code": center, "group": CENTER}] if center else [])
    return {"amount": Decimal(str(amount)), "description": "Goods", "codes": codes}


def invoice(number: str = "ELC-1001", vendor: str = "ELC001", *lines: Json, **more: object) -> Json:
    lines = lines or (line(1620),)
    return {
        "external_id": f"mlc{number}",
        "number": number,
        "vendor": vendor,
        "date": "2026-11-10",
        "due_date": "2026-12-10",
        "gross": sum(one["amount"] for one in lines),
        "currency": "USD",
        "lines": list(lines),
        **more,
    }


def order(number: str = "150", vendor: str = "ELC001", *amounts: float, **more: object) -> Json:
    lines = [
        {
            "number": index,
            "description": "Part",
            "quantity": Decimal(1),
            "price": Decimal(str(amount)),
            "amount": Decimal(str(amount)),
            "codes": [{"code": "10-6100", "group": ACCOUNT}],
        }
        for index, amount in enumerate(amounts or (1200, 300), 1)
    ]
    total = sum(one["amount"] for one in lines)
    return {"number": number, "vendor": vendor, "date": "2026-11-02", "total": total, "lines": lines, **more}


@pytest.fixture(params=["default", "renamed"])
def stand_in(request: pytest.FixtureRequest) -> Iterator[sandbox.Running]:
    """A customer under either contract, its clock held."""
    with sandbox.start("avidxchange", seed=1, options={"contract": request.param}) as running:
        running.clock(now=NOW, running=False)
        yield running


@pytest.fixture
def api(stand_in: sandbox.Running) -> Iterator[Api]:
    client = Api(stand_in)
    yield client
    client.http.close()


@pytest.fixture
def plain() -> Iterator[Api]:
    """Under the default contract, where the names themselves are looked at."""
    with sandbox.start("avidxchange", seed=1) as running:
        running.clock(now=NOW, running=False)
        client = Api(running)
        yield client
        client.http.close()

"""SAP Business One and BILL as stand-ins, and our endpoint as a web server that BILL's stand-in really sends to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx2
import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import Client

import ml_connector.sandbox
from ml_connector import vault
from ml_connector.api import hooks
from ml_connector.conformance.bench import Bench, clocks_at
from ml_connector.integrations.base import Side
from ml_connector.jobs.webhooks import check_now
from ml_connector.sandbox import Running
from ml_connector.sync.models import ReceivedEvent, Record, Run, RunKind, Webhook
from ml_connector.sync.webhooks import keeping
from ml_connector.sync.webhooks.receiving import owner
from ml_connector.workspaces.models import Workspace
from tests.console.conftest import page
from tests.sync.pair import MONDAY

__all__ = ["page"]

VENDOR, BILL = "00902VENDOR000000001", "00n02BILL00000000001"
ADDRESS = {"line1": "1 Dock Road", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}


class Reached(Bench):
    """A bench whose platform is BILL, which reaches us."""

    bill: Running

    @property
    def webhook(self) -> Webhook:
        rows = Webhook.objects.of(self.workspace).select_related("workspace", "connection__workspace")
        return rows.get(connection=self.platform)

    def look(self) -> Webhook:
        """One check of the subscription, as the worker makes it."""
        keeping.row_of(self.platform)
        check_now(self.webhook, "test", 5)
        return self.webhook

    @property
    def key(self) -> str:
        return vault.get(self.workspace, owner(self.platform), "key")

    @property
    def subscription(self) -> dict[str, Any]:
        (row,) = self.bill.state("subscriptions")
        return row

    def resend(self, event: str) -> None:
        """A person has BILL send an event again."""
        self.ask("POST", f"/v3/events/subscription/{self.subscription['id']}/event/{event}")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """A call of BILL's webhook API by another program."""
        settings = self.bill.settings
        who = {**self.bill.secrets, "username": settings["username"], "organizationId": settings["organizationId"]}
        with httpx2.Client(timeout=5) as http:
            session = http.post(f"{settings['base_url']}/v3/login", json=who).json()["sessionId"]
            headers = {"devKey": self.bill.secrets["devKey"], "sessionId": session}
            headers["X-Idempotent-Key"] = str(uuid.uuid4())
            answer = http.request(method, f"{settings['events_base_url']}{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    def pull(self) -> Run:
        return self.run("payments", RunKind.PULL)

    def events(self) -> list[ReceivedEvent]:
        return list(ReceivedEvent.objects.of(self.workspace).order_by("pk"))

    def wait(self, count: int) -> list[ReceivedEvent]:
        until(lambda: len(self.events()) >= count)
        assert len(self.events()) == count
        return self.events()


class House(Reached):
    """A bench between SAP Business One and BILL, with one bill."""

    def __init__(self, workspace: Workspace, b1: Running, bill: Running) -> None:
        super().__init__(workspace, "sapb1-bill", {Side.ERP: b1, Side.PLATFORM: bill})
        self.bill = bill
        bill.options({"webhook_backoff_base_s": 0.01})
        bill.edit("vendors", {"id": VENDOR, "name": "Pakko Packaging LLC", "address": ADDRESS})
        bill.edit(
            "bills",
            {
                "id": BILL,
                "vendorId": VENDOR,
                "dueDate": "2026-12-12",
                "invoice": {"invoiceNumber": "PK-500", "invoiceDate": "2026-11-12"},
                "billLineItems": [{"amount": 675}],
            },
        )

    def pay(self, amount: float = 100, **fields: Any) -> str:
        """A payment that cleared, made by a person in BILL; gives its id."""
        made = self.bill.edit("payments", {"billId": BILL, "amount": amount, **fields})[0]["id"]
        self.bill.edit("payments", {"id": made, "singleStatus": "CLEARED"})
        return str(made)

    def read(self) -> dict[str, str]:
        """What the payments' Records say: the status by the payment's id."""
        rows = Record.objects.of(self.workspace).filter(flow__name="payments")
        return {row.key: json.loads(bytes(row.payload))["status"] for row in rows}


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def signature(key: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def notification(event: str, noun: str, key: str, organization: str, kind: str = "updated") -> bytes:
    """As BILL writes one."""
    metadata = {
        "eventId": event,
        "subscriptionId": "s",
        "organizationId": organization,
        "eventType": f"{noun}.{kind}",
        "version": "1",
    }
    return json.dumps({"metadata": metadata, noun: {"id": key}}, separators=(",", ":")).encode()


class Sender:
    """Somebody who sends to the endpoint, without a server between."""

    def __init__(self, house: Reached) -> None:
        self.house = house
        self.client = Client(headers={"host": "localhost"})

    def body(self, event: str = "e1", noun: str = "payment", key: str = "stp1", **more: str) -> bytes:
        return notification(
            event, noun, key, **{"organization": self.house.platform.settings["organizationId"], **more}
        )

    def send(self, body: bytes, signed: str | None = None, path: str | None = None) -> Any:
        """`signed`: the header's text; None is the right one, an empty one none at all."""
        text = signature(self.house.key, body) if signed is None else signed
        headers = {"x-bill-sha-signature": text} if text else {}
        address = f"/hooks/{path or self.house.webhook.path}"
        return self.client.post(address, body, content_type="application/json", headers=headers)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Our web application on a port of its own, named as the address that vendors reach."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Silent)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(settings, "WEBHOOK_URL", address)
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _counts_begin_at_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_requests", hooks.PerMinute(hooks.PER_MINUTE))
    monkeypatch.setattr(hooks, "_refusals", hooks.PerMinute(hooks.COUNTED_PER_MINUTE))


@pytest.fixture
def house(workspace: Workspace) -> Iterator[House]:
    with (
        ml_connector.sandbox.start("sapb1", seed=1, options={"invoices": 5}) as b1,
        ml_connector.sandbox.start("bill", seed=1) as bill,
        clocks_at(MONDAY, {Side.ERP: b1, Side.PLATFORM: bill}),
    ):
        made = House(workspace, b1, bill)
        yield made
        made.check()


@pytest.fixture
def subscribed(house: House, endpoint: str) -> House:
    """Its subscription is made and active."""
    assert house.look().state == "active"
    return house


@pytest.fixture
def sender(subscribed: House) -> Sender:
    return Sender(subscribed)

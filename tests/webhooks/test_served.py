"""The whole of it, as processes: `serve`, its worker, and BILL's stand-in, which sends over the wire."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.db import connection

import ml_connector.sandbox
from ml_connector import clock
from ml_connector.audit.verify import verify
from ml_connector.jobs import schedule
from ml_connector.sync import leases
from ml_connector.sync.models import Flow, Problem, ReceivedEvent, RunKind, Via, Webhook
from ml_connector.workspaces.models import Workspace
from tests.console.conftest import person
from tests.console.test_browser import PASSWORD, look
from tests.webhooks.conftest import BILL, House, Sender, until

COMMAND = [sys.executable, "-m", "ml_connector"]
SECONDS = 60

Serve = Callable[[], Any]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def house(workspace: Workspace) -> Iterator[House]:
    """Time is real, because other processes do the work. Only payments are read."""
    with (
        ml_connector.sandbox.start("sapb1", seed=1, options={"invoices": 5}) as b1,
        ml_connector.sandbox.start("bill", seed=1, options={"webhook_retries": 1}) as bill,
    ):
        made = House(workspace, b1, bill)
        Flow.objects.of(workspace).exclude(name="payments").update(paused=True)
        yield made
        assert made.adds_up()  # R76
        assert verify(workspace).holds  # R66


@pytest.fixture
def serve(database: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """`serve` with a worker, on an address that BILL's stand-in reaches, for the length of a block."""
    address = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("ML_CONNECTOR_WEBHOOK_URL", address)

    @contextmanager
    def running() -> Iterator[None]:
        commands = [["serve", "--port", str(port)]]
        if connection.vendor == "postgresql":
            commands.append(["worker"])
        with ExitStack() as stack:
            for command in commands:
                log = stack.enter_context((database / f"{command[0]}.log").open("a"))
                process = subprocess.Popen([*COMMAND, *command], cwd=database, stdout=log, stderr=log, env=os.environ)
                stack.callback(process.wait, SECONDS)
                stack.callback(process.terminate)
            until(lambda: ready(address), SECONDS)
            yield

    return running


def ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def test_what_bill_sends_is_read_whatever_happens_on_the_way(house, serve, database):  # R57, R58
    with serve():
        until(lambda: house.bill.state("subscriptions"), SECONDS)
        until(lambda: house.webhook.state == "active", SECONDS)

        house.bill.options({"webhook_duplicates": 1})
        twice = house.pay(10)
        until(lambda: house.read().get(twice) == "cleared", SECONDS)
        assert len(house.events()) == 1
        house.bill.options({"webhook_duplicates": 0, "webhook_delivery": "reversed"})
        voided = house.bill.edit("payments", {"billId": BILL, "amount": 20})[0]["id"]
        for status in ("CLEARED", "VOIDED"):
            house.bill.edit("payments", {"id": voided, "singleStatus": status})
        until(lambda: len(house.events()) == 3 and house.read().get(voided) == "voided", SECONDS)
        until(lambda: {event.state for event in house.events()} == {"processed"}, SECONDS)

        house.bill.options({"webhook_delivery": "in_order", "webhook_bad_signature": True})
        forged = house.pay(30)
        until(lambda: house.webhook.refused >= 2, SECONDS)
        assert forged not in {event.key for event in house.events()}
        house.bill.options({"webhook_bad_signature": False})
        sender = Sender(house)
        body = sender.body("forged", key=forged)
        address = house.subscription["notificationUrl"]
        for headers in ({}, {"x-bill-sha-signature": "bm8="}):
            assert httpx2.post(address, content=body, headers=headers).status_code == 401
        assert httpx2.get(address).status_code == 405
        assert httpx2.post(address, content=b"x" * 300_000).status_code == 413
        until(lambda: Problem.objects.of(house.workspace).filter(cause="webhook_refused").exists(), SECONDS)
        # Refused twice, BILL has switched the subscription off. An hour passes.
        until(lambda: not house.subscription["status"]["enabled"], SECONDS)
        Webhook.objects.of(house.workspace).update(next_check_at=clock.now())
        until(lambda: house.subscription["status"]["enabled"], SECONDS)
        until(lambda: house.read().get(forged) == "cleared", SECONDS)

    # Nobody is there: BILL tries twice and switches the subscription off; what follows it does not even try.
    lost = house.pay(40)
    until(lambda: not house.subscription["status"]["enabled"], SECONDS)
    unheard = house.pay(50)
    assert not {lost, unheard} & house.read().keys()

    with serve():
        until(lambda: house.subscription["status"]["enabled"], SECONDS)
        until(lambda: {lost, unheard} <= house.read().keys(), SECONDS)
        assert lost in {event.key for event in house.events() if event.via == Via.HISTORY}
        house.bill.options({"webhook_delivery": "none"})
        polled = house.pay(60)
        schedule.wake([house.flow("payments").pk], RunKind.PULL)
        until(lambda: house.read().get(polled) == "cleared", SECONDS)
        assert polled not in {event.key for event in house.events()}
    keys = [event.event_id for event in house.events()]
    assert len(keys) == len(set(keys))
    said = (database / "serve.log").read_text()
    assert house.key not in said and house.webhook.path not in said  # R71
    assert clock.now() >= house.webhook.checked_at


LONG = (
    "No Flow reads "
    + "WebhookEventsOfAVeryLongName" * 8
    + " from BILL, nor will any: "
    + "this is a long reason, " * 12
)


def test_a_person_sees_events_and_rotates_the_key_by_keyboard(house, serve, port, page):  # R57
    person("olga@acme.test", house.workspace, "owner", PASSWORD)
    base = f"http://127.0.0.1:{port}/w/acme"
    with serve():
        until(lambda: Webhook.objects.of(house.workspace).filter(state="active").exists(), SECONDS)
        page.goto(f"{base}/connections/events")
        page.locator("input[type=email]").fill("olga@acme.test")
        page.locator("input[type=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_text("No events yet").wait_for()
        wrong = look(page, "events-empty")
        payment = house.pay(10)
        until(lambda: house.read().get(payment) == "cleared", SECONDS)
        made = {"connection": house.platform, "received_at": clock.now(), "via": "history", "state": "ignored"}
        ReceivedEvent.objects.create(
            workspace=house.workspace, event_id="e" * 100, type="payment." + "x" * 80, text=LONG, **made
        )
        page.goto(f"{base}/connections/events")
        page.get_by_text("payments: Read as it is now.").wait_for()
        wrong += look(page, "events")
        page.get_by_role("button", name=f"Replay event {house.events()[0].event_id}").focus()
        page.keyboard.press("Enter")
        page.get_by_text("is read again now.").wait_for()
        page.get_by_label("State").select_option("waiting")
        page.goto(f"{base}/connections")
        page.get_by_text("In force", exact=True).wait_for()
        old = house.key
        wrong += look(page, "connections-webhook")
        page.get_by_role("button", name="Rotate the key of the webhook of platform").focus()
        page.keyboard.press("Enter")
        page.get_by_text("A new key is asked of BILL.").wait_for()
        until(lambda: house.key != old and not house.webhook.new_key_wanted, SECONDS)
        until(lambda: not leases.holder_of(house.platform.pk), SECONDS)
        Webhook.objects.of(house.workspace).update(
            state="failing", text=LONG, refused=1_234_567, refused_at=clock.now()
        )
        page.goto(f"{base}/connections")
        page.get_by_text("the one before is good until").wait_for()
        wrong += look(page, "connections-webhook-failing")
        page.goto(f"{base}/runs")
        page.get_by_text("polling only").first.wait_for()
        wrong += look(page, "runs-webhook")
    assert wrong == []

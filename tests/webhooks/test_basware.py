"""Basware's notifications: subscribed with its connection test, announced, forged, lost, renewed and ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

import ml_connector.sandbox
from ml_connector import vault
from ml_connector.conformance.bench import Bench, clocks_at
from ml_connector.integrations.base import Side
from ml_connector.jobs.webhooks import check_now
from ml_connector.sandbox import Running
from ml_connector.sync.models import Problem, ReceivedEvent, Record, Run, RunKind, Webhook
from ml_connector.sync.webhooks import keeping
from ml_connector.sync.webhooks.receiving import owner
from ml_connector.systems.basware.webhooks import WANTED
from ml_connector.workspaces.models import Workspace
from tests.sync.pair import MONDAY
from tests.webhooks.conftest import until

FLOW = "approved_invoices"


class House(Bench):
    """A bench between SYSPRO and Basware, which reaches us."""

    def __init__(self, workspace: Workspace, syspro: Running, basware: Running) -> None:
        super().__init__(workspace, "syspro-basware", {Side.ERP: syspro, Side.PLATFORM: basware})
        self.basware = basware
        basware.options({"webhook_backoff_base_s": 0.01, "webhook_retries": 1})

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

    def subscribed(self) -> list[tuple[str, str]]:
        return [(row["taskSubType"], row["notificationWebhookURL"]) for row in self.basware.state("subscriptions")]

    def approve(self, key: str) -> None:
        """An invoice is ready for transfer in P2P."""
        row: dict[str, Any] = {
            "invoiceId": key, "companyCode": "RIL", "currencyCode": "USD", "supplierCode": "ELC001",
            "processingStatus": "WaitingForTransfer", "invoiceNumber": key.upper(), "invoiceDate": "2026-11-10",
            "dueDate": "2026-12-10", "netSum": 100, "grossSum": 100,
            "codingRows": [{"externalCode": f"{key}-1", "rowIndex": 0, "accountCode": "10-6200", "netTotal": 100}],
        }  # fmt: skip
        self.basware.edit("accountingDocuments", row)

    def notify(self, key: str, signature: str = "good") -> None:
        """The notification about an invoice once more."""
        self.basware.edit("actions", {"do": "notify", "documentId": key, "signature": signature})

    def events(self) -> list[ReceivedEvent]:
        return list(ReceivedEvent.objects.of(self.workspace).order_by("pk"))

    def wait(self, count: int) -> list[ReceivedEvent]:
        until(lambda: len(self.events()) >= count)
        assert len(self.events()) == count
        return self.events()

    def pull(self) -> Run:
        return self.run(FLOW, RunKind.PULL)

    def read(self) -> set[str]:
        return set(Record.objects.of(self.workspace).filter(flow__name=FLOW).values_list("key", flat=True))


@pytest.fixture
def house(workspace: Workspace) -> Iterator[House]:
    with (
        ml_connector.sandbox.start("syspro", seed=1, options={"base_set": "basware"}) as syspro,
        ml_connector.sandbox.start("basware", seed=1, data={"accountingDocuments": []}) as basware,
        clocks_at(MONDAY, {Side.ERP: syspro, Side.PLATFORM: basware}),
    ):
        made = House(workspace, syspro, basware)
        yield made
        made.check()


@pytest.fixture
def subscribed(house: House, endpoint: str) -> House:
    """Its subscription is made and active."""
    assert house.look().state == "active", house.webhook.text
    return house


@pytest.mark.parametrize("signed", [True, False])
def test_one_is_made_and_its_connection_test_answered_before_any_key_is_ours(  # R57
    house: House, endpoint: str, *, signed: bool
) -> None:
    house.basware.options({"connection_test_signed": signed})
    webhook = house.look()
    assert (webhook.state, webhook.refused) == ("active", 0), webhook.text
    assert house.subscribed() == [(name, f"{endpoint}/hooks/{webhook.path}") for name in WANTED]
    assert {row["webhookAuthenticationToken"] for row in house.basware.state("subscriptions")} == {house.key}
    assert house.events() == []
    posts = [row for row in house.basware.requests() if (row["method"], row["path"]) == ("POST", "/v1/subscriptions")]
    house.look()
    assert len(posts) == 1 and house.subscribed() == [(name, f"{endpoint}/hooks/{webhook.path}") for name in WANTED]
    assert house.key not in str(list(Webhook.objects.of(house.workspace).values()))


@pytest.mark.parametrize("encoding", ["prefixed", "hex", "base64"])
def test_an_approved_invoice_is_announced_by_its_id_and_read_as_it_is_now(  # R57, R58
    subscribed: House, encoding: str
) -> None:
    subscribed.basware.options({"webhook_encoding": encoding, "webhook_task_type_misspelt": True})
    subscribed.approve("inv-1")
    (event,) = subscribed.wait(1)
    assert (event.record_type, event.key, event.state) == ("invoice", "inv-1", "waiting")
    assert subscribed.pull().counts.get("events") == 1
    assert subscribed.read() == {"inv-1"}
    assert subscribed.events()[0].state == "processed"


def test_one_that_comes_twice_is_one_and_one_that_is_forged_is_none(subscribed: House) -> None:  # R57, R58
    subscribed.basware.options({"webhook_duplicates": 1})
    subscribed.approve("inv-1")
    subscribed.wait(1)
    subscribed.notify("inv-1")
    subscribed.basware.options({"webhook_duplicates": 0})
    for number, signature in enumerate(("none", "wrong"), 1):
        subscribed.notify("inv-1", signature)
        until(lambda number=number: subscribed.webhook.refused == number)  # type: ignore[misc]
    client = Client(headers={"host": "localhost"})
    body = b'{"taskId":"t","taskType":"AccountingDocuments","documentId":"inv-9"}'
    answer = client.post(f"/hooks/{subscribed.webhook.path}", body, content_type="application/json")
    assert answer.status_code == 401
    subscribed.pull()
    assert subscribed.read() == {"inv-1"}
    assert len(subscribed.events()) == 1
    assert [row.cause for row in Problem.objects.of(subscribed.workspace)] == ["webhook_refused"]


def test_what_was_never_delivered_is_found_in_the_list_of_tasks(subscribed: House) -> None:  # R58
    path = subscribed.webhook.path
    Webhook.objects.of(subscribed.workspace).update(path="A" * 43)
    subscribed.approve("inv-1")
    until(lambda: subscribed.basware.state("tasks")[0]["taskStatus"] == "Failed")
    Webhook.objects.of(subscribed.workspace).update(path=path)
    subscribed.later(minutes=61)
    subscribed.look()
    (event,) = subscribed.events()
    assert (event.via, event.key) == ("history", "inv-1")
    subscribed.look()
    assert len(subscribed.events()) == 1


def test_the_poll_finds_what_nobody_announced(subscribed: House) -> None:  # R58
    subscribed.basware.options({"webhook_delivery": "none"})
    subscribed.approve("inv-1")
    subscribed.pull()
    assert subscribed.read() == {"inv-1"}


def test_a_new_key_is_good_at_once_and_the_old_one_for_a_while(subscribed: House) -> None:  # R57
    before = subscribed.key
    keeping.ask_new_key(subscribed.webhook, "os:test")
    assert subscribed.look().state == "active"
    assert subscribed.key != before
    subscribed.approve("inv-1")
    subscribed.wait(1)
    assert subscribed.webhook.refused == 0


def test_one_that_people_ended_or_cut_short_in_basware_is_made_whole_again(subscribed: House) -> None:  # R58
    whole, before = subscribed.subscribed(), subscribed.key
    subscribed.basware.edit("subscriptions", {"taskSubType": WANTED[0], "_delete": True})
    assert subscribed.look().state == "active"
    assert sorted(subscribed.subscribed()) == sorted(whole) and subscribed.key != before
    for name in WANTED:
        subscribed.basware.edit("subscriptions", {"taskSubType": name, "_delete": True})
    assert subscribed.look().state == "active"
    assert subscribed.subscribed() == whole
    subscribed.approve("inv-1")
    subscribed.wait(1)


def test_a_lost_answer_leaves_one_subscription_with_the_key_that_we_hold(house: House, endpoint: str) -> None:  # R3
    lost = {"match": {"method": "POST", "path": "/v1/subscriptions"}, "do": "commit_then_reset", "times": 1}
    house.basware.faults([lost])
    assert house.look().state == "failing"
    house.later(timedelta(minutes=10))
    assert house.look().state == "active", house.webhook.text
    assert {row["webhookAuthenticationToken"] for row in house.basware.state("subscriptions")} == {house.key}
    assert len(house.subscribed()) == len(WANTED)


def test_one_whose_address_basware_does_not_reach_is_told_and_polling_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "WEBHOOK_URL", "http://127.0.0.1:9")
    assert house.look().state == "failing"
    assert "connection test" in house.webhook.text
    assert [problem.cause for problem in Problem.objects.of(house.workspace)] == ["webhook_off"]
    house.approve("inv-1")
    house.pull()
    assert house.read() == {"inv-1"}


def test_one_that_is_no_longer_wanted_is_ended_and_its_address_given_up(subscribed: House) -> None:
    path = subscribed.webhook.path
    keeping.ask(subscribed.webhook, "os:test", wanted=False)
    assert subscribed.look().state == "none"
    assert subscribed.subscribed() == []
    assert subscribed.webhook.path != path

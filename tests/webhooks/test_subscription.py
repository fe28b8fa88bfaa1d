"""The life of a subscription, on BILL's stand-in."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings

from ml_connector import clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.jobs.webhooks import check_now
from ml_connector.sync import control, leases
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.models import Connection, Flow, Health, Integration, Problem, ReceivedEvent, Webhook
from ml_connector.sync.webhooks import keeping, receiving
from tests.webhooks.conftest import BILL, Sender, until


def calls(house, method="POST", part="/v3/subscriptions"):
    return [row for row in house.bill.requests() if row["method"] == method and part in row["path"]]


def did(house):
    entries = AuditEntry.objects.of(house.workspace).filter(action="webhook").order_by("sequence")
    details = [json.loads(entry.detail) for entry in entries]
    return [detail.get("did") or detail["asked_for"] for detail in details]


def test_it_is_made_once_for_what_the_flows_read_and_its_key_is_sealed(house, endpoint):  # R57
    webhook = house.look()
    assert (webhook.state, webhook.subscription) == ("active", house.subscription["id"])
    assert house.subscription["notificationUrl"] == f"{endpoint}/hooks/{webhook.path}"
    vendors = {f"vendor.{what}" for what in ("created", "updated", "archived", "restored")}
    assert {event["type"] for event in house.subscription["events"]} == {"payment.updated", "payment.failed", *vendors}
    assert webhook.next_check_at == clock.now() + timedelta(hours=1)
    house.look()
    assert len(calls(house)) == 1
    assert did(house) == ["subscribed"]
    assert "securityKey" not in str(list(Webhook.objects.of(house.workspace).values()))


def test_without_a_public_address_nothing_is_made_and_it_is_said(house):
    webhook = keeping.row_of(house.platform)
    assert keeping.idle(webhook)
    assert house.webhook.text == "Vendors do not reach this installation: ML_CONNECTOR_WEBHOOK_URL is not set."
    assert house.bill.state("subscriptions") == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda h: Integration.objects.of(h.workspace).update(paused=True), "not started, or paused"),
        (lambda h: Connection.objects.of(h.workspace).update(stand_in="abc"), "stand-in of a trial"),
        (lambda h: keeping.ask(keeping.row_of(h.platform), "os:test", wanted=False), "removed by a person"),
        (lambda h: Integration.objects.of(h.workspace).update(kind="syspro-bill"), "No Flow reads what BILL"),
    ],
)
def test_none_is_made_where_none_is_needed(house, endpoint, change, why):
    if "syspro" in why or "No Flow" in why:
        Flow.objects.of(house.workspace).exclude(name__in=["suppliers", "invoices"]).delete()
    change(house)
    row = Webhook.objects.of(house.workspace).select_related("connection__workspace", "workspace")
    keeping.row_of(house.platform)
    assert keeping.idle(row.get())
    assert why in house.webhook.text
    assert calls(house) == []


def test_one_that_bill_switched_off_is_switched_on_and_what_was_missed_is_read(subscribed):  # R58
    subscribed.bill.options({"webhook_retries": 1})
    path = subscribed.webhook.path
    Webhook.objects.of(subscribed.workspace).update(path="A" * 43)
    lost = subscribed.pay()
    until(lambda: not subscribed.subscription["status"]["enabled"])
    quiet = subscribed.pay(1)
    Webhook.objects.of(subscribed.workspace).update(path=path)
    assert subscribed.events() == []
    Flow.objects.of(subscribed.workspace).update(next_pull_at=clock.now() + timedelta(minutes=15))
    webhook = subscribed.look()
    assert (webhook.state, subscribed.subscription["status"]) == ("active", {"enabled": True})
    assert "BILL had switched the subscription off" in webhook.text
    assert did(subscribed) == ["subscribed", "switched on again"]
    assert lost in {event.key for event in subscribed.events()}
    assert {event.via for event in subscribed.events()} == {"history"}
    assert subscribed.flow("payments").next_pull_at <= clock.now()
    subscribed.pull()
    assert subscribed.read() == {lost: "cleared", quiet: "cleared"}


def test_what_was_lost_while_the_subscription_was_on_is_found_in_the_list(subscribed):  # R58
    subscribed.bill.options({"webhook_delivery": "none"})
    lost = subscribed.pay()
    subscribed.look()
    (event,) = subscribed.events()
    assert (event.key, event.via, event.state) == (lost, "history", "waiting")
    subscribed.look()
    assert len(subscribed.events()) == 1
    subscribed.pull()
    assert subscribed.read() == {lost: "cleared"}


def test_a_payment_that_nobody_announced_is_found_by_the_poll(subscribed):  # R58
    subscribed.bill.options({"webhook_delivery": "none"})
    lost = subscribed.pay()
    assert subscribed.pull().counts["events"] == 0
    assert subscribed.read() == {lost: "cleared"}


def test_one_that_somebody_removed_in_bill_is_made_anew(subscribed):  # R58
    before, old = subscribed.subscription["id"], subscribed.key
    subscribed.bill.edit("subscriptions", {"id": before, "_delete": True})
    webhook = subscribed.look()
    assert webhook.state == "active" and webhook.subscription != before
    assert subscribed.key != old
    payment = subscribed.pay()
    assert subscribed.wait(1)[0].key == payment


@pytest.mark.parametrize("fault", ["commit_then_reset", "reset", "truncate", "empty"])
def test_a_lost_answer_makes_neither_a_second_one_nor_one_without_a_key(house, endpoint, fault):  # R3, R57
    house.bill.faults([{"match": {"method": "POST", "path": "/v3/subscriptions"}, "do": fault, "times": 1}])
    webhook = house.look()
    assert webhook.state == "failing" and webhook.next_check_at <= clock.now() + timedelta(seconds=5)
    assert house.look().state == "active"
    assert house.subscription["id"] == house.webhook.subscription
    payment = house.pay()
    assert house.wait(1)[0].key == payment


@pytest.mark.parametrize("fault", ["commit_then_reset", "reset", "truncate"])
def test_a_lost_answer_to_a_new_key_is_asked_for_again(subscribed, fault):  # R3, R57
    keeping.ask_new_key(subscribed.webhook, "person:1")
    subscribed.bill.faults([{"match": {"path": "*security_key"}, "do": fault, "times": 1}])
    assert subscribed.look().state == "failing"
    assert subscribed.look().state == "active"
    assert not subscribed.webhook.new_key_wanted
    payment = subscribed.pay()
    assert subscribed.wait(1)[0].key == payment
    assert subscribed.webhook.refused == 0


def test_the_limit_of_ten_is_a_problem_that_ends_when_there_is_room(house, endpoint):  # R57
    event = [{"type": "bill.created", "version": "1"}]
    for number in range(10):
        body = {"name": f"Program {number}", "status": {"enabled": True}, "events": event}
        made = house.ask("POST", "/v3/subscriptions", {**body, "notificationUrl": f"https://other.example/{number}"})
    webhook = house.look()
    assert webhook.state == "failing" and "allows 10 webhook subscriptions" in webhook.text
    problem = Problem.objects.of(house.workspace).get(cause="webhook_off")
    assert "Program 7" in problem.text and problem.blocks is False
    house.ask("DELETE", f"/v3/subscriptions/{made['id']}")
    house.later(hours=1)
    assert house.look().state == "active"
    problem.refresh_from_db()
    assert problem.state == "solved"


def test_another_public_address_is_told_to_bill(subscribed, monkeypatch):
    monkeypatch.setattr(settings, "WEBHOOK_URL", "https://new.example.com")
    assert subscribed.look().state == "active"
    assert subscribed.subscription["notificationUrl"] == f"https://new.example.com/hooks/{subscribed.webhook.path}"
    assert did(subscribed) == ["subscribed", "amended"]


def test_an_address_that_is_not_set_any_more_does_not_cost_the_subscription(subscribed, monkeypatch):
    monkeypatch.setattr(settings, "WEBHOOK_URL", "")
    webhook = subscribed.look()
    assert (webhook.state, webhook.subscription) == ("none", subscribed.subscription["id"])
    assert "ML_CONNECTOR_WEBHOOK_URL" in webhook.text


def test_one_that_is_removed_is_gone_with_its_key_and_address(subscribed):  # R57, R71
    path = subscribed.webhook.path
    keeping.ask(subscribed.webhook, "os:test", wanted=False)
    webhook = subscribed.look()
    assert (webhook.state, webhook.subscription) == ("none", "")
    assert subscribed.bill.state("subscriptions") == []
    assert vault.get_all(subscribed.workspace, receiving.owner(subscribed.platform)) == {}
    assert webhook.path != path
    assert keeping.idle(webhook)
    keeping.ask(webhook, "os:test", wanted=True)
    assert not keeping.idle(subscribed.webhook)
    assert subscribed.look().state == "active"
    assert did(subscribed) == ["subscribed", "remove", "removed", "subscribe", "subscribed"]


def test_a_restored_database_finds_its_subscription_again(subscribed):
    """The backup was made before it: the row knows its address, and neither the subscription nor its key."""
    Webhook.objects.of(subscribed.workspace).update(subscription="", state="none", attempt="")
    vault.delete(subscribed.workspace, receiving.owner(subscribed.platform), "key")
    assert subscribed.look().state == "active"
    payment = subscribed.pay()
    assert subscribed.wait(1)[0].key == payment


def test_refused_credentials_are_not_tried_by_it(subscribed):  # R61
    Connection.objects.of(subscribed.workspace).update(health=Health.CIRCUIT_OPEN)
    before = len(subscribed.bill.requests())
    webhook = subscribed.look()
    assert webhook.state == "failing" and "was refused" in webhook.text
    assert len(subscribed.bill.requests()) == before


def test_it_waits_for_a_job_that_uses_the_connection(subscribed):  # R60
    with leases.held(subscribed.platform.pk, "a job"), pytest.raises(LeaseTaken):
        check_now(subscribed.webhook, "test", 0.3)


def test_a_paused_integration_keeps_its_subscription_and_reads_later(subscribed):
    control.set_paused(subscribed.integration, "test", paused=True)
    assert subscribed.look().state == "active"
    Sender(subscribed)
    payment = subscribed.pay()
    assert subscribed.wait(1)[0].state == "waiting"
    control.set_paused(subscribed.integration, "test", paused=False)
    subscribed.pull()
    assert subscribed.read() == {payment: "cleared"}


def test_events_older_than_the_subscription_are_not_gone_through(house, endpoint):
    house.bill.edit("payments", {"billId": BILL, "amount": 1})
    assert house.look().state == "active"
    assert not ReceivedEvent.objects.of(house.workspace).exists()

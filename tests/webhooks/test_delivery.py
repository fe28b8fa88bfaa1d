"""BILL's stand-in sends for real: what arrives, how often, in which order, and what comes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.sync.models import EventReading, ReceivedState, Record, RunState, Via
from ml_connector.sync.webhooks import receiving
from tests.webhooks.conftest import until


def test_a_payment_that_is_announced_is_read_at_once_and_sent_on(subscribed):  # R58
    payment = subscribed.pay()
    (event,) = subscribed.wait(1)
    assert (event.type, event.record_type, event.key, event.via) == ("payment.updated", "payment", payment, Via.WEBHOOK)
    assert event.state == ReceivedState.WAITING
    assert subscribed.flow("payments").next_pull_at <= clock.now()
    run = subscribed.pull()
    assert (run.counts["events"], run.counts["new"]) == (1, 1)
    assert subscribed.read() == {payment: "cleared"}
    (event,) = subscribed.events()
    assert event.state == ReceivedState.PROCESSED
    assert event.text == "bench, payments: Read as it is now."
    assert subscribed.flow("payments").next_push_at <= clock.now()
    entries = AuditEntry.objects.of(subscribed.workspace).filter(run=run.pk)
    assert {"announced", "read_batch"} <= set(entries.values_list("action", flat=True))


def test_what_comes_twice_is_stored_once_and_changes_nothing(subscribed):  # R58
    subscribed.bill.options({"webhook_duplicates": 2})
    payment = subscribed.pay()
    sent = lambda: [row for row in subscribed.bill.state("events") if row.get("statusCode") == 200]  # noqa: E731
    subscribed.wait(1)
    subscribed.pull()
    before = list(Record.objects.of(subscribed.workspace).values())
    subscribed.bill.options({"webhook_duplicates": 0})
    subscribed.bill.edit("payments", {"id": payment, "singleStatus": "VOIDED"})
    subscribed.wait(2)
    until(lambda: len(sent()) == 2)
    assert list(Record.objects.of(subscribed.workspace).values()) == before


def test_the_order_in_which_events_come_does_not_matter(subscribed):  # R55, R58
    subscribed.bill.options({"webhook_delivery": "reversed"})
    made = subscribed.bill.edit("payments", {"billId": "00n02BILL00000000001", "amount": 100})[0]["id"]
    for status in ("CLEARED", "VOIDED"):
        subscribed.later(seconds=1)
        subscribed.bill.edit("payments", {"id": made, "singleStatus": status})
    subscribed.wait(2)
    subscribed.pull()
    assert subscribed.read() == {made: "voided"}
    assert [event.state for event in subscribed.events()] == ["processed", "processed"]
    assert Record.objects.of(subscribed.workspace).get(key=made).key == made


def test_an_event_that_comes_late_changes_nothing(subscribed):  # R55, R58
    """The newest state was read by the poll; then comes what happened before it."""
    subscribed.bill.options({"webhook_delivery": "none"})
    payment = subscribed.pay()
    subscribed.later(seconds=1)
    subscribed.bill.edit("payments", {"id": payment, "singleStatus": "VOIDED"})
    subscribed.pull()
    before = list(Record.objects.of(subscribed.workspace).values())
    subscribed.bill.options({"webhook_delivery": "in_order"})
    late = subscribed.bill.state("events")[0]["id"]
    subscribed.resend(late)
    subscribed.wait(1)
    run = subscribed.pull()
    assert (run.counts["events"], run.counts["changed"]) == (1, 0)
    assert list(Record.objects.of(subscribed.workspace).values()) == before
    assert subscribed.read() == {payment: "voided"}


def test_what_no_flow_reads_is_kept_with_its_reason(sender):  # R58
    assert sender.send(sender.body("e1", "bill", "00n01X")).status_code == 200
    assert sender.send(sender.body("e2", "card-account", "x")).status_code == 200
    first, second = sender.house.events()
    assert (first.state, first.text) == ("ignored", "No Flow reads invoices from BILL.")
    assert (second.state, second.text) == ("ignored", "BILL announces card-account.updated, which no Flow can read.")
    assert not EventReading.objects.of(sender.house.workspace).exists()


def test_one_object_that_cannot_be_shown_keeps_no_other_from_being_read(sender):
    house = sender.house
    payment = house.pay()
    house.wait(1)
    sender.send(sender.body("e2", key="stp99NOTHING"))
    denied = house.bill.edit("payments", {"billId": "00n02BILL00000000001", "amount": 1})[0]["id"]
    sender.send(sender.body("e3", key=denied))
    house.bill.faults(
        [{"match": {"method": "GET", "path": f"/v3/payments/{denied}"}, "do": "status", "status": 400, "body": []}]
    )
    run = house.pull()
    assert run.counts["events"] == 3
    states = {event.key: (event.state, event.text) for event in house.events()}
    assert {state for state, _ in states.values()} == {"processed"}
    assert "no longer there" in states["stp99NOTHING"][1]
    assert "could not be read" in states[denied][1]
    assert house.read()[payment] == "cleared"


def test_what_could_not_be_answered_waits_for_the_next_pull(subscribed):
    payment = subscribed.pay()
    subscribed.wait(1)
    subscribed.bill.faults([{"match": {"path": "/v3/payments/*"}, "do": "status", "status": 503, "times": 1}])
    assert subscribed.pull().state == RunState.FAILED
    assert subscribed.events()[0].state == "waiting"
    subscribed.later(timedelta(minutes=5))
    assert subscribed.pull().counts["events"] == 1
    assert subscribed.read() == {payment: "cleared"}


def test_replaying_an_event_reads_again_and_makes_nothing_twice(subscribed):  # R10, R58
    payment = subscribed.pay()
    (event,) = subscribed.wait(1)
    subscribed.pull()
    (flow,) = receiving.replay(subscribed.workspace, event.pk, "person:1")
    assert flow.name == "payments" and subscribed.events()[0].state == "waiting"
    run = subscribed.pull()
    assert (run.counts["events"], run.counts["new"], run.counts["changed"]) == (1, 0, 0)
    assert subscribed.events()[0].state == "processed"
    assert subscribed.read() == {payment: "cleared"}
    assert receiving.replay(subscribed.workspace, 999_999, "person:1") is None


def test_replaying_what_was_ignored_says_so_again(sender):
    sender.send(sender.body("e1", "bill", "00n01X"))
    (event,) = sender.house.events()
    assert receiving.replay(sender.house.workspace, event.pk, "person:1") == []
    assert sender.house.events()[0].text == "No Flow reads invoices from BILL."


@pytest.mark.parametrize("events", [250])
def test_many_events_are_answered_in_parts_and_each_object_is_asked_for_once(sender, events):
    house = sender.house
    payments = [house.bill.edit("payments", {"billId": "00n02BILL00000000001", "amount": 1})[0]["id"] for _ in range(5)]
    for number in range(events):
        assert sender.send(sender.body(f"e{number}", key=payments[number % 5])).status_code == 200
    asked = lambda: sum(row["path"].rpartition("/")[2] in payments for row in house.bill.requests())  # noqa: E731
    assert house.pull().counts["events"] == events
    assert asked() == 15
    assert {event.state for event in house.events()} == {"processed"}

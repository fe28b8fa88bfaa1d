"""The subscription's calls, against the stand-in."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from ml_connector.systems.base import NotFound, OutcomeUnknown, Refused, Subscribing, Wanted
from ml_connector.systems.bill.webhooks import EVENTS

URL = "https://hooks.example.com/hooks/abc"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def wanted(*types: str, url: str = URL) -> Wanted:
    return Wanted("ml-connector acme bill", url, frozenset(types or ("payment",)))


def attempt() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def vendor(pair):
    assert isinstance(pair.client, Subscribing)
    return pair.client.subscriptions()


def test_one_is_made_read_and_listed(pair, vendor):  # R57
    made = vendor.make(wanted("payment", "supplier"), attempt())
    assert made.key and made.key not in repr(made)
    read = vendor.get(made.id)
    assert (read.url, read.enabled, read.record_types) == (URL, True, {"payment", "supplier"})
    assert read.key is None
    assert vendor.listed() == [read]
    assert pair.wrote == [True]


def test_an_attempt_that_is_made_again_gives_the_same_one_and_its_key(vendor):  # R57
    one = attempt()
    first = vendor.make(wanted(), one)
    assert vendor.make(wanted(), one) == first
    assert len(vendor.listed()) == 1


def test_a_lost_answer_is_unknown_and_comes_again(pair, vendor):  # R3
    one = attempt()
    pair.bill.faults(
        [{"match": {"method": "POST", "path": "/v3/subscriptions"}, "do": "commit_then_reset", "times": 1}]
    )
    with pytest.raises(OutcomeUnknown):
        vendor.make(wanted(), one)
    assert vendor.make(wanted(), one).key
    assert len(vendor.listed()) == 1


def test_the_limit_of_ten_is_said_with_the_names_of_those_there(pair, vendor):
    for number in range(10):
        vendor.make(wanted(url=f"https://other.example/{number}"), attempt())
    pair.bill.edit("subscriptions", {"id": vendor.listed()[3].id, "name": "Another program"})
    with pytest.raises(Refused, match=r"allows 10 webhook subscriptions .* Another program") as refused:
        vendor.make(wanted(), attempt())
    assert refused.value.code == "subscription_limit"
    assert len(vendor.listed()) == 10


def test_one_is_switched_on_again_and_brought_up_to_date(pair, vendor):  # R58
    made = vendor.make(wanted(), attempt())
    pair.bill.edit("subscriptions", {"id": made.id, "status": {"enabled": False}})
    assert vendor.get(made.id).enabled is False
    vendor.amend(made.id, wanted("payment", "invoice", url=f"{URL}x"))
    read = vendor.get(made.id)
    assert (read.url, read.enabled, read.record_types) == (f"{URL}x", True, {"payment", "invoice"})


def test_a_new_key_is_another_one_and_the_same_for_the_same_attempt(vendor):  # R57
    made, one = vendor.make(wanted(), attempt()), attempt()
    key = vendor.new_key(made.id, one)
    assert key != made.key
    assert vendor.new_key(made.id, one) == key


def test_one_that_is_gone_is_nothing_to_remove_and_nothing_to_amend(vendor):
    made = vendor.make(wanted(), attempt())
    vendor.remove(made.id)
    vendor.remove(made.id)
    assert vendor.get(made.id) is None
    with pytest.raises(NotFound):
        vendor.amend(made.id, wanted())


def test_the_list_of_events_says_what_was_to_be_announced(pair, vendor):  # R58
    pair.bill.options({"webhook_delivery": "none"})
    made = vendor.make(wanted("supplier"), attempt())
    address = {"line1": "1 Dock Road", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}
    path = f"{pair.bill.settings['base_url']}/v3/vendors"
    keys = []
    for number in range(3):
        body = {"name": f"Vendor {number}", "address": address}
        keys.append(pair.client._bill.write("POST", path, body, about="a vendor").json()["id"])
    found = list(vendor.events(made.id, SINCE))
    assert sorted(event.key for event in found) == sorted(keys)
    assert {(event.type, event.record_type) for event in found} == {("vendor.created", "supplier")}
    assert all(event.at is not None for event in found)
    assert list(vendor.events(made.id, datetime(2030, 1, 1, tzinfo=UTC))) == []


def test_what_is_subscribed_to_is_in_the_catalog(pair):
    """BILL refuses a subscription to an event that it does not have."""
    made = pair.client.subscriptions().make(wanted(*EVENTS), attempt())
    assert made.record_types == set(EVENTS)

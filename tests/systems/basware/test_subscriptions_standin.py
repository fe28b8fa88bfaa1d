"""The subscription's calls, against the stand-in, which calls its receiver before it answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sandbox.basware.conftest import Receiver

from ml_connector.systems.base import NotFound, OutcomeUnknown, Refused, Subscribing, Wanted
from ml_connector.systems.basware import SYSTEM
from ml_connector.systems.basware.webhooks import WANTED, read

from .conftest import Met

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULTS = {setting.name: setting.default for setting in SYSTEM.settings()}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def vendor(met: Met) -> Any:
    assert isinstance(met.client, Subscribing)
    return met.client.subscriptions()


def wanted(url: str) -> Wanted:
    return Wanted("ml-connector acme basware", url, frozenset({"invoice"}))


def attempt() -> str:
    return str(uuid.uuid4())


def rows(met: Met) -> list[tuple[str, str]]:
    return [(row["taskSubType"], row["notificationWebhookURL"]) for row in met.basware.state("subscriptions")]


def test_one_is_made_tried_and_read(met: Met, vendor: Any, receiver: Receiver) -> None:  # R57
    made = vendor.make(wanted(receiver.url), attempt())
    assert made.key and made.key not in repr(made)
    assert [body["taskType"] for body in receiver.wait(len(WANTED))] == ["ConnectionTest"] * len(WANTED)
    found = vendor.get(made.id)
    assert (found.url, found.enabled, found.record_types, found.key) == (receiver.url, True, {"invoice"}, None)
    assert vendor.listed() == [found]
    assert rows(met) == [(name, receiver.url) for name in WANTED]
    assert met.wrote == [True]


@pytest.mark.parametrize("encoding", ["prefixed", "hex", "base64"])
@pytest.mark.parametrize("signed", [True, False])
def test_what_it_sends_is_read_with_the_key_that_it_was_given(  # R57
    meet: Callable[..., Met], receiver: Receiver, encoding: str, *, signed: bool
) -> None:
    met = meet(webhook_encoding=encoding, connection_test_signed=signed, webhook_task_type_misspelt=True)
    made = met.client.subscriptions().make(wanted(receiver.url), attempt())
    met.basware.edit("accountingDocuments", waiting("inv-1"))
    receiver.wait(len(WANTED) + 1)
    for body, headers in receiver.got[: len(WANTED)]:
        assert read(body, headers, [], DEFAULTS) == []
    body, headers = receiver.got[-1]
    (event,) = read(body, headers, [made.key], DEFAULTS)
    assert (event.record_type, event.key) == ("invoice", "inv-1")
    assert event.id == json.loads(body)["taskId"]


def test_a_receiver_that_does_not_answer_200_makes_no_subscription(met: Met, vendor: Any, receiver: Receiver) -> None:
    receiver.statuses = [200, 401, 200]
    with pytest.raises(Refused, match="connection test"):
        vendor.make(wanted(receiver.url), attempt())
    assert vendor.listed() == []


def test_a_lost_answer_is_unknown_and_what_was_made_is_found_and_gets_a_new_key(  # R3
    met: Met, vendor: Any, receiver: Receiver
) -> None:
    fault = {"match": {"method": "POST", "path": "/v1/subscriptions"}, "do": "commit_then_reset", "times": 1}
    met.basware.faults([fault])
    with pytest.raises(OutcomeUnknown):
        vendor.make(wanted(receiver.url), attempt())
    (found,) = vendor.listed()
    assert vendor.new_key(found.id, attempt())
    assert rows(met) == [(name, receiver.url) for name in WANTED]


def test_a_new_key_is_another_one_in_force_at_once(met: Met, vendor: Any, receiver: Receiver) -> None:  # R57
    made = vendor.make(wanted(receiver.url), attempt())
    key = vendor.new_key(made.id, attempt())
    assert key != made.key
    assert {row["webhookAuthenticationToken"] for row in met.basware.state("subscriptions")} == {key}


def test_one_that_lacks_a_type_is_found_lacking_and_made_whole_by_a_new_key(
    met: Met, vendor: Any, receiver: Receiver
) -> None:
    made = vendor.make(wanted(receiver.url), attempt())
    met.basware.edit("subscriptions", {"taskSubType": WANTED[0], "_delete": True})
    assert vendor.get(made.id).record_types == set()
    with pytest.raises(NotFound):
        vendor.amend(made.id, wanted(receiver.url))
    vendor.new_key(made.id, attempt())
    assert vendor.get(made.id).record_types == {"invoice"}


def test_another_address_of_ours_gives_way_to_the_new_one(met: Met, vendor: Any, receiver: Receiver) -> None:
    made = vendor.make(wanted(receiver.url), attempt())
    moved = wanted(f"{receiver.url}/moved")
    with pytest.raises(NotFound):
        vendor.amend(made.id, moved)
    vendor.make(moved, attempt())
    assert [one.url for one in vendor.listed()] == [moved.url]


def test_what_another_program_subscribed_to_is_not_taken_from_it(met: Met, vendor: Any, receiver: Receiver) -> None:
    theirs = vendor.make(wanted(receiver.url), attempt())
    with pytest.raises(Refused, match=r"go to 127\.0\.0\.1") as refused:
        vendor.make(wanted(f"{receiver.url}/ours"), attempt())
    assert refused.value.code == "subscription_taken"
    assert receiver.url.rpartition("/")[2] not in str(refused.value).split("127.0.0.1")[1]
    assert [one.id for one in vendor.listed()] == [theirs.id]


def test_one_is_removed_once_and_one_that_is_gone_is_nothing_to_remove(
    met: Met, vendor: Any, receiver: Receiver
) -> None:
    made = vendor.make(wanted(receiver.url), attempt())
    for _ in range(2):
        vendor.remove(made.id)
    assert (vendor.get(made.id), rows(met)) == (None, [])
    with pytest.raises(NotFound):
        vendor.new_key(made.id, attempt())


def test_the_list_of_tasks_says_what_was_to_be_announced_and_what_failed(  # R58
    met: Met, vendor: Any, receiver: Receiver
) -> None:
    met.basware.options({"webhook_delivery": "none"})
    made = vendor.make(wanted(receiver.url), attempt())
    met.basware.edit("accountingDocuments", [waiting(f"inv-{number}") for number in range(3)])
    found = list(vendor.events(made.id, SINCE))
    assert [(event.record_type, event.key) for event in found] == [("invoice", f"inv-{number}") for number in range(3)]
    assert all(event.at is not None for event in found)
    assert len({event.id for event in found}) == 3
    assert list(vendor.events(made.id, datetime(2030, 1, 1, tzinfo=UTC))) == []


def waiting(key: str) -> dict[str, Any]:
    return {
        "invoiceId": key,
        "companyCode": "RIL",
        "currencyCode": "USD",
        "supplierCode": "ELC001",
        "processingStatus": "WaitingForTransfer",
        "invoiceNumber": key,
        "grossSum": 100,
    }

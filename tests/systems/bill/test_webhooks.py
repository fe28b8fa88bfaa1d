"""BILL's signature and what its notifications are about."""

from __future__ import annotations

import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ml_connector.systems import signatures
from ml_connector.systems.base import NotGenuine, ShapeChanged, WebhookEvent
from ml_connector.systems.bill.webhooks import HEADER, WEBHOOKS

VECTORS = "BILL_WEBHOOK_VECTORS"
KEY, CODED_KEY = "key-of-ours-01", "q83vEjRWeJCrze8SNFZ4kA=="
ORGANIZATION = "00801ORGANISATION00A"
BODY = (
    '{"metadata":{"eventId":"evt-1","subscriptionId":"sub-1","organizationId":"00801ORGANISATION00A",'
    '"eventType":"payment.updated","version":"1"},"payment":{"id":"stp01PAYMENT00000001","status":"CLEARED",'
    '"updatedTime":"2026-11-16T10:00:00.000+00:00","vendor":{"name":"Café Żółw"}}}'
).encode()
SIGNED = "ccnzrZ4lpfrk90mSc5DyU/eVt+nWhJtWZFq9/HXyHBo="
"""By `openssl dgst -sha256 -hmac`, as are those below."""
SIGNED_BY_TEXT = "Jtxq6sWki+CXbgiVPtLj19BQPH/YhwWrdnd1X6gs/pM="
SIGNED_BY_CODED = "Kz77eZK29gyXz137a9iAKyF6Olh46U1fTQJCMlaoAt4="

PAYMENT = WebhookEvent(
    "evt-1", "payment.updated", "payment", "stp01PAYMENT00000001", datetime(2026, 11, 16, 10, tzinfo=UTC)
)


def read(body: bytes = BODY, header: str = SIGNED, keys: tuple[str, ...] = (KEY,), **settings: Any) -> Any:
    values = {"organizationId": ORGANIZATION, "webhook_key_encoding": "utf8", **settings}
    return WEBHOOKS.read(body, {HEADER: header}, keys, values)


def signed(content: object) -> dict[str, Any]:
    body = json.dumps(content).encode()
    return {"body": body, "header": signature(body, KEY.encode())}


def signature(body: bytes, key: bytes) -> str:
    import base64

    return base64.b64encode(hmac.digest(key, body, "sha256")).decode()


def test_what_is_signed_with_the_key_says_where_to_look():  # R57
    assert read() == [PAYMENT]


def test_the_key_is_taken_as_it_stands_or_as_base64():  # R57
    assert read(header=SIGNED_BY_TEXT, keys=(CODED_KEY,)) == [PAYMENT]
    assert read(header=SIGNED_BY_CODED, keys=(CODED_KEY,), webhook_key_encoding="base64") == [PAYMENT]
    with pytest.raises(NotGenuine):
        read(header=SIGNED_BY_TEXT, keys=(CODED_KEY,), webhook_key_encoding="base64")


@pytest.mark.parametrize("place", [0, 1])
def test_any_of_the_keys_in_force_will_do(place):  # R57
    keys = [KEY, "another-key-of-ours"]
    assert read(keys=tuple(keys if place == 0 else reversed(keys))) == [PAYMENT]


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": ""},
        {"header": "no base64 at all"},
        {"header": SIGNED[:-4]},
        {"header": SIGNED.swapcase()},
        {"header": "="},
        {"keys": ()},
        {"keys": ("",)},
        {"keys": ("another-key-of-ours",)},
        {"body": BODY.replace(b"CLEARED", b"CLEARED ")},
        {"body": json.dumps(json.loads(BODY), indent=1).encode()},
        {"body": b""},
    ],
    ids=str,
)
def test_what_was_not_signed_so_is_refused_before_it_is_looked_at(wrong, monkeypatch):  # R57
    monkeypatch.setattr("ml_connector.systems.bill.webhooks._object", lambda _: pytest.fail("it was parsed"))
    with pytest.raises(NotGenuine):
        read(**wrong)


@pytest.mark.parametrize("keys", [(), ("",)])
def test_nothing_is_signed_without_a_key(keys):  # R57
    """Neither with the empty key, nor where a key's text is no base64."""
    with pytest.raises(NotGenuine):
        read(header=signature(BODY, b""), keys=keys)
    with pytest.raises(NotGenuine):
        read(header=signature(BODY, b""), keys=("no base64",), webhook_key_encoding="base64")


def test_every_key_is_compared_whole_wherever_the_difference_is(monkeypatch):  # R57
    compared: list[tuple[int, int]] = []
    right = hmac.compare_digest

    def compare(ours: bytes, theirs: bytes) -> bool:
        compared.append((len(ours), len(theirs)))
        return right(ours, theirs)

    monkeypatch.setattr(signatures.hmac, "compare_digest", compare)
    good = hmac.digest(b"a", BODY, "sha256")
    assert signatures.signed(BODY, good, [b"a", b"b"]) is True
    assert signatures.signed(BODY, good, [b"b", b"a"]) is True
    assert signatures.signed(BODY, bytes(32), [b"a", b"b"]) is False
    assert compared == [(32, 32)] * 6


def test_what_is_about_another_organisation_is_refused_although_it_is_signed():  # R57
    with pytest.raises(NotGenuine, match="another organisation"):
        read(organizationId="00801OTHER0000000000")


@pytest.mark.parametrize(
    ("event", "noun", "record_type"),
    [
        ("payment.failed", "payment", "payment"),
        ("vendor.archived", "vendor", "supplier"),
        ("bill.created", "bill", "invoice"),
        ("card-account.created", "card-account", ""),
        ("something.new", "something", ""),
    ],
)
def test_the_type_says_what_it_is_about(event, noun, record_type):
    content = {
        "metadata": {"eventId": "e", "eventType": event, "organizationId": ORGANIZATION},
        noun: {"id": "00n01X"},
    }
    (found,) = read(**signed(content))
    assert (found.record_type, found.key) == (record_type, "00n01X" if record_type else "")


@pytest.mark.parametrize(
    "content",
    [
        {"metadata": {"eventType": "payment.updated", "organizationId": ORGANIZATION}, "payment": {"id": "1"}},
        {"metadata": {"eventId": "e", "organizationId": ORGANIZATION}, "payment": {"id": "1"}},
        {"metadata": {"eventId": "e", "eventType": "payment.updated", "organizationId": ORGANIZATION}},
        {
            "metadata": {"eventId": "e", "eventType": "payment.updated", "organizationId": ORGANIZATION},
            "payment": {"id": "../vendors/1?x=1"},
        },
        {
            "metadata": {"eventId": "e" * 101, "eventType": "payment.updated", "organizationId": ORGANIZATION},
            "payment": {"id": "1"},
        },
    ],
)
def test_what_is_genuine_and_does_not_say_what_it_is_about_is_told_apart(content):  # R20
    with pytest.raises(ShapeChanged):
        read(**signed(content))


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_object_is_told_apart(body):
    with pytest.raises(ShapeChanged):
        read(body=body, header=signature(body, KEY.encode()))


def test_the_signature_is_that_of_known_vectors():  # R57
    if VECTORS not in os.environ:
        pytest.skip(f"{VECTORS} does not name a file of signature vectors")
    for vector in json.loads(Path(os.environ[VECTORS]).read_text())["vectors"]:
        body = vector["body"].encode()
        organization = json.loads(body)["metadata"]["organizationId"]
        header, key = vector["x-bill-sha-signature"], vector["securityKey"]
        (event,) = read(body, header, (key,), organizationId=organization)
        assert event.id == json.loads(body)["metadata"]["eventId"], vector["case"]
        with pytest.raises(NotGenuine):
            read(body + b" ", header, (key,), organizationId=organization)

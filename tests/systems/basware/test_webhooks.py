"""Notifications: whether one is genuine, and what it announces."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from ml_connector.systems.base import NotGenuine, ShapeChanged, WebhookEvent
from ml_connector.systems.basware import SYSTEM
from ml_connector.systems.basware.webhooks import read

BODY = (
    b'{"taskId":"t-1","taskStatus":"New","taskType":"AccountingDocuments","taskSubType":"WaitingForTransfer",'
    b'"documentId":"inv-1","expirationTime":"2026-11-30T08:00:00Z"}'
)
ANNOUNCED = WebhookEvent("t-1", "AccountingDocuments.WaitingForTransfer", "invoice", "inv-1")
SECRET = "schlüssel-1"
HEADER = "x-bwapi-signature-256"
DEFAULTS = {setting.name: setting.default for setting in SYSTEM.settings()}
FORMS = ("hex", "sha256=hex", "base64")


def signature(body: bytes, secret: str = SECRET, form: str = "hex") -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    if form == "base64":
        return base64.b64encode(digest).decode()
    return f"sha256={digest.hex()}" if form == "sha256=hex" else digest.hex()


def received(body: bytes, given: str | None, keys: tuple[str, ...] = (SECRET,), **settings: Any) -> list[WebhookEvent]:
    chosen = {**DEFAULTS, **settings}
    headers = {} if given is None else {chosen["webhook_header"].lower(): given}
    return list(read(body, headers, keys, chosen))


@pytest.mark.parametrize("form", FORMS)
def test_a_signature_holds_in_its_own_form_and_in_any(form: str) -> None:  # R57
    given = signature(BODY, form=form)
    assert received(BODY, given) == [ANNOUNCED]
    assert received(BODY, f" {given} ", webhook_encoding=form) == [ANNOUNCED]
    for other in set(FORMS) - {form}:
        with pytest.raises(NotGenuine):
            received(BODY, given, webhook_encoding=other)


def test_the_signature_is_of_the_raw_bytes(form: str = "hex") -> None:  # R57
    assert received(BODY, signature(BODY, form=form).upper()) == [ANNOUNCED]
    with pytest.raises(NotGenuine):
        received(json.dumps(json.loads(BODY)).encode(), signature(BODY, form=form))


@pytest.mark.parametrize("given", [None, "", "sha256=", "zz", "sha256=zz", "====", signature(BODY, "other"), "0" * 64])
def test_what_is_not_signed_by_the_subscriptions_secret_is_not_genuine(given: str | None) -> None:  # R57
    with pytest.raises(NotGenuine):
        received(BODY, given)


def test_nothing_is_genuine_without_a_secret() -> None:  # R57
    for keys in ((), ("",)):
        with pytest.raises(NotGenuine):
            received(BODY, signature(BODY, ""), keys)


def test_each_key_that_is_good_now_counts() -> None:  # R57
    assert received(BODY, signature(BODY), ("the next one", SECRET)) == [ANNOUNCED]


def test_the_header_is_a_setting() -> None:
    assert received(BODY, signature(BODY), webhook_header="X-Signature") == [ANNOUNCED]


def test_a_site_whose_notifications_bear_no_signature_can_say_so() -> None:
    assert received(BODY, None, require_signature=False) == [ANNOUNCED]


@pytest.mark.parametrize("given", [None, "0" * 64, signature(b'{"taskType":"ConnectionTest"}')])
def test_a_connection_test_says_nothing_and_needs_no_signature(given: str | None) -> None:
    assert received(b'{"taskType":"ConnectionTest"}', given) == []


@pytest.mark.parametrize("body", [b'{"taskType":"ConnectionTests"}', b"", b"[]", b"{", b"\xff", b"null"])
def test_nothing_else_passes_unsigned(body: bytes) -> None:  # R57
    with pytest.raises(NotGenuine):
        received(body, None)


@pytest.mark.parametrize("word", ["AccountingDocuments", "AccoutingDocuments", "accountingdocuments"])
def test_a_document_is_known_however_its_type_is_spelled(word: str) -> None:
    body = BODY.replace(b"AccountingDocuments", word.encode())
    (event,) = received(body, signature(body))
    assert (event.record_type, event.key) == ("invoice", "inv-1")


def test_other_tasks_are_nothing_that_a_flow_reads() -> None:
    body = BODY.replace(b"AccountingDocuments", b"RequestStatus")
    (event,) = received(body, signature(body))
    assert (event.id, event.record_type, event.key) == ("t-1", "", "")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b"\xff",
        b"null",
        b'{"taskType":"AccountingDocuments"}',
        BODY.replace(b"inv-1", b""),
        BODY.replace(b"inv-1", b"x" * 101),
        BODY.replace(b"t-1", b"t" * 101),
        BODY.replace(b'"inv-1"', b"7"),
    ],
)
def test_what_is_genuine_and_cannot_be_read_is_told_apart(body: bytes) -> None:
    with pytest.raises(ShapeChanged):
        received(body, signature(body))

"""Notifications of Basware: the subscription, the signature, and which document to fetch.

A notification names a task and a document and holds nothing of it. On subscribing Basware posts one of the type
ConnectionTest and wants 200 for it. The secret that we hand over signs each notification: HMAC-SHA256 over the body as
it came. How it is written, and in which header, is not confirmed, so both are settings. Nothing is signed that would
tell how old a notification is; one that comes twice has the same task id.

Basware keeps one subscription for each type and sub-type of task, and overwrites it when it is made again: that is the
only way to change one, and it needs a secret each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ml_connector.systems.base import (
    NotFound,
    NotGenuine,
    Refused,
    ShapeChanged,
    Subscription,
    Wanted,
    WebhookEvent,
    Webhooks,
)
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.reading import batch, moment, rows
from ml_connector.systems.basware.rows import instant, words
from ml_connector.systems.basware.session import P2P, Json
from ml_connector.systems.signatures import from_base64, signed

PATH = "/v1/subscriptions"
KEY = "subscriptions"
TASKS = "/v1/tasks"
TASKS_KEY = "taskStatus"
WEBHOOK = "Webhook"
ALL = "All"

CONNECTION_TEST = "ConnectionTest"
DOCUMENTS = "AccountingDocuments"
INVOICE = "invoice"
WANTED = ("WaitingForTransfer", "WaitingToBeRemoved", "WaitingToBeReturned")
"""Sub-types of documents of which we want to hear. Outcomes of requests are asked for by themselves."""

BEGINNING = "0001-01-01"
"""In a deletion: whenever it was made."""
PREFIX = "sha256="
_LONGEST_ID = 100


def read(
    body: bytes, headers: Mapping[str, str], keys: Sequence[str], settings: Mapping[str, Any]
) -> Sequence[WebhookEvent]:
    """See `systems.base.Webhooks.read`.

    A connection test says nothing and passes unsigned: it comes before the secret is in force, and whether Basware
    signs it is not known.
    """
    given = headers.get(str(settings["webhook_header"]).strip().lower(), "").strip()
    genuine = _is_signed(body, given, keys, str(settings["webhook_encoding"]))
    if not genuine and settings["require_signature"] and not _is_test(body):
        raise NotGenuine("It was not signed with the secret of the subscription.")
    content = _object(body)
    return [] if same_word(_text(content, "taskType"), CONNECTION_TEST) else [_event(content)]


WEBHOOKS = Webhooks(frozenset({INVOICE}), read)


def same_word(theirs: str, ours: str) -> bool:
    """Whether two words of Basware mean the same: the published example of one lacks a letter."""
    left, right = theirs.casefold(), ours.casefold()
    return left == right or (len(left) > 8 and len(right) - len(left) == 1 and _one_letter_less(left, right))


class BaswareSubscriptions:
    """See `systems.base.Subscriptions`. What leads to one address counts as one subscription, known by that address."""

    def __init__(self, p2p: P2P) -> None:
        self.p2p = p2p

    def listed(self) -> list[Subscription]:
        """All that there are; the secrets that Basware adds are dropped here (R71)."""
        by_url: dict[str, set[str]] = {}
        for row in self._rows():
            by_url.setdefault(words(row, "notificationWebhookURL") or "", set()).add(_sub_type(row))
        return [_subscription(url, sub_types) for url, sub_types in by_url.items()]

    def get(self, subscription: str) -> Subscription | None:
        return next((one for one in self.listed() if one.id == subscription), None)

    def make(self, wanted: Wanted, attempt: str) -> Subscription:
        """Basware calls the address before it answers. Nobody else's subscription is overwritten."""
        taken = {
            (words(row, "notificationWebhookURL") or "")
            for row in self._rows()
            if _sub_type(row) in {*WANTED, ALL} and words(row, "notificationWebhookURL") != wanted.url
        }
        if taken:
            hosts = ", ".join(sorted(urlsplit(url).netloc or "another program" for url in taken))
            raise Refused(
                "subscription_taken",
                f"{NAME} keeps one subscription for each type of notification, and those of invoices go to {hosts}."
                " Remove it there where it is no longer needed; until then invoices are found by polling.",
            )
        key = self._posted(wanted.url)
        return Subscription(_id(wanted.url), wanted.url, enabled=True, record_types=frozenset({INVOICE}), key=key)

    def amend(self, subscription: str, wanted: Wanted) -> None:
        """Basware amends none: ours is removed where it leads to another address, to be made anew with a secret."""
        current = self.get(subscription)
        if current is not None and current.url != wanted.url:
            self.remove(subscription)
        raise NotFound(f"{NAME} amends no subscription; it is made anew.")

    def new_key(self, subscription: str, attempt: str) -> str:
        """Subscribes anew under the same address, with all that is wanted. An attempt whose answer was lost is
        overwritten."""
        current = self.get(subscription)
        if current is None:
            raise NotFound(f"{NAME} has no subscription to our address any more.")
        return self._posted(current.url)

    def remove(self, subscription: str) -> None:
        ours, others = set[str](), set[str]()
        for row in self._rows():
            mine = _id(words(row, "notificationWebhookURL") or "") == subscription
            (ours if mine else others).add(_sub_type(row))
        # They are deleted by type: where another program has one of the same type, that would go with ours.
        for sub_type in sorted(ours - others):
            params = {"lastUpdated": BEGINNING, "taskType": DOCUMENTS, "taskSubType": sub_type}
            with suppress(NotFound):
                self.p2p.write("DELETE", PATH, about="the end of a subscription", params=params)

    def events(self, subscription: str, since: datetime) -> Iterator[WebhookEvent]:
        """The tasks about invoices, delivered or not."""
        params = {"taskType": DOCUMENTS, "lastUpdated": moment(since)}
        for row in rows(self.p2p, TASKS, TASKS_KEY, params, most=None, about="the list of notifications"):
            with suppress(ShapeChanged):
                # What one task is about that cannot be read is found by polling; the others are behind it.
                yield _event(row)

    def _rows(self) -> Iterator[Json]:
        """The subscriptions to documents."""
        try:
            answer = self.p2p.read(PATH, about="the list of subscriptions")
        except NotFound:
            return
        yield from (row for row in batch(answer, KEY).rows if same_word(words(row, "taskType") or "", DOCUMENTS))

    def _posted(self, url: str) -> str:
        """Subscribes under an address with a new secret, which it gives."""
        secret = secrets.token_urlsafe(32)
        body = [
            {
                "taskType": DOCUMENTS,
                "taskSubType": sub_type,
                "subscriptionType": WEBHOOK,
                "notificationWebhookURL": url,
                "webhookAuthenticationToken": secret,
            }
            for sub_type in WANTED
        ]
        self.p2p.write("POST", PATH, body, about="the subscription to notifications")
        return secret


def _subscription(url: str, sub_types: set[str]) -> Subscription:
    whole = ALL in sub_types or set(WANTED) <= sub_types
    return Subscription(_id(url), url, enabled=True, record_types=frozenset({INVOICE} if whole else ()))


def _id(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:32]


def _sub_type(row: Json) -> str:
    return words(row, "taskSubType") or ALL


def _event(row: Json) -> WebhookEvent:
    """Raises ShapeChanged for one that does not say what it is about."""
    task, kind, sub_type = _text(row, "taskId"), _text(row, "taskType"), _text(row, "taskSubType")
    if not task or len(task) > _LONGEST_ID or not kind:
        raise ShapeChanged("taskId", f"{NAME} announced something without saying which task it is.")
    name = f"{kind}.{sub_type}" if sub_type else kind
    if not same_word(kind, DOCUMENTS):
        return WebhookEvent(task, name, "", "")
    key = _text(row, "documentId")
    if not key or len(key) > _LONGEST_ID or not key.isprintable():
        raise ShapeChanged("documentId", f"{NAME} announced an invoice by an id that can be none.")
    return WebhookEvent(task, name, INVOICE, key, instant(row, "lastUpdated"))


def _is_signed(body: bytes, given: str, keys: Sequence[str], encoding: str) -> bool:
    """Whether one of the keys signed the body, in constant time, however the setting lets the signature be written."""
    secret_bytes = [key.encode() for key in keys]
    genuine = False
    for reading in _readings(given, encoding):
        genuine |= signed(body, reading, secret_bytes)
    return genuine


def _readings(text: str, encoding: str) -> Iterator[bytes]:
    """What a signature's text may stand for."""
    prefixed = text.lower().startswith(PREFIX)
    bare = text[len(PREFIX) :] if prefixed else text
    hexadecimal = {"any": True, "hex": not prefixed, "sha256=hex": prefixed}.get(encoding, False)
    if hexadecimal:
        with suppress(ValueError):
            yield bytes.fromhex(bare)
    if encoding in {"any", "base64"}:
        yield from_base64(text)


def _is_test(body: bytes) -> bool:
    try:
        content = _object(body)
    except ShapeChanged:
        return False
    return same_word(_text(content, "taskType"), CONNECTION_TEST)


def _object(content: bytes) -> Json:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        wrong = ShapeChanged("body", f"{NAME} sent something that is no JSON object.")
    raise wrong


def _text(row: Json, name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def _one_letter_less(left: str, right: str) -> bool:
    return any(left == right[:at] + right[at + 1 :] for at in range(len(right)))

"""Notifications of Basware: the subscription, the signature, and which document to fetch.

A notification names a task and a document and holds nothing of it. On subscribing Basware posts one of the type
ConnectionTest and wants 200 for it. The secret that we hand over signs each notification: HMAC-SHA256 over the body as
it came. How it is written, and in which header, is not confirmed, so both are settings. Nothing is signed that would
tell how old a notification is; one that comes twice has the same task id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ml_connector.systems.base import NotFound, Refused
from ml_connector.systems.basware.reading import batch
from ml_connector.systems.basware.rows import instant, words
from ml_connector.systems.basware.session import P2P, Json
from ml_connector.systems.basware.settings import Options

PATH = "/v1/subscriptions"
KEY = "subscriptions"
WEBHOOK = "Webhook"
ALL = "All"

CONNECTION_TEST = "ConnectionTest"
DOCUMENTS, REQUESTS = "AccountingDocuments", "RequestStatus"
WANTED = ((DOCUMENTS, "WaitingForTransfer"), (REQUESTS, "Error"))
"""Types of notifications that are of use to us."""

URL_MAX = 2083
BEGINNING = "0001-01-01"
"""In a deletion: whenever it was made."""
PREFIX = "sha256="


@dataclass(frozen=True, slots=True)
class Notification:
    """What there is to fetch."""

    task: str
    """Equal for one that comes again."""
    type: str
    subtype: str
    document: str
    """Id of the document, or of the request."""

    @property
    def test(self) -> bool:
        """Whether it only tries whether we are there."""
        return same_word(self.type, CONNECTION_TEST)

    @property
    def of_invoice(self) -> bool:
        return same_word(self.type, DOCUMENTS)

    @property
    def of_request(self) -> bool:
        return same_word(self.type, REQUESTS)


class NotSigned(Exception):
    """No signature of ours, or a wrong one."""


class NotANotification(Exception):
    """Signed, and yet nothing that Basware would send."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription as Basware lists it, without its secret."""

    type: str
    subtype: str
    url: str
    updated: datetime | None


def signed(body: bytes, signature: str, secret: str, encoding: str = "any") -> bool:
    """Whether a body, byte for byte as it came, bears the signature of the secret (R57). In constant time.

    `encoding`: hex, sha256=hex, base64, or any of the three. False for an empty secret or signature.
    """
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    agrees = False
    for given in _readings(signature.strip(), encoding):
        agrees |= hmac.compare_digest(digest, given)
    return agrees and bool(secret)


def signature(body: bytes, secret: str, encoding: str = "hex") -> str:
    """How Basware would sign a body; serves to test the way here."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return f"{PREFIX if encoding == 'sha256=hex' else ''}{digest.hex()}"


def notification(body: bytes) -> Notification | None:
    """What a body says; None for one that is no notification. To be read only after its signature was."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(found, dict):
        return None
    given = {name: str(found.get(name) or "").strip() for name in ("taskId", "taskType", "taskSubType", "documentId")}
    read = Notification(given["taskId"], given["taskType"], given["taskSubType"], given["documentId"])
    if not read.type or not (read.test or (read.task and read.document)):
        return None
    return read


def received(options: Options, secret: str, headers: Mapping[str, str], body: bytes) -> Notification:
    """What a request that arrived says, by the Connection's settings (R57). `headers`: names in small letters.

    Raises NotSigned and NotANotification; both are answered alike, counted and told. A connection test changes nothing
    and passes unsigned: whether Basware signs it is not known, and refusing it would keep us from subscribing.
    """
    valid = signed(body, headers.get(options.webhook_header, ""), secret, options.webhook_encoding)
    if not valid and options.require_signature:
        tested = notification(body)
        if tested is not None and tested.test:
            return tested
        raise NotSigned
    found = notification(body)
    if found is None:
        raise NotANotification
    return found


def same_word(theirs: str, ours: str) -> bool:
    """Whether two words of Basware mean the same: the published example of one lacks a letter."""
    left, right = theirs.casefold(), ours.casefold()
    return left == right or (len(left) > 8 and len(right) - len(left) == 1 and _one_letter_less(left, right))


class Subscriptions:
    """The subscriptions of the Connection's client.

    There is no call to try one or to enable it again: subscribing anew does both, because Basware tries the address
    before it answers.
    """

    def __init__(self, p2p: P2P) -> None:
        self.p2p = p2p

    def subscribe(self, url: str, secret: str, wanted: tuple[tuple[str, str], ...] = WANTED) -> None:
        """Subscribes, or puts another address and secret in force. Basware calls the address before it answers, so it
        has to be reachable by then. Raises Refused where Basware got no 200 from it.
        """
        if not url.startswith("https://") or len(url) > URL_MAX:
            raise Refused(
                "bad_setting",
                f"Notifications need an https address of at most {URL_MAX} characters: set webhook_public_url.",
                "webhook_public_url",
            )
        if not secret:
            raise Refused("bad_setting", "There is no secret for notifications.", "webhook_secret")
        body = [
            {
                "taskType": kind,
                "taskSubType": subtype,
                "subscriptionType": WEBHOOK,
                "notificationWebhookURL": url,
                "webhookAuthenticationToken": secret,
            }
            for kind, subtype in wanted
        ]
        self.p2p.write("POST", PATH, body, about="the subscription to notifications")

    def listed(self) -> list[Subscription]:
        """What is subscribed; the secrets that Basware adds are dropped here (R71)."""
        try:
            answer = self.p2p.read(PATH, about="the list of subscriptions")
        except NotFound:
            return []
        return [_subscription(row) for row in batch(answer, KEY).rows]

    def missing(self, url: str, wanted: tuple[tuple[str, str], ...] = WANTED) -> list[tuple[str, str]]:
        """Those of the wanted types that do not lead to the address: to be subscribed again."""
        there = {(one.type, one.subtype) for one in self.listed() if one.url == url}
        return [pair for pair in wanted if pair not in there and (pair[0], ALL) not in there]

    def unsubscribe(self, wanted: tuple[tuple[str, str], ...] = WANTED) -> None:
        """Ends the subscriptions of these types. Done twice is done once."""
        for kind, subtype in wanted:
            params = {"lastUpdated": BEGINNING, "taskType": kind, "taskSubType": subtype}
            try:
                self.p2p.write("DELETE", PATH, about="the end of a subscription", params=params)
            except NotFound:
                continue


def _subscription(row: Json) -> Subscription:
    return Subscription(
        words(row, "taskType") or "",
        words(row, "taskSubType") or ALL,
        words(row, "notificationWebhookURL") or "",
        instant(row, "lastUpdated"),
    )


def _readings(text: str, encoding: str) -> Iterator[bytes]:
    """What a signature's text may stand for."""
    prefixed = text.lower().startswith(PREFIX)
    bare = text[len(PREFIX) :] if prefixed else text
    hexadecimal = {"any": True, "hex": not prefixed, "sha256=hex": prefixed}.get(encoding, False)
    if hexadecimal:
        with suppress(ValueError):
            yield bytes.fromhex(bare)
    if encoding in {"any", "base64"}:
        with suppress(ValueError):
            yield base64.b64decode(text, validate=True)


def _one_letter_less(left: str, right: str) -> bool:
    return any(left == right[:at] + right[at + 1 :] for at in range(len(right)))

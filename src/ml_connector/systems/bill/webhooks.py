"""BILL's webhooks: the signature, what an event is about, and the subscription.

A notification is `{"metadata": {...}, "<entity>": {...}}` and is signed by `x-bill-sha-signature`: base64 of the
HMAC-SHA256 of its raw bytes. Nothing that is signed says when it was sent, so an event that comes again is known by its
id only. What it says of the object is old and has other names than a GET: only the object's id is taken from it.

Subscriptions live on a host of their own, ten for an organisation. Each is switched off when its receiver failed too
often. The security key is shown once, when it is made. Every success is 200. Events are kept for 180 days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

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
from ml_connector.systems.bill.lists import ROWS_PER_PAGE, instant, part, text, words
from ml_connector.systems.bill.session import Bill, Json, identified
from ml_connector.systems.signatures import from_base64, signed
from ml_connector.systems.transport.http import Answer

HEADER = "x-bill-sha-signature"
VERSION = "1"
MOST_SUBSCRIPTIONS = 10
ABOUT = {"payment": "payment", "vendor": "supplier", "bill": "invoice"}
"""What the first word of an event's type, which is also the entity's name, is for us."""
EVENTS = {
    "payment": frozenset({"payment.updated", "payment.failed"}),
    "supplier": frozenset({"vendor.created", "vendor.updated", "vendor.archived", "vendor.restored"}),
    "invoice": frozenset({"bill.created", "bill.updated", "bill.archived", "bill.restored"}),
}
"""What we want to hear of each record type. There is no event for a new payment: polling finds those."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,60}")
"""What an object's id is made of; it becomes part of an address."""
_LONGEST_EVENT_ID = 100


def read(
    body: bytes, headers: Mapping[str, str], keys: Sequence[str], settings: Mapping[str, Any]
) -> Sequence[WebhookEvent]:
    """See `systems.base.Webhooks.read`."""
    as_bytes = from_base64 if settings.get("webhook_key_encoding") == "base64" else str.encode
    if not signed(body, from_base64(headers.get(HEADER, "")), [as_bytes(key) for key in keys]):
        raise NotGenuine("It was not signed with the key of the subscription.")
    content = _object(body)
    if part(content, "metadata.organizationId") != settings["organizationId"]:
        raise NotGenuine("It is about another organisation of BILL.")
    return [_event(text(content, "metadata.eventId"), text(content, "metadata.eventType"), content)]


WEBHOOKS = Webhooks(frozenset(EVENTS), read)


class BillSubscriptions:
    """See `systems.base.Subscriptions`."""

    def __init__(self, bill: Bill) -> None:
        self.bill = bill
        self._subscriptions = f"{bill.settings.events_base_url}/v3/subscriptions"
        self._events = f"{bill.settings.events_base_url}/v3/events/subscription"

    def listed(self) -> list[Subscription]:
        return [_subscription(row) for row in self._rows()]

    def get(self, subscription: str) -> Subscription | None:
        about = f"webhook subscription {subscription}"
        try:
            answer = self.bill.read(f"{self._subscriptions}/{subscription}", about=about)
        except NotFound:
            return None
        return _subscription(identified(answer, subscription))

    def make(self, wanted: Wanted, attempt: str) -> Subscription:
        names = [words(row, "name") or text(row, "id") for row in self._rows()]
        if len(names) >= MOST_SUBSCRIPTIONS:
            raise Refused(
                "subscription_limit",
                f"BILL allows {MOST_SUBSCRIPTIONS} webhook subscriptions for an organisation, and there are"
                f" {len(names)}: {', '.join(names)}. Remove one that is no longer needed in BILL; until then changes"
                " are found by polling.",
            )
        answer = self.bill.write(
            "POST", self._subscriptions, _body(wanted), about="the new webhook subscription", idempotent=attempt
        )
        row = identified(answer)
        return _subscription(row, _key(answer, row))

    def amend(self, subscription: str, wanted: Wanted) -> None:
        about = f"webhook subscription {subscription}"
        self.bill.write("PATCH", f"{self._subscriptions}/{subscription}", _body(wanted), about=about)

    def new_key(self, subscription: str, attempt: str) -> str:
        about = f"the new key of webhook subscription {subscription}"
        path = f"{self._subscriptions}/{subscription}/security_key"
        answer = self.bill.write("POST", path, about=about, idempotent=attempt)
        return _key(answer, answer.json())

    def remove(self, subscription: str) -> None:
        about = f"webhook subscription {subscription}"
        try:
            self.bill.write("DELETE", f"{self._subscriptions}/{subscription}", about=about)
        except NotFound:
            return

    def events(self, subscription: str, since: datetime) -> Iterator[WebhookEvent]:
        spelled = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for row in self._pages(
            f"{self._events}/{subscription}", {"createdTimeFrom": spelled}, about="the list of webhook events"
        ):
            event_id, event_type = text(row, "id"), text(row, "type")
            try:
                event = _event(event_id, event_type, _object(text(row, "payload").encode()), row)
            except ShapeChanged:
                # What one event is about that cannot be read is found by polling; the others are behind it.
                continue
            yield event

    def _rows(self) -> list[Json]:
        return list(self._pages(self._subscriptions, {}, about="the list of webhook subscriptions"))

    def _pages(self, url: str, query: Mapping[str, str], *, about: str) -> Iterator[Json]:
        token = ""
        while True:
            asked = {**query, "max": ROWS_PER_PAGE, **({"page": token} if token else {})}
            answer = self.bill.read(url, asked, about=about)
            body = answer.json()
            rows = body.get("results") if isinstance(body, dict) else None
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise answer.unclear("it is no list")
            yield from rows
            following = str(body.get("nextPage") or "")
            if not following:
                return
            if following == token:
                raise answer.unclear("its next page is the same page")
            token = following


def _event(event_id: str, event_type: str, content: Json, row: Json | None = None) -> WebhookEvent:
    """Raises ShapeChanged for one that does not say what it is about."""
    if len(event_id) > _LONGEST_EVENT_ID:
        raise ShapeChanged("eventId", "BILL announced an event whose id is too long to be one.")
    noun = event_type.partition(".")[0]
    if noun not in ABOUT:
        return WebhookEvent(event_id, event_type, "", "")
    key = text(content, f"{noun}.id")
    if not _ID.fullmatch(key):
        raise ShapeChanged(f"{noun}.id", f"BILL announced a {noun} by an id that can be none.")
    return WebhookEvent(event_id, event_type, ABOUT[noun], key, _when(content, noun, row))


def _when(content: Json, noun: str, row: Json | None) -> datetime | None:
    entity = content[noun]
    if row is not None and words(row, "createdTime"):
        return instant(row, "createdTime")
    return instant(entity) if words(entity, "updatedTime") else None


def _object(content: bytes) -> Json:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        wrong = ShapeChanged("body", "BILL sent something that is no JSON object.")
    raise wrong


def _subscription(row: Json, key: str | None = None) -> Subscription:
    events = row.get("events")
    types = {words(event, "type") for event in events if isinstance(event, dict)} if isinstance(events, list) else set()
    return Subscription(
        text(row, "id"),
        words(row, "notificationUrl") or "",
        part(row, "status.enabled") is True,
        frozenset(name for name, wanted in EVENTS.items() if wanted <= types),
        key,
    )


def _body(wanted: Wanted) -> Json:
    types = sorted(event for name in wanted.record_types for event in EVENTS[name])
    return {
        "name": wanted.name,
        "status": {"enabled": True},
        "events": [{"type": event, "version": VERSION} for event in types],
        "notificationUrl": wanted.url,
    }


def _key(answer: Answer, row: Any) -> str:
    key = row.get("securityKey") if isinstance(row, dict) else None
    if not isinstance(key, str) or not key:
        raise answer.unclear("it does not hold the key")
    return key

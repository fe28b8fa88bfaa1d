"""Webhook subscriptions and the events that were sent (host `connect-events`).

BILL: every success is 200; both creating calls need an X-Idempotent-Key (UUID v4, remembered 24 hours); the
security key is shown only in the reply that makes it; at most 10 subscriptions per organisation, no two with
the same events and URL.
"""

import base64
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ml_connector.sandbox.bill.errors import Error, Refused, invalid, not_found
from ml_connector.sandbox.bill.listing import Listing, Rules
from ml_connector.sandbox.bill.notifications import CATALOG, VERSION, Notifications, entity_of, signature
from ml_connector.sandbox.bill.reading import Reader, body_of, merged
from ml_connector.sandbox.bill.records import Books, Call, normal_stamp
from ml_connector.sandbox.bill.sessions import Sessions
from ml_connector.sandbox.bill.tables import Table
from ml_connector.sandbox.delivery import Delivery, Notice
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.standin import BadInput, Row

REMEMBERED = dt.timedelta(hours=24)
_uuid4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Notification(Notice):
    """One event for one subscription."""

    event: str
    subscription: str
    key: str


class Webhooks:
    """The management calls, and `announce`, which makes and sends the events."""

    def __init__(self, books: Books, sessions: Sessions) -> None:
        self._books = books
        self._organisation = sessions.organisation
        self._notifications = Notifications(books, sessions)
        self._listing = Listing(books.options)
        self._keys: dict[str, str] = {}
        self._replies: dict[str, tuple[dt.datetime, Response]] = {}
        self.subscriptions = Table()
        self.events = Table("subscriptionId")
        self.delivery = Delivery(books.options, self._signed, self._delivered, self._exhausted)
        books.announce = self.announce

    def announce(self, event: str, row: Row) -> None:
        """Sends the event to every enabled subscription that asked for it."""
        for subscription in list(self.subscriptions):
            wanted = {entry["type"] for entry in subscription["events"]}
            if subscription["status"]["enabled"] and event in wanted:
                event_id = self._books.ids.uuid("event")
                body = self._notifications.body(event, row, event_id, subscription["id"])
                self._send(self._store(event, event_id, subscription, body, row["id"]), subscription)

    def catalog(self, call: Call) -> Response:
        return Response.json([{"type": event, "versions": [VERSION]} for event in CATALOG])

    def page(self, call: Call) -> Response:
        rows, links = self._listing.page(self.subscriptions, call.request, Rules({}, ()))
        links.pop("prevPage", None)
        return Response.json({"results": rows, **links})

    def get(self, call: Call) -> Response:
        return Response.json(self._find(call.ids[0]))

    def create(self, call: Call) -> Response:
        return self._once(call.request, lambda: self._create(call))

    def put(self, call: Call) -> Response:
        row = self._find(call.ids[0])
        return self._changed(row, _read(body_of(call.request), partial=False))

    def patch(self, call: Call) -> Response:
        row = self._find(call.ids[0])
        return self._changed(row, _read(body_of(call.request), partial=True))

    def delete(self, call: Call) -> Response:
        self.subscriptions.remove(self._find(call.ids[0])["id"])
        return Response()

    def new_security_key(self, call: Call) -> Response:
        row = self._find(call.ids[0])
        return self._once(call.request, lambda: Response.json({"securityKey": self._new_key(row["id"])}))

    def test(self, call: Call) -> Response:
        """`{eventType, version, <entity>: {...}}` sends that entity as a notification."""
        subscription = self._find(call.ids[0])
        body = body_of(call.request)
        reader = Reader(body)
        event = reader.choice("eventType", CATALOG, required=True) or ""
        reader.choice("version", (VERSION,), required=True)
        reader.inner(entity_of(event), required=True)
        reader.done()
        entity = body[entity_of(event)]
        event_id = self._books.ids.uuid("event")
        sent = self._notifications.envelope(event, entity, event_id, subscription["id"])
        row = self._store(event, event_id, subscription, sent, str(entity.get("id", "")))
        self._send(row, subscription)
        return Response.json(_shown(row))

    def list_events(self, call: Call) -> Response:
        """Events of a subscription, newest last; only forward paging."""
        subscription = self._find(call.ids[0])
        table = Table()
        for row in self.events.where("subscriptionId", [subscription["id"]]):
            if self._asked_for(row, call.request):
                table.put(row)
        rows, links = self._listing.page(table, call.request, Rules({}, ()))
        links.pop("prevPage", None)
        return Response.json({"results": [_shown(row) for row in rows], **links})

    def resend(self, call: Call) -> Response:
        """The same event again, with the same id."""
        subscription = self._find(call.ids[0])
        row = self.events.get(call.ids[1])
        if row is None or row["subscriptionId"] != subscription["id"]:
            raise not_found(call.ids[1])
        self._send(row, subscription)
        return Response.json(_shown(row))

    def state(self) -> list[Row]:
        """The subscriptions with their security keys, which only the control URL shows."""
        return [{**row, "securityKey": self._keys[row["id"]]} for row in self.subscriptions]

    def events_state(self) -> list[Row]:
        return [dict(row) for row in self.events]

    def edit(self, rows: list[Row]) -> list[Row]:
        """Changes or removes a subscription, as by a person; inserts none."""
        for given in rows:
            known = self.subscriptions.get(str(given.get("id")))
            if known is None:
                raise BadInput(f"subscriptions: no id {given.get('id')}")
            if given.pop("_delete", False):
                self.subscriptions.remove(known["id"])
            else:
                self.subscriptions.put(merged(known, given))
        return self.state()

    def _create(self, call: Call) -> Response:
        row = _read(body_of(call.request), partial=False)
        if len(self.subscriptions) >= self._books.options.subscription_limit:
            self._refuse(f"at most {self._books.options.subscription_limit} subscriptions are allowed.")
        self._check_twin(row, None)
        now = self._books.stamp()
        identifier = self._books.ids.uuid("subscription")
        stored = {"id": identifier, "organizationId": self._organisation, **row}
        stored |= {"createdTime": now, "updatedTime": now}
        self.subscriptions.put(stored)
        return Response.json({**stored, "securityKey": self._new_key(identifier)})

    def _changed(self, row: Row, taken: Row) -> Response:
        changed = {**row, **taken, "updatedTime": self._books.stamp()}
        self._check_twin(changed, row["id"])
        self.subscriptions.put(changed)
        return Response.json(changed)

    def _check_twin(self, row: Row, own_id: str | None) -> None:
        def nature(some: Row) -> tuple[str, frozenset[str]]:
            return some["notificationUrl"], frozenset(event["type"] for event in some["events"])

        if any(nature(other) == nature(row) for other in self.subscriptions if other["id"] != own_id):
            self._refuse("a subscription with the same events and URL exists.")

    def _refuse(self, message: str) -> None:
        raise Refused(self._books.options.subscription_status, invalid(message))

    def _once(self, request: Request, action: Callable[[], Response]) -> Response:
        """The stored reply when the X-Idempotent-Key was used in the last 24 hours."""
        key = request.headers.get("x-idempotent-key", "")
        if not _uuid4.fullmatch(key):
            raise Refused(400, Error("X-Idempotent-Key: must be a UUID of version 4"))
        now = self._books.clock.now()
        stored = self._replies.get(key)
        if stored is not None and now - stored[0] < REMEMBERED:
            return stored[1]
        response = action()
        self._replies[key] = (now, response)
        return response

    def _new_key(self, identifier: str) -> str:
        key = base64.b64encode(self._books.ids.source("securityKey").randbytes(32)).decode()
        self._keys[identifier] = key
        return key

    def _store(self, event: str, event_id: str, subscription: Row, body: bytes, entity_id: str) -> Row:
        row = {
            "id": event_id,
            "type": event,
            "version": VERSION,
            "subscriptionId": subscription["id"],
            "payload": body.decode(),
            "createdTime": self._books.stamp(),
            "entityId": entity_id,
        }
        self.events.put(row)
        return row

    def _send(self, event: Row, subscription: Row) -> None:
        url, key = subscription["notificationUrl"], self._keys[subscription["id"]]
        self.delivery.send(Notification(url, event["payload"].encode(), event["id"], subscription["id"], key))

    def _signed(self, notice: Notification, body: bytes) -> dict[str, str]:
        return {"x-bill-sha-signature": signature(notice.key, body, self._books.options.webhook_key_encoding)}

    def _delivered(self, notice: Notification, status: int) -> None:
        event = self.events.get(notice.event)
        if event is not None:
            event["statusCode"] = status

    def _exhausted(self, notice: Notification) -> None:
        """All retries failed: BILL switches the subscription off."""
        subscription = self.subscriptions.get(notice.subscription)
        if subscription is not None and self._books.options.webhook_disable_after_exhausted:
            subscription["status"] = {"enabled": False}
            subscription["updatedTime"] = self._books.stamp()

    def _asked_for(self, row: Row, request: Request) -> bool:
        entity = request.parameter("entityId")
        start, end = request.parameter("createdTimeFrom"), request.parameter("createdTimeTo")
        try:
            return (
                (entity is None or row["entityId"] == entity)
                and (start is None or row["createdTime"] >= normal_stamp(start))
                and (end is None or row["createdTime"] <= normal_stamp(end))
            )
        except BadInput as error:
            raise Refused(400, Error(f"createdTime: {error}")) from None

    def _find(self, identifier: str) -> Row:
        row = self.subscriptions.get(identifier)
        if row is None:
            raise not_found(identifier)
        return row


def _read(body: object, *, partial: bool) -> Row:
    reader = Reader(body, partial=partial)
    reader.text("name", required=True)
    url = reader.text("notificationUrl", required=True)
    if url is not None and not _acceptable(url):
        reader.wrong("notificationUrl", "must be an HTTPS URL")
    status = reader.inner("status", required=True)
    if status is not None:
        status.flag("enabled")
    for event in reader.rows("events", required=True) or ():
        event.choice("type", CATALOG, required=True)
        event.choice("version", (VERSION,), required=True)
    row = reader.done()
    if "status" in row:
        row["status"] = {"enabled": row["status"].get("enabled") is not False}
    return row


def _acceptable(url: str) -> bool:
    """HTTPS, or plain HTTP to this machine, where tests and demonstrations listen."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"})


def _shown(event: Row) -> Row:
    return {name: value for name, value in event.items() if name != "entityId"}

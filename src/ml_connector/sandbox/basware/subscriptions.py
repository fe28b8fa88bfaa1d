"""Push notifications: subscriptions with their connection test, signed notifications, and their history as tasks.

Basware: a notification holds ids only; the receiver answers 200. Subscribing is refused unless the receiver answers a
notification of task type ConnectionTest with 200. The secret that the customer gave signs every notification.
"""

import base64
import datetime as dt
import hashlib
import hmac
import random
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from ml_connector.sandbox.basware.calls import Call, Routes
from ml_connector.sandbox.basware.errors import SCHEMA, Error, Refused, RefusedPush
from ml_connector.sandbox.basware.incoming import body_of, instant
from ml_connector.sandbox.basware.listing import Lister
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.output import stamp, uuid4
from ml_connector.sandbox.basware.tables import Table
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.delivery import NO_ANSWER, SUCCESS, Delivery, Notice
from ml_connector.sandbox.http import Request, Response, encode
from ml_connector.sandbox.standin import BadInput, Row

ALL = "All"
CONNECTION_TEST = "ConnectionTest"
TASK_TYPES = (
    *("AccountingDocuments", "ExportedPurchaseRequisitions", "ExportedPurchaseOrders", "RequestStatus"),
    *("ExportedContracts", "ExportedContractSpends"),
)
TASK_SUB_TYPES = (
    *("WaitingForPrebook", "WaitingForTransfer", "WaitingForPrebookCancelation", "WaitingToBeRemoved"),
    *("WaitingToBeReturned", "WaitingToBeCompleted", "WaitingForExport", "Error", "Success", ALL),
)
DEFAULT_SUB_TYPES = {"RequestStatus": "Error"}
LONGEST_URL = 2083
LIFE = dt.timedelta(days=14)
PAGE = 100

Signing = Literal["good", "wrong", "none"]


@dataclass(frozen=True)
class Notification(Notice):
    """One task for one subscription."""

    task: str
    secret: str
    signing: Signing = "good"


class Subscriptions:
    def __init__(self, seed: int, lister: Lister, options: BaswareOptions, clock: Clock) -> None:
        self._lister = lister
        self._options = options
        self._clock = clock
        self._random = random.Random(f"basware tasks {seed}")
        self._tested: dict[int, list[int]] = {}
        """The receivers' statuses in a connection test, by the request that asks for it."""
        self.table = Table()
        self.tasks = Table()
        self.delivery = Delivery(options, self._headers, self._delivered, self._exhausted)

    def add_routes(self, routes: Routes) -> None:
        routes.add("POST /v1/subscriptions", "subscriptions.write", self._create)
        routes.add("GET /v1/subscriptions", "subscriptions.read", self._list)
        routes.add("DELETE /v1/subscriptions", "subscriptions.delete", self._delete)
        routes.add("GET /v1/tasks", "tasks.read", self._list_tasks)
        routes.add("GET /v1/tasks/{id}", "tasks.read", self._get_task)

    # --- notifications -------------------------------------------------------------------------------------

    def announce(self, task_type: str, sub_type: str, document: str) -> None:
        """Makes a task and sends it to every subscription that asked for it. Without one nothing is noted."""
        task_type = task_type[:1].upper() + task_type[1:]
        wanted = [one for one in self.table if one["taskType"] == task_type and one["taskSubType"] in (sub_type, ALL)]
        if wanted:
            task = self._new_task(task_type, sub_type, document)
            for subscription in wanted:
                self._send(task, subscription)

    def notify_again(self, task_type: str, sub_type: str, document: str, signing: Signing) -> None:
        """The last notification about a document once more, or its first, signed as asked for and sent one time.

        Raises BadInput when nobody subscribed to its task type and sub-type.
        """
        wanted = [one for one in self.table if one["taskType"] == task_type and one["taskSubType"] in (sub_type, ALL)]
        if not wanted:
            raise BadInput(f"notify: nobody subscribed to {task_type} {sub_type}")
        asked = (task_type, sub_type, document)
        known = [one for one in self.tasks if (one["taskType"], one["taskSubType"], one["documentId"]) == asked]
        task = known[-1] if known else self._new_task(task_type, sub_type, document)
        for subscription in wanted:
            self._send(task, subscription, signing, once=True)

    async def test_connections(self, request: Request) -> None:
        """Calls the receivers that a request to subscribe names and remembers their answers until it is handled."""
        try:
            rows = _read(request)
        except RefusedPush:
            return
        statuses = []
        for row in rows:
            body = encode(
                {
                    "taskId": uuid4(self._random),
                    "taskStatus": "New",
                    "taskType": CONNECTION_TEST,
                    "documentId": CONNECTION_TEST,
                    "expirationTime": stamp(self._clock.now() + LIFE),
                }
            )
            signing: Signing = "good" if self._options.connection_test_signed else "none"
            notification = Notification(
                row["notificationWebhookURL"], body, "", row["webhookAuthenticationToken"], signing
            )
            statuses.append(await self.delivery.post(notification))
        self._tested[id(request)] = statuses

    def _new_task(self, task_type: str, sub_type: str, document: str) -> Row:
        now = self._clock.now()
        task: Row = {
            "taskId": uuid4(self._random),
            "taskStatus": "New",
            "taskType": task_type,
            "taskSubType": sub_type,
            "documentId": document,
            "expirationTime": stamp(now + LIFE),
            "isSimulatedTask": False,
            "lastUpdated": stamp(now),
            "taskHistory": [{"action": "Created", "timeStamp": stamp(now), "messages": []}],
        }
        self.tasks.put(task["taskId"], task)
        return task

    def _send(self, task: Row, subscription: Row, signing: Signing = "good", *, once: bool = False) -> None:
        names = ("taskId", "taskType", "taskSubType", "documentId", "expirationTime")
        body = {"taskStatus": "New", **{name: task[name] for name in names}}
        if self._options.webhook_task_type_misspelt:
            body["taskType"] = body["taskType"].replace("Accounting", "Accouting")
        url, secret = subscription["notificationWebhookURL"], subscription["webhookAuthenticationToken"]
        self.delivery.send(Notification(url, encode(body), task["taskId"], secret, signing, once=once))

    def _headers(self, notice: Notification, body: bytes) -> dict[str, str]:
        match notice.signing:
            case "none":
                return {}
            case "wrong":
                body += b"!"
        return {self._options.webhook_header: signature(notice.secret, body, self._options.webhook_encoding)}

    def _delivered(self, notice: Notification, status: int) -> None:
        good = status == SUCCESS
        self._note(notice, "Delivered" if good else "DeliveryFailed", f"HTTP {status}", "Completed" if good else "New")

    def _exhausted(self, notice: Notification) -> None:
        self._note(notice, "GivenUp", "The receiver did not answer with 200.", "Failed")

    def _note(self, notice: Notification, action: str, message: str, status: str) -> None:
        task = self.tasks.get(notice.task)
        if task is None:
            return
        now = stamp(self._clock.now())
        task["taskHistory"] = [*task["taskHistory"], {"action": action, "timeStamp": now, "messages": [message]}]
        task["lastUpdated"] = now
        if task["taskStatus"] != "Completed":
            task["taskStatus"] = status

    # --- the API -------------------------------------------------------------------------------------------

    def _create(self, call: Call) -> Response:
        rows = _read(call.request)
        tested = self._tested.pop(id(call.request), [NO_ANSWER] * len(rows))
        if self._options.connection_test:
            for row, status in zip(rows, tested, strict=True):
                if status != SUCCESS:
                    said = f"it answered {status}" if status else "it did not answer"
                    text = f"The connection test of {row['notificationWebhookURL']} failed: {said}."
                    raise _invalid(text)
        now = stamp(self._clock.now())
        stored = [{**row, "lastUpdated": now} for row in rows]
        for row in stored:
            key = f"{row['taskType']}/{row['taskSubType']}"
            if self._options.subscription_again == "add" and key in self.table:
                key = f"{key}/{uuid4(self._random)}"
            self.table.put(key, row)
        return Response.json(stored)

    def _list(self, call: Call) -> Response:
        found = [row for _, row in self._found(call, all_means_any=False)]
        if not found:
            raise RefusedPush(404)
        return Response.json({"subscriptions": found})

    def _delete(self, call: Call) -> Response:
        missing = [name for name in ("lastUpdated", "taskType", "taskSubType") if call.query.text(name) is None]
        if missing:
            raise RefusedPush(422)
        found = self._found(call, all_means_any=True)
        for key, _ in found:
            self.table.remove(key)
        return Response.json({"status": "Deleted successfully", "numberOfRecordsDeleted": len(found)})

    def _found(self, call: Call, *, all_means_any: bool) -> list[tuple[str, Row]]:
        wishes = {}
        for name in ("taskType", "taskSubType"):
            wish = call.query.text(name)
            if wish is not None and not (all_means_any and wish == ALL):
                wishes[name] = wish
        text = call.query.text("lastUpdated")
        since = None if text is None else instant(text)
        if text is not None and since is None:
            raise RefusedPush(422)
        return [
            (key, row)
            for key, row in self.table.keyed()
            if all(row[name] == wish for name, wish in wishes.items()) and _is_after(row, since)
        ]

    def _list_tasks(self, call: Call) -> Response:
        query = call.query
        wishes = {name: query.text(name) for name in ("taskType", "taskStatus", "documentId")}
        try:
            newer = self._lister.since(query)
            page = self._lister.page(
                self.tasks.numbered(),
                call.request,
                lambda row: all(wish in (None, row[name]) for name, wish in wishes.items()) and newer(row),
                query.page_size(PAGE, PAGE),
            )
        except Refused as refused:
            raise RefusedPush(404 if refused.status == 404 else 422) from None
        return Response.json({"taskStatus": page.rows}, headers=page.headers)

    def _get_task(self, call: Call) -> Response:
        task = self.tasks.get(call.ids[0])
        if task is None:
            raise RefusedPush(404)
        return Response.json({"taskStatus": [task]})


def signature(secret: str, body: bytes, encoding: str) -> str:
    """HMAC-SHA256 over the raw body, the secret taken as UTF-8."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return f"sha256={digest.hex()}" if encoding == "prefixed" else digest.hex()


def _read(request: Request) -> list[Row]:
    """The subscriptions of a body. Raises RefusedPush."""
    try:
        body = body_of(request)
    except Refused as refused:
        raise _invalid(str(refused)) from None
    if not isinstance(body, list) or not body:
        raise _invalid("The body must be an array with at least one subscription.")
    return [_subscription(one) for one in body]


def _subscription(given: Any) -> Row:
    """One subscription as it is kept. Raises RefusedPush."""
    if not isinstance(given, dict):
        raise _invalid("A subscription must be an object.")
    known = ("taskType", "taskSubType", "subscriptionType", "notificationWebhookURL", "webhookAuthenticationToken")
    for name in given:
        if name not in (*known, "lastUpdated", "autoResponder"):
            raise _invalid(f"{name} is not a field of a subscription.")
    row = {name: given[name] for name in known if given.get(name) is not None}
    for name in known:
        if name not in row and name != "taskSubType":
            raise _invalid(f"{name} field required")
        if name in row and (not isinstance(row[name], str) or not row[name]):
            raise _invalid(f"{name} must be a text")
    row.setdefault("taskSubType", DEFAULT_SUB_TYPES.get(row["taskType"], ALL))
    for name, values in (("taskType", TASK_TYPES), ("taskSubType", TASK_SUB_TYPES), ("subscriptionType", ("Webhook",))):
        if row[name] not in values:
            raise _invalid(f"{name} must be one of {', '.join(values)}")
    if len(row["notificationWebhookURL"]) > LONGEST_URL or not _acceptable(row["notificationWebhookURL"]):
        raise _invalid("notificationWebhookURL must be an HTTPS URL")
    return row


def _acceptable(url: str) -> bool:
    """HTTPS, or plain HTTP to this machine, where tests and demonstrations listen."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"})


def _is_after(row: Row, since: dt.datetime | None) -> bool:
    updated = instant(row["lastUpdated"])
    return since is None or updated is None or updated > since


def _invalid(message: str) -> RefusedPush:
    return RefusedPush(400, Error(SCHEMA, message))

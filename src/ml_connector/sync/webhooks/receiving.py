"""What vendors send: shown to be genuine, stored once, and left to the next pull of the Flows that read it (R57, R58).

Nothing is written before the signature was found good. What cannot be shown to be genuine is refused and counted; a
few within an hour open a Problem.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from ml_connector import audit, clock, vault
from ml_connector.integrations import SYSTEMS
from ml_connector.integrations.base import FlowKind
from ml_connector.redaction import redacted
from ml_connector.sync import problems
from ml_connector.sync.connections import with_defaults
from ml_connector.sync.flows import source_of, spec_of
from ml_connector.sync.models import (
    Connection,
    EventReading,
    Flow,
    Integration,
    ReceivedEvent,
    ReceivedState,
    Via,
    Webhook,
)
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import NotGenuine, ShapeChanged, WebhookEvent
from ml_connector.workspaces.models import Workspace

KEY, OLD_KEY = "key", "old_key"
ALARM_AT = 3
"""Requests that were not genuine, within LATELY, before people are told."""
LATELY = timedelta(hours=1)

log = logging.getLogger(__name__)


_PATH = re.compile(r"[A-Za-z0-9_-]{20,64}")


class NotTaken(Exception):
    """No Connection has this address, or what arrived there is not genuine. The two are answered alike."""

    def __init__(self, text: str, webhook: Webhook | None = None) -> None:
        super().__init__(text)
        self.webhook = webhook


def receive(path: str, body: bytes, headers: Mapping[str, str]) -> set[int]:
    """Stores what one request announces; says which Flows, by id, are to be pulled now. An event that was seen before
    changes nothing. Raises NotTaken, when nothing was written, and vault.VaultError where the keys cannot be read."""
    webhook = _at(path)
    system = SYSTEMS[webhook.connection.system] if webhook else None
    if webhook is None or system is None or system.webhooks is None:
        raise NotTaken("No connection has this address.")
    connection = webhook.connection
    try:
        found = system.webhooks.read(body, headers, good_keys(webhook), with_defaults(system, connection.settings))
    except NotGenuine as refusal:
        raise NotTaken(str(refusal), webhook) from None
    except ShapeChanged as changed:
        # Genuine all the same: a vendor who is refused sends it again and again, and then nothing more.
        return _store_unread(connection, body, changed)
    return store(connection, found, Via.WEBHOOK, sha256(body).hexdigest())


def _at(path: str) -> Webhook | None:
    if not _PATH.fullmatch(path):
        return None
    rows = Webhook.objects.across_workspaces().select_related("workspace", "connection__workspace")
    return rows.filter(path=path).first()


def owner(connection: Connection) -> str:
    """Under which the keys of its webhook lie in the vault."""
    return f"webhook:{connection.name}"


def good_keys(webhook: Webhook) -> list[str]:
    """What notifications may be signed with now: the key, and for a while the one before it."""
    sealed = vault.get_all(webhook.workspace, owner(webhook.connection))
    keys = [sealed[KEY]] if KEY in sealed else []
    if OLD_KEY in sealed and webhook.old_key_until is not None and clock.now() < webhook.old_key_until:
        keys.append(sealed[OLD_KEY])
    return keys


def store(connection: Connection, events: Iterable[WebhookEvent], via: Via, digest: str = "") -> set[int]:
    """Stores those that are new; says which Flows, by id, are to read what they are about."""
    due: set[int] = set()
    for event in events:
        if ReceivedEvent.objects.of(connection.workspace_id).filter(connection=connection, event_id=event.id).exists():
            continue
        flows = readers(connection, event.record_type)
        with transaction.atomic():
            row, made = ReceivedEvent.objects.of(connection.workspace_id).get_or_create(
                connection=connection,
                event_id=event.id,
                defaults={
                    "workspace_id": connection.workspace_id,
                    "type": event.type[:100],
                    "record_type": event.record_type,
                    "key": event.key,
                    "happened_at": event.at,
                    "received_at": clock.now(),
                    "via": via,
                    "digest": digest,
                    "state": ReceivedState.WAITING if flows else ReceivedState.IGNORED,
                    "text": "" if flows else _why_ignored(connection, event),
                },
            )
            if made:
                _assign(row, flows)
                due |= {flow.pk for flow in flows}
    return due


def replay(workspace: Workspace, event_id: int, actor: str) -> list[Flow] | None:
    """Has what an event is about read again, by the Flows that read it today; gives those, to be pulled. None where
    there is no such event."""
    rows = ReceivedEvent.objects.of(workspace).select_related("connection__workspace")
    with audit.recording(workspace, actor=actor) as trail:
        row = rows.select_for_update(of=("self",)).filter(pk=event_id).first()
        if row is None:
            return None
        flows = readers(row.connection, row.record_type)
        EventReading.objects.of(workspace).filter(event=row).delete()
        _assign(row, flows)
        row.state, row.text, row.done_at = ReceivedState.WAITING, "", None
        if not flows:
            row.state = ReceivedState.IGNORED
            row.text = _why_ignored(row.connection, WebhookEvent(row.event_id, row.type, row.record_type, row.key))
        row.save(update_fields=["state", "text", "done_at"])
        trail.add("replay", f"event:{row.pk}", flows=[flow.pk for flow in flows])
    return flows


def readers(connection: Connection, record_type: str) -> list[Flow]:
    """The Flows that read this type of record through the Connection, of every Integration."""
    return [flow for flow in reading(connection) if record_type and spec_of(flow).record_type == record_type]


def reading(connection: Connection) -> list[Flow]:
    """The Flows that read single records, not code lists, through the Connection, of every Integration."""
    rows = Flow.objects.of(connection.workspace_id).select_related("integration__erp", "integration__platform")
    of_connection = rows.filter(Q(integration__erp=connection) | Q(integration__platform=connection))
    return [
        flow
        for flow in of_connection.order_by("integration_id", "position")
        if spec_of(flow).kind is not FlowKind.REFERENCE and source_of(flow).pk == connection.pk
    ]


def integrations_of(connection: Connection) -> list[Integration]:
    rows = Integration.objects.of(connection.workspace_id).filter(Q(erp=connection) | Q(platform=connection))
    return list(rows.select_related("workspace").order_by("pk"))


def _assign(row: ReceivedEvent, flows: Sequence[Flow]) -> None:
    EventReading.objects.bulk_create(
        EventReading(workspace_id=row.workspace_id, event=row, flow=flow) for flow in flows
    )


def _why_ignored(connection: Connection, event: WebhookEvent) -> str:
    label = SYSTEMS[connection.system].label
    if not event.record_type:
        return f"{label} announces {event.type}, which no Flow can read."
    return f"No Flow reads {event.record_type.replace('_', ' ')}s from {label}."


def _store_unread(connection: Connection, body: bytes, changed: ShapeChanged) -> set[int]:
    digest = sha256(body).hexdigest()
    ReceivedEvent.objects.of(connection.workspace_id).get_or_create(
        connection=connection,
        event_id=f"unread:{digest}",
        defaults={
            "workspace_id": connection.workspace_id,
            "type": "unread",
            "received_at": clock.now(),
            "via": Via.WEBHOOK,
            "digest": digest,
            "state": ReceivedState.IGNORED,
            "text": f"{redacted(str(changed))} What it is about is found by polling.",
        },
    )
    return set()


def count(refused: NotTaken) -> None:
    """Counts what was not taken, in one statement that all processes share; tells people when it repeats (R57)."""
    webhook = refused.webhook
    if webhook is None:
        return
    now = clock.now()
    fresh = Q(refused_since__isnull=True) | Q(refused_since__lt=now - LATELY)
    rows = Webhook.objects.of(webhook.workspace_id).filter(pk=webhook.pk)
    rows.update(
        refused=F("refused") + 1,
        refused_at=now,
        refused_lately=Case(When(fresh, then=Value(1)), default=F("refused_lately") + 1),
        refused_since=Case(When(fresh, then=Value(now)), default=F("refused_since")),
    )
    connection = webhook.connection
    log.warning("A request to the webhook of connection %s was refused: %s", connection.name, refused)
    if rows.values_list("refused_lately", flat=True).get() == ALARM_AT:
        _alarm(connection, now)


def _alarm(connection: Connection, now: datetime) -> None:
    label = SYSTEMS[connection.system].label
    cause = Cause(
        "webhook_refused",
        subject(connection),
        f"Requests to the webhook of connection {connection.name} were not genuine, {ALARM_AT} or more within an hour"
        f" of {now:%Y-%m-%d %H:%M} UTC. They were refused and changed nothing.",
        f"If {label}'s own notifications are among them, our key is out of date: rotate it under Connections, or with"
        f" ml-connector webhook rotate {connection.name}. Else somebody else knows the address: remove the subscription"
        f" and make it anew (webhook remove, webhook subscribe), which gives another address. Changes are found by"
        " polling meanwhile.",
        blocks=False,
    )
    with audit.recording(connection.workspace, actor="webhook") as trail:
        for integration in integrations_of(connection):
            problems.open_problem(trail, integration, cause)


def subject(connection: Connection) -> str:
    """By which Problems of its webhook are known."""
    return f"connection:{connection.name}"

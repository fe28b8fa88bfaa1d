"""Webhooks as people see them: how each Connection hears of changes, and the events that came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ml_connector import clock
from ml_connector.integrations import SYSTEMS
from ml_connector.integrations.base import FlowKind, IntegrationSpec, Side
from ml_connector.redaction import redacted
from ml_connector.sync.flows import source_of, spec_of
from ml_connector.sync.models import Connection, EventReading, Flow, ReceivedEvent, Record, Webhook, WebhookState
from ml_connector.sync.webhooks.keeping import announced, polled_because
from ml_connector.workspaces.models import Workspace

PAGE = 50
WEBHOOK, POLLING_ONLY = "webhook", "polling only"


@dataclass(frozen=True)
class WebhookRow:
    """How one Connection hears of changes. There is one for each whose System can announce what a Flow reads."""

    id: int
    """Of the Connection."""
    connection: str
    label: str
    """Of its System."""
    state: str
    """active, failing, none (polling only)."""
    text: str
    """Why it is not active, or what was done to it last."""
    subscription: str
    wanted: bool
    checked_at: datetime | None
    last_event_at: datetime | None
    events_of_day: int
    """Received within the last 24 hours."""
    refused: int
    refused_at: datetime | None
    key_since: datetime | None
    old_key_until: datetime | None
    """The key before the last change is good until then."""
    new_key_asked: bool


@dataclass(frozen=True)
class EventRow:
    """One event that was received."""

    id: int
    connection: str
    event: str
    """The vendor's id of it."""
    type: str
    record_type: str
    key: str
    happened_at: datetime | None
    received_at: datetime
    via: str
    state: str
    text: str
    done_at: datetime | None
    records: tuple[int, ...]
    """What it is about, here."""


def webhook_rows(workspace: Workspace) -> list[WebhookRow]:
    systems = [name for name, system in SYSTEMS.items() if system.webhooks is not None]
    rows = Connection.objects.of(workspace).select_related("workspace").filter(system__in=systems)
    kept = {row.connection_id: row for row in Webhook.objects.of(workspace)}
    return [_webhook(row, kept.get(row.pk)) for row in rows.order_by("name") if _of_interest(row, kept.get(row.pk))]


def event_rows(
    workspace: Workspace,
    *,
    before: int | None = None,
    connection: str = "",
    state: str = "",
    ids: Collection[int] | None = None,
    at_most: int = PAGE,
) -> list[EventRow]:
    """Events before an id, the newest first."""
    rows = ReceivedEvent.objects.of(workspace).select_related("connection").order_by("-pk")
    wanted = {"pk__lt": before, "connection__name": connection, "state": state}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    found = list((rows if ids is None else rows.filter(pk__in=ids))[:at_most])
    records = _records(workspace, found)
    return [_event(row, records.get(row.pk, ())) for row in found]


def heard(flow: Flow, active: Collection[int]) -> str:
    """How a Flow hears of changes; empty where its source's System announces no such records. `active`: Connections
    with a webhook in force."""
    spec, source = spec_of(flow), source_of(flow)
    webhooks = SYSTEMS[source.system].webhooks
    if webhooks is None or spec.kind is FlowKind.REFERENCE or spec.record_type not in webhooks.record_types:
        return ""
    return WEBHOOK if source.pk in active else POLLING_ONLY


def active_connections(workspace: Workspace) -> set[int]:
    """Ids of the Connections with a webhook in force."""
    rows = Webhook.objects.of(workspace).filter(state=WebhookState.ACTIVE)
    return set(rows.values_list("connection_id", flat=True))


def announcements(spec: IntegrationSpec, *, reached: bool) -> list[str]:
    """What is announced to a pair's Flows, in words, before there is anything. `reached`: vendors reach us."""
    said = []
    for side in Side:
        system = spec.system(side)
        flows = [
            flow
            for flow in spec.flows
            if flow.source is side
            and flow.kind is not FlowKind.REFERENCE
            and system.webhooks is not None
            and flow.record_type in system.webhooks.record_types
        ]
        if not flows:
            continue
        labels, every = " and ".join(flow.label for flow in flows), min(flow.every for flow in flows) // 60
        if reached:
            said.append(
                f"{system.label} announces {labels} by webhook; what is not announced is found every {every} min."
            )
        else:
            said.append(
                f"Polling only: {system.label} is asked for {labels} every {every} min. Vendors do not reach this"
                " installation, because ML_CONNECTOR_WEBHOOK_URL is not set."
            )
    return said


def _of_interest(connection: Connection, row: Webhook | None) -> bool:
    """Also where nothing is read any more, as long as something is there."""
    left = row is not None and bool(row.subscription or row.refused)
    return left or bool(announced(connection)) or ReceivedEvent.objects.of(connection.workspace_id).filter(
        connection=connection
    ).exists()  # fmt: skip


def _webhook(connection: Connection, row: Webhook | None) -> WebhookRow:
    events = ReceivedEvent.objects.of(connection.workspace_id).filter(connection=connection)
    latest = events.order_by("-pk").values_list("received_at", flat=True).first()
    of_day = events.filter(received_at__gte=clock.now() - timedelta(days=1)).count() if latest else 0
    why_not = polled_because(connection, row)
    # What is not to be is said as it is now, not as the last check found it.
    state, text = (WebhookState.NONE, why_not) if why_not else (row.state, row.text) if row else (WebhookState.NONE, "")
    return WebhookRow(
        connection.pk,
        connection.name,
        SYSTEMS[connection.system].label,
        state,
        redacted(text) if text or state != WebhookState.NONE else "A worker subscribes to it soon.",
        row.subscription if row else "",
        row.wanted if row else True,
        row.checked_at if row else None,
        latest,
        of_day,
        row.refused if row else 0,
        row.refused_at if row else None,
        row.key_since if row else None,
        row.old_key_until if row and row.old_key_until and row.old_key_until > clock.now() else None,
        bool(row and row.new_key_wanted),
    )


def _event(row: ReceivedEvent, records: Sequence[int]) -> EventRow:
    return EventRow(
        row.pk,
        row.connection.name,
        row.event_id,
        row.type,
        row.record_type,
        row.key,
        row.happened_at,
        row.received_at,
        row.via,
        row.state,
        redacted(row.text),
        row.done_at,
        tuple(records),
    )


def _records(workspace: Workspace, events: Sequence[ReceivedEvent]) -> dict[int, list[int]]:
    """By event, the Records of what it is about."""
    readings = EventReading.objects.of(workspace).filter(event__in=events).values_list("event_id", "flow_id")
    keys = {event.pk: event.key for event in events}
    flows = {flow for _, flow in readings}
    rows = Record.objects.of(workspace).filter(flow__in=flows, key__in=set(keys.values()))
    there = {(flow, key): pk for pk, flow, key in rows.values_list("pk", "flow_id", "key")}
    found: dict[int, list[int]] = defaultdict(list)
    for event, flow in sorted(readings):
        record = there.get((flow, keys[event]))
        if record is not None:
            found[event].append(record)
    return found

"""Webhooks: one subscription of a Connection (Webhook), what was announced (ReceivedEvent), and which Flows read what
it is about (EventReading). The key that notifications are signed with lies in the vault, under `webhook:NAME`."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Connection, Flow
from ml_connector.workspaces.models import WorkspaceModel


class WebhookState(models.TextChoices):
    NONE = "none"
    """There is no subscription: changes are found by polling only."""
    ACTIVE = "active"
    FAILING = "failing"
    """It could not be made, checked or turned on again; `text` says why. Polling goes on."""


class Webhook(WorkspaceModel):
    """How a Connection's System tells us of changes. One row for a Connection, made when first needed."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=64)
    """Last part of the address that the vendor sends to, made by chance. It hides the address; what proves that
    something is genuine is its signature."""
    wanted = models.BooleanField(default=True)
    """False: a person removed the subscription, and it is not made again by itself."""
    state = models.CharField(max_length=7, choices=WebhookState.choices, default=WebhookState.NONE)
    text = models.TextField(blank=True)
    """Why it is not active, or what was done to it last."""

    subscription = models.CharField(max_length=100, blank=True)
    """The vendor's id of it."""
    attempt = models.CharField(max_length=36, blank=True)
    """Of a request to make it or its key whose outcome is not stored yet: the same request is sent under it again."""
    attempt_at = models.DateTimeField(null=True)
    key_since = models.DateTimeField(null=True)
    old_key_until = models.DateTimeField(null=True)
    """Until then the key before is good as well."""
    new_key_wanted = models.BooleanField(default=False)

    next_check_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    """When the vendor was last asked and all was well."""
    failures = models.PositiveIntegerField(default=0)
    """Checks in a row that failed; sets the length of the next wait."""
    history_at = models.DateTimeField(null=True)
    """Up to when the vendor's list of events has been read, by its clock."""

    refused = models.PositiveBigIntegerField(default=0)
    """Requests that were not genuine (R57)."""
    refused_at = models.DateTimeField(null=True)
    refused_since = models.DateTimeField(null=True)
    """When those began that are counted in `refused_lately`."""
    refused_lately = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection"], name="webhook_of_connection")]
        indexes = [
            models.Index(fields=["path"], name="webhook_path"),
            models.Index(fields=["next_check_at"], name="webhook_due"),
        ]


class Via(models.TextChoices):
    """How we heard of an event."""

    WEBHOOK = "webhook"
    HISTORY = "history"
    """From the vendor's list, after the notification had not arrived (R58)."""


class ReceivedState(models.TextChoices):
    WAITING = "waiting"
    PROCESSED = "processed"
    IGNORED = "ignored"


class ReceivedEvent(WorkspaceModel):
    """One event, stored once however often it comes. Its content is not kept: what there is now is asked for."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=100)
    """The vendor's."""
    type = models.CharField(max_length=100)
    record_type = models.CharField(max_length=20, blank=True)
    key = models.CharField(max_length=120, blank=True)
    happened_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    via = models.CharField(max_length=7, choices=Via.choices)
    digest = models.CharField(max_length=64, blank=True)
    """SHA-256 (hex) of the request's body; empty for one from the vendor's list."""
    state = models.CharField(max_length=9, choices=ReceivedState.choices)
    text = models.TextField(blank=True)
    """Why it was ignored, or what came of it."""
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection", "event_id"], name="event_once")]
        indexes = [
            models.Index(fields=["workspace", "-id"], name="event_latest"),
            models.Index(fields=["connection", "-id"], name="event_of_connection"),
            models.Index(fields=["workspace", "received_at"], name="event_age"),
        ]


class EventReading(WorkspaceModel):
    """That a Flow has to read what an event is about."""

    event = models.ForeignKey(ReceivedEvent, on_delete=models.CASCADE, related_name="readings")
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "event", "flow"], name="event_reading_once")]
        indexes = [
            models.Index(fields=["flow", "id"], name="event_reading_waits", condition=models.Q(done_at__isnull=True))
        ]

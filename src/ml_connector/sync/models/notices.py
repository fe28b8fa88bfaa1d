"""Notifications: where to (Channel), of what (Notice, the outbox), and what was made of it (Message)."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Integration
from ml_connector.workspaces.models import WorkspaceModel


class Event(models.TextChoices):
    """What people can be told of."""

    PROBLEM = "problem"
    CONNECTION_DOWN = "connection_down"
    CONNECTION_UP = "connection_up"
    SILENCE = "silence"
    """Nothing came where there always was something, or a schedule did not run (R19)."""
    DIGEST = "digest"


class Channel(WorkspaceModel):
    """Where messages go. Its address is a secret: it lies in the vault under `channel:ID`."""

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10)
    """One of messenger.address.KINDS."""
    events = models.JSONField(default=list)
    integrations = models.JSONField(default=list)
    """Ids of the Integrations it is about; empty: all."""
    created_at = models.DateTimeField()
    last_sent_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)
    """Why the last message did not arrive; empty once one did."""
    trouble_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="channel_name")]


class Notice(WorkspaceModel):
    """One thing to tell, committed with what caused it. There is one of an event and subject, so it is told once."""

    event = models.CharField(max_length=15, choices=Event.choices)
    subject = models.CharField(max_length=60)
    """`problem:ID`, or the day of a digest."""
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, null=True, related_name="+")
    problem_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    """The Run that caused it: what one Run causes makes one message."""
    at = models.DateTimeField()
    waiting = models.BooleanField(default=True)
    told = models.BooleanField(default=False)
    """A Message was made of it; otherwise it was over before it could be told."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "event", "subject"], name="notice_once")]
        indexes = [models.Index(fields=["workspace", "at"], name="notice_waiting", condition=models.Q(waiting=True))]


class MessageState(models.TextChoices):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It may have arrived: it is not sent again."""


class Message(WorkspaceModel):
    """What one Channel is told at once. Sent at most once in effect."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="messages")
    event = models.CharField(max_length=15, choices=Event.choices)
    title = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=7, choices=MessageState.choices, default=MessageState.WAITING)
    made_at = models.DateTimeField()
    next_at = models.DateTimeField()
    """Not before this instant; while it is being sent, when that has failed to end."""
    tries = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    text = models.TextField(blank=True)
    """What came of the last try."""

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="message_due", condition=models.Q(state__in=["waiting", "sending"]))
        ]

"""Tests of Connections that a program asked for, to be looked at while they run."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Connection
from ml_connector.workspaces.models import WorkspaceModel


class PingState(models.TextChoices):
    RUNNING = "running"
    GOOD = "good"
    FAILED = "failed"
    """A step failed, or the Connection was in use."""
    LOST = "lost"
    """The process that ran it ended."""


class Ping(WorkspaceModel):
    """One test of a Connection, step by step."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=7, choices=PingState.choices, default=PingState.RUNNING)
    asked_by = models.CharField(max_length=100)
    steps = models.JSONField(default=list)
    """As `systems.base.Step`, in the order in which they ended."""
    text = models.TextField(blank=True)
    """What it came to, as a sentence."""
    started_at = models.DateTimeField()
    said_at = models.DateTimeField()
    """When it last said something."""

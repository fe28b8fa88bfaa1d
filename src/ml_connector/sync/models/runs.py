"""Runs: what was executed, when, and with which result."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Connection, Flow
from ml_connector.workspaces.models import WorkspaceModel


class RunKind(models.TextChoices):
    PULL = "pull"
    SWEEP = "sweep"
    PUSH = "push"


class RunState(models.TextChoices):
    LIVE = "live"
    SUCCEEDED = "succeeded"
    UNDECIDED = "undecided"
    """Done, and the target has still to decide on Records that it accepted (R12)."""
    WITH_PROBLEMS = "with_problems"
    """Done, and at least one Record met a Problem."""
    FAILED = "failed"
    LOST = "lost"
    """Its worker died or lost the Connection's lease; another Run goes on."""


DONE = (RunState.SUCCEEDED, RunState.UNDECIDED, RunState.WITH_PROBLEMS)
"""States of a Run that came to its end."""


class Run(WorkspaceModel):
    """One execution of a Flow's pull, sweep or push."""

    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=7, choices=RunKind.choices)
    state = models.CharField(max_length=13, choices=RunState.choices, default=RunState.LIVE)
    job = models.CharField(max_length=100, blank=True)
    """The job engine's id, where a worker runs it."""
    fence = models.BigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    text = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["connection"], name="run_live", condition=models.Q(state="live")),
            models.Index(fields=["workspace", "flow", "-started_at"], name="run_history"),
        ]

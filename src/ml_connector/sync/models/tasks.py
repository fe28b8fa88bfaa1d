"""Tasks: slow work on our own tables that a person asked for and a worker does."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ml_connector.workspaces.models import WorkspaceModel


class TaskKind(models.TextChoices):
    TIE_OUT = "tie_out"
    FREEZE = "freeze"
    VERIFY = "verify"


class TaskState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Task(WorkspaceModel):
    """One piece of such work. It touches no Connection, so it needs no lease; doing it twice does no harm."""

    kind = models.CharField(max_length=10, choices=TaskKind.choices)
    subject = models.CharField(max_length=100)
    """What it is about: `integration:7 2026-10`. One at a time of each kind and subject."""
    state = models.CharField(max_length=7, choices=TaskState.choices, default=TaskState.WAITING)
    asked_by = models.CharField(max_length=100)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    """Rows to look at, as far as that is known before; 0: not known."""
    result = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    """Why it failed."""

    tries = models.PositiveSmallIntegerField(default=0)
    holder = models.CharField(max_length=80, blank=True)
    held_until = models.DateTimeField(null=True)
    """By the database's clock; a worker that died does not extend it, and another begins anew."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "subject"],
                condition=Q(state__in=["waiting", "running"]),
                name="task_one_open",
            )
        ]
        indexes = [
            models.Index(fields=["asked_at"], name="task_open", condition=Q(state__in=["waiting", "running"])),
            models.Index(fields=["workspace", "kind", "subject", "-id"], name="task_latest"),
        ]

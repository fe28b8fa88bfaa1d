"""Approvals: what one person asked for and another one has to agree to (R41, R72)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ml_connector.workspaces.models import WorkspaceModel


class ApprovalKind(models.TextChoices):
    OVERRIDE = "override"
    WRITE_OFF = "write_off"
    CREDENTIALS = "credentials"
    MAPPING = "mapping"
    RETENTION = "retention"
    RELEASE = "release"
    APPLY = "apply"


class ApprovalState(models.TextChoices):
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """What it was about is over, or another request took its place."""


class Approval(WorkspaceModel):
    """One request. What it would do is stored with it; a secret that it brings lies in the vault under its id."""

    kind = models.CharField(max_length=12, choices=ApprovalKind.choices)
    subject = models.CharField(max_length=100)
    """`problem:7`, `connection:3`, `mapping:2 gl_account` (of Integration 2)."""
    title = models.CharField(max_length=300)
    detail = models.JSONField(default=dict)
    """What is to be done, as its kind reads it. Never a secret."""
    state = models.CharField(max_length=9, choices=ApprovalState.choices, default=ApprovalState.WAITING)
    asked_by = models.CharField(max_length=100)
    asked_at = models.DateTimeField()
    reason = models.TextField(blank=True)
    evidence = models.TextField(blank=True)
    """What was checked outside, and how: whom one called back, under which number."""
    decided_by = models.CharField(max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "subject"],
                condition=Q(state="waiting") & ~Q(kind="mapping"),
                name="approval_one_waiting",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "subject"], name="approval_waiting", condition=Q(state="waiting")),
            models.Index(fields=["workspace", "-decided_at"], name="approval_decided"),
        ]

"""The Workspace, and the base of every model that holds a customer's data.

`Model.objects` refuses a query that names no Workspace (R74). The ticker, the status command and migrations,
which look across all of them, say so by calling `across_workspaces()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound="WorkspaceModel")


class WorkspaceRequired(RuntimeError):
    """A query on a customer's data that names no Workspace. Always a bug of ours."""


class Workspace(models.Model):
    """One customer. Its name is part of every mark and never changes."""

    name = models.CharField(max_length=60, unique=True)
    created_at = models.DateTimeField()
    time_zone = models.CharField(max_length=60, default="UTC")
    """IANA name of the zone that its people are shown times in."""
    document_years = models.PositiveSmallIntegerField(default=7)
    """How long the content of documents is kept after their last change (R70)."""
    wire_years = models.PositiveSmallIntegerField(default=7)
    """How long the requests of Attempts and their answers are kept."""
    audit_years = models.PositiveSmallIntegerField(default=0)
    """How long entries of the audit trail are kept; 0: for ever."""

    def __str__(self) -> str:
        return self.name


class WorkspaceManager(models.Manager[M]):
    """Hands out rows of one Workspace only."""

    def of(self, workspace: Workspace | int) -> models.QuerySet[M]:
        """The rows of one Workspace."""
        key = workspace if isinstance(workspace, int) else workspace.pk
        return super().get_queryset().filter(workspace_id=key)

    def across_workspaces(self) -> models.QuerySet[M]:
        """The rows of all Workspaces: for the ticker, the status of an installation, and key rotation only."""
        return super().get_queryset()

    def get_queryset(self) -> models.QuerySet[M]:
        raise WorkspaceRequired(f"A query on {self.model.__name__} must name its Workspace: use .of(workspace).")

    def create(self, **values: Any) -> M:
        if "workspace" not in values and "workspace_id" not in values:
            raise WorkspaceRequired(f"A new {self.model.__name__} must name its Workspace.")
        return super().get_queryset().create(**values)

    def bulk_create(self, objs: Iterable[M], *arguments: Any, **options: Any) -> list[M]:
        rows = list(objs)
        if any(getattr(row, "workspace_id", None) is None for row in rows):
            raise WorkspaceRequired(f"Each new {self.model.__name__} must name its Workspace.")
        return super().get_queryset().bulk_create(rows, *arguments, **options)


class WorkspaceModel(models.Model):
    """Base of every model of a Workspace's data."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")

    objects = WorkspaceManager()

    class Meta:
        abstract = True

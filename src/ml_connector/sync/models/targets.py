"""What the target holds, as last listed: where a first create is searched, and what the tie-out compares."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Connection
from ml_connector.workspaces.models import WorkspaceModel


class Listing(WorkspaceModel):
    """How far one type of a target's documents has been listed."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=20)
    cursor = models.JSONField(null=True)
    complete_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection", "type"], name="listing_key")]


class TargetEntry(WorkspaceModel):
    """One document or master record of the target, typed by us or by hand (R40)."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    natural_key = models.CharField(max_length=200)
    mark = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=10)
    amount = models.BigIntegerField(null=True)
    open = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    supplier = models.CharField(max_length=200, blank=True)
    payload = models.BinaryField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection", "type", "key"], name="target_key")]
        indexes = [
            models.Index(fields=["connection", "type", "natural_key"], name="target_natural"),
            models.Index(fields=["connection", "type", "mark"], name="target_mark", condition=~models.Q(mark="")),
        ]

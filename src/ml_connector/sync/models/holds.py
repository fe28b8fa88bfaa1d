"""Legal holds: what must not be removed, neither by age nor by erasure (R70)."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Integration
from ml_connector.sync.models.records import Record
from ml_connector.workspaces.models import WorkspaceModel


class HoldKind(models.TextChoices):
    WORKSPACE = "workspace"
    SUPPLIER = "supplier"
    RECORD = "record"


class Hold(WorkspaceModel):
    """One hold, on the whole Workspace, on a supplier with everything of theirs, or on one Record. Lifted ones stay."""

    kind = models.CharField(max_length=9, choices=HoldKind.choices)
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, null=True, related_name="+")
    """Of a supplier: whose source has the key."""
    supplier = models.CharField(max_length=120, blank=True)
    """The supplier's key in the source."""
    record = models.ForeignKey(Record, on_delete=models.PROTECT, null=True, related_name="holds")
    reason = models.TextField()
    set_by = models.CharField(max_length=100)
    set_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=100, blank=True)
    lifted_at = models.DateTimeField(null=True)
    """None while it is in force."""
    lift_reason = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace"], name="hold_in_force", condition=models.Q(lifted_at=None))]

    @property
    def label(self) -> str:
        """What it is on, as people and the trail say it."""
        if self.kind == HoldKind.SUPPLIER:
            return f"supplier {self.supplier}"
        return f"record {self.record_id}" if self.kind == HoldKind.RECORD else "the whole workspace"

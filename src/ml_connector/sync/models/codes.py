"""Code lists as last read from each side, and the Mappings between them."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Connection, Integration
from ml_connector.workspaces.models import WorkspaceModel


class CodeListEntry(WorkspaceModel):
    """One code as last read from a Connection, with what its validation needs."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    list = models.CharField(max_length=20)
    """gl_account, cost_center, currency, payment_term."""
    code = models.CharField(max_length=100)
    number = models.CharField(max_length=100)
    """What people know the code by; equal to the code where it has no other name."""
    name = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=20, blank=True)
    postable = models.BooleanField(default=True)
    payload = models.BinaryField()
    seen_at = models.DateTimeField()
    gone = models.BooleanField(default=False)
    """Not in the last complete reading of the list."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection", "list", "code"], name="code_key")]


class Mapping(WorkspaceModel):
    """A versioned code table of one Integration."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=30)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "integration", "name"], name="mapping_name")]


class MappingVersion(WorkspaceModel):
    """One published state of a Mapping; each posted document stores the number it used (R48)."""

    mapping = models.ForeignKey(Mapping, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    effective_from = models.DateField()
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=100)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "mapping", "number"], name="mapping_version")]


class MappingEntry(WorkspaceModel):
    """One row of a Mapping, in force from version `since` until before version `until`."""

    mapping = models.ForeignKey(Mapping, on_delete=models.PROTECT, related_name="entries")
    source = models.CharField(max_length=100)
    target = models.CharField(max_length=100)
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "mapping", "source"],
                condition=models.Q(until__isnull=True),
                name="mapping_entry_current",
            )
        ]


class MappingUse(WorkspaceModel):
    """How many Records the target holds that were sent with a code of a Mapping, and when the last one was."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=30)
    source = models.CharField(max_length=100)
    records = models.IntegerField()
    last_used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "integration", "name", "source"], name="mapping_use")
        ]

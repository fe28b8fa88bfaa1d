"""The tables of the trail. Triggers refuse changes of all but the head, and deletions but for entries that a Cut
covers (R68)."""

from __future__ import annotations

from django.db import models

from ml_connector.workspaces.models import Workspace, WorkspaceModel


class AuditEntry(WorkspaceModel):
    """One line of the trail."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    sequence = models.BigIntegerField()
    """1, 2, 3, ... in each Workspace."""
    at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    run = models.BigIntegerField(null=True)
    transaction = models.CharField(max_length=32)
    action = models.CharField(max_length=30)
    subject = models.CharField(max_length=100)
    source_version = models.CharField(max_length=64, blank=True)
    detail = models.TextField()
    """JSON, stored as it was hashed."""
    hash = models.BinaryField(max_length=32)
    """SHA-256 over the hash of the entry before and this entry's canonical form."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sequence"], name="audit_sequence")]
        indexes = [
            models.Index(fields=["workspace", "subject", "sequence"], name="audit_subject"),
            models.Index(fields=["workspace", "action", "sequence"], name="audit_action"),
            models.Index(
                fields=["workspace", "actor", "sequence"], name="audit_actor", condition=~models.Q(actor="worker")
            ),
            models.Index(
                fields=["workspace", "run", "sequence"], name="audit_run", condition=models.Q(run__isnull=False)
            ),
        ]


class ChainHead(WorkspaceModel):
    """The newest entry of a Workspace; locked last and briefly."""

    sequence = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace"], name="audit_head")]


class Checkpoint(WorkspaceModel):
    """A signed state of the chain. Kept elsewhere too, it proves that nothing was cut off since (R67)."""

    sequence = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    signature = models.BinaryField(max_length=64)
    public_key = models.CharField(max_length=64)
    """Ed25519, hex."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sequence"], name="audit_checkpoint_sequence")]

    @property
    def anchor(self) -> str:
        """What belongs on another machine."""
        return f"{self.sequence}:{bytes(self.hash).hex()}"


class Cut(WorkspaceModel):
    """A removal of the oldest entries by retention, signed: the chain begins behind it (R70)."""

    sequence = models.BigIntegerField()
    """The last entry that was removed; a checkpoint vouched for it."""
    hash = models.BinaryField(max_length=32)
    since = models.BigIntegerField()
    """The last entry that was removed before; 0 at first."""
    oldest = models.DateTimeField()
    newest = models.DateTimeField()
    years = models.PositiveSmallIntegerField()
    """For how long the Workspace kept entries."""
    actor = models.CharField(max_length=100)
    noted = models.BigIntegerField()
    """The entry that tells of it."""
    at = models.DateTimeField()
    signature = models.BinaryField(max_length=64)
    public_key = models.CharField(max_length=64)
    """Ed25519, hex."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sequence"], name="audit_cut_sequence")]

"""Sealed secrets, and the canary that a wrong key is recognised by."""

from __future__ import annotations

from django.db import models

from ml_connector.workspaces.models import WorkspaceModel


class Secret(WorkspaceModel):
    """One secret: its ciphertext, and its data key wrapped by the key-encryption key."""

    owner = models.CharField(max_length=100)
    """What it belongs to: `connection:NAME`."""
    field = models.CharField(max_length=60)
    key_id = models.CharField(max_length=16)
    """Which key-encryption key wrapped the data key."""
    wrapped_key = models.BinaryField()
    ciphertext = models.BinaryField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "owner", "field"], name="secret_field")]


class KeyCanary(models.Model):
    """The installation's only row that tells a wrong key-encryption key at start. What it seals is the key of
    fingerprints, which has to outlive every rotation: fingerprints are stored and compared for years."""

    key_id = models.CharField(max_length=16, unique=True)
    ciphertext = models.BinaryField()
    since = models.DateTimeField(null=True)
    """Since when this key-encryption key is in force; None: since before that was noted."""

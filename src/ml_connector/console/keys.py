"""The key-encryption key: which is in force, since when, and its rotation, which stands in every trail (R75)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ml_connector import audit, vault
from ml_connector.vault.keys import KEY, key_id
from ml_connector.vault.models import KeyCanary, Secret
from ml_connector.vault.secrets import keys_in_force
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class KeyState:
    """What a Workspace's people may know of the key."""

    id: str
    """A name that says nothing about it."""
    since: datetime | None
    """None: since before that was noted."""
    in_environment: bool
    secrets: int
    """Of this Workspace."""
    stale: int
    """Of them, still wrapped with an older key: a rotation was interrupted, or is under way."""
    newest: datetime | None
    """When a secret was last given."""
    shared: bool
    """Other Workspaces of the installation use the key too: the host rotates it."""


def state(workspace: Workspace) -> KeyState:
    """Raises KeyMissing, KeyUnusable and WrongKey."""
    vault.check()
    keys = keys_in_force()
    current = key_id(keys.current)
    canary = KeyCanary.objects.get()
    rows = Secret.objects.of(workspace)
    newest = rows.order_by("-changed_at").values_list("changed_at", flat=True).first()
    return KeyState(
        current,
        canary.since if canary.key_id == current else None,
        keys.where == KEY,
        rows.count(),
        rows.exclude(key_id=current).count(),
        newest,
        Workspace.objects.count() > 1,
    )


def rotate(actor: str) -> vault.Rotation:
    """Puts a new key in force. Raises KeyMissing, KeyUnusable and WrongKey."""
    done = vault.rotate()
    for workspace in Workspace.objects.order_by("pk"):
        audit.note(workspace, actor, "key_rotation", "vault", key=done.key_id)
    return done

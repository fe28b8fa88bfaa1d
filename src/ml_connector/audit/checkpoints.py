"""Checkpoints: signed states of the chain, to be kept off the machine."""

from __future__ import annotations

import logging

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ml_connector import clock
from ml_connector.audit.chain import instant
from ml_connector.audit.models import AuditEntry, Checkpoint
from ml_connector.audit.offline_verify import statement
from ml_connector.audit.trail import locked_head, recording
from ml_connector.workspaces.models import Workspace

log = logging.getLogger(__name__)


def checkpoint(workspace: Workspace, key: Ed25519PrivateKey, actor: str) -> Checkpoint | None:
    """Signs the newest entry and writes the anchor to the log, which should leave the machine.

    Gives the last checkpoint where nothing has happened since, and None for a Workspace without entries.
    """
    with recording(workspace, actor=actor) as trail:
        sequence, digest = locked_head(workspace)
        if sequence == 0:
            return None
        last = Checkpoint.objects.of(workspace).order_by("-sequence").first()
        if last is not None and not _happened_since(workspace, last):
            return last
        at = clock.now()
        made = Checkpoint.objects.create(
            workspace=workspace,
            sequence=sequence,
            hash=digest,
            at=at,
            signature=key.sign(statement(workspace.name, sequence, digest.hex(), instant(at))),
            public_key=key.public_key().public_bytes_raw().hex(),
        )
        trail.add("checkpoint", f"audit:{made.sequence}", anchor=digest.hex())
    log.info("Checkpoint of the trail of %s: %s", workspace.name, made.anchor)
    return made


def _happened_since(workspace: Workspace, last: Checkpoint) -> bool:
    """Anything but the entry that tells of the checkpoint itself."""
    since = AuditEntry.objects.of(workspace).filter(sequence__gt=last.sequence)
    return since.exclude(sequence=last.sequence + 1, action="checkpoint").exists()

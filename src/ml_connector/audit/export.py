"""The trail as a file that can be verified without us."""

from __future__ import annotations

import json
from typing import Any, TextIO

from ml_connector.audit.chain import signed_values, values
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint
from ml_connector.audit.offline_verify import FORMAT, beginning
from ml_connector.workspaces.models import Workspace


def export(workspace: Workspace, stream: TextIO, since: int = 0) -> int:
    """Writes the entries after `since` as JSON lines, each checkpoint behind its entry, between a header and an end
    line; says how many entries. Whoever has it exported notes that in the trail (R66)."""
    up_to = ChainHead.objects.of(workspace).values_list("sequence", flat=True).first() or 0
    before = AuditEntry.objects.of(workspace).filter(sequence=since).first()
    last = (bytes(before.hash) if before else beginning(workspace.name)).hex()
    since = before.sequence if before else 0
    _line(stream, {"format": FORMAT, "workspace": workspace.name, "since": since, "start": last})
    entries = AuditEntry.objects.of(workspace).filter(sequence__gt=since, sequence__lte=up_to).order_by("sequence")
    rows = Checkpoint.objects.of(workspace).filter(sequence__gt=since).order_by("sequence")
    checkpoints = {row.sequence: row for row in rows.iterator(2000)}
    count, sequence = 0, since
    for entry in entries.iterator(2000):
        count, sequence, last = count + 1, entry.sequence, bytes(entry.hash).hex()
        _line(stream, {"entry": values(entry), "hash": last})
        if sequence in checkpoints:
            _line(stream, signed_values(checkpoints[sequence]))
    _line(stream, {"end": sequence, "hash": last})
    return count


def _line(stream: TextIO, value: dict[str, Any]) -> None:
    stream.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")

"""The trail as a file that can be verified without us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from ml_connector.audit.chain import signed_values, values
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint
from ml_connector.audit.offline_verify import FORMAT, beginning
from ml_connector.workspaces.models import Workspace


def export(workspace: Workspace, stream: TextIO, since: int = 0) -> int:
    """Writes `lines`; says how many entries. Whoever has it exported notes that in the trail (R66)."""
    count = 0
    for line in lines(workspace, since):
        count += line.startswith('{"entry"')
        stream.write(line)
    return count


def lines(workspace: Workspace, since: int = 0) -> Iterator[str]:
    """The entries after `since` as JSON lines, each checkpoint behind its entry, between a header and an end line."""
    up_to = ChainHead.objects.of(workspace).values_list("sequence", flat=True).first() or 0
    before = AuditEntry.objects.of(workspace).filter(sequence=since).first()
    last = (bytes(before.hash) if before else beginning(workspace.name)).hex()
    since = before.sequence if before else 0
    yield _line({"format": FORMAT, "workspace": workspace.name, "since": since, "start": last})
    entries = AuditEntry.objects.of(workspace).filter(sequence__gt=since, sequence__lte=up_to).order_by("sequence")
    rows = Checkpoint.objects.of(workspace).filter(sequence__gt=since).order_by("sequence")
    checkpoints = {row.sequence: row for row in rows.iterator(2000)}
    sequence = since
    for entry in entries.iterator(2000):
        sequence, last = entry.sequence, bytes(entry.hash).hex()
        yield _line({"entry": values(entry), "hash": last})
        if sequence in checkpoints:
            yield _line(signed_values(checkpoints[sequence]))
    yield _line({"end": sequence, "hash": last})


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"

"""The trail as a file that can be verified without us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from ml_connector.audit.chain import cut_values, signed_values, values
from ml_connector.audit.cutting import removed_up_to
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint, Cut
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
    """The entries after `since` as JSON lines, each checkpoint behind its entry, between a header and an end line.

    Where entries behind `since` were removed by retention, all that is left, after the signed removals.
    """
    before, cuts, up_to, entries = _opened(workspace, since)
    since, start = (before.sequence, bytes(before.hash)) if before else (0, beginning(workspace.name))
    yield _line({"format": FORMAT, "workspace": workspace.name, "since": since, "start": start.hex()})
    sequence, last = since, start.hex()
    for cut in cuts:
        sequence, last = cut.sequence, bytes(cut.hash).hex()
        yield _line(cut_values(cut))
    rows = Checkpoint.objects.of(workspace).filter(sequence__gt=sequence, sequence__lte=up_to).order_by("sequence")
    checkpoints = {row.sequence: row for row in rows.iterator(2000)}
    for entry in entries:
        sequence, last = entry.sequence, bytes(entry.hash).hex()
        yield _line({"entry": values(entry), "hash": last})
        if sequence in checkpoints:
            yield _line(signed_values(checkpoints[sequence]))
    yield _line({"end": sequence, "hash": last})


def _opened(workspace: Workspace, since: int) -> tuple[AuditEntry | None, list[Cut], int, Iterator[AuditEntry]]:
    """The entry that the export begins behind, else the removals; up to where entries go, and these. They are read as
    of one instant, from the trail's beginning at it: rows that a removal takes meanwhile are not missed."""
    while True:
        cuts = list(Cut.objects.of(workspace).order_by("sequence"))
        begins = cuts[-1].sequence if cuts else 0
        up_to = ChainHead.objects.of(workspace).values_list("sequence", flat=True).first() or 0
        entries = AuditEntry.objects.of(workspace).filter(sequence__gt=begins, sequence__lte=up_to).order_by("sequence")
        before = entries.filter(sequence=since).first()
        rows = (entries.filter(sequence__gt=since) if before else entries).iterator(2000)
        one = next(rows, None)
        if removed_up_to(workspace) == begins:
            return before, [] if before else cuts, up_to, _from(one, rows)


def _from(one: AuditEntry | None, entries: Iterator[AuditEntry]) -> Iterator[AuditEntry]:
    if one is not None:
        yield one
        yield from entries


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"

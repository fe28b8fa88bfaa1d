"""Finding an edit, a deletion, a re-ordering and a truncation of the trail (R67)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Max

from ml_connector.audit import offline_verify
from ml_connector.audit.chain import signed_values, values
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint
from ml_connector.audit.offline_verify import Broken, Walk
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class Verdict:
    """What a check of the trail found."""

    holds: bool
    entries: int
    text: str
    bad: int | None = None
    """Sequence of the first entry that is wrong or missing."""


def verify(
    workspace: Workspace,
    anchor: tuple[int, str] | None = None,
    public_key: str | None = None,
    seen: Callable[[int], None] | None = None,
) -> Verdict:
    """Checks a Workspace's chain, its head, its checkpoints and, where given, an anchor kept elsewhere.

    Reads beside running work, in constant memory. Without an anchor a truncation is found only if the head was left as
    it was: whoever can rewrite the database can rewrite the head. `public_key` (hex) is what checkpoints must be
    signed with; without it, their own key is used. `seen` is told how many entries were checked so far.
    """
    head = ChainHead.objects.of(workspace).values_list("sequence", "hash").first()
    up_to, digest = (head[0], bytes(head[1])) if head else (0, offline_verify.beginning(workspace.name))
    walk = Walk(workspace.name, anchor=anchor, public_key=public_key)
    try:
        _walk(walk, workspace, up_to, seen)
        walk.end(up_to, digest.hex())
        _nothing_beyond(workspace)
    except Broken as broken:
        return Verdict(holds=False, entries=walk.entries, text=str(broken), bad=broken.sequence)
    return Verdict(holds=True, entries=walk.entries, text=walk.text())


def _walk(walk: Walk, workspace: Workspace, up_to: int, seen: Callable[[int], None] | None) -> None:
    checkpoints = Checkpoint.objects.of(workspace).filter(sequence__lte=up_to).order_by("sequence").iterator(2000)
    pending = next(checkpoints, None)
    for entry in AuditEntry.objects.of(workspace).filter(sequence__lte=up_to).order_by("sequence").iterator(2000):
        walk.entry(values(entry), bytes(entry.hash).hex())
        while pending is not None and pending.sequence <= entry.sequence:
            walk.checkpoint(signed_values(pending))
            pending = next(checkpoints, None)
        if seen and walk.entries % 1000 == 0:
            seen(walk.entries)
    while pending is not None:
        walk.checkpoint(signed_values(pending))
        pending = next(checkpoints, None)


def _nothing_beyond(workspace: Workspace) -> None:
    """Entries and checkpoints that lie behind the head: it was set back, or they were put there past the product."""
    entry = AuditEntry.objects.of(workspace).aggregate(last=Max("sequence"))["last"] or 0
    signed = Checkpoint.objects.of(workspace).aggregate(last=Max("sequence"))["last"] or 0
    head = ChainHead.objects.of(workspace).values_list("sequence", flat=True).first() or 0
    if signed > head:
        raise Broken(head + 1, f"The trail ends at {head}, but a checkpoint vouches for {signed}: it was cut off.")
    if entry > head:
        raise Broken(head + 1, f"The trail's head is {head}, but there are entries up to {entry}.")

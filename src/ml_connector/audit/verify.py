"""Finding an edit, a deletion, a re-ordering and a truncation of the trail (R67)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Max

from ml_connector.audit import offline_verify
from ml_connector.audit.chain import cut_values, signed_values, values
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint, Cut
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
    begins: int = 1
    """The trail's first entry: those before it were removed by retention."""


def verify(
    workspace: Workspace,
    anchor: tuple[int, str] | None = None,
    public_key: str | None = None,
    seen: Callable[[int], None] | None = None,
) -> Verdict:
    """Checks a Workspace's chain, its head, its checkpoints, its removals by retention and, where given, an anchor kept
    elsewhere.

    Reads beside running work, in constant memory. Without an anchor a truncation is found only if the head was left as
    it was: whoever can rewrite the database can rewrite the head. `public_key` (hex) is what checkpoints and removals
    must be signed with; without it, their own key is used. `seen` is told how many entries were checked so far.
    """
    while True:
        cuts = _cuts(workspace)
        verdict = _verdict(workspace, Walk(workspace.name, anchor=anchor, public_key=public_key), cuts, seen)
        # What was removed while this was reading is no fault: it is read again from the new beginning.
        if verdict.holds or len(_cuts(workspace)) == len(cuts):
            return verdict


def walk_entries(walk: Walk, workspace: Workspace, up_to: int, seen: Callable[[int], None] | None = None) -> None:
    """Walks on from where `walk` stands. Raises Broken."""
    rows = Checkpoint.objects.of(workspace).filter(sequence__gt=walk.sequence, sequence__lte=up_to)
    checkpoints = rows.order_by("sequence").iterator(2000)
    pending = next(checkpoints, None)
    entries = AuditEntry.objects.of(workspace).filter(sequence__gt=walk.sequence, sequence__lte=up_to)
    for entry in entries.order_by("sequence").iterator(2000):
        walk.entry(values(entry), bytes(entry.hash).hex())
        while pending is not None and pending.sequence <= entry.sequence:
            walk.checkpoint(signed_values(pending))
            pending = next(checkpoints, None)
        if seen and walk.entries % 1000 == 0:
            seen(walk.entries)
    while pending is not None:
        walk.checkpoint(signed_values(pending))
        pending = next(checkpoints, None)


def _cuts(workspace: Workspace) -> list[Cut]:
    return list(Cut.objects.of(workspace).order_by("sequence"))


def _verdict(workspace: Workspace, walk: Walk, cuts: list[Cut], seen: Callable[[int], None] | None) -> Verdict:
    head = ChainHead.objects.of(workspace).values_list("sequence", "hash").first()
    up_to, digest = (head[0], bytes(head[1])) if head else (0, offline_verify.beginning(workspace.name))
    begins = cuts[-1].sequence + 1 if cuts else 1
    try:
        if cuts:
            _removed(walk, workspace, cuts)
        walk_entries(walk, workspace, up_to, seen)
        walk.end(up_to, digest.hex())
        _nothing_beyond(workspace)
    except Broken as broken:
        return Verdict(holds=False, entries=walk.entries, text=str(broken), bad=broken.sequence, begins=begins)
    return Verdict(holds=True, entries=walk.entries, text=walk.text(), begins=begins)


def _removed(walk: Walk, workspace: Workspace, cuts: list[Cut]) -> None:
    """The removals, the checkpoints of what they took, and the rows that they have not come to: those lead up to the
    last removal, or they are none of ours."""
    for row in cuts:
        walk.cut(cut_values(row))
    last = cuts[-1]
    for checkpoint in Checkpoint.objects.of(workspace).filter(sequence__lte=last.sequence).iterator(2000):
        walk.removed_checkpoint(signed_values(checkpoint))
    left = AuditEntry.objects.of(workspace).filter(sequence__lte=last.sequence).order_by("sequence").iterator(2000)
    first = next(left, None)
    if first is None:
        return
    going = Walk(workspace.name, first.sequence, bytes(first.hash).hex())
    for entry in left:
        going.entry(values(entry), bytes(entry.hash).hex())
    going.end(last.sequence, bytes(last.hash).hex())


def _nothing_beyond(workspace: Workspace) -> None:
    """Entries and checkpoints that lie behind the head: it was set back, or they were put there past the product."""
    entry = AuditEntry.objects.of(workspace).aggregate(last=Max("sequence"))["last"] or 0
    signed = Checkpoint.objects.of(workspace).aggregate(last=Max("sequence"))["last"] or 0
    told = Cut.objects.of(workspace).aggregate(last=Max("noted"))["last"] or 0
    head = ChainHead.objects.of(workspace).values_list("sequence", flat=True).first() or 0
    if signed > head:
        raise Broken(head + 1, f"The trail ends at {head}, but a checkpoint vouches for {signed}: it was cut off.")
    if told > head:
        raise Broken(head + 1, f"The trail ends at {head}, but entry {told} told of a removal: it was cut off.")
    if entry > head:
        raise Broken(head + 1, f"The trail's head is {head}, but there are entries up to {entry}.")

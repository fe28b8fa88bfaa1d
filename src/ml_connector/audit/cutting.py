"""Removing the oldest entries by age (R70): the chain gets a new, signed beginning, then the rows go.

A removal ends at a checkpoint, so nothing is signed here that was not signed before; and what it takes is verified
first, so that no trace of tampering goes with it. Once a Cut is committed the trail begins behind it for everybody who
reads; its rows follow in parts, the oldest first, and a later removal takes what an interrupted one has left.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db.models import QuerySet

from ml_connector import clock
from ml_connector.audit.chain import cut_values
from ml_connector.audit.models import AuditEntry, Checkpoint, Cut
from ml_connector.audit.offline_verify import Walk, cut_statement
from ml_connector.audit.trail import Trail, locked_head
from ml_connector.audit.verify import walk_entries
from ml_connector.workspaces.models import Workspace

PART = 1_000
"""Rows that one transaction removes."""


@dataclass(frozen=True)
class Stretch:
    """The oldest entries that are there, up to a checkpoint."""

    since: int
    """The entry before the first."""
    start: bytes
    """Its hash; empty at the very beginning."""
    up_to: int
    hash: bytes
    """That of the last."""
    oldest: datetime
    newest: datetime

    @property
    def entries(self) -> int:
        return self.up_to - self.since


def last_cut(workspace: Workspace | int) -> Cut | None:
    """Where the trail begins; None where nothing was removed."""
    return Cut.objects.of(workspace).order_by("-sequence").first()


def removed_up_to(workspace: Workspace | int) -> int:
    """The last entry that was removed; 0 where none was."""
    return Cut.objects.of(workspace).order_by("-sequence").values_list("sequence", flat=True).first() or 0


def kept(workspace: Workspace | int) -> QuerySet[AuditEntry]:
    """The entries of the trail, without those that a removal has signed away and not come to yet."""
    return AuditEntry.objects.of(workspace).filter(sequence__gt=removed_up_to(workspace))


def stretch(
    workspace: Workspace, before: datetime, first_held: int | None = None, at_most: int | None = None
) -> Stretch | None:
    """What may go: entries older than `before`, up to the last checkpoint that is older too and lies before
    `first_held`. None where nothing may.

    `at_most`: no more entries than so many, unless the next checkpoint lies further.
    """
    last = last_cut(workspace)
    since = last.sequence if last else 0
    ends = Checkpoint.objects.of(workspace).filter(sequence__gt=since, at__lt=before).order_by("sequence")
    if first_held is not None:
        ends = ends.filter(sequence__lt=first_held)
    if at_most is not None and (first := ends.first()) is not None:
        ends = ends.filter(sequence__lte=max(since + at_most, first.sequence))
    end = ends.last()
    if end is None:
        return None
    entries = AuditEntry.objects.of(workspace).filter(sequence__gt=since).order_by("sequence")
    # Clocks of machines differ a little: an entry before the checkpoint may bear a later time.
    young = entries.filter(sequence__lte=end.sequence, at__gte=before).values_list("sequence", flat=True).first()
    if young is not None:
        end = ends.filter(sequence__lt=young).last()
    if end is None:
        return None
    times = entries.filter(sequence__lte=end.sequence).values_list("at", flat=True)
    return Stretch(
        since,
        bytes(last.hash) if last else b"",
        end.sequence,
        bytes(end.hash),
        times.first() or end.at,
        times.last() or end.at,
    )


def check(workspace: Workspace, found: Stretch, public_key: str) -> None:
    """Raises Broken where the entries of a stretch are not what was written, or a checkpoint is not signed with this
    key: then nothing of them may go, so that it can be looked into."""
    walk = Walk(workspace.name, found.since, found.start.hex(), public_key=public_key)
    walk_entries(walk, workspace, found.up_to)
    walk.end(found.up_to, found.hash.hex())


def cut(trail: Trail, workspace: Workspace, found: Stretch, years: int, key: Ed25519PrivateKey) -> Cut:
    """Signs that a stretch was removed, and notes it as the first entry of this transaction. `remove_rows` is to
    follow, after its end."""
    head, _ = locked_head(workspace)
    row = Cut(
        workspace=workspace,
        sequence=found.up_to,
        hash=found.hash,
        since=found.since,
        oldest=found.oldest,
        newest=found.newest,
        years=years,
        actor=trail.actor,
        noted=head + 1,
        at=clock.now(),
        public_key=key.public_key().public_bytes_raw().hex(),
        signature=b"",
    )
    row.signature = key.sign(cut_statement(workspace.name, cut_values(row)))
    row.save()
    trail.add(
        "cut", f"audit:{row.sequence}", hash=found.hash.hex(), entries=found.entries, since=found.since, years=years,
        oldest=f"{found.oldest:%Y-%m-%d}", newest=f"{found.newest:%Y-%m-%d}",
    )  # fmt: skip
    return row


def remove_rows(workspace: Workspace) -> int:
    """Removes the rows that the last Cut covers, a part at a time, and says how many. Between two parts others have as
    long to write as a part took."""
    last, count = removed_up_to(workspace), 0
    rows = AuditEntry.objects.of(workspace).filter(sequence__lte=last)
    while (first := rows.order_by("sequence").values_list("sequence", flat=True).first()) is not None:
        begun = time.monotonic()
        removed, _ = rows.filter(sequence__lt=first + PART).delete()
        count += removed
        time.sleep(time.monotonic() - begun)
    return count

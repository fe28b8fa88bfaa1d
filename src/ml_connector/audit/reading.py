"""The trail as people look at it: newest first, narrowed, page by page.

Each page looks at LOOK entries at most, in the order of an index, so that it costs the same with a million of them.
Where few entries fit, a page may be short or empty and still go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Q, QuerySet

from ml_connector.audit.cutting import kept, last_cut, removed_up_to
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint, Cut
from ml_connector.workspaces.models import Workspace

PAGE = 50
LOOK = 5_000
"""Entries that one page looks at."""
SKEW = 500
"""Entries around the ends of a time span that are looked at too: clocks of machines differ a little."""
BUSIEST = "worker"
"""The actor of most entries; the others have an index."""


@dataclass(frozen=True)
class Narrowing:
    """What is looked for; all of it has to fit."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    action: str = ""
    subjects: Collection[str] = ()
    """`record:7`; any of them. Empty: all."""
    run: int | None = None

    def fits(self, entry: AuditEntry) -> bool:
        return (
            (not self.actor or entry.actor == self.actor)
            and (not self.action or entry.action == self.action)
            and (not self.subjects or entry.subject in self.subjects)
            and (self.run is None or entry.run == self.run)
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
        )


@dataclass(frozen=True)
class EntryRow:
    """One entry."""

    sequence: int
    at: datetime
    actor: str
    run: int | None
    action: str
    subject: str
    facts: tuple[tuple[str, str], ...]
    hash: str


@dataclass(frozen=True)
class TrailPage:
    rows: tuple[EntryRow, ...]
    after: int | None
    """Where the next page goes on; None on the last one."""
    looked_until: datetime | None
    """How far back this page looked where it ended without being full."""


@dataclass(frozen=True)
class ChainState:
    """How much there is of the chain, and its last checkpoint."""

    entries: int
    checkpoint: int | None
    checkpoint_at: datetime | None
    anchor: str
    cut: Cut | None
    """What retention removed last; the chain begins behind it."""


def trail_page(workspace: Workspace, narrowing: Narrowing, before: int | None = None) -> TrailPage:
    """Entries before a sequence number, newest first."""
    low, high = _span(workspace, narrowing)
    high = min(high, before) if before is not None else high
    rows = _driven(workspace, narrowing).filter(sequence__gt=low, sequence__lt=high).order_by("-sequence")
    found: list[AuditEntry] = []
    looked, last = 0, None
    for entry in rows[: LOOK + 1].iterator(500):
        if looked == LOOK or len(found) > PAGE:
            break
        looked, last = looked + 1, entry
        if narrowing.fits(entry):
            found.append(entry)
    page = tuple(_row(entry) for entry in found[:PAGE])
    if len(found) > PAGE:
        return TrailPage(page, found[PAGE - 1].sequence, None)
    if looked == LOOK and last is not None:
        return TrailPage(page, last.sequence, last.at)
    return TrailPage(page, None, None)


def chain_state(workspace: Workspace) -> ChainState:
    """Costs three look-ups; whether the chain holds is said by `verify` only."""
    head = ChainHead.objects.of(workspace).values_list("sequence", flat=True).first() or 0
    last = Checkpoint.objects.of(workspace).order_by("-sequence").first()
    cut = last_cut(workspace)
    return ChainState(
        head - (cut.sequence if cut else 0),
        last.sequence if last else None,
        last.at if last else None,
        last.anchor if last else "",
        cut,
    )


def actions(workspace: Workspace) -> tuple[str, ...]:
    """The kinds of entries that there are, by name: one look-up in the index for each."""
    return tuple(_distinct(kept(workspace), "action"))


def actors(workspace: Workspace) -> tuple[str, ...]:
    """Who stands in the trail, likewise."""
    others = kept(workspace).filter(~Q(actor=BUSIEST))
    found = list(_distinct(others, "actor"))
    return (*([BUSIEST] if ChainHead.objects.of(workspace).exists() else []), *found)


def _driven(workspace: Workspace, narrowing: Narrowing) -> QuerySet[AuditEntry]:
    """By the one condition whose index leaves least to look at; the others are judged entry by entry."""
    rows = AuditEntry.objects.of(workspace)
    if narrowing.subjects:
        return rows.filter(subject__in=narrowing.subjects)
    if narrowing.run is not None:
        return rows.filter(run=narrowing.run)
    if narrowing.actor and narrowing.actor != BUSIEST:
        # Named as the index names its condition, so that it is used.
        return rows.filter(~Q(actor=BUSIEST), actor=narrowing.actor)
    return rows.filter(action=narrowing.action) if narrowing.action else rows


def _span(workspace: Workspace, narrowing: Narrowing) -> tuple[int, int]:
    """Between which sequence numbers a time span lies, found by halving: entries are chained in order of time."""
    begins = removed_up_to(workspace)
    end = (ChainHead.objects.of(workspace).values_list("sequence", flat=True).first() or 0) + 1
    low = _first_from(workspace, narrowing.since, begins + 1, end) - 1 - SKEW if narrowing.since else begins
    high = _first_from(workspace, narrowing.until, begins + 1, end) + SKEW if narrowing.until else end
    return max(low, begins), min(high, end)


def _first_from(workspace: Workspace, at: datetime, begins: int, end: int) -> int:
    low, high = begins, end
    rows = AuditEntry.objects.of(workspace)
    while low < high:
        middle = (low + high) // 2
        stamp = rows.filter(sequence__gte=middle).order_by("sequence").values_list("at", flat=True).first()
        if stamp is None or stamp >= at:
            high = middle
        else:
            low = middle + 1
    return low


def _distinct(rows: QuerySet[AuditEntry], column: str) -> Iterator[str]:
    value: str | None = ""
    while value is not None:
        value = rows.filter(**{f"{column}__gt": value}).order_by(column).values_list(column, flat=True).first()
        if value is not None:
            yield value


def _row(entry: AuditEntry) -> EntryRow:
    facts: dict[str, Any] = msgspec.json.decode(entry.detail)
    return EntryRow(
        entry.sequence,
        entry.at,
        entry.actor,
        entry.run,
        entry.action,
        entry.subject,
        tuple((name, text) for name, value in facts.items() if value is not None and (text := _text(value))),
        bytes(entry.hash).hex(),
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:20]))
        return f"{shown} and {len(value) - 20} more" if len(value) > 20 else shown
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items() if one not in (0, False, ""))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int) else msgspec.json.encode(value).decode()

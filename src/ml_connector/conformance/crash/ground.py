"""What the author of a pair hands in, and the comparison of its two sides by their own books."""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_connector import clock
from ml_connector.conformance.bench import Bench
from ml_connector.integrations.base import Side
from ml_connector.sandbox import Running
from ml_connector.sync.models import Record, State
from ml_connector.workspaces.models import Workspace

Identity = tuple[str, ...]
"""What a document is known by on both sides: its type, supplier, number."""


@dataclass(frozen=True)
class Ground:
    """A pair, as the crash harness needs it. Its codes map by themselves and its documents are without fault, so that
    nothing ever waits for a person."""

    name: str
    open: Callable[[Workspace, random.Random], AbstractContextManager[Bench]]
    """Starts both stand-ins, with documents waiting that were never delivered, more than the target takes in a batch
    at the least. Clocks run: see `running_from`."""
    edits: Mapping[str, Callable[[Any, random.Random], None]]
    """What people do in the source at any time, by what it asks of the target: `create`, `update`, `cancel`. Each
    edit of an open bench can be made; where there is nothing to edit it does nothing."""
    owed: Callable[[Any], Mapping[Identity, str | None]]
    """By the source's own books, what must be in the target and in which version (amount, due date); None: it was
    voided, so it must not be there, or no longer be in force."""
    there: Callable[[Any], Sequence[tuple[Identity, str | None]]]
    """What the target holds, None for what is no longer in force. A document that is there twice is named twice."""
    writes: tuple[Mapping[str, Any], ...]
    """The requests that write, as a fault's `match` says it."""
    written: Side = Side.PLATFORM
    """Whose API they are of."""
    told: tuple[Mapping[str, Any], ...] = ()
    """Where the other side hands documents over, the requests that claim and answer, likewise."""


@dataclass
class Verdict:
    """What is wrong once everything has settled. Empty: nothing is."""

    lost: list[str] = field(default_factory=list)
    """Owed and not there, or there in another version."""
    doubled: list[str] = field(default_factory=list)
    """There more than once, or there and owed by nobody."""
    by_hand: list[str] = field(default_factory=list)
    """What a person would have to do."""
    broken: list[str] = field(default_factory=list)
    """An invariant of ours that does not hold."""

    def all(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.by_hand, *self.broken]


def judge(ground: Ground, bench: Bench) -> Verdict:
    """Compares both sides by their own books, and looks whether our own invariants hold."""
    verdict = Verdict()
    owed, there = ground.owed(bench), ground.there(bench)
    counted = Counter(identity for identity, _ in there)
    held = dict(there)
    for identity, version in owed.items():
        if version is not None and identity not in held:
            verdict.lost.append(f"lost: {' '.join(identity)} ({version})")
        elif held.get(identity) != version:
            verdict.lost.append(f"differs: {' '.join(identity)} is {held[identity]}, should be {version}")
    verdict.doubled += [f"doubled: {' '.join(one)}, {count} times" for one, count in counted.items() if count > 1]
    verdict.doubled += [f"owed by nobody: {' '.join(one)}" for one in counted if one not in owed]
    verdict.by_hand += [f"waits for a person: {cause} {what}" for cause, what in sorted(bench.problems())]
    blocked = Record.objects.of(bench.workspace).exclude(state__in=[State.CONFIRMED, State.SKIPPED])
    verdict.by_hand += [f"not confirmed: {number} {state}" for number, state in blocked.values_list("number", "state")]
    try:
        bench.check_settled()
    except AssertionError as broken:
        where = traceback.extract_tb(broken.__traceback__)[-1]
        verdict.broken.append(f"does not hold: {where.line}")
    return verdict


@contextmanager
def running_from(instant: datetime, stand_ins: Mapping[Side, Running]) -> Iterator[None]:
    """Sets our clock and those of the stand-ins to an instant, from which they run on; ours is put right at the end."""
    clock.run_ahead(instant - datetime.now(UTC))
    for stand_in in stand_ins.values():
        stand_in.clock(now=instant.isoformat(), running=True)
    try:
        yield
    finally:
        clock.run_ahead(timedelta())

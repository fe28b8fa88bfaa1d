"""One installation between two stand-ins, at which processes are killed: what both ways of running it share."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connections

from ml_connector import clock
from ml_connector.conformance.bench import Bench
from ml_connector.conformance.crash.doomed import Doom
from ml_connector.conformance.crash.ground import Ground, Verdict
from ml_connector.conformance.crash.points import Point
from ml_connector.conformance.crash.processes import Process, Start
from ml_connector.conformance.databases import Enter
from ml_connector.sync.leases import LEASE_SECONDS
from ml_connector.sync.models import Attempt, Connection, Outcome
from ml_connector.workspaces.models import Workspace

MOMENT = "random moment"
"""How a kill from outside, at no chosen point, is counted."""

LIFE_SECONDS = 60.0
"""A process that neither ends nor reaches its point in this time is a fault of the harness or of the product."""


class Stuck(Exception):
    """A process did not end, or did not reach the point at which it was to die; the text says which."""


@dataclass
class Tally:
    """What was done and found so far."""

    kills: Counter[str] = field(default_factory=Counter)
    """By the name of the point."""
    deliveries: int = 0
    """Writes that took effect and are confirmed."""
    benches: int = 0
    lost: int = 0
    doubled: int = 0
    by_hand: int = 0
    broken: int = 0
    told: list[str] = field(default_factory=list)
    """What was wrong, with the seed that repeats it."""

    def add(self, verdict: Verdict, seed: int) -> None:
        self.lost += len(verdict.lost)
        self.doubled += len(verdict.doubled)
        self.by_hand += len(verdict.by_hand)
        self.broken += len(verdict.broken)
        self.told += [f"seed {seed}: {text}" for text in verdict.all()]

    def verdict(self) -> list[str]:
        """The figures of what was wrong, for a summary."""
        return [
            f"{self.lost:6}  lost",
            f"{self.doubled:6}  doubled",
            f"{self.by_hand:6}  manual steps",
            f"{self.broken:6}  broken invariants",
        ]


@dataclass
class Scene:
    """A bench, its installation, and the people at the source."""

    ground: Ground
    bench: Bench
    start_process: Start
    environment: dict[str, str]
    directory: Path
    rng: random.Random
    tally: Tally
    started: list[Process] = field(default_factory=list)

    def start(self, command: Sequence[str], point: Point | None = None, nth: int = 1) -> Process:
        """Starts a process of the product, which dies by itself when it passes the point for the nth time."""
        doom = Doom(point.name, nth, self._note) if point else None
        ahead = clock.now() - datetime.now(UTC)
        process = self.start_process(command, self.environment, ahead, doom, self._said)
        self.started.append(process)
        return process

    def edit(self, kind: str = "") -> None:
        """Somebody edits something in the source."""
        kinds = sorted(self.ground.edits)
        self.ground.edits[kind or self.rng.choice(kinds)](self.bench, self.rng)

    def edit_a_few(self, kind: str = "") -> None:
        for _ in range(self.rng.randint(1, 4)):
            self.edit()
        if kind in self.ground.edits:
            self.edit(kind)

    def died_at(self, process: Process, point: Point) -> bool:
        """Whether an ended process was killed as it passed the point. Counts the kill."""
        noted = self._note.exists() and f"{process.pid} {point.name}" in self._note.read_text().splitlines()
        if process.status != -9 or not noted:
            return False
        self.tally.kills[point.name] += 1
        return True

    def kill(self, process: Process) -> None:
        """From outside, now. Counts it."""
        process.kill()
        if not process.ended(LIFE_SECONDS):
            raise Stuck(f"process {process.pid} does not die")
        if process.status == -9:
            self.tally.kills[MOMENT] += 1

    def half_a_minute_passes(self, pid: int) -> None:
        """For the leases of a dead process: they lapse, as they do by themselves when nobody renews them."""
        for row in Connection.objects.of(self.bench.workspace).exclude(lease_until=None):
            if f":{pid}:" in row.lease_holder and row.lease_until is not None:
                row.lease_until -= timedelta(seconds=LEASE_SECONDS + 1)
                row.save(update_fields=["lease_until"])

    def synced(self) -> str:
        """Runs `sync --until-idle` to its end; gives what it said where it did not succeed."""
        before = self._said.stat().st_size if self._said.exists() else 0
        process = self.start(["sync", self.bench.integration.name, "--until-idle"])
        if not process.ended(2 * LIFE_SECONDS):
            process.kill()
            return f"sync --until-idle did not end within {2 * LIFE_SECONDS:.0f} s"
        if process.status == 0:
            return ""
        return f"sync ended with status {process.status}: {self._said.read_bytes()[before:].decode()[-2000:]}"

    def count_deliveries(self) -> None:
        done = Attempt.objects.of(self.bench.workspace).filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED])
        self.tally.deliveries += done.count()

    @property
    def _note(self) -> Path:
        return self.directory / "died.log"

    @property
    def _said(self) -> Path:
        return self.directory / "said.log"


@contextmanager
def scene(ground: Ground, enter: Enter, start: Start, home: Path, seed: int, tally: Tally) -> Iterator[Scene]:
    """A new installation in a directory below `home`, between two stand-ins; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    directory = Path(tempfile.mkdtemp(prefix=f"seed-{seed}-", dir=home))
    before = settings.DATA
    environment = enter(directory)
    settings.DATA = directory
    try:
        workspace = Workspace.objects.create(name="crash", created_at=clock.now())
        with ground.open(workspace, rng) as bench:
            tally.benches += 1
            made = Scene(ground, bench, start, environment, directory, rng, tally)
            try:
                yield made
                made.count_deliveries()
            finally:
                for process in made.started:
                    if not process.ended(0):
                        process.kill()
    finally:
        connections["default"].close()
        settings.DATA = before

"""A storm: thousands of writes in a row, every other one meeting a fault of the matrix, chosen by chance.

    python -m ml_connector.conformance.storm my_pair:GROUND --writes 10000

People edit the source between the syncs, time passes, and nobody does anything by hand. After every few syncs the
faults stop, everything settles, and both sides are compared by their own books. A fault is counted where the
stand-in committed it on a request that writes. Exit status 1 where anything was lost, doubled, left for a person, or
broken; the seed that is then named repeats it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ml_connector.conformance.command import ground_named, in_django, line_on
from ml_connector.conformance.faults import MATRIX, SETTLE_WAIT

if TYPE_CHECKING:
    # Models need settings; as a command there are none yet.
    from ml_connector.conformance.bench import Bench
    from ml_connector.conformance.crash.ground import Ground
    from ml_connector.conformance.crash.scene import Tally
    from ml_connector.conformance.databases import Enter

SHARE = 0.5
"""Of the writes of a sync, how many meet its fault."""
SYNCS = 12
"""Between two comparisons."""
EDITS = 25
"""At most, before each sync."""
WRITES_PER_BENCH = 600
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 20))

Say = Callable[["Tally", Counter[str], int], None]
"""Is told how far it is, with the seed of the bench."""


def storm(
    ground: Ground,
    enter: Enter,
    home: Path,
    *,
    writes: int,
    seed: int,
    tally: Tally,
    say: Say = lambda _tally, _faults, _seed: None,
) -> Counter[str]:
    """Delivers until so many writes met a fault, on one bench after the other, whose seeds count up from `seed`.

    Gives how many met which. Stops at the first bench on which something is wrong.
    """
    met: Counter[str] = Counter()
    while met.total() < writes and not tally.told:
        rng = random.Random(seed)  # noqa: S311 - not for secrets
        most = min(writes, met.total() + WRITES_PER_BENCH)
        with _on(ground, enter, home, rng, tally) as bench:
            while met.total() < most and not tally.told:
                for _ in range(SYNCS):
                    met += _sync_under_a_fault(ground, bench, rng)
                    say(tally, met, seed)
                _compare(ground, bench, seed, tally)
        seed += 1
    return met


@contextmanager
def _on(ground: Ground, enter: Enter, home: Path, rng: random.Random, tally: Tally) -> Iterator[Bench]:
    from django.conf import settings  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    from ml_connector import clock  # noqa: PLC0415
    from ml_connector.conformance.bench import clocks_at  # noqa: PLC0415
    from ml_connector.sync.models import Attempt, Outcome  # noqa: PLC0415
    from ml_connector.workspaces.models import Workspace  # noqa: PLC0415

    directory, before = Path(tempfile.mkdtemp(prefix="storm-", dir=home)), settings.DATA
    enter(directory)
    settings.DATA = directory
    try:
        workspace = Workspace.objects.create(name="storm", created_at=clock.now())
        with ground.open(workspace, rng) as bench, clocks_at(clock.now(), bench.stand_ins):
            bench.integration.policies = {**bench.integration.policies, "settle_wait": SETTLE_WAIT}
            bench.integration.save()
            tally.benches += 1
            yield bench
            done = Attempt.objects.of(workspace).filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED])
            tally.deliveries += done.count()
    finally:
        connections["default"].close()
        settings.DATA = before


def _sync_under_a_fault(ground: Ground, bench: Bench, rng: random.Random) -> Counter[str]:
    fault = rng.choice(MATRIX)
    target = bench.stand_ins[ground.written]
    for _ in range(rng.randrange(EDITS)):
        ground.edits[rng.choice(sorted(ground.edits))](bench, rng)
    target.clear_requests()
    target.faults([{"match": {**match, "probability": SHARE}, **fault.do} for match in ground.writes])
    bench.sync()
    time.sleep(fault.lasts)
    bench.later(rng.choice(PAUSES))
    return Counter({fault.name: sum(row["fault"] is not None for row in target.requests())})


def _compare(ground: Ground, bench: Bench, seed: int, tally: Tally) -> None:
    from ml_connector.conformance.crash.ground import judge  # noqa: PLC0415

    bench.stand_ins[ground.written].faults([])
    # Past the longest wait after a failure, so that a Connection that failed is asked again.
    bench.later(hours=2)
    with suppress(AssertionError):
        # Whatever does not come to rest, the verdict names.
        bench.settle(rounds=30)
    tally.add(judge(ground, bench), seed)


def main() -> int:
    parser = argparse.ArgumentParser("python -m ml_connector.conformance.storm", description=__doc__)
    parser.add_argument("ground", metavar="MODULE:GROUND", help="the pair, such as my_pair:GROUND")
    parser.add_argument("--writes", type=int, default=10_000, metavar="N", help="that meet a fault")
    parser.add_argument("--seed", type=int, metavar="S", help="of the first bench (default: by chance)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args()
    in_django()
    from ml_connector.conformance import databases  # noqa: PLC0415
    from ml_connector.conformance.crash.scene import Tally  # noqa: PLC0415

    ground = ground_named(given.ground)
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    home, tally, began = Path(tempfile.mkdtemp(prefix="ml-connector-storm-")), Tally(), time.monotonic()
    show = line_on(sys.stderr)
    print(f"{ground.name} on {given.database}, from seed {seed}", file=sys.stderr)

    def say(tally: Tally, met: Counter[str], seed: int) -> None:
        seconds = time.monotonic() - began
        show(f"{met.total()} of {given.writes} faults, {len(tally.told)} findings, {seconds:.0f} s, seed {seed}")

    try:
        with databases.maker(given.database, home) as enter:
            met = storm(ground, enter, home, writes=given.writes, seed=seed, tally=tally, say=say)
    except databases.NoServer as none:
        print(f"error: {none}", file=sys.stderr)
        return 2
    print(summary(tally, met, time.monotonic() - began))
    if tally.told:
        print(f"\nOn SQLite the database is in {home}.")
        return 1
    shutil.rmtree(home, ignore_errors=True)
    return 0


def summary(tally: Tally, met: Counter[str], seconds: float) -> str:
    """The figures, one a line, and what was wrong."""
    lines = [f"{count:6}  {name}" for name, count in met.most_common()]
    lines += [
        f"{met.total():6}  writes that met one of {len(met)} faults, on {tally.benches} benches",
        f"{tally.deliveries:6}  deliveries",
        *tally.verdict(),
        f"{seconds:6.0f}  seconds",
    ]
    return "\n".join([*lines, *tally.told])


if __name__ == "__main__":
    sys.exit(main())

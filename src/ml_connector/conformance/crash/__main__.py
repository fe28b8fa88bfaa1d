"""python -m ml_connector.conformance.crash MODULE:GROUND [--kills N] [--seed S] [--database sqlite|postgres]

Kills the product so many times, half of them at a random moment and half at a random point, and compares both sides
after every few. PostgreSQL is TEST_DATABASE_URL, else the server that comes with the test packages. Exit status 1
where anything was lost, doubled, left for a person, or broken; the seed that is then named repeats it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ml_connector.conformance.command import ground_named, in_django, line_on

if TYPE_CHECKING:
    from ml_connector.conformance.crash.scene import Tally


def main() -> int:
    parser = argparse.ArgumentParser("python -m ml_connector.conformance.crash", description=__doc__)
    parser.add_argument("ground", metavar="MODULE:GROUND", help="the pair, such as my_pair:GROUND")
    parser.add_argument("--kills", type=int, default=100, metavar="N")
    parser.add_argument(
        "--seed", type=int, metavar="S", help="of the first bench; the next has the next (default: by chance)"
    )
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--fresh", action="store_true", help="a new interpreter for each process: slower")
    given = parser.parse_args()
    # Told to stop, it takes its processes with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    in_django()
    from ml_connector.conformance import databases  # noqa: PLC0415 - needs settings
    from ml_connector.conformance.crash import processes, story  # noqa: PLC0415
    from ml_connector.conformance.crash.scene import Tally  # noqa: PLC0415

    ground = ground_named(given.ground)
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    home = Path(tempfile.mkdtemp(prefix="ml-connector-crash-"))
    tally, began = Tally(), time.monotonic()
    show = line_on(sys.stderr)

    def say(tally: Tally, seed: int) -> None:
        show(
            f"{tally.kills.total()} of {given.kills} kills, {tally.deliveries} deliveries,"
            f" {len(tally.told)} findings, {time.monotonic() - began:.0f} s, seed {seed}"
        )

    print(f"{ground.name} on {given.database}, from seed {seed}", file=sys.stderr)
    try:
        with databases.maker(given.database, home) as enter:
            story.random_kills(
                ground, enter, given.database, processes.fresh if given.fresh else processes.forked, home,
                kills=given.kills, seed=seed, tally=tally, say=say,
            )  # fmt: skip
    except databases.NoServer as none:
        print(f"error: {none}", file=sys.stderr)
        return 2
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(summary(tally, time.monotonic() - began))
    if tally.told:
        print(f"\nWhat the processes said, and on SQLite the database, is in {home}.")
        return 1
    shutil.rmtree(home, ignore_errors=True)
    return 0


def summary(tally: Tally, seconds: float) -> str:
    """The figures, one a line, and what was wrong."""
    lines = [f"{count:6}  killed at: {point}" for point, count in sorted(tally.kills.items(), key=lambda row: -row[1])]
    lines += [
        f"{tally.kills.total():6}  kills at {len(tally.kills)} points, on {tally.benches} benches",
        f"{tally.deliveries:6}  deliveries",
        *tally.verdict(),
        f"{seconds:6.0f}  seconds",
    ]
    return "\n".join([*lines, *tally.told])


if __name__ == "__main__":
    sys.exit(main())

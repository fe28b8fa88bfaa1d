"""Documents that a source hands over, with faults on both sides and processes killed at every step in between.

    python -m ml_connector.conformance.handover my_pair:GROUND --documents 1000 --kills 40

They are offered in waves. In each, a worker or a command is killed twice: while it claims, between a post and its
outcome, between the outcome and the answer. Then the wave is brought to its end, and at last both sides are compared
by their own books: each document posted once, each answered once, with the number that it was posted under. Exit
status 1 where anything was lost, doubled, left for a person, or broken; the seed that is then named repeats it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ml_connector import clock
from ml_connector.conformance.command import ground_named, in_django, line_on
from ml_connector.conformance.crash.points import BY_NAME, TRANSFERS
from ml_connector.conformance.faults import MATRIX

if TYPE_CHECKING:
    # Models need settings; as a command there are none yet.
    from ml_connector.conformance.crash.ground import Ground
    from ml_connector.conformance.crash.processes import Start
    from ml_connector.conformance.crash.scene import Scene, Tally
    from ml_connector.conformance.databases import Enter

KILLS_PER_WAVE = 2
"""Fewer than those after which a Flow is parked."""
SHARE = 0.1
"""Of the writes, how many meet the wave's fault."""
BETWEEN = timedelta(hours=2)
"""What passes from wave to wave: more than the longest wait after a failure."""
GIVE_UP_SECONDS = 20.0
ROUNDS = 12

POSTS = tuple(
    BY_NAME[f"create {moment}"]
    for moment in ("intent committed", "during request", "answered", "before outcome", "outcome uncommitted",
                   "outcome committed")
)  # fmt: skip
POINTS = (*POSTS, *TRANSFERS)
FAULTS = tuple(fault for fault in MATRIX if fault.do["do"] != "late_commit")
"""Without commits that come later than anybody waits for here: time is real."""

Say = Callable[["Tally", int], None]


def hand_over(
    ground: Ground,
    enter: Enter,
    start: Start,
    home: Path,
    *,
    documents: int,
    kills: int,
    seed: int,
    tally: Tally,
    say: Say = lambda _tally, _done: None,
) -> Counter[str]:
    """Hands so many documents over on one bench; gives how many writes met which fault."""
    from ml_connector.conformance.crash.ground import judge  # noqa: PLC0415
    from ml_connector.conformance.crash.scene import scene  # noqa: PLC0415

    met: Counter[str] = Counter()
    waves = max(1, -(-kills // KILLS_PER_WAVE))
    with scene(ground, enter, start, home, seed, tally) as made:
        left = documents
        for wave in range(waves):
            size = left // (waves - wave)
            left -= size
            for _ in range(size):
                made.edit("create")
            _wave(made, size, min(KILLS_PER_WAVE, kills - tally.kills.total()), met)
            say(tally, documents - left)
        for side in made.bench.stand_ins.values():
            side.faults([])
        trouble = _to_the_end(made)
        verdict = judge(ground, made.bench)
        if trouble:
            verdict.by_hand.append(trouble)
        tally.add(verdict, seed)
    return met


def _wave(made: Scene, size: int, kills: int, met: Counter[str]) -> None:
    """Kills some processes under a fault on each side, then has the product run until it is idle."""
    chosen = {side: made.rng.choice(FAULTS) for side in made.bench.stand_ins}
    for side, stand_in in made.bench.stand_ins.items():
        matches = made.ground.writes if side is made.ground.written else made.ground.told
        stand_in.clear_requests()
        # A session that is lost as soon as it is renewed is taken for refused credentials, and rightly so.
        bound = {"times": 1} if "session" in chosen[side].do["do"] else {}
        stand_in.faults([{"match": {**match, "probability": SHARE}, **chosen[side].do, **bound} for match in matches])
    for _ in range(kills):
        _kill(made, size)
    made.synced()
    _time_passes(made)
    made.synced()
    for side, stand_in in made.bench.stand_ins.items():
        met[chosen[side].name] += sum(row["fault"] is not None for row in stand_in.requests())


def _kill(made: Scene, size: int) -> None:
    """A worker or a command dies at a random point, or is killed where it is."""
    from ml_connector.conformance.crash.ways import come_up, wake  # noqa: PLC0415

    point = made.rng.choice(POINTS)
    # Claims and answers go by twenties; posts one by one.
    nth = made.rng.randint(1, max(1, size // 3)) if point in POSTS else made.rng.randint(1, max(1, size // 40))
    worker = made.rng.random() < 0.5
    command = ["worker", "--concurrency", "2"] if worker else ["sync", made.bench.integration.name, "--until-idle"]
    wake(made)
    process = made.start(command, point, nth)
    if worker:
        come_up(process)
    if not process.ended(GIVE_UP_SECONDS):
        made.kill(process)
    else:
        made.died_at(process, point)
    made.half_a_minute_passes(process.pid)
    _time_passes(made)


def _time_passes(made: Scene) -> None:
    """For everybody."""
    now = clock.now() + BETWEEN
    clock.run_ahead(now - datetime.now(UTC))
    for stand_in in made.bench.stand_ins.values():
        stand_in.clock(now=now.isoformat(), running=True)


def _to_the_end(made: Scene) -> str:
    """Until nothing is open any more; gives what is, when that is not reached."""
    from ml_connector.conformance.crash.ways import wake  # noqa: PLC0415
    from ml_connector.sync.models import Answered, Transfer  # noqa: PLC0415

    trouble = ""
    for _ in range(ROUNDS):
        wake(made)
        trouble = made.synced()
        _time_passes(made)
        unanswered = Transfer.objects.of(made.bench.workspace).exclude(answer=Answered.GIVEN)
        if not trouble and not unanswered.exists() and not made.bench.on_its_way().exists():
            return ""
    return trouble or f"not answered: {list(unanswered.values_list('record__number', 'claim', 'answer', 'error')[:5])}"


def main() -> int:
    parser = argparse.ArgumentParser("python -m ml_connector.conformance.handover", description=__doc__)
    parser.add_argument("ground", metavar="MODULE:GROUND", help="the pair, such as my_pair:GROUND")
    parser.add_argument("--documents", type=int, default=1000, metavar="N")
    parser.add_argument("--kills", type=int, default=40, metavar="N")
    parser.add_argument("--seed", type=int, metavar="S", help="(default: by chance)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args()
    in_django()
    from ml_connector.conformance import databases  # noqa: PLC0415
    from ml_connector.conformance.crash import processes  # noqa: PLC0415
    from ml_connector.conformance.crash.scene import Tally  # noqa: PLC0415

    ground = ground_named(given.ground)
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    home, tally, began = Path(tempfile.mkdtemp(prefix="ml-connector-handover-")), Tally(), time.monotonic()
    show = line_on(sys.stderr)
    print(f"{ground.name} on {given.database}, seed {seed}", file=sys.stderr)

    def say(tally: Tally, done: int) -> None:
        seconds = time.monotonic() - began
        show(f"{done} of {given.documents} documents, {tally.kills.total()} kills, {seconds:.0f} s")

    try:
        with databases.maker(given.database, home) as enter:
            met = hand_over(
                ground, enter, processes.forked, home, documents=given.documents, kills=given.kills, seed=seed,
                tally=tally, say=say,
            )  # fmt: skip
    except databases.NoServer as none:
        print(f"error: {none}", file=sys.stderr)
        return 2
    print(summary(tally, met, given.documents, time.monotonic() - began))
    if tally.told:
        print(f"\nWhat the processes said, and on SQLite the database, is in {home}.")
        return 1
    shutil.rmtree(home, ignore_errors=True)
    return 0


def summary(tally: Tally, met: Counter[str], documents: int, seconds: float) -> str:
    """The figures, one a line, and what was wrong."""
    lines = [f"{count:6}  killed at: {point}" for point, count in sorted(tally.kills.items(), key=lambda row: -row[1])]
    lines += [f"{count:6}  {name}" for name, count in met.most_common() if count]
    lines += [
        f"{documents:6}  documents handed over, {tally.deliveries} posted",
        f"{tally.kills.total():6}  kills at {len(tally.kills)} points",
        f"{met.total():6}  writes that met a fault",
        *tally.verdict(),
        f"{seconds:6.0f}  seconds",
    ]
    return "\n".join([*lines, *tally.told])


if __name__ == "__main__":
    sys.exit(main())

"""Stories: a first load and the days after it. Processes are killed, and both sides compared every few kills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ml_connector.conformance.crash.ground import Ground, judge
from ml_connector.conformance.crash.points import POINTS, Point
from ml_connector.conformance.crash.processes import Start
from ml_connector.conformance.crash.scene import Scene, Tally, scene
from ml_connector.conformance.crash.ways import GIVE_UP_SECONDS, OneProcess, SeveralWorkers, Way, bring_to
from ml_connector.conformance.databases import Enter, Kind
from ml_connector.jobs import history
from ml_connector.sync.models import PARK_AT, Flow, Run, RunState

IN_A_ROW = 8
"""The most kills between two runs that end well."""

BEFORE_PARKING = PARK_AT - 2
"""Processes in a row that may die in the same job: one more may be killed before a run ends well."""

KILLS_PER_BENCH = 60

TRIES = 3
"""How often a process is sent to a point: an edit may have left nothing to do."""

Say = Callable[[Tally, int], None]
"""Is told how far it is, with the seed of the bench."""


def random_kills(
    ground: Ground,
    enter: Enter,
    kind: Kind,
    start: Start,
    home: Path,
    *,
    kills: int,
    seed: int,
    tally: Tally,
    say: Say = lambda _tally, _seed: None,
) -> None:
    """Kills so many processes, on one bench after the other, whose seeds count up from `seed`.

    Stops at the first bench on which something is wrong.
    """
    while tally.kills.total() < kills and not tally.told:
        most = min(kills, tally.kills.total() + KILLS_PER_BENCH)
        with on(ground, enter, kind, start, home, seed, tally) as (made, way):
            loading = True
            while tally.kills.total() < most and not tally.told:
                for _ in range(made.rng.randint(1, IN_A_ROW)):
                    if made.rng.random() < 0.5:
                        way.kill_at_a_moment()
                    else:
                        # There are batches in a first load only.
                        point = made.rng.choice([point for point in POINTS if loading or point.needs != "batch"])
                        way.kill_at(point, 1 + int(made.rng.expovariate(0.8)), GIVE_UP_SECONDS)
                    say(tally, seed)
                    if close_to_parking(made):
                        break
                compare(made, way, seed)
                loading = False
        seed += 1


def chosen_kills(
    ground: Ground,
    enter: Enter,
    kind: Kind,
    start: Start,
    home: Path,
    *,
    chosen: Sequence[Point],
    seed: int,
    tally: Tally,
) -> list[str]:
    """Has a process die at each of these points once; gives the names of those to which none came in a few tries."""
    in_a_load = [point for point in chosen if point.needs == "batch"]
    others = [point for point in chosen if point.needs != "batch"]
    missed: list[str] = []
    tries: Counter[str] = Counter()
    while in_a_load or others:
        with on(ground, enter, kind, start, home, seed, tally) as (made, way):
            while in_a_load and not close_to_parking(made):
                point = in_a_load[0]
                tries[point.name] += 1
                died = way.kill_at(point)
                if died or tries[point.name] == TRIES:
                    missed += [] if died else [point.name]
                    in_a_load.pop(0)
                if not died:
                    # The load went through: the next one is on another bench.
                    break
            compare(made, way, seed)
            while others and not in_a_load:
                missed += _chain(made, way, others)
                compare(made, way, seed)
        seed += 1
    return missed


def _chain(made: Scene, way: Way, left: list[Point]) -> list[str]:
    """Kills at points, taking them off the list, for as long as no Flow is parked for it; gives the missed ones."""
    missed = []
    while left and not close_to_parking(made):
        point = left.pop(0)
        if not any(bring_to(way, point) for _ in range(TRIES)):
            missed.append(point.name)
    return missed


def compare(made: Scene, way: Way, seed: int) -> None:
    """Lets the product run until it is idle, then judges both sides and adds the verdict to the tally.

    A poll that was killed is taken up where it stood, and what was edited behind that place is seen by the poll after
    it: where something is missing there is one more.
    """
    trouble = way.settle()
    verdict = judge(made.ground, made.bench)
    if verdict.lost and not trouble:
        trouble = way.settle()
        verdict = judge(made.ground, made.bench)
    if trouble and not verdict.all():
        verdict.by_hand.append(trouble)
    made.tally.add(verdict, seed)


def close_to_parking(scene: Scene) -> bool:
    """Whether another process that died in the same job would park its Flow, as it should. A job that a dead process
    began counts, though nobody has noticed yet."""
    flows = Flow.objects.of(scene.bench.workspace)
    live = Counter(Run.objects.of(scene.bench.workspace).filter(state=RunState.LIVE).values_list("flow_id", flat=True))
    return any(history.deaths(flow) + live[flow.pk] >= BEFORE_PARKING for flow in flows)


@contextmanager
def on(
    ground: Ground, enter: Enter, kind: Kind, start: Start, home: Path, seed: int, tally: Tally
) -> Iterator[tuple[Scene, Way]]:
    """A new bench, and the way in which its kind of database is worked on."""
    with scene(ground, enter, start, home, seed, tally) as made:
        if kind == "sqlite":
            yield made, OneProcess(made)
            return
        workers = SeveralWorkers(made)
        with workers.running():
            yield made, workers

"""The two ways in which the product is run and killed: one process on SQLite, three workers on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ml_connector.conformance.crash.points import BY_NAME, Point
from ml_connector.conformance.crash.processes import Process
from ml_connector.conformance.crash.scene import LIFE_SECONDS, Scene, Stuck
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import RunKind

WORKERS = 3
EDIT_SECONDS = 0.2
"""How often people edit something while a process runs towards its end."""
GIVE_UP_SECONDS = 8.0
"""A worker goes on until somebody ends it: one that has been up so long and has not come to its point is killed where
it is."""
PATIENCE_SECONDS = 40.0
"""The same for a chosen point, to which one of several workers comes only when it gets the job."""


class Way(Protocol):
    """How processes of the product run on a Scene."""

    def kill_at(self, point: Point, nth: int = 1, seconds: float = PATIENCE_SECONDS) -> bool:
        """Has a process die at a point. False when it ended, or was killed elsewhere after so many seconds, without
        passing it so often."""

    def kill_at_a_moment(self) -> bool:
        """Kills a process from outside at a random moment. False when it had ended before."""

    def settle(self) -> str:
        """Has the product run until it is idle; gives what went wrong."""


class OneProcess:
    """SQLite: a command, now and then a worker, always alone."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._life = 2.0
        """How long a process that is not killed has lived, about."""

    def kill_at(self, point: Point, nth: int = 1, seconds: float = PATIENCE_SECONDS) -> bool:
        scene = self._scene
        scene.edit_a_few(point.needs)
        process = scene.start(self._command(worker=point.worker), point, nth)
        if point.worker:
            come_up(process)
        ended = self._wait(process, seconds if point.worker else LIFE_SECONDS)
        if not ended:
            scene.kill(process)
        scene.half_a_minute_passes(process.pid)
        return ended and scene.died_at(process, point)

    def kill_at_a_moment(self) -> bool:
        scene = self._scene
        scene.edit_a_few()
        begun = time.monotonic()
        process = scene.start(self._command(worker=scene.rng.random() < 0.2))
        if self._wait(process, scene.rng.uniform(0.0, self._life)):
            self._life = 0.7 * self._life + 0.3 * (time.monotonic() - begun)
            return False
        scene.kill(process)
        scene.half_a_minute_passes(process.pid)
        return True

    def settle(self) -> str:
        begun = time.monotonic()
        trouble = self._scene.synced()
        self._life = 0.7 * self._life + 0.3 * (time.monotonic() - begun)
        return trouble

    def _command(self, *, worker: bool) -> list[str]:
        if not worker:
            return ["sync", self._scene.bench.integration.name, "--until-idle"]
        wake(self._scene)
        return ["worker", "--concurrency", "2"]

    def _wait(self, process: Process, seconds: float) -> bool:
        """Whether the process ends within so many seconds; people go on with their work meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if process.ended(min(left, EDIT_SECONDS)):
                return True
            if self._scene.rng.random() < 0.3:
                self._scene.edit()
        return process.ended(0)


class SeveralWorkers:
    """PostgreSQL: three workers, of which one after the other dies and is replaced."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._alive: list[Process] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Starts the workers, and ends them."""
        try:
            self._alive = [self._worker() for _ in range(WORKERS)]
            for process in self._alive:
                come_up(process)
            yield
        finally:
            for process in self._alive:
                process.terminate()
            for process in self._alive:
                if not process.ended(LIFE_SECONDS):
                    process.kill()

    def kill_at(self, point: Point, nth: int = 1, seconds: float = PATIENCE_SECONDS) -> bool:
        """A fourth worker joins, and dies when the work that it is given brings it to its point."""
        scene = self._scene
        process = self._worker(point, nth)
        come_up(process)
        deadline = time.monotonic() + seconds
        ended = False
        while not ended and time.monotonic() < deadline:
            scene.edit_a_few(point.needs)
            wake(scene)
            ended = process.ended(0.5)
        if not ended:
            scene.kill(process)
        scene.half_a_minute_passes(process.pid)
        return ended and scene.died_at(process, point)

    def kill_at_a_moment(self) -> bool:
        scene = self._scene
        scene.edit_a_few()
        wake(scene)
        victim = scene.rng.choice(self._alive)
        if victim.ended(scene.rng.uniform(0.0, 2.0)):
            raise Stuck(f"a worker ended by itself with status {victim.status}")
        scene.kill(victim)
        self._alive.remove(victim)
        scene.half_a_minute_passes(victim.pid)
        self._alive.append(self._worker())
        return True

    def settle(self) -> str:
        for worker in self._alive:
            if worker.ended(0):
                raise Stuck(f"a worker ended by itself with status {worker.status}")
        return self._scene.synced()

    def _worker(self, point: Point | None = None, nth: int = 1) -> Process:
        return self._scene.start(["worker", "--concurrency", "2"], point, nth)


def come_up(worker: Process) -> None:
    """Returns once a worker says that it is there, or has ended already."""
    deadline = time.monotonic() + LIFE_SECONDS
    while not worker.ended(0.1) and not any(f":{worker.pid}:" in name for name in workers_alive()):
        if time.monotonic() > deadline:
            raise Stuck(f"worker {worker.pid} does not come up")


def wake(scene: Scene) -> None:
    """Makes all Flows due, as a webhook does."""
    ids = [flow.pk for flow in scene.bench.flows]
    schedule.wake(ids, RunKind.PULL)
    schedule.wake(ids, RunKind.PUSH)


def bring_to(way: Way, point: Point) -> bool:
    """Has a process die at a point, another having died before where the point needs that."""
    if point.after and not way.kill_at(BY_NAME[point.after]):
        return False
    return way.kill_at(point)

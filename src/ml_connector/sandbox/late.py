"""Requests whose effect comes later than their answer."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request


class LateCommits:
    """Holds requests until the stand-in's clock has reached their time, then has them committed in that order.

    A clock that is set past a request's time commits it before the setting returns.
    """

    def __init__(self, clock: Clock, commit: Callable[[Request], object]) -> None:
        self._clock = clock
        self._commit = commit
        self._waiting: list[tuple[datetime, int, Request]] = []
        self._number = count()
        self._timer: asyncio.TimerHandle | None = None
        clock.changed = self.settle

    def add(self, request: Request, seconds: float) -> None:
        due = self._clock.now() + timedelta(seconds=seconds)
        heapq.heappush(self._waiting, (due, next(self._number), request))
        self.settle()

    def settle(self) -> None:
        """Commits what is due and sets the alarm for the next."""
        self.stop()
        while self._waiting and self._waiting[0][0] <= self._clock.now():
            self._commit(heapq.heappop(self._waiting)[2])
        if self._waiting and self._clock.running:
            wait = (self._waiting[0][0] - self._clock.now()).total_seconds()
            self._timer = asyncio.get_running_loop().call_later(max(wait, 0), self.settle)

    def stop(self) -> None:
        """Takes the alarm back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

"""Deletes what the engine has finished. The history of Runs is ours; the engine's rows only cost space."""

from __future__ import annotations

import random
import time
from datetime import timedelta

from ml_connector.jobs.engine import Engine

AGE = timedelta(hours=2)
BATCH = 500
EVERY_SECONDS = 5.0


class Retention:
    """Deletes a batch now and then, small enough to go between two looks at the schedule."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._next = 0.0

    def look(self) -> None:
        """Deletes the next batch if it is time."""
        if time.monotonic() >= self._next:
            # By chance, so that several workers do not delete the same.
            self._next = time.monotonic() + EVERY_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311
            self._engine.delete_finished(AGE, BATCH)

"""The clock of a stand-in: real time, frozen, or running from a given instant."""

import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_connector.sandbox.standin import BadInput


class Clock:
    """What a stand-in takes as now, for stamps, session life and limits by the hour.

    Real time until it is set. `change` takes the body of the control URL's `POST clock`.
    """

    def __init__(self) -> None:
        self._base: datetime | None = None
        self._since = 0.0
        self._running = True
        self.changed: Callable[[], None] = _nobody_waits
        """Called after every setting of the clock, in the same call."""

    @property
    def running(self) -> bool:
        """Whether time passes by itself."""
        return self._running

    def now(self) -> datetime:
        """The instant, in UTC."""
        if self._base is None:
            return datetime.now(UTC)
        if not self._running:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._since)

    def advance(self, seconds: float) -> None:
        """Jumps forward (or back) and stays frozen or running as it was."""
        self._set(self.now() + timedelta(seconds=seconds), running=self._running)

    def real(self) -> None:
        """Back to real time."""
        self._base, self._running = None, True
        self.changed()

    def state(self) -> dict[str, Any]:
        return {"now": self.now().isoformat(), "running": self._running, "real": self._base is None}

    def change(self, wish: Mapping[str, Any]) -> None:
        """`{"now": ISO, "running": bool}`, `{"advance": seconds}`, or `{}` for real time. Raises BadInput."""
        unknown = set(wish) - {"now", "running", "advance"}
        if unknown:
            raise BadInput(f"clock: unknown {', '.join(sorted(unknown))}; known: now, running, advance")
        if not wish:
            self.real()
            return
        now = _instant(wish["now"]) if "now" in wish else self.now()
        if "advance" in wish:
            now += timedelta(seconds=_seconds(wish["advance"]))
        running = wish.get("running", self._running)
        if not isinstance(running, bool):
            raise BadInput("clock: running must be true or false")
        self._set(now, running=running)

    def _set(self, instant: datetime, *, running: bool) -> None:
        self._base = instant.astimezone(UTC)
        self._since = time.monotonic()
        self._running = running
        self.changed()


def _nobody_waits() -> None:
    """What a clock calls until somebody waits for its time."""


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadInput(f"clock: now must be an ISO instant, got {value!r}") from None
    if instant.tzinfo is None:
        raise BadInput(f"clock: now needs an offset or Z, got {value!r}")
    return instant


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"clock: advance must be a number of seconds, got {value!r}")
    return float(value)

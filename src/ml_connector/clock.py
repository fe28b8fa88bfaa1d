"""The one Clock: dates, schedules and settling times come from here, so that a test can hold time still.

Leases and heartbeats do not: they use the database's clock, because several machines compare them.
"""

from __future__ import annotations

from datetime import UTC, datetime

_held: list[datetime] = []


def now() -> datetime:
    """The current instant, aware, UTC."""
    return _held[-1] if _held else datetime.now(UTC)


def hold(instant: datetime | None) -> None:
    """Holds time still at `instant` in this process, for tests; None lets it run again."""
    _held[:] = [instant] if instant else []

"""The one Clock: dates, schedules and settling times come from here, so that a test can hold time still.

Leases and heartbeats do not: they use the database's clock, because several machines compare them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_held: list[datetime] = []
_ahead = timedelta()


def now() -> datetime:
    """The current instant, aware, UTC."""
    return _held[-1] if _held else datetime.now(UTC) + _ahead


def hold(instant: datetime | None) -> None:
    """Holds time still at `instant` in this process, for tests; None lets it run again."""
    _held[:] = [instant] if instant else []


def run_ahead(span: timedelta) -> None:
    """Has time run so far ahead of the real one in this process, for tests; nothing: as it is."""
    global _ahead  # noqa: PLW0603 - one clock, one offset
    _ahead = span

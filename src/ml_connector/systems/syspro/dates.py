"""Dates in SYSPRO's columns.

SYSPRO: no date is null, blank or `0000-00-00`. OData gives a date with a time and an offset that mean nothing: the
column has neither.
"""

from __future__ import annotations

from datetime import date

_NO_DATE = frozenset({"", "0000-00-00", "00000000"})
_CACHED_DATES = 4_096


class Days(dict[str | None, date | None]):
    """A date column's text to its date, None where there is none. Raises ValueError for what is no date."""

    def __missing__(self, text: str | None) -> date | None:
        day = to_date(text)
        if len(self) >= _CACHED_DATES:
            self.clear()
        self[text] = day
        return day


def to_date(text: str | None) -> date | None:
    """The date in a column. Raises ValueError, saying what stands there instead."""
    day = (text or "").strip()[:10]
    if day in _NO_DATE:
        return None
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"{day!r} is no date") from None


def readable_date(text: str | None) -> date | None:
    """The date in a column, or None where there is none or none that can be read."""
    try:
        return to_date(text)
    except ValueError:
        return None

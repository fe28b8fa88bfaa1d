"""The fields of an entity, and values as a filter takes them.

Flags are `tYES` and `tNO`; dates come as `2026-11-16` (v1) or `2026-11-16T00:00:00Z` (v2), whose time and Z mean
nothing; times as `10:05:00` or `10:05`. Amounts are doubles: their text is read exactly, and what binary fractions add
far behind the point is taken off. A field that is selected is always there, null where it has no value.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from ml_connector.domain.money import step
from ml_connector.systems.base import ShapeChanged
from ml_connector.systems.sapb1.errors import NAME
from ml_connector.systems.sapb1.session import Json

ZERO = Decimal(0)
NOISE = Decimal("0.000001")
"""What a double's text may differ by from the amount that was meant."""


class Unsound(Exception):
    """Why one record cannot travel: `cause: text`."""


def part(row: Json, name: str) -> Any:
    """A field's value. Raises ShapeChanged, naming it, where it is missing altogether (R20)."""
    try:
        return row[name]
    except KeyError:
        raise ShapeChanged(name, f"{NAME} answered an object without {name}, which it always had.") from None


def text(row: Json, name: str) -> str:
    """A text that must have a value. Raises ShapeChanged."""
    value = part(row, name)
    if not isinstance(value, str) or not value.strip():
        raise ShapeChanged(name, f"{NAME} answered {name} as something that is no text.")
    return value.strip()


def words(row: Json, name: str) -> str | None:
    """A text that may be null or blank."""
    value = part(row, name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ShapeChanged(name, f"{NAME} answered {name} as something that is no text.")
    return value.strip() or None


def whole(row: Json, name: str) -> int:
    """A number without fraction. Raises ShapeChanged."""
    value = part(row, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ShapeChanged(name, f"{NAME} answered {name} as something that is no whole number.")
    return value


def number(row: Json, name: str) -> Decimal:
    """A number; null counts as 0, as SAP Business One itself reads it. Raises ShapeChanged."""
    value = part(row, name)
    if value is None:
        return ZERO
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ShapeChanged(name, f"{NAME} answered {name} as something that is no number.")
    return Decimal(value)


def yes(row: Json, name: str) -> bool:
    """A flag; null is no. Raises ShapeChanged for a word that is neither yes nor no."""
    value = part(row, name)
    if value not in {"tYES", "tNO", "Y", "N", None}:
        raise ShapeChanged(name, f"{NAME} answered {name} as {str(value)[:20]!r}, which is neither yes nor no.")
    return value in {"tYES", "Y"}


def day(row: Json, name: str) -> date | None:
    """A date, None for null. Raises ShapeChanged for what is none."""
    value = part(row, name)
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise ShapeChanged(name, f"{NAME} answered {name} as {str(value)[:30]!r}, which is no date.") from None


def members(row: Json, name: str) -> list[Json]:
    """The rows of a list inside an object; null is an empty one. Raises ShapeChanged."""
    value = part(row, name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
        raise ShapeChanged(name, f"{NAME} answered {name} as something that is no list of rows.")
    return value


def stamp(row: Json, date_name: str, time_name: str) -> datetime | None:
    """A date and a time of the server's own clock as one, without zone; None for a null date."""
    on = day(row, date_name)
    if on is None:
        return None
    value = part(row, time_name)
    try:
        at = time.fromisoformat(str(value)) if value not in (None, "") else time()
    except ValueError:
        raise ShapeChanged(time_name, f"{NAME} answered {time_name} as {str(value)[:30]!r}, no time.") from None
    return datetime.combine(on, at.replace(tzinfo=None))


def amount(value: Decimal, currency: str) -> Decimal:
    """A double's text in the currency's digits. Raises Unsound where it has more of them than noise explains."""
    exact = value.quantize(step(currency))
    if abs(exact - value) > NOISE:
        raise Unsound(f"source_shape_changed: {value} has more digits than {currency} knows.")
    return exact


def quoted(value: str | date) -> str:
    """A text or a date as a filter writes it."""
    return "'" + str(value).replace("'", "''") + "'"


def active(row: Json, today: date) -> bool:
    """Whether a business partner or account may be used today, by its two flags and their dates."""
    names = ("Valid", "Frozen") if "Valid" in row else ("ValidFor", "FrozenFor")
    frozen = yes(row, names[1]) and _within(row, "FrozenFrom", "FrozenTo", today)
    dated = day(row, "ValidFrom") is not None or day(row, "ValidTo") is not None
    return not frozen and (not (yes(row, names[0]) and dated) or _within(row, "ValidFrom", "ValidTo", today))


def entry(key: str) -> int | None:
    """The number that a key of a document is, None for a key that is none."""
    return int(key) if key.isascii() and key.isdigit() else None


def _within(row: Json, first: str, last: str, today: date) -> bool:
    start, end = day(row, first), day(row, last)
    return (start is None or start <= today) and (end is None or today <= end)

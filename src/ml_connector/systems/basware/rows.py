"""The fields of an object. A field without a value may be null or missing, and new ones appear without notice.

Amounts are JSON numbers: their text is read exactly, and what binary fractions add far behind the point is taken off.
Days come as `2026-11-16T00:00:00Z`, without zone, or as plain days; the time of day means nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from ml_connector.domain.money import step
from ml_connector.systems.base import ShapeChanged
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.session import Json

ZERO = Decimal(0)
NOISE = Decimal("0.000001")
"""What a double's text may differ by from the amount that was meant."""


class Unsound(Exception):
    """Why one record cannot travel: `cause: text`."""


def text(row: Json, name: str) -> str:
    """A text that must have a value. Raises ShapeChanged (R20)."""
    value = words(row, name)
    if value is None:
        raise ShapeChanged(name, f"{NAME} answered an object without {name}, which must be there.")
    return value


def words(row: Json, name: str) -> str | None:
    """A text, None where it is missing, null or blank. Raises ShapeChanged for a value of another type."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _another_type(name, "text")
    return value.strip() or None


def number(row: Json, name: str) -> Decimal | None:
    """A number, None where it is missing. Raises ShapeChanged for a value of another type."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _another_type(name, "number")
    return Decimal(value)


def amount(row: Json, name: str, currency: str) -> Decimal | None:
    """An amount in the currency's digits. Raises Unsound where it has more of them than noise explains."""
    value = number(row, name)
    if value is None:
        return None
    exact = value.quantize(step(currency))
    if abs(exact - value) > NOISE:
        raise Unsound(f"source_shape_changed: {name} is {value}, which has more digits than {currency} knows.")
    return exact


def flag(row: Json, name: str) -> bool | None:
    """Yes or no, None where it is missing. Raises ShapeChanged for a value of another type."""
    value = row.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise _another_type(name, "true or false")


def day(row: Json, name: str) -> date | None:
    """A day, None where it is missing. Raises ShapeChanged for what is none."""
    value = words(row, name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        raise _another_type(name, "day") from None


def instant(row: Json, name: str) -> datetime | None:
    """A point in time; one without zone is taken as UTC. None where it is missing or no time."""
    try:
        found = datetime.fromisoformat(words(row, name) or "")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def members(row: Json, name: str) -> list[Json]:
    """The objects of a list inside an object; missing is an empty one. Raises ShapeChanged."""
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
        raise _another_type(name, "list of objects")
    return value


def part(row: Json, name: str) -> Json:
    """An object inside an object; missing is an empty one. Raises ShapeChanged."""
    value = row.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _another_type(name, "object")
    return value


def plain(value: Decimal) -> Decimal | int:
    """A number without needless zeros, as it goes into JSON."""
    return int(value) if value == value.to_integral_value() else value.normalize()


def written_day(value: date | str, style: str) -> str:
    """A day as Basware takes it, by the setting date_style."""
    return f"{value}T00:00:00Z" if style == "date-time" else str(value)


def _another_type(name: str, wanted: str) -> ShapeChanged:
    return ShapeChanged(name, f"{NAME} answered {name} as something that is no {wanted}.")

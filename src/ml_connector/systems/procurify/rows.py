"""The fields of an object. A field without a value may be null or missing, and new ones appear without notice.

A decimal comes as a text or as a JSON number, the same field in one place as the one and elsewhere as the other: both
are read exactly. A business day comes as a day or as an instant: midnight of whichever zone means the day that is
written, any other time the day that it is then where the company is.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from ml_connector.systems.base import ShapeChanged
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.session import Json

ZERO = Decimal(0)
NO_DATE = date(1900, 1, 1)
"""Stands for a date that is missing, in a record that cannot travel for it."""
NO_CURRENCY = "XXX"
MOST_DIGITS = 18
"""Digits before the point, more than any of their fields has: beyond it a number is a mistake."""

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


class Unsound(Exception):
    """Why one record cannot travel: `cause: text`."""


def text(row: Json, name: str) -> str:
    """A text that must have a value. Raises ShapeChanged (R20)."""
    value = words(row, name)
    if value is None:
        raise missing(name)
    return value


def words(row: Json, name: str) -> str | None:
    """A text, None where it is missing, null or blank. Raises ShapeChanged for a value of another type."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _another_type(name, "text")
    return value.strip() or None


def ident(row: Json, name: str) -> str:
    """The id of an object, which must be there. Raises ShapeChanged."""
    value = maybe_ident(row, name)
    if value is None:
        raise missing(name)
    return value


def maybe_ident(row: Json, name: str) -> str | None:
    """The id of an object that is stated as such or stands inside as an object; None where there is none."""
    value = row.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise _another_type(name, "id")
    return str(value).strip()


def unique(row: Json, name: str) -> str:
    """A UUID in one spelling: they come with and without dashes. Raises ShapeChanged."""
    value = text(row, name)
    found = same_uuid(value)
    if found is None:
        raise _another_type(name, "UUID")
    return found


def same_uuid(value: str) -> str | None:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return None


def number(row: Json, name: str) -> Decimal | None:
    """An exact number, None where it is missing. Raises ShapeChanged for what is none."""
    value = row.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or Decimal(value).adjusted() > MOST_DIGITS:
        raise _another_type(name, "number")
    return Decimal(value)


def plain(value: Decimal) -> Decimal:
    """A quantity, price or rate without the zeros that its field is filled up with."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def whole(row: Json, name: str) -> int | None:
    """A number without fraction, such as a status. Raises ShapeChanged."""
    value = number(row, name)
    if value is not None and value != value.to_integral_value():
        raise _another_type(name, "whole number")
    return None if value is None else int(value)


def flag(row: Json, name: str) -> bool | None:
    """Yes or no, None where it is missing. Raises ShapeChanged for a value of another type."""
    value = row.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise _another_type(name, "true or false")


def day(row: Json, name: str, zone: ZoneInfo) -> date | None:
    """A business day, None where it is missing. Raises ShapeChanged for what is none."""
    value = words(row, name)
    if value is None:
        return None
    try:
        if len(value) <= len("2026-11-16"):
            return date.fromisoformat(value)
        at = datetime.fromisoformat(value)
    except ValueError:
        raise _another_type(name, "day") from None
    if at.time() == time() or at.tzinfo is None:
        return at.date()
    return at.astimezone(zone).date()


def instant(row: Json, name: str) -> datetime:
    """A point in time that must be there; one without zone is taken as UTC. Raises ShapeChanged."""
    value = text(row, name)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise _another_type(name, "time") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def maybe_instant(row: Json, name: str) -> datetime | None:
    """A point in time that nothing hangs on; None where it is missing or no time."""
    value = row.get(name)
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
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


def missing(name: str) -> ShapeChanged:
    return ShapeChanged(name, f"{NAME} answered an object without {name}, which must be there.")


def _another_type(name: str, wanted: str) -> ShapeChanged:
    return ShapeChanged(name, f"{NAME} answered {name} as something that is no {wanted}.")


def key_of(row: Json) -> str:
    return ident(row, "id")


def folded(name: str) -> str:
    """A name without case and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())

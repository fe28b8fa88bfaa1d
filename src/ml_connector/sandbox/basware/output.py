"""Answers: nulls and dates as the site has them, and stamps."""

import datetime as dt
import random
import re
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.schema import TYPES
from ml_connector.sandbox.standin import Row

DATE_TAILS = {"plain": "", "time": "T00:00:00", "utc": "T00:00:00Z"}
_plain_date = re.compile(r"\d{4}-\d{2}-\d{2}")


def rendered(type_name: str, row: Row, options: BaswareOptions) -> Row:
    """A row as GET gives it: only what the contract names, in the contract's order."""
    shown: Row = {}
    for name, field in TYPES[type_name].items():
        value = row.get(name)
        if value is None:
            if options.null_fields == "show" and field.nullable:
                shown[name] = None
        elif field.kind == "object":
            shown[name] = rendered(field.of, value, options)
        elif field.kind == "list" and field.of:
            shown[name] = [rendered(field.of, one, options) for one in value]
        elif field.kind == "date" and _plain_date.fullmatch(value):
            shown[name] = value + DATE_TAILS[options.dates]
        else:
            shown[name] = value
    return shown


def stamp(moment: dt.datetime) -> str:
    """An instant as the API writes it, in UTC with milliseconds."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def uuid4(source: random.Random) -> str:
    """A UUID of version 4; the same source gives the same ones."""
    digits = f"{source.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:]))


def pascal(value: Any) -> Any:
    """The same JSON with names that begin with a capital, as error feedbacks quote a record."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: pascal(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [pascal(inner) for inner in value]
    return value


def amount(row: Row, name: str) -> Decimal:
    """A number of a row, zero when it is not given."""
    value = row.get(name)
    return Decimal(0) if value is None else Decimal(str(value))

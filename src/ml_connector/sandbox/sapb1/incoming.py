"""Reads a request body against a type: names, kinds, lengths and enumerations, as strictly as the Service Layer."""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.sandbox.http import BadJson, Request
from ml_connector.sandbox.sapb1 import errors
from ml_connector.sandbox.sapb1.enums import member
from ml_connector.sandbox.sapb1.errors import Refused
from ml_connector.sandbox.sapb1.output import Lacks
from ml_connector.sandbox.sapb1.schema import Property, Schema, Type
from ml_connector.sandbox.standin import Row

_date = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?")
_time = re.compile(r"(\d{2}):?(\d{2}):?(\d{2})?")
_LONGEST_AMOUNT = Decimal(10) ** 13


def body_of(request: Request) -> Row:
    """The JSON object of a body; an empty body is an empty object. Raises Refused."""
    if not request.body.strip():
        return {}
    try:
        body = request.json()
    except BadJson:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, errors.UNKNOWN_PROPERTY, "Invalid JSON in the request body.")
    return body


class Reader:
    """Bodies to rows with typed values. An explicit null stays as None."""

    def __init__(self, schema: Schema, lacks: Lacks, *, keep_read_only: bool = False) -> None:
        """`keep_read_only` is for the control side, which may set what a client may not."""
        self._schema = schema
        self._lacks = lacks
        self._keep_read_only = keep_read_only

    def row(self, type_: Type, body: object) -> Row:
        """Raises Refused for an unknown property or a value that its property cannot have.

        Read-only properties, and annotations such as `odata.etag`, are passed over.
        """
        if not isinstance(body, dict):
            raise Refused(400, errors.UNKNOWN_PROPERTY, f"An object is expected for '{type_.name}'.")
        taken: Row = {}
        for name, given in body.items():
            if name.startswith(("odata.", "@odata.")):
                continue
            property_ = type_.properties.get(name)
            if property_ is None or self._lacks(type_.name, property_):
                raise Refused(400, errors.UNKNOWN_PROPERTY, f"Property '{name}' of '{type_.name}' is invalid")
            if not property_.read_only or self._keep_read_only:
                taken[name] = self._value(type_, property_, given)
        return taken

    def _value(self, type_: Type, property_: Property, given: Any) -> Any:
        if given is None:
            return [] if property_.kind == "list" else None
        if property_.kind == "list":
            if not isinstance(given, list):
                raise _wrong(type_, property_)
            return [self.row(self._schema.types[property_.of], row) for row in given]
        if property_.kind == "enum":
            return _enum(type_, property_, given)
        try:
            value = typed(property_, given)
        except ValueError:
            raise _wrong(type_, property_) from None
        if property_.length and len(value) > property_.length:
            raise Refused(
                400, errors.UNKNOWN_PROPERTY, f"Value too long in property '{property_.name}' of '{type_.name}'"
            )
        return value


def typed(property_: Property, given: Any) -> Any:
    """A JSON value as the property holds it; numbers may come as text. Raises ValueError."""
    match property_.kind:
        case "string" if isinstance(given, str):
            return given
        case "int" if isinstance(given, int | str) and not isinstance(given, bool):
            return int(given)
        case "double" if isinstance(given, int | str | Decimal) and not isinstance(given, bool):
            return _amount(given)
        case "date" if isinstance(given, str):
            return date(given)
        case "time" if isinstance(given, str):
            return time(given)
    raise ValueError(given)


def date(text: str) -> dt.date:
    """`2024-04-23`, `20240423`, or either with a time, which does not count. Raises ValueError."""
    found = _date.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) for part in found.groups())
    return dt.date(year, month, day)


def time(text: str) -> dt.time:
    """`18:38:00`, `18:38`, `183800`. Raises ValueError."""
    found = _time.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, minute, second = (int(part or 0) for part in found.groups())
    return dt.time(hour, minute, second)


def _amount(given: int | str | Decimal) -> Decimal:
    try:
        value = Decimal(given)
    except InvalidOperation:
        raise ValueError(given) from None
    if not value.is_finite() or abs(value) >= _LONGEST_AMOUNT:
        raise ValueError(given)
    return value


def _enum(type_: Type, property_: Property, given: Any) -> str:
    name = member(property_.of, given) if isinstance(given, str | int) and not isinstance(given, bool) else None
    if name is None:
        text = f"'{given}' is not a valid value for property '{property_.name}' of '{type_.name}'"
        raise Refused(400, errors.NOT_IN_LIST, text)
    return name


def _wrong(type_: Type, property_: Property) -> Refused:
    return Refused(400, errors.UNKNOWN_PROPERTY, f"Invalid value for property '{property_.name}' of '{type_.name}'")

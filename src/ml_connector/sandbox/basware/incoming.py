"""Reads a body against the contract: closed types, lengths, bounds, choices, nulls."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from ml_connector.sandbox.basware.errors import SCHEMA, Error, Refused
from ml_connector.sandbox.basware.schema import CHOICES, TYPES, Field
from ml_connector.sandbox.http import BadJson, Request
from ml_connector.sandbox.standin import Row

Unknown = Literal["reject", "ignore"]


class Reader:
    """Reads one entity after the other and remembers what is wrong with them.

    Names are compared without regard to case, as a known client of the vendor's relies on; what is read has the
    contract's spelling. What only the server sets is left out, and so is a null.
    """

    def __init__(self, unknown: Unknown) -> None:
        self._unknown = unknown
        self.wrong: list[str] = []

    def entity(self, type_name: str, value: object, *, partial: bool = False, trusted: bool = False) -> Row:
        """The entity as it is kept. `partial`: required fields may be absent. `trusted`: takes what the server sets."""
        return self._object(type_name, value, "", partial=partial, trusted=trusted)

    def _object(self, type_name: str, value: object, path: str, *, partial: bool, trusted: bool = False) -> Row:
        if not isinstance(value, dict):
            self._say(path, "must be an object")
            return {}
        fields = TYPES[type_name]
        spelt = {name.lower(): name for name in fields}
        row: Row = {}
        for given, inner in value.items():
            name = spelt.get(given.lower())
            if name is None:
                if self._unknown == "reject":
                    self._say(f"{path}{given}", "is not a field of the contract")
            elif not fields[name].server_set or trusted:
                taken = self._value(fields[name], inner, f"{path}{name}", partial=partial)
                if taken is not None:
                    row[name] = taken
        if not partial:
            for name, field in fields.items():
                if field.required and value_of(value, name) is None:
                    self._say(f"{path}{name}", "is required")
        return row

    def _value(self, field: Field, value: object, path: str, *, partial: bool) -> Any:
        if value is None:
            if not field.nullable and not partial and not field.required:
                self._say(path, "must not be null")
            return None
        match field.kind:
            case "object":
                return self._object(field.of, value, f"{path}.", partial=False)
            case "list":
                return self._list(field, value, path)
        return self._scalar(field, value, path)

    def _list(self, field: Field, value: object, path: str) -> list[Any] | None:
        if not isinstance(value, list):
            self._say(path, "must be an array")
            return None
        if not field.of:
            if not all(isinstance(one, str) for one in value):
                self._say(path, "must be an array of texts")
            return value
        return [self._object(field.of, one, f"{path}[{n}].", partial=False) for n, one in enumerate(value)]

    def _scalar(self, field: Field, value: object, path: str) -> Any:
        wrong = CHECKS[field.kind](field, value)
        if wrong:
            self._say(path, wrong)
            return None
        return value

    def _say(self, path: str, text: str) -> None:
        self.wrong.append(f"{path.rstrip('.') or 'the body'} {text}")


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        return "must be a text"
    if len(value) < field.shortest:
        return f"must have at least {field.shortest} characters"
    if field.longest is not None and len(value) > field.longest:
        return f"must have at most {field.longest} characters"
    return ""


def _mail(field: Field, value: object) -> str:
    wrong = _text(field, value)
    return wrong or ("" if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", str(value)) else "must be an e-mail address")


def _number(field: Field, value: object) -> str:
    whole = field.kind == "whole"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | Decimal):
        return "must be a whole number" if whole else "must be a number"
    assert isinstance(value, int | Decimal)
    if field.least is not None and field.most is not None and not field.least <= value <= field.most:
        return f"must be from {field.least} to {field.most}"
    return ""


def _choice(field: Field, value: object) -> str:
    return "" if value in CHOICES[field.of] else f"must be one of {', '.join(CHOICES[field.of])}"


def _date(field: Field, value: object) -> str:
    return "" if isinstance(value, str) and instant(value) is not None else "must be a date and time"


CHECKS: dict[str, Callable[[Field, object], str]] = {
    "text": _text,
    "mail": _mail,
    "whole": _number,
    "number": _number,
    "choice": _choice,
    "date": _date,
    "flag": lambda field, value: "" if isinstance(value, bool) else "must be true or false",
}


def value_of(row: Row, name: str) -> Any:
    """The value under a name in any case, None when absent."""
    if name in row:
        return row[name]
    return next((value for given, value in row.items() if given.lower() == name.lower()), None)


def instant(text: str) -> dt.datetime | None:
    """The instant of a date with or without a time, of UTC unless it says otherwise; None when it is none."""
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment


def body_of(request: Request) -> Any:
    """The body as JSON. Raises Refused."""
    try:
        return request.json()
    except BadJson as error:
        raise Refused(400, Error(SCHEMA, f"The body is not JSON: {error}")) from None


def entity_of(request: Request, type_name: str, unknown: Unknown, *, partial: bool = False) -> Row:
    """The one entity that a body holds. Raises Refused, saying what is wrong with it."""
    body = body_of(request)
    reader = Reader(unknown)
    row = reader.entity(type_name, body, partial=partial)
    if reader.wrong:
        code = value_of(body, "externalCode") if isinstance(body, dict) else None
        raise Refused(400, *(Error(SCHEMA, text, code if isinstance(code, str) else None) for text in reader.wrong))
    return row

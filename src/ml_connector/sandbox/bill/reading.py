"""Reads a request body field by field, as strictly as BILL documents it, and collects what is wrong."""

import datetime as dt
import re
from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ml_connector.sandbox.bill.errors import Error, Refused, invalid
from ml_connector.sandbox.http import BadJson, Request
from ml_connector.sandbox.standin import Row

CENT = Decimal("0.01")
_date = re.compile(r"\d{4}-\d{2}-\d{2}")
_longest_amount = 14  # digits before the point; more is taken for a mistake


def body_of(request: Request) -> Any:
    """The JSON body. Refuses with `BDC_1122` what is not JSON."""
    try:
        return request.json()
    except BadJson as error:
        raise Refused(400, Error(f"JSON parse error: {error}", "BDC_1122")) from None


def rows_of(request: Request, most: int) -> list[Any]:
    """The array of a bulk request, 1 to `most` elements."""
    body = body_of(request)
    if not isinstance(body, list):
        raise Refused(400, Error("JSON parse error: an array is expected.", "BDC_1122"))
    if not 1 <= len(body) <= most:
        raise Refused(400, invalid(f"size: must be between 1 and {most}"))
    return body


class Reader:
    """One JSON object of a body. What was read is in `taken`, an explicit null as None.

    With `partial` (a PATCH) nothing is required, but what is required cannot be set to null.
    """

    def __init__(self, body: object, *, partial: bool = False, where: str = "") -> None:
        if not isinstance(body, dict):
            raise Refused(400, Error(f"JSON parse error: {where or 'body'}: an object is expected.", "BDC_1122"))
        self.taken: Row = {}
        self.errors: list[Error] = []
        self._body = body
        self._partial = partial
        self._where = where
        self._known: set[str] = set()
        self._inner: list[Reader] = []

    def text(self, name: str, *, required: bool = False, longest: int | None = None, shortest: int = 0) -> str | None:
        value = self._value(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, "must be a string")
            return None
        if required and not value.strip():
            self.wrong(name, "must not be blank")
            return None
        if longest is not None and len(value) > longest:
            message = f"{self._path(name)}: Maximum length cannot be greater than {longest} characters."
            self.errors.append(invalid(message))
            return None
        if len(value) < shortest:
            self.wrong(name, f"size must be at least {shortest}")
            return None
        self.taken[name] = value
        return value

    def choice(self, name: str, allowed: Collection[str], *, required: bool = False) -> str | None:
        value = self._value(name, required=required)
        if value is None:
            return None
        if value not in allowed:
            self.wrong(name, f"must be one of {', '.join(allowed)}")
            return None
        self.taken[name] = value
        return str(value)

    def matching(self, name: str, pattern: str, what: str, *, required: bool = False) -> str | None:
        value = self._value(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.wrong(name, f"must be {what}")
            return None
        self.taken[name] = value
        return value

    def date(self, name: str, *, required: bool = False) -> str | None:
        value = self._value(name, required=required)
        if value is None:
            return None
        if not is_date(value):
            self.wrong(name, "must be a date of the form yyyy-MM-dd")
            return None
        self.taken[name] = value
        return str(value)

    def number(self, name: str, *, required: bool = False, places: int = 2) -> Decimal | None:
        """A JSON number; a string that looks like one is refused."""
        value = self._value(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.wrong(name, "must be a number")
            return None
        number = Decimal(value)
        if number.adjusted() >= _longest_amount or number != round(number, places):
            limits = f"{_longest_amount} digits and {places} decimals"
            self.wrong(name, f"numeric value out of bounds ({limits} expected)")
            return None
        self.taken[name] = cents(number) if places == 2 else number
        return number

    def flag(self, name: str) -> bool | None:
        value = self._value(name, required=False)
        if value is None:
            return None
        if not isinstance(value, bool):
            self.wrong(name, "must be true or false")
            return None
        self.taken[name] = value
        return value

    def integer(self, name: str) -> int | None:
        value = self._value(name, required=False)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, "must be an integer")
            return None
        self.taken[name] = value
        return value

    def inner(self, name: str, *, required: bool = False) -> "Reader | None":
        """A nested object; what it reads becomes part of what this one took."""
        value = self._value(name, required=required)
        if value is None:
            return None
        reader = self._nested(value, self._path(name))
        self.taken[name] = reader.taken
        return reader

    def rows(self, name: str, *, required: bool = False) -> "list[Reader] | None":
        """A nested array of objects; a required one must not be empty."""
        value = self._value(name, required=required)
        if value is None:
            return None
        if not isinstance(value, list):
            self.wrong(name, "must be an array")
            return None
        if required and not value:
            self.wrong(name, "must not be empty")
            return None
        readers = [self._nested(row, f"{self._path(name)}[{n}]") for n, row in enumerate(value)]
        self.taken[name] = [reader.taken for reader in readers]
        return readers

    def wrong(self, name: str, message: str) -> None:
        """Adds an error of the validation form, `field: message`."""
        self.errors.append(Error(f"{self._path(name)}: {message}"))

    def done(self, unknown_property: str = "ignore") -> Row:
        """What was taken. Raises Refused (400) with every error found."""
        errors = self._all_errors()
        if unknown_property == "reject":
            errors += [Error(f"{name}: unknown property", "BDC_1129") for name in self._unknown()]
        if errors:
            raise Refused(400, *errors)
        return self.taken

    def _value(self, name: str, *, required: bool) -> Any:
        self._known.add(name)
        value = self._body.get(name)
        if value is not None:
            return value
        if required and (name in self._body or not self._partial):
            self.wrong(name, "must not be null")
        elif name in self._body:
            self.taken[name] = None
        return None

    def _nested(self, value: object, where: str) -> "Reader":
        reader = Reader(value, partial=self._partial, where=where)
        self._inner.append(reader)
        return reader

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _all_errors(self) -> list[Error]:
        return self.errors + [error for reader in self._inner for error in reader._all_errors()]

    def _unknown(self) -> list[str]:
        own = [self._path(name) for name in self._body if name not in self._known]
        return own + [name for reader in self._inner for name in reader._unknown()]


def is_date(value: object) -> bool:
    if not isinstance(value, str) or not _date.fullmatch(value):
        return False
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def cents(value: Decimal | int) -> Decimal:
    """With two decimals, rounded half up as accounts do."""
    return Decimal(value).quantize(CENT, ROUND_HALF_UP)


def merged(row: Row, change: Row) -> Row:
    """A copy of the row with the change: objects merge, None unsets, everything else replaces."""
    result = dict(row)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def without_null(row: Row) -> Row:
    """The row without unset fields, which BILL leaves out."""
    return {
        name: without_null(value) if isinstance(value, dict) else value
        for name, value in row.items()
        if value is not None
    }

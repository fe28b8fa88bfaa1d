"""Reads a body against the contract: kinds, lengths, digits, choices, nulls.

A name that the contract does not have is ignored, and so is what only the server sets.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from ml_connector.sandbox.http import BadJson, Request
from ml_connector.sandbox.procurify.errors import WHOLE, Invalid, Refused, Wrong, invalid
from ml_connector.sandbox.standin import Row

Kind = Literal["text", "mail", "whole", "decimal", "flag", "day", "instant", "choice", "object", "list"]

WHOLE_LIMIT = 2_147_483_647
_decimal = re.compile(r"-?\d+(\.\d*)?|-?\.\d+")
_mail = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    of: str = ""
    """The type of an object or of a list's rows; the kind of a list of plain values."""
    shortest: int = 0
    longest: int | None = None
    digits: tuple[int, int] = (0, 0)
    """Digits before and after the point of a decimal."""
    choices: tuple[int, ...] = ()
    required: bool = False
    nullable: bool = False


Type = dict[str, Field]


def parsed(text: str) -> Type:
    """A type from its notation: `name kind`, separated by commas.

    Kinds: s250 or s1-250 text, m e-mail address, i whole number, n13.8 decimal in a text, b flag, d day, t instant,
    e0-5 choice, {Type} object, {} any object, [Type] list, [s] [i] [m] list of plain values. Flags: `*` required,
    `?` may be null.
    """
    fields: Type = {}
    for part in text.replace("\n", " ").split(","):
        name, _, notation = part.strip().partition(" ")
        bare = notation.rstrip("*?")
        flags = notation[len(bare) :]
        fields[name] = _field(name, bare, required="*" in flags, nullable="?" in flags)
    return fields


def _field(name: str, bare: str, *, required: bool, nullable: bool) -> Field:
    head, rest = bare[0], bare[1:]
    match head:
        case "{" | "[":
            return Field(name, "object" if head == "{" else "list", of=bare[1:-1], required=required, nullable=nullable)
        case "n":
            before, after = rest.split(".")
            return Field(name, "decimal", digits=(int(before), int(after)), required=required, nullable=nullable)
        case "e":
            first, last = rest.split("-")
            choices = tuple(range(int(first), int(last) + 1))
            return Field(name, "choice", choices=choices, required=required, nullable=nullable)
        case "s":
            shortest, _, longest = rest.rpartition("-")
            limit = int(longest) if longest else None
            return Field(name, "text", "", int(shortest or 0), limit, required=required, nullable=nullable)
    return Field(name, _PLAIN[head], required=required, nullable=nullable)


_PLAIN: dict[str, Kind] = {"m": "mail", "i": "whole", "b": "flag", "d": "day", "t": "instant", "s": "text"}


class Reader:
    """Reads one body and remembers what is wrong with it, by field."""

    def __init__(self, types: Mapping[str, Type]) -> None:
        self._types = types
        self.wrong: dict[str, Wrong] = {}

    def read(self, type_name: str, value: object, *, partial: bool = False) -> Row:
        """The body as Python has it: decimals, days and instants. `partial`: required fields may be absent."""
        return self._object(type_name, value, "", partial=partial)

    def _object(self, type_name: str, value: object, path: str, *, partial: bool = False) -> Row:
        if not isinstance(value, dict):
            self._say(path, "Invalid data. Expected a dictionary.")
            return {}
        if not type_name:
            return value
        row: Row = {}
        for name, field in self._types[type_name].items():
            where = f"{path}{name}"
            if name not in value:
                if field.required and not partial:
                    self._say(where, "This field is required.", "REQUIRED")
            elif value[name] is None:
                if not field.nullable:
                    self._say(where, "This field may not be null.", "NULL")
                row[name] = None
            else:
                row[name] = self._value(field, value[name], where)
        return row

    def _value(self, field: Field, value: object, where: str) -> Any:
        match field.kind:
            case "object":
                return self._object(field.of, value, f"{where}.")
            case "list":
                return self._list(field, value, where)
        try:
            return _SCALARS[field.kind](field, value)
        except ValueError as error:
            self._say(where, str(error))
            return None

    def _list(self, field: Field, value: object, where: str) -> list[Any]:
        if not isinstance(value, list):
            self._say(where, "Expected a list of items.")
            return []
        if field.of and field.of in self._types:
            return [self._object(field.of, one, f"{where}.{number}.") for number, one in enumerate(value)]
        plain = _field(field.name, field.of or "s", required=False, nullable=False)
        return [self._value(plain, one, f"{where}.{number}") for number, one in enumerate(value)]

    def _say(self, where: str, text: str, code: str = "INVALID") -> None:
        self.wrong.setdefault(where.rstrip(".") or WHOLE, Wrong(text, code))


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("Not a valid string.")  # noqa: TRY004 (told to the client)
    if "\x00" in value:
        raise ValueError("Null characters are not allowed.")
    if len(value) < field.shortest:
        raise ValueError("This field may not be blank.")
    if field.longest is not None and len(value) > field.longest:
        raise ValueError(f"Ensure this field has no more than {field.longest} characters.")
    return value


def _mail_of(field: Field, value: object) -> str:
    if not isinstance(value, str) or not _mail.fullmatch(value) or not value.isprintable():
        raise ValueError("Enter a valid email address.")
    return value


def _number(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > WHOLE_LIMIT:
        raise ValueError("A valid integer is required.")
    return value


def _choice(field: Field, value: object) -> int:
    if _number(field, value) not in field.choices:
        raise ValueError(f'"{value}" is not a valid choice.')
    return int(str(value))


def _decimal_of(field: Field, value: object) -> Decimal:
    if not isinstance(value, str):
        raise ValueError("A decimal in a string is required.")  # noqa: TRY004
    return decimal_of(value, *field.digits)


def _flag(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Must be a valid boolean.")  # noqa: TRY004
    return value


def _day(field: Field, value: object) -> dt.date:
    if not isinstance(value, str):
        raise ValueError("Date has wrong format. Use YYYY-MM-DD.")  # noqa: TRY004
    return day_of(value)


def _instant(field: Field, value: object) -> dt.datetime:
    if not isinstance(value, str):
        raise ValueError("Datetime has wrong format. Use ISO 8601.")  # noqa: TRY004
    return instant_of(value)


_SCALARS: dict[str, Callable[[Field, object], Any]] = {
    "text": _text,
    "mail": _mail_of,
    "whole": _number,
    "choice": _choice,
    "decimal": _decimal_of,
    "flag": _flag,
    "day": _day,
    "instant": _instant,
}


def decimal_of(text: str, before: int = 20, after: int = 20) -> Decimal:
    """Raises ValueError for what is no number, or has more digits than that before or after the point."""
    if not text.isascii() or not _decimal.fullmatch(text):
        raise ValueError("A valid number is required.")
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction) > after:
        raise ValueError(f"Ensure that there are no more than {after} decimal places.")
    if len(whole.lstrip("0")) > before:
        raise ValueError(f"Ensure that there are no more than {before} digits before the decimal point.")
    return Decimal(text)


def day_of(text: str) -> dt.date:
    """Raises ValueError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("Date has wrong format. Use YYYY-MM-DD.")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("Date has wrong format. Use YYYY-MM-DD.") from None


def instant_of(text: str) -> dt.datetime:
    """An ISO instant; one without an offset is UTC. Raises ValueError."""
    try:
        # A day alone is no instant.
        moment = dt.datetime.fromisoformat(text if "T" in text.upper() or " " in text else "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError("Datetime has wrong format. Use ISO 8601.") from None


def body_of(request: Request, types: Mapping[str, Type], type_name: str, *, partial: bool = False) -> Row:
    """The body, held against its type. Raises Refused: 415 for another media type, 400 with what is wrong."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415)
    try:
        value = request.json()
    except BadJson as error:
        raise invalid(WHOLE, f"JSON parse error: {error}", "PARSE_ERROR") from None
    reader = Reader(types)
    row = reader.read(type_name, value, partial=partial)
    if reader.wrong:
        raise Invalid(reader.wrong)
    return row


def changed(row: Row, changes: Mapping[str, Any]) -> Iterator[str]:
    """The names of the fields that the changes give another value."""
    return (name for name, value in changes.items() if row.get(name) != value)

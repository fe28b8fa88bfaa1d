"""Between a body in the contract's words and a row in our own."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.sandbox.avidxchange.contract import Contract, Field
from ml_connector.sandbox.avidxchange.options import AvidXchangeOptions
from ml_connector.sandbox.avidxchange.places import NOTHING, WrongValue, get, put, strangers
from ml_connector.sandbox.standin import Row

CENT = Decimal("0.01")
LARGEST = Decimal("1e15")
MONEY_KINDS = ("money", "money_text")
_iso = re.compile("[A-Z]{3}")


class Wire:
    """Reads and writes records as the contract has them."""

    def __init__(self, contract: Contract, options: AvidXchangeOptions) -> None:
        self.contract = contract
        self.options = options

    def show(self, record: str, row: Row) -> Row:
        """A row as a body. What the row does not have is null, or left out."""
        body: Row = {}
        for name, field in self.contract.records[record].items():
            value = self._shown(field, row.get(name))
            if value is not None or self.options.nulls == "show":
                put(body, field.at, value)
        return body

    def read(self, record: str, body: Any) -> tuple[Row, list[str]]:
        """A body as a row, and what is wrong with it. A field that is null is None in the row."""
        if not isinstance(body, dict):
            return {}, ["expected an object"]
        fields = {name: field for name, field in self.contract.records[record].items() if not field.ours}
        wrong: list[str] = []
        if self.options.unknown_fields == "reject":
            known = [field.at for field in fields.values()]
            wrong += [f"{name} is not known here" for name in strangers(body, known)]
        row: Row = {}
        for name, field in fields.items():
            try:
                value = get(body, field.at)
                if value is NOTHING or value is None or value == "":
                    if field.needed:
                        wrong.append(f"{field.at} is required")
                    elif value is not NOTHING:
                        row[name] = None
                    continue
                row[name] = self._taken(field, value, wrong)
            except WrongValue as error:
                wrong.append(str(error))
        return row, wrong

    def _shown(self, field: Field, value: Any) -> Any:
        if field.kind == "rows":
            return [self.show(field.of, one) for one in value or ()]
        if value is None:
            return None
        match field.kind:
            case "money_text":
                return str(value)
            case "time":
                return self._time(value)
            case "text" | "whole" | "flag" | "currency" | "money" | "decimal" | "date":
                return value
        # A text that is in no table is one that the stand-in was told to say.
        return self.contract.words[field.kind].get(value, value)

    def _time(self, value: str) -> str:
        match self.options.times:
            case "blank":
                return value.replace("T", " ")
            case "utc":
                return f"{value}Z"
        return value

    def _taken(self, field: Field, value: Any, wrong: list[str]) -> Any:
        """Raises WrongValue; what is wrong inside of rows goes to the list."""
        if field.kind == "rows":
            return self._rows(field, value, wrong)
        reader = _READERS.get(field.kind)
        if reader is not None:
            return reader(field, value)
        text = _text(field, value)
        for word, known in self.contract.words[field.kind].items():
            if known.lower() == text.lower():
                return word
        raise WrongValue(f"{field.at}: {text} is none of {', '.join(self.contract.words[field.kind].values())}")

    def _rows(self, field: Field, value: Any, wrong: list[str]) -> list[Row]:
        if not isinstance(value, list):
            raise WrongValue(f"{field.at}: expected a list")
        if field.needed and not value:
            raise WrongValue(f"{field.at}: at least one is required")
        rows: list[Row] = []
        for index, one in enumerate(value):
            row, mistakes = self.read(field.of, one)
            rows.append(row)
            wrong += [f"{field.at.removesuffix('[]')}[{index}].{mistake}" for mistake in mistakes]
        return rows


def _whole(field: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongValue(f"{field.at}: expected a whole number")
    return value


def _flag(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValue(f"{field.at}: expected true or false")
    return value


def _number(field: Field, value: Any) -> Decimal:
    """Exact; of money at most two decimals, as a text where the contract has it as a text."""
    if isinstance(value, bool) or not isinstance(value, str if field.kind == "money_text" else int | Decimal):
        raise WrongValue(f"{field.at}: expected {'a text with' if field.kind == 'money_text' else ''} a number".strip())
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise WrongValue(f"{field.at}: expected a number") from None
    if not number.is_finite() or abs(number) >= LARGEST:
        raise WrongValue(f"{field.at}: the number is too large")
    if field.kind not in MONEY_KINDS:
        return number
    if number != number.quantize(CENT):
        raise WrongValue(f"{field.at}: at most two decimals")
    return number.quantize(CENT)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongValue(f"{field.at}: expected a text")
    if field.most and len(value) > field.most:
        raise WrongValue(f"{field.at}: at most {field.most} characters")
    return value


def _currency(field: Field, value: Any) -> str:
    if not _iso.fullmatch(text := _text(field, value)):
        raise WrongValue(f"{field.at}: expected an ISO 4217 code")
    return text


def _date(field: Field, value: Any) -> str:
    text = _text(field, value)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise WrongValue(f"{field.at}: expected a date, YYYY-MM-DD")
    return text


def _instant(field: Field, value: Any) -> str:
    try:
        instant = dt.datetime.fromisoformat(_text(field, value))
    except ValueError:
        raise WrongValue(f"{field.at}: expected a time, YYYY-MM-DDTHH:MM:SS") from None
    return plain(instant.astimezone(dt.UTC) if instant.tzinfo else instant)


_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "whole": _whole,
    "flag": _flag,
    "currency": _currency,
    "money": _number,
    "money_text": _number,
    "decimal": _number,
    "date": _date,
    "time": _instant,
}


def plain(instant: dt.datetime) -> str:
    """An instant as we keep it: to the second, in UTC, without saying so."""
    return instant.replace(tzinfo=None).isoformat(timespec="seconds")

"""A record between its wire form and our terms, by the contract map alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.domain.money import NotAnAmount, UnknownCurrency, quantise
from ml_connector.systems.avidxchange import paths
from ml_connector.systems.avidxchange.contract import Field, Form, Part
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.base import Refused, ShapeChanged

CENT = Decimal("0.01")
AMOUNTS = frozenset({Form.AMOUNT, Form.AMOUNT_TEXT})


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it was answered. Values are asked for by our names."""

    fields: Part
    body: Json
    noun: str
    """What it is, for people."""

    def words(self, name: str) -> str | None:
        """A text that may be absent; blank counts as absent, a number as its digits."""
        value = self._value(name)
        if value is None or isinstance(value, bool | dict | list):
            return None
        return str(value).strip() or None

    def text(self, name: str) -> str:
        """A text that must be there. Raises ShapeChanged, naming its place (R20)."""
        found = self.words(name)
        if found is None:
            raise self.missing(name)
        return found

    def number(self, name: str) -> Decimal | None:
        """A number that may be absent. Raises ShapeChanged for what is none."""
        value = self._value(name)
        if value is None or value == "":
            return None
        if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
            try:
                found = Decimal(value)
            except InvalidOperation:
                raise self._wrong(name, "no number") from None
            if found.is_finite():
                return found
        raise self._wrong(name, "no number")

    def amount(self, name: str, currency: str) -> Decimal | None:
        """A number in the currency's digits; as it is where it has more or the currency is not known."""
        value = self.number(name)
        if value is None:
            return None
        try:
            return quantise(value, currency)
        except (NotAnAmount, UnknownCurrency):
            return value

    def amount_of(self, name: str, currency: str) -> Decimal:
        """An amount that must be there. Raises ShapeChanged."""
        found = self.amount(name, currency)
        if found is None:
            raise self.missing(name)
        return found

    def day(self, name: str) -> date | None:
        """A date that may be absent; of a date and time, its date. Raises ShapeChanged for what is none."""
        value = self.words(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise self._wrong(name, "no date") from None

    def instant(self, name: str) -> datetime | None:
        """A time that may be absent; UTC where it names no zone. Raises ShapeChanged for what is none."""
        value = self.words(name)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value.replace(" ", "T", 1))
        except ValueError:
            raise self._wrong(name, "no time") from None
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)

    def stamp(self, name: str) -> str | None:
        """A time in one spelling, which sorts as text."""
        found = self.instant(name)
        return None if found is None else found.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def flag(self, name: str) -> bool | None:
        return flag(self._value(name))

    def parts(self, name: str, fields: Part, noun: str) -> list[Row]:
        """The records inside a list, none where it is absent. Raises ShapeChanged for elements that are no objects."""
        elements = paths.listed(self._value(name))
        if not all(isinstance(element, dict) for element in elements):
            raise self._wrong(name, "no list of objects")
        return [Row(fields, element, noun) for element in elements]

    def texts(self, name: str) -> list[str]:
        return [str(value) for value in paths.listed(self._value(name)) if value not in (None, "")]

    def missing(self, name: str) -> ShapeChanged:
        field: Field | None = getattr(self.fields, name)
        place = field.at if field else name
        return ShapeChanged(
            place,
            f"AvidXchange answered {self.noun} without {place}, where the contract map has {name}. Compare the map "
            "with the partner portal.",
        )

    def _value(self, name: str) -> Any:
        field: Field | None = getattr(self.fields, name)
        return None if field is None else paths.read(self.body, field.at)

    def _wrong(self, name: str, what: str) -> ShapeChanged:
        place = getattr(self.fields, name).at
        return ShapeChanged(
            place, f"AvidXchange answered {self.noun} with something in {place} ({name}) that is {what}."
        )


def flag(value: Any) -> bool | None:
    """A yes or no, as a text too; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def render(fields: Part, values: Mapping[str, Any], about: str) -> Json:
    """The wire form of a record. What has no value, or no place in the map, is left out.

    Raises Refused, naming the field, for a value that its form cannot hold.
    """
    body: Json = {}
    for name, value in values.items():
        field: Field | None = getattr(fields, name)
        if field is not None and value is not None:
            paths.put(body, field.at, _written(value, field.form, name, about))
    return body


def _written(value: Any, form: Form, name: str, about: str) -> Any:
    if form in AMOUNTS:
        if value != value.quantize(CENT):
            raise Refused(
                "amount_digits", f"{about.capitalize()}: {name} is {value}; AvidXchange takes two decimals.", name
            )
        cents = value.quantize(CENT)
        return str(cents) if form is Form.AMOUNT_TEXT else cents
    if form is Form.INTEGER:
        return int(value)
    if form is Form.DAY:
        return value.isoformat()[:10]
    if form is Form.INSTANT:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return value if form in {Form.FLAG, Form.NUMBER, Form.LIST} else str(value)

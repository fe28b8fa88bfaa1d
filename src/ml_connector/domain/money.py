"""Exact amounts of money.

An amount inside a record is a `Decimal` in the record's own `currency`, quantised to that currency's minor
unit. `Money` joins the two where amounts of several documents meet. A float never carries an amount (R21).
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple

UNITS = 10_000
"""Amounts are stored as whole numbers of 1/10,000, because SQLite would keep decimals as floats."""

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER
ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}
"""Fraction digits of each ISO 4217 currency (R24)."""

_STEPS = {iso: Decimal(1).scaleb(-digits) for iso, digits in MINOR_UNITS.items()}


class UnknownCurrency(ValueError):
    """A code that ISO 4217 does not list."""


class NotAnAmount(ValueError):
    """A text or number that is no exact amount of the currency."""


def minor_units(iso: str) -> int:
    """Fraction digits of a currency. Raises UnknownCurrency."""
    try:
        return MINOR_UNITS[iso]
    except KeyError:
        raise UnknownCurrency(f"{iso!r} is not an ISO 4217 currency code.") from None


def step(iso: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for USD, 1 for JPY. Raises UnknownCurrency."""
    minor_units(iso)
    return _STEPS[iso]


def quantise(value: Decimal, iso: str) -> Decimal:
    """`value` with exactly the currency's fraction digits.

    Raises NotAnAmount where digits would be lost: a document is never adjusted silently (R22).
    """
    exact = step(iso)
    try:
        result = value.quantize(exact)
    except InvalidOperation:
        raise NotAnAmount(f"{value} is no amount of money.") from None
    if result != value:
        raise NotAnAmount(f"{value} has more fraction digits than {iso} knows ({minor_units(iso)}).")
    return result


def rounded(value: Decimal, iso: str) -> Decimal:
    """`value` rounded half up to the currency's minor unit, for a figure that is computed, not read."""
    return value.quantize(step(iso), rounding=ROUND_HALF_UP)


def to_units(value: Decimal) -> int:
    """The whole number that the database stores. Raises NotAnAmount beyond four fraction digits."""
    scaled = value * UNITS
    whole = int(scaled)
    if whole != scaled:
        raise NotAnAmount(f"{value} has more than four fraction digits.")
    return whole


def from_units(units: int, iso: str) -> Decimal:
    """The amount behind a stored whole number, with the currency's fraction digits."""
    return (Decimal(units) / UNITS).quantize(step(iso))


def restated(amounts: list[Decimal], total: Decimal, iso: str) -> list[Decimal]:
    """`amounts` scaled so that they add up to `total` exactly, by largest remainder.

    Raises NotAnAmount when the amounts add up to zero and the total does not.
    """
    whole = sum(amounts, Decimal(0))
    if whole == 0:
        if total == 0:
            return [rounded(amount, iso) for amount in amounts]
        raise NotAnAmount(f"Amounts that add up to zero cannot be restated to {total} {iso}.")
    smallest = step(iso)
    if len(amounts) == 1:
        return [total.quantize(smallest, rounding=ROUND_HALF_EVEN)]
    exact = [amount * total / whole for amount in amounts]
    result = [value.quantize(smallest, rounding=ROUND_HALF_EVEN) for value in exact]
    left = int((total - sum(result, Decimal(0))) / smallest)
    sign = 1 if left > 0 else -1
    by_remainder = sorted(range(len(exact)), key=lambda i: (exact[i] - result[i]) * sign, reverse=True)
    for i in by_remainder[: abs(left)]:
        result[i] += smallest * sign
    return result


class Money(NamedTuple):
    """An amount and its ISO 4217 currency. Amounts of two currencies are never added."""

    amount: Decimal
    currency: str

    def plus(self, other: Money) -> Money:
        """The sum. Raises ValueError for two currencies."""
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} have different currencies.")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,}"

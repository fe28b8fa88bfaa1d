"""Exchange rates as SYSPRO writes them: a number and M (multiply the foreign amount by it) or D (divide)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

RATE_STEP = Decimal("0.000000001")


@lru_cache(1024)
def multiplier(rate: Decimal, mul_div: str | None) -> Decimal:
    """The rate to multiply a foreign amount with, up to nine fraction digits; 1 where none is stated."""
    if rate == 0:
        return Decimal(1)
    if (mul_div or "").strip() == "D":
        return plain((1 / rate).quantize(RATE_STEP, rounding=ROUND_HALF_UP))
    return plain(rate)


def plain(value: Decimal) -> Decimal:
    """The same number without the zeros that pad it, so that both routes read the same text."""
    short = value.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short

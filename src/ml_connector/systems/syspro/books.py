"""What documents are read with: currencies, tax codes, the way a GL code is taken apart.

SYSPRO: currency codes are free text of the site (`$`), tax accounts are in AdmTax.ApTaxGlCode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ml_connector.domain.money import MINOR_UNITS, step
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.company import profile
from ml_connector.systems.syspro.costcenters import Segment
from ml_connector.systems.syspro.dates import Days
from ml_connector.systems.syspro.reading import Reading
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import AdmTax


class Unit(NamedTuple):
    """A currency as documents are written in it."""

    iso: str
    step: Decimal
    foreign: bool


class Currencies(dict[str | None, Unit | None]):
    """SYSPRO's code, padded as it may be, to its Unit, or to None where nothing says which ISO code it is.

    A blank code is the company's own currency.
    """

    def __init__(self, codes: dict[str, str], local: str) -> None:
        super().__init__()
        self._codes = codes
        iso = self._iso(local)
        if iso is None:
            raise Refused(
                "unmapped_code",
                f"The company's own currency {local!r} is no ISO code: name its ISO code in currency_codes.",
                "currency_codes",
            )
        self.local = iso

    def __missing__(self, code: str | None) -> Unit | None:
        iso = self._iso((code or "").strip()) if (code or "").strip() else self.local
        unit = None if iso is None else Unit(iso, step(iso), iso != self.local)
        self[code] = unit
        return unit

    def iso(self, code: str | None) -> str | None:
        unit = self[code]
        return None if unit is None else unit.iso

    def _iso(self, code: str) -> str | None:
        iso = self._codes.get(code, code)
        return iso if iso in MINOR_UNITS else None


class Tax(NamedTuple):
    percent: Decimal
    account: str


class Place(NamedTuple):
    """What a row on a GL code is."""

    account: str
    cost_center: str | None
    tax_code: str | None
    """Where it is a tax account."""


class Places(dict[str, Place]):
    """A GL code, padded as it may be, to the Place that it stands for."""

    def __init__(self, segment: Segment | None, tax_codes: Mapping[str, str]) -> None:
        super().__init__()
        self._segment = segment
        self._tax_codes = tax_codes

    def __missing__(self, code: str) -> Place:
        plain = code.rstrip()
        account, center = (plain, None) if self._segment is None else self._segment.split(plain)
        self[code] = place = Place(account, center, self._tax_codes.get(plain))
        return place


@dataclass(frozen=True)
class Books:
    """Everything that turning rows into documents needs to know of the company."""

    currencies: Currencies
    places: Places
    taxes: Mapping[str, Tax]
    """By tax code."""
    days: Days


def currencies(reading: Reading, options: Options) -> Currencies:
    """The company's currencies; its own from the settings, else from the logon profile."""
    local = options.local_currency or profile(reading.tables.enet).local_currency
    return Currencies(dict(options.currency_codes), local)


def books(reading: Reading, options: Options) -> Books:
    """Reads what is needed of the company."""
    taxes: dict[str, Tax] = {}
    tax_codes: dict[str, str] = {}
    for row in reading.rows(AdmTax):
        code, account = row.tax_code.strip(), (row.ap_tax_gl_code or "").strip()
        taxes[code] = Tax(row.cur_tax_rate, account)
        if account:
            tax_codes.setdefault(account, code)
    segment = options.cost_centers if isinstance(options.cost_centers, Segment) else None
    places = Places(segment, tax_codes)
    return Books(currencies(reading, options), places, taxes, Days())

"""TblCurrency -> Currency, TblApTerms -> PaymentTerm.

SYSPRO: currency codes are free text of the site; a rate is multiplied (M) or divided by (D).
"""

from __future__ import annotations

from collections.abc import Iterator

from ml_connector.domain.records import Currency, PaymentTerm
from ml_connector.systems.base import Item
from ml_connector.systems.syspro.books import Currencies, currencies
from ml_connector.systems.syspro.listing import Listing
from ml_connector.systems.syspro.rates import plain
from ml_connector.systems.syspro.reading import Reading, Tables
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import TblApTerms, TblCurrency
from ml_connector.systems.syspro.terms import term

DIRECTIONS = {"M": "multiply", "D": "divide"}


def currency_codes(tables: Tables, options: Options) -> Listing[Currency]:
    """Source of Currency."""

    def read(reading: Reading) -> Iterator[list[Item[Currency]]]:
        units = currencies(reading, options)
        for rows in reading.pages(TblCurrency):
            yield [Item(key=row.currency.rstrip(), record=currency(row, units), invalid=row.fault) for row in rows]

    return Listing(tables, read)


def payment_terms(tables: Tables) -> Listing[PaymentTerm]:
    """Source of PaymentTerm."""

    def read(reading: Reading) -> Iterator[list[Item[PaymentTerm]]]:
        for rows in reading.pages(TblApTerms):
            yield [Item(key=row.terms_code.rstrip(), record=term(row), invalid=row.fault) for row in rows]

    return Listing(tables, read)


def currency(row: TblCurrency, units: Currencies) -> Currency:
    code = row.currency.rstrip()
    iso = units.iso(code)
    return Currency(
        code=code,
        name=(row.description or "").strip() or code,
        iso=iso,
        base=iso == units.local,
        rate=plain(row.buy_exchange_rate) if row.buy_exchange_rate else None,
        rate_direction=DIRECTIONS.get((row.buy_mul_div or "").strip()) if row.buy_exchange_rate else None,
    )

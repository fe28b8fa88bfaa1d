"""Currency <- currencies; PaymentTerm <- the terms that vendors have.

A currency's name is its ISO code; vendors and budgets name it by its id. Rates lead to or from the base currency, which
is not said. Payment terms have no list of their own: they are collected from the vendors, so that terms which only
orders have are missing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal

from ml_connector.domain.money import MINOR_UNITS
from ml_connector.domain.records import Currency, PaymentTerm
from ml_connector.systems.base import Cursor, Item, Page, Refused
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.reading import Whole, listed, rows
from ml_connector.systems.procurify.rows import flag, ident, key_of, number, part, plain, text, words
from ml_connector.systems.procurify.session import Domain, Json

PATH = "/api/v2/currencies/"
ABOUT = "the list of currencies"
DIRECTIONS = {"auto": None, "multiply": "multiply", "divide": "divide"}


def from_currency(row: Json, direction: str) -> Currency:
    """`direction`: the setting rate_direction."""
    name = text(row, "name")
    iso = name.upper() if name.upper() in MINOR_UNITS else None
    base = flag(row, "base") is True
    rate = None if base else number(row, "rate")
    return Currency(
        code=name,
        name=words(row, "description") or name,
        iso=iso,
        base=base,
        rate=None if rate is None else plain(rate),
        rate_direction=DIRECTIONS[direction] if rate is not None else None,
    )


def currencies(domain: Domain) -> Whole[Currency]:
    """Those that are switched on."""

    def convert(row: Json) -> Item[Currency] | None:
        if flag(row, "active") is False:
            return None
        record = from_currency(row, domain.options.rate_direction)
        return Item(record.code, record)

    return Whole(domain, PATH, key_of, convert, ABOUT)


def from_term(row: Json) -> PaymentTerm:
    key = ident(row, "id")
    return PaymentTerm(code=key, name=words(row, "name") or words(row, "description") or key)


class PaymentTerms:
    """Source of PaymentTerm."""

    def __init__(self, domain: Domain, vendors_path: str) -> None:
        self.domain = domain
        self.path = vendors_path

    def changes(self, since: Cursor | None) -> Iterator[Page[PaymentTerm]]:
        """All that any vendor has, each once."""
        seen: set[str] = set()
        for found in listed(self.domain, self.path, key_of, about="the payment terms of vendors"):
            items = []
            for row in found.rows:
                term = part(row, "payment_term_ref")
                if term and ident(term, "id") not in seen:
                    seen.add(ident(term, "id"))
                    items.append(Item(ident(term, "id"), from_term(term)))
            yield Page(items, None, found.digest)

    def keys(self) -> Iterator[str]:
        for page in self.changes(None):
            yield from (item.key for item in page.items)

    def get(self, key: str) -> Item[PaymentTerm] | None:
        return next((item for page in self.changes(None) for item in page.items if item.key == key), None)


class Currencies:
    """The currencies by id and by name. Read when first asked for."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._rows: list[Json] | None = None
        self._lock = threading.Lock()

    def name(self, key: str | None) -> str | None:
        """What the currency with an id is called; None for none, or one that is not there."""
        if key is None:
            return None
        return next((text(row, "name") for row in self._all() if ident(row, "id") == key), None)

    def key(self, iso: str, about: str) -> int:
        """The id of a currency. Raises Refused where it is not switched on."""
        for row in self._all():
            if text(row, "name").upper() == iso.upper() and flag(row, "active") is not False:
                return int(ident(row, "id"))
        raise Refused(
            "currency_not_allowed",
            f"{about} is in {iso}, which is not switched on in {NAME}. Add it there (Settings > Currencies); it "
            "follows then.",
            "currency",
        )

    @property
    def base(self) -> str:
        """Name of the base currency; empty where none is marked."""
        return next((text(row, "name") for row in self._all() if flag(row, "base")), "")

    def is_base(self, name: str) -> bool:
        return name.upper() == self.base.upper()

    def _all(self) -> list[Json]:
        with self._lock:
            if self._rows is None:
                self._rows = list(rows(self._domain, PATH, key_of, about=ABOUT))
            return self._rows


def rate_of(
    given: Decimal | None, direction: str, amount: Decimal | None, converted: Decimal | None, noise: Decimal
) -> Decimal | None:
    """The factor from a document's currency to the base currency; None where it is not known.

    `amount` and `converted` are the same sum in both: with `auto` the direction that leads from one to the other.
    """
    if not given or given < 0:
        return None
    given, inverse = plain(given), plain((1 / given).quantize(Decimal("0.000000001")))
    if direction != "auto":
        return given if direction == "multiply" else inverse
    if not amount or converted is None:
        return None
    agreeing = [rate for rate in (given, inverse) if abs(amount * rate - converted) <= noise]
    return agreeing[0] if agreeing else None

"""The currency of each vendor, which is the currency of its documents."""

from __future__ import annotations

from ml_connector.systems.bill.lists import NO_CURRENCY, created_pages, text, words
from ml_connector.systems.bill.session import Bill

PATH = "/v3/vendors"
DEFAULT = "USD"
"""What BILL gives a vendor that was made without a currency."""


ONE_BY_ONE = 3
"""Vendors that are asked for singly before the whole list is read."""


class Currencies:
    """Remembers what it was told. Threads may ask twice for the same vendor, never get a wrong answer."""

    def __init__(self, bill: Bill) -> None:
        self._bill = bill
        self._known: dict[str, str] = {}
        self._asked = 0

    def of(self, vendor: str) -> str:
        """ISO code; `XXX` for a vendor that BILL does not have, which agrees with no document."""
        if vendor not in self._known and self._asked == ONE_BY_ONE:
            self._asked += 1
            self.read_all()
        if vendor not in self._known:
            self._asked += 1
            row = self._bill.one(PATH, vendor, about=f"the currency of vendor {vendor}")
            self._known[vendor] = NO_CURRENCY if row is None else words(row, "billCurrency") or DEFAULT
        return self._known[vendor]

    def foresee(self, vendor: str, currency: str | None) -> None:
        """Takes a vendor for one that BILL has."""
        self._known[vendor] = currency or DEFAULT

    def read_all(self) -> None:
        """Fills the memory from the list, so that a long listing does not ask vendor by vendor."""
        for page in created_pages(self._bill, PATH, about="the currencies of vendors"):
            for row in page.rows:
                currency = words(row, "billCurrency")
                if currency:
                    self._known[text(row, "id")] = currency

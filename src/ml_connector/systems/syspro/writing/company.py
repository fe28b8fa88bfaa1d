"""What a posting has to know of the company and of a supplier, read once for each Run of a Flow."""

from __future__ import annotations

from functools import cached_property

from ml_connector.systems.base import Refused
from ml_connector.systems.syspro import company
from ml_connector.systems.syspro.books import Currencies, currencies
from ml_connector.systems.syspro.reading import Tables
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import TblCurrency
from ml_connector.systems.syspro.where import that
from ml_connector.systems.syspro.writing.form import Form
from ml_connector.systems.syspro.writing.tables import Payee


class Company:
    """The company's periods, currencies and suppliers, as they stood when they were first asked for."""

    def __init__(self, tables: Tables, options: Options) -> None:
        self.reading = tables.reading()
        self.options = options
        self._payees: dict[str, Payee | None] = {}
        self._divides: dict[str, str] = {}

    @cached_property
    def periods(self) -> company.Periods:
        return company.periods(self.reading, self.options)

    @cached_property
    def currencies(self) -> Currencies:
        return currencies(self.reading, self.options)

    def payee(self, code: str, form: Form) -> Payee:
        """Raises Refused for a supplier that SYSPRO does not have."""
        if code not in self._payees:
            rows = self.reading.rows(Payee, that("Supplier", "eq", code))
            self._payees[code] = rows[0] if rows else None
        found = self._payees[code]
        if found is None:
            raise Refused(
                "supplier_missing",
                f"{form.opening}: SYSPRO has no supplier {code}. Check the supplier's link; it may have been deleted.",
                "Supplier",
            )
        return found

    def check_payable(self, payee: Payee, form: Form) -> None:
        """Raises Refused for a supplier that is on hold (R47)."""
        if (payee.on_hold or "").strip() == "Y":
            raise Refused(
                "supplier_on_hold",
                f"{form.opening}: supplier {payee.supplier.strip()} ({(payee.supplier_name or '').strip()}) is on hold "
                "in SYSPRO. Lift the hold there, then retry.",
                "OnHold",
            )

    def check_currency(self, payee: Payee, iso: str, form: Form) -> bool:
        """Whether the currency is a foreign one. Raises Refused for another than the supplier's (R25)."""
        unit = self.currencies[payee.currency]
        if unit is None:
            raise Refused(
                "unmapped_code",
                f"{form.opening}: SYSPRO's currency {(payee.currency or '').strip()!r} of supplier "
                f"{payee.supplier.strip()} has no ISO code. Name it in the Connection's currency_codes.",
                "Currency",
            )
        if unit.iso != iso:
            raise Refused(
                "currency_not_allowed",
                f"{form.opening} is in {iso}; SYSPRO keeps supplier {payee.supplier.strip()} in {unit.iso}. Enter it "
                "under a supplier of that currency.",
                "Currency",
            )
        return unit.foreign

    def divides(self, code: str | None) -> str:
        """M or D: how SYSPRO applies rates of the currency with that code of its own."""
        plain = (code or "").strip()
        if plain not in self._divides:
            rows = self.reading.rows(TblCurrency, that("Currency", "eq", plain))
            self._divides[plain] = (rows[0].buy_mul_div or "").strip() if rows else "M"
        return self._divides[plain]

    def code(self, iso: str, form: Form) -> str:
        """SYSPRO's own code of a currency. Raises Refused where it has none."""
        rows = self.reading.rows(TblCurrency)
        found = next((row.currency.rstrip() for row in rows if self.currencies.iso(row.currency) == iso), None)
        if found is None:
            raise Refused(
                "currency_not_allowed",
                f"{form.opening} is in {iso}, which SYSPRO does not have. Set the currency up there, or name its code "
                "in the Connection's currency_codes.",
                "Currency",
            )
        return found

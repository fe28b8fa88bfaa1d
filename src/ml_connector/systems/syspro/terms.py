"""TblApTerms -> PaymentTerm, and the due date that terms give where an invoice has none. Pure, besides two look-ups.

SYSPRO: terms give either days after the invoice date or a day of a month so many months later. The terms of an
invoice are its supplier's.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from ml_connector.domain.records import PaymentTerm
from ml_connector.systems.syspro.rates import plain
from ml_connector.systems.syspro.reading import Reading
from ml_connector.systems.syspro.tables import SupplierTerms, TblApTerms
from ml_connector.systems.syspro.where import that


def term(row: TblApTerms) -> PaymentTerm:
    code = row.terms_code.rstrip()
    return PaymentTerm(
        code=code,
        name=(row.description or "").strip() or code,
        due_days=row.due_days or None,
        due_day_of_month=row.due_day_of_month or None,
        due_months=row.due_months or None,
        discount_percent=plain(row.disc_pct) if row.disc_pct else None,
        discount_days=row.disc_days or None,
    )


def due_date(terms: PaymentTerm | None, day: date, default_days: int) -> date:
    """When an invoice of a day is due under the terms; after `default_days` where they say nothing."""
    if terms is not None and terms.due_day_of_month:
        months = day.year * 12 + day.month - 1 + (terms.due_months or 0)
        year, month = months // 12, months % 12 + 1
        last = calendar.monthrange(year, month)[1]
        return date(year, month, min(terms.due_day_of_month, last))
    if terms is not None and terms.due_days:
        return day + timedelta(days=terms.due_days)
    return day + timedelta(days=default_days)


class DueDates:
    """Due dates by the supplier's terms, read when the first invoice needs them."""

    def __init__(self, reading: Reading, default_days: int) -> None:
        self._reading = reading
        self._default_days = default_days
        self._terms: dict[str, PaymentTerm] | None = None
        self._codes: dict[str, str] = {}

    def __call__(self, supplier: str, day: date) -> date:
        if self._terms is None:
            self._terms = {term(row).code: term(row) for row in self._reading.rows(TblApTerms)}
        if supplier not in self._codes:
            found = self._reading.rows(SupplierTerms, that("Supplier", "eq", supplier))
            self._codes[supplier] = (found[0].terms_code or "").rstrip() if found else ""
        return due_date(self._terms.get(self._codes[supplier]), day, self._default_days)

"""ApJnlDistrib -> the lines of a document. Pure.

SYSPRO: the ledger rows of a journal entry are its coding. Tax is a row on a tax account, or the remainder that the
first tax code explains. Rows of a foreign invoice are in the company's currency: they are restated into the
document's, so that they add up to its gross amount exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation

from ml_connector.domain.money import NotAnAmount, restated, step
from ml_connector.domain.numbers import MARK_PATTERN
from ml_connector.domain.records import InvoiceLine, LineKind
from ml_connector.systems.syspro.books import Books, Place, Unit
from ml_connector.systems.syspro.rates import multiplier
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import ApInvoice, ApJnlDistrib

TOLERANCE_STEPS = 5
"""Minor units, 0.05, by which a computed tax or a converted total may differ from what was booked."""

ZERO = Decimal(0)
ITEM, TAX, FREIGHT = LineKind.ITEM, LineKind.TAX, LineKind.FREIGHT

exact = Context(prec=28, traps=[Inexact, InvalidOperation]).quantize
"""Quantises, and raises one of INEXACT where a digit would be lost."""

INEXACT = (Inexact, InvalidOperation)


class Unsound(ValueError):
    """Why one document cannot travel, as `cause: text`."""


def said(text: str | None) -> str | None:
    """A text as people wrote it, without the mark of what we have posted: that means nothing elsewhere."""
    return MARK_PATTERN.sub("", text or "").strip() or None


Ledger = tuple[tuple[InvoiceLine, ...], Decimal, Decimal, Decimal | None, str | None]
"""A document's lines; its tax and its freight among them; their total in the company's currency where the document
is foreign; and why it cannot travel, if so."""


class Coding:
    """Turns ledger rows into lines, with what is known of the company."""

    def __init__(self, books: Books, options: Options) -> None:
        self._options = options
        self._local_step = step(books.currencies.local)
        self._places = books.places
        self._taxes = books.taxes
        self._freight = options.freight_types

    def ledger(self, header: ApInvoice, coding: Sequence[ApJnlDistrib], gross: Decimal, unit: Unit) -> Ledger:
        """The lines that the ledger rows are, in the document's currency."""
        if unit.foreign and self._options.distribution_is_local:
            return self.explained(header, coding, gross, unit)
        places, smallest, freight_types = self._places, unit.step, self._freight
        lines = []
        total = tax = freight = ZERO
        try:
            for row in coding:
                amount = exact(row.distr_value, smallest)
                total += amount
                account, center, tax_code = places[row.expense_gl_code]
                kind = ITEM
                if tax_code is not None:
                    kind = TAX
                    tax += amount
                elif row.expense_type in freight_types:
                    kind = FREIGHT
                    freight += amount
                text = (row.reference or "").strip() or None
                lines.append(
                    InvoiceLine(
                        line_key=str(row.sub_entry),
                        kind=kind,
                        description=text,
                        amount=amount,
                        account=account,
                        cost_center=center,
                        tax_code=tax_code,
                    )
                )
        except INEXACT:
            return self.explained(header, coding, gross, unit)
        if total != gross:
            return self.explained(header, coding, gross, unit)
        return tuple(lines), tax, freight, None, None

    def explained(
        self,
        header: ApInvoice,
        coding: Sequence[ApJnlDistrib],
        gross: Decimal,
        unit: Unit,
        *,
        either_sign: bool = False,
    ) -> Ledger:
        """The lines where the rows do not simply add up: restated, turned in sign, with the tax that they lack."""
        places = self._places
        rows = [places[row.expense_gl_code] for row in coding]
        restate = unit.foreign and self._options.distribution_is_local
        smallest = self._local_step if restate else unit.step
        problem: str | None = None
        base: Decimal | None = None
        try:
            amounts = [exact(row.distr_value, smallest) for row in coding]
        except INEXACT:
            amounts = [row.distr_value for row in coding]
            problem = unreadable(header, "a ledger row has more digits than its currency knows")
        total = sum(amounts, ZERO)
        if either_sign and total < 0:
            amounts, total = [-amount for amount in amounts], -total
        expected = (gross * rate(header)).quantize(smallest) if restate else gross
        if total != expected and problem is None:
            problem = fault(coding)
        if total != expected and problem is None:
            try:
                tax = self._remainder(header, rows, amounts, expected, smallest, converted=restate)
            except Unsound as unsound:
                problem = str(unsound)
            else:
                if tax is not None:
                    rows.append(tax)
                    amounts.append(expected - total)
        if restate:
            base = sum(amounts, ZERO)
        if restate and problem is None:
            try:
                amounts = restated(amounts, gross, unit.iso)
            except NotAnAmount as impossible:
                problem = f"totals_differ: Invoice {header.invoice.strip()}: {impossible}"
        return self._lines(coding, rows, amounts, base, problem)

    def _remainder(
        self,
        header: ApInvoice,
        rows: Sequence[Place],
        amounts: Sequence[Decimal],
        expected: Decimal,
        smallest: Decimal,
        *,
        converted: bool,
    ) -> Place | None:
        """The tax that explains what the rows lack, or None for a difference that conversion explains.

        Raises Unsound where nothing does.
        """
        total = sum(amounts, ZERO)
        rest, tolerance = expected - total, smallest * TOLERANCE_STEPS
        if converted and amounts and abs(rest) <= tolerance:
            return None
        code = (header.first_tax_code or "").strip()
        tax = self._taxes.get(code)
        net = sum((amount for row, amount in zip(rows, amounts, strict=True) if row.tax_code is None), ZERO)
        if tax is not None and tax.account and abs(net * tax.percent / 100 - rest) <= tolerance and rest > 0:
            return self._places[tax.account]._replace(tax_code=code)
        said = f"{len(amounts)} ledger rows that add up to {total}" if amounts else "no ledger rows"
        raise Unsound(
            f"totals_differ: Invoice {header.invoice.strip()} of {header.supplier.strip()} comes to {expected} but has "
            f"{said}; the difference of {rest} is not explained by tax code {code or '(none)'}."
        )

    def _lines(
        self,
        coding: Sequence[ApJnlDistrib],
        rows: Sequence[Place],
        amounts: Sequence[Decimal],
        base: Decimal | None,
        problem: str | None,
    ) -> Ledger:
        lines = []
        tax = freight = ZERO
        freight_types = self._freight
        for row, (account, center, tax_code), amount in zip(coding, rows, amounts, strict=False):
            kind = ITEM
            if tax_code is not None:
                kind = TAX
                tax += amount
            elif row.expense_type in freight_types:
                kind = FREIGHT
                freight += amount
            lines.append(
                InvoiceLine(
                    line_key=str(row.sub_entry),
                    kind=kind,
                    description=said(row.reference),
                    amount=amount,
                    account=account,
                    cost_center=center,
                    tax_code=tax_code,
                )
            )
        for (account, center, tax_code), amount in zip(rows[len(coding) :], amounts[len(coding) :], strict=True):
            tax += amount
            lines.append(
                InvoiceLine(
                    line_key=f"tax {tax_code}",
                    kind=TAX,
                    description=f"Tax {tax_code}",
                    amount=amount,
                    account=account,
                    cost_center=center,
                    tax_code=tax_code,
                )
            )
        return tuple(lines), tax, freight, base, problem


def rate(header: ApInvoice) -> Decimal:
    """What one unit of the document's currency is worth in the company's; 1 where SYSPRO states no rate."""
    return multiplier(header.conv_rate, header.mul_div)


def fault(coding: Sequence[ApJnlDistrib]) -> str | None:
    for row in coding:
        if row.fault is not None:
            return row.fault
    return None


def unreadable(header: ApInvoice, why: str) -> str:
    return f"source_shape_changed: Invoice {header.invoice.strip()} of {header.supplier.strip()}: {why}."

"""Rows of ApInvoice, ApJnlSummary and ApJnlDistrib -> Invoice. Pure.

SYSPRO: OrigInvValue is the gross amount in the supplier's currency, MthInvBal1 what is open of it, TotalAdjustments
what was booked on it later. A credit or debit note has no number of its own: it is booked on its invoice's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from ml_connector.domain.money import rounded
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceStatus
from ml_connector.systems.base import Item
from ml_connector.systems.syspro.books import Books, Unit
from ml_connector.systems.syspro.keys import entry_key, invoice_key
from ml_connector.systems.syspro.ledger import INEXACT, ZERO, Coding, Unsound, exact, rate, said, unreadable
from ml_connector.systems.syspro.postings import ADJUSTMENT, CREDIT, DEBIT, Moved
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApJnlDistrib, ApJnlSummary

NO_DATE = date(1900, 1, 1)
"""Stands for a date that cannot be read, in a record that cannot travel for it."""

DueDate = Callable[[str, date], date]
"""Due date of a supplier's invoice of a date, where SYSPRO has none."""


Head = tuple[Decimal, Decimal, Decimal | None, date, date | None, date | None, date | None]
"""What a header states, read: gross, open, discount; dates of the invoice, its journal, its due and discount day."""

RATE_SOURCE = "SYSPRO"
_MONTHS = tuple(f"{month:02}" for month in range(100))
_APPROVED, _VOIDED = InvoiceStatus.APPROVED, InvoiceStatus.VOIDED


class Documents:
    """Turns rows into Items of Invoice, with what is known of the company."""

    def __init__(self, books: Books, options: Options, due_date: DueDate) -> None:
        self._options = options
        self._due_date = due_date
        self._units = books.currencies
        self._coding = Coding(books, options)
        self._days = books.days
        self._status_map = options.status_map

    def invoice(self, header: ApInvoice, coding: Sequence[ApJnlDistrib], moved: Moved | None = None) -> Item[Invoice]:
        """The invoice of a header. `moved` is None where nothing was paid or booked on it since."""
        problem = header.fault
        unit = self._units[header.currency]
        if unit is None:
            unit, problem = self._unmapped(header)
        try:
            gross, left, discount, day, posted, due, discount_day = self._head(header, unit)
        except Unsound as unsound:
            problem = problem or str(unsound)
            gross, left, discount, day = header.orig_inv_value, header.mth_inv_bal1, None, NO_DATE
            posted, due, discount_day = None, NO_DATE, None
        supplier = header.supplier.rstrip()
        lines, tax, freight, base, unexplained = self._coding.ledger(header, coding, gross, unit)
        voided, paid, hold = False, ZERO, None
        if moved is not None:
            paid = self.paid(moved.payments)
            voided = self.reversed(header, moved)
        if self._status_map and (state := self._status_map.get((header.invoice_status or "").strip())):
            voided = voided or state == "voided"
            hold = "held in SYSPRO" if state == "hold" else None
        record = Invoice(  # at most 15 arguments: with more, Python passes them by way of a dictionary
            number=header.invoice.strip(),
            supplier=supplier,
            date=day,
            posting_date=posted,
            due_date=due or self._due_date(supplier, day),
            currency=unit.iso,
            gross=gross,
            net=gross - tax - freight if tax or freight else gross,
            tax=tax,
            freight=freight,
            status=_VOIDED if voided else _APPROVED,
            memo=said(header.reference),
            voucher=f"{header.invoice_year}-{_MONTHS[header.invoice_month]}/{header.journal}",
            lines=lines,
        )
        if discount or hold:
            record = replace(record, discount=discount, discount_date=discount_day if discount else None, hold=hold)
        if unit.foreign:
            record = replace(record, rate=rate(header), rate_date=day, rate_source=RATE_SOURCE, base_gross=base)
        observed = {"open": str(left), "paid": str(paid.quantize(unit.step)) if paid else "0"}
        return Item(invoice_key(supplier, header.invoice), record, None, None, observed, problem or unexplained)

    def further(
        self, summary: ApJnlSummary, header: ApInvoice, coding: Sequence[ApJnlDistrib], moved: Moved
    ) -> Item[Invoice] | None:
        """What was booked on an invoice later, as a document of its own; None where it is none.

        None are: a revaluation, which changes no amount of the supplier's currency, and what takes the whole
        invoice back, which is a version of that invoice.
        """
        if summary.invoice_value == 0 or (self.reversed(header, moved) and self._takes_all(summary, header)):
            return None
        return self.entry(summary, header, coding, moved)

    def entry(
        self, summary: ApJnlSummary, header: ApInvoice, coding: Sequence[ApJnlDistrib], moved: Moved
    ) -> Item[Invoice]:
        """What was booked on an invoice later, as a document, whatever it does to the invoice."""
        problem = summary.fault or header.fault
        unit = self._units[header.currency]
        if unit is None:
            unit, problem = self._unmapped(header)
        try:
            gross = abs(self._amount(summary.invoice_value, header, unit))
            booked = self._booked(header, coding)
            _, _, _, invoiced, posted, due, _ = self._head(header, unit)
        except Unsound as unsound:
            problem = problem or str(unsound)
            gross, booked, invoiced, posted, due = abs(summary.invoice_value), None, NO_DATE, None, None
        day = booked or posted or invoiced
        entry = (summary.trn_year, summary.trn_month, summary.journal, summary.entry_number)
        lowers = self.lowers(summary)
        lines, tax, freight, base, unexplained = self._coding.explained(header, coding, gross, unit, either_sign=True)
        due = day if lowers else max(day, due or self._due_date(header.supplier.rstrip(), day))
        voided = self.reversed(header, moved)
        record = Invoice(
            kind=self._kind(summary),
            number=_number(header.invoice.strip(), summary, lowers=lowers),
            supplier=header.supplier.rstrip(),
            date=day,
            posting_date=day,
            due_date=due,
            currency=unit.iso,
            gross=gross,
            net=gross - tax - freight,
            tax=tax,
            freight=freight,
            status=_VOIDED if voided else _APPROVED,
            corrects=invoice_key(header.supplier, header.invoice),
            memo=next((text for row in coding if (text := said(row.reference))), None),
            voucher=f"{summary.trn_year}-{_MONTHS[summary.trn_month]}/{summary.journal}",
            lines=lines,
        )
        if unit.foreign:
            record = replace(record, rate=rate(header), rate_date=day, rate_source=RATE_SOURCE, base_gross=base)
        return Item(key=entry_key(entry), record=record, invalid=problem or unexplained)

    def lowers(self, summary: ApJnlSummary) -> bool:
        """Whether the entry lowers what is owed: a credit note, a negative adjustment, a debit note as set."""
        code = (summary.transaction_code or "").strip()
        if code == DEBIT:
            return not self._options.debit_raises
        return code == CREDIT or (code == ADJUSTMENT and summary.invoice_value < 0)

    def reversed(self, header: ApInvoice, moved: Moved) -> bool:
        """Whether the invoice was taken back as a whole, unpaid: SYSPRO has no mark for that."""
        if header.orig_inv_value == 0 or self.paid(moved.payments) != 0:
            return False
        adjusted = sum((s.invoice_value for s in moved.further if _code(s) == ADJUSTMENT), ZERO)
        return (
            header.orig_inv_value + header.total_adjustments == 0
            or header.orig_inv_value + adjusted == 0
            or any(_code(s) == CREDIT and self._takes_all(s, header) for s in moved.further)
        )

    def paid(self, payments: Iterable[ApInvoicePay]) -> Decimal:
        """What payments settled, discount included, less what was taken back; the sign of a site's rows does not
        matter."""
        options, payments = self._options, list(payments)
        taken, off, back = (
            abs(sum((p.trn_value for p in payments if (p.trn_type or "").strip() in letters), ZERO))
            for letters in (options.payment_types, options.discount_types, options.void_types)
        )
        return taken + off - back

    def _takes_all(self, summary: ApJnlSummary, header: ApInvoice) -> bool:
        return self.lowers(summary) and abs(summary.invoice_value) >= abs(header.orig_inv_value)

    def _kind(self, summary: ApJnlSummary) -> InvoiceKind:
        if self.lowers(summary):
            return InvoiceKind.CREDIT_NOTE
        return InvoiceKind.DEBIT_NOTE if _code(summary) == DEBIT else InvoiceKind.INVOICE

    def _unmapped(self, header: ApInvoice) -> tuple[Unit, str]:
        code = (header.currency or "").strip()
        return Unit(code, Decimal("0.01"), foreign=False), (
            f"unmapped_code: SYSPRO's currency {code!r} on invoice {header.invoice.strip()} has no ISO code. Name it "
            "in the Connection's currency_codes."
        )

    def _head(self, header: ApInvoice, unit: Unit) -> Head:
        """Raises Unsound for an amount or a date that cannot be read."""
        days, smallest, discount = self._days, unit.step, None
        try:
            posted = days[header.journal_date]
            day = days[header.invoice_date] or posted
            due = days[header.due_date]
            discount_day = days[header.discount_date]
            if unit.foreign and self._options.values_are_local:
                gross = self._amount(header.orig_inv_value, header, unit)
                left = self._amount(header.mth_inv_bal1, header, unit)
            else:
                gross, left = exact(header.orig_inv_value, smallest), exact(header.mth_inv_bal1, smallest)
            if header.orig_disc_value > 0:
                discount = self._amount(header.orig_disc_value, header, unit)
            negative = gross < 0
        except Unsound:
            raise
        except ValueError as no_date:
            raise Unsound(unreadable(header, str(no_date))) from None
        except INEXACT:
            raise Unsound(unreadable(header, f"an amount is none of {unit.iso}, or has too many digits")) from None
        if day is None:
            raise Unsound(unreadable(header, "it has no date"))
        if negative:
            raise Unsound(
                f"unknown_status: Invoice {header.invoice.strip()} of {header.supplier.strip()} has the negative value "
                f"{header.orig_inv_value}; SYSPRO books credits on the invoice that they correct."
            )
        return gross, left, discount, day, posted, due, discount_day

    def _booked(self, header: ApInvoice, coding: Sequence[ApJnlDistrib]) -> date | None:
        try:
            return self._days[coding[0].trn_date] if coding else None
        except ValueError as no_date:
            raise Unsound(unreadable(header, str(no_date))) from None

    def _amount(self, value: Decimal, header: ApInvoice, unit: Unit) -> Decimal:
        """A value of the header in the document's currency. Raises Unsound."""
        if unit.foreign and self._options.values_are_local:
            return rounded(value / rate(header), unit.iso)
        try:
            return exact(value, unit.step)
        except INEXACT:
            raise Unsound(unreadable(header, f"{value} has more digits than {unit.iso} knows")) from None


def _number(invoice: str, summary: ApJnlSummary, *, lowers: bool) -> str:
    """SYSPRO gives none: `<Invoice>-C<journal><entry>` for what lowers, `<Invoice>-A<journal>` for what raises."""
    if lowers:
        return f"{invoice}-C{summary.journal}{summary.entry_number:03}"
    return f"{invoice}-A{summary.journal}"


def _code(summary: ApJnlSummary) -> str:
    return (summary.transaction_code or "").strip()

"""What the tables show of payments: the invoices that are owed, and the rows that settle them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.domain.numbers import find_mark
from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import DocumentState, Found
from ml_connector.systems.syspro.dates import readable_date
from ml_connector.systems.syspro.documents import NO_DATE
from ml_connector.systems.syspro.keys import invoice_key, parts, payment_key
from ml_connector.systems.syspro.payments import discount, settled
from ml_connector.systems.syspro.postings import DOCUMENT, ENTRY
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApJnlSummary
from ml_connector.systems.syspro.where import that
from ml_connector.systems.syspro.writing.apstpm import Owed, Release, releases
from ml_connector.systems.syspro.writing.company import Company


@dataclass(frozen=True, slots=True)
class Settled:
    """One invoice's row of a payment."""

    row: ApInvoicePay
    discount: Decimal
    """What SYSPRO shows of it beside the row."""
    undone: bool
    """Whether it was taken back."""

    @property
    def key(self) -> str:
        return invoice_key(self.row.supplier, self.row.invoice)

    @property
    def net(self) -> Decimal:
        return abs(self.row.trn_value)


Rows = Sequence[Settled]


class Paid:
    """Reads payments of one company."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def released(self, record: Payment) -> dict[str, Release]:
        """By invoice; what a credit note is used for counts on the invoice that it is booked on."""
        entries = {paid.invoice: parts(paid.invoice) for paid in record.allocations}
        credits = {key: tuple(map(int, named)) for key, named in entries.items() if len(named) == len(ENTRY)}
        rows = self._company.reading.matching(ApJnlSummary, ENTRY, sorted(credits.values())) if credits else []
        booked_on = {
            (row.trn_year, row.trn_month, row.journal, row.entry_number): invoice_key(row.supplier, row.invoice)
            for row in rows
        }
        return releases(record, {key: booked_on[entry] for key, entry in credits.items() if entry in booked_on})

    def owed(self, keys: Sequence[str]) -> dict[str, Owed]:
        documents = [(named[0], named[-1]) for named in map(parts, keys) if len(named) == len(DOCUMENT)]
        rows = self._company.reading.matching(ApInvoice, DOCUMENT, documents)
        units = self._company.currencies
        return {
            invoice_key(row.supplier, row.invoice): Owed(
                row.supplier.rstrip(), row.invoice.rstrip(), units.iso(row.currency) or "", row.mth_inv_bal1
            )
            for row in rows
        }

    def settled(self, documents: Sequence[tuple[str, str]]) -> list[Settled]:
        """The payments of the invoices, in the order of invoices."""
        rows = self._company.reading.matching(ApInvoicePay, DOCUMENT, documents)
        by_invoice: dict[str, list[ApInvoicePay]] = {}
        for row in rows:
            by_invoice.setdefault(invoice_key(row.supplier, row.invoice), []).append(row)
        options = self._company.options
        return [
            Settled(row, discount(row, mine, options), undone)
            for mine in by_invoice.values()
            for row, undone in settled(mine, options)
        ]

    def payment(self, key: str) -> Rows:
        """The rows of the payment that has the row of that key: those of its supplier with its reference."""
        supplier, invoice, entry = parts(key)
        named = [each for each in self.settled([(supplier, invoice)]) if each.row.entry_number == int(entry)]
        reference = (named[0].row.payment_reference or "").strip() if named else ""
        if not reference:
            return named
        mine = that("Supplier", "eq", supplier).plus(that("PaymentReference", "eq", reference))
        documents = {(row.supplier, row.invoice): None for row in self._company.reading.rows(ApInvoicePay, mine)}
        paid = self.settled(list(documents))
        return [each for each in paid if (each.row.payment_reference or "").strip() == reference]

    def found(self, rows: Rows) -> Found[Payment]:
        first = rows[0].row
        units = self._company.currencies
        keys = [each.key for each in rows]
        owed = self.owed(keys)
        gone = all(each.undone for each in rows)
        record = Payment(
            supplier=first.supplier.rstrip(),
            date=readable_date(first.journal_date) or NO_DATE,
            amount=sum((each.net for each in rows), Decimal(0)),
            currency=owed[keys[0]].currency if keys[0] in owed else units.local,
            reference=(first.payment_reference or "").strip() or None,
            status=PaymentStatus.VOIDED if gone else PaymentStatus.ISSUED,
            allocations=tuple(
                PaymentAllocation(
                    invoice=each.key, gross=each.net + each.discount, net=each.net, discount=each.discount
                )
                for each in rows
            ),
        )
        lines = tuple(payment_key(each.row.supplier, each.row.invoice, each.row.entry_number) for each in rows)
        run = str(first.payment_number or "").strip()
        state = DocumentState.ARCHIVED if gone else DocumentState.PAID
        return Found(
            lines[0],
            record,
            find_mark(first.payment_reference or ""),
            state,
            lines=lines,
            vouchers=(run,) if run else (),
        )

"""ApInvoicePay and ApPayRunDet -> Payment, one for each time that an invoice was paid.

SYSPRO: ApInvoicePay has a row per payment and invoice, with the letters of other transactions beside; what takes a
payment back is a row of its own. The cheque is in ApPayRunDet, by payment number, where the payment came from a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any

from ml_connector.domain.money import NotAnAmount, quantise
from ml_connector.domain.numbers import normalised_code
from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.syspro.books import Currencies, Unit, currencies
from ml_connector.systems.syspro.dates import readable_date, to_date
from ml_connector.systems.syspro.documents import NO_DATE
from ml_connector.systems.syspro.invoices import latest, since_day
from ml_connector.systems.syspro.keys import invoice_key, parts, payment_key
from ml_connector.systems.syspro.postings import DOCUMENT, bare
from ml_connector.systems.syspro.progress import SCAN, Progress, progress
from ml_connector.systems.syspro.rates import multiplier
from ml_connector.systems.syspro.reading import Tables, key_of
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApPayRunDet

_place = key_of(ApInvoicePay, ApInvoicePay.KEY)

Document = tuple[str, str]

NONE = Decimal(0)


class Payments:
    """Source of Payment."""

    def __init__(
        self, tables: Tables, options: Options, policy: Mapping[str, Any], now: Callable[[], datetime]
    ) -> None:
        start = policy.get("from_date")
        self._from_date = date.fromisoformat(start) if isinstance(start, str) else start
        self._reading = tables.reading()
        self._options = options
        self._now = now

    def changes(self, since: Cursor | None) -> Iterator[Page[Payment]]:
        """Payments of the invoices that have a row since the last journal date seen, less the overlap (R14)."""
        done = progress(since)
        start = self._from_date
        if done.since is not None:
            start = done.since - timedelta(days=self._options.overlap_days)
        today = self._now().astimezone(self._options.zone).date()
        for rows, documents in self._documents(start, done.after):
            done = done.at(SCAN, _place(rows[-1]), latest((row.journal_date for row in rows), today, done.seen))
            yield Page(self._items(documents), done.cursor(), self._reading.digest())
        yield Page([], Progress(since=done.seen or done.since).cursor(), self._reading.digest())

    def sweep(self) -> Iterator[Page[Payment]]:
        """Every payment of the policy, as it is now."""
        for _, documents in self._documents(self._from_date, ()):
            yield Page(self._items(documents), None, self._reading.digest())

    def keys(self) -> Iterator[str]:
        for page in self.sweep():
            yield from (item.key for item in page.items)

    def get(self, key: str) -> Item[Payment] | None:
        supplier, invoice, _ = parts(key)
        return next((item for item in self._items([(supplier, invoice)]) if item.key == key), None)

    def _documents(
        self, start: date | None, after_key: Sequence[str | int]
    ) -> Iterator[tuple[list[ApInvoicePay], list[Document]]]:
        """Pages of rows in the order of invoices, and the invoices that they name, each once."""
        last: Document | None = None
        for rows in self._reading.pages(ApInvoicePay, since_day(start), after_key=after_key):
            if rows:
                named = dict.fromkeys((row.supplier, row.invoice) for row in rows)
                yield rows, [document for document in named if document != last]
                last = (rows[-1].supplier, rows[-1].invoice)

    @cached_property
    def _units(self) -> Currencies:
        return currencies(self._reading, self._options)

    def _items(self, documents: Sequence[Document]) -> list[Item[Payment]]:
        """All payments of the invoices, whatever their day, so that what took one back is seen with it."""
        rows = self._reading.matching(ApInvoicePay, DOCUMENT, documents)
        rows.sort(key=_place)
        mine = [
            (row, discount(row, of_one, self._options), undone)
            for of_one in (list(group) for _, group in groupby(rows, attrgetter("supplier", "invoice")))
            for row, undone in settled(of_one, self._options)
            if self._in_time(row)
        ]
        if not mine:
            return []
        paid = list(dict.fromkeys((row.supplier, row.invoice) for row, _, _ in mine))
        headers = self._reading.matching(ApInvoice, DOCUMENT, paid)
        units = {bare(header.supplier, header.invoice): self._units[header.currency] for header in headers}
        cheques = {_run(row): row for row in self._reading.matching(ApPayRunDet, DOCUMENT, paid)}
        return [
            payment(
                row,
                units.get(bare(row.supplier, row.invoice)),
                cheques.get(_run(row)),
                self._units,
                taken=taken,
                undone=undone,
            )
            for row, taken, undone in mine
        ]

    def _in_time(self, row: ApInvoicePay) -> bool:
        day = readable_date(row.journal_date)
        return self._from_date is None or day is None or day >= self._from_date


def settled(rows: Sequence[ApInvoicePay], options: Options) -> list[tuple[ApInvoicePay, bool]]:
    """The payments among the rows of one invoice, and whether each was taken back since.

    A payment is taken back by a void, or by a payment of the opposite sign, of its amount, with or without the discount
    that was taken with it: the latest one that is left, of the same payment number where there is one.
    """
    payments: list[ApInvoicePay] = []
    undone: set[int] = set()
    for row in rows:
        kind = (row.trn_type or "").strip()
        paying = kind in options.payment_types
        if kind in options.void_types or (paying and payments and (row.trn_value < 0) != (payments[0].trn_value < 0)):
            same = [i for i, p in enumerate(payments) if _takes_back(row, p, rows, options) and i not in undone]
            numbered = [i for i in same if _plain(payments[i].payment_number) == _plain(row.payment_number)]
            undone.update((numbered or same)[-1:])
        elif paying:
            payments.append(row)
    return [(row, index in undone) for index, row in enumerate(payments)]


def discount(row: ApInvoicePay, rows: Sequence[ApInvoicePay], options: Options) -> Decimal:
    """The settlement discount that was taken with a payment, where SYSPRO shows it in a row of its own beside it."""
    said, number = (row.payment_reference or "").strip(), _plain(row.payment_number)
    return sum(
        (
            abs(other.trn_value)
            for other in rows
            if (other.trn_type or "").strip() in options.discount_types
            and (_plain(other.payment_number), (other.payment_reference or "").strip()) == (number, said)
        ),
        NONE,
    )


def _takes_back(void: ApInvoicePay, paid: ApInvoicePay, rows: Sequence[ApInvoicePay], options: Options) -> bool:
    value, net = abs(void.trn_value), abs(paid.trn_value)
    return value == net or value == net + discount(paid, rows, options)


def payment(
    row: ApInvoicePay,
    unit: Unit | None,
    cheque: ApPayRunDet | None,
    units: Currencies,
    *,
    undone: bool,
    taken: Decimal = NONE,
) -> Item[Payment]:
    """One row of a payment type, with its cheque where it came from a payment run. `taken`: the discount beside it."""
    problem = row.fault
    if unit is None:
        problem = f"unmapped_code: The currency of invoice {row.invoice.strip()}, paid in SYSPRO, has no ISO code."
        unit = Unit("", Decimal("0.01"), foreign=False)
    try:
        day = to_date(cheque.cheque_date if cheque is not None else None) or to_date(row.journal_date) or NO_DATE
    except ValueError as no_date:
        day, problem = NO_DATE, f"source_shape_changed: Payment of {row.invoice.strip()}: {no_date}."
    amount = abs(row.trn_value)
    try:
        amount, taken = (quantise(each, unit.iso) if unit.iso else each for each in (amount, taken))
    except NotAnAmount as inexact:
        problem = f"source_shape_changed: Payment of {row.invoice.strip()}: {inexact}"
    number = _plain(cheque.cheque) if cheque is not None else None
    record = Payment(
        supplier=row.supplier.rstrip(),
        date=day,
        amount=amount,
        currency=unit.iso,
        method="check" if number else "other",
        reference=(row.payment_reference or "").strip() or number or None,
        status=PaymentStatus.VOIDED if undone else PaymentStatus.ISSUED,
        rate=multiplier(row.post_conv_rate, row.post_mul_div) if unit.foreign else None,
        base_amount=_base(row, units),
        allocations=(
            PaymentAllocation(
                invoice=invoice_key(row.supplier, row.invoice), gross=amount + taken, net=amount, discount=taken
            ),
        ),
    )
    return Item(key=payment_key(row.supplier, row.invoice, row.entry_number), record=record, invalid=problem)


def _base(row: ApInvoicePay, units: Currencies) -> Decimal | None:
    """PostValue, where it is in the company's own currency."""
    posted = units[row.post_currency]
    return None if posted is None or posted.foreign else row.post_value.quantize(posted.step)


def _run(row: ApInvoicePay | ApPayRunDet) -> tuple[str, str, str]:
    return (_plain(row.payment_number), *bare(row.supplier, row.invoice))


def _plain(number: str | int | None) -> str:
    """A number that one route gives as text and the other as a number."""
    return normalised_code("" if number is None else str(number)) if number else ""

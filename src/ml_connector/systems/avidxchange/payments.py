"""Payment <- payment of AvidPay, with what it settles.

Statuses are texts; which of them count as paid or taken back is the Connection's choice; an unknown one is never paid.
There are two check numbers: the network's is the one that was issued. A remittance below zero is a credit note that was
used: it lessens the cash for the invoices beside it. A remittance names an invoice by our mark, else by vendor and
number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ml_connector.domain.numbers import MARK_PATTERN, normalised
from ml_connector.domain.records import CreditUsed, Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.avidxchange.documents import document_key
from ml_connector.systems.avidxchange.invoices import invoice_row
from ml_connector.systems.avidxchange.lists import Changing, narrowed, pages
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import Row
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.avidxchange.vendors import code_of
from ml_connector.systems.base import Item

REFERENCES = ("check", "trace", "card")
"""Where the number lies by which people know a payment, best first."""
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Settled:
    """One remittance: what of one document is settled."""

    invoice: str
    net: Decimal
    discount: Decimal


@dataclass(frozen=True)
class Payments:
    """Turns rows into payments; remembers which invoice a number belongs to for as long as it lives."""

    avid: Avid
    _numbers: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def item(self, body: Json) -> Item[Payment]:
        row = Row(self.avid.contract.records.payment, body, "a payment")
        currency = row.words("currency") or self.avid.settings.default_currency
        amount = row.amount_of("amount", currency)
        supplier = code_of(row.text("vendor"))
        cleared, changed = row.day("cleared"), row.instant("modified")
        paid_on = row.day("date") or cleared or (changed.date() if changed else None)
        if paid_on is None:
            raise row.missing("date")
        settled, unknown = self._settled(row, supplier, currency, paid_on)
        allocations, left = _allocations(settled)
        record = Payment(
            supplier=supplier,
            date=paid_on,
            amount=amount,
            currency=currency,
            method=self._method(row),
            reference=next((text for name in REFERENCES if (text := row.words(name))), None),
            status=self._status(row),
            status_text=row.words("status"),
            failure="; ".join(row.texts("reasons")) or None,
            cleared_date=cleared,
            allocations=allocations,
        )
        return Item(
            row.text("id"),
            record,
            row.stamp("modified"),
            changed,
            invalid=_invalid(record, [*settled], unknown, left),
        )

    def _status(self, row: Row) -> PaymentStatus:
        said = (row.words("status") or "").casefold()
        words = self.avid.contract.words.payment
        status = next(
            (ours for ours, texts in words.items() if said in {text.casefold() for text in texts}),
            PaymentStatus.UNKNOWN,
        )
        if status.value in self.avid.settings.post_payment_when:
            return PaymentStatus.CLEARED
        if status is PaymentStatus.CLEARED:
            return PaymentStatus.ISSUED
        return PaymentStatus.VOIDED if status.value in self.avid.settings.reverse_payment_when else status

    def _method(self, row: Row) -> str:
        said = (row.words("method") or "").casefold()
        words = self.avid.contract.words.method
        return next((ours for ours, texts in words.items() if said in {text.casefold() for text in texts}), "other")

    def _settled(self, row: Row, supplier: str, currency: str, paid_on: date) -> tuple[list[Settled], list[str]]:
        """What is settled, and the numbers of what is not known."""
        found, unknown = [], []
        for part in row.parts("remittances", self.avid.contract.records.remittance, "a remittance"):
            net = part.amount_of("net", currency)
            discount = part.amount("discount", currency) or ZERO
            external = part.words("external_id")
            if external and MARK_PATTERN.fullmatch(external):
                key: str | None = external
            else:
                key = self._by_number(supplier, part.text("number"), part.day("date") or paid_on)
            if key is None:
                unknown.append(part.text("number"))
            found.append(Settled(key or part.text("number"), net, discount))
        return found, unknown

    def _by_number(self, supplier: str, number: str, since: date) -> str | None:
        """The key of the vendor's only invoice of that number; None where there is none or more than one."""
        if (supplier, number) not in self._numbers:
            operation = self.avid.contract.operations.invoices
            about = f"the search for invoice {number} of {supplier}"
            name = operation.query.numbers
            read = (
                pages(self.avid, operation, params={name: number}, about=about)
                if name
                else (page for page, _ in narrowed(self.avid, operation, since, about=about))
            )
            rows = [invoice_row(self.avid, body) for page in read for body in page.rows]
            keys = {
                document_key(row)
                for row in rows
                if code_of(row.text("vendor")) == supplier and normalised(row.text("number")) == normalised(number)
            }
            self._numbers[supplier, number] = keys.pop() if len(keys) == 1 else None
        return self._numbers[supplier, number]


def payments(avid: Avid) -> Changing[Payment]:
    """Source of Payment. One that does not add up, or that settles what is not known, is yielded as invalid."""
    operation = avid.contract.operations.payments

    def one(key: str) -> Json | None:
        name, about = operation.query.ids, f"payment {key}"
        read = (
            pages(avid, operation, params={name: key}, about=about)
            if name
            else (page for page, _ in narrowed(avid, operation, None, about=about))
        )
        fields = avid.contract.records.payment
        return next((row for page in read for row in page.rows if Row(fields, row, about).words("id") == key), None)

    return Changing(avid, operation, "payment", Payments(avid).item, one)


def _allocations(settled: list[Settled]) -> tuple[tuple[PaymentAllocation, ...], Decimal]:
    """The invoices paid, the credits spread over them in the order given; and what of the credits found no invoice."""
    credits = [(part.invoice, -part.net) for part in settled if part.net < 0]
    made = []
    for part in settled:
        if part.net < 0:
            continue
        cash, used = part.net, []
        for position, (ref, left) in enumerate(credits):
            taken = min(left, cash)
            if taken > 0:
                used.append(CreditUsed(ref=ref, amount=taken))
                credits[position] = (ref, left - taken)
                cash -= taken
        made.append(
            PaymentAllocation(
                invoice=part.invoice,
                gross=part.net + part.discount,
                net=cash,
                discount=part.discount,
                credit=part.net - cash,
                credits=tuple(used),
            )
        )
    return tuple(made), sum((left for _, left in credits), ZERO)


def _invalid(record: Payment, settled: list[Settled], unknown: list[str], left: Decimal) -> str | None:
    total = sum((part.net for part in settled), ZERO)
    if total != record.amount or left:
        return f"totals_differ: AvidXchange states {record.amount} {record.currency}, and its remittances make {total}."
    if unknown:
        return (
            f"payment_unmatched: invoice {unknown[0]} of {record.supplier} is not, or not only once, in AvidXchange "
            "under that number."
        )
    return None

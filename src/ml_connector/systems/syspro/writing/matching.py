"""Which goods received notes an invoice pays for. Pure.

SYSPRO: matching is part of posting the invoice. A note has a value and what of it was matched before. A supplier that
needs matching takes no invoice without (R44). What is owed beyond what was received is for the buyer to settle: it is
never booked elsewhere so that it passes (R43).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ml_connector.domain.money import rounded
from ml_connector.domain.records import Invoice, InvoiceLine
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.keys import parts
from ml_connector.systems.syspro.writing.apstin import Match
from ml_connector.systems.syspro.writing.form import Form
from ml_connector.systems.syspro.writing.tables import GrnDetails

MATCHED = "Y"


def ordered(invoice: Invoice) -> list[InvoiceLine]:
    """The lines that name a line of an order."""
    return [line for line in invoice.lines if line.order_line]


def order_line(line: InvoiceLine) -> tuple[str, int] | None:
    """Order and line in SYSPRO; None for a reference that is none of ours."""
    named = parts(line.order_line or "")
    if len(named) != 2 or not named[1].strip().isdigit():
        return None
    return named[0], int(named[1])


def matches(invoice: Invoice, notes: Sequence[GrnDetails], form: Form, *, foreign: bool = False) -> tuple[Match, ...]:
    """Each ordered line's amount over the notes of its order line, the oldest first.

    `foreign`: the invoice is in the order's currency and not the company's, and so are the values that are matched.

    Raises Refused: `receipt_needed` where nothing is outstanding, `over_invoiced` where less is than is owed.
    """
    left = {id(note): _outstanding(note, invoice.currency, foreign=foreign) for note in notes if _open(note)}
    found: list[Match] = []
    for line in ordered(invoice):
        mine = [note for note in notes if id(note) in left and _belongs(note, line)]
        owed = line.amount
        outstanding = sum((left[id(note)] for note in mine), Decimal(0))
        if outstanding <= 0:
            raise Refused(
                "receipt_needed",
                f"{form.opening}: SYSPRO has no goods received for line {line.line_key} (order line {line.order_line}) "
                "that are not invoiced yet. Receive them in SYSPRO; then retry.",
                "GrnDetails",
            )
        if outstanding < owed:
            raise Refused(
                "over_invoiced",
                f"{form.opening}: line {line.line_key} comes to {owed}, of which SYSPRO has received and not yet "
                f"invoiced {outstanding}. The buyer decides; SYSPRO's own matching is not changed from here.",
                "GrnMatchValue",
            )
        for note in mine:
            if owed <= 0:
                break
            value = min(owed, left[id(note)])
            if value <= 0:
                continue
            full = value == left[id(note)]
            left[id(note)] -= value
            owed -= value
            quantity = line.quantity if value == line.amount else None
            found.append(
                Match(
                    supplier=note.supplier.rstrip(),
                    grn=note.grn.rstrip(),
                    source=note.grn_source.strip(),
                    journal=note.journal,
                    entry=note.journal_entry,
                    value=value,
                    full=full,
                    quantity=quantity,
                )
            )
    return tuple(found)


def _outstanding(note: GrnDetails, currency: str, *, foreign: bool) -> Decimal:
    """What of a note is not invoiced yet. SYSPRO states what was matched in the company's currency alone."""
    left = note.cur_grn_value - note.matched_value
    return rounded(left * note.currency_value / note.cur_grn_value, currency) if foreign else left


def _open(note: GrnDetails) -> bool:
    return (note.grn_matched_flag or "").strip() != MATCHED and note.cur_grn_value > note.matched_value


def _belongs(note: GrnDetails, line: InvoiceLine) -> bool:
    named = order_line(line)
    return named is not None and (note.purchase_order.strip(), note.purchase_order_lin) == (named[0].strip(), named[1])

"""Rounding: what a line of its own must carry for a document's lines to add up to its header (R23). Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from ml_connector.domain.money import NotAnAmount, quantise
from ml_connector.domain.records import Invoice, InvoiceLine, LineKind

LINE_KEY = "rounding"


def rounding_needed(invoice: Invoice) -> Decimal:
    """The amount, positive or negative, that one more line would need. 0 where nothing is missing, and where a line
    would only hide an error: the document has no lines, its header contradicts itself in another way, or the
    difference is no amount of its currency.
    """
    difference = invoice.difference()
    if not invoice.lines or invoice.header_difference() not in {Decimal(0), difference}:
        return Decimal(0)
    try:
        return quantise(difference, invoice.currency)
    except NotAnAmount:
        return Decimal(0)


def with_rounding(invoice: Invoice, account: str) -> Invoice:
    """The document with a line for `rounding_needed` at its end; the header's total stays what the source says."""
    line = InvoiceLine(line_key=LINE_KEY, kind=LineKind.ROUNDING, amount=rounding_needed(invoice), account=account)
    charges = invoice.charges + invoice.header_difference()
    return replace(invoice, charges=charges, lines=(*invoice.lines, line))

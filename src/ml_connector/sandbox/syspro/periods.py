"""The posting period that a call names by its letter."""

from ml_connector.sandbox.syspro.books import Period
from ml_connector.sandbox.syspro.item import NOT_ALLOWED, Item
from ml_connector.sandbox.syspro.posting import Call

CLOSED = 130001


def posting_period(call: Call, item: Item) -> Period | None:
    """Of the parameter PostingPeriod, C when blank; None when it is closed or none, of which the item is told."""
    letter = call.text("PostingPeriod").upper() or "C"
    period = call.books.period_of(letter)
    if period is None:
        item.wrong("PostingPeriod", NOT_ALLOWED, f"PostingPeriod '{letter}' is not one of C, P, B", letter)
    elif not call.books.is_open(*period):
        item.wrong("PostingPeriod", CLOSED, f"Period {period[0]}-{period[1]:02d} is closed", letter)
        return None
    return period

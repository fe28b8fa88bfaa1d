"""Receipt <- receiving action.

Procurify lists them without any stamp or filter by time, and names the line of the order and not the order: a line's id
is its own in the whole domain. What failed inspection was not received. Quantities are texts.
"""

from __future__ import annotations

from ml_connector.domain.orders import Receipt
from ml_connector.systems.base import Item
from ml_connector.systems.procurify.reading import Whole
from ml_connector.systems.procurify.rows import NO_DATE, ZERO, day, ident, key_of, maybe_instant, number, plain
from ml_connector.systems.procurify.session import Domain, Json
from ml_connector.systems.procurify.settings import Options

PATH = "/api/v3/receipt/items/"


def from_receipt(row: Json, options: Options) -> Item[Receipt]:
    key, line = ident(row, "id"), ident(row, "order_item")
    received = day(row, "received_at", options.zone) or day(row, "created_at", options.zone)
    record = Receipt(
        receipt_key=key,
        order_line=line,
        quantity=plain(number(row, "pass_quantity") or ZERO),
        date=received or NO_DATE,
        number=key,
    )
    invalid = None if received else f"field_missing: Receipt {key} has no date. Look it up in Procurify."
    return Item(key, record, None, maybe_instant(row, "created_at"), invalid=invalid)


def receipts(domain: Domain) -> Whole[Receipt]:
    """Source of Receipt: all of them each time, compared by hash."""
    return Whole(domain, PATH, key_of, lambda row: from_receipt(row, domain.options), "the list of receipts")

"""Purchase orders and what was received of them, in canonical terms.

Amounts stand in the order's own currency. A line keeps its `line_key` for ever: a change of price, quantity or
unit is a new version of the same line, never another line (R42).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum

from ml_connector.domain.canonical import Record
from ml_connector.domain.money import step


class OrderStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class OrderLineKind(StrEnum):
    STOCK = "stock"
    SERVICE = "service"
    FREIGHT = "freight"
    CHARGE = "charge"
    COMMENT = "comment"


class Receipt(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Goods that arrived for one line of an order, or that went back."""

    receipt_key: str
    """The source's id of the receipt."""
    order_line: str
    """The `line_key` of the order's line."""
    quantity: Decimal
    """Negative for goods that went back."""
    date: dt.date
    delivery_note: str | None = None
    number: str | None = None


class PurchaseOrderLine(Record, frozen=True, kw_only=True, omit_defaults=True):
    line_key: str
    """The source's lasting id of the line within its order."""
    number: str
    """What people know the line by."""
    kind: OrderLineKind = OrderLineKind.STOCK
    sku: str | None = None
    description: str
    unit: str | None = None
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    """Net of tax, as the source states it (R22)."""
    tax_code: str | None = None
    account: str | None = None
    cost_center: str | None = None
    due_date: dt.date | None = None
    received: Decimal | None = None
    invoiced: Decimal | None = None
    status: OrderStatus = OrderStatus.OPEN
    receipts: tuple[Receipt, ...] = ()
    """Where the source reads them together with the order; empty where only `received` is known."""


class PurchaseOrder(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An approved order; those not yet approved are not read."""

    number: str
    revision: int | None = None
    """The source's counter of amendments."""
    supplier: str
    date: dt.date
    due_date: dt.date | None = None
    currency: str
    rate: Decimal | None = None
    status: OrderStatus = OrderStatus.OPEN
    terms: str | None = None
    buyer: str | None = None
    warehouse: str | None = None
    note: str | None = None
    total: Decimal
    """Of the lines that are not cancelled, with freight, other charges and tax, less the discount."""
    freight: Decimal = Decimal(0)
    other: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    lines: tuple[PurchaseOrderLine, ...]

    def difference(self) -> Decimal:
        """What the total has that lines and header charges do not add up to; 0 for a consistent order (R22)."""
        lines = sum((line.amount for line in self.lines if line.status is not OrderStatus.CANCELLED), Decimal(0))
        return self.total - (lines + self.freight + self.other + self.tax - self.discount)

    def adds_up(self) -> bool:
        return abs(self.difference()) < step(self.currency)

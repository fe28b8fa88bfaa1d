"""What orders and bills come to.

Net of a bill's item is quantity x unit cost, the tax inside it taken off when the tax is inclusive.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ml_connector.sandbox.standin import Row

CENT = Decimal("0.01")


def cents(value: Decimal) -> Decimal:
    """Rounded to two places, half a cent away from zero (assumed)."""
    return value.quantize(CENT, ROUND_HALF_UP)


def line_quantity(item: Row) -> Decimal:
    """What was approved, else what was asked for; 1 of a blanket, whose price is the amount."""
    approved = item["approved_quantity"]
    quantity = item["quantity"] if approved is None else approved
    return Decimal(1 if quantity is None else quantity)


def line_price(item: Row) -> Decimal:
    approved = item["approved_price"]
    return Decimal(item["price"] if approved is None else approved)


def line_total(item: Row) -> Decimal:
    return cents(line_quantity(item) * line_price(item))


def subtotal(items: list[Row]) -> Decimal:
    """The lines that count."""
    return sum((line_total(item) for item in items if item["is_active"]), Decimal("0.00"))


def modifier(row: Row, net: Decimal) -> Decimal:
    """A tax or discount as an amount."""
    value = Decimal(row["value"])
    return value if row["type"] == "amount" else cents(net * value / 100)


def total(order: Row, items: list[Row]) -> Decimal:
    net = subtotal(items)
    charges = Decimal(order["freight"] or 0) + Decimal(order["other"] or 0)
    return cents(net + charges + modifier(order["tax"], net) - modifier(order["discount"], net))


def fulfilment(items: list[Row]) -> str:
    """How much of the lines that count has come in."""
    live = [item for item in items if item["is_active"]]
    received = [Decimal(item["receivedPassQty"]) for item in live]
    if not any(received):
        return "empty"
    full = all(got >= line_quantity(item) for got, item in zip(received, live, strict=True))
    return "full" if full else "partial"


@dataclass(frozen=True)
class Totals:
    """What a bill comes to, in its currency."""

    net: Decimal
    costs: Decimal
    inclusive: Decimal
    exclusive: Decimal
    shipping: Decimal

    @property
    def cost(self) -> Decimal:
        """Without tax and shipping."""
        return self.net + self.costs

    @property
    def with_tax(self) -> Decimal:
        return self.cost + self.inclusive + self.exclusive

    @property
    def gross(self) -> Decimal:
        """What the supplier is owed."""
        return self.with_tax + self.shipping


def item_gross(item: Row) -> Decimal:
    """Quantity x unit cost; tax is in it or not."""
    return cents(Decimal(item["quantity"]) * Decimal(item["unit_cost"]))


def item_net(item: Row) -> Decimal:
    return item_gross(item) - (Decimal(item["tax_amount"]) if item["tax_is_inclusive"] else 0)


def totals(bill: Row) -> Totals:
    zero = Decimal("0.00")
    items = bill["items"]
    return Totals(
        net=sum((item_net(item) for item in items), zero),
        costs=sum((Decimal(cost["amount"]) for cost in bill["costs"]), zero),
        inclusive=sum((Decimal(item["tax_amount"]) for item in items if item["tax_is_inclusive"]), zero),
        exclusive=sum((Decimal(item["tax_amount"]) for item in items if not item["tax_is_inclusive"]), zero),
        shipping=sum((Decimal(item["shipping_amount"] or 0) for item in items), zero),
    )

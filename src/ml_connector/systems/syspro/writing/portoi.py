"""PurchaseOrder -> the documents of PORTOI, which adds, changes and cancels orders. Pure.

SYSPRO: an order without a number gets the next one, and the answer may not name it: our mark stands in
CustomerPoNumber. A line that is not stocked has warehouse `**`, a code and a text of its own. Price and quantity have
the same unit here. There is no all-or-nothing: an order can be there without a line that was refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.domain.money import rounded
from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.writing.coding import place
from ml_connector.systems.syspro.writing.form import TEXTS, WIDTHS, Form, element, flags, held, stripped
from ml_connector.systems.syspro.writing.poster import Posting

BUSINESS_OBJECT = "PORTOI"
ROOT = "PostPurchaseOrders"
ZERO = Decimal(0)

ADD, CHANGE, DELETE = "A", "C", "D"
NOT_STOCKED = "**"
FREIGHT, OTHER = "@freight", "@other"
"""Keys of the lines that an order's freight and other charges become."""

GOODS = frozenset({OrderLineKind.STOCK, OrderLineKind.SERVICE})
CHARGES = frozenset({OrderLineKind.FREIGHT, OrderLineKind.CHARGE})


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is sent: what is done to it, and under which number."""

    action: str
    number: int
    line: PurchaseOrderLine


@dataclass(frozen=True, slots=True)
class Charge:
    """Freight or another charge, from the order's head or from a line."""

    action: str
    number: int
    key: str
    freight: bool
    amount: Decimal
    text: str = ""
    tax_code: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is done to an order."""

    lines: Sequence[Line] = ()
    charges: Sequence[Charge] = ()
    comments: Sequence[tuple[int, int, str]] = ()
    """Number, the line that it belongs to (0 for none), text."""

    def __bool__(self) -> bool:
        return bool(self.lines or self.charges or self.comments)


def about(order: PurchaseOrder) -> str:
    return f"order {order.number} to {order.supplier}"


def customer_number(order: PurchaseOrder, mark: str) -> str:
    """What CustomerPoNumber holds: the order's number and the mark, or the mark alone where both do not fit."""
    text = stripped(order.number)
    return f"{text} {mark}" if len(text) + 1 + len(mark) <= WIDTHS["CustomerPoNumber"] else mark


def new(order: PurchaseOrder, mark: str) -> Changes:
    """Everything of a new order, numbered: goods, then comments, then charges."""
    lines = [Line(ADD, 0, line) for line in order.lines if line.kind in GOODS and active(line)]
    lines = [Line(ADD, number, each.line) for number, each in enumerate(lines, start=1)]
    comments: list[tuple[int, str]] = [(each.number, text) for each in lines for text in overflow(each.line)]
    if stripped(order.number) not in customer_number(order, mark):
        comments.append((0, f"Order {stripped(order.number)}"))
    comments += [(0, line.description) for line in order.lines if line.kind is OrderLineKind.COMMENT and active(line)]
    comments += [(0, order.note)] if order.note else []
    numbered = [(number, to, text) for number, (to, text) in enumerate(comments, start=len(lines) + 1)]
    wanted = charges(order)
    start = len(lines) + len(comments) + 1
    return Changes(
        lines,
        [Charge(ADD, number, c.key, c.freight, c.amount, c.text, c.tax_code) for number, c in enumerate(wanted, start)],
        numbered,
    )


def charges(order: PurchaseOrder) -> list[Charge]:
    """Charges of the order's lines and head, that are not zero."""
    found = [
        Charge(
            "",
            0,
            line.line_key,
            line.kind is OrderLineKind.FREIGHT,
            line.amount,
            stripped(line.description) or "Charge",
            line.tax_code,
        )
        for line in order.lines
        if line.kind in CHARGES and active(line)
    ]
    found.append(Charge("", 0, FREIGHT, freight=True, amount=order.freight))
    found.append(Charge("", 0, OTHER, freight=False, amount=order.other, text="Other charges"))
    return [charge for charge in found if charge.amount]


def active(line: PurchaseOrderLine) -> bool:
    return line.status is not OrderStatus.CANCELLED


def check(order: PurchaseOrder) -> None:
    """Raises Refused for an order that does not add up or states what PORTOI cannot take."""
    form = Form(about(order))
    if not order.adds_up():
        raise Refused(
            "totals_differ",
            f"{form.opening} comes to {order.total} {order.currency}; its lines and charges differ by "
            f"{order.difference()}.",
            "OrderDetails",
        )
    if order.discount:
        raise Refused(
            "unsupported",
            f"{form.opening} has a discount of {order.discount} on the whole order; SYSPRO takes percentages only. Put "
            "it into the prices of the lines.",
            "DiscPercent1",
        )
    if not any(line.kind in GOODS and active(line) for line in order.lines):
        raise Refused("field_missing", f"{form.opening} has no line to order.", "StockLine")


def to_add(
    order: PurchaseOrder,
    mark: str,
    options: Options,
    *,
    foreign: bool,
    rate: Decimal | None,
    keep_number: bool = False,
) -> Posting:
    """The call that makes the order. `rate`: as SYSPRO writes it; None leaves it to SYSPRO. `keep_number`: SYSPRO is to
    number it as the source does."""
    check(order)
    form = Form(about(order))
    settings = options.writing
    head = (
        element("OrderActionType", ADD),
        form.code("Supplier", order.supplier, required=True),
        form.rate("ExchangeRate", rate),
        element("OrderType", "I" if foreign else "L"),
        element("TaxStatus", settings.tax_status),
        form.code("InvoiceTerms", order.terms),
        form.code("CustomerPoNumber", customer_number(order, mark), required=True),
        form.day("OrderDate", order.date),
        form.day("DueDate", order.due_date),
        element("ApplyDueDateToLines", "A") if order.due_date else "",
        form.code("Buyer", order.buyer or settings.buyer),
        form.code("Warehouse", order.warehouse or settings.warehouse),
        form.code("PurchaseOrder", order.number, required=True, too_long="number_too_long") if keep_number else "",
    )
    return _posting(order, head, new(order, mark), options, form, foreign=foreign)


def to_change(
    order: PurchaseOrder, key: str, changes: Changes, options: Options, *, due: bool, foreign: bool
) -> Posting:
    """The call that changes an order's lines. `due`: the order's due date changed as well."""
    check(order)
    form = Form(about(order))
    head = (
        element("OrderActionType", CHANGE),
        form.code("Supplier", order.supplier, required=True),
        form.day("DueDate", order.due_date if due else None),
        form.key("PurchaseOrder", key),
    )
    return _posting(order, head, changes, options, form, foreign=foreign)


def to_cancel(key: str, supplier: str) -> Posting:
    form = Form(f"the cancellation of order {key}")
    head = element(
        "OrderHeader",
        element("OrderActionType", DELETE),
        form.key("Supplier", supplier),
        form.key("PurchaseOrder", key),
    )
    return Posting(form.about, BUSINESS_OBJECT, ROOT, parameters("", zero=False), element("Orders", head))


def sample() -> Posting:
    """What asks whether the object is licensed: an order of nothing."""
    head = "<OrderHeader><OrderActionType>A</OrderActionType></OrderHeader>"
    return Posting("an empty order", BUSINESS_OBJECT, ROOT, parameters("", zero=False), f"<Orders>{head}</Orders>")


def parameters(status: str, *, zero: bool) -> dict[str, str]:
    """`status`: of a new order; `zero`: a line has no price."""
    given = {
        "ValidateOnly": "N",
        "IgnoreWarnings": "N",
        "AllowNonStockItems": "Y",
        "AllowZeroPrice": "Y" if zero else "N",
        "ValidateWorkingDays": "N",
        "AllowPoWhenBlanketPo": "Y",
        "FixedExchangeRate": "N",
        "AllowBlankLedgerCode": "N",
        "CalcDueDate": "N",
        "InsertDangerousGoodsText": "N",
        "InsertAdditionalPOText": "N",
        "OutputItemforDetailLines": "Y",
    }
    return given | ({"Status": status} if status else {})


def stock_code(line: PurchaseOrderLine) -> str:
    """Goods have a code; a service without one goes by the number of its line."""
    return stripped(line.sku or "") or stripped(line.number)


def priced(line: PurchaseOrderLine) -> tuple[Decimal, Decimal]:
    """Quantity and price; a line that is only an amount is one of it."""
    if not line.quantity and line.amount:
        return Decimal(1), line.amount
    return line.quantity, line.unit_price


def overflow(line: PurchaseOrderLine) -> list[str]:
    """What of a line's text does not fit into its description, in comments."""
    try:
        text = held(line.description)
    except ValueError:
        return []
    rest, width = text[TEXTS["StockDescription"] - 1 :].lstrip() if len(text) > TEXTS["StockDescription"] else "", 100
    return [rest[start : start + width] for start in range(0, len(rest), width)]


def _posting(
    order: PurchaseOrder, head: Sequence[str], changes: Changes, options: Options, form: Form, *, foreign: bool
) -> Posting:
    details = [_stock_line(each, order, options, form) for each in changes.lines]
    details += [_comment(number, to, text, form) for number, to, text in changes.comments]
    currency = "F" if foreign else ""
    details += [_charge(charge, currency, form) for charge in changes.charges if not charge.freight]
    details += [_charge(charge, currency, form) for charge in changes.charges if charge.freight]
    zero = any(not priced(each.line)[1] for each in changes.lines)
    status = options.writing.po_status if any(each.action == ADD for each in changes.lines) else ""
    items = element("Orders", element("OrderHeader", *head), element("OrderDetails", *details))
    return Posting(form.about, BUSINESS_OBJECT, ROOT, parameters(status, zero=zero), items)


def _stock_line(each: Line, order: PurchaseOrder, options: Options, form: Form) -> str:
    line, settings = each.line, options.writing
    action = flags(PurchaseOrderLine=str(each.number), LineActionType=each.action)
    warehouse = order.warehouse or settings.warehouse
    service = line.kind is OrderLineKind.SERVICE or not warehouse
    if each.action == DELETE:
        return element("StockLine", action, form.code("StockCode", stock_code(line)))
    quantity, price = priced(line)
    if rounded(quantity * price, order.currency) != line.amount:
        raise Refused(
            "totals_differ",
            f"{form.opening}: line {line.number} is {quantity:f} at {price:f}, which is not its amount {line.amount}.",
            "Price",
        )
    unit = line.unit or settings.unit
    booked_to = place(line.account, line.cost_center, options.cost_centers, form) if line.account else None
    return element(
        "StockLine",
        action,
        form.code("StockCode", stock_code(line), required=True),
        form.words("StockDescription", line.description),
        form.code("Warehouse", NOT_STOCKED if service else warehouse),
        form.quantity("OrderQty", quantity),
        form.code("OrderUom", unit),
        element("PriceMethod", "M"),
        form.price("Price", price),
        form.code("PriceUom", unit),
        flags(Taxable="Y") + form.code("TaxCode", line.tax_code) if line.tax_code else "",
        form.day("LatestDueDate", line.due_date or order.due_date),
        form.code("LedgerCode", booked_to.ledger_code if booked_to else ""),
        form.code("ProductClass", settings.product_class if service else ""),
    )


def _comment(number: int, to: int, text: str, form: Form) -> str:
    return element(
        "CommentLine",
        flags(PurchaseOrderLine=str(number), LineActionType=ADD),
        form.words("Comment", text),
        element("AttachedToStkLineNumber", str(to)) if to else "",
    )


def _charge(charge: Charge, currency: str, form: Form) -> str:
    """`currency`: F says that the value is in the order's own currency."""
    action = flags(PurchaseOrderLine=str(charge.number), LineActionType=charge.action)
    if charge.freight:
        taxed = form.code("FreightTaxCode", charge.tax_code) + flags(FreightTaxable="Y") if charge.tax_code else ""
        value = form.amount("FreightValue", charge.amount)
        return element("FreightLine", action, value, taxed, element("FreightFLoc", currency))
    taxed = form.code("MiscChargeTax", charge.tax_code) + flags(MiscTaxable="Y") if charge.tax_code else ""
    return element(
        "MiscChargeLine",
        action,
        form.amount("MiscChargeValue", charge.amount),
        taxed,
        element("MiscChargeFLoc", currency),
        form.words("MiscDescription", charge.text),
    )

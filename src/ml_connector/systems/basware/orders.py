"""PurchaseOrder -> matching order and its lines. The ERP owns orders; Basware matches invoices against them.

The header goes first, then its lines, at most 100 in a request. An order shows in P2P only once it has lines. A POST of
a line overwrites the whole line, its coding and receipts with it. A line's quantity is above zero: cancelled lines are
marked deleted, lines of negative quantity are returns at a negative price, a service is one piece at its whole amount.
Line numbers are texts. What P2P calls an order by (its number, source system, company and organization element) never
changes, and neither does the key of a line (R42).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine, Receipt
from ml_connector.systems.base import Refused
from ml_connector.systems.basware.keys import VENDOR, external_code
from ml_connector.systems.basware.masters import THEIRS, required, within
from ml_connector.systems.basware.rows import day, flag, members, number, plain, text, words, written_day
from ml_connector.systems.basware.session import Json
from ml_connector.systems.basware.settings import Company, Options

NUMBER_MAX, TEXT_MAX, UNIT_MAX, SKU_MAX, CODE_MAX = 100, 1000, 25, 250, 25
ACCOUNT_MAX, CENTER_MAX = 50, 200

STANDARD, RETURN, SERVICE = "Standard", "Return", "Service"
SENT_KINDS = frozenset({OrderLineKind.STOCK, OrderLineKind.SERVICE, OrderLineKind.FREIGHT, OrderLineKind.CHARGE})
NO_DATE = date(1900, 1, 1)
"""Stands for a day that Basware does not hold."""


def to_header(order: PurchaseOrder, key: str, vendor: str, options: Options, company: Company) -> Json:
    """Raises Refused, naming order and field, for what Basware would not take."""
    about = f"Order {order.number}"
    body: Json = {
        "externalCode": key,
        "orderNumber": within(required(order.number, about, "number"), NUMBER_MAX, about, "number"),
        "sourceSystem": options.source_system,
        "companyCode": company.code,
        "organizationElementCode": within(company.element, CODE_MAX, about, "organization element"),
        "currencyCode": order.currency,
        "supplierCode": vendor,
        "created": written_day(order.date, options.date_style),
        "isClosed": order.status is not OrderStatus.OPEN,
    }
    if len(company.element) < 2:
        raise Refused(
            "bad_setting",
            f"{about}: company_map gives no organization element of two characters or more for company {company.code}.",
            "company_map",
        )
    if order.due_date:
        body["requestedDeliveryDate"] = written_day(order.due_date, options.date_style)
    if order.terms:
        body["paymentTermCode"] = within(order.terms, CODE_MAX, about, "terms")
    if order.note:
        body["description"] = within(order.note, TEXT_MAX, about, "note")
    return body


def to_line(order: PurchaseOrder, line: PurchaseOrderLine, keys: tuple[str, str], options: Options) -> Json | None:
    """A line under its order's key and its own. None for one that Basware cannot hold: a comment, or no quantity."""
    about = f"Order {order.number}, line {line.number}"
    if line.kind not in SENT_KINDS or line.quantity == 0:
        return None
    mode = SERVICE if line.kind is OrderLineKind.SERVICE else RETURN if line.quantity < 0 else STANDARD
    sign = -1 if mode == RETURN else 1
    quantity, price = abs(line.quantity), line.unit_price * sign
    if mode == SERVICE:
        quantity, price = Decimal(1), line.amount
    body: Json = {
        "externalCode": keys[1],
        "orderExternalCode": keys[0],
        "lineNumber": within(required(line.number, about, "number"), NUMBER_MAX, about, "number"),
        "quantity": plain(quantity),
        "matchingMode": mode,
        "netPrice": plain(price),
        "netSum": plain(line.amount),
        "currencyCode": order.currency,
        "isClosed": OrderStatus.CLOSED in {line.status, order.status},
        "isDeleted": OrderStatus.CANCELLED in {line.status, order.status},
        "description": within(line.description, TEXT_MAX, about, "description"),
        "productName": line.description[:SKU_MAX],  # whole in description
        **_receiving(line, keys[1], mode, options, about),
        **_coding(line, quantity, keys[1], mode, about),
    }
    given = {
        "productCode": (line.sku, SKU_MAX, "sku"),
        "uom": (line.unit, UNIT_MAX, "unit"),
        "priceUnit": (line.unit, UNIT_MAX, "unit"),
        "taxCode": (line.tax_code, CODE_MAX, "tax_code"),
    }
    for theirs, (value, longest, ours) in given.items():
        if value:
            body[theirs] = within(value, longest, about, ours)
    if line.due_date:
        body["requestedDeliveryDate"] = written_day(line.due_date, options.date_style)
    return body


def _receiving(line: PurchaseOrderLine, key: str, mode: str, options: Options, about: str) -> Json:
    """Whether matching waits for receipts, and those there are. A service line always has both flags."""
    if mode != SERVICE and not options.receipt_matching:
        return {}
    body: Json = {"isReceiptRequired": True, "isReceiptBasedMatching": mode == SERVICE}
    if line.receipts and options.receipt_matching:
        body["goodsReceipts"] = [to_receipt(one, line, key, options, about) for one in line.receipts]
    return body


def to_receipt(receipt: Receipt, line: PurchaseOrderLine, key: str, options: Options, about: str) -> Json:
    """A receipt of the line with this key, under a key made of both."""
    shown = receipt.number or receipt.receipt_key
    body: Json = {
        "externalCode": external_code(key, "G", receipt.receipt_key),
        "goodsReceiptNumber": within(shown, NUMBER_MAX, about, "number of a receipt"),
        "quantity": plain(receipt.quantity),
        "netPrice": plain(line.unit_price),
        "deliveryDate": written_day(receipt.date, options.date_style),
    }
    if receipt.delivery_note:
        body["deliveryNoteNumber"] = within(receipt.delivery_note, SKU_MAX, about, "delivery note")
    return body


def _coding(line: PurchaseOrderLine, quantity: Decimal, key: str, mode: str, about: str) -> Json:
    """The default coding of invoices that match the line; a service line takes none."""
    if mode == SERVICE or not (line.account or line.cost_center):
        return {}
    row: Json = {
        "externalCode": key,
        "rowIndex": 0,
        "allocatedQuantity": plain(quantity),
        "netTotal": plain(line.amount),
    }
    if line.account:
        row["accountCode"] = within(line.account, ACCOUNT_MAX, about, "account")
    if line.cost_center:
        row["costCenterCode"] = within(line.cost_center, CENTER_MAX, about, "cost_center")
    return {"orderLineCoding": [row]}


def from_order(header: Json, lines: Sequence[Json], company: Company) -> PurchaseOrder:
    """The order in our terms, as far as Basware holds it: header charges and deleted lines are not."""
    found = tuple(_from_line(row) for row in lines if not flag(row, "isDeleted"))
    return PurchaseOrder(
        number=text(header, "orderNumber"),
        supplier=external_code(company.code, VENDOR, text(header, "supplierCode")),
        date=day(header, "created") or NO_DATE,
        due_date=day(header, "requestedDeliveryDate"),
        currency=text(header, "currencyCode"),
        status=OrderStatus.CLOSED if flag(header, "isClosed") else OrderStatus.OPEN,
        terms=words(header, "paymentTermCode"),
        note=words(header, "description"),
        total=sum((line.amount for line in found), Decimal(0)),
        lines=tuple(sorted(found, key=lambda line: line.line_key)),
    )


def _from_line(row: Json) -> PurchaseOrderLine:
    mode = words(row, "matchingMode")
    sign = -1 if mode == RETURN else 1
    coding = next(iter(members(row, "orderLineCoding")), {})
    key = text(row, "externalCode")
    return PurchaseOrderLine(
        line_key=key,
        number=text(row, "lineNumber"),
        kind=OrderLineKind.SERVICE if mode == SERVICE else OrderLineKind.STOCK,
        sku=words(row, "productCode"),
        description=words(row, "description") or "",
        unit=words(row, "uom"),
        quantity=(number(row, "quantity") or Decimal(0)) * sign,
        unit_price=(number(row, "netPrice") or Decimal(0)) * sign,
        amount=number(row, "netSum") or Decimal(0),
        tax_code=words(row, "taxCode"),
        account=words(coding, "accountCode"),
        cost_center=words(coding, "costCenterCode"),
        due_date=day(row, "requestedDeliveryDate"),
        status=OrderStatus.CLOSED if flag(row, "isClosed") else OrderStatus.OPEN,
        receipts=tuple(
            Receipt(
                receipt_key=text(one, "externalCode"),
                order_line=key,
                quantity=number(one, "quantity") or Decimal(0),
                date=day(one, "deliveryDate") or NO_DATE,
                delivery_note=words(one, "deliveryNoteNumber"),
                number=words(one, "goodsReceiptNumber"),
            )
            for one in members(row, "goodsReceipts")
        ),
    )


def gone(copy: Json) -> Json:
    """A line that the order no longer has, as Basware holds it but deleted."""
    kept = {name: value for name, value in copy.items() if name not in THEIRS and value is not None}
    return {**kept, "isDeleted": True}

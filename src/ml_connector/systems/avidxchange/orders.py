"""PurchaseOrder -> purchase order. A change is the whole order again.

Header charges go as lines of their own: the total is the sum of the lines. Comments and cancelled lines are not sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.domain.numbers import normalised
from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.systems.avidxchange.codes import coded, line_codes
from ml_connector.systems.avidxchange.documents import document_key, found_by_key, mark_of
from ml_connector.systems.avidxchange.lists import DAY
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import Row, render
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.avidxchange.upserts import Kind, Upserts
from ml_connector.systems.avidxchange.vendors import code_of
from ml_connector.systems.base import DocumentState, Found, Refused

CHARGES = (("freight", "Freight", 1), ("other", "Other charges", 1), ("tax", "Tax", 1), ("discount", "Discount", -1))


def to_order(avid: Avid, order: PurchaseOrder, mark: str) -> Json:
    about = f"purchase order {order.number}"
    if not order.adds_up():
        raise Refused("totals_differ", f"The lines of {about} do not add up to its total {order.total}.", "total")
    fields = avid.contract.records
    lines = [render(fields.order_line, values, about) for values in _lines(avid, order, about)]
    values = {
        "external_id": mark or None,
        "number": order.number,
        "vendor": order.supplier,
        "date": order.date,
        "currency": order.currency,
        "status": avid.contract.words.order[order.status][0],
        "total": order.total,
        "lines": lines,
    }
    return render(fields.order, values, about)


def _lines(avid: Avid, order: PurchaseOrder, about: str) -> Iterator[dict[str, Any]]:
    sent = [
        line
        for line in order.lines
        if line.kind is not OrderLineKind.COMMENT and line.status is not OrderStatus.CANCELLED
    ]
    numbered = all(line.number.isdigit() for line in sent)
    number = 0
    for position, line in enumerate(sent, start=1):
        number = int(line.number) if numbered else position
        codes = line_codes(avid, line.account, line.cost_center, about)
        yield {
            "number": number,
            "sku": line.sku,
            "description": line.description,
            "quantity": line.quantity,
            "unit": line.unit,
            "unit_price": line.unit_price,
            "amount": line.amount,
            "codes": codes or None,
        }
    number = max([number, *(int(line.number) for line in sent if numbered)])
    for name, text, sign in CHARGES:
        amount = sign * getattr(order, name)
        if amount:
            number += 1
            yield {
                "number": number,
                "description": text,
                "quantity": Decimal(1),
                "unit_price": amount,
                "amount": amount,
            }


def from_order(avid: Avid, body: Json) -> Found[PurchaseOrder]:
    row = Row(avid.contract.records.order, body, "a purchase order")
    currency = row.words("currency") or avid.settings.default_currency
    status = next(
        (ours for ours, texts in avid.contract.words.order.items() if _in(row.words("status"), texts)),
        OrderStatus.OPEN,
    )
    lines = []
    for line in row.parts("lines", avid.contract.records.order_line, "a line of a purchase order"):
        codes = coded(avid, line)
        number = line.text("number")
        lines.append(
            PurchaseOrderLine(
                line_key=number,
                number=number,
                sku=line.words("sku"),
                description=line.text("description"),
                unit=line.words("unit"),
                quantity=line.number("quantity") or Decimal(0),
                unit_price=line.number("unit_price") or Decimal(0),
                amount=line.amount_of("amount", currency),
                account=codes.get(avid.settings.account_group),
                cost_center=codes.get(avid.settings.cost_center_group),
            )
        )
    day = row.day("date")
    if day is None:
        raise row.missing("date")
    record = PurchaseOrder(
        number=row.text("number"),
        supplier=code_of(row.text("vendor")),
        date=day,
        currency=currency,
        status=status,
        total=row.amount_of("total", currency),
        lines=tuple(lines),
    )
    state = DocumentState.OPEN if status is OrderStatus.OPEN else DocumentState.ARCHIVED
    return Found(document_key(row), record, mark_of(row), state, updated=row.stamp("modified"))


class Orders(Upserts[PurchaseOrder]):
    """Target of PurchaseOrder."""

    def __init__(self, avid: Avid) -> None:
        operations = avid.contract.operations
        super().__init__(
            avid,
            Kind(
                noun="purchase order",
                listed=operations.orders,
                written=operations.order_put,
                about=lambda order: f"purchase order {order.number}",
                to_wire=lambda order, mark: to_order(avid, order, mark),
                from_wire=lambda body: from_order(avid, body),
                ours=lambda hit, _, mark: hit.mark == mark,
                key=lambda _, mark: mark,
                one=lambda key: found_by_key(avid, operations.orders, None, key, lambda body: from_order(avid, body)),
                identity=("number", "supplier", "date", "currency"),
                owned=("status", "total", "lines"),
                alike=lambda hit, order: (
                    normalised(hit.record.number) == normalised(order.number) and hit.record.supplier == order.supplier
                ),
                since=lambda order: order.date - DAY,
                withdrawn=lambda hit: msgspec.structs.replace(hit.record, status=OrderStatus.CANCELLED),
                gone=lambda hit: hit.record.status is OrderStatus.CANCELLED,
            ),
        )


def _in(text: str | None, texts: tuple[str, ...]) -> bool:
    return (text or "").casefold() in {one.casefold() for one in texts}

"""An order as SYSPRO's tables show it, and which of its lines is which of ours. Pure.

SYSPRO: lines have numbers of their own; comments, freight and charges are lines too. A line's link is written
`key=number`, so that a source's line keeps its line in SYSPRO whatever is added or removed around it (R42).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from ml_connector.domain.money import rounded
from ml_connector.domain.numbers import find_mark
from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.systems.base import DocumentState, Found, NoLonger
from ml_connector.systems.syspro.costcenters import Rule, Segment
from ml_connector.systems.syspro.dates import readable_date
from ml_connector.systems.syspro.documents import NO_DATE
from ml_connector.systems.syspro.rates import plain
from ml_connector.systems.syspro.writing.coding import place
from ml_connector.systems.syspro.writing.form import Form, stripped
from ml_connector.systems.syspro.writing.portoi import (
    ADD,
    CHANGE,
    DELETE,
    FREIGHT,
    GOODS,
    NOT_STOCKED,
    OTHER,
    Changes,
    Charge,
    Line,
    about,
    active,
    charges,
    overflow,
    priced,
    stock_code,
)
from ml_connector.systems.syspro.writing.tables import PorMasterDetail, PorMasterHdr

COMPLETE, CANCELLED, PRINTED = "9", "*", "4"

STATUS = {COMPLETE: OrderStatus.CLOSED, CANCELLED: OrderStatus.CANCELLED}


def live(header: PorMasterHdr, rows: Sequence[PorMasterDetail]) -> list[PorMasterDetail]:
    """The rows that stand. A cancelled line may stay as a row: complete, though nothing of it was received."""
    if status_of(header) is not OrderStatus.OPEN:
        return list(rows)
    return [row for row in rows if (row.m_complete_flag or "").strip() != "Y" or row.m_received_qty]


def goods(rows: Sequence[PorMasterDetail]) -> list[PorMasterDetail]:
    """The rows that order something."""
    return [row for row in rows if (row.m_stock_code or "").strip()]


def charged(rows: Sequence[PorMasterDetail]) -> list[PorMasterDetail]:
    """The rows that are freight or another charge."""
    return [row for row in rows if not (row.m_stock_code or "").strip() and charge_of(row)]


def charge_of(row: PorMasterDetail) -> Decimal:
    return row.n_msc_charge_for or row.n_msc_charge_value


def status_of(header: PorMasterHdr) -> OrderStatus:
    if (header.cancelled_flag or "").strip() == "Y":
        return OrderStatus.CANCELLED
    return STATUS.get((header.order_status or "").strip(), OrderStatus.OPEN)


def found(
    header: PorMasterHdr, rows: Sequence[PorMasterDetail], currency: str, rule: Rule, *, foreign: bool
) -> Found[PurchaseOrder]:
    """The order in our terms. Freight and charges are lines; tax is not stated."""
    status = status_of(header)
    lines = [_line(row, currency, rule, foreign=foreign) for row in goods(rows)]
    for row in charged(rows):
        value = charge_of(row)
        lines.append(
            PurchaseOrderLine(
                line_key=str(row.line),
                number=str(row.line),
                kind=OrderLineKind.CHARGE,
                description=(row.n_comment or "").strip(),
                quantity=Decimal(1),
                unit_price=value,
                amount=rounded(value, currency),
            )
        )
    text = (header.customer_po_number or "").strip()
    mark = find_mark(text)
    record = PurchaseOrder(
        number=text.replace(mark, "").strip() if mark else text,
        supplier=header.supplier.rstrip(),
        date=readable_date(header.order_entry_date) or NO_DATE,
        due_date=readable_date(header.order_due_date),
        currency=currency,
        status=status,
        terms=(header.terms_code or "").strip() or None,
        buyer=(header.buyer or "").strip() or None,
        warehouse=(header.warehouse or "").strip() or None,
        total=sum((line.amount for line in lines), Decimal(0)),
        lines=tuple(lines),
    )
    state = DocumentState.ARCHIVED if status is OrderStatus.CANCELLED else DocumentState.OPEN
    if status is OrderStatus.CLOSED:
        state = DocumentState.PAID
    return Found(header.purchase_order.rstrip(), record, mark, state)


def ordered(order: PurchaseOrder, rule: Rule, *, coded: bool) -> list[tuple[str, ...]]:
    """What is ordered of what, sorted: lines have other numbers on the other side. `coded`: and booked where."""
    form = Form(about(order))
    result: list[tuple[str, ...]] = [("charge", f"{charge.amount:f}") for charge in charges(order)]
    for line in order.lines:
        if line.kind in GOODS and active(line):
            quantity, price = priced(line)
            booked = place(line.account or "", line.cost_center, rule, form).ledger_code if coded else ""
            result.append((stock_code(line), f"{plain(quantity):f}", f"{plain(price):f}", booked))
    return sorted(result)


def is_coded(order: PurchaseOrder) -> bool:
    """Whether the order names a GL code on each line; SYSPRO fills in its own where there is none."""
    return all(line.account for line in order.lines if line.kind in GOODS and active(line))


def links(lines: Sequence[str]) -> dict[str, int]:
    """SYSPRO's line number by our line's key."""
    parted = (line.rpartition("=") for line in lines)
    return {key: int(number) for key, _, number in parted if key and number.isdigit()}


def corresponding(order: PurchaseOrder, known: Sequence[str], rows: Sequence[PorMasterDetail]) -> dict[str, int]:
    """SYSPRO's line of each of ours, by key: as linked, else the first that has its code and belongs to nobody."""
    there = {row.line for row in rows}
    result = {key: number for key, number in links(known).items() if number in there}
    free = [row for row in goods(rows) if row.line not in result.values()]
    for line in order.lines:
        if line.kind not in GOODS or line.line_key in result:
            continue
        row = next((row for row in free if (row.m_stock_code or "").strip() == stock_code(line)), None)
        if row is not None and active(line):
            free.remove(row)
            result[line.line_key] = row.line
    left = [row for row in charged(rows) if row.line not in result.values()]
    for alike in _ALIKE:
        for charge in charges(order):
            row = next((row for row in left if alike(row, charge)), None)
            if charge.key not in result and row is not None:
                left.remove(row)
                result[charge.key] = row.line
    return result


def is_freight(row: PorMasterDetail) -> bool:
    """Of freight and charges: charges have a text. What letters their line types have is not published."""
    return not (row.n_comment or "").strip()


def _same_kind(row: PorMasterDetail, charge: Charge) -> bool:
    return is_freight(row) == charge.freight


def _same_amount(row: PorMasterDetail, charge: Charge) -> bool:
    return charge_of(row) == charge.amount


_ALIKE: tuple[Callable[[PorMasterDetail, Charge], bool], ...] = (
    lambda row, charge: _same_kind(row, charge) and _same_amount(row, charge),
    _same_amount,
    lambda row, charge: _same_kind(row, charge) and (row.n_comment or "").strip() == charge.text,
    _same_kind,
)
"""What makes a charge one that is there already, the surest first: none is ever entered a second time."""


def ids(order: PurchaseOrder, mine: dict[str, int]) -> tuple[str, ...]:
    """The links of the order's lines and charges, in their order; of those that SYSPRO has."""
    keys = [*(line.line_key for line in order.lines), *(charge.key for charge in charges(order))]
    return tuple(f"{key}={mine[key]}" for key in dict.fromkeys(keys) if key in mine)


def changes(
    order: PurchaseOrder,
    mine: dict[str, int],
    rows: Sequence[PorMasterDetail],
    rule: Rule,
    *,
    foreign: bool,
    last: int,
    linked: bool,
) -> Changes:
    """What has to be done so that SYSPRO's lines are ours. `last`: the highest number of a line there was.

    A charge that is linked to none of ours was entered by a person and stays, unless the order has no link at all: then
    its answer was lost, and everything in it is ours. Raises NoLonger for a line of which more was received than would
    be left.
    """
    by_number = {row.line: row for row in rows}
    number = last
    lines: list[Line] = []
    comments: list[tuple[int, int, str]] = []
    wanted = {line.line_key: line for line in order.lines if line.kind in GOODS}
    for line in wanted.values():
        row = by_number.get(mine.get(line.line_key, 0))
        if row is None:
            if active(line):
                number += 1
                lines.append(Line(ADD, number, line))
        elif not active(line):
            _check_received(order, row, Decimal(0))
            lines.append(Line(DELETE, row.line, line))
        elif _differs(line, row, order, rule, foreign=foreign):
            _check_received(order, row, priced(line)[0])
            lines.append(Line(CHANGE, row.line, line))
    for added in [each for each in lines if each.action == ADD]:
        for text in overflow(added.line):
            number += 1
            comments.append((number, added.number, text))
    kept = {mine[key] for key in wanted if key in mine}
    for row in goods(rows):
        if row.line not in kept:
            _check_received(order, row, Decimal(0))
            lines.append(Line(DELETE, row.line, _line(row, order.currency, rule, foreign=foreign)))
    gone = [] if linked else [row for row in charged(rows) if row.line not in mine.values()]
    removed = [Charge(DELETE, row.line, "", freight=is_freight(row), amount=charge_of(row)) for row in gone]
    return Changes(lines, [*_charge_changes(order, mine, by_number, number), *removed], comments)


def _charge_changes(
    order: PurchaseOrder, mine: dict[str, int], by_number: dict[int, PorMasterDetail], last: int
) -> list[Charge]:
    result: list[Charge] = []
    wanted = charges(order)
    for charge in wanted:
        row = by_number.get(mine.get(charge.key, 0))
        if row is None:
            last += 1
            result.append(Charge(ADD, last, charge.key, charge.freight, charge.amount, charge.text, charge.tax_code))
        elif charge_of(row) != charge.amount:
            action = (CHANGE, row.line, charge.key, charge.freight, charge.amount, charge.text, charge.tax_code)
            result.append(Charge(*action))
    keys = {charge.key for charge in wanted} | {line.line_key for line in order.lines if line.kind in GOODS}
    for key, number in mine.items():
        row = by_number.get(number)
        if key not in keys and row is not None and not (row.m_stock_code or "").strip():
            result.append(
                Charge(
                    DELETE,
                    number,
                    key,
                    freight=key == FREIGHT or (key != OTHER and is_freight(row)),
                    amount=charge_of(row),
                )
            )
    return result


def _check_received(order: PurchaseOrder, row: PorMasterDetail, left: Decimal) -> None:
    if row.m_received_qty > left:
        raise NoLonger(
            "received",
            f"{Form(about(order)).opening}: of line {row.line} SYSPRO has received {plain(row.m_received_qty):f}, more "
            f"than the {plain(left):f} that would be left. Settle it with the buyer.",
            "OrderQty",
        )


def _differs(line: PurchaseOrderLine, row: PorMasterDetail, order: PurchaseOrder, rule: Rule, *, foreign: bool) -> bool:
    """Quantity, price, unit, due date, GL code; and the text as far as SYSPRO has room for it."""
    theirs = _line(row, order.currency, rule, foreign=foreign)
    due, form, booked_to = line.due_date or order.due_date, Form(about(order)), (row.m_gl_code or "").strip()
    return (
        priced(line) != (theirs.quantity, theirs.unit_price)
        or bool(line.unit and stripped(line.unit) != (theirs.unit or ""))
        or bool(due and due != theirs.due_date)
        or bool(line.account and place(line.account, line.cost_center, rule, form).ledger_code != booked_to)
        or bool(line.tax_code and line.tax_code != theirs.tax_code)
    )


def _line(row: PorMasterDetail, currency: str, rule: Rule, *, foreign: bool) -> PurchaseOrderLine:
    price = row.m_foreign_price if foreign and row.m_foreign_price else row.m_price
    code = (row.m_gl_code or "").strip()
    account, center = rule.split(code) if isinstance(rule, Segment) else (code, None)
    return PurchaseOrderLine(
        line_key=str(row.line),
        number=str(row.line),
        kind=OrderLineKind.SERVICE if (row.m_warehouse or "").strip() == NOT_STOCKED else OrderLineKind.STOCK,
        sku=(row.m_stock_code or "").strip() or None,
        description=(row.m_stock_des or "").strip(),
        unit=(row.m_order_uom or "").strip() or None,
        quantity=plain(row.m_order_qty),
        unit_price=plain(price),
        amount=rounded(row.m_order_qty * price, currency),
        tax_code=(row.m_tax_code or "").strip() or None,
        account=account or None,
        cost_center=center,
        due_date=readable_date(row.m_latest_due_date),
        received=plain(row.m_received_qty),
        status=OrderStatus.CLOSED if (row.m_complete_flag or "").strip() == "Y" else OrderStatus.OPEN,
    )

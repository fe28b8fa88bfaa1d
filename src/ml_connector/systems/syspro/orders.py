"""PorMasterHdr, PorMasterDetail and GrnDetails -> PurchaseOrder.

SYSPRO: nothing says when an order changed, so all open ones and those entered within the horizon are read each time. An
order in process (status 0) is not approved yet and not read. The quantity is in the order unit, the price in that of
the price, with factors between them. Comments, freight and charges are lines without a stock code. A line keeps its
number for ever (R42).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ml_connector.domain.money import rounded
from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine, Receipt
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.syspro.books import Currencies, Unit, currencies
from ml_connector.systems.syspro.costcenters import Segment
from ml_connector.systems.syspro.dates import readable_date
from ml_connector.systems.syspro.documents import NO_DATE
from ml_connector.systems.syspro.rates import plain
from ml_connector.systems.syspro.reading import Reading, Tables
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import Row, Text
from ml_connector.systems.syspro.where import Condition, Where, that

IN_PROCESS, COMPLETE, CANCELLED = "0", "9", "*"
HORIZON = timedelta(days=400)
"""How long ago orders that are closed by now may have been entered."""


class OrderHeader(Row):
    NAME = "PorMasterHdr"
    KEY = ("PurchaseOrder",)
    purchase_order: str
    supplier: str
    order_status: Text
    cancelled_flag: Text
    order_entry_date: Text
    order_due_date: Text
    currency: Text
    terms_code: Text
    buyer: Text
    warehouse: Text


class OrderNumber(Row):
    """Of an order that there is one."""

    NAME = "PorMasterHdr"
    KEY = ("PurchaseOrder",)
    purchase_order: str


class OrderedLine(Row):
    NAME = "PorMasterDetail"
    KEY = ("PurchaseOrder", "Line")
    purchase_order: str
    line: int
    m_stock_code: Text
    m_stock_des: Text
    m_order_uom: Text
    m_order_qty: Decimal
    m_received_qty: Decimal
    m_latest_due_date: Text
    m_price: Decimal
    m_foreign_price: Decimal
    m_disc_pct1: Decimal
    m_disc_pct2: Decimal
    m_disc_pct3: Decimal
    m_disc_value: Decimal
    m_conv_fact_ord_um: Decimal
    m_mul_div_alloc: Text
    m_conv_fact_prc_um: Decimal
    m_mul_div_prc: Text
    m_tax_code: Text
    m_complete_flag: Text
    m_gl_code: Text
    n_comment: Text
    n_msc_charge_value: Decimal
    n_msc_charge_for: Decimal


class ReceivedNote(Row):
    """Of a goods received note what belongs to an order's line."""

    NAME = "GrnDetails"
    KEY = ("Supplier", "Grn", "GrnSource", "Journal", "JournalEntry")
    supplier: str
    grn: str
    grn_source: str
    journal: int
    journal_entry: int
    orig_receipt_date: Text
    purchase_order: str
    purchase_order_lin: int
    qty_received: Decimal
    delivery_note: Text


@dataclass(frozen=True, slots=True)
class _Site:
    """What an order is read with."""

    units: Currencies
    segment: Segment | None


class Orders:
    """Source of PurchaseOrder. Has no cursor: each read is complete within its horizon."""

    def __init__(self, tables: Tables, options: Options, now: Callable[[], datetime]) -> None:
        self._tables = tables
        self._options = options
        self._now = now

    def changes(self, since: Cursor | None) -> Iterator[Page[PurchaseOrder]]:
        """All that may have changed, whatever the cursor."""
        reading = self._tables.reading()
        site = self._site(reading)
        recent = (Condition("OrderEntryDate", "ge", (self._now() - HORIZON).date()),)
        open_ones = (Condition("OrderStatus", "ne", COMPLETE), Condition("OrderStatus", "ne", CANCELLED))
        for headers in reading.pages(OrderHeader, Where(any=((recent, open_ones),))):
            approved = [row for row in headers if (row.order_status or "").strip() != IN_PROCESS]
            yield Page(_items(reading, approved, site), None, reading.digest())

    def keys(self) -> Iterator[str]:
        """Every order that there is: one beyond the horizon is not gone."""
        for rows in self._tables.reading().pages(OrderNumber):
            yield from (row.purchase_order.rstrip() for row in rows)

    def get(self, key: str) -> Item[PurchaseOrder] | None:
        reading = self._tables.reading()
        headers = reading.rows(OrderHeader, that("PurchaseOrder", "eq", key))
        return next(iter(_items(reading, headers, self._site(reading))), None)

    def _site(self, reading: Reading) -> _Site:
        centers = self._options.cost_centers
        return _Site(currencies(reading, self._options), centers if isinstance(centers, Segment) else None)


def _items(reading: Reading, headers: Sequence[OrderHeader], site: _Site) -> list[Item[PurchaseOrder]]:
    """The orders of a page with their lines and receipts."""
    if not headers:
        return []
    numbers = [(row.purchase_order,) for row in headers]
    lines: dict[str, list[OrderedLine]] = {}
    for line in reading.matching(OrderedLine, ("PurchaseOrder",), numbers):
        lines.setdefault(line.purchase_order.rstrip(), []).append(line)
    started = {row.purchase_order for rows in lines.values() for row in rows if row.m_received_qty}
    notes: dict[tuple[str, int], list[ReceivedNote]] = {}
    for note in reading.matching(ReceivedNote, ("PurchaseOrder",), [(number,) for number in sorted(started)]):
        notes.setdefault((note.purchase_order.rstrip(), note.purchase_order_lin), []).append(note)
    return [order(row, lines.get(row.purchase_order.rstrip(), []), notes, site) for row in headers]


def order(
    header: OrderHeader,
    rows: Sequence[OrderedLine],
    notes: dict[tuple[str, int], list[ReceivedNote]],
    site: _Site,
) -> Item[PurchaseOrder]:
    """The order of its rows. One that cannot travel says why, and does not keep the others from it."""
    key = header.purchase_order.rstrip()
    number = shown(key)
    unit = site.units[header.currency]
    problem = header.fault or next((row.fault for row in rows if row.fault), None)
    if unit is None:
        problem = problem or (
            f"unmapped_code: SYSPRO's currency {(header.currency or '').strip()!r} of order {number} has no ISO code."
            " Name it in the Connection's currency_codes."
        )
        unit = Unit(site.units.local, Decimal(1), foreign=False)
    discounted = next((row.line for row in rows if row.m_disc_value), None)
    if discounted is not None:
        problem = problem or (
            f"totals_differ: Line {discounted} of order {number} has a discount by value, which SYSPRO's tables do not"
            " explain. Enter it as a percentage or in the price."
        )
    entered = readable_date(header.order_entry_date)
    if entered is None:
        problem = problem or f"source_shape_changed: Order {number} has no entry date that can be read."
    status = _status(header)
    lines = tuple(line for row in rows if (line := _line(row, notes.get((key, row.line), []), status, unit, site)))
    record = PurchaseOrder(
        number=number,
        supplier=header.supplier.rstrip(),
        date=entered or NO_DATE,
        due_date=readable_date(header.order_due_date),
        currency=unit.iso,
        status=status,
        terms=(header.terms_code or "").strip() or None,
        buyer=(header.buyer or "").strip() or None,
        warehouse=(header.warehouse or "").strip() or None,
        total=sum((line.amount for line in lines if line.status is not OrderStatus.CANCELLED), Decimal(0)),
        lines=lines,
    )
    return Item(key, record, invalid=problem)


def shown(number: str) -> str:
    """An order's number as people know it: without the zeros that fill the column."""
    return number.lstrip("0") or number if number.isdigit() else number


def _status(header: OrderHeader) -> OrderStatus:
    status = (header.order_status or "").strip()
    if status == CANCELLED or (header.cancelled_flag or "").strip() == "Y":
        return OrderStatus.CANCELLED
    return OrderStatus.CLOSED if status == COMPLETE else OrderStatus.OPEN


def _line(
    row: OrderedLine, notes: Sequence[ReceivedNote], status: OrderStatus, unit: Unit, site: _Site
) -> PurchaseOrderLine | None:
    """None for a comment."""
    if not (row.m_stock_code or "").strip():
        return _charge(row, status, unit)
    price = row.m_foreign_price if unit.foreign and row.m_foreign_price else row.m_price
    for percent in (row.m_disc_pct1, row.m_disc_pct2, row.m_disc_pct3):
        price -= price * percent / 100
    code = (row.m_gl_code or "").strip()
    account, center = site.segment.split(code) if site.segment else (code, None)
    amount = rounded(_priced(row) * price, unit.iso)
    complete = (row.m_complete_flag or "").strip() == "Y"
    return PurchaseOrderLine(
        line_key=str(row.line),
        number=str(row.line),
        sku=(row.m_stock_code or "").strip(),
        description=(row.m_stock_des or "").strip() or (row.m_stock_code or "").strip(),
        unit=(row.m_order_uom or "").strip() or None,
        quantity=plain(row.m_order_qty),
        unit_price=_per_ordered(row, price),
        amount=amount,
        tax_code=(row.m_tax_code or "").strip() or None,
        account=account or None,
        cost_center=center,
        due_date=readable_date(row.m_latest_due_date),
        received=plain(row.m_received_qty) if row.m_received_qty else None,
        status=status if status is not OrderStatus.OPEN else OrderStatus.CLOSED if complete else OrderStatus.OPEN,
        receipts=tuple(_receipt(note) for note in notes),
    )


def _charge(row: OrderedLine, status: OrderStatus, unit: Unit) -> PurchaseOrderLine | None:
    value = row.n_msc_charge_for if unit.foreign and row.n_msc_charge_for else row.n_msc_charge_value
    if not value:
        return None
    return PurchaseOrderLine(
        line_key=str(row.line),
        number=str(row.line),
        kind=OrderLineKind.CHARGE,
        description=(row.n_comment or "").strip() or "Charge",
        quantity=Decimal(1),
        unit_price=plain(value),
        amount=rounded(value, unit.iso),
        status=status,
    )


def _receipt(note: ReceivedNote) -> Receipt:
    number = note.grn.strip()
    return Receipt(
        receipt_key=f"{number}/{note.grn_source.strip()}/{note.journal}/{note.journal_entry}",
        order_line=str(note.purchase_order_lin),
        quantity=plain(note.qty_received),
        date=readable_date(note.orig_receipt_date) or NO_DATE,
        delivery_note=(note.delivery_note or "").strip() or None,
        number=number,
    )


def _priced(row: OrderedLine) -> Decimal:
    """The ordered quantity in the unit of the price."""
    stocking = _by(row.m_order_qty, row.m_conv_fact_ord_um, row.m_mul_div_alloc)
    return _by(stocking, row.m_conv_fact_prc_um, "M" if (row.m_mul_div_prc or "").strip() == "D" else "D")


def _per_ordered(row: OrderedLine, price: Decimal) -> Decimal:
    """The price of one ordered unit; that of the price's own unit where nothing is ordered."""
    if not row.m_order_qty or _priced(row) == row.m_order_qty:
        return plain(price)
    return plain((price * _priced(row) / row.m_order_qty).quantize(Decimal("0.00000001")))


def _by(value: Decimal, factor: Decimal, mul_div: Text) -> Decimal:
    if not factor:
        return value
    return value / factor if (mul_div or "").strip() == "D" else value * factor

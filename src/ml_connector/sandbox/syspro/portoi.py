"""PORTOI: purchase orders added, changed and cancelled, header and lines.

A new order takes the company's next number when PurchaseOrder is blank. The answer's tail is StatusofItems, with a
small o. There is no ApplyIfEntireDocumentValid: each order stands alone. A change sets what it names and leaves
the rest; empty elements change nothing. ASSUMED: a line that is left out of a change stays as it is, and
a cancelled order cannot be changed.
"""

from decimal import Decimal
from typing import Any

from ml_connector.sandbox.syspro.books import LOCAL_CURRENCY
from ml_connector.sandbox.syspro.definition import Value
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.item import NOT_ALLOWED, NOT_FOUND, Item
from ml_connector.sandbox.syspro.order_lines import RECEIVED, Line, Lines
from ml_connector.sandbox.syspro.orders import CANCELLED, COMPLETE, Orders, shown
from ml_connector.sandbox.syspro.posting import BusinessObject, Call, Tally

ORDERS_NOT_ALLOWED = 180001
ON_HOLD = 180002
DUPLICATE = 180003
CLOSED = 180004

HEADER = "OrderHeader/"
_COLUMNS = {
    "OrderType": "OrderType",
    "Customer": "Customer",
    "TaxStatus": "TaxStatus",
    "PaymentTerms": "PaymentTerms",
    "InvoiceTerms": "TermsCode",
    "CustomerPoNumber": "CustomerPoNumber",
    "ShippingInstrs": "ShippingInstrs",
    "OrderDate": "OrderEntryDate",
    "DueDate": "OrderDueDate",
    "MemoDate": "MemoDate",
    "MemoCode": "MemoCode",
    "Buyer": "Buyer",
    "DeliveryName": "DeliveryName",
    **{f"DeliveryAddr{n}": f"DeliveryAddr{n}" for n in range(1, 6)},
    "PostalCode": "PostalCode",
    "Warehouse": "Warehouse",
    "DiscPercent1": "DiscPct1",
    "DiscPercent2": "DiscPct2",
    "DiscPercent3": "DiscPct3",
    "ExchRateFixed": "ExchRateFixed",
    "ExchangeRate": "ExchangeRate",
    "DeliveryTerms": "DeliveryTerms",
    "ShippingLocation": "ShippingLocation",
    "AutoVoucher": "AutoVoucherReqd",
    "LanguageCode": "LanguageCode",
    "IncludeInMrp": "IncludeInMrp",
}


class PurchaseOrders:
    """One PORTOI document."""

    def __init__(self, call: Call) -> None:
        self.call, self.books = call, call.books
        self.orders = Orders(call.books, call.options)

    def named(self, item: Item, number: int) -> list[Node]:
        return self._answer(item, number, item.plain(f"{HEADER}PurchaseOrder"), item.plain(f"{HEADER}Supplier"))

    def post(self, item: Item, number: int) -> list[Node]:
        action = item.choice(f"{HEADER}OrderActionType", "A C D", "A")
        held = self._held(item) if action != "A" else None
        supplier = self._supplier(item, held)
        if item.is_refused or supplier is None:
            return []
        if action == "D" and held is not None:
            return self._cancel(item, number, held)
        columns = self._header(item, held, supplier)
        given = item.text(f"{HEADER}PurchaseOrder", "PorMasterHdr.PurchaseOrder")
        if held is None and given:
            self._check_number(item, given)
        if item.is_refused:
            return []
        if held is None:
            order = self.orders.add(supplier, self._for_new(columns, supplier), given)
        else:
            order = held["PurchaseOrder"]
            self.orders.change(order, columns)
        lines = self._lines(item, order, supplier)
        if item.is_refused:
            return []
        said = [self._apply(order, line) for line in lines]
        told = shown(order) if self.call.options.order_number_returned or held is not None else ""
        nodes = self._answer(item, number, told, supplier["Supplier"])
        return [*nodes, *said] if self.call.flag("OutputItemforDetailLines") else nodes

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        counters: list[Node] = [
            ("ItemsProcessed", f"{tally.processed:06d}"),
            ("ItemsInvalid", f"{tally.invalid:06d}"),
        ]
        return [("StatusofItems", counters)]

    # --- header ------------------------------------------------------------------------------------------

    def _held(self, item: Item) -> dict[str, Any] | None:
        path = f"{HEADER}PurchaseOrder"
        given = item.plain(path)
        row = self.orders.find(given) if given else None
        if not given:
            item.needs(path)
        elif row is None:
            item.wrong(path, NOT_FOUND, f"Purchase order '{given}' not found")
        elif row["OrderStatus"] in {COMPLETE, CANCELLED}:
            item.wrong(path, CLOSED, f"Purchase order '{given}' is complete or cancelled")
        return row

    def _supplier(self, item: Item, held: dict[str, Any] | None) -> dict[str, Any] | None:
        path = f"{HEADER}Supplier"
        given = item.plain(path)
        if held is not None and given and given != held["Supplier"]:
            item.wrong(path, NOT_ALLOWED, f"The order is with supplier '{held['Supplier']}'")
        if held is None:
            item.needs(path)
        row = item.code(self.books, path, "ApSupplier", held["Supplier"] if held else "")
        if row is not None and held is None:
            if row["PurchOrdAllowed"] == "N":
                item.wrong(path, ORDERS_NOT_ALLOWED, f"Supplier '{row['Supplier']}' takes no purchase orders")
            if row["OnHold"] == "Y":
                how = self.call.options.on_hold.get("PORTOI", "accept")
                item.judge(how, path, ON_HOLD, f"Supplier '{row['Supplier']}' is on hold")
        return row

    def _header(self, item: Item, held: dict[str, Any] | None, supplier: dict[str, Any]) -> dict[str, Value]:
        item.choice(f"{HEADER}OrderType", "L I", "L")
        item.choice(f"{HEADER}TaxStatus", "E N", "N")
        item.code(self.books, f"{HEADER}InvoiceTerms", "TblApTerms")
        item.code(self.books, f"{HEADER}Buyer", "InvBuyer")
        if item.plain(f"{HEADER}Warehouse") != "**":
            item.code(self.books, f"{HEADER}Warehouse", "InvWhControl")
        columns = item.columns({f"{HEADER}{path}": f"PorMasterHdr.{name}" for path, name in _COLUMNS.items()})
        rate = columns.get("ExchangeRate")
        if rate is not None and supplier["Currency"] == LOCAL_CURRENCY:
            columns.pop("ExchangeRate")
        elif isinstance(rate, Decimal) and rate <= 0:
            item.wrong(f"{HEADER}ExchangeRate", NOT_ALLOWED, "ExchangeRate must be above 0")
        if held is not None and item.flag(f"{HEADER}ChgPOStatToReadyToPrint"):
            columns["OrderStatus"] = "1"
        return columns

    def _for_new(self, columns: dict[str, Value], supplier: dict[str, Any]) -> dict[str, Value]:
        status = self.call.text("Status") or "1"
        if self.call.flag("StatusInProcess"):
            status = "0"
        columns = {"OrderStatus": status if status in {"0", "1", "4"} else "1", **columns}
        if "OrderEntryDate" in columns:
            columns.setdefault("OrderDueDate", columns["OrderEntryDate"])
        return columns

    def _check_number(self, item: Item, given: str) -> None:
        path = f"{HEADER}PurchaseOrder"
        if not self.call.options.manual_order_numbers:
            item.wrong(path, NOT_ALLOWED, "Purchase orders are numbered by the system")
        elif self.orders.find(given) is not None:
            item.wrong(path, DUPLICATE, f"Purchase order '{given}' exists already")

    # --- lines -------------------------------------------------------------------------------------------

    def _lines(self, item: Item, order: str, supplier: dict[str, Any]) -> list[Line]:
        """Every line that is good, or that the site drops; the others are said to the order."""
        header = self.orders.get(order)
        if item.plain(f"{HEADER}ApplyDueDateToLines").upper() == "A":
            for line in self.orders.lines(order):
                self.orders.change_line(order, line["Line"], {"MLatestDueDate": header["OrderDueDate"]})
        read = Lines(self.call, self.orders, header, supplier).read(item)
        for one in read:
            if not one.item.is_refused or self.call.options.bad_order_line == "refuse":
                item.take_over(one.item, f"OrderDetails/{one.tag}")
        return read

    def _apply(self, order: str, line: Line) -> Node:
        """Writes a line unless it is dropped, and gives what OutputItemforDetailLines would show of it."""
        if line.item.is_refused:
            said = line.item.remarks_as_nodes(lower=False)
            return "OrderLine", [("LineActionType", line.action), *said]
        if line.action == "A":
            line.number = self.orders.add_line(order, line.columns)
        elif line.number is not None and line.action == "C":
            self.orders.change_line(order, line.number, line.columns)
        elif line.number is not None:
            self.orders.cancel_line(order, line.number)
        return "OrderLine", [("PurchaseOrderLine", f"{line.number:04d}"), ("LineActionType", line.action)]

    def _cancel(self, item: Item, number: int, held: dict[str, Any]) -> list[Node]:
        order = held["PurchaseOrder"]
        if self.orders.is_received(order):
            item.wrong(f"{HEADER}PurchaseOrder", RECEIVED, f"Purchase order '{shown(order)}' has been received in part")
            return []
        self.orders.cancel(order)
        return self._answer(item, number, shown(order), held["Supplier"])

    def _answer(self, item: Item, number: int, order: str, supplier: str) -> list[Node]:
        return [
            ("Key", [("PurchaseOrder", order)]),
            ("ItemNumber", f"{number:06d}"),
            ("OrderActionType", item.plain(f"{HEADER}OrderActionType") or "A"),
            ("Supplier", supplier),
        ]


PORTOI = BusinessObject(
    "PORTOI", "PostPurchaseOrders", "postpurchaseorders", PurchaseOrders, item="Orders", answer_item="Order", whole=""
)

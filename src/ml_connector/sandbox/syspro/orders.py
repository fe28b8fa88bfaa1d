"""Purchase orders: how an order and its receipts stand in the tables.

PorMasterHdr.OrderStatus is 0 in process, 1 ready to print, 4 printed, 9 complete, * cancelled. A line keeps its
number for ever. Prices are in the supplier's currency (MForeignPrice) and the company's (MPrice).
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.books import CENT, GRN_SUSPENSE, LOCAL_CURRENCY, Books
from ml_connector.sandbox.syspro.conditions import Compare
from ml_connector.sandbox.syspro.definition import Value, midnight
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.receipts import note_values
from ml_connector.sandbox.syspro.schema import TABLES

COMPLETE, CANCELLED = "9", "*"
PRICE = Decimal("0.00001")


class Orders:
    def __init__(self, books: Books, options: SysproOptions) -> None:
        self.books = books
        self.options = options

    # --- reading -----------------------------------------------------------------------------------------

    def find(self, number: str) -> dict[str, Any] | None:
        """The header by its number, with or without leading zeros."""
        if not number.isdigit():
            return self.books.row("PorMasterHdr", number)
        forms = [number, str(int(number)), f"{int(number):06d}", f"{int(number):015d}"]
        found = (self.books.row("PorMasterHdr", form) for form in forms)
        return next((row for row in found if row is not None), None)

    def get(self, number: str) -> dict[str, Any]:
        """As `find`. Raises BadInput."""
        row = self.find(number)
        if row is None:
            raise BadInput(f"purchase order {number!r} is not on file")
        return row

    def lines(self, order: str) -> list[dict[str, Any]]:
        """By line number; `order` as the header has it."""
        names = TABLES["PorMasterDetail"].index
        rows = self.books.tables["PorMasterDetail"].select(Compare("PurchaseOrder", "eq", order))
        return [dict(zip(names, row, strict=True)) for row in rows]

    def line(self, order: str, number: int) -> dict[str, Any]:
        """Raises BadInput."""
        row = self.books.row("PorMasterDetail", order, number)
        if row is None:
            raise BadInput(f"purchase order {order} has no line {number}")
        return row

    def is_merchandise(self, line: dict[str, Any]) -> bool:
        types = self.options.line_types
        return line["LineType"] in {types["stocked"], types["non_stocked"]}

    def is_received(self, order: str) -> bool:
        return any(line["MReceivedQty"] for line in self.lines(order))

    # --- writing -----------------------------------------------------------------------------------------

    def add(self, supplier: dict[str, Any], columns: dict[str, Value], number: str = "") -> str:
        """A new order without lines; the company's next number if none is given. Returns it as stored."""
        stored = self.stored(number) if number else self._next()
        currency = supplier["Currency"]
        rate, mul_div = self.books.rate(currency)
        self.books.tables["PorMasterHdr"].put(
            {
                "PurchaseOrder": stored,
                "NextDetailLine": 1,
                "OrderStatus": "1",
                "ActiveFlag": "Y",
                "CancelledFlag": "N",
                "Supplier": supplier["Supplier"],
                "SupplierClass": supplier["SupplierClass"],
                "OrderEntryDate": midnight(self.books.today()),
                "OrderDueDate": midnight(self.books.today()),
                "OrderType": "L",
                "TaxStatus": "N",
                "Currency": currency,
                "ExchangeRate": rate,
                "MulDiv": mul_div,
                "ExchRateFixed": "N",
                "TermsCode": supplier["TermsCode"],
                "Nationality": supplier["Nationality"],
                **columns,
            }
        )
        return stored

    def change(self, order: str, columns: dict[str, Value]) -> None:
        """Sets columns of the header and counts the amendment."""
        header = self.get(order)
        key: dict[str, Value] = {"PurchaseOrder": header["PurchaseOrder"]}
        count: dict[str, Value] = {"AmendedCount": min(header["AmendedCount"] + 1, 99)}
        self.books.tables["PorMasterHdr"].put(key | columns | count)

    def add_line(self, order: str, columns: dict[str, Value]) -> int:
        """Returns the number of the line, which is never given again."""
        header = self.get(order)
        number = header["NextDetailLine"]
        key: dict[str, Value] = {"PurchaseOrder": header["PurchaseOrder"]}
        self.books.tables["PorMasterHdr"].put(key | {"NextDetailLine": number + 1})
        first: dict[str, Value] = {"Line": number, "MOriginalLine": number, "MCompleteFlag": "N"}
        self.books.tables["PorMasterDetail"].put(key | first | columns)
        return int(number)

    def change_line(self, order: str, number: int, columns: dict[str, Value]) -> None:
        self.books.tables["PorMasterDetail"].put({"PurchaseOrder": order, "Line": number, **columns})

    def cancel_line(self, order: str, number: int) -> None:
        """Raises BadInput for a line of which something was received."""
        line = self.line(order, number)
        if line["MReceivedQty"]:
            raise BadInput(f"line {number} of purchase order {order} has been received in part")
        if self.options.cancelled_line == "removed":
            self.books.tables["PorMasterDetail"].delete(order, number)
        else:
            self.change_line(order, number, {"MOrderQty": Decimal("0.000000"), "MCompleteFlag": "Y"})

    def cancel(self, order: str) -> None:
        """Raises BadInput for an order of which something was received, or that is closed."""
        header = self.get(order)
        order = header["PurchaseOrder"]
        if header["OrderStatus"] in {COMPLETE, CANCELLED}:
            raise BadInput(f"purchase order {order} is complete or cancelled already")
        if self.is_received(order):
            raise BadInput(f"purchase order {order} has been received in part")
        for line in self.lines(order):
            self.change_line(order, line["Line"], {"MCompleteFlag": "Y"})
        self.change(order, {"OrderStatus": CANCELLED, "CancelledFlag": "Y", "ActiveFlag": "N"})

    def receive(self, order: str, number: int, quantity: Decimal, *, grn: str = "", delivery_note: str = "") -> str:
        """Goods of a line come in: the line's received quantity rises and a note is written; returns its number.

        Raises BadInput for a line that does not take goods.
        """
        header = self.get(order)
        order = header["PurchaseOrder"]
        line = self.line(order, number)
        if header["OrderStatus"] in {COMPLETE, CANCELLED} or not self.is_merchandise(line):
            raise BadInput(f"line {number} of purchase order {order} takes no goods")
        received = line["MReceivedQty"] + quantity
        if not 0 <= received <= line["MOrderQty"]:
            raise BadInput(f"line {number} of purchase order {order}: {received} of {line['MOrderQty']} received")
        today, entry = midnight(self.books.today()), self.books.next_number("grn")
        year, month = self.books.current_period()
        note = grn or f"{entry:06d}"
        foreign, local = (amount_of(quantity, line[name], line) for name in ("MForeignPrice", "MPrice"))
        if header["Currency"] != LOCAL_CURRENCY:
            local = converted_at(foreign, header)
        self.books.tables["GrnDetails"].put(
            {
                "Supplier": header["Supplier"],
                "Grn": note,
                "GrnSource": "P",
                "Journal": entry,
                "JournalEntry": 1,
                "DebitRecGlCode": GRN_SUSPENSE,
                "PurchaseOrder": order,
                "PurchaseOrderLin": number,
                "StockCode": line["MStockCode"],
                "StockDescription": line["MStockDes"],
                "Warehouse": line["MWarehouse"],
                "QtyReceived": quantity,
                "QtyUom": line["MOrderUom"],
                "DeliveryNote": delivery_note,
                "CurrencyValue": foreign,
                "PostCurrency": header["Currency"],
                "ConvRate": header["ExchangeRate"],
                "MulDiv": header["MulDiv"],
                "MTaxCode": line["MTaxCode"],
                **note_values(today, year, month, local),
            }
        )
        done = "Y" if received >= line["MOrderQty"] else "N"
        self.change_line(order, number, {"MReceivedQty": received, "MLastReceiptDat": today, "MCompleteFlag": done})
        self._complete_if_done(order, today)
        return note

    def stored(self, number: str) -> str:
        """An order number as the tables of this site hold it."""
        if not number.isdigit():
            return number
        return f"{int(number):015d}" if self.options.order_numbers == "padded" else f"{int(number):06d}"

    def _next(self) -> str:
        while self.find(number := str(self.books.next_number("order"))) is not None:
            pass
        return self.stored(number)

    def _complete_if_done(self, order: str, today: dt.datetime) -> None:
        goods = [line for line in self.lines(order) if self.is_merchandise(line)]
        if all(line["MCompleteFlag"] == "Y" for line in goods):
            done: dict[str, Value] = {"OrderStatus": COMPLETE, "ActiveFlag": "N", "DatePoCompleted": today}
            self.books.tables["PorMasterHdr"].put({"PurchaseOrder": order, **done})


def shown(number: str) -> str:
    """An order number as e.net shows it: six digits, or the text it is."""
    return f"{int(number):06d}" if number.isdigit() else number


def amount_of(quantity: Decimal, price: Decimal, line: dict[str, Any]) -> Decimal:
    """Quantity in the order unit at a price in the price unit, to the cent."""
    stocking = _by(quantity, line["MConvFactOrdUm"], line["MMulDivAlloc"])
    priced = _by(stocking, line["MConvFactPrcUm"], "D" if line["MMulDivPrc"] == "M" else "M")
    return (priced * price).quantize(CENT)


def converted_at(amount: Decimal, header: dict[str, Any]) -> Decimal:
    """In local currency at the order's rate, to the cent."""
    return _by(amount, header["ExchangeRate"], header["MulDiv"]).quantize(CENT)


def local_price(price: Decimal, rate: Decimal, mul_div: str) -> Decimal:
    return _by(price, rate, mul_div).quantize(PRICE)


def _by(value: Decimal, factor: Decimal, mul_div: str) -> Decimal:
    if not factor:
        return value
    return value * factor if mul_div != "D" else value / factor

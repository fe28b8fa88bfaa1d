"""The lines of an order as PORTOI takes them: goods and services, comments, charges, freight.

A non-stocked line is a StockLine in warehouse `**` with a stock code and a description of its own; it needs the
parameter AllowNonStockItems. ASSUMED: a line without Taxable is taxed as its TaxCode says, and freight and charges
stand in NMscChargeValue, their text in NComment; their value is in the order's currency unless MiscChargeFLoc or
FreightFLoc is L.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.syspro.accounts import check_account
from ml_connector.sandbox.syspro.books import CENT
from ml_connector.sandbox.syspro.definition import Value
from ml_connector.sandbox.syspro.item import MISSING, NOT_ALLOWED, NOT_FOUND, Item
from ml_connector.sandbox.syspro.orders import PRICE, Orders, local_price
from ml_connector.sandbox.syspro.posting import Call

RECEIVED = 180101
NO_PRICE = 180102

KINDS = {"StockLine": "stocked", "CommentLine": "comment", "MiscChargeLine": "charge", "FreightLine": "freight"}
NON_STOCKED = "**"

_STOCK = {
    "SupCatalogue": "MSupCatalogue",
    "LineDiscPercent1": "MDiscPct1",
    "LineDiscPercent2": "MDiscPct2",
    "LineDiscPercent3": "MDiscPct3",
    "LineDiscValue": "MDiscValue",
    "Job": "MJob",
    "Version": "MVersion",
    "Release": "MRelease",
    "LatestDueDate": "MLatestDueDate",
    "OriginalDueDate": "MOrigDueDate",
    "RescheduleDueDate": "MReschedDueDate",
    "InspectionReqd": "MInspectionReqd",
    "ProductClass": "MProductClass",
}


@dataclass
class Line:
    """One element of OrderDetails: what it asks for, and the columns that it sets."""

    tag: str
    item: Item
    action: str
    number: int | None
    columns: dict[str, Value]


class Lines:
    """Reads the lines of one order; `header` is as the tables will have it."""

    def __init__(self, call: Call, orders: Orders, header: dict[str, Any], supplier: dict[str, Any]) -> None:
        self.call, self.orders, self.header, self.supplier = call, orders, header, supplier
        self.books = call.books

    def read(self, order: Item) -> list[Line]:
        details = order.element.find("OrderDetails")
        return [] if details is None else [self._line(order, child) for child in details if child.tag in KINDS]

    def _line(self, order: Item, element: Any) -> Line:
        item = order.part(element)
        line = Line(element.tag, item, item.choice("LineActionType", "A C D", "A"), None, {})
        given = item.number("PurchaseOrderLine", "PorMasterDetail.Line")
        held = None
        if line.action != "A":
            line.number = None if given is None else int(given)
            held = self._held(item, line.number)
            if held is None:
                return line
        if line.action == "D":
            if held is not None and held["MReceivedQty"]:
                item.wrong("PurchaseOrderLine", RECEIVED, f"Line {line.number} has been received in part")
            return line
        read = {"StockLine": self._stock, "CommentLine": self._comment}.get(element.tag, self._charge)
        line.columns = read(item, held)
        return line

    def _held(self, item: Item, number: int | None) -> dict[str, Any] | None:
        if number is None:
            item.needs("PurchaseOrderLine")
            return None
        row = self.books.row("PorMasterDetail", self.header["PurchaseOrder"], number)
        if row is None:
            item.wrong("PurchaseOrderLine", NOT_FOUND, f"Line {number} of this order not found")
        elif row["MCompleteFlag"] == "Y":
            item.wrong("PurchaseOrderLine", NOT_ALLOWED, f"Line {number} is complete or cancelled")
            return None
        return row

    # --- goods and services ------------------------------------------------------------------------------

    def _stock(self, item: Item, held: dict[str, Any] | None) -> dict[str, Value]:
        columns = item.columns({path: f"PorMasterDetail.{column}" for path, column in _STOCK.items()})
        if columns.get("MDiscValue"):
            columns["MDiscValFlag"] = "V"
        for due in ("MLatestDueDate", "MOrigDueDate"):
            if held is None:
                columns.setdefault(due, self.header["OrderDueDate"])
        columns |= self._goods(item, held)
        columns |= self._quantity(item, held)
        columns |= self._price(item, held)
        columns |= self._tax(item, held)
        if item.plain("LedgerCode"):
            check_account(item, self.call, "PORTOI", "LedgerCode", "LedgerCode")
            columns["MGlCode"] = item.text("LedgerCode", "PorMasterDetail.MGlCode")
        elif held is None and item.plain("Warehouse") == NON_STOCKED and not self.call.flag("AllowBlankLedgerCode"):
            item.wrong("LedgerCode", MISSING, "LedgerCode is needed for a line that is not stocked")
        return columns

    def _goods(self, item: Item, held: dict[str, Any] | None) -> dict[str, Value]:
        """Stock code, description, warehouse and units."""
        types = self.orders.options.line_types
        warehouse = item.plain("Warehouse") or (held or {}).get("MWarehouse", "") or self.header["Warehouse"]
        code = item.text("StockCode", "PorMasterDetail.MStockCode") or (held or {}).get("MStockCode", "")
        if not code:
            item.wrong("StockCode", MISSING, "StockCode is needed")
        text = item.text("StockDescription", "PorMasterDetail.MStockDes")
        unit = item.text("OrderUom", "PorMasterDetail.MOrderUom") or (held or {}).get("MOrderUom", "")
        price_unit = item.text("PriceUom", "PorMasterDetail.MPriceUom") or (held or {}).get("MPriceUom", "")
        columns: dict[str, Value] = {"MStockCode": code, "MWarehouse": warehouse}
        if warehouse == NON_STOCKED:
            if held is None and not self.call.flag("AllowNonStockItems"):
                item.wrong("StockCode", NOT_ALLOWED, "Non-stocked lines need AllowNonStockItems")
            unit = unit or "EA"
            price_unit = price_unit or unit
            if price_unit != unit:
                item.wrong("PriceUom", NOT_ALLOWED, f"PriceUom '{price_unit}' cannot be converted to '{unit}'")
            columns |= {"LineType": types["non_stocked"], "MStockingUom": unit}
            columns |= self._factors(item, "OrderUom", unit, {"StockUom": unit}, "MConvFactOrdUm", "MMulDivAlloc")
            columns |= self._factors(item, "PriceUom", unit, {"StockUom": unit}, "MConvFactPrcUm", "MMulDivPrc")
        else:
            stock = self.books.row("InvMaster", code)
            if stock is None:
                item.wrong("StockCode", NOT_FOUND, f"Stock code '{code}' not found")
                return columns
            if self.books.row("InvWhControl", warehouse) is None:
                item.wrong("Warehouse", NOT_FOUND, f"Warehouse '{warehouse}' not found", warehouse)
            unit = unit or stock["StockUom"]
            price_unit = price_unit or unit
            text = text or ("" if held else stock["Description"])
            columns |= {"LineType": types["stocked"], "MStockingUom": stock["StockUom"]}
            columns |= self._factors(item, "OrderUom", unit, stock, "MConvFactOrdUm", "MMulDivAlloc")
            columns |= self._factors(item, "PriceUom", price_unit, stock, "MConvFactPrcUm", "MMulDivPrc")
            if held is None and not item.plain("ProductClass"):
                columns["MProductClass"] = stock["ProductClass"]
        if text:
            columns["MStockDes"] = text
        return columns | {"MOrderUom": unit, "MPriceUom": price_unit}

    def _factors(
        self, item: Item, path: str, unit: str, stock: dict[str, Any], factor: str, mul_div: str
    ) -> dict[str, Value]:
        """How a unit turns into the stocking unit."""
        if unit == stock["StockUom"]:
            return {factor: Decimal("1.000000"), mul_div: "M"}
        if unit == stock.get("AlternateUom"):
            return {factor: stock["ConvFactAltUom"], mul_div: stock["ConvMulDiv"] or "M"}
        item.wrong(path, NOT_FOUND, f"{path} '{unit}' is no unit of this stock code", unit)
        return {}

    def _quantity(self, item: Item, held: dict[str, Any] | None) -> dict[str, Value]:
        quantity = item.number("OrderQty", "PorMasterDetail.MOrderQty")
        if quantity is None:
            if held is None:
                item.needs("OrderQty")
            return {}
        if quantity <= 0:
            item.wrong("OrderQty", NOT_ALLOWED, "OrderQty must be above 0")
        if held is not None and quantity < held["MReceivedQty"]:
            text = f"OrderQty {quantity.normalize():f} is below the {held['MReceivedQty'].normalize():f} received"
            item.wrong("OrderQty", RECEIVED, text)
        return {"MOrderQty": quantity}

    def _price(self, item: Item, held: dict[str, Any] | None) -> dict[str, Value]:
        price = item.number("Price", "PorMasterDetail.MPrice")
        if price is None and held is not None:
            return {}
        price = Decimal(0).quantize(PRICE) if price is None else price
        if not price and not self.call.flag("AllowZeroPrice"):
            item.wrong("Price", NO_PRICE, "Price is needed: AllowZeroPrice is not set")
        rate, mul_div = self.header["ExchangeRate"], self.header["MulDiv"]
        return {"MForeignPrice": price, "MPrice": local_price(price, rate, mul_div)}

    def _tax(self, item: Item, held: dict[str, Any] | None) -> dict[str, Value]:
        given = item.code(self.books, "TaxCode", "AdmTax")
        if given is not None:
            return {"MTaxCode": given["TaxCode"]}
        if item.has("Taxable") and not item.flag("Taxable"):
            return {"MTaxCode": ""}
        if held is None and item.flag("Taxable") and not item.plain("TaxCode"):
            return {"MTaxCode": self.supplier["DefTaxCode"]}
        return {}

    # --- other lines -------------------------------------------------------------------------------------

    def _comment(self, item: Item, held: dict[str, Any] | None) -> dict[str, Value]:
        attached = item.number("AttachedToStkLineNumber", "PorMasterDetail.NCommentFromLin")
        columns: dict[str, Value] = {"LineType": self.orders.options.line_types["comment"]}
        if item.has("Comment") or held is None:
            columns["NComment"] = item.text("Comment", "PorMasterDetail.NComment")
        if attached is not None:
            columns["NCommentFromLin"] = int(attached)
        return columns

    def _charge(self, item: Item, held: dict[str, Any] | None) -> dict[str, Value]:
        """A miscellaneous charge or freight."""
        name = "MiscCharge" if item.element.tag == "MiscChargeLine" else "Freight"
        kind = "charge" if name == "MiscCharge" else "freight"
        value = item.number(f"{name}Value", "PorMasterDetail.NMscChargeValue")
        columns: dict[str, Value] = {"LineType": self.orders.options.line_types[kind]}
        if value is None and held is None:
            item.needs(f"{name}Value")
        elif value is not None:
            columns |= self._value(item, f"{name}FLoc", value)
        tax = item.code(self.books, "MiscChargeTax" if name == "MiscCharge" else "FreightTaxCode", "AdmTax")
        if tax is not None:
            columns["NMscChargeTax"] = tax["TaxCode"]
        if item.plain("MiscDescription"):
            columns["NComment"] = item.text("MiscDescription", "PorMasterDetail.NComment")
        return columns

    def _value(self, item: Item, path: str, value: Decimal) -> dict[str, Value]:
        """A charge in both currencies, from the one in which it was given."""
        given = item.choice(path, "F L", "F")
        rate, mul_div = self.header["ExchangeRate"], self.header["MulDiv"]
        other = {"M": "D", "D": "M"}.get(mul_div, "D") if given == "L" else mul_div
        turned = local_price(value, rate, other).quantize(CENT)
        foreign, local = (value, turned) if given == "F" else (turned, value)
        return {"NMscChargeFor": foreign, "NMscChargeValue": local, "NMscChargeFLoc": given}

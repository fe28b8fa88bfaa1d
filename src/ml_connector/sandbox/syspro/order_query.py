"""PORQRY: one purchase order with its lines.

Only a part of the output is published: header fields, Merchandise lines and totals. ASSUMED: the names within
PurchaseOrderTotals, and that lines of other kinds come under a name of their own beside Merchandise.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from ml_connector.sandbox.syspro.conditions import Compare
from ml_connector.sandbox.syspro.documents import Node, Refused, parse, render, text_of
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.orders import amount_of, shown
from ml_connector.sandbox.syspro.table import Table

STATUS = {"0": "In process", "1": "Ready to print", "4": "Printed", "9": "Complete", "*": "Cancelled"}
OTHER = {"comment": "Comment", "charge": "Miscellaneous", "freight": "Freight"}
INCLUDED_BY = {
    "stocked": "IncludeStockedLines",
    "non_stocked": "IncludeNonStockedLines",
    "freight": "IncludeFreightLines",
    "charge": "IncludeMiscellaneousLines",
    "comment": "IncludeCommentLines",
}

Values = dict[str, Any]


def order(xml: str | None, tables: Mapping[str, Table], options: SysproOptions) -> bytes:
    """Raises Refused for an order that is not there."""
    query = parse(xml, "Query")
    given = text_of(query, "Key/PurchaseOrder")
    header = _header(given, tables)
    if header is None:
        raise Refused(f"Purchase order '{given}' not found")
    lines = _rows(tables["PorMasterDetail"], header["PurchaseOrder"])
    supplier = tables["ApSupplier"].get(header["Supplier"])
    name = "" if supplier is None else tables["ApSupplier"].read(supplier, "SupplierName")
    kinds = {letter: kind for kind, letter in options.line_types.items()}
    shown_lines = [_line(line, kinds.get(line["LineType"], "comment")) for line in lines if _asked(query, line, kinds)]
    total = sum((_amount(line) for line in lines), Decimal("0.00"))
    return render(
        "PorDetail",
        [
            ("PurchaseOrder", shown(header["PurchaseOrder"])),
            ("Supplier", header["Supplier"]),
            ("SupplierName", name),
            ("OrderStatus", header["OrderStatus"]),
            ("OrderStatusDescription", STATUS.get(header["OrderStatus"], "")),
            ("Currency", header["Currency"]),
            ("PoExchangeRate", f"{header['ExchangeRate']:15.6f}"),
            ("ApInvoiceTerms", header["TermsCode"]),
            ("OrderEntryDate", _day(header["OrderEntryDate"])),
            ("OrderDueDate", _day(header["OrderDueDate"])),
            ("MemoDate", _day(header["MemoDate"])),
            ("OrderType", "Import" if header["OrderType"] == "I" else "Local"),
            ("TaxStatus", "Exempt" if header["TaxStatus"] == "E" else "Not exempt"),
            ("CustomerPoNumber", header["CustomerPoNumber"]),
            ("Buyer", header["Buyer"]),
            ("PurchaseOrderLine", shown_lines),
            ("PurchaseOrderTotals", [("OrderValue", f"{total:18,.2f}")]),
        ],
    )


def _header(given: str, tables: Mapping[str, Table]) -> Values | None:
    table = tables["PorMasterHdr"]
    forms = [given, f"{int(given):06d}", f"{int(given):015d}"] if given.isdigit() else [given]
    row = next((row for form in forms if (row := table.get(form)) is not None), None)
    return None if row is None else dict(zip(table.definition.index, row, strict=True))


def _rows(table: Table, number: str) -> list[Values]:
    found = table.select(Compare("PurchaseOrder", "eq", number))
    return [dict(zip(table.definition.index, row, strict=True)) for row in found]


def _asked(query: etree._Element, line: Values, kinds: dict[str, str]) -> bool:
    """Left out are only the kinds that the query says N to."""
    flag = INCLUDED_BY[kinds.get(line["LineType"], "comment")]
    if line["MCompleteFlag"] == "Y" and text_of(query, "Option/IncludeCompletedLines") == "N":
        return False
    return text_of(query, f"Option/{flag}") != "N"


def _line(line: Values, kind: str) -> Node:
    number: Node = ("Line", f"{line['Line']:4d}")
    if kind in OTHER:
        value = f"{line['NMscChargeFor']:16.2f}"
        return OTHER[kind], [number, ("LineType", line["LineType"]), ("NComment", line["NComment"]), ("Value", value)]
    outstanding = max(line["MOrderQty"] - line["MReceivedQty"], Decimal(0))
    return "Merchandise", [
        number,
        ("LineType", line["LineType"]),
        ("MStockCode", line["MStockCode"]),
        ("MStockDes", line["MStockDes"]),
        ("MWarehouse", line["MWarehouse"]),
        ("MOrderUom", line["MOrderUom"]),
        ("MOrderQty", f"{line['MOrderQty']:,.3f}"),
        ("Unedited_MOrderQty", f"{line['MOrderQty']:20.6f}"),
        ("MReceivedQty", f"{line['MReceivedQty']:,.3f}"),
        ("Unedited_MReceivedQty", f"{line['MReceivedQty']:20.6f}"),
        ("MOutstandingQty", f"{outstanding:,.3f}"),
        ("Unedited_MOutstandingQty", f"{outstanding:20.6f}"),
        ("MPrice", f"{line['MForeignPrice']:17.5f}"),
        ("Edit_MPrice", f"{line['MForeignPrice']:,.5f}"),
        ("MPriceUom", line["MPriceUom"]),
        ("MTaxCode", line["MTaxCode"]),
        ("MGlCode", line["MGlCode"]),
        ("MLatestDueDate", _day(line["MLatestDueDate"])),
    ]


def _amount(line: Values) -> Decimal:
    """In the order's currency."""
    charge: Decimal = line["NMscChargeFor"]
    return amount_of(line["MOrderQty"], line["MForeignPrice"], line) + charge


def _day(value: Any) -> str:
    return "" if value is None else value.date().isoformat()

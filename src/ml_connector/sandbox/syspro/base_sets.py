"""The small company of the acceptance stories, as each of them begins.

    bill          five suppliers and their invoices
    avidxchange   the same, purchase orders 150 to 152, and a ledger code for the bank
    procurify     four of the suppliers, no documents; the euro goes by the code E
    basware       the suppliers and the orders, no invoices; components have a ledger code of 27 characters

All are the rows of base_set.syspro.json, changed where the story says so.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ml_connector import sandbox
from ml_connector.sandbox.http import decode
from ml_connector.sandbox.syspro.books import COMPANY_ID, Books
from ml_connector.sandbox.syspro.definition import Value, midnight
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.order_lines import NON_STOCKED
from ml_connector.sandbox.syspro.orders import Orders, local_price
from ml_connector.sandbox.syspro.seeded import CASH, DOCUMENTS

WITH_ORDERS = frozenset({"avidxchange", "basware"})
COMPONENTS = "10-6100"
LONG_COMPONENTS = "10-6100-000-000-0000-MFG-EU"

Rows = dict[str, list[dict[str, Any]]]

# number, supplier, entered, status, then per line: stock code, text, quantity, price, ledger code
ORDERS = (
    (
        "150",
        "ELC001",
        dt.date(2026, 11, 4),
        "4",
        (("RLY-24", "Relays 24 V", "100", "12.00", COMPONENTS), ("BOX-40", "Cartons", "30", "10.00", "10-6200")),
    ),
    ("151", "PAK003", dt.date(2026, 11, 5), "1", (("BOX-60", "Cartons, large", "64", "10.00", "10-6200"),)),
    ("152", "TRN004", dt.date(2026, 11, 6), "1", (("HAUL", "Haulage Newark", "4", "100.00", "10-6300"),)),
)


def rows(name: str) -> Rows:
    """The tables of a base set; none for a blank name."""
    if not name:
        return {}
    path = Path(sandbox.__file__).parent / "data" / "base_set.syspro.json"
    tables: Rows = decode(path.read_bytes())
    if name in {"procurify", "basware"}:
        tables |= {table: [] for table in DOCUMENTS}
    if name == "procurify":
        tables = {table: [row for row in held if row.get("Supplier") != "HYD005"] for table, held in tables.items()}
        _replace(tables, "Currency", "EUR", "E")
        tables["ApBank"] = [{"Bank": "MAIN", "Description": "Operating account", "Currency": "USD", "CashGlCode": CASH}]
    if name == "avidxchange":
        bank = {"Company": COMPANY_ID, "GlCode": CASH, "Description": "Operating bank account", "AccountType": "A"}
        tables["GenMaster"].append({**bank, "GlGroup": "10-1", "ControlAccFlag": "Y", "AccOnHldFlag": "N"})
    if name == "basware":
        for column in ("GlCode", "MerchGlCode"):
            _replace(tables, column, COMPONENTS, LONG_COMPONENTS)
    return tables


def enter_orders(name: str, books: Books, options: SysproOptions, given: Mapping[str, Any]) -> None:
    """The purchase orders of a base set, unless the data given have orders of their own."""
    if name not in WITH_ORDERS or not {"PorMasterHdr", "PorMasterDetail"}.isdisjoint(given):
        return
    orders = Orders(books, options)
    for number, supplier, entered, status, lines in ORDERS:
        due = midnight(entered + dt.timedelta(days=14))
        columns: dict[str, Value] = {
            "CustomerPoNumber": f"PO {number}",
            "OrderStatus": status,
            "OrderEntryDate": midnight(entered),
            "OrderDueDate": due,
        }
        order = orders.add(books.supplier(supplier), columns, number)
        for code, text, quantity, price, account in lines:
            if name == "basware" and account == COMPONENTS:
                account = LONG_COMPONENTS  # noqa: PLW2901
            orders.add_line(order, _line(options, code, text, Decimal(quantity), Decimal(price), account, due))
    books.edit("PorMasterHdr", [{"PurchaseOrder": orders.stored(number)} for number, *_ in ORDERS])


def _line(
    options: SysproOptions, code: str, text: str, quantity: Decimal, price: Decimal, account: str, due: dt.datetime
) -> dict[str, Value]:
    exact = local_price(price, Decimal(1), "M")
    one = Decimal("1.000000")
    return {
        "LineType": options.line_types["non_stocked"],
        "MStockCode": code,
        "MStockDes": text,
        "MWarehouse": NON_STOCKED,
        "MOrderUom": "EA",
        "MStockingUom": "EA",
        "MPriceUom": "EA",
        "MConvFactOrdUm": one,
        "MMulDivAlloc": "M",
        "MConvFactPrcUm": one,
        "MMulDivPrc": "M",
        "MOrderQty": quantity * one,
        "MPrice": exact,
        "MForeignPrice": exact,
        "MGlCode": account,
        "MLatestDueDate": due,
        "MOrigDueDate": due,
    }


def _replace(tables: Rows, column: str, old: str, new: str) -> None:
    for held in tables.values():
        for row in held:
            if row.get(column) == old:
                row[column] = new

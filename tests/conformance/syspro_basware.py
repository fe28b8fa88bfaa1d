"""What the suite is told of SYSPRO -> Basware: the records that SYSPRO owns. How SYSPRO is read, it is told of
SYSPRO -> BILL, but for orders and terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ml_connector.conformance import Declaration, Limits, ReadCall, WriteCall
from ml_connector.integrations.base import Side
from ml_connector.workspaces.models import Workspace
from tests.sync.test_story_syspro_basware_out import OutPair, out_pair

Undo = Callable[[], None]
CODES = ("terms", "accounts", "cost_centers")


@contextmanager
def opened(workspace: Workspace) -> Iterator[OutPair]:
    """The base set, its long account under a short code. Codes are in P2P, and nobody asks how they came there."""
    with out_pair(workspace) as pair:
        pair.shorten()
        pair.out(*CODES)
        pair.basware.clear_requests()
        yield pair


@contextmanager
def supplied(workspace: Workspace) -> Iterator[OutPair]:
    """Suppliers are there too."""
    with opened(workspace) as pair:
        pair.out("suppliers")
        pair.basware.clear_requests()
        yield pair


# --- what people do in SYSPRO


def add(pair: OutPair, table: str, like: dict[str, Any], **own: Any) -> None:
    """A row made after another one."""
    row = next(row for row in pair.syspro.state(table) if like.items() <= row.items())
    pair.syspro.edit(table, [{**row, **own}])


def new_term(pair: OutPair, code: str, days: int = 60) -> None:
    add(pair, "TblApTerms", {"TermsCode": "30"}, TermsCode=code, Description=f"{days} days", DueDays=days)


def new_account(pair: OutPair, code: str) -> None:
    add(pair, "GenMaster", {"GlCode": "10-6200"}, GlCode=code, Description=f"Account {code}")


def new_center(pair: OutPair, code: str) -> None:
    add(pair, "GenAnalysisCode", {"AnalysisCode": "WH1"}, AnalysisCode=code, Description=f"Warehouse {code}")


def new_supplier(pair: OutPair, code: str) -> None:
    for table in ("ApSupplier", "ApSupplierAddr"):
        own = {"SupplierName": f"Supplier {code}"} if table == "ApSupplier" else {}
        add(pair, table, {"Supplier": "PAK003"}, Supplier=code, **own)


def change_supplier(pair: OutPair, code: str, name: str) -> None:
    pair.syspro.edit("actions", {"do": "change_supplier", "supplier": code, "columns": {"SupplierName": name}})


def new_order(pair: OutPair, number: str, day: str = "2026-11-16") -> None:
    add(pair, "PorMasterHdr", {"Supplier": "PAK003"}, PurchaseOrder=number, OrderEntryDate=f"{day}T00:00:00")
    add(pair, "PorMasterDetail", {"MGlCode": "10-6200", "Line": 1}, PurchaseOrder=number)


def change_order(pair: OutPair, number: str, quantity: int) -> None:
    pair.syspro.edit(
        "actions", {"do": "change_order", "order": number, "line": 1, "quantity": quantity, "price": 10.00}
    )


def take_out(table: str, column: str) -> Callable[[OutPair, str], Undo]:
    def act(pair: OutPair, value: str) -> Undo:
        rows = [row for row in pair.syspro.state(table) if str(row[column]).strip() == value]
        pair.syspro.edit(table, [{**row, "_delete": True} for row in rows])
        return lambda: pair.syspro.edit(table, rows) and None

    return act


def rename(table: str, column: str) -> Callable[[OutPair], tuple[str, Undo]]:
    """The column is called differently after an upgrade."""

    def act(pair: OutPair) -> tuple[str, Undo]:
        before = pair.syspro.options()["rename"]
        pair.syspro.options({"rename": {table: {column: "Elsewhere"}}})
        return column, lambda: pair.syspro.options({"rename": before}) and None

    return act


# --- what is there in P2P


def has(name: str, field: str, value: str) -> Callable[[OutPair], list[Any]]:
    return lambda pair: [row for row in pair.inside(name) if row[field] == value]


def named(pair: OutPair, name: str) -> list[Any]:
    return [row for row in pair.inside("vendors") if row["name"] == name]


def quantity(pair: OutPair, wanted: int) -> list[Any]:
    rows = pair.inside("matchingOrderLines")
    return [row for row in rows if row["externalCode"] == "RIL_L_151_1" and row["quantity"] == wanted]


def posts(name: str) -> dict[str, str]:
    return {"method": "POST", "path": f"/v1/{name}"}


def several(pair: OutPair, count: int) -> None:
    for number in range(count):
        new_supplier(pair, f"CAP-{number:03}")


SYSPRO_BASWARE = Declaration(
    name="SYSPRO -> Basware",
    open=opened,
    writes=(
        WriteCall(
            "Basware: post a payment term",
            posts("paymentTerms"),
            flows=("terms",),
            act=lambda pair: new_term(pair, "60"),
            there=has("paymentTerms", "paymentTermCode", "60"),
        ),
        WriteCall(
            "Basware: post an account",
            posts("accounts"),
            flows=("accounts",),
            act=lambda pair: new_account(pair, "10-6500"),
            there=has("accounts", "accountCode", "10-6500"),
        ),
        WriteCall(
            "Basware: post a cost center",
            posts("costCenters"),
            flows=("cost_centers",),
            act=lambda pair: new_center(pair, "WH3"),
            there=has("costCenters", "costCenterCode", "WH3"),
        ),
        WriteCall(
            "Basware: post a vendor",
            posts("vendors"),
            flows=("suppliers",),
            act=lambda pair: new_supplier(pair, "NEW001"),
            there=has("vendors", "vendorCode", "NEW001"),
        ),
        WriteCall(
            "Basware: overwrite a vendor",
            posts("vendors"),
            flows=("suppliers",),
            act=lambda pair: change_supplier(pair, "PAK003", "Pakko and Sons LLC"),
            there=lambda pair: named(pair, "Pakko and Sons LLC"),
        ),
        WriteCall(
            "Basware: post an order's header",
            posts("matchingOrders"),
            flows=("purchase_orders",),
            open=supplied,
            act=lambda pair: new_order(pair, "000160"),
            there=has("matchingOrders", "orderNumber", "160"),
        ),
        WriteCall(
            "Basware: post an order's lines",
            posts("matchingOrderLines"),
            flows=("purchase_orders",),
            open=supplied,
            act=lambda pair: new_order(pair, "000160"),
            there=has("matchingOrderLines", "orderExternalCode", "RIL_O_160"),
        ),
        WriteCall(
            "Basware: overwrite an order's lines",
            posts("matchingOrderLines"),
            flows=("purchase_orders",),
            open=supplied,
            act=lambda pair: change_order(pair, "151", 66),
            there=lambda pair: quantity(pair, 66),
        ),
    ),
    reads=(
        ReadCall(
            "SYSPRO: purchase orders by OData",
            flow="purchase_orders",
            match={"path": "*/PorMasterHdr"},
            open=supplied,
            enter=new_order,
            enter_back_dated=lambda pair, number: new_order(pair, number, "2026-05-16"),
            edit=lambda pair, number, n: change_order(pair, number, 100 + n),
            edited=lambda pair, number, n: any(
                row["quantity"] == 100 + n
                for row in pair.inside("matchingOrderLines")
                if row["externalCode"] == f"RIL_L_{number.lstrip('0')}_1"
            ),
            remove=take_out("PorMasterHdr", "PurchaseOrder"),
            break_shape=rename("PorMasterHdr", "OrderStatus"),
            page_size="odata_page_size",
        ),
    ),
    limits=(
        Limits(
            "Basware",
            Side.PLATFORM,
            at_a_time=2,
            flow="suppliers",
            enter=several,
            match=posts("vendors"),
            sign_ins=lambda pair: sum(row["path"] == "/v1/tokens" for row in pair.basware.requests()),
            password="client_secret",
        ),
    ),
    undeclared=("/v1/tokens", "/Logon", "/Logoff"),
)

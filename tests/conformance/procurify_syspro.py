"""What the suite is told of Procurify -> SYSPRO, and of vendors and departments the other way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ml_connector import clock
from ml_connector.conformance import Declaration, Limits, ReadCall, WriteCall
from ml_connector.integrations.base import Side
from ml_connector.workspaces.models import Workspace
from tests.sync.procurify_pair import ProcurifyPair, procurify_pair

Undo = Callable[[], None]

POST = {"method": "GET", "path": "*/transaction/post", "contains": "<ValidateOnly>N"}
"""PORTOI and APSTIN: which of them is told by the Flow that runs."""


@contextmanager
def opened(workspace: Workspace) -> Iterator[ProcurifyPair]:
    """The base set: codes mapped, suppliers the same on both sides, no document delivered."""
    with procurify_pair(workspace) as pair:
        pair.map_codes()
        pair.link_suppliers()
        pair.policies("bills", withdrawn="credit", rate="document")
        for stand_in in (pair.syspro, pair.procurify):
            stand_in.clear_requests()
        yield pair


@contextmanager
def ordered(workspace: Workspace) -> Iterator[ProcurifyPair]:
    """Orders are in SYSPRO, and nobody asks how they came there."""
    with opened(workspace) as pair:
        pair.settle("purchase_orders")
        pair.syspro.clear_requests()
        yield pair


# --- what people do in Procurify


def now() -> str:
    return f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"


def new_order(pair: ProcurifyPair, number: str, day: str = "") -> None:
    pair.procurify.edit("purchase-orders", {
        "number": number, "vendor": "PAK003", "currency": "USD", "purchaser": 2, "date": day or now(),
        "last_modified": now(), "promise_date": "2026-12-01T00:00:00Z",
        "lines": [{"num": "BOX-60", "name": "Cartons", "unit": "EA", "quantity": "3", "price": "10.00",
                   "account": "10-6200"}],
    })  # fmt: skip


def another_order(pair: ProcurifyPair) -> None:
    """Under a number that is free: it may be done again."""
    entered = [row for row in pair.procurify.state("purchase-orders") if row["number"].startswith("NEW-")]
    new_order(pair, f"NEW-{len(entered)}")


def change_order(pair: ProcurifyPair, number: str, quantity: int) -> None:
    pair.act("edit_order", order=number, lines=[{"line": 1, "quantity": quantity}])


def new_bill(pair: ProcurifyPair, number: str, day: str = "") -> None:
    pair.procurify.edit("bills", {
        "invoice_number": number, "vendor": "ELC001", "currency": "USD", "status": 2, "approver": 2, "user": 2,
        "creator": 2, "invoice_date": day or now(), "due_date": "2027-06-30T00:00:00Z", "submitted_date": now(),
        "items": [{"description": "Relays", "unit_cost": "130.00", "account": "10-6100"}],
    })  # fmt: skip


def edit_bill(pair: ProcurifyPair, number: str, n: int) -> None:
    pair.act("edit_bill", invoice=number, fields={"due_date": f"2027-01-{n:02}T00:00:00Z"})


def told_of_edit(pair: ProcurifyPair, number: str, n: int) -> bool:
    """SYSPRO amends no invoice: people are told what differs."""
    return ("edit_after_posting", number) in pair.problems() and len(posted(pair, number)) == 1


def new_vendor(pair: ProcurifyPair, name: str) -> None:
    row = pair.vendor("Pakko Packaging LLC")
    own = {"name": name, "external_id": None, "email": [], "dateModified": now()}
    pair.procurify.edit("vendors", {**{k: v for k, v in row.items() if k != "id"}, **own})


def take_out(type_name: str, field: str, key: str) -> Callable[[ProcurifyPair, str], Undo]:
    def act(pair: ProcurifyPair, value: str) -> Undo:
        row = next(row for row in pair.procurify.state(type_name) if row[field] == value)
        pair.procurify.edit(type_name, {key: row[key], "_delete": True})
        return lambda: pair.procurify.edit(type_name, row) and None

    return act


def hide(field: str) -> Callable[[ProcurifyPair], tuple[str, Undo]]:
    """The field is gone after an upgrade."""

    def act(pair: ProcurifyPair) -> tuple[str, Undo]:
        pair.procurify.options({"hide": [field]})
        return field, lambda: pair.procurify.options({"hide": []}) and None

    return act


# --- what people do in SYSPRO


def change_supplier(pair: ProcurifyPair, code: str, **columns: str) -> None:
    pair.syspro.edit("actions", {"do": "change_supplier", "supplier": code, "columns": columns})


def new_supplier(pair: ProcurifyPair, code: str, name: str) -> None:
    for table in ("ApSupplier", "ApSupplierAddr"):
        row = next(row for row in pair.syspro.state(table) if row["Supplier"].strip() == "PAK003")
        own = {"SupplierName": name, "WithTaxId": ""} if table == "ApSupplier" else {}
        pair.syspro.edit(table, [{**row, "Supplier": code, **own}])


def new_center(pair: ProcurifyPair, code: str) -> None:
    row = next(row for row in pair.syspro.state("GenAnalysisCode") if row["AnalysisCode"] == "WH1")
    pair.syspro.edit("GenAnalysisCode", [{**row, "AnalysisCode": code, "Description": f"Warehouse {code}"}])


# --- what is there


def posted(pair: ProcurifyPair, number: str) -> list[Any]:
    return pair.posted(number)


def made_orders(pair: ProcurifyPair) -> list[Any]:
    return [row for row in pair.syspro.state("PorMasterHdr") if row["CustomerPoNumber"].startswith("NEW-")]


def quantity(pair: ProcurifyPair, number: str, wanted: int) -> list[Any]:
    return [row for row in pair.order_lines(number) if row["MOrderQty"] == wanted]


def cancelled(pair: ProcurifyPair, number: str) -> list[Any]:
    return [row for row in pair.orders(number) if row["CancelledFlag"] == "Y"]


def suppliers(pair: ProcurifyPair, column: str, value: str) -> list[Any]:
    return [row for row in pair.syspro.state("ApSupplier") if row[column] == value]


def vendors(pair: ProcurifyPair, name: str) -> list[Any]:
    return [row for row in pair.procurify.state("vendors") if row["name"] == name]


def departments(pair: ProcurifyPair, code: str) -> list[Any]:
    return [row for row in pair.procurify.state("departments") if row["external_id"] == code]


def several_orders(pair: ProcurifyPair, count: int) -> None:
    for number in range(count):
        new_order(pair, f"CAP-{number:03}")


PROCURIFY_SYSPRO = Declaration(
    name="Procurify -> SYSPRO",
    open=opened,
    writes=(
        WriteCall(
            "SYSPRO: make an order (PORTOI)",
            POST,
            flows=("purchase_orders",),
            side=Side.ERP,
            act=another_order,
            there=made_orders,
        ),
        WriteCall(
            "SYSPRO: change an order's line (PORTOI)",
            POST,
            flows=("purchase_orders",),
            side=Side.ERP,
            open=ordered,
            act=lambda pair: change_order(pair, "PF151", 66),
            there=lambda pair: quantity(pair, "PF151", 66),
        ),
        WriteCall(
            "SYSPRO: cancel an order (PORTOI)",
            POST,
            flows=("purchase_orders",),
            side=Side.ERP,
            open=ordered,
            act=lambda pair: pair.act("cancel_order", order="PF152"),
            there=lambda pair: cancelled(pair, "PF152"),
        ),
        WriteCall(
            "SYSPRO: post a bill (APSTIN)",
            POST,
            flows=("bills",),
            side=Side.ERP,
            open=ordered,
            act=lambda pair: new_bill(pair, "NEW-1"),
            there=lambda pair: posted(pair, "NEW-1"),
        ),
        WriteCall(
            "SYSPRO: add a supplier (APSSSP)",
            {"method": "GET", "path": "*/setup/add", "contains": "<ValidateOnly>N"},
            flows=("suppliers_in",),
            side=Side.ERP,
            act=lambda pair: new_vendor(pair, "Quarry Stone Works"),
            there=lambda pair: suppliers(pair, "SupplierName", "Quarry Stone Works"),
        ),
        WriteCall(
            "SYSPRO: change a supplier (APSSSP)",
            {"method": "GET", "path": "*/setup/update", "contains": "<ValidateOnly>N"},
            flows=("suppliers_in",),
            side=Side.ERP,
            act=lambda pair: pair.act(
                "edit_vendor", vendor="Pakko Packaging LLC", fields={"phoneOne": "+1 214 555 0777"}
            ),
            there=lambda pair: suppliers(pair, "Telephone", "+1 214 555 0777"),
        ),
        WriteCall(
            "Procurify: make a vendor",
            {"method": "POST", "path": "/api/v3/vendors/"},
            flows=("suppliers_out",),
            act=lambda pair: new_supplier(pair, "QUA010", "Quarry Stone Works"),
            there=lambda pair: vendors(pair, "Quarry Stone Works"),
        ),
        WriteCall(
            "Procurify: change a vendor",
            {"method": "PATCH", "path": "/api/v3/vendors/*/"},
            flows=("suppliers_out",),
            act=lambda pair: change_supplier(pair, "PAK003", SupplierName="Pakko and Sons LLC"),
            there=lambda pair: vendors(pair, "Pakko and Sons LLC"),
        ),
        WriteCall(
            "Procurify: make a department",
            {"method": "POST", "path": "/api/v3/departments/"},
            flows=("departments_out",),
            act=lambda pair: new_center(pair, "WH9"),
            there=lambda pair: departments(pair, "WH9"),
        ),
    ),
    reads=(
        ReadCall(
            "Procurify: purchase orders",
            flow="purchase_orders",
            match={"path": "/api/v2/purchase_orders/purchased/*"},
            enter=new_order,
            enter_back_dated=lambda pair, number: new_order(pair, number, "2026-05-16T15:00:00Z"),
            edit=lambda pair, number, n: change_order(pair, number, 100 + n),
            edited=lambda pair, number, n: bool(quantity(pair, number, 100 + n)),
            remove=take_out("purchase-orders", "number", "procurify_PO"),
            break_shape=hide("procurify_PO"),
            page_size="page_size",
        ),
        ReadCall(
            "Procurify: bills",
            flow="bills",
            match={"path": "/api/v3/ap/bills/*"},
            enter=new_bill,
            enter_back_dated=lambda pair, number: new_bill(pair, number, "2026-05-16T15:00:00Z"),
            edit=edit_bill,
            edited=told_of_edit,
            remove=take_out("bills", "invoice_number", "id"),
            break_shape=hide("uuid"),
            page_size="page_size",
        ),
    ),
    limits=(
        Limits(
            "SYSPRO",
            Side.ERP,
            at_a_time=1,
            flow="purchase_orders",
            enter=several_orders,
            match=POST,
            sign_ins=lambda pair: sum(row["path"].endswith("/Logon") for row in pair.syspro.requests()),
            password="operator_password",
        ),
    ),
    undeclared=("/oauth/token", "/Logon", "/Logoff"),
)

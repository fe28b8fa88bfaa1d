"""What the suite is told of SYSPRO -> BILL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from ml_connector.conformance import Declaration, Limits, ReadCall, WriteCall
from ml_connector.integrations.base import Side
from ml_connector.sync.models import Flow, RunKind
from ml_connector.workspaces.models import Workspace
from tests.sync import acts
from tests.sync.pair import Pair, base_pair

FIRST_LOAD = 20
"""New documents that a first load sends in one batch, of which BILL takes 20 vendors."""


@contextmanager
def mapped(workspace: Workspace) -> Iterator[Pair]:
    """The base set, its accounts mapped and the similar supplier linked."""
    with base_pair(workspace) as pair:
        pair.map_accounts()
        pair.link_hydra()
        yield pair


@contextmanager
def nothing_sent(workspace: Workspace) -> Iterator[Pair]:
    """A company with one supplier and no invoices, of which nothing was sent yet."""
    with base_pair(workspace) as pair:
        for row in pair.syspro.state("ApInvoice"):
            acts.remove(pair, "ApInvoice", row)
        for row in pair.syspro.state("ApSupplier"):
            if row["Supplier"] != "ELC001":
                acts.remove(pair, "ApSupplier", row)
        pair.map_accounts()
        yield pair


# --- what people do


def enter_supplier(code: str) -> Callable[[Pair], None]:
    def act(pair: Pair) -> None:
        for table in ("ApSupplier", "ApSupplierAddr"):
            row = next(row for row in pair.syspro.state(table) if row["Supplier"] == "ELC001")
            own = {"SupplierName": f"Supplier {code}", "WithTaxId": ""} if table == "ApSupplier" else {}
            pair.syspro.edit(table, {**row, "Supplier": code, **own})

    return act


def enter_many_suppliers(pair: Pair) -> None:
    for number in range(FIRST_LOAD - 1):  # beside the one there is
        enter_supplier(f"NEW{number:03}")(pair)


def enter_many_invoices(pair: Pair) -> None:
    for number in range(FIRST_LOAD):
        acts.post(pair, f"NEW-{number:03}", f"{100 + number}.00")


def remove_supplier(pair: Pair) -> None:
    """Gone from the source; the sweep notices."""
    Flow.objects.of(pair.workspace).filter(name="suppliers").update(policies={"supplier_gone": "archive"})
    acts.remove(pair, "ApSupplier", supplier_row(pair, "PAK003"))
    pair.run("suppliers", RunKind.SWEEP)


def archive_vendor(pair: Pair) -> None:
    pair.removed = supplier_row(pair, "PAK003")
    remove_supplier(pair)
    pair.settle("suppliers")


def supplier_row(pair: Pair, code: str) -> dict[str, Any]:
    return next(row for row in pair.syspro.state("ApSupplier") if row["Supplier"] == code)


def enter_next(pair: Pair) -> None:
    """One more invoice, entered today, has arrived."""
    acts.post(pair, "NEXT-1", "130.00")
    pair.settle("invoices")


def split_line(pair: Pair) -> None:
    """The distribution of today's invoice is corrected: one line becomes two."""
    (row,) = [row for row in pair.syspro.state("ApJnlDistrib") if row["DistrValue"] == Decimal("130.00")]
    pair.syspro.edit("ApJnlDistrib", {**row, "DistrValue": Decimal("100.00")})
    pair.syspro.edit(
        "ApJnlDistrib", {**row, "SubEntry": row["SubEntry"] + 1, "DistrValue": Decimal("30.00"), "Reference": "Cable"}
    )


def credit_today(pair: Pair) -> None:
    """A credit note, entered today, has arrived."""
    acts.correct(pair, "credit", "ELC-1002", "41.00")
    pair.settle("invoices", "credit_notes")


def annotate_credit(pair: Pair) -> None:
    (row,) = [row for row in pair.syspro.state("ApJnlDistrib") if abs(row["DistrValue"]) == 41]
    pair.syspro.edit("ApJnlDistrib", {**row, "Reference": "Returned twice"})


def change_phone(pair: Pair, code: str, n: int) -> None:
    acts.supplier(pair, code, Telephone=f"+1 312 555 9{n:03}")


def phone_changed(pair: Pair, code: str, n: int) -> bool:
    return len(vendors(code, phone=f"+1 312 555 9{n:03}")(pair)) == 1


def remove_row(table: str, column: str) -> Callable[[Pair, str], Callable[[], None]]:
    def remove(pair: Pair, number: str) -> Callable[[], None]:
        row = next(row for row in pair.syspro.state(table) if row[column] == number)
        acts.remove(pair, table, row)
        return lambda: pair.syspro.edit(table, row)

    return remove


def rename_column(table: str, column: str) -> Callable[[Pair], tuple[str, Callable[[], None]]]:
    def rename(pair: Pair) -> tuple[str, Callable[[], None]]:
        before = pair.syspro.options()["rename"]
        pair.syspro.options({"rename": {table: {column: "Elsewhere"}}})
        return column, lambda: pair.syspro.options({"rename": before})

    return rename


@contextmanager
def by_enet(workspace: Workspace) -> Iterator[Pair]:
    """SYSPRO without OData: everything is read through e.net's generic query."""
    with base_pair(workspace, odata_root="") as pair:
        pair.map_accounts()
        pair.link_hydra()
        yield pair


def suppliers(name: str, **more: Any) -> ReadCall:
    return ReadCall(
        name,
        flow="suppliers",
        enter=lambda pair, code: enter_supplier(code)(pair),
        edit=change_phone,
        edited=phone_changed,
        remove=remove_row("ApSupplier", "Supplier"),
        break_shape=rename_column("ApSupplier", "SupplierName"),
        page_size="odata_page_size",
        **more,
    )


def invoices(name: str, **more: Any) -> ReadCall:
    return ReadCall(
        name,
        flow="invoices",
        enter=acts.post,
        enter_back_dated=lambda pair, number: acts.post(pair, number, date="2026-05-31"),
        edit=lambda pair, number, n: acts.change(pair, number, DueDate=f"2027-01-{n:02}"),
        edited=lambda pair, number, n: len(bills(number, dueDate=f"2027-01-{n:02}")(pair)) == 1,
        remove=remove_row("ApInvoice", "Invoice"),
        break_shape=rename_column("ApInvoice", "DueDate"),
        page_size="odata_page_size",
        **more,
    )


def enter_several(pair: Pair, count: int) -> None:
    for number in range(count):
        acts.post(pair, f"CAP-{number:03}", f"{50 + number}.00")


# --- what the target shows


def bills(number: str, **fields: Any) -> Callable[[Pair], list[Any]]:
    return lambda pair: [bill for bill in pair.bills(number) if fields.items() <= bill.items()]


def vendors(code: str, **fields: Any) -> Callable[[Pair], list[Any]]:
    return lambda pair: [
        row for row in pair.bill.state("vendors") if {"shortName": code, **fields}.items() <= row.items()
    ]


def credits(pair: Pair) -> list[Any]:
    return pair.bill.state("vendor-credits")


SYSPRO_BILL = Declaration(
    name="SYSPRO -> BILL",
    open=mapped,
    writes=(
        WriteCall(
            "BILL: create a vendor",
            {"method": "POST", "path": "/v3/vendors"},
            flows=("suppliers",),
            act=enter_supplier("NEW001"),
            there=vendors("NEW001"),
        ),
        WriteCall(
            "BILL: create vendors in bulk",
            {"method": "POST", "path": "/v3/vendors/bulk"},
            flows=("suppliers",),
            open=nothing_sent,
            before=lambda pair: None,
            act=enter_many_suppliers,
            there=lambda pair: [row for row in pair.bill.state("vendors") if row["name"].startswith("Supplier NEW")],
            things=FIRST_LOAD - 1,
        ),
        WriteCall(
            "BILL: amend a vendor",
            {"method": "PATCH", "path": "/v3/vendors/*"},
            flows=("suppliers",),
            act=lambda pair: acts.supplier(pair, "ELC001", Telephone="+1 312 555 0100"),
            there=vendors("ELC001", phone="+1 312 555 0100"),
        ),
        WriteCall(
            "BILL: archive a vendor",
            {"method": "POST", "path": "/v3/vendors/*/archive"},
            flows=("suppliers",),
            act=remove_supplier,
            there=vendors("PAK003", archived=True),
        ),
        WriteCall(
            "BILL: restore a vendor",
            {"method": "POST", "path": "/v3/vendors/*/restore"},
            flows=("suppliers",),
            before=archive_vendor,
            act=lambda pair: pair.syspro.edit("ApSupplier", pair.removed),
            there=vendors("PAK003", archived=False),
        ),
        WriteCall(
            "BILL: create a bill",
            {"method": "POST", "path": "/v3/bills"},
            flows=("invoices",),
            act=lambda pair: acts.post(pair, "NEW-1"),
            there=bills("NEW-1"),
        ),
        WriteCall(
            "BILL: create bills in bulk",
            {"method": "POST", "path": "/v3/bills/bulk"},
            flows=("invoices",),
            open=nothing_sent,
            before=lambda pair: pair.settle("suppliers"),
            act=enter_many_invoices,
            there=lambda pair: [bill for bill in pair.bills() if bill["invoice"]["invoiceNumber"].startswith("NEW-")],
            things=FIRST_LOAD,
        ),
        WriteCall(
            "BILL: amend a bill",
            {"method": "PATCH", "path": "/v3/bills/*"},
            flows=("invoices",),
            act=lambda pair: acts.change(pair, "ELC-1002", DueDate="2026-12-18"),
            there=bills("ELC-1002", dueDate="2026-12-18"),
        ),
        WriteCall(
            "BILL: replace a bill's lines",
            {"method": "PUT", "path": "/v3/bills/*"},
            flows=("invoices",),
            before=enter_next,
            act=split_line,
            there=lambda pair: [bill for bill in pair.bills("NEXT-1") if len(bill["billLineItems"]) == 2],
        ),
        WriteCall(
            "BILL: archive a bill",
            {"method": "POST", "path": "/v3/bills/*/archive"},
            flows=("invoices",),
            act=lambda pair: pair.syspro.edit(
                "actions", {"do": "reverse", "supplier": "ELC001", "invoice": "ELC-1004"}
            ),
            there=bills("ELC-1004", archived=True),
        ),
        WriteCall(
            "BILL: create a vendor credit",
            {"method": "POST", "path": "/v3/vendor-credits"},
            flows=("invoices", "credit_notes"),
            act=lambda pair: acts.correct(pair, "credit", "ELC-1002", "40.00"),
            there=lambda pair: [row for row in credits(pair) if row["amount"] == 40],
        ),
        WriteCall(
            "BILL: amend a vendor credit",
            {"method": "PATCH", "path": "/v3/vendor-credits/*"},
            flows=("invoices", "credit_notes"),
            before=credit_today,
            act=annotate_credit,
            there=lambda pair: [row for row in credits(pair) if "twice" in row.get("description", "")],
        ),
    ),
    reads=(
        suppliers("SYSPRO: suppliers by OData", match={"path": "*/apsupplier"}),
        suppliers(
            "SYSPRO: suppliers by e.net", match={"path": "*/query/query", "contains": "ApSupplier"}, open=by_enet
        ),
        invoices("SYSPRO: invoices by OData", match={"path": "*/apinvoice"}),
        invoices("SYSPRO: invoices by e.net", match={"path": "*/query/query", "contains": "ApInvoice"}, open=by_enet),
    ),
    limits=(
        Limits(
            "BILL",
            Side.PLATFORM,
            at_a_time=3,
            flow="invoices",
            enter=enter_several,
            match={"method": "POST", "path": "/v3/bills"},
            sign_ins=lambda pair: len(pair.bill.state("logins")),
            password="password",
        ),
    ),
    undeclared=("/login", "/logout", "/Logon", "/Logoff"),
)

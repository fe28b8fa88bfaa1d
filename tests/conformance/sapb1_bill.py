"""What the suite is told of SAP Business One <-> BILL. How BILL is written to, it is told of SYSPRO -> BILL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from ml_connector import clock
from ml_connector.conformance import Declaration, Limits, ReadCall, WriteCall
from ml_connector.integrations.base import Side
from ml_connector.workspaces.models import Workspace
from tests.sync.sapb1_pair import B1Pair, sapb1_pair, stp


@contextmanager
def mapped(workspace: Workspace) -> Iterator[B1Pair]:
    """The base set, its accounts mapped and the similar supplier linked."""
    with sapb1_pair(workspace) as pair:
        pair.map_accounts()
        pair.link_hydra()
        yield pair


@contextmanager
def billed(workspace: Workspace) -> Iterator[B1Pair]:
    """The invoices are in BILL, and nobody asks how they came there; nothing is paid."""
    with mapped(workspace) as pair:
        pair.settle()
        pair.bill.clear_requests()
        yield pair


# --- what people do in SAP Business One


def enter_supplier(pair: B1Pair, code: str) -> None:
    row = next(row for row in pair.b1.state("BusinessPartners") if row["CardCode"] == "PAK003")
    addresses = [{**address, "BPCode": code} for address in row["BPAddresses"]]
    own = {"CardCode": code, "CardName": f"Supplier {code}", "FederalTaxID": "", "BPAddresses": addresses}
    stamps = {"CreateDate", "CreateTime", "UpdateDate", "UpdateTime"}
    pair.b1.edit("BusinessPartners", {name: value for name, value in {**row, **own}.items() if name not in stamps})


def edit_supplier(pair: B1Pair, code: str, n: int) -> None:
    pair.b1.edit("BusinessPartners", {"CardCode": code, "Phone1": f"+1 312 555 9{n:03}"})


def supplier_edited(pair: B1Pair, code: str, n: int) -> bool:
    rows = pair.bill.state("vendors")
    return [row["shortName"] for row in rows if row.get("phone") == f"+1 312 555 9{n:03}"] == [code]


def enter_invoice(pair: B1Pair, number: str, day: str = "") -> None:
    line = {"AccountCode": "10-6100", "ItemDescription": "Relays", "LineTotal": Decimal("130.00"), "VatGroup": "P0"}
    day = day or f"{clock.now():%Y-%m-%d}"
    pair.b1.edit("PurchaseInvoices", {
        "CardCode": "ELC001", "NumAtCard": number, "DocType": "dDocument_Service", "TaxDate": day, "DocDate": day,
        "DocDueDate": "2027-06-30", "DocumentLines": [line],
    })  # fmt: skip


def edit_invoice(pair: B1Pair, number: str, n: int) -> None:
    pair.b1.edit("PurchaseInvoices", {"DocEntry": pair.invoice(number)["DocEntry"], "DocDueDate": f"2027-01-{n:02}"})


def invoice_edited(pair: B1Pair, number: str, n: int) -> bool:
    return [bill["dueDate"] for bill in pair.bills(number)] == [f"2027-01-{n:02}"]


def remove(set_name: str, column: str) -> Callable[[B1Pair, str], Callable[[], None]]:
    def act(pair: B1Pair, value: str) -> Callable[[], None]:
        row = next(row for row in pair.b1.state(set_name) if row[column] == value)
        pair.b1.edit(set_name, {**row, "_delete": True})
        return lambda: pair.b1.edit(set_name, row)

    return act


def hide(type_name: str, field: str) -> Callable[[B1Pair], tuple[str, Callable[[], None]]]:
    """The property is called differently in this release."""

    def act(pair: B1Pair) -> tuple[str, Callable[[], None]]:
        pair.b1.options({"hide": {type_name: [field]}})
        return field, lambda: pair.b1.options({"hide": {}})

    return act


# --- what people do in BILL


def pay(pair: B1Pair, number: str) -> None:
    """A payment that people know by this number; its id is another text."""
    paid = len(pair.bill.state("payments"))
    pair.pay(stp(paid), ELC_1001=f"{paid + 1}.00")
    pair.change(stp(paid), confirmationNumber=number)


def pay_several(pair: B1Pair, count: int) -> None:
    for number in range(count):
        pay(pair, f"CAP-{number:03}")


def payment_row(pair: B1Pair, number: str) -> dict[str, Any]:
    return next(row for row in pair.bill.state("payments") if row["confirmationNumber"] == number)


def void(pair: B1Pair, number: str) -> None:
    pair.change(payment_row(pair, number)["id"], singleStatus="VOIDED")


def posted(pair: B1Pair, number: str, *, cancelled: bool) -> list[dict[str, Any]]:
    rows = pair.posted(payment_row(pair, number)["id"])
    return [row for row in rows if row["Cancelled"] == ("tYES" if cancelled else "tNO")]


def posted_payment(pair: B1Pair) -> None:
    pay(pair, "VOID-1")
    pair.settle("payments")


SAPB1_BILL = Declaration(
    name="SAP Business One <-> BILL",
    open=mapped,
    writes=(
        WriteCall(
            "SAP Business One: post a payment",
            {"method": "POST", "path": "*/VendorPayments"},
            flows=("payments",),
            side=Side.ERP,
            open=billed,
            act=lambda pair: pay(pair, "NEW-1"),
            there=lambda pair: posted(pair, "NEW-1", cancelled=False) if pair.bill.state("payments") else [],
        ),
        WriteCall(
            "SAP Business One: cancel a payment",
            {"method": "POST", "path": "*/VendorPayments(*)/Cancel"},
            flows=("payments",),
            side=Side.ERP,
            open=billed,
            before=posted_payment,
            act=lambda pair: void(pair, "VOID-1"),
            there=lambda pair: posted(pair, "VOID-1", cancelled=True),
            answers_nothing=True,
        ),
    ),
    reads=(
        ReadCall(
            "SAP Business One: suppliers",
            flow="suppliers",
            match={"path": "*/BusinessPartners"},
            enter=enter_supplier,
            edit=edit_supplier,
            edited=supplier_edited,
            remove=remove("BusinessPartners", "CardCode"),
            break_shape=hide("BusinessPartner", "CardName"),
            page_size="page_size",
        ),
        ReadCall(
            "SAP Business One: invoices",
            flow="invoices",
            match={"path": "*/PurchaseInvoices"},
            enter=enter_invoice,
            enter_back_dated=lambda pair, number: enter_invoice(pair, number, "2026-09-30"),
            edit=edit_invoice,
            edited=invoice_edited,
            remove=remove("PurchaseInvoices", "NumAtCard"),
            break_shape=hide("Document", "NumAtCard"),
            page_size="page_size",
        ),
    ),
    limits=(
        Limits(
            "SAP Business One",
            Side.ERP,
            at_a_time=1,
            flow="payments",
            enter=pay_several,
            match={"method": "POST", "path": "*/VendorPayments"},
            sign_ins=lambda pair: sum(row["path"].endswith("/Login") for row in pair.b1.requests()),
            password="password",
        ),
    ),
    undeclared=("/login", "/logout", "/Login", "/Logout"),
)

"""Goods received in the SYSPRO stand-in: notes on orders, and supplier invoices matched to them."""

from decimal import Decimal

import pytest
from tests.sandbox.syspro_client import Client, said, text

from ml_connector import sandbox


@pytest.fixture
def syspro():
    with sandbox.start("syspro", options={"base_set": "avidxchange"}) as stand_in:
        stand_in.clock(now="2026-11-16T12:00:00Z", running=False)
        yield stand_in


@pytest.fixture
def enet(syspro):
    client = Client(syspro).logon()
    yield client
    client.close()


def change(enet, number, *lines, action="C"):
    header = {"OrderActionType": action, "PurchaseOrder": number}
    given = {"OrderHeader": header, "OrderDetails": {"StockLine": list(lines)}}
    return enet.order(given, AllowNonStockItems="Y")


def header_of(syspro, number):
    return next(row for row in syspro.state("PorMasterHdr") if row["PurchaseOrder"] == number)


def line_of(syspro, number):
    return next(row for row in syspro.state("PorMasterDetail") if row["PurchaseOrder"] == number)


# --- goods received --------------------------------------------------------------------------------------


def receive(syspro, number, quantity, line=1, **more):
    syspro.edit("actions", {"do": "receive_goods", "order": number, "line": line, "quantity": quantity, **more})
    return syspro.state("GrnDetails")[-1]


def test_goods_received_raise_the_line_and_leave_a_note(enet, syspro):
    note = receive(syspro, "151", Decimal(24), grn="G-1", delivery_note="LS 7")
    assert (note["Supplier"], note["Grn"], note["PurchaseOrder"], note["PurchaseOrderLin"]) == (
        "PAK003",
        "G-1",
        "000151",
        1,
    )
    assert (note["QtyReceived"], note["CurGrnValue"], note["DeliveryNote"]) == (Decimal(24), Decimal("240.00"), "LS 7")
    assert note["DebitRecGlCode"] == "10-2150"
    assert line_of(syspro, "000151")["MReceivedQty"] == Decimal(24)
    assert header_of(syspro, "000151")["OrderStatus"] == "1"
    receive(syspro, "151", Decimal(40))
    assert (header_of(syspro, "000151")["OrderStatus"], header_of(syspro, "000151")["DatePoCompleted"]) == (
        "9",
        "2026-11-16",
    )
    with pytest.raises(sandbox.BadInput, match="takes no goods"):
        receive(syspro, "151", Decimal(1))
    found = enet.find("GrnDetails", "PurchaseOrder", "000151", "QtyReceived")
    assert sorted(found) == [("24.000000",), ("40.000000",)]


def test_what_was_received_cannot_be_cancelled_or_ordered_less(enet, syspro):
    receive(syspro, "151", Decimal(24))
    less = {"LineActionType": "C", "PurchaseOrderLine": "1", "OrderQty": "23"}
    gone = {"LineActionType": "D", "PurchaseOrderLine": "1"}
    assert [path for path, *_ in said(change(enet, "151", less))] == ["OrderDetails/StockLine/OrderQty"]
    assert [path for path, *_ in said(change(enet, "151", gone))] == ["OrderDetails/StockLine/PurchaseOrderLine"]
    assert [path for path, *_ in said(change(enet, "151", action="D"))] == ["OrderHeader/PurchaseOrder"]
    assert said(change(enet, "151", {**less, "OrderQty": "24"})) == []


def test_people_change_print_and_cancel_orders_behind_our_back(enet, syspro):
    syspro.edit("actions", {"do": "change_order", "order": "151", "line": 1, "quantity": Decimal(66)})
    syspro.edit("actions", {"do": "print_order", "order": "151"})
    syspro.edit("actions", {"do": "cancel_order", "order": "152"})
    assert line_of(syspro, "000151")["MOrderQty"] == Decimal(66)
    assert (header_of(syspro, "000151")["OrderStatus"], header_of(syspro, "000152")["OrderStatus"]) == ("4", "*")


# --- matching an invoice to goods received ---------------------------------------------------------------


def matched(enet, details, value, lines=(), **parameters):
    invoice = {
        "Supplier": "PAK003",
        "Invoice": "PK-700",
        "TransactionValue": value,
        "GrnDetails": details,
        "LedgerDistribution": [{"LedgerCode": code, "LedgerValue": amount} for code, amount in lines],
    }
    return enet.post("APSTIN", invoice, **parameters)


@pytest.mark.parametrize(
    ("details", "value", "taken", "flag"),
    [
        ({"GrnMatchType": "O"}, "240.00", "240.00", "Y"),
        ({"GrnMatchType": "U", "GrnMatchValue": "250.00"}, "250.00", "240.00", "Y"),
        ({"GrnMatchType": "P", "GrnPartialMatchQuantity": "6"}, "60.00", "60.00", "N"),
        ({"GrnMatchType": "P", "GrnPartialMatchValue": "240.00"}, "240.00", "240.00", "Y"),
    ],
)
def test_an_invoice_is_matched_to_a_note(enet, syspro, details, value, taken, flag):
    receive(syspro, "151", Decimal(24), grn="G-1")
    answer = matched(enet, {"GrnSupplier": "PAK003", "GrnGrn": "G-1", **details}, value)
    assert said(answer) == []
    [note] = syspro.state("GrnDetails")
    assert (note["MatchedValue"], note["GrnMatchedFlag"]) == (Decimal(taken), flag)
    [link] = syspro.state("GrnMatching")
    assert (link["Grn"], link["Invoice"], link["MatchedValue"]) == ("G-1", "PK-700", Decimal(value))
    journal = int(text(answer, "Item/Transaction/Key/Journal"))
    coded = [(r["ExpenseGlCode"], r["DistrValue"]) for r in syspro.state("ApJnlDistrib") if r["Journal"] == journal]
    assert coded == [("10-2150", Decimal(value))]


def test_a_match_and_lines_make_the_value_together(enet, syspro):
    receive(syspro, "151", Decimal(24), grn="G-1")
    note = {"GrnGrn": "G-1"}
    assert [path for path, *_ in said(matched(enet, note, "275.00"))] == ["TransactionValue"]
    assert said(matched(enet, note, "275.00", [("10-6300", "35.00")])) == []


@pytest.mark.parametrize(
    "details",
    [
        {"GrnGrn": "NONE"},
        {"GrnGrn": "G-1", "GrnSupplier": "ELC001"},
        {"GrnGrn": "G-1", "GrnMatchType": "X"},
        {"GrnGrn": "G-1", "GrnMatchType": "U"},
        {"GrnGrn": "G-1", "GrnMatchType": "P", "GrnPartialMatchValue": "240.01"},
        {"GrnGrn": "G-1", "GrnMatchType": "P", "GrnPartialMatchQuantity": "25"},
    ],
)
def test_a_note_that_cannot_be_matched_keeps_the_invoice_out(enet, syspro, details):
    receive(syspro, "151", Decimal(24), grn="G-1")
    answer = matched(enet, details, "240.00")
    assert said(answer)[0][0].startswith("GrnDetails/")
    assert not [row for row in syspro.state("ApInvoice") if row["Invoice"] == "PK-700"]
    assert syspro.state("GrnDetails")[0]["MatchedValue"] == 0


def test_only_an_invoice_is_matched(enet, syspro):
    receive(syspro, "151", Decimal(24), grn="G-1")
    credit = {"Supplier": "PAK003", "Invoice": "PK-500", "TransactionCode": "C", "TransactionValue": "240.00"}
    answer = enet.post("APSTIN", {**credit, "GrnDetails": {"GrnGrn": "G-1"}})
    assert [path for path, *_ in said(answer)] == ["GrnDetails"]


def test_a_note_is_matched_once(enet, syspro):
    receive(syspro, "151", Decimal(24), grn="G-1")
    assert said(matched(enet, {"GrnGrn": "G-1"}, "240.00")) == []
    again = {"Supplier": "PAK003", "Invoice": "PK-701", "TransactionValue": "240.00", "GrnDetails": {"GrnGrn": "G-1"}}
    assert "GrnDetails/GrnGrn" in [path for path, *_ in said(enet.post("APSTIN", again))]


@pytest.mark.parametrize(
    ("how", "ignore", "posted"), [("warn", "N", 0), ("warn", "W", 1), ("refuse", "Y", 0), ("accept", "N", 1)]
)
def test_a_supplier_may_want_its_invoices_matched(enet, syspro, how, ignore, posted):
    syspro.options({"receipt_needed": how})
    syspro.edit("ApSupplier", {"Supplier": "PAK003", "GrnMatchReqd": "Y"})
    lines = {"LedgerCode": "10-6200", "LedgerValue": "10.00"}
    invoice = {"Supplier": "PAK003", "Invoice": "PK-700", "TransactionValue": "10.00", "LedgerDistribution": lines}
    enet.post("APSTIN", invoice, IgnoreWarnings=ignore)
    assert sum(row["Invoice"] == "PK-700" for row in syspro.state("ApInvoice")) == posted


def test_goods_can_be_taken_back_as_far_as_they_came_in(enet, syspro):
    receive(syspro, "151", Decimal(24))
    note = receive(syspro, "151", Decimal(-4))
    assert (note["QtyReceived"], note["CurGrnValue"]) == (Decimal(-4), Decimal("-40.00"))
    assert line_of(syspro, "000151")["MReceivedQty"] == Decimal(20)
    with pytest.raises(sandbox.BadInput, match="received"):
        receive(syspro, "151", Decimal(-21))

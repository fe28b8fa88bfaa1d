"""Purchase orders entered, changed and cancelled in the SYSPRO stand-in by PORTOI."""

import re
from decimal import Decimal

import pytest
from tests.sandbox.syspro_client import Client, element, parsed, said, text

from ml_connector import sandbox

NON_STOCK = {"AllowNonStockItems": "Y"}


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


def line(**other):
    return {
        "LineActionType": "A",
        "StockCode": "BOX-60",
        "StockDescription": "Cartons, large",
        "Warehouse": "**",
        "OrderQty": "64",
        "OrderUom": "EA",
        "PriceMethod": "M",
        "Price": "10.00",
        "PriceUom": "EA",
        "LedgerCode": "10-6200",
        **other,
    }


def order(lines, action="A", details=None, **header):
    head = {"OrderActionType": action, "Supplier": "PAK003", "DueDate": "2026-11-30", **header}
    return {"OrderHeader": head, "OrderDetails": {"StockLine": lines, **(details or {})}}


def add(enet, lines=None, **more):
    """Enters an order and gives its number."""
    answer = enet.order(
        order([line()] if lines is None else lines, CustomerPoNumber="PF9 mlcTEST", **more), **NON_STOCK
    )
    assert said(answer) == []
    return text(answer, "Order/Key/PurchaseOrder")


def change(enet, number, *lines, action="C", header=None, **parameters):
    given = order(list(lines), action, PurchaseOrder=number, **{"DueDate": None, **(header or {})})
    return enet.order(given, **NON_STOCK, **parameters)


def header_of(syspro, number):
    return next((row for row in syspro.state("PorMasterHdr") if row["PurchaseOrder"] == number), None)


def lines_of(syspro, number):
    return {row["Line"]: row for row in syspro.state("PorMasterDetail") if row["PurchaseOrder"] == number}


def query(enet, number, **options):
    xml = element("Query", {"Key": {"PurchaseOrder": number}, "Option": options})
    params = {"UserId": enet.user_id, "BusinessObject": "PORQRY", "XmlIn": xml}
    return enet.http.get(f"{enet.base}/Query/Query", params=params).content


# --- new orders ------------------------------------------------------------------------------------------


def test_an_order_takes_the_next_number_and_the_answer_tells_it(enet, syspro):
    answer = enet.order(order([line(), line(StockCode="BOX-80")]), **NON_STOCK)
    assert answer.tag == "postpurchaseorders"
    assert [(one.tag, (one.text or "").strip()) for one in answer.find("Order")] == [
        ("Key", ""),
        ("ItemNumber", "000001"),
        ("OrderActionType", "A"),
        ("Supplier", "PAK003"),
    ]
    assert text(answer, "Order/Key/PurchaseOrder") == "000153"
    assert [(one.tag, one.text) for one in answer.find("StatusofItems")] == [
        ("ItemsProcessed", "000001"),
        ("ItemsInvalid", "000000"),
    ]
    assert list(lines_of(syspro, "000153")) == [1, 2]


def test_header_and_lines_stand_in_the_tables_and_are_read_back(enet, syspro):
    number = add(enet, Buyer="PUR", InvoiceTerms="15", OrderDate="2026-11-12", DeliveryName="Dock 4")
    row = header_of(syspro, number)
    assert (row["CustomerPoNumber"], row["OrderStatus"], row["CancelledFlag"]) == ("PF9 mlcTEST", "1", "N")
    assert (row["OrderEntryDate"], row["OrderDueDate"], row["TermsCode"]) == ("2026-11-12", "2026-11-30", "15")
    assert (row["Buyer"], row["DeliveryName"], row["Currency"], row["NextDetailLine"]) == ("PUR", "Dock 4", "USD", 2)
    one = lines_of(syspro, number)[1]
    assert (one["MStockCode"], one["MWarehouse"], one["LineType"], one["MGlCode"]) == ("BOX-60", "**", "7", "10-6200")
    assert (one["MOrderQty"], one["MPrice"], one["MLatestDueDate"]) == (Decimal(64), Decimal(10), "2026-11-30")
    found = enet.find("PorMasterHdr", "CustomerPoNumber", "PF9 mlcTEST", "PurchaseOrder", "Supplier")
    assert found == [(number, "PAK003")]
    [read] = enet.odata("PorMasterDetail", f"PurchaseOrder eq '{number}'")
    assert read["MOrderQty"] == 64


def test_porqry_shows_an_order_with_edited_and_plain_quantities(enet):
    number = add(enet, [line(OrderQty="38400")])
    answer = parsed(query(enet, number))
    assert (answer.tag, text(answer, "PurchaseOrder"), text(answer, "OrderStatusDescription")) == (
        "PorDetail",
        number,
        "Ready to print",
    )
    goods = answer.find("PurchaseOrderLine/Merchandise")
    assert (text(goods, "Line"), text(goods, "MOrderQty")) == ("1", "38,400.000")
    assert (text(goods, "Unedited_MOrderQty"), text(answer, "PurchaseOrderTotals/OrderValue")) == (
        "38400.000000",
        "384,000.00",
    )
    assert parsed(query(enet, number, IncludeNonStockedLines="N")).find("PurchaseOrderLine/Merchandise") is None
    assert query(enet, "999").startswith(b"ERROR: ")


def test_a_number_may_be_kept_back(enet, syspro):
    syspro.options({"order_number_returned": False})
    answer = enet.order(order([line()], CustomerPoNumber="PF9 mlcTEST"), **NON_STOCK)
    assert text(answer, "Order/Key/PurchaseOrder") == ""
    assert enet.find("PorMasterHdr", "CustomerPoNumber", "PF9 mlcTEST", "PurchaseOrder") == [("000153",)]


def test_the_same_order_posted_twice_is_two_orders(enet, syspro):
    assert add(enet) != add(enet)
    assert len(enet.find("PorMasterHdr", "CustomerPoNumber", "PF9 mlcTEST", "PurchaseOrder")) == 2


def test_numbers_may_be_padded_in_the_tables(enet, syspro):
    syspro.options({"order_numbers": "padded"})
    number = add(enet)
    assert number == "000153"
    assert list(lines_of(syspro, "000000000000153")) == [1]
    assert said(change(enet, number, line(LineActionType="C", PurchaseOrderLine="1", OrderQty="66"))) == []
    assert text(parsed(query(enet, number)), "PurchaseOrder") == number


def test_an_order_may_bring_its_number_once(enet, syspro):
    assert add(enet, PurchaseOrder="PF150") == "PF150"
    again = enet.order(order([line()], PurchaseOrder="PF150"), **NON_STOCK)
    assert [path for path, *_ in said(again)] == ["OrderHeader/PurchaseOrder"]
    syspro.options({"manual_order_numbers": False})
    refused = enet.order(order([line()], PurchaseOrder="PF151"), **NON_STOCK)
    assert [path for path, *_ in said(refused)] == ["OrderHeader/PurchaseOrder"]


def test_an_automatic_number_skips_one_that_was_brought_along(enet):
    assert add(enet, PurchaseOrder="000153") == "000153"
    assert add(enet) == "000154"


def test_a_stocked_line_knows_its_units(enet, syspro):
    drums = line(
        StockCode="CBL-3G", StockDescription=None, Warehouse="WH1", OrderQty="2", OrderUom="DRM", LedgerCode=None
    )
    number = add(enet, [{**drums, "Price": "0.85", "PriceUom": "M"}])
    one = lines_of(syspro, number)[1]
    assert (one["LineType"], one["MStockDes"], one["MStockingUom"]) == ("1", "Cable 3G1.5", "M")
    assert (one["MConvFactOrdUm"], one["MMulDivAlloc"], one["MConvFactPrcUm"]) == (Decimal(500), "M", Decimal(1))
    assert text(parsed(query(enet, number)), "PurchaseOrderTotals/OrderValue") == "850.00"


def test_a_foreign_order_keeps_both_prices(enet, syspro):
    number = add(enet, [line(Price="2.00")], Supplier="NOR002")
    one = lines_of(syspro, number)[1]
    assert (one["MForeignPrice"], one["MPrice"]) == (Decimal("2.00000"), Decimal("2.16000"))
    assert header_of(syspro, number)["Currency"] == "EUR"


def test_comments_charges_and_freight_are_lines_of_their_own(enet, syspro):
    details = {
        "CommentLine": {"Comment": "Ring before delivery", "AttachedToStkLineNumber": "1"},
        "MiscChargeLine": {"MiscChargeValue": "12.50", "MiscDescription": "Pallets"},
        "FreightLine": {"FreightValue": "35.00"},
    }
    number = add(enet, details=details)
    rows = lines_of(syspro, number)
    assert [rows[n]["LineType"] for n in (1, 2, 3, 4)] == ["7", "6", "5", "4"]
    assert (rows[2]["NComment"], rows[3]["NMscChargeValue"], rows[4]["NMscChargeValue"]) == (
        "Ring before delivery",
        Decimal("12.50"),
        Decimal("35.00"),
    )
    assert text(parsed(query(enet, number)), "PurchaseOrderTotals/OrderValue") == "687.50"


# --- what is wrong with an order -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "goods", "field"),
    [
        ({"Supplier": "NOBODY"}, {}, "OrderHeader/Supplier"),
        ({"Supplier": ""}, {}, "OrderHeader/Supplier"),
        ({"OrderActionType": "X"}, {}, "OrderHeader/OrderActionType"),
        ({"Buyer": "NOBODY"}, {}, "OrderHeader/Buyer"),
        ({"InvoiceTerms": "99"}, {}, "OrderHeader/InvoiceTerms"),
        ({"Warehouse": "XX"}, {}, "OrderHeader/Warehouse"),
        ({"CustomerPoNumber": "P" * 31}, {}, "OrderHeader/CustomerPoNumber"),
        ({"OrderDate": "16.11.2026"}, {}, "OrderHeader/OrderDate"),
        ({}, {"OrderQty": "0"}, "OrderDetails/StockLine/OrderQty"),
        ({}, {"OrderQty": ""}, "OrderDetails/StockLine/OrderQty"),
        ({}, {"Price": "0"}, "OrderDetails/StockLine/Price"),
        ({}, {"Price": "1.123456"}, "OrderDetails/StockLine/Price"),
        ({}, {"StockCode": ""}, "OrderDetails/StockLine/StockCode"),
        ({}, {"StockCode": "S" * 31}, "OrderDetails/StockLine/StockCode"),
        ({}, {"StockCode": "NONE", "Warehouse": "WH1"}, "OrderDetails/StockLine/StockCode"),
        ({}, {"StockCode": "RLY-24", "Warehouse": "XX"}, "OrderDetails/StockLine/Warehouse"),
        ({}, {"StockCode": "RLY-24", "Warehouse": "WH1", "OrderUom": "BAG"}, "OrderDetails/StockLine/OrderUom"),
        ({}, {"StockDescription": "D" * 51}, "OrderDetails/StockLine/StockDescription"),
        ({}, {"LedgerCode": "10-7777"}, "OrderDetails/StockLine/LedgerCode"),
        ({}, {"LedgerCode": ""}, "OrderDetails/StockLine/LedgerCode"),
        ({}, {"TaxCode": "Q"}, "OrderDetails/StockLine/TaxCode"),
        ({}, {"LatestDueDate": "soon"}, "OrderDetails/StockLine/LatestDueDate"),
        ({}, {"PriceUom": "KG"}, "OrderDetails/StockLine/PriceUom"),
    ],
)
def test_a_bad_field_of_header_or_line_keeps_the_order_out(enet, syspro, header, goods, field):
    before = len(syspro.state("PorMasterHdr"))
    answer = enet.order(order([line(), line(**goods)], **header), **NON_STOCK)
    assert field in [re.sub(r"\[\d\]", "", path) for path, *_ in said(answer)]
    assert text(answer, "StatusofItems/ItemsInvalid") == "000001"
    assert len(syspro.state("PorMasterHdr")) == before
    assert add(enet) == "000153"


def test_parameters_allow_what_is_refused_otherwise(enet):
    free = order([line(Price="0", LedgerCode=None)])
    refused = {path.rpartition("/")[2] for path, *_ in said(enet.order(free))}
    assert refused == {"LedgerCode", "Price", "StockCode"}
    allowed = {"AllowNonStockItems": "Y", "AllowZeroPrice": "Y", "AllowBlankLedgerCode": "Y"}
    assert said(enet.order(free, **allowed)) == []


@pytest.mark.parametrize(
    ("ignore", "how", "entered"), [("N", "accept", 1), ("N", "warn", 0), ("W", "warn", 1), ("Y", "refuse", 0)]
)
def test_an_order_with_a_supplier_on_hold_goes_as_the_site_has_it(enet, syspro, ignore, how, entered):
    syspro.options({"on_hold": {"PORTOI": how}})
    enet.order(order([line()], Supplier="TRN004"), **NON_STOCK, IgnoreWarnings=ignore)
    assert len(syspro.state("PorMasterHdr")) == 3 + entered


def test_a_supplier_may_take_no_orders(enet, syspro):
    syspro.edit("ApSupplier", {"Supplier": "PAK003", "PurchOrdAllowed": "N"})
    assert [path for path, *_ in said(enet.order(order([line()]), **NON_STOCK))] == ["OrderHeader/Supplier"]


@pytest.mark.parametrize(("shown", "told"), [("N", 0), ("Y", 1)])
def test_a_bad_line_may_be_dropped_and_only_its_own_item_says_so(enet, syspro, shown, told):
    syspro.options({"bad_order_line": "drop"})
    given = order([line(), line(LedgerCode="10-7777")])
    answer = enet.order(given, **NON_STOCK, OutputItemforDetailLines=shown)
    assert text(answer, "StatusofItems/ItemsInvalid") == "000000"
    assert len(said(answer)) == told
    assert len(lines_of(syspro, text(answer, "Order/Key/PurchaseOrder"))) == 1


def test_orders_of_a_document_stand_each_for_itself(enet):
    answer = enet.order([order([line()]), order([line()], Supplier="NOBODY"), order([line()])], **NON_STOCK)
    numbers = [text(one, "Key/PurchaseOrder") for one in answer.findall("Order")]
    assert numbers == ["000153", "", "000154"]
    assert [text(one, "ItemNumber") for one in answer.findall("Order")] == ["000001", "000002", "000003"]


# --- changes ---------------------------------------------------------------------------------------------


def test_a_change_touches_the_lines_it_names_and_numbers_new_ones_on(enet, syspro):
    number = add(enet, [line(), line(StockCode="BOX-80"), line(StockCode="BOX-90")])
    changed = line(LineActionType="C", PurchaseOrderLine="1", OrderQty="66", Price=None)
    gone = {"LineActionType": "D", "PurchaseOrderLine": "2"}
    answer = change(enet, number, changed, gone, line(StockCode="BOX-99"), OutputItemforDetailLines="Y")
    assert [(text(one, "PurchaseOrderLine"), text(one, "LineActionType")) for one in answer.iter("OrderLine")] == [
        ("0001", "C"),
        ("0002", "D"),
        ("0004", "A"),
    ]
    rows = lines_of(syspro, number)
    assert (rows[1]["MOrderQty"], rows[1]["MPrice"]) == (Decimal(66), Decimal(10))
    assert (rows[2]["MOrderQty"], rows[2]["MCompleteFlag"]) == (Decimal(0), "Y")
    assert (rows[3]["MStockCode"], rows[3]["MOrderQty"], rows[4]["MStockCode"]) == ("BOX-90", Decimal(64), "BOX-99")
    assert header_of(syspro, number)["AmendedCount"] == 1


def test_a_cancelled_line_may_vanish_and_its_number_is_not_given_again(enet, syspro):
    syspro.options({"cancelled_line": "removed"})
    number = add(enet, [line(), line(StockCode="BOX-80")])
    change(enet, number, {"LineActionType": "D", "PurchaseOrderLine": "2"})
    change(enet, number, line())
    assert list(lines_of(syspro, number)) == [1, 3]


def test_a_change_of_the_header_sets_what_it_names(enet, syspro):
    number = add(enet)
    answer = change(enet, number, header={"DueDate": "2026-12-15", "ApplyDueDateToLines": "A", "Buyer": ""})
    assert said(answer) == []
    assert header_of(syspro, number)["OrderDueDate"] == "2026-12-15"
    assert header_of(syspro, number)["CustomerPoNumber"] == "PF9 mlcTEST"
    assert lines_of(syspro, number)[1]["MLatestDueDate"] == "2026-12-15"


@pytest.mark.parametrize("number", ["153", "000153", "000000000000153"])
def test_an_order_is_found_with_or_without_zeros(enet, syspro, number):
    add(enet)
    assert said(change(enet, number, action="D")) == []
    row = header_of(syspro, "000153")
    assert (row["OrderStatus"], row["CancelledFlag"]) == ("*", "Y")
    assert lines_of(syspro, "000153")[1]["MCompleteFlag"] == "Y"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"PurchaseOrder": "999"}, "OrderHeader/PurchaseOrder"),
        ({"PurchaseOrder": ""}, "OrderHeader/PurchaseOrder"),
        ({"Supplier": "ELC001"}, "OrderHeader/Supplier"),
    ],
)
def test_a_change_needs_an_order_and_its_own_supplier(enet, given, field):
    number = add(enet)
    answer = (
        change(enet, number, header=given) if "PurchaseOrder" not in given else change(enet, given["PurchaseOrder"])
    )
    assert [path for path, *_ in said(answer)] == [field]


def test_a_line_that_is_not_there_cannot_be_changed(enet):
    number = add(enet)
    for missing in ({"PurchaseOrderLine": "7"}, {"PurchaseOrderLine": None}):
        answer = change(enet, number, line(LineActionType="C", **missing))
        assert [path for path, *_ in said(answer)] == ["OrderDetails/StockLine/PurchaseOrderLine"]


def test_a_cancelled_order_and_a_cancelled_line_stay_as_they_are(enet):
    number = add(enet, [line(), line()])
    gone = {"LineActionType": "D", "PurchaseOrderLine": "2"}
    assert said(change(enet, number, gone)) == []
    assert [path for path, *_ in said(change(enet, number, gone))] == ["OrderDetails/StockLine/PurchaseOrderLine"]
    change(enet, number, action="D")
    for action in "CD":
        assert [path for path, *_ in said(change(enet, number, action=action))] == ["OrderHeader/PurchaseOrder"]

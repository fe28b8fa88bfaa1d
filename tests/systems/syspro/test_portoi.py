"""Purchase orders: their documents, the number that SYSPRO gives, changes by line, and cancellation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.systems.base import Conflict, DocumentState, NoLonger, OutcomeUnknown, Ref, Refused
from ml_connector.systems.syspro.settings import Options, options
from ml_connector.systems.syspro.writing.portoi import customer_number, to_add, to_cancel
from ml_connector.systems.syspro.writing.tables import Payee, PorMasterDetail, PorMasterHdr

from .conftest import Erp
from .enet import DEAD, DROP, Call

MARK = "mlc0123456789"
D = Decimal


def line(key: str, quantity: str, price: str, account: str | None = "10-6100", **more: Any) -> PurchaseOrderLine:
    given = {
        "line_key": key,
        "number": key,
        "kind": OrderLineKind.SERVICE,
        "sku": f"SKU-{key}",
        "description": f"Item {key}",
        "unit": "EA",
        "quantity": D(quantity),
        "unit_price": D(price),
        "amount": (D(quantity) * D(price)).quantize(D("0.01")),
        "account": account,
    }
    return PurchaseOrderLine(**(given | more))


def order(*lines: PurchaseOrderLine, **more: Any) -> PurchaseOrder:
    lines = lines or (line("a", "100", "12.00"), line("b", "30", "10.00", "10-6200"))
    live = [each.amount for each in lines if each.status is not OrderStatus.CANCELLED]
    total = sum(live, D(0)) + more.get("freight", D(0)) + more.get("other", D(0)) + more.get("tax", D(0))
    given: dict[str, Any] = {
        "number": "PF150",
        "supplier": "ELC001",
        "date": date(2026, 11, 10),
        "due_date": date(2026, 12, 1),
        "currency": "USD",
        "total": total,
    }
    return PurchaseOrder(lines=lines, **(given | more))


def site(**settings: Any) -> Options:
    base = {"enet_rest_base": "http://x", "operator": "A", "company_id": "RIL", "company_time_zone": "UTC"}
    return options(base | {"default_product_class": "SERV", "default_buyer": "AP"} | settings)


def made(record: PurchaseOrder, *, foreign: bool = False, rate: Decimal | None = None, **settings: Any) -> Any:
    posting = to_add(record, MARK, site(**settings), foreign=foreign, rate=rate)
    return etree.fromstring(posting.texts(validate=False)["XmlIn"].encode())


def test_a_new_order_has_no_number_and_bears_number_and_mark_of_the_source() -> None:  # R6, R11
    head = made(order()).find("Orders/OrderHeader")
    assert {each.tag: each.text for each in head} == {
        "OrderActionType": "A",
        "Supplier": "ELC001",
        "OrderType": "L",
        "TaxStatus": "N",
        "CustomerPoNumber": f"PF150 {MARK}",
        "OrderDate": "2026-11-10",
        "DueDate": "2026-12-01",
        "ApplyDueDateToLines": "A",
        "Buyer": "AP",
    }


def test_a_line_that_is_not_stocked_has_the_form_that_syspro_wants() -> None:
    (first, _) = made(order()).findall("Orders/OrderDetails/StockLine")
    assert {each.tag: each.text for each in first} == {
        "PurchaseOrderLine": "1",
        "LineActionType": "A",
        "StockCode": "SKU-a",
        "StockDescription": "Item a",
        "Warehouse": "**",
        "OrderQty": "100.000000",
        "OrderUom": "EA",
        "PriceMethod": "M",
        "Price": "12.00000",
        "PriceUom": "EA",
        "LatestDueDate": "2026-12-01",
        "LedgerCode": "10-6100",
        "ProductClass": "SERV",
    }


def test_a_long_number_leaves_the_mark_whole_and_stands_in_a_comment() -> None:  # R31
    record = order(number="PROC-2026-000000150")
    assert customer_number(record, MARK) == MARK
    assert [each.text for each in made(record).iter("Comment")] == ["Order PROC-2026-000000150"]


def test_a_long_description_goes_on_in_comments_of_its_line() -> None:  # R31
    document = made(order(line("a", "1", "5.00", description="word " * 40)))
    assert len(document.findtext("Orders/OrderDetails/StockLine/StockDescription")) <= 50
    comments = document.findall("Orders/OrderDetails/CommentLine")
    assert [each.findtext("AttachedToStkLineNumber") for each in comments] == ["1", "1"]
    assert [each.findtext("PurchaseOrderLine") for each in comments] == ["2", "3"]


def test_freight_and_other_charges_are_lines_and_amount_only_lines_are_one_of_it() -> None:
    amount_only = line("c", "0", "0", amount=D("250.00"))
    document = made(order(line("a", "1", "5.00"), amount_only, freight=D("35.00"), other=D("4.00")))
    assert document.findtext("Orders/OrderDetails/FreightLine/FreightValue") == "35.00"
    assert document.findtext("Orders/OrderDetails/MiscChargeLine/MiscChargeValue") == "4.00"
    second = document.findall("Orders/OrderDetails/StockLine")[1]
    assert (second.findtext("OrderQty"), second.findtext("Price")) == ("1.000000", "250.00000")


def test_a_foreign_order_has_its_rate_and_is_an_import() -> None:  # R25
    head = made(order(currency="EUR"), foreign=True, rate=D("1.08")).find("Orders/OrderHeader")
    assert (head.findtext("OrderType"), head.findtext("ExchangeRate")) == ("I", "1.080000")


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (order(total=D("1.00")), "OrderDetails"),
        (order(discount=D("1.00"), total=D("1499.00")), "DiscPercent1"),
        (order(line("a", "3", "3.333333", amount=D("10.00"))), "Price"),
        (order(line("a", "3", "3.00", amount=D("9.50"))), "Price"),
        (order(line("a", "1", "1.00", sku="S" * 31)), "StockCode"),
        (order(line("a", "1", "1.00", unit="KILOGRAMMES")), "OrderUom"),
        (order(line("a", "1", "1.00", status=OrderStatus.CANCELLED)), "StockLine"),
    ],
)
def test_what_portoi_would_not_take_never_leaves(record: PurchaseOrder, field: str) -> None:  # R22, R31
    with pytest.raises(Refused) as raised:
        made(record)
    assert raised.value.field == field and "PF150" in str(raised.value)


@pytest.fixture
def erp(erp: Erp) -> Erp:
    for table in (PorMasterHdr, PorMasterDetail):
        erp.enet.tables[table.NAME] = []
    erp.put(Payee, {"Supplier": "ELC001", "Currency": "USD"}, {"Supplier": "TRN004", "Currency": "USD", "OnHold": "Y"})
    erp.enet.answer["PORTOI"] = ordered(erp)
    return erp


def ordered(erp: Erp, *, named: bool = True, without: tuple[str, ...] = ()) -> Callable[[Call], str]:
    """Keeps orders as SYSPRO does: padded numbers, lines by action. Drops lines of the stock codes in `without`."""

    def write(call: Call) -> str:
        action = call.value("Orders/OrderHeader/OrderActionType")
        headers, details = erp.enet.tables["PorMasterHdr"], erp.enet.tables["PorMasterDetail"]
        key = call.value("Orders/OrderHeader/PurchaseOrder")
        if action == "A":
            key = f"{547 + len(headers):015}"
            erp.put(
                PorMasterHdr,
                {"PurchaseOrder": key, "Supplier": call.value("Orders/OrderHeader/Supplier"), "OrderStatus": "1",
                 "CustomerPoNumber": call.value("Orders/OrderHeader/CustomerPoNumber"), "Currency": "USD",
                 "OrderEntryDate": "2026-11-16", "OrderDueDate": call.value("Orders/OrderHeader/DueDate")},
            )  # fmt: skip
        header = next(row for row in headers if row["PurchaseOrder"] == key)
        if action == "D":
            header["CancelledFlag"] = "Y"
        if action == "C" and call.value("Orders/OrderHeader/DueDate"):
            header["OrderDueDate"] = call.value("Orders/OrderHeader/DueDate")
        for each in call.document.findall("Orders/OrderDetails/*"):
            number, done = int(each.findtext("PurchaseOrderLine")), each.findtext("LineActionType")
            if (each.findtext("StockCode") or "") in without:
                continue
            if done in {"D", "C"}:
                details[:] = [r for r in details if (r["PurchaseOrder"], r["Line"]) != (key, number)]
            if done != "D":
                erp.put(PorMasterDetail, {"PurchaseOrder": key, "Line": number, **detail(each)})
        shown = f"<Key><PurchaseOrder>{int(key):06}</PurchaseOrder></Key>" if named else "<Key/>"
        return (
            f"<postpurchaseorders><Order>{shown}<ItemNumber>000001</ItemNumber></Order><StatusofItems><ItemsProcessed>"
            "000001</ItemsProcessed><ItemsInvalid>000000</ItemsInvalid></StatusofItems></postpurchaseorders>"
        )

    return write


def detail(each: Any) -> dict[str, Any]:
    charge = each.findtext("FreightValue") or each.findtext("MiscChargeValue")
    return {
        "MStockCode": each.findtext("StockCode") or "",
        "MStockDes": each.findtext("StockDescription") or "",
        "MWarehouse": each.findtext("Warehouse") or "",
        "MOrderQty": D(each.findtext("OrderQty") or 0),
        "MOrderUom": each.findtext("OrderUom") or "",
        "MPrice": D(each.findtext("Price") or 0),
        "MGlCode": each.findtext("LedgerCode") or "",
        "MLatestDueDate": each.findtext("LatestDueDate") or "",
        "NComment": each.findtext("Comment") or "",
        "NMscChargeValue": D(charge or 0),
    }


def orders(erp: Erp, **policy: Any) -> Any:
    return erp.target("purchase_order", policy)


@pytest.mark.parametrize("named", [True, False])
def test_an_order_is_found_by_its_mark_whether_or_not_its_number_was_answered(erp: Erp, named: bool) -> None:  # R11
    erp.enet.answer["PORTOI"] = ordered(erp, named=named)
    target = orders(erp)
    ref = target.create(order(freight=D("35.00")), MARK)
    assert (ref.key, ref.lines) == ("000000000000547", ("a=1", "b=2", "@freight=3"))
    (hit,) = target.find(order(freight=D("35.00")), MARK)
    assert (hit.key, hit.mark, hit.lines) == (ref.key, MARK, ref.lines)
    assert target.differences(order(freight=D("35.00")), hit.record) == []
    assert target.find(order(), "mlcZZZZZZZZZZ") == []


def test_a_lost_answer_makes_no_second_order(erp: Erp) -> None:  # R3, R11
    write = ordered(erp)
    erp.enet.answer["PORTOI"] = lambda call: DROP if write(call) else ""
    target = orders(erp)
    with pytest.raises(OutcomeUnknown):
        target.create(order(), MARK)
    (hit,) = target.find(order(), MARK)
    assert target.identity_differences(order(), hit.record) == []


def test_an_order_that_lacks_a_line_is_not_taken_for_ours(erp: Erp) -> None:  # R5, R12
    erp.enet.answer["PORTOI"] = ordered(erp, without=("SKU-b",))
    target = orders(erp)
    with pytest.raises(OutcomeUnknown, match="000000000000547"):
        target.create(order(), MARK)
    (hit,) = target.find(order(), MARK)
    assert target.identity_differences(order(), hit.record) == ["total"]


def test_a_line_that_is_refused_while_the_order_is_counted_leaves_the_outcome_open(erp: Erp) -> None:  # R12
    write = ordered(erp)
    fault = "<StockLine><ErrorNumber>240004</ErrorNumber><ErrorDescription>Not found</ErrorDescription></StockLine>"
    erp.enet.answer["PORTOI"] = lambda call: write(call).replace("<ItemNumber>", f"{fault}<ItemNumber>")
    with pytest.raises(OutcomeUnknown, match="Not found"):
        orders(erp).create(order(), MARK)


def test_a_supplier_on_hold_may_be_ordered_from_and_a_foreign_one_not_in_our_currency(erp: Erp) -> None:  # R25
    orders(erp).create(order(supplier="TRN004"), MARK)
    with pytest.raises(Refused) as raised:
        orders(erp).create(order(currency="EUR"), MARK)
    assert raised.value.code == "currency_not_allowed"


def test_a_change_of_quantity_keeps_the_line(erp: Erp) -> None:  # R42
    target = orders(erp)
    ref = target.create(order(), MARK)
    changed = order(line("a", "110", "12.00"), line("b", "30", "10.00", "10-6200"))
    assert target.differences(changed, target.get(ref.key).record) == ["total", "lines"]
    after = target.update(ref, changed, MARK)
    (_, call) = erp.enet.posts()
    assert call.value("Orders/OrderHeader/OrderActionType") == "C"
    assert call.value("Orders/OrderHeader/PurchaseOrder") == "000000000000547"
    assert call.values("Orders/OrderDetails/StockLine/PurchaseOrderLine") == ["1"]
    assert call.values("Orders/OrderDetails/StockLine/LineActionType") == ["C"]
    assert after == ref
    assert target.update(ref, changed, MARK) == ref and len(erp.enet.posts()) == 2


def test_lines_are_added_and_cancelled_without_touching_the_others(erp: Erp) -> None:  # R42
    target = orders(erp)
    ref = target.create(order(), MARK)
    changed = order(
        line("new", "5", "2.00", sku="SKU-b"),
        line("a", "100", "12.00", status=OrderStatus.CANCELLED),
        line("b", "30", "10.00", "10-6200"),
    )
    after = target.update(ref, changed, MARK)
    call = erp.enet.posts()[-1]
    actions = zip(
        call.values("Orders/OrderDetails/StockLine/LineActionType"),
        call.values("Orders/OrderDetails/StockLine/PurchaseOrderLine"),
        strict=True,
    )
    assert list(actions) == [("A", "3"), ("D", "1")]
    assert after.lines == ("new=3", "b=2")


def test_a_line_that_is_gone_from_the_source_is_cancelled(erp: Erp) -> None:  # R42
    target = orders(erp)
    ref = target.create(order(), MARK)
    after = target.update(ref, order(line("b", "30", "10.00", "10-6200")), MARK)
    assert erp.enet.posts()[-1].values("Orders/OrderDetails/StockLine/PurchaseOrderLine") == ["1"]
    assert after.lines == ("b=2",)


def test_charges_change_with_the_order(erp: Erp) -> None:
    target = orders(erp)
    ref = target.create(order(freight=D("35.00")), MARK)
    after = target.update(ref, order(freight=D("40.00"), other=D("2.00")), MARK)
    call = erp.enet.posts()[-1]
    assert call.values("Orders/OrderDetails/FreightLine/FreightValue") == ["40.00"]
    assert call.values("Orders/OrderDetails/MiscChargeLine/PurchaseOrderLine") == ["4"]
    target.update(after, order(), MARK)
    assert erp.enet.posts()[-1].values("Orders/OrderDetails/FreightLine/LineActionType") == ["D"]


def test_an_adopted_orders_lines_are_known_by_their_codes(erp: Erp) -> None:  # R42
    target = orders(erp)
    ref = Ref(target.create(order(), MARK).key)
    target.update(ref, order(line("a", "100", "12.00"), line("b", "31", "10.00", "10-6200")), MARK)
    assert erp.enet.posts()[-1].values("Orders/OrderDetails/StockLine/PurchaseOrderLine") == ["2"]


def test_what_was_received_cannot_be_taken_back(erp: Erp) -> None:  # R44
    target = orders(erp)
    ref = target.create(order(), MARK)
    erp.enet.tables["PorMasterDetail"][0]["MReceivedQty"] = D(60)
    for less in (line("a", "59", "12.00"), line("a", "100", "12.00", status=OrderStatus.CANCELLED)):
        with pytest.raises(NoLonger, match="60"):
            target.update(ref, order(less, line("b", "30", "10.00", "10-6200")), MARK)
    with pytest.raises(NoLonger, match="received"):
        target.cancel(ref, "cancelled in the source")
    target.update(ref, order(line("a", "60", "12.00"), line("b", "30", "10.00", "10-6200")), MARK)
    assert len(erp.enet.posts()) == 2


def test_a_printed_order_is_changed_only_where_the_flow_says_so(erp: Erp) -> None:
    ref = orders(erp).create(order(), MARK)
    erp.enet.tables["PorMasterHdr"][0]["OrderStatus"] = "4"
    changed = order(line("a", "110", "12.00"), line("b", "30", "10.00", "10-6200"))
    with pytest.raises(NoLonger, match="printed"):
        orders(erp).update(ref, changed, MARK)
    assert orders(erp, amend_printed=True).update(ref, changed, MARK) == ref
    erp.enet.tables["PorMasterHdr"][0]["OrderStatus"] = "9"
    with pytest.raises(NoLonger):
        orders(erp, amend_printed=True).update(ref, order(), MARK)


def test_a_change_that_syspro_drops_without_a_word_is_for_people(erp: Erp) -> None:  # R12
    target = orders(erp)
    ref = target.create(order(), MARK)
    erp.enet.answer["PORTOI"] = ordered(erp, without=("SKU-a",))
    with pytest.raises(Refused) as raised:
        target.update(ref, order(line("a", "110", "12.00"), line("b", "30", "10.00", "10-6200")), MARK)
    assert raised.value.code == "partly_taken"


def test_an_order_is_cancelled_once(erp: Erp) -> None:
    target = orders(erp)
    ref = target.create(order(), MARK)
    for _ in range(2):
        target.cancel(ref, "cancelled in the source")
    call = erp.enet.posts()[-1]
    assert (len(erp.enet.posts()), call.value("Orders/OrderHeader/OrderActionType")) == (2, "D")
    found = target.get(ref.key)
    assert found.state is DocumentState.ARCHIVED
    assert target.differences(order(status=OrderStatus.CANCELLED), found.record) == []
    assert target.update(ref, order(status=OrderStatus.CANCELLED), MARK) == ref
    target.cancel(Ref("000000000000999"), "cancelled in the source")
    assert len(erp.enet.posts()) == 2


def test_an_eviction_in_a_line_change_costs_one_logon_and_no_second_change(erp: Erp) -> None:  # R62
    target = orders(erp, validate_first=False)
    ref = target.create(order(), MARK)
    write = ordered(erp)
    erp.enet.answer["PORTOI"] = lambda call: DEAD
    changed = order(line("a", "110", "12.00"), line("b", "30", "10.00", "10-6200"))
    with pytest.raises(OutcomeUnknown):
        target.update(ref, changed, MARK)
    assert target.differences(changed, target.get(ref.key).record) == ["total", "lines"]
    erp.enet.answer["PORTOI"] = write
    target.update(ref, changed, MARK)
    assert target.differences(changed, target.get(ref.key).record) == []
    assert erp.enet.logons == 2


def test_an_order_of_another_supplier_is_not_changed(erp: Erp) -> None:
    target = orders(erp)
    ref = target.create(order(), MARK)
    with pytest.raises(Conflict):
        target.update(ref, order(line("a", "1", "1.00"), supplier="TRN004"), MARK)


def test_a_key_goes_back_as_it_came() -> None:
    document = to_cancel(" 00001   ", "ELC001").texts(validate=False)["XmlIn"]
    assert "<PurchaseOrder> 00001</PurchaseOrder>" in document

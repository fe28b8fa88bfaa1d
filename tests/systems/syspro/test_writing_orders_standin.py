"""Purchase orders written to the stand-in: numbered there, found by our mark, and changed line by line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ml_connector.domain.orders import OrderLineKind, OrderStatus
from ml_connector.systems.base import DocumentState, NoLonger, OutcomeUnknown, Ref, Refused

from .conftest import Pair
from .papers import only
from .test_portoi import line, order

MARK = "mlc0123456789"
OTHER = "mlcZZZZZZZZZZ"
D = Decimal

FIRST = order(line("a", "100", "12.00"), line("b", "30", "10.00", "10-6200"), freight=D("35.00"), other=D("4.00"))


def lines(pair: Pair, key: str) -> dict[int, tuple[str, Decimal, Decimal, str]]:
    """Code, quantity, price or charge, and completeness of each row that is no comment."""
    return {
        row["Line"]: (
            row["MStockCode"],
            row["MOrderQty"].normalize(),
            (row["MForeignPrice"] + row["NMscChargeFor"]).normalize(),
            row["MCompleteFlag"],
        )
        for row in pair.rows("PorMasterDetail", PurchaseOrder=key)
        if row["MStockCode"] or row["NMscChargeFor"]
    }


# --- made, read back, found ------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [True, False])
@pytest.mark.parametrize("numbers", ["same", "padded"])
def test_an_order_is_made_once_whether_or_not_syspro_tells_its_number(
    both_ways: Pair,
    returned: bool,
    numbers: str,
) -> None:  # R6, R11
    both_ways.syspro.options({"order_number_returned": returned, "order_numbers": numbers})
    target = both_ways.target("purchase_order")
    ref = target.create(FIRST, MARK)
    key = both_ways.row("PorMasterHdr", CustomerPoNumber=f"PF150 {MARK}")["PurchaseOrder"]
    assert ref == Ref(key, ("a=1", "b=2", "@freight=4", "@other=3"))
    assert lines(both_ways, key) == {
        1: ("SKU-a", D(100), D(12), "N"),
        2: ("SKU-b", D(30), D(10), "N"),
        3: ("", D(0), D(4), "N"),
        4: ("", D(0), D(35), "N"),
    }
    found = only(target.find(FIRST, MARK))
    assert (found.key, found.mark, found.state, found.lines) == (key, MARK, DocumentState.OPEN, ref.lines)
    assert target.differences(FIRST, target.get(key).record) == []
    assert target.update(ref, FIRST, MARK) == ref
    assert len(both_ways.posts("PORTOI")) == 1
    assert target.find(FIRST, OTHER) == []


def test_what_the_connection_names_stands_in_the_order(pair: Pair) -> None:
    key = pair.target("purchase_order").create(order(line("a", "1", "5.00")), MARK).key
    header, row = pair.row("PorMasterHdr", PurchaseOrder=key), pair.row("PorMasterDetail", PurchaseOrder=key)
    assert {name: header[name] for name in ("OrderStatus", "TaxStatus", "OrderType", "Buyer", "Warehouse")} == {
        "OrderStatus": "1", "TaxStatus": "N", "OrderType": "L", "Buyer": "PUR", "Warehouse": "WH1"
    }  # fmt: skip
    assert {name: row[name] for name in ("MWarehouse", "MProductClass", "MGlCode", "MOrderUom", "MLatestDueDate")} == {
        "MWarehouse": "**", "MProductClass": "COMP", "MGlCode": "10-6100", "MOrderUom": "EA",
        "MLatestDueDate": "2026-12-01",
    }  # fmt: skip


def test_stocked_goods_go_to_a_warehouse_and_to_none_where_none_is_named(pair: Pair) -> None:
    goods = {"kind": OrderLineKind.STOCK, "sku": "RLY-24", "description": "Relay 24 V"}
    record = order(line("a", "10", "5.00", **goods))
    first = pair.target("purchase_order").create(record, MARK)
    second = pair.target("purchase_order", default_warehouse="").create(record, OTHER)
    stored = [pair.row("PorMasterDetail", PurchaseOrder=ref.key) for ref in (first, second)]
    assert [(row["MWarehouse"], row["LineType"]) for row in stored] == [("WH1", "1"), ("**", "7")]
    target = pair.target("purchase_order")
    assert [target.differences(record, target.get(ref.key).record) for ref in (first, second)] == [[], []]


def test_a_foreign_order_is_compared_in_its_own_currency(both_ways: Pair) -> None:  # R25
    record = order(line("a", "3", "9.99"), supplier="NOR002", currency="EUR", freight=D("1.50"), rate=D("1.1"))
    target = both_ways.target("purchase_order", {"rate": "document"})
    ref = target.create(record, MARK)
    header = both_ways.row("PorMasterHdr", PurchaseOrder=ref.key)
    assert (header["Currency"], header["ExchangeRate"], header["OrderType"]) == ("EUR", D("1.1"), "I")
    found = target.get(ref.key).record
    assert (found.currency, found.total, target.differences(record, found)) == ("EUR", D("31.47"), [])
    (freight,) = (row for row in both_ways.rows("PorMasterDetail", PurchaseOrder=ref.key) if row["NMscChargeFor"])
    assert {name: freight[name] for name in ("NMscChargeFLoc", "NMscChargeFor", "NMscChargeValue")} == {
        "NMscChargeFLoc": "F", "NMscChargeFor": D("1.50"), "NMscChargeValue": D("1.65")
    }  # fmt: skip


def test_an_order_can_keep_its_number_and_is_then_found_by_it(pair: Pair) -> None:  # R6
    target = pair.target("purchase_order", {"keep_number": True})
    ref = target.create(order(number="815"), MARK)
    assert (ref.key, pair.row("PorMasterHdr", PurchaseOrder="000815")["CustomerPoNumber"]) == ("000815", f"815 {MARK}")
    pair.syspro.edit("PorMasterHdr", {"PurchaseOrder": "000815", "CustomerPoNumber": ""})
    found = only(target.find(order(number="815"), MARK))
    assert (found.key, found.mark, target.identity_differences(order(number="815"), found.record)) == (
        "000815", None, []
    )  # fmt: skip
    assert pair.target("purchase_order").find(order(number="815"), MARK) == []
    with pytest.raises(Refused, match="815"):
        target.create(order(number="815"), OTHER)
    with pytest.raises(Refused) as refused:
        target.create(order(number="PROCUREMENT-2026-0001"), OTHER)
    assert (refused.value.code, refused.value.field) == ("number_too_long", "PurchaseOrder")


def test_an_order_keeps_no_number_where_syspro_numbers_alone(pair: Pair) -> None:
    pair.syspro.options({"manual_order_numbers": False})
    with pytest.raises(Refused) as refused:
        pair.target("purchase_order", {"keep_number": True}).create(order(number="815"), MARK)
    assert refused.value.field == "PurchaseOrder"
    assert pair.rows("PorMasterHdr") == []


# --- changed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cancelled", ["kept", "removed"])
def test_price_quantity_added_and_deleted_lines_change_the_same_order(both_ways: Pair, cancelled: str) -> None:  # R42
    both_ways.syspro.options({"cancelled_line": cancelled})
    target = both_ways.target("purchase_order")
    ref = target.create(FIRST, MARK)
    second = order(line("a", "90", "11.50"), line("c", "5", "3.00"), freight=D("35.00"))
    ref = target.update(ref, second, MARK)
    assert ref.lines == ("a=1", "c=5", "@freight=4")
    third = order(
        line("d", "1", "2.00"), line("c", "6", "3.00"), line("a", "90", "11.50"), line("e", "2", "2.00"),
        freight=D("36.00"), other=D("1.00"),
    )  # fmt: skip
    ref = target.update(ref, third, MARK)
    assert ref.lines == ("d=6", "c=5", "a=1", "e=7", "@freight=4", "@other=8")
    stored = lines(both_ways, ref.key)
    assert {number: row[:3] for number, row in stored.items() if row[3] == "N"} == {
        1: ("SKU-a", D(90), D("11.5")),
        4: ("", D(0), D(36)),
        5: ("SKU-c", D(6), D(3)),
        6: ("SKU-d", D(1), D(2)),
        7: ("SKU-e", D(2), D(2)),
        8: ("", D(0), D(1)),
    }
    assert {number for number, row in stored.items() if row[3] == "Y"} == ({2, 3} if cancelled == "kept" else set())
    assert target.differences(third, target.get(ref.key).record) == []
    posts = len(both_ways.posts("PORTOI"))
    assert target.update(ref, third, MARK) == ref
    assert len(both_ways.posts("PORTOI")) == posts
    assert len(both_ways.rows("PorMasterHdr")) == 1


def test_lines_of_one_code_keep_their_own_numbers(pair: Pair) -> None:  # R42
    pair.syspro.options({"cancelled_line": "removed"})
    target = pair.target("purchase_order")
    same = {"sku": "BOX"}
    ref = target.create(order(line("a", "1", "5.00", **same), line("b", "2", "5.00", **same)), MARK)
    assert ref.lines == ("a=1", "b=2")
    ref = target.update(ref, order(line("a", "1", "5.00", **same)), MARK)
    wanted = order(line("d", "4", "5.00", **same), line("c", "3", "5.00", **same), line("a", "1", "6.00", **same))
    ref = target.update(ref, wanted, MARK)
    stored = lines(pair, ref.key)
    numbers = dict(each.split("=") for each in ref.lines)
    assert {key: stored[int(number)][1:3] for key, number in numbers.items()} == {
        "a": (D(1), D(6)), "c": (D(3), D(5)), "d": (D(4), D(5))
    }  # fmt: skip


def test_a_line_that_comes_back_is_a_line_of_its_own(pair: Pair) -> None:  # R42
    target = pair.target("purchase_order")
    ref = target.create(order(), MARK)
    gone = order(line("a", "100", "12.00"), line("b", "30", "10.00", "10-6200", status=OrderStatus.CANCELLED))
    ref = target.update(ref, gone, MARK)
    assert ref.lines == ("a=1",)
    ref = target.update(ref, order(), MARK)
    assert ref.lines == ("a=1", "b=3")
    assert target.differences(order(), target.get(ref.key).record) == []


def test_a_due_date_changes_header_and_lines(pair: Pair) -> None:
    target = pair.target("purchase_order")
    ref = target.create(FIRST, MARK)
    later = order(*FIRST.lines, freight=FIRST.freight, other=FIRST.other, due_date=date(2026, 12, 24))
    target.update(ref, later, MARK)
    assert pair.row("PorMasterHdr", PurchaseOrder=ref.key)["OrderDueDate"] == "2026-12-24"
    goods = [row for row in pair.rows("PorMasterDetail", PurchaseOrder=ref.key) if row["MStockCode"]]
    assert {row["MLatestDueDate"] for row in goods} == {"2026-12-24"}


def test_less_than_was_received_is_for_the_buyer(pair: Pair) -> None:
    target = pair.target("purchase_order")
    ref = target.create(FIRST, MARK)
    pair.act({"do": "receive_goods", "order": ref.key, "line": 1, "quantity": 40})
    posts = len(pair.posts("PORTOI"))
    with pytest.raises(NoLonger, match="has received 40"):
        target.update(ref, order(line("a", "39", "12.00")), MARK)
    with pytest.raises(NoLonger, match="received in part"):
        target.cancel(ref, "cancelled")
    assert len(pair.posts("PORTOI")) == posts
    less = order(line("a", "40", "12.00"), line("b", "30", "10.00", "10-6200"), freight=D("35.00"), other=D("4.00"))
    target.update(ref, less, MARK)
    assert target.differences(less, target.get(ref.key).record) == []


def test_a_printed_order_is_changed_only_where_the_policy_says_so(pair: Pair) -> None:
    ref = pair.target("purchase_order").create(FIRST, MARK)
    pair.act({"do": "print_order", "order": ref.key})
    changed = order(line("a", "90", "12.00"))
    with pytest.raises(NoLonger) as refused:
        pair.target("purchase_order").update(ref, changed, MARK)
    assert refused.value.code == "printed"
    target = pair.target("purchase_order", {"amend_printed": True})
    target.update(ref, changed, MARK)
    assert target.differences(changed, target.get(ref.key).record) == []


def test_a_cancelled_order_is_cancelled_once_and_takes_no_change(pair: Pair) -> None:
    target = pair.target("purchase_order")
    ref = target.create(FIRST, MARK)
    pair.fail("commit_then_status", status=502)
    with pytest.raises(OutcomeUnknown):
        target.cancel(ref, "cancelled")
    target.cancel(ref, "cancelled")
    assert len(pair.posts("PORTOI")) == 2
    found = target.get(ref.key)
    assert (found.state, found.record.status) == (DocumentState.ARCHIVED, OrderStatus.CANCELLED)
    with pytest.raises(NoLonger):
        target.update(ref, order(line("a", "1", "12.00")), MARK)
    assert only(target.find(FIRST, MARK)).state is DocumentState.ARCHIVED


def test_a_received_order_is_complete(pair: Pair) -> None:
    target = pair.target("purchase_order")
    record = order(line("a", "2", "12.00"))
    ref = target.create(record, MARK)
    pair.act({"do": "receive_goods", "order": ref.key, "line": 1, "quantity": 2})
    found = target.get(ref.key)
    assert (found.state, found.record.status) == (DocumentState.PAID, OrderStatus.CLOSED)
    assert target.update(ref, record, MARK) == ref
    with pytest.raises(NoLonger):
        target.update(ref, order(line("a", "3", "12.00")), MARK)

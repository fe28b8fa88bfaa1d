"""Purchase orders against the stand-in: the header, its lines in hundreds, and what P2P makes of both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine, Receipt
from ml_connector.domain.records import AccountType, CostCenter, GlAccount, Supplier
from ml_connector.systems.base import DocumentState, OutcomeUnknown, Refused, Transient

from .conftest import MARK, Met

HEADERS, LINES = "/v1/matchingOrders", "/v1/matchingOrderLines"
VENDOR = "RIL_V_ELC001"


def line(key: str, quantity: str = "10", price: str = "12.00", **changes: Any) -> PurchaseOrderLine:
    fields: dict[str, Any] = {
        "line_key": key,
        "number": key,
        "sku": f"SKU-{key}",
        "description": f"Part {key}",
        "unit": "EA",
        "quantity": Decimal(quantity),
        "unit_price": Decimal(price),
        "amount": Decimal(quantity) * Decimal(price),
        "account": "10-6100",
        "due_date": date(2026, 11, 18),
    }
    return PurchaseOrderLine(**{**fields, **changes})


def order(*lines: PurchaseOrderLine, **changes: Any) -> PurchaseOrder:
    fields: dict[str, Any] = {
        "number": "150",
        "supplier": VENDOR,
        "date": date(2026, 11, 4),
        "due_date": date(2026, 11, 18),
        "currency": "USD",
        "note": "Rush",
        "total": sum((one.amount for one in lines), Decimal(0)),
        "lines": lines,
    }
    return PurchaseOrder(**{**fields, **changes})


def ready(met: Met) -> Met:
    met.put("gl_account", GlAccount(code="10-6100", name="Components", type=AccountType.EXPENSE, postable=True))
    met.put("cost_center", CostCenter(code="WH1", name="Warehouse 1", dimension="analysis"))
    met.put("supplier", Supplier(code="ELC001", name="Electra Components Inc."))
    met.basware.clear_requests()
    return met


@pytest.fixture
def prepared(met: Met) -> Met:
    """A tenant with the account, the cost center and the vendor of the order."""
    return ready(met)


def lines_inside(met: Met) -> dict[str, dict[str, Any]]:
    return {row["lineNumber"]: row for row in met.inside("matchingOrderLines")}


@pytest.mark.parametrize("bare", [["matchingOrderLines"], ["matchingOrders"], []])
def test_an_order_is_there_with_all_its_lines_once_p2p_has_both(
    meet: Callable[..., Met], bare: list[str]
) -> None:  # R12
    met = ready(meet(bare_lists=bare))
    target = met.client.target("purchase_order", {})
    given = order(line("1", "100", cost_center="WH1"), line("2", "-3", "4.5"), line("3", kind=OrderLineKind.SERVICE))
    assert target.find(given, MARK) == []
    accepted = target.create(given, MARK)
    assert target.outcome(accepted.handle, given, MARK) is None
    ref = met.settled(target, accepted, given)
    assert ref is not None
    assert ref.key == "RIL_O_150" and ref.lines == ("RIL_L_150_1", "RIL_L_150_2", "RIL_L_150_3")
    (header,) = met.inside("matchingOrders")
    assert (header["orderNumber"], header["supplierCode"], header["isClosed"]) == ("150", "ELC001", False)
    assert [row["matchingMode"] for row in lines_inside(met).values()] == ["Standard", "Return", "Service"]
    (coding,) = lines_inside(met)["1"]["orderLineCoding"]
    assert (coding["accountCode"], coding["costCenterCode"]) == ("10-6100", "WH1")
    (found,) = target.find(given, MARK)
    assert (found.key, found.lines) == (ref.key, ref.lines)
    assert target.differences(given, found.record) == []


def test_lines_go_in_hundreds_and_are_read_back_page_by_page(prepared: Met) -> None:
    met = prepared
    target = met.client.target("purchase_order", {})
    given = order(*(line(str(number), "1", "1") for number in range(1, 251)))
    ref = met.settled(target, target.create(given, MARK), given)
    assert ref is not None and len(ref.lines) == 250
    assert len(met.calls("POST", LINES)) == 3
    met.basware.clear_requests()
    (found,) = target.find(given, MARK)
    assert target.differences(given, found.record) == []
    assert len(met.calls("GET", LINES)) == 3


def test_lines_of_an_order_whose_vendor_is_not_there_fail_and_go_once_it_is(met: Met) -> None:  # R12
    met.put("gl_account", GlAccount(code="10-6100", name="Components", type=AccountType.EXPENSE, postable=True))
    target = met.client.target("purchase_order", {})
    given = order(line("1"))
    with pytest.raises(Refused, match="Supplier ELC001 does not exist") as refused:
        met.settled(target, target.create(given, MARK), given)
    assert "order 150" in str(refused.value)
    assert target.find(given, MARK) == []
    met.put("supplier", Supplier(code="ELC001", name="Electra Components Inc."))
    assert met.settled(target, target.create(given, MARK), given) is not None
    assert list(lines_inside(met)) == ["1"]


def test_lines_that_failed_are_not_skipped_as_unchanged(meet: Callable[..., Met]) -> None:  # R12
    """Where Basware skips what did not change since it failed, a second try has to say something new."""
    met = meet(unchanged_after_error="skip")
    met.put("gl_account", GlAccount(code="10-6100", name="Components", type=AccountType.EXPENSE, postable=True))
    target = met.client.target("purchase_order", {})
    given = order(line("1"))
    with pytest.raises(Refused):
        met.settled(target, target.create(given, MARK), given)
    met.put("supplier", Supplier(code="ELC001", name="Electra Components Inc."))
    assert target.find(given, MARK) == []
    assert met.settled(target, target.create(given, MARK), given) is not None
    assert list(lines_inside(met)) == ["1"]


def test_one_wrong_line_is_the_orders_error_and_names_it(prepared: Met) -> None:  # R12
    met = prepared
    target = met.client.target("purchase_order", {})
    given = order(line("1"), line("2", account="99-9999"))
    with pytest.raises(Refused, match=r"Account 99-9999 does not exist.*RIL_L_150_2"):
        met.settled(target, target.create(given, MARK), given)


def test_a_changed_line_is_a_new_version_of_the_same_line(prepared: Met) -> None:  # R42
    met = prepared
    target = met.client.target("purchase_order", {})
    before = order(line("1", "64", "10.00"), line("2"))
    ref = met.settled(target, target.create(before, MARK), before)
    assert ref is not None
    met.basware.clear_requests()
    after = order(line("1", "66", "10.00"), line("2"))
    there = met.settled(target, target.update(ref, after, MARK), after)
    assert there == ref
    assert (lines_inside(met)["1"]["quantity"], lines_inside(met)["1"]["netSum"]) == (66, 660)
    assert not met.calls("POST", HEADERS)
    assert len(met.inside("matchingOrderLines")) == 2


def test_a_line_that_the_order_no_longer_has_is_marked_deleted(prepared: Met) -> None:  # R42
    met = prepared
    target = met.client.target("purchase_order", {})
    before = order(line("1"), line("2"))
    ref = met.settled(target, target.create(before, MARK), before)
    assert ref is not None
    after = order(line("1"))
    assert met.settled(target, target.update(ref, after, MARK), after) is not None
    assert {number: row["isDeleted"] for number, row in lines_inside(met).items()} == {"1": False, "2": True}


def test_a_cancelled_order_is_closed_and_its_lines_are_deleted(prepared: Met) -> None:
    met = prepared
    target = met.client.target("purchase_order", {})
    given = order(line("1"), line("2"))
    ref = met.settled(target, target.create(given, MARK), given)
    assert ref is not None
    cancelled = msgspec.structs.replace(given, status=OrderStatus.CANCELLED)
    assert met.settled(target, target.update(ref, cancelled, MARK), cancelled) is not None
    (header,) = met.inside("matchingOrders")
    assert header["isClosed"] is True
    assert [row["isDeleted"] for row in lines_inside(met).values()] == [True, True]
    assert target.get(ref.key).state is DocumentState.ARCHIVED
    assert target.cancel(ref, "cancelled") is None


def test_receipts_stand_in_their_lines_where_matching_wants_them(meet: Callable[..., Met]) -> None:
    met = ready(meet({"receipt_matching": True}))
    target = met.client.target("purchase_order", {})
    receipt = Receipt(
        receipt_key="GRN1", order_line="1", quantity=Decimal(40), date=date(2026, 11, 12), delivery_note="DN 7"
    )
    given = order(line("1", "100", receipts=(receipt,)))
    assert met.settled(target, target.create(given, MARK), given) is not None
    (held,) = lines_inside(met)["1"]["goodsReceipts"]
    assert (held["goodsReceiptNumber"], held["quantity"], held["deliveryNoteNumber"]) == ("GRN1", 40, "DN 7")
    (found,) = target.find(given, MARK)
    assert target.differences(given, found.record) == []


@pytest.mark.parametrize("path", [HEADERS, LINES])
def test_an_order_whose_answer_was_lost_is_found_or_sent_whole_and_is_there_once(
    prepared: Met, path: str
) -> None:  # R3
    met = prepared
    target = met.client.target("purchase_order", {})
    given = order(line("1"), line("2"))
    met.basware.faults([{"match": {"method": "POST", "path": path}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        target.create(given, MARK)
    with pytest.raises(Transient):
        target.find(given, MARK)
    met.wait()
    found = target.find(given, MARK)
    if path == HEADERS:
        assert found == []
        assert met.settled(target, target.create(given, MARK), given) is not None
    else:
        assert [one.key for one in found] == ["RIL_O_150"]
    assert list(lines_inside(met)) == ["1", "2"]
    assert len(met.inside("matchingOrders")) == 1

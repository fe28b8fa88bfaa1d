"""Purchase orders: the header, then the lines, decided together; over real HTTP."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.domain.orders import OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.systems.base import Accepted, DocumentState, NotFound, OutcomeUnknown, Ref, Refused, Transient

from .conftest import NOW
from .site import Reply, echo, status

HEADERS, LINES = "/v1/matchingOrders", "/v1/matchingOrderLines"
ORDER = "100_O_150"
MARK = "mlc0000000001"


def line(key: str, quantity: str = "10", **changes: Any) -> PurchaseOrderLine:
    fields = {
        "line_key": key,
        "number": key,
        "description": f"Part {key}",
        "quantity": Decimal(quantity),
        "unit_price": Decimal("12.00"),
        "amount": Decimal(quantity) * 12,
        "account": "6100",
    }
    return PurchaseOrderLine(**{**fields, **changes})


def order(*lines: PurchaseOrderLine, **changes: Any) -> PurchaseOrder:
    fields = {
        "number": "150",
        "supplier": "100_V_ELC001",
        "date": date(2026, 11, 2),
        "currency": "USD",
        "total": sum((one.amount for one in lines), Decimal(0)),
        "lines": lines,
    }
    return PurchaseOrder(**{**fields, **changes})


@pytest.fixture
def target(p2p):
    p2p.site.on("POST", HEADERS, echo)
    p2p.site.on("POST", LINES, echo)
    return p2p.client.target("purchase_order", {})


def held(p2p, target, value: PurchaseOrder, lines: int | None = None) -> list[Any]:
    """Has the site hold an order as it would be sent, or its first `lines` lines."""
    wanted = target._wanted(value)
    header, bodies = json.loads(json.dumps([wanted.header, wanted.lines], default=float))
    p2p.site.on("GET", f"{HEADERS}/{ORDER}", Reply(200, {**header, "lastUpdated": "2026-11-15T10:00:00Z"}))
    p2p.site.on("GET", LINES, Reply(200, bodies[:lines]) if bodies[:lines] else Reply(404))
    return bodies


def sent(p2p) -> tuple[list[Any], list[Any]]:
    """Headers, and lines by request."""
    headers = [body for one in p2p.site.calls("POST", HEADERS) for body in one.json]
    return headers, [one.json for one in p2p.site.calls("POST", LINES)]


def test_the_header_goes_first_and_names_supplier_and_company(p2p, target):
    accepted = target.create(order(line("1"), line("2")), MARK)
    assert p2p.site.writes() == [("POST", HEADERS), ("POST", LINES)]
    (header,), (lines,) = sent(p2p)
    assert {
        name: header[name] for name in ("orderNumber", "sourceSystem", "companyCode", "organizationElementCode")
    } == {
        "orderNumber": "150",
        "sourceSystem": "SYSPRO",
        "companyCode": "100",
        "organizationElementCode": "FINANCE",
    }
    assert header["supplierCode"] == "ELC001"
    assert [(one["externalCode"], one["orderExternalCode"]) for one in lines] == [
        ("100_L_150_1", ORDER),
        ("100_L_150_2", ORDER),
    ]
    assert accepted == Accepted(f"request-2 request-3|{ORDER}")


def test_lines_go_in_hundreds(p2p, target):
    target.create(order(*(line(str(number)) for number in range(1, 252))), MARK)
    assert [len(group) for group in sent(p2p)[1]] == [100, 100, 51]


def test_an_order_of_many_hundred_lines_is_decided_by_its_records(p2p, target):
    long = {"x-amzn-RequestId": "0b6c7f2e-6a1e-4f6c-8a55-0f8f2a3d9b10"}
    for path in (HEADERS, LINES):
        p2p.site.on("POST", path, lambda request: Reply(200, request.json, long))
    value = order(*(line(str(number)) for number in range(1, 602)))
    accepted = target.create(value, MARK)
    assert len(accepted.handle) <= 200
    names = dict.fromkeys(("100_O_150", *(f"100_L_150_{number}" for number in range(1, 602))), "Success")
    done = Reply(404)

    def told(request):
        return done if request.query["status"] == "Success" else Reply(404)

    p2p.site.on("GET", "/v1/requestStatus", told)
    assert target.outcome(accepted.handle, value, MARK) is None
    done = status("x", names)
    assert target.outcome(accepted.handle, value, MARK).key == ORDER
    wrong = {"externalCode": "100_L_150_601", "errors": ["Unknown unit"]}
    p2p.site.on("GET", "/v1/errorFeedbacks", Reply(200, {"errorList": [wrong]}))
    with pytest.raises(Refused, match="100_L_150_601"):
        target.outcome(accepted.handle, value, MARK)


def test_a_vendor_under_a_foreign_key_is_looked_up_for_its_code(p2p, target):
    p2p.site.on("GET", "/v1/vendors/7f1b", Reply(200, {"externalCode": "7f1b", "vendorCode": "ELC-9", "name": "E"}))
    for _ in range(2):
        target.create(order(line("1"), supplier="7f1b"), MARK)
    assert {one["supplierCode"] for one in sent(p2p)[0]} == {"ELC-9"}
    assert len(p2p.site.calls("GET", "/v1/vendors/7f1b")) == 1
    with pytest.raises(NotFound, match="vendor"):
        target.create(order(line("1"), supplier="8a2c"), MARK)


def test_a_preview_knows_the_vendors_that_it_foresees(p2p, target, make_supplier):
    p2p.client.target("supplier", {}).foresee("mlc0000000002", make_supplier("NEW001"))
    target.create(order(line("1"), supplier="mlc0000000002"), MARK)
    assert sent(p2p)[0][0]["supplierCode"] == "NEW001"


def test_a_line_that_basware_would_not_take_keeps_the_whole_order_back(p2p, target):  # R31
    with pytest.raises(Refused, match="line 2") as refused:
        target.create(order(line("1"), line("2", unit="U" * 26)), MARK)
    assert refused.value.field == "unit" and p2p.site.seen == []


# --- decided ---


def statuses(p2p, header: Any = "Success", lines: dict[str, Any] | None = None, overall: str = "Success") -> None:
    told = {"request-h": ({ORDER: header}, "MatchingOrder"), "request-l": (lines or {}, "MatchingOrderLine")}
    for request_id, (items, entity) in told.items():
        p2p.site.on("GET", f"/v1/requestStatus/{request_id}", status(request_id, items, overall, entity))


VALUE = order(line("1"), line("2"))
HANDLE = f"request-h request-l|{ORDER}"


def test_an_order_counts_only_with_all_its_lines(p2p, target):  # R12
    statuses(p2p, lines={"100_L_150_1": "Success", "100_L_150_2": "InProgress"}, overall="InProgress")
    assert target.outcome(HANDLE, VALUE, MARK) is None
    p2p.wait(NOW + timedelta(seconds=10))
    statuses(p2p, lines={"100_L_150_1": "Success", "100_L_150_2": "Success"})
    assert target.outcome(HANDLE, VALUE, MARK) == Ref(ORDER, ("100_L_150_1", "100_L_150_2"))


def test_the_error_of_a_line_is_the_orders(p2p, target):  # R12
    error = {
        "status": "Error",
        "errors": [{"type": "Error", "message": "Vendor ELC001 unknown", "category": "DataValidation"}],
    }
    statuses(p2p, lines={"100_L_150_1": error, "100_L_150_2": "Success"}, overall="Error")
    with pytest.raises(Refused, match="Vendor ELC001 unknown"):
        target.outcome(HANDLE, VALUE, MARK)


def test_the_error_of_the_header_is_told_before_its_lines_are_asked_for(p2p, target):
    error = {
        "status": "Error",
        "errors": [{"type": "Error", "message": "Unknown company", "category": "DataValidation"}],
    }
    statuses(p2p, header=error, overall="Error")
    with pytest.raises(Refused, match="Unknown company"):
        target.outcome(HANDLE, VALUE, MARK)
    assert p2p.site.calls("GET", "/v1/requestStatus/request-l") == []


def test_skipped_lines_of_which_one_failed_before_send_the_order_again(p2p, target):  # R12
    statuses(p2p, lines={"100_L_150_1": "NotProcessed", "100_L_150_2": "NotProcessed"})
    assert target.outcome(HANDLE, VALUE, MARK) is not None
    failed = {"externalCode": "100_L_150_2", "errors": ["Vendor ELC001 unknown"]}
    p2p.site.on("GET", "/v1/errorFeedbacks", Reply(200, {"errorList": [failed]}))
    with pytest.raises(Transient):
        target.outcome(HANDLE, VALUE, MARK)


# --- found again ---


def test_an_order_is_found_under_its_key_with_its_lines(p2p, target):  # R3
    assert target.find(VALUE, MARK) == []
    held(p2p, target, VALUE)
    (found,) = target.find(VALUE, MARK)
    assert (found.key, found.lines) == (ORDER, ("100_L_150_1", "100_L_150_2"))
    assert target.differences(VALUE, found.record) == []
    assert target.identity_differences(msgspec.structs.replace(VALUE, currency="EUR"), found.record) == ["currency"]
    changed = order(line("1", "11"), line("2"))
    assert target.differences(changed, found.record) == ["lines"]


def test_an_order_whose_lines_never_came_is_not_found_and_all_lines_are_sent(p2p, target):  # R3, R9
    p2p.site.on("POST", LINES, None, echo)
    with pytest.raises(OutcomeUnknown):
        target.create(VALUE, MARK)
    held(p2p, target, VALUE, lines=0)
    assert target.find(VALUE, MARK) == []
    held(p2p, target, VALUE, lines=1)
    assert target.find(VALUE, MARK) == []
    target.create(VALUE, MARK)
    assert [len(group) for group in sent(p2p)[1]] == [2, 2]
    assert len(p2p.site.calls("POST", HEADERS)) == 1, "its header is there already"


def test_an_order_that_is_being_handled_is_not_found_yet(p2p, target):  # R4
    held(p2p, target, VALUE)
    answers = [Reply(404), status("x", {"100_L_150_2": "InProgress"}, "InProgress")]
    p2p.site.on("GET", "/v1/requestStatus", *answers)
    with pytest.raises(Transient, match="order 150"):
        target.find(VALUE, MARK)


def test_an_order_that_p2p_did_not_take_is_sent_again_with_a_change_in_each_line(p2p, target):  # R12
    held(p2p, target, VALUE)
    failed = {"externalCode": "100_L_150_2", "errors": ["Vendor ELC001 unknown"]}
    p2p.site.on("GET", "/v1/errorFeedbacks", Reply(200, {"errorList": [failed]}))
    assert target.find(VALUE, MARK) == []
    target.create(VALUE, MARK)
    (header,), (lines,) = sent(p2p)
    assert all(body["text10"].startswith("sent again") for body in [header, *lines])


def test_an_order_without_a_field_to_change_waits_for_people(connect):  # R12
    opened = connect({"touch_fields": {"order": "", "order_line": ""}})
    target = opened.client.target("purchase_order", {})
    held(opened, target, VALUE)
    failed = {"externalCode": "100_L_150_2", "errors": ["Vendor ELC001 unknown"]}
    opened.site.on("GET", "/v1/errorFeedbacks", Reply(200, {"errorList": [failed]}))
    assert target.find(VALUE, MARK) == []
    with pytest.raises(Refused, match="touch_fields"):
        target.create(VALUE, MARK)
    for path in (HEADERS, LINES):
        opened.site.on("POST", path, echo)
    target.create(order(line("1"), line("2", "11")), MARK)
    assert sent(opened)[1][0][1]["quantity"] == 11


# --- changed ---


def test_a_changed_line_keeps_its_key_and_the_header_stays(p2p, target):  # R42
    held(p2p, target, VALUE)
    accepted = target.update(Ref(ORDER), order(line("1", "66"), line("2")), MARK)
    headers, (lines,) = sent(p2p)
    assert headers == [] and [one["externalCode"] for one in lines] == ["100_L_150_1", "100_L_150_2"]
    assert lines[0]["quantity"] == 66 and "text10" not in lines[0]
    request = accepted.handle.removeprefix("= ").partition("|")[0]
    items = {"100_L_150_1": "Success", "100_L_150_2": "NotProcessed"}
    p2p.site.on("GET", f"/v1/requestStatus/{request}", status(request, items))
    assert target.outcome(accepted.handle, VALUE, MARK) is not None


def test_a_closed_order_changes_its_header(p2p, target):
    held(p2p, target, VALUE)
    target.update(Ref(ORDER), msgspec.structs.replace(VALUE, status=OrderStatus.CLOSED), MARK)
    (header,), (lines,) = sent(p2p)
    assert header["isClosed"] is True and all(one["isClosed"] for one in lines)


def test_a_line_that_the_order_no_longer_has_is_marked_deleted(p2p, target):  # R42
    held(p2p, target, VALUE)
    target.update(Ref(ORDER), order(line("2", "0"), line("3")), MARK)
    (lines,) = sent(p2p)[1]
    assert [(one["externalCode"], one["isDeleted"], one["quantity"]) for one in lines] == [
        ("100_L_150_3", False, 10),
        ("100_L_150_1", True, 10),
        ("100_L_150_2", True, 10),
    ]


def test_the_outcome_of_a_deleted_line_counts_too(p2p, target):  # R12
    error = {
        "status": "Error",
        "errors": [{"type": "Error", "message": "Already invoiced", "category": "DataValidation"}],
    }
    items = {"100_L_150_1": "Success", "100_L_150_2": "Success", "100_L_150_9": error}
    statuses(p2p, lines=items, overall="Error")
    with pytest.raises(Refused, match="Already invoiced"):
        target.outcome(f"= request-l|{ORDER}", VALUE, MARK)


def test_the_same_order_again_is_sent_with_a_change(p2p, target):  # R12
    held(p2p, target, VALUE)
    target.update(Ref(ORDER), VALUE, MARK)
    (header,), (lines,) = sent(p2p)
    assert all("text10" in body for body in [header, *lines])


def test_a_cancelled_order_is_closed_and_its_lines_are_deleted(p2p, target):
    bodies = held(p2p, target, VALUE)
    assert isinstance(target.cancel(Ref(ORDER), "cancelled"), Accepted)
    (header,), (lines,) = sent(p2p)
    assert header["isClosed"] is True and "lastUpdated" not in header
    assert [one["isDeleted"] for one in lines] == [True, True]
    p2p.site.on("GET", f"{HEADERS}/{ORDER}", Reply(200, header))
    p2p.site.on("GET", LINES, Reply(200, {"matchingOrderLines": [{**one, "isDeleted": True} for one in bodies]}))
    assert target.cancel(Ref(ORDER), "cancelled") is None
    assert target.get(ORDER).state is DocumentState.ARCHIVED


def test_an_order_that_is_gone_is_told(p2p, target):
    for act in (lambda: target.update(Ref(ORDER), VALUE, MARK), lambda: target.cancel(Ref(ORDER), "x")):
        with pytest.raises(NotFound):
            act()
    assert target.get(ORDER) is None

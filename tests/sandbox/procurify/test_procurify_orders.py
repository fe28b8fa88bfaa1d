"""Requisitions, orders with their versions, lines and receipts."""

from decimal import Decimal

import pytest
from tests.sandbox.procurify.conftest import errors, revision

from ml_connector.sandbox import BadInput

D = Decimal
LISTED = "/api/v2/purchase_orders"
REVISED = "/api/v3/purchase-orders"
RECEIPTS = "/api/v3/receipt/items/"
REQUISITIONS = "/api/v3/requisitions/"
LINE = {"item_name": "Relays", "vendor_name": "Pakko Packaging LLC", "account_code": "10-6100", "unit": "EA"}
LINE |= {"unit_price": "1.50", "quantity": "2", "currency_code": "USD", "custom_fields": []}
WISH = {"required_date": "2026-12-01", "location_name": "Chicago", "department_name": "Operations"}


@pytest.fixture
def pending(api):
    """The number of a requisition that waits for approval."""
    api.taken("POST", REQUISITIONS, {**WISH, "line_items": [LINE, {**LINE, "item_name": "Fuses"}]})
    (row,) = api.rows("/api/v2/global/orders/")
    return row["num"]


def line_rows(order):
    return [(line["id"], line["quantity"], line["price"], line["is_active"]) for line in order["order_items"]]


def test_a_requisition_becomes_an_order_when_it_was_approved_and_purchased(api, pending):
    (row,) = api.rows("/api/v2/global/orders/", status=0)
    assert (row["totalPrice"], row["item_count"], row["dateRequired"]) == ("6.00", 2, "2026-12-01T00:00:00Z")
    assert len(api.rows(f"{LISTED}/purchased/all/")) == 3
    with pytest.raises(BadInput, match="has status 0, not 1"):
        api.do("purchase", requisition=pending)
    api.do("approve_requisition", requisition=pending)
    api.do("purchase", requisition=pending, number="PF160")
    order = api.order("PF160")
    assert (order["state"], order["version"], order["total"], order["pref_vendor"]["id"]) == (0, 1, "6.00", 4)
    assert [(line["orderNum"], line["approved_quantity"]) for line in order["order_items"]] == [(pending, D("2.0"))] * 2
    (row,) = api.rows("/api/v2/global/orders/", status=3)
    assert row["purchasedCount"] == 2
    assert order["order_items"][0]["order_uuid"] == row["uuid"]


def test_a_denied_requisition_makes_no_order(api, pending):
    api.do("deny_requisition", requisition=pending)
    with pytest.raises(BadInput, match="has status 2"):
        api.do("approve_requisition", requisition=pending)
    assert {item["status"] for item in api.rows("/api/v3/order-items/", orderNum=pending)} == {7}


@pytest.mark.parametrize(
    ("wish", "line", "expected"),
    [
        ({"location_name": "Mars"}, {}, {"location_name": "DOES_NOT_EXIST"}),
        ({}, {"vendor_name": "Nobody"}, {"line_items.0.vendor_name": "DOES_NOT_EXIST"}),
        ({}, {"account_code": "1"}, {"line_items.0.account_code": "DOES_NOT_EXIST"}),
        ({"department_name": "R&D"}, {}, {"line_items.0.account_code": "DOES_NOT_EXIST"}),
        ({}, {"quantity": "0"}, {"line_items.0.quantity": "INVALID"}),
        ({}, {"quantity": 2}, {"line_items.0.quantity": "INVALID"}),
        ({}, {"unit_price": "1.123456789"}, {"line_items.0.unit_price": "INVALID"}),
        ({"required_date": "2026-13-01"}, {}, {"required_date": "INVALID"}),
    ],
)
def test_a_requisition_names_what_exists(api, wish, line, expected):
    body = {**WISH, **wish, "line_items": [{**LINE, **line}]}
    assert errors(api.call("POST", REQUISITIONS, body)) == expected
    assert api.stand_in.state("requisitions") == []


def test_the_list_has_no_lines_and_the_detail_has(api):
    (row,) = [row for row in api.rows(f"{LISTED}/purchased/all/") if row["number"] == "PF150"]
    assert "order_items" not in row
    assert (row["shipping_method"], row["subtotal"], row["total"], row["item_count"]) == (
        "Ground",
        "1500.00",
        "1500.00",
        2,
    )
    order = api.order("PF150")
    assert order["shipping_method"] == {"id": 1, "name": "Ground", "description": "", "active": True}
    assert [(line["quantity"], line["price"], line["total_cost"]) for line in order["order_items"]] == [
        (D("100.0"), "12.00000000", "1200.00"),
        (D("30.0"), "10.00000000", "300.00"),
    ]
    uuid = order["uuid"]
    for key in (uuid, uuid.replace("-", ""), order["procurify_PO"]):
        assert api.one(f"{LISTED}/{key}/")["number"] == "PF150"
    assert api.get(f"{LISTED}/99/").status_code == 404


def test_lines_look_otherwise_in_their_own_list(api):
    rows = api.rows("/api/v3/order-items/")
    assert rows == api.rows("/api/v2/global/order_items/")
    assert (rows[0]["quantity"], rows[0]["pref_vendor"], rows[0]["currency"], rows[0]["account"]) == (
        *("100.00000", 2, 1),
        2,
    )
    assert [row["name"] for row in api.rows("/api/v3/order-items/", po_created_date_0="2026-11-06")] == [
        "Haulage Newark"
    ]


def test_roles_and_states_of_the_list(api):  # R42
    api.do("receive", order="PF150", line=1, quantity=40)
    api.do("close_order", order="PF151")
    api.do("cancel_order", order="PF152")
    for role, status, expected in (
        *(("purchased", "all", ["PF152", "PF151", "PF150"]), ("purchased", "open", []), ("purchased", "paid", [])),
        *(("purchased", "partial", ["PF150"]), ("purchased", "closed", ["PF151"])),
        *(("purchased", "cancelled", ["PF152"]), ("receivable", "all", ["PF150"])),
    ):
        body = api.answer(f"{LISTED}/{role}/{status}/")
        assert [row["number"] for row in body["data"]] == expected, (role, status)
    counts = {"all": 3, "open": 0, "partial": 1, "closed": 1, "cancelled": 1, "page": 0}
    assert body["metadata"]["counts"]["purchased"] == {**counts, "page": 1}
    assert api.get(f"{LISTED}/approved/all/").status_code == 404
    assert api.get(f"{LISTED}/purchased/nothing/").status_code == 404


def test_an_edit_after_approval_raises_the_version_and_keeps_the_lines(api):  # R42
    before = api.order("PF151")
    api.stand_in.clock(advance=60)
    api.do("edit_order", order="PF151", lines=[{"line": 1, "quantity": 66}])
    after = api.order("PF151")
    assert (after["version"], after["total"], after["last_modified"]) == (2, "660.00", "2026-11-16T12:01:00Z")
    assert [line["id"] for line in after["order_items"]] == [line["id"] for line in before["order_items"]]
    api.do("add_line", order="PF151", name="Inserts", account="10-6200", quantity=2, price="5")
    api.do("cancel_line", order="PF151", line=1)
    order = api.order("PF151")
    assert (order["version"], order["total"]) == (4, "10.00")
    assert [(line["PO_line_num"], line["status"], line["is_active"]) for line in order["order_items"]] == [
        (1, 4, False),
        (2, 2, True),
    ]


def test_states_of_an_order(api):
    for do, state in (("close_order", 3), ("reopen_order", 5), ("pay_order", 4)):
        api.do(do, order="PF151")
        assert api.order("PF151")["state"] == state
    with pytest.raises(BadInput, match="order PF151 is in state 4"):
        api.do("cancel_order", order="PF151")
    api.do("cancel_order", order="PF152")
    with pytest.raises(BadInput, match="not open"):
        api.do("edit_order", order="PF152", lines=[{"line": 1, "quantity": 3}])


def test_a_revision_needs_the_version_that_it_was_read_with(api):
    body = revision(api.order("PF151"))
    body["order_items"][0] |= {"quantity": "66", "price": "9.5"}
    answer = api.taken("PUT", f"{REVISED}/2/", {**body, "PO_Num": "X-1"})
    assert (answer["version"], answer["PO_Num"], answer["order_items"][0]["quantity"]) == (2, "X-1", "66.00000")
    assert api.order("PF151")["total"] == "627.00"
    assert errors(api.call("PUT", f"{REVISED}/2/", body)) == {"version": "STALE"}
    whole = api.taken("PUT", "/api/v2/purchase_order/revise/2/", {**body, "version": 2, "order_items": []})
    assert line_rows(whole) == [(3, D("66.0"), "9.50000000", False)]
    assert (whole["version"], whole["total"]) == (3, "0.00")


def test_what_a_revision_may_not_say(api):
    body = revision(api.order("PF150"))
    api.do("receive", order="PF150", line=1, quantity=40)
    lines = [{**body["order_items"][0], "quantity": "39"}, {**body["order_items"][1], "id": 3}]
    wrong = {**body, "order_items": lines, "tax": {"value": "x"}, "buyer_address": 9}
    assert errors(api.call("PUT", f"{REVISED}/1/", wrong)) == {
        "order_items.0.quantity": "INVALID",
        "order_items.1.id": "DOES_NOT_EXIST",
        "tax": "INVALID",
        "buyer_address": "DOES_NOT_EXIST",
    }
    assert "version" in errors(api.call("PUT", f"{REVISED}/1/", {}))
    api.do("cancel_order", order="PF152")
    assert errors(api.call("PUT", f"{REVISED}/3/", revision(api.order("PF152")))) == {"state": "NOT_EDITABLE"}
    assert api.order("PF150")["version"] == 1


def test_taxes_charges_and_discounts_of_an_order_add_up(api):  # R22
    fields = {"freight": "12.5", "other": 3, "tax": {"value": 8, "type": "percentage"}}
    fields |= {"discount": {"value": "10.25", "type": "amount"}}
    api.do("edit_order", order="PF150", fields=fields)
    order = api.order("PF150")
    assert (order["subtotal"], order["total"]) == ("1500.00", "1625.25")
    assert (order["freight"], order["tax"], order["discount"]) == (
        "12.500000",
        {"value": D("8.0"), "type": "percentage"},
        {"value": D("10.25"), "type": "amount"},
    )


def test_an_order_is_closed_and_reopened(api):
    closed = api.taken("POST", f"{REVISED}/2/close/")
    assert (closed["state"], closed["total_amount"], closed["currency"]) == (3, "640.00", "USD")
    assert errors(api.call("POST", f"{REVISED}/2/close/")) == {"state": "NOT_OPEN"}
    reply = api.call("POST", f"{REVISED}/2/reopen/")
    assert (reply.status_code, reply.content) == (200, b"")
    assert errors(api.call("POST", f"{REVISED}/2/reopen/")) == {"state": "NOT_CLOSED"}
    assert api.call("POST", f"{REVISED}/9/close/").status_code == 404


def test_goods_come_in_and_go_back(api):  # R44
    row = api.call("POST", RECEIPTS, {"order_item": 1, "pass_quantity": "40", "fail_quantity": "2.5"})
    assert (row.status_code, row.json()["total_quantity"]) == (201, "42.50000")
    order = api.order("PF150")
    assert (order["fulfilment_status"], order["order_items"][0]["receivedPassQty"]) == ("partial", D("40.0"))
    api.do("receive", order="PF150", line=1, quantity=60)
    api.do("receive", order="PF150", line=2, quantity=30)
    assert api.order("PF150")["fulfilment_status"] == "full"
    assert [row["pass_quantity"] for row in api.rows(RECEIPTS, order_item=1)] == ["40.00000", "60.00000"]
    back = {"order_item": 1, "pass_quantity": "-101", "fail_quantity": "0"}
    assert errors(api.call("POST", RECEIPTS, back)) == {"pass_quantity": "INVALID"}
    assert errors(api.call("POST", RECEIPTS, {**back, "order_item": 99})) == {"order_item": "DOES_NOT_EXIST"}
    api.do("cancel_order", order="PF152")
    assert errors(api.call("POST", RECEIPTS, {**back, "order_item": 4})) == {"order_item": "NOT_RECEIVABLE"}
    history = {row["number"]: row["items"] for row in api.rows(f"{REVISED}/billing-history/")}
    assert history["PF150"][0] == {"id": 1, "billed_qty": "100.00000000", "received_qty": "100.00000"}

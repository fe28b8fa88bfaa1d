"""Bills and their states, sums, marking as paid, and payments."""

from decimal import Decimal

import pytest
from tests.sandbox.procurify.conftest import errors

from ml_connector.sandbox import BadInput

D = Decimal
BILLS = "/api/v3/ap/bills/"
MARK = "/api/v3/ap/bills/mark-as-paid/"
PAYMENTS = "/api/public/v1/payments/"


def mark(api, *uuids, **more):
    return api.call("POST", MARK, {"bill_uuids": list(uuids), "payment_date": "2026-11-20", **more})


def test_rows_of_the_list_have_the_keys_of_their_items_and_json_numbers(api):
    (row,) = [row for row in api.rows(BILLS) if row["invoice_number"] == "ELC-1001"]
    assert (row["items"], row["invoice_total"], row["status"], row["type"]) == ([1, 2], D("1620.0"), 2, 0)
    assert row["vendor"] == {"id": 2, "name": "Electra Components Inc."}
    assert row["currency"] == {"id": 1, "name": "USD", "rate": "1.000000"}


def test_one_bill_has_its_lines_their_orders_and_their_coding(api):  # R43
    bill = api.bill("PK-500")
    (item,) = bill["items"]
    assert (item["quantity"], item["unit_cost"], item["total_cost"]) == ("64.00000000", D("10.0"), D("640.0"))
    assert (item["po"]["number"], item["orderitem"]["id"]) == ("PF151", 3)
    (coded,) = item["cost_allocations"]
    assert (coded["amount"], coded["budget"]["account_code"]["code"]) == ("640.00000000", "10-6200")
    assert coded["budget"]["department"]["name"] == "Operations"
    (cost,) = bill["costs"]
    budget = cost["cost_allocation"]["budget"]
    assert (cost["amount"], budget["account_code"]["code"]) == ("35.00000000", "10-6300")
    assert bill["added_purchase_orders"] == [{"id": 2, "number": "PF151", "currency": "USD", "total_amount": "640.00"}]
    assert (bill["subtotal_cost"], bill["total_cost"], bill["invoice_total"]) == (D("640.0"), D("675.0"), D("675.0"))
    assert api.bill("HU-2201")["items"][0]["orderitem"] is None


def test_the_sums_of_a_bill(api):  # R22
    items = [
        {"account": "10-6100", "quantity": 3, "unit_cost": "33.335", "tax_amount": "7.00", "shipping_amount": "4.99"},
        {"account": "10-6200", "unit_cost": "107.00", "tax_amount": "7.00", "tax_is_inclusive": True},
    ]
    costs = [{"name": "Freight", "amount": "12.50", "account": "10-6300"}]
    api.do("enter_bill", invoice="S-1", vendor="NOR002", currency="EUR", items=items, costs=costs)
    bill = api.bill("S-1")
    assert {
        name: bill[name] for name in bill if ("cost" in name and name not in {"costs"}) or "tax_amount" in name
    } == {
        "subtotal_cost": D("200.01"),
        "total_cost": D("212.51"),
        "total_cost_with_tax": D("226.51"),
        "converted_total_cost": D("229.51"),
        "tax_amount": D("14.0"),
        "inclusive_tax_amount": D("7.0"),
        "exclusive_tax_amount": D("7.0"),
    }
    assert (bill["shipping_amount"], bill["invoice_total"]) == (D("4.99"), D("231.50"))
    assert bill["items"][1]["cost_allocations"][0]["amount"] == "100.00000000"


def test_allocations_must_come_to_the_item(api):  # R22
    split = [{"account": "10-6100", "amount": "6"}, {"account": "10-6200", "department": "R&D", "amount": "4"}]
    api.do("enter_bill", invoice="A-1", vendor=2, items=[{"unit_cost": 10, "allocations": split}])
    coded = api.bill("A-1")["items"][0]["cost_allocations"]
    assert [(one["amount"], one["budget"]["department"]["name"]) for one in coded] == [
        ("6.00000000", "Operations"),
        ("4.00000000", "R&D"),
    ]
    with pytest.raises(BadInput, match="allocations come to 10, the item to 11"):
        api.do("enter_bill", invoice="A-2", vendor=2, items=[{"unit_cost": 11, "allocations": split}])


def test_a_bill_goes_from_draft_to_approved_and_back_out(api):
    api.do("enter_bill", invoice="L-1", vendor="Pakko Packaging LLC", items=[{"account": "10-6200", "unit_cost": 5}])
    for do, status in (
        *(("submit_bill", 1), ("deny_bill", 3), ("submit_bill", 1), ("approve_bill", 2), ("withdraw_bill", 5)),
        *(("submit_bill", 1), ("approve_bill", 2)),
    ):
        api.stand_in.clock(advance=1)
        api.do(do, invoice="L-1")
        assert api.bill("L-1")["status"] == status
    bill = api.bill("L-1")
    assert [one["status"] for one in bill["bill_statuses"]] == [0, 1, 3, 1, 2, 5, 1, 2]
    assert (bill["last_modified_datetime"], bill["locked"]) == ("2026-11-16T12:00:07Z", True)
    with pytest.raises(BadInput, match="bill L-1 has status 2"):
        api.do("approve_bill", invoice="L-1")


def test_an_edit_after_approval_raises_the_version(api):
    api.do("edit_bill", invoice="ELC-1002", fields={"due_date": "2026-12-18T00:00:00Z"})
    bill = api.bill("ELC-1002")
    assert (bill["version"], bill["due_date"], bill["status"]) == (2, "2026-12-18T00:00:00Z", 2)
    assert bill["last_modified_datetime"] == "2026-11-16T12:00:00Z"
    api.do("edit_bill", invoice="ELC-1002", fields={"items": [{"account": "10-6100", "unit_cost": "1"}]})
    assert (api.bill("ELC-1002")["invoice_total"], api.bill("ELC-1002")["version"]) == (D("1.0"), 3)


def test_a_negative_bill_is_a_credit(api):  # R26
    bill = api.bill("PK-501")
    assert (bill["invoice_total"], bill["items"][0]["cost_allocations"][0]["amount"]) == (D("-75.0"), "-75.00000000")
    assert bill["note"] == "Credit note on PK-500"


def test_an_approved_bill_without_a_payment_is_marked_as_paid_once(api):
    uuid = api.bill("PK-500")["uuid"]
    reply = mark(api, uuid)
    assert (reply.status_code, reply.json()) == (
        200,
        {"bill_uuids": [uuid], "bill_group_ids": [], "payment_date": "2026-11-20"},
    )
    bill = api.bill("PK-500")
    assert (bill["status"], bill["bill_payment"]["payment"]["payment_date"]) == (4, "2026-11-20")
    (payment,) = api.rows(PAYMENTS, invoice_number="PK-500")
    assert (payment["amount"], payment["status"], payment["bill_groups"]) == ("675.00", "paid", [bill["group"]])
    assert errors(mark(api, uuid)) == {"bill_uuids.0": "NOT_PAYABLE"}
    assert len(api.rows(PAYMENTS)) == 1


def test_of_several_bills_none_is_marked_when_one_is_wrong_or_only_the_right_ones(api):
    good, other = api.bill("PK-500")["uuid"], api.bill("TF-90")["uuid"]
    api.do("withdraw_bill", invoice="TF-90")
    assert errors(mark(api, good, other, "0" * 32)) == {
        "bill_uuids.1": "NOT_PAYABLE",
        "bill_uuids.2": "DOES_NOT_EXIST",
    }
    assert api.bill("PK-500")["status"] == 2
    api.stand_in.options({"mark_as_paid": "each"})
    assert mark(api, good.replace("-", ""), other).status_code == 200
    assert (api.bill("PK-500")["status"], api.bill("TF-90")["status"]) == (4, 5)


def test_what_marking_as_paid_needs(api):
    uuid = api.bill("PK-500")["uuid"]
    assert errors(mark(api)) == {"bill_uuids": "REQUIRED"}
    assert errors(mark(api, uuid, payment_date="20.11.2026")) == {"payment_date": "INVALID"}
    assert errors(mark(api, uuid, bill_group_ids=[77])) == {"bill_group_ids.0": "DOES_NOT_EXIST"}
    api.stand_in.edit("bills", [{"id": 4, "group": 9}, {"id": 5, "group": 9}])
    assert mark(api, bill_group_ids=[9]).status_code == 200
    assert [api.bill(number)["status"] for number in ("PK-500", "PK-501")] == [4, 4]


def test_payments_are_asked_for_by_instant_and_state(api):
    api.do("pay_bill", invoice="PK-500", date="2026-11-20", reference="CHK 7")
    api.stand_in.clock(advance=3600)
    api.do("pay_bill", invoice="NK-77")
    api.stand_in.edit("payments", {"id": 1, "status": "failed", "updated_at": "2026-11-16T12:00:00Z"})
    rows = api.rows(PAYMENTS, updated_at_after="2026-11-16T12:30:00Z")
    assert [(row["amount"], row["currency"]["name"], row["vendor_name"]) for row in rows] == [
        ("2500.00", "EUR", "Nordkabel GmbH")
    ]
    assert [row["id"] for row in api.rows(PAYMENTS, status="failed,denied")] == [1]
    assert errors(api.get(PAYMENTS, status="lost")) == {"status": "INVALID"}
    assert api.bill("PK-500")["bill_payment"]["payment"]["reference_number"] == "CHK 7"


def test_the_undocumented_patch_is_there_when_the_site_has_it(api):
    bill = api.bill("PK-500")
    path = f"{BILLS}{bill['uuid']}/"
    assert api.call("PATCH", path, {"note": "x"}).status_code == 405
    api.stand_in.options({"bill_patch": True})
    changed = api.taken("PATCH", path, {"note": "x", "due_date": "2026-12-31T00:00:00Z"})
    assert (changed["note"], changed["due_date"], changed["version"]) == ("x", "2026-12-31T00:00:00Z", 2)
    assert errors(api.call("PATCH", path, {"vendor": 99})) == {"vendor": "DOES_NOT_EXIST"}


def test_billed_items(api):
    uuid = api.bill("ELC-1001")["uuid"]
    body = api.answer("/api/v2/ap/items/", bill_uuid=uuid)
    assert [item["id"] for item in body["data"]] == [1, 2]
    assert body["metadata"]["summary"] == {"total_items": 2, "total_cost": D("1500.00")}
    assert len(api.rows("/api/v2/ap/items/", vendor=6)) == 4
    assert errors(api.get("/api/v2/ap/items/", bill_uuid="x")) == {"bill_uuid": "INVALID"}

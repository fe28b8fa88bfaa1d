"""Bills, vendor credits and approvals."""

from decimal import Decimal

import pytest


def test_a_new_bill_is_unpaid_unassigned_and_the_sum_of_its_lines(bill, vendor):
    made = bill.bill(vendor)
    assert made["id"].startswith("00n")
    assert all(line["id"].startswith("bli") for line in made["billLineItems"])
    assert (made["amount"], made["dueAmount"]) == (675, 675)
    assert (made["paymentStatus"], made["approvalStatus"]) == ("UNPAID", "UNASSIGNED")


def test_the_vendors_name_is_in_get_and_list_but_not_in_the_create_reply(bill, vendor):
    made = bill.bill(vendor)
    assert "vendorName" not in made
    assert bill.read(f"/bills/{made['id']}")["vendorName"] == "Pakko Packaging LLC"
    assert bill.rows("/bills")[0]["vendorName"] == "Pakko Packaging LLC"


def test_amounts_are_exact(bill, vendor):
    made = bill.bill(vendor, "A", 0.1, 0.2)
    assert bill.stand_in.state("bills")[0]["amount"] == Decimal("0.30")
    assert made["amount"] == 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vendorId": None}, "vendorId: must not be null"),
        ({"dueDate": None}, "dueDate: must not be null"),
        ({"dueDate": "12/31/2026"}, "dueDate: must be a date of the form yyyy-MM-dd"),
        ({"dueDate": "2026-02-30"}, "dueDate: must be a date of the form yyyy-MM-dd"),
        ({"invoice": None}, "invoice: must not be null"),
        ({"invoice": {"invoiceNumber": "1"}}, "invoice.invoiceDate: must not be null"),
        ({"billLineItems": []}, "billLineItems: must not be empty"),
        ({"billLineItems": [{"description": "x"}]}, "billLineItems[0].amount: must not be null"),
        ({"billLineItems": [{"amount": "12.00"}]}, "billLineItems[0].amount: must be a number"),
        (
            {"billLineItems": [{"amount": 1.005}]},
            "billLineItems[0].amount: numeric value out of bounds (14 digits and 2 decimals expected)",
        ),
    ],
)
def test_a_bill_with_a_wrong_field_is_refused(bill, vendor, refused, change, message):
    assert refused(bill.post("/bills", bill.bill_body(vendor, **change))) == (400, None, message)
    assert bill.stand_in.state("bills") == []


def test_an_invoice_number_has_at_most_21_characters(bill, vendor, refused):
    assert bill.post("/bills", bill.bill_body(vendor, "x" * 21)).status_code == 201
    assert refused(bill.post("/bills", bill.bill_body(vendor, "x" * 22))) == (
        400,
        "BDC_1143",
        "Invalid entity data. invoiceNumber: Maximum length cannot be greater than 21 characters.",
    )


def test_a_description_has_at_most_4000_characters(bill, vendor, refused):
    assert refused(bill.post("/bills", bill.bill_body(vendor, description="x" * 4001)))[1] == "BDC_1143"


def test_quantity_times_price_is_the_amount_unless_one_is_given(bill, vendor):
    lines = [{"quantity": 3, "price": 0.335}, {"quantity": 3, "price": 10, "amount": 25}]
    made = bill.bill(vendor, "Q", billLineItems=lines)
    assert [line["amount"] for line in made["billLineItems"]] == [1.01, 25]


def test_an_unknown_or_archived_vendor_is_refused(bill, vendor, refused):
    assert refused(bill.post("/bills", bill.bill_body("009x")))[:2] == (422, "BDC_1205")
    bill.post(f"/vendors/{vendor}/archive")
    assert refused(bill.post("/bills", bill.bill_body(vendor)))[:2] == (422, "BDC_1205")


def test_an_archived_account_is_refused(bill, vendor, refused):
    archived = bill.account("10-6750")
    lines = [{"amount": 1, "classifications": {"chartOfAccountId": archived}}]
    reply = bill.post("/bills", bill.bill_body(vendor, billLineItems=lines))
    assert refused(reply) == (422, "BDC_1205", f"Unable to find object with id: {archived}.")


def test_an_account_is_not_a_department(bill, vendor, refused):
    lines = [{"amount": 1, "classifications": {"departmentId": bill.account("10-6100")}}]
    assert refused(bill.post("/bills", bill.bill_body(vendor, billLineItems=lines)))[1] == "BDC_1205"


def test_a_repeated_number_silently_makes_a_second_bill(bill, vendor):
    assert bill.bill(vendor)["id"] != bill.bill(vendor)["id"]


def test_a_repeated_number_is_refused_when_the_client_asks_for_it(bill, vendor, refused):
    guarded = bill.bill_body(vendor, allowDuplicateInvoiceNumber=False)
    assert bill.post("/bills", guarded).status_code == 201
    assert refused(bill.post("/bills", guarded))[:2] == (422, "BDC_1171")
    other = bill.vendor("Other")["id"]
    assert bill.post("/bills", {**guarded, "vendorId": other}).status_code == 201


def test_a_repeated_number_can_be_refused_by_default(bill, vendor):
    bill.stand_in.options({"bill_duplicate_default": "reject"})
    bill.bill(vendor)
    assert bill.post("/bills", bill.bill_body(vendor)).status_code == 422
    assert bill.post("/bills", bill.bill_body(vendor, allowDuplicateInvoiceNumber=True)).status_code == 201


def test_an_archived_bill_frees_its_number_unless_set_otherwise(bill, vendor):
    guarded = bill.bill_body(vendor, allowDuplicateInvoiceNumber=False)
    bill.post(f"/bills/{bill.post('/bills', guarded).json()['id']}/archive")
    bill.stand_in.options({"bill_duplicate_counts_archived": True})
    assert bill.post("/bills", guarded).status_code == 422
    bill.stand_in.options({"bill_duplicate_counts_archived": False})
    assert bill.post("/bills", guarded).status_code == 201


def test_bulk_answers_with_a_bare_array(bill, vendor):
    bodies = [bill.bill_body(vendor, f"N{n}", n + 1) for n in range(100)]
    reply = bill.post("/bills/bulk", bodies)
    assert reply.status_code == 201
    assert [row["amount"] for row in reply.json()] == list(range(1, 101))
    assert bill.post("/bills/bulk", [*bodies, bodies[0]]).status_code == 400


def test_bulk_is_all_or_nothing_and_sees_duplicates_within_itself(bill, vendor):
    guarded = bill.bill_body(vendor, allowDuplicateInvoiceNumber=False)
    reply = bill.post("/bills/bulk", [guarded, guarded])
    assert reply.status_code == 422
    assert [error["code"] for error in reply.json()] == ["BDC_1246", "BDC_1171"]
    assert bill.stand_in.state("bills") == []


def test_a_patch_changes_a_line_by_its_id(bill, vendor):
    made = bill.bill(vendor)
    line = made["billLineItems"][1]
    changed = bill.patch(f"/bills/{made['id']}", {"billLineItems": [{"id": line["id"], "amount": 40}]}).json()
    assert [row["amount"] for row in changed["billLineItems"]] == [640, 40]
    assert (changed["amount"], changed["dueAmount"]) == (680, 680)


def test_a_patch_can_change_the_due_date_alone(bill, vendor):
    made = bill.bill(vendor, description="mark")
    bill.stand_in.clock(advance=1)
    changed = bill.patch(f"/bills/{made['id']}", {"dueDate": "2026-12-18"}).json()
    assert changed["updatedTime"] > made["updatedTime"]
    assert changed | {"dueDate": "2026-12-12", "updatedTime": made["updatedTime"]} == made


def test_a_patch_can_neither_add_a_line_nor_name_an_unknown_one(bill, vendor, refused):
    made = bill.bill(vendor)
    path = f"/bills/{made['id']}"
    assert refused(bill.patch(path, {"billLineItems": [{"amount": 1}]}))[:2] == (400, "BDC_1143")
    assert refused(bill.patch(path, {"billLineItems": [{"id": "blix", "amount": 1}]}))[:2] == (404, "BDC_1205")
    assert bill.read(path)["amount"] == 675


def test_a_put_keeps_adds_and_drops_lines(bill, vendor):
    made = bill.bill(vendor, description="gone after PUT")
    kept = made["billLineItems"][0]["id"]
    body = bill.bill_body(vendor, billLineItems=[{"id": kept, "amount": 640}, {"amount": 10}])
    put = bill.put(f"/bills/{made['id']}", body).json()
    assert put["id"] == made["id"]
    assert put["billLineItems"][0]["id"] == kept
    assert put["billLineItems"][1]["id"] not in {line["id"] for line in made["billLineItems"]}
    assert put["amount"] == 650
    assert "description" not in put


def test_a_put_needs_everything(bill, vendor, refused):
    made = bill.bill(vendor)
    assert refused(bill.put(f"/bills/{made['id']}", {"dueDate": "2026-12-12"}))[2] == "vendorId: must not be null"


def test_a_bill_in_a_foreign_currency_shows_its_dollars(bill):
    vendor = bill.vendor("Nordkabel GmbH", billCurrency="EUR")["id"]
    made = bill.bill(vendor, "NK-77", 2000, 500)
    assert (made["amount"], made["exchangeRate"], made["fundingAmount"]) == (2500, 1.08, 2700)


def test_an_unknown_bill_is_a_404(bill, refused):
    assert refused(bill.get("/bills/00nx"))[:2] == (404, "BDC_1205")


def test_a_persons_edit_is_seen_by_the_api(bill, vendor):
    made = bill.bill(vendor)
    bill.stand_in.clock(advance=5)
    bill.stand_in.edit("bills", {"id": made["id"], "dueDate": "2027-01-01"})
    read = bill.read(f"/bills/{made['id']}")
    assert read["dueDate"] == "2027-01-01"
    assert read["updatedTime"] == "2026-11-16T06:00:05.000+00:00"


def test_a_credit_is_not_applied_until_a_bill_uses_it(bill, vendor):
    credit = bill.credit(vendor)
    assert credit["id"].startswith("vcr")
    assert (credit["amount"], credit["status"]) == (75, "NOT_APPLIED")
    made = bill.bill(vendor, vendorCredits=[{"id": credit["id"], "amount": 50}])
    assert bill.read(f"/bills/{made['id']}")["dueAmount"] == 625
    used = bill.read(f"/vendor-credits/{credit['id']}")
    assert (used["appliedAmount"], used["status"]) == (50, "PARTIALLY_APPLIED")


def test_a_credit_cannot_be_used_beyond_its_amount_or_by_another_vendor(bill, vendor):
    credit = bill.credit(vendor)["id"]
    too_much = bill.bill_body(vendor, vendorCredits=[{"id": credit, "amount": 75.01}])
    assert bill.post("/bills", too_much).status_code == 422
    other = bill.vendor("Other")["id"]
    stolen = bill.bill_body(other, vendorCredits=[{"id": credit, "amount": 1}])
    assert bill.post("/bills", stolen).status_code == 400


def test_a_credit_can_be_patched_put_and_archived(bill, vendor):
    credit = bill.credit(vendor)
    path = f"/vendor-credits/{credit['id']}"
    line = credit["vendorCreditLineItems"][0]["id"]
    patched = bill.patch(path, {"vendorCreditLineItems": [{"id": line, "amount": 80}]}).json()
    assert patched["amount"] == 80
    body = {
        "vendorId": vendor,
        "referenceNumber": "R",
        "creditDate": "2026-11-14",
        "vendorCreditLineItems": [{"amount": 1}, {"amount": 2}],
    }
    assert bill.put(path, body).json()["amount"] == 3
    assert bill.post(f"{path}/archive").json()["archived"] is True


def test_a_credit_needs_a_positive_amount_and_a_reference(bill, vendor, refused):
    body = {"vendorId": vendor, "creditDate": "2026-11-14", "vendorCreditLineItems": [{"amount": -1}]}
    assert refused(bill.post("/vendor-credits", body))[2] == "referenceNumber: must not be null"
    assert bill.post("/vendor-credits", {**body, "referenceNumber": "R"}).status_code == 400


def test_approvers_are_attached_only_when_asked_for(bill, vendor):
    bill.stand_in.options({"approval_minimum": 500})
    assert bill.bill(vendor)["approvalStatus"] == "UNASSIGNED"
    asked = bill.bill(vendor, billApprovals=True)
    assert asked["approvalStatus"] == "ASSIGNED"
    assert asked["approvers"][0]["status"] == "WAITING"
    assert bill.bill(vendor, "small", 10, billApprovals=True)["approvalStatus"] == "UNASSIGNED"


def test_approvers_act_one_after_the_other(bill, vendor):
    rule = {"key": "BILL_AMOUNT", "op": "gte", "values": ["100"]}
    policy = {"policyName": "Two", "rules": [rule], "approvers": ["006a", "006b"]}
    assert bill.post("/bill-approvals/policies", policy).status_code == 201
    made = bill.bill(vendor, billApprovals=True)["id"]
    action = [{"billId": made, "action": "APPROVE"}]
    assert bill.post("/bill-approvals/actions", action).json() == {"status": "SUCCESS"}
    assert bill.read(f"/bills/{made}")["approvalStatus"] == "APPROVING"
    bill.post("/bill-approvals/actions", action)
    assert bill.read(f"/bills/{made}")["approvalStatus"] == "APPROVED"
    assert bill.post("/bill-approvals/actions", action).status_code == 422


def test_a_change_asks_approvers_again_only_with_the_flag(bill, vendor):
    bill.stand_in.options({"approval_minimum": 0})
    made = bill.bill(vendor, billApprovals=True)["id"]
    bill.post("/bill-approvals/actions", [{"billId": made, "action": "APPROVE"}])
    bill.patch(f"/bills/{made}", {"description": "x"})
    assert bill.read(f"/bills/{made}")["approvalStatus"] == "APPROVED"
    bill.patch(f"/bills/{made}", {"description": "y", "billApprovals": True})
    assert bill.read(f"/bills/{made}")["approvalStatus"] == "ASSIGNED"

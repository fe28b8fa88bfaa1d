"""Payments: what they do to bills and credits, recording, cancelling, voiding."""

import pytest


def paid(bill, identifier):
    row = bill.read(f"/bills/{identifier}")
    return row["paymentStatus"], row["dueAmount"]


def test_a_payment_moves_its_bill_from_scheduled_to_paid(bill, vendor):
    made = bill.bill(vendor)["id"]
    payment = bill.stand_in.edit("payments", {"billId": made, "amount": 675})[0]
    assert payment["id"].startswith("stp")
    assert (payment["singleStatus"], payment["status"]) == ("SCHEDULED", "SCHEDULED")
    assert paid(bill, made) == ("SCHEDULED", 0)
    assert bill.read(f"/bills/{made}")["scheduledAmount"] == 675
    bill.stand_in.edit("payments", {"id": payment["id"], "singleStatus": "PROCESSED"})
    assert paid(bill, made) == ("IN_PROCESS", 0)
    bill.stand_in.edit("payments", {"id": payment["id"], "singleStatus": "CLEARED"})
    assert paid(bill, made) == ("PAID", 0)
    assert bill.read(f"/bills/{made}")["paidAmount"] == 675
    assert bill.read(f"/payments/{payment['id']}")["status"] == "PAID"


def test_a_part_is_partly_paid_in_either_spelling(bill, vendor):
    made = bill.bill(vendor)["id"]
    payment = bill.stand_in.edit("payments", {"billId": made, "amount": 250, "singleStatus": "CLEARED"})[0]
    assert paid(bill, made) == ("PARTIALLY_PAID", 425)
    bill.stand_in.options({"partly_paid": "PARTIAL"})
    bill.stand_in.edit("payments", {"id": payment["id"], "description": "again"})
    assert paid(bill, made) == ("PARTIAL", 425)


def test_a_payment_can_cover_several_bills_and_a_credit(bill, vendor):
    first, second = bill.bill(vendor, "1", 1620)["id"], bill.bill(vendor, "2", 675)["id"]
    credit = bill.credit(vendor)["id"]
    parts = [
        {"billId": first, "amount": 1620},
        {"billId": second, "amount": 600, "vendorCredits": [{"id": credit, "amount": 75}]},
    ]
    payment = bill.stand_in.edit("payments", {"billPayments": parts, "singleStatus": "CLEARED"})[0]
    assert "billId" not in payment
    assert payment["amount"] == 2220
    assert payment["vendorName"] == "Pakko Packaging LLC"
    assert paid(bill, first) == paid(bill, second) == ("PAID", 0)
    assert bill.read(f"/bills/{second}")["creditAmount"] == 75
    assert bill.read(f"/vendor-credits/{credit}")["status"] == "FULLY_APPLIED"


@pytest.mark.parametrize("moves", [True, False])
def test_a_payment_moves_the_bills_time_unless_set_otherwise(bill, vendor, moves):
    bill.stand_in.options({"bill_updated_on_payment": moves})
    made = bill.bill(vendor)
    bill.stand_in.clock(advance=60)
    bill.stand_in.edit("payments", {"billId": made["id"], "amount": 675})
    assert (bill.read(f"/bills/{made['id']}")["updatedTime"] > made["updatedTime"]) is moves


def test_a_voided_payment_gives_the_bill_back(bill, vendor):
    made = bill.bill(vendor)["id"]
    payment = bill.stand_in.edit("payments", {"billId": made, "amount": 675, "singleStatus": "CLEARED"})[0]
    voided = bill.post(f"/payments/{payment['id']}/void", {"reason": "wrong account", "type": "VOID_ONLY"})
    assert voided.status_code == 200
    assert (voided.json()["singleStatus"], voided.json()["status"]) == ("VOIDED", "VOID")
    assert voided.json()["voidInfo"][0]["reason"] == "wrong account"
    assert paid(bill, made) == ("UNPAID", 675)
    assert bill.post(f"/payments/{payment['id']}/void", {"reason": "again"}).status_code == 422


def test_only_a_scheduled_payment_can_be_cancelled(bill, vendor):
    made = bill.bill(vendor)["id"]
    payment = bill.stand_in.edit("payments", {"billId": made, "amount": 675})[0]["id"]
    cancelled = bill.post(f"/payments/{payment}/cancel").json()
    assert (cancelled["singleStatus"], cancelled["status"]) == ("CANCELED", "CANCELLED")
    assert paid(bill, made) == ("UNPAID", 675)
    assert bill.post(f"/payments/{payment}/cancel").status_code == 422


def test_creating_a_payment_needs_a_trusted_session(bill, refused):
    assert refused(bill.post("/payments", {})) == (403, "BDC_1361", "Untrusted session.")
    assert bill.post("/payments/bulk", []).status_code == 403


def test_an_outside_payment_is_recorded_at_once(bill, vendor):
    made = bill.bill(vendor)["id"]
    body = {
        "vendorId": vendor,
        "processDate": "2026-11-15",
        "transactionNumber": "SYSPRO 77",
        "payments": [{"billId": made, "amount": 250}],
    }
    reply = bill.post("/bills/record-payment", body)
    assert reply.status_code == 200
    assert reply.json()["onlinePayment"] is False
    assert paid(bill, made) == ("PARTIALLY_PAID", 425)
    found = bill.rows("/payments", filters=f"vendorId:eq:{vendor},transactionNumber:eq:SYSPRO 77")
    assert [row["id"] for row in found] == [reply.json()["id"]]
    bill.post(f"/payments/{reply.json()['id']}/void", {"reason": "undo"})
    assert paid(bill, made) == ("UNPAID", 675)


def test_a_bill_cannot_be_overpaid(bill, vendor, refused):
    made = bill.bill(vendor)["id"]
    body = {"vendorId": vendor, "payments": [{"billId": made, "amount": 675.01}]}
    assert refused(bill.post("/bills/record-payment", body))[:2] == (422, "BDC_1159")
    twice = {"vendorId": vendor, "payments": [{"billId": made, "amount": 400}] * 2}
    assert bill.post("/bills/record-payment", twice).status_code == 422
    assert bill.stand_in.state("payments") == []


def test_a_recorded_payment_is_for_one_vendor(bill, vendor, refused):
    other = bill.bill(bill.vendor("Other")["id"])["id"]
    body = {"vendorId": vendor, "payments": [{"billId": other, "amount": 1}]}
    assert refused(bill.post("/bills/record-payment", body))[:2] == (400, "BDC_1143")


def test_a_paid_bill_cannot_become_smaller_than_what_was_paid(bill, vendor, refused):
    made = bill.bill(vendor, "1", 100)
    bill.stand_in.edit("payments", {"billId": made["id"], "amount": 60, "singleStatus": "CLEARED"})
    lines = [{"id": made["billLineItems"][0]["id"], "amount": 50}]
    assert refused(bill.patch(f"/bills/{made['id']}", {"billLineItems": lines}))[1] == "BDC_1159"


def test_payments_are_listed_by_their_change(bill, vendor):
    made = bill.bill(vendor)["id"]
    payment = bill.stand_in.edit("payments", {"billId": made, "amount": 1})[0]["id"]
    bill.stand_in.clock(advance=60)
    since = 'updatedTime:gte:"2026-11-16T06:00:30.000Z"'
    assert bill.rows("/payments", filters=since) == []
    bill.stand_in.edit("payments", {"id": payment, "singleStatus": "SENT"})
    assert [row["singleStatus"] for row in bill.rows("/payments", filters=since)] == ["SENT"]


def test_a_bill_may_show_its_payments(bill, vendor):
    bill.stand_in.options({"bill_get_has_payments": True})
    made = bill.bill(vendor)["id"]
    assert bill.read(f"/bills/{made}")["payments"] == []
    payment = bill.stand_in.edit("payments", {"billId": made, "amount": 1})[0]["id"]
    assert [row["id"] for row in bill.read(f"/bills/{made}")["payments"]] == [payment]

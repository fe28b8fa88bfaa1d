"""What becomes of a bill whose answer was lost, or whose place is taken (R3 to R6, R40).

Every write call under every fault is the conformance suite's: tests/conformance.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sync.pair import base_pair


@pytest.fixture
def pair(workspace):
    with base_pair(workspace) as made:
        made.map_accounts()
        yield made


def test_a_bill_that_commits_after_we_gave_up_is_found(pair):  # R4
    pair.link_hydra()
    match = {"method": "POST", "path": "/v3/bills", "contains": "PK-500"}
    pair.bill.faults([{"match": match, "do": "status", "status": 504, "times": 1}])
    pair.sync()
    assert pair.record("PK-500").state == "in_doubt"
    pair.later(seconds=60)
    pair.sync("invoices")
    assert pair.record("PK-500").state == "in_doubt", "not found does not count before the settling time"
    assert pair.bills("PK-500") == []
    pair.later(seconds=90)
    pair.sync("invoices")
    assert pair.record("PK-500").state == "confirmed"
    assert len(pair.bills("PK-500")) == 1


def test_a_bill_with_the_same_number_and_another_amount_is_not_adopted(pair):  # R5, R40
    pair.link_hydra()
    vendor = next(row for row in pair.bill.state("vendors") if row.get("shortName") == "PAK003")
    account = pair.bill.state("chart-of-accounts")[0]["id"]
    pair.bill.edit(
        "bills",
        {
            "vendorId": vendor["id"],
            "dueDate": "2026-12-12",
            "invoice": {"invoiceNumber": "PK 500", "invoiceDate": "2026-11-12"},
            "billLineItems": [{"amount": Decimal("6750.00"), "classifications": {"chartOfAccountId": account}}],
        },
    )
    pair.sync()
    assert ("collision", "PK-500") in pair.problems()
    assert len(pair.bills("PK-500")) == 0


def test_a_bill_typed_by_hand_is_adopted_when_everything_agrees(pair):  # R5, R40
    pair.link_hydra()
    pair.sync("suppliers")
    vendor = next(row for row in pair.bill.state("vendors") if row.get("shortName") == "HYD005")
    account = pair.bill.state("chart-of-accounts")[0]["id"]
    pair.bill.edit(
        "bills",
        {
            "vendorId": vendor["id"],
            "dueDate": "2026-11-30",
            "invoice": {"invoiceNumber": "hu 2203", "invoiceDate": "2026-11-16"},
            "billLineItems": [{"amount": Decimal("150.00"), "classifications": {"chartOfAccountId": account}}],
        },
    )
    pair.settle()
    assert pair.record("HU-2203").state == "confirmed"
    assert len(pair.bills("HU-2203")) + len(pair.bills("hu 2203")) == 1


def test_a_bill_that_people_archived_before_its_answer_was_found_is_not_sent_again(pair):  # R3, R6
    pair.link_hydra()
    match = {"method": "POST", "path": "/v3/bills", "contains": "PK-500"}
    pair.bill.faults([{"match": match, "do": "commit_then_reset", "times": 1}])
    pair.sync()
    assert pair.record("PK-500").state == "in_doubt"
    (bill,) = pair.bills("PK-500")
    pair.bill.edit("bills", {**bill, "archived": True})
    pair.settle()
    assert [row["id"] for row in pair.bills("PK-500")] == [bill["id"]]
    assert pair.record("PK-500").state == "confirmed"

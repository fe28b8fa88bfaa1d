"""One document is one document, whatever happens to an answer (R1 to R12, R62)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.sync.models import Attempt, Link, Outcome, Record, State
from tests.sync.pair import Pair, base_pair

LOST = [
    {"do": "commit_then_reset"},
    {"do": "commit_then_status", "status": 500},
    {"do": "commit_then_status", "status": 502},
    {"do": "commit_then_status", "status": 504},
    {"do": "truncate"},
    {"do": "garble"},
    {"do": "empty"},
]
NOT_DONE = [
    {"do": "reset"},
    {"do": "status", "status": 500},
    {"do": "status", "status": 503},
    {"do": "throttle"},
    {"do": "throttle", "retry_after": 2},
    {"do": "expire_session"},
    {"do": "in_band_error"},
]


def named(fault):
    return "-".join(str(value) for value in fault.values())


@pytest.fixture
def pair(workspace):
    with base_pair(workspace) as made:
        made.map_accounts()
        yield made


def fault(pair: Pair, method: str, path: str, what: dict, contains: str | None = None) -> None:
    match = {"method": method, "path": path} | ({"contains": contains} if contains else {})
    pair.bill.faults([{"match": match, "times": 1, **what}])


def settled(pair: Pair, *names: str) -> None:
    """Runs on until nothing is on its way: minutes pass between the runs, nobody does anything."""
    for _ in range(8):
        pair.sync(*names)
        pair.later(minutes=5)
        on_its_way = Record.objects.of(pair.workspace).filter(
            state__in=[State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT]
        )
        if not on_its_way.exists():
            return
    pytest.fail(f"still on its way: {list(on_its_way.values_list('number', 'state'))}")


def everything_is_once(pair: Pair) -> None:
    """One document per Record, one Link, no open Attempt, and the states add up."""
    numbers = [bill["invoice"]["invoiceNumber"] for bill in pair.bills()]
    assert len(numbers) == len(set(numbers))
    names = [vendor["name"] for vendor in pair.bill.state("vendors")]
    assert len(names) == len(set(names))
    references = [credit["referenceNumber"] for credit in pair.bill.state("vendor-credits")]
    assert len(references) == len(set(references))
    links = Link.objects.of(pair.workspace).filter(type="invoice")
    assert {link.target_key for link in links} == {bill["id"] for bill in pair.bills()}
    assert not Attempt.objects.of(pair.workspace).filter(outcome__in=[Outcome.PENDING, Outcome.UNKNOWN]).exists()
    assert pair.adds_up()  # R76


@pytest.mark.parametrize("what", LOST + NOT_DONE, ids=named)
def test_one_bill_whatever_happens_to_its_create(pair, what):  # R3, R5, R12, R62
    pair.link_hydra()
    fault(pair, "POST", "/v3/bills", what, contains="PK-500")
    settled(pair)
    everything_is_once(pair)
    assert pair.record("PK-500").state == "confirmed"
    assert len(pair.bills()) == 8


@pytest.mark.parametrize("what", LOST + NOT_DONE, ids=named)
def test_one_vendor_whatever_happens_to_its_create(pair, what):  # R3
    fault(pair, "POST", "/v3/vendors", what, contains="ELC001")
    settled(pair, "suppliers")
    everything_is_once(pair)
    assert pair.record("ELC001").state == "confirmed"


@pytest.mark.parametrize("what", LOST + NOT_DONE, ids=named)
def test_one_credit_whatever_happens_to_its_create(pair, what):  # R3
    pair.link_hydra()
    fault(pair, "POST", "/v3/vendor-credits", what)
    settled(pair)
    everything_is_once(pair)
    assert len(pair.bill.state("vendor-credits")) == 1


@pytest.fixture
def delivered(pair):
    pair.link_hydra()
    settled(pair)
    return pair


@pytest.mark.parametrize("what", LOST + NOT_DONE, ids=named)
def test_an_amendment_takes_effect_once(delivered, what):  # R3, R55
    row = next(row for row in delivered.syspro.state("ApInvoice") if row["Invoice"] == "ELC-1002")
    delivered.syspro.edit("ApInvoice", {**row, "DueDate": "2026-12-18"})
    fault(delivered, "PATCH", "/v3/bills/*", what)
    settled(delivered)
    everything_is_once(delivered)
    assert delivered.bills("ELC-1002")[0]["dueDate"] == "2026-12-18"
    assert delivered.record("ELC-1002").state == "confirmed"


@pytest.mark.parametrize("what", LOST + NOT_DONE, ids=named)
def test_a_void_archives_once(delivered, what):  # R3
    delivered.syspro.edit("actions", {"do": "reverse", "supplier": "ELC001", "invoice": "ELC-1004"})
    fault(delivered, "POST", "/v3/bills/*/archive", what)
    settled(delivered)
    everything_is_once(delivered)
    assert delivered.bills("ELC-1004")[0]["archived"] is True
    assert delivered.record("ELC-1004").state == "confirmed"


@pytest.mark.parametrize("what", LOST + NOT_DONE, ids=named)
def test_a_vendors_amendment_takes_effect_once(delivered, what):  # R3
    delivered.syspro.edit(
        "actions", {"do": "change_supplier", "supplier": "ELC001", "columns": {"Telephone": "+1 312 555 0100"}}
    )
    fault(delivered, "PATCH", "/v3/vendors/*", what)
    settled(delivered)
    everything_is_once(delivered)
    phones = [vendor["phone"] for vendor in delivered.bill.state("vendors") if vendor.get("shortName") == "ELC001"]
    assert phones == ["+1 312 555 0100"]


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
    settled(pair)
    assert pair.record("HU-2203").state == "confirmed"
    assert len(pair.bills("HU-2203")) + len(pair.bills("hu 2203")) == 1


def test_a_bill_that_people_archived_before_its_answer_was_found_is_not_sent_again(pair):  # R3, R6
    pair.link_hydra()
    fault(pair, "POST", "/v3/bills", {"do": "commit_then_reset"}, contains="PK-500")
    pair.sync()
    assert pair.record("PK-500").state == "in_doubt"
    (bill,) = pair.bills("PK-500")
    pair.bill.edit("bills", {**bill, "archived": True})
    settled(pair)
    assert [row["id"] for row in pair.bills("PK-500")] == [bill["id"]]
    assert pair.record("PK-500").state == "confirmed"

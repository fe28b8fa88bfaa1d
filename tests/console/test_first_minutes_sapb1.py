"""SAP Business One <-> BILL in a real browser: from the owner's link to a bill, and to BILL's payment posted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

import ml_connector.sandbox
from ml_connector.sandbox import Running
from tests.console.conftest import serving
from tests.console.test_browser import look
from tests.console.test_first_minutes import come_in, fill, pinged, to_the_preview
from tests.sync.pair import DATA


@pytest.fixture
def b1_and_bill() -> Iterator[dict[str, Running]]:
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("sapb1", "bill")
    }
    with (
        ml_connector.sandbox.start("sapb1", seed=1, data=load["sapb1"]) as b1,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"]) as bill,
    ):
        yield {"sapb1": b1, "bill": bill}


def test_from_the_link_to_a_bill_and_to_its_payment_posted(run, database, page, b1_and_bill):
    b1, bill = b1_and_bill["sapb1"], b1_and_bill["bill"]
    with serving(database) as served:
        come_in(page, served)
        page.get_by_role("link", name="Set up the first integration").click()
        wrong = look(page, "b1-choose")
        page.locator("form", has_text="Your own systems").get_by_label("SAP Business One ↔ BILL").check()
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("link", name="Connect SAP Business One").click()
        wrong += look(page, "b1-connect")
        fill(page, "sapb1", {**b1.settings, **b1.secrets})
        page.get_by_role("button", name="Store").click()
        page.get_by_text("SAP Business One is stored as connection").wait_for()
        page.get_by_role("link", name="Connect BILL").click()
        fill(page, "bill", {**bill.settings, **bill.secrets})
        page.get_by_role("button", name="Store").click()
        page.get_by_text("BILL is stored as connection").wait_for()
        pinged(page, "payables-sapb1", "payables-bill")
        page.get_by_role("link", name="Look again").click()
        to_the_preview(page, served)
        wrong += look(page, "b1-preview")
        assert bill.state("bills") == []
        page.get_by_role("button", name="Start payables").click()
        page.get_by_text("payables is started. Its first run begins now.").wait_for()
        paid = first_bill(page, bill)
        bill.edit("payments", {"id": "stp01BROWSERPAYMENT1", "singleStatus": "CLEARED", "billPayments": [
            {"billId": paid["id"], "amount": Decimal(str(paid["amount"]))}]})  # fmt: skip
        posted(page, served, b1)
        page.goto(f"{served.address}/w/acme/records?type=payment&state=confirmed")
        page.get_by_role("table").get_by_role("link").first.click()
        wrong += look(page, "b1-payment")
        assert wrong == []


def first_bill(page, bill: Running) -> dict[str, object]:
    for _ in range(120):
        for row in bill.state("bills"):
            if row["invoice"]["invoiceNumber"] == "ELC-1001":
                return dict(row)
        page.wait_for_timeout(500)
    raise AssertionError("ELC-1001 has not become a bill.")


def posted(page, served, b1: Running) -> None:
    """The payment's Flow is run by hand, as somebody does who does not want to wait for the schedule."""
    for _ in range(60):
        if b1.state("VendorPayments"):
            return
        page.goto(f"{served.address}/w/acme/runs")
        page.get_by_role("button", name="Run payments now", exact=True).click()
        page.wait_for_timeout(1000)
    raise AssertionError("The payment was not posted.")

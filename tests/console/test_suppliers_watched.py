"""Changed bank details and vendors without a supplier, as people meet and decide them in the pages (R46, R53)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.sync.models import Approval, Link, Problem, RunKind
from ml_connector.sync.results import compute
from tests.sync.sapb1_pair import B1Pair, sapb1_pair, stp

CALLED = "Called Dana on +1 312 555 0101 (from the contract): it is theirs. <b>sure</b>"
ACCOUNT = "77001122334455"
ADDRESS = {"line1": "1 Main Street", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}


@pytest.fixture
def b1(workspace: Any) -> Iterator[B1Pair]:
    """Suppliers and vendors read once."""
    with sapb1_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        made.sync("suppliers", "vendors_back")
        made.later(minutes=1)
        yield made


def test_a_bank_change_is_released_by_two_people_with_evidence(b1, sign_in):  # R53, R71
    vendor = next(row for row in b1.bill.state("vendors") if row.get("shortName") == "ELC001")
    given = {"payByType": "ACH", "bankAccount": {"accountNumber": ACCOUNT, "routingNumber": "999"}}
    b1.bill.edit("vendors", {"id": vendor["id"], "paymentInformation": given})
    b1.later(minutes=1)
    b1.sync("vendors_back", "invoices")
    problem = Problem.objects.of(b1.workspace).get(cause="bank_change")
    path = f"/w/acme/problems/{problem.pk}"
    page = sign_in("operator").get(path).content.decode()
    assert "Bank or payment details changed" in page and "ELC-1001" in page
    assert ACCOUNT not in page
    assert 'name="evidence"' in page
    assert 'value="release"' in page and 'value="retry"' not in page and 'value="skip"' not in page

    values = {"action": "release", "reason": "Theirs."}
    refused = sign_in("operator").post(f"{path}/decide", values)
    assert refused.status_code == 400 and "whom you called back" in refused.content.decode()
    assert sign_in("operator").post(f"{path}/decide", {**values, "evidence": CALLED}).status_code == 302
    assert sign_in("operator").post(f"{path}/approve", {"reason": "me again"}).status_code in {403, 409}
    asked = Approval.objects.of(b1.workspace).get(kind="release")
    for shown in (path, f"/w/acme/approvals/{asked.pk}"):
        text = sign_in("owner").get(shown).content.decode()
        assert "+1 312 555 0101 (from the contract)" in text and "<b>sure</b>" not in text
    assert sign_in("owner").post(f"{path}/approve", {"reason": "I know Dana."}).status_code == 302
    problem.refresh_from_db()
    assert (problem.state, problem.action) == ("handled", "release")
    b1.sync("invoices")
    assert len(b1.bills("ELC-1001")) == 1


def test_a_vendor_is_linked_to_the_supplier_that_it_is(b1, sign_in):  # R46
    row = b1.bill.edit("vendors", {"name": "Blue Window Cleaners", "address": ADDRESS})[0]
    b1.later(minutes=1)
    b1.sync("vendors_back")
    problem = Problem.objects.of(b1.workspace).get(cause="supplier_missing")
    path = f"/w/acme/problems/{problem.pk}"
    page = sign_in("operator").get(path).content.decode()
    assert "archive it in BILL" in page and "Link the two" not in page, "there is none that it could be"
    assert 'value="accept"' in page and 'value="retry"' not in page
    b1.b1.edit("BusinessPartners", {
        "CardCode": "BLU006", "CardName": "Blue Windows LLC", "CardType": "cSupplier", "Currency": "USD",
    })  # fmt: skip
    b1.later(minutes=1)
    b1.run("suppliers", RunKind.PULL)
    page = sign_in("operator").get(path).content.decode()
    assert "It is this one in SAP Business One" in page and "BLU006" in page
    assert sign_in("operator").post(f"{path}/link", {"target": "NOBODY"}).status_code == 400
    assert sign_in("operator").post(f"{path}/link", {"target": "BLU006"}).status_code == 302
    assert Link.objects.of(b1.workspace).get(type="supplier", source_key="BLU006").target_key == row["id"]
    problem.refresh_from_db()
    assert problem.state == "solved"


def test_the_tie_out_shows_the_clearing_account(b1, sign_in):  # R30
    b1.sync("invoices")
    b1.later(minutes=1)
    b1.pay(stp(1), PK_502="250.00")
    b1.sync("payments")
    b1.run("invoices", RunKind.PUSH)
    b1.run("accounts", RunKind.PULL)
    compute(b1.integration)
    page = sign_in("auditor").get(f"/w/acme/tie-out/{b1.integration.name}").content.decode()
    assert "Clearing account 10-1090" in page
    assert "Posted in SAP Business One" in page


def test_what_is_not_transferred_stands_with_the_runs(b1, sign_in):
    page = sign_in("auditor").get("/w/acme/runs").content.decode()
    assert "What is not transferred" in page and "Drafts that wait for an approval" in page

"""Duplicate invoices, typed in either system (R38 to R41)."""

from __future__ import annotations

import pytest

from ml_connector import audit
from ml_connector.sync import problems
from ml_connector.sync.models import Flow
from ml_connector.sync.problems import DecisionRefused
from tests.sync.acts import causes, held_for, post, problem, supplier, typed_by_hand
from tests.sync.pair import Pair


def test_the_same_invoice_under_a_twin_supplier_is_held(delivered):  # R38, R39
    supplier(delivered, "PAK003", WithTaxId="123456789")
    supplier(delivered, "ELC001", WithTaxId="12-3456789")
    post(delivered, "DUP-1", "88.00")
    delivered.sync("suppliers", "invoices")
    post(delivered, "dup 001", "88.00", supplier="PAK003")
    post(delivered, "DUP 1", "88.01", supplier="PAK003")
    delivered.sync("invoices")
    assert delivered.record("dup 001").state == "blocked"
    assert len(delivered.bills("DUP-1")) == len(delivered.bills("DUP 1")) == 1
    texts = held_for(delivered.record("dup 001"))[0].text
    assert "dup 001" in texts
    assert "DUP-1" in texts, "both are shown as they were typed"


@pytest.fixture
def voided(delivered):
    """An invoice was delivered, then taken back, and entered again under almost the same number."""
    post(delivered, "VOID-1", "77.00")
    delivered.sync("invoices")
    delivered.syspro.edit("actions", {"do": "reverse", "supplier": "ELC001", "invoice": "VOID-1"})
    return delivered


def test_a_voided_twin_is_no_duplicate(voided):  # R39
    post(voided, "VOID1", "77.00")
    voided.sync("invoices")
    assert voided.record("VOID1").state == "confirmed"
    assert [bill["archived"] for bill in (*voided.bills("VOID-1"), *voided.bills("VOID1"))] == [True, False]


def test_an_override_needs_two_people_and_a_reason(delivered):  # R41
    held = problem(delivered, "duplicate_invoice")
    with pytest.raises(DecisionRefused, match="needs a reason"):
        problems.solve(held, "override", " ", "anna")
    with pytest.raises(DecisionRefused):
        problems.solve(problem(delivered, "unmapped_code"), "override", "both are true", "anna")
    for _ in range(2):
        assert "second person" in problems.solve(held, "override", "both are true", "anna")
    delivered.sync("invoices")
    assert delivered.bills("ELC1001") == [], "one person alone, however often, decides nothing"
    held.refresh_from_db()
    problems.solve(held, "override", "checked with the supplier", "bert")
    delivered.sync("invoices")
    assert len(delivered.bills("ELC1001")) == 1
    assert "duplicate_invoice" not in causes(delivered)
    rows = audit.models.AuditEntry.objects.of(delivered.workspace).filter(action="override")
    assert set(rows.values_list("actor", flat=True)) == {"anna", "bert"}


def test_a_bill_typed_by_hand_is_found_by_listing_and_one_that_is_archived_is_no_hit(delivered):  # R40
    typed_by_hand(delivered, "hand 1", "61.00")
    typed_by_hand(delivered, "hand 2", "62.00", archived=True)
    delivered.later(minutes=1)
    post(delivered, "HAND-1", "65.00")
    post(delivered, "HAND-2", "62.00")
    delivered.sync("invoices")
    assert ("collision", "HAND-1") in delivered.problems()
    assert delivered.bills("HAND-1") == []
    assert len(delivered.bills("HAND-2")) == 1


def near(pair: Pair, days: int) -> None:
    Flow.objects.of(pair.workspace).filter(name="invoices").update(policies={"near_duplicate_days": days})


def enter_drifting_numbers(pair: Pair) -> None:
    post(pair, "NEAR-20261", "91.00", date="2026-11-10")
    post(pair, "NEAR-20267", "91.00", date="2026-11-13")
    post(pair, "NEAR-20268", "91.50", date="2026-11-13")
    post(pair, "NEAR-20269", "91.00", date="2026-10-13")
    post(pair, "QUITE-ELSE", "91.00", date="2026-11-13")
    pair.sync("invoices")


def test_near_duplicates_are_reported_with_score_and_both_records_and_travel(delivered):  # R39
    near(delivered, 7)
    enter_drifting_numbers(delivered)
    reported = problem(delivered, "near_duplicate")
    assert "NEAR-20261" in reported.text
    assert "NEAR-20267" in reported.text
    assert 0.8 <= float(reported.detail["score"]) < 1
    held = {row.record.number for row in reported.holds.model.objects.of(delivered.workspace).filter(problem=reported)}
    assert held == {"NEAR-20261", "NEAR-20267"}
    assert not reported.blocks
    assert len(delivered.bills("NEAR-20261")) == len(delivered.bills("NEAR-20267")) == 1

    problems.solve(reported, "accept", "two deliveries", "anna")
    delivered.syspro.edit("ApInvoice", {"Supplier": "ELC001", "Invoice": "NEAR-20267", "DueDate": "2026-12-30"})
    delivered.sync("invoices")
    assert "near_duplicate" not in causes(delivered), "what was accepted is not said again"


def test_near_duplicates_are_not_looked_for_unless_asked(delivered):  # R39
    enter_drifting_numbers(delivered)
    assert "near_duplicate" not in causes(delivered)

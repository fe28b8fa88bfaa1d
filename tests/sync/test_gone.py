"""What vanished from the source, or was skipped, while something of it was on its way (R18, R56)."""

from __future__ import annotations

from ml_connector.sync import mappings, problems
from ml_connector.sync.models import Record, RunKind
from ml_connector.sync.replay import replay
from tests.sync.acts import account, causes, change, correct, header, held_for, post, remove
from tests.sync.pair import Pair

PULL, PUSH, SWEEP = RunKind.PULL, RunKind.PUSH, RunKind.SWEEP


def map_sundry(pair: Pair) -> None:
    """The account that had no counterpart gets one."""
    target = account(pair, "10-6100")["id"]
    mappings.set_entries(pair.integration, "gl_account", {"10-6999": target}, actor="clerk")


def test_a_linked_invoice_that_vanished_with_an_edit_on_its_way_is_reported_and_not_archived(delivered):  # R18
    change(delivered, "ELC-1002", DueDate="2026-12-18")
    delivered.run("invoices", PULL)
    assert delivered.record("ELC-1002").state == "staged"
    remove(delivered, "ApInvoice", header(delivered, "ELC-1002"))
    delivered.run("invoices", SWEEP)
    delivered.run("invoices", PUSH)
    assert delivered.bills("ELC-1002")[0]["archived"] is False
    assert "sweep_missing" in causes(delivered)


def test_a_create_that_never_happened_is_not_sent_again_once_its_invoice_is_gone(delivered):  # R3, R18
    post(delivered, "GONE-1")
    match = {"method": "POST", "path": "/v3/bills", "contains": "GONE-1"}
    delivered.bill.faults([{"match": match, "do": "reset", "times": 1}])
    delivered.sync("invoices")
    assert delivered.record("GONE-1").state == "in_doubt"
    remove(delivered, "ApInvoice", header(delivered, "GONE-1"))
    delivered.run("invoices", SWEEP)
    delivered.settle("invoices")
    assert delivered.bills("GONE-1") == []
    assert delivered.record("GONE-1").state == "skipped"


def test_a_create_that_happened_is_reported_once_its_invoice_is_gone(delivered):  # R3, R18
    post(delivered, "GONE-1")
    match = {"method": "POST", "path": "/v3/bills", "contains": "GONE-1"}
    delivered.bill.faults([{"match": match, "do": "commit_then_reset", "times": 1}])
    delivered.sync("invoices")
    assert delivered.record("GONE-1").state == "in_doubt"
    remove(delivered, "ApInvoice", header(delivered, "GONE-1"))
    delivered.run("invoices", SWEEP)
    delivered.settle("invoices")
    delivered.run("invoices", SWEEP)
    assert len(delivered.bills("GONE-1")) == 1
    assert "sweep_missing" in causes(delivered)


def test_a_replay_sends_nothing_that_is_gone_from_the_source(delivered):  # R10, R18
    post(delivered, "GONE-1", account="10-6999")
    delivered.sync("invoices")
    remove(delivered, "ApInvoice", header(delivered, "GONE-1"))
    delivered.run("invoices", SWEEP)
    map_sundry(delivered)
    record = delivered.record("GONE-1")
    assert record.state == "skipped"
    replay(delivered.workspace, [record.pk], "anna")
    delivered.run("invoices", PUSH)
    assert delivered.bills("GONE-1") == []
    assert delivered.record("GONE-1").state == "skipped"


def test_a_credit_note_follows_its_invoice_that_was_skipped_and_travels_after_all(delivered):  # R27, R56
    post(delivered, "CRD-1", "300.00", account="10-6999")
    correct(delivered, "credit", "CRD-1", "40.00")
    delivered.sync("invoices", "credit_notes")
    (held,) = [row for row in held_for(delivered.record("CRD-1")) if row.cause == "unmapped_code"]
    problems.solve(held, "skip", "not ours", "anna")
    delivered.sync("invoices", "credit_notes")
    replay(delivered.workspace, [delivered.record("CRD-1").pk], "anna")
    map_sundry(delivered)
    delivered.sync("invoices", "credit_notes")
    assert delivered.record("CRD-1").state == "confirmed"
    credits = Record.objects.of(delivered.workspace).filter(flow__name="credit_notes", number__startswith="CRD-1")
    assert [row.state for row in credits] == ["confirmed"]

"""Documents that are handed over: claimed before anything is posted, answered once what became of them is certain."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.integrations.base import Side
from ml_connector.sync import problems
from ml_connector.sync.models import Answered, Claimed, Flow, Problem, Record, RunKind, Transfer
from ml_connector.sync.preview import preview
from ml_connector.sync.queries.story import story
from tests.sync.basware_pair import INVOICES, basware_pair

D = Decimal
ANSWERS = "transferResponses"
CLAIM = {"method": "POST", "path": "*/acknowledge"}
ANSWER = {"method": "POST", "path": f"*/{ANSWERS}"}


@pytest.fixture
def pair(workspace):
    """One invoice waits: ELC-9, over 100.00."""
    with basware_pair(workspace) as made:
        made.map_codes()
        for number in made.statuses():
            made.basware.edit(
                "accountingDocuments",
                {"invoiceId": made.document(number)["invoiceId"], "processingStatus": "PrebookFailed"},
            )
        made.approve("ELC-9", supplierCode="ELC001")
        yield made
        made.check()


def pull(pair):
    return pair.run(INVOICES, RunKind.PULL)


def push(pair):
    return pair.run(INVOICES, RunKind.PUSH)


def problem(pair, cause):
    return Problem.objects.of(pair.workspace).get(cause=cause, state="open")


# --- claiming


def test_nothing_is_posted_before_it_is_claimed(pair):  # R1
    pair.basware.faults([{"match": CLAIM, "do": "status", "status": 503}])
    pull(pair)
    assert pair.transfer("ELC-9").claim != Claimed.OURS
    push(pair)
    assert pair.writes(Side.ERP) == 0
    assert pair.record("ELC-9").state == "staged"
    pair.basware.faults([])
    pair.later(minutes=30)
    pair.take_in()
    assert pair.statuses()["ELC-9"] == "Transferred"


def test_a_claim_whose_answer_is_lost_is_looked_up_and_is_ours(pair):  # R3
    pair.basware.faults([{"match": CLAIM, "do": "commit_then_reset", "times": 1}])
    pull(pair)
    assert pair.transfer("ELC-9").claim == Claimed.ASKED
    push(pair)
    assert pair.posted("ELC-9") == []
    pair.later(minutes=1)
    pull(pair)
    assert pair.transfer("ELC-9").claim == Claimed.OURS
    assert pair.asked("acknowledge", "ELC-9") == 1
    pair.take_in()
    assert len(pair.posted("ELC-9")) == 1


def test_a_claim_that_was_not_heard_is_made_again_after_the_settling_time(pair):  # R4
    pair.basware.faults([{"match": CLAIM, "do": "reset", "times": 1}])
    pull(pair)
    pair.later(minutes=1)
    pull(pair)
    assert pair.transfer("ELC-9").claim == Claimed.ASKED
    assert pair.asked("acknowledge", "ELC-9") == 1
    pair.later(minutes=6)
    pull(pair)
    assert pair.transfer("ELC-9").claim == Claimed.OURS


def test_what_somebody_else_took_over_is_not_posted_until_a_person_says_so(pair):
    key = pair.document("ELC-9")["invoiceId"]
    pair.act("acknowledge", "ELC-9")
    pair.run(INVOICES, RunKind.SWEEP)
    push(pair)
    found = problem(pair, "claimed_elsewhere")
    assert "TransferInProgress" in found.text
    assert pair.writes(Side.ERP) == 0
    assert problems.unfit(found, "take_over") == ""
    problems.solve(found, "take_over", "looked up in SYSPRO: not there", "clerk")
    push(pair)
    pull(pair)
    assert len(pair.posted("ELC-9")) == 1
    assert pair.statuses()["ELC-9"] == "Transferred"
    assert Record.objects.of(pair.workspace).get(key=key).state == "confirmed"


def test_a_document_withdrawn_before_it_is_claimed_is_left_out(pair):
    pair.basware.faults([{"match": CLAIM, "do": "status", "status": 503}])
    pull(pair)
    pair.basware.faults([])
    key = pair.document("ELC-9")["invoiceId"]
    pair.basware.edit("accountingDocuments", {"invoiceId": key, "processingStatus": "WaitingToBeRemoved"})
    pair.later(minutes=30)
    pair.take_in()
    assert pair.record("ELC-9").state == "skipped"
    transfer = pair.transfer("ELC-9")
    assert (transfer.claim, transfer.answer) == (Claimed.NOT_NEEDED, Answered.NOT_NEEDED)
    assert pair.asked(ANSWERS) == 0


def test_documents_of_another_company_are_left_alone(pair):  # R51
    pair.basware.edit("companies", {"companyCode": "OTH", "name": "Other", "homeCurrency": "USD", "active": True})
    pair.approve("ELC-10", companyCode="OTH")
    pair.take_in()
    assert pair.statuses()["ELC-10"] == "WaitingForTransfer"
    assert not Record.objects.of(pair.workspace).filter(number="ELC-10").exists()


# --- answering


def test_a_held_document_is_answered_after_the_hours_of_the_policy(pair):
    pair.approve("ELC-11", codingRows=[{"externalCode": "r", "rowIndex": 0, "accountCode": "X", "netTotal": D(100)}])
    pair.take_in(2)
    pair.later(hours=23)
    pull(pair)
    assert pair.statuses()["ELC-11"] == "TransferInProgress"
    pair.later(hours=2)
    pull(pair)
    assert pair.statuses()["ELC-11"] == "TransferFailed"
    (told,) = pair.answers("ELC-11")
    assert (told["success"], told["responseMessage"]) == (False, "GL account X has no SYSPRO account.")
    assert "unmapped_code" not in {cause for cause, _ in pair.problems()}
    push(pair)
    pull(pair)
    assert len(pair.answers("ELC-11")) == 1


def test_with_no_hours_only_a_person_gives_a_document_back(pair):
    pair.policies(hold_hours=0)
    pair.approve("ELC-11", codingRows=[{"externalCode": "r", "rowIndex": 0, "accountCode": "X", "netTotal": D(100)}])
    pair.take_in()
    pair.later(hours=200)
    pair.take_in()
    assert pair.statuses()["ELC-11"] == "TransferInProgress"
    problems.solve(problem(pair, "unmapped_code"), "skip", "Coded to a closed project", "clerk")
    pair.take_in()
    (told,) = pair.answers("ELC-11")
    assert told["responseMessage"] == "Not posted in SYSPRO: Coded to a closed project"
    assert pair.record("ELC-11").state == "skipped"


def test_a_document_in_doubt_is_not_answered(pair):  # R3
    post = {"path": "*/transaction/post*", "contains": "<ValidateOnly>N"}
    pair.syspro.faults([{"match": post, "do": "commit_then_reset"}])
    pair.policies(hold_hours=1)
    pull(pair)
    push(pair)
    assert pair.record("ELC-9").state == "in_doubt"
    pair.later(hours=3)
    pull(pair)
    assert pair.answers("ELC-9") == []
    pair.syspro.faults([])
    push(pair)
    pull(pair)
    (told,) = pair.answers("ELC-9")
    assert told["success"] is True
    assert told["voucherNumber1"] == "2026-11 00001-001", "read back, as the answer to the post was lost"
    assert len(pair.posted("ELC-9")) == 1


def test_a_posted_document_is_not_posted_again_because_its_answer_is_lost(pair):  # R2
    pair.basware.faults([{"match": ANSWER, "do": "reset", "times": 3}])
    for _ in range(6):
        pair.take_in()
        pair.later(minutes=30)
    assert len(pair.posted("ELC-9")) == 1
    assert [one["success"] for one in pair.answers("ELC-9")] == [True]


def test_people_are_told_while_an_answer_does_not_arrive_and_no_more_when_it_did(pair):
    pair.basware.faults([{"match": ANSWER, "do": "status", "status": 503}])
    pair.take_in()
    for _ in range(3):
        pair.later(minutes=40)
        pull(pair)
    found = problem(pair, "answer_failed")
    assert "posted in SYSPRO as 2026-11 00001-001" in found.text
    assert not found.blocks
    pair.basware.faults([])
    pair.later(minutes=40)
    pull(pair)
    assert pair.transfer("ELC-9").answer == Answered.GIVEN
    assert not Problem.objects.of(pair.workspace).filter(cause="answer_failed", state="open").exists()


def test_a_document_that_comes_again_after_it_was_posted_gets_its_old_voucher(pair):
    """Somebody failed it in P2P although it is posted, and transferred it again."""
    pair.take_in()
    key, told = pair.document("ELC-9")["invoiceId"], pair.answers("ELC-9")[0]
    failed = {**told, "externalCode": "by-hand", "success": False}
    for status in ("TransferFailed", "WaitingForTransfer"):
        pair.basware.edit("accountingDocuments", {"invoiceId": key, ANSWERS: [failed], "processingStatus": status})
    pair.take_in()
    assert len(pair.posted("ELC-9")) == 1
    assert pair.writes(Side.ERP) == 1
    again = pair.answers("ELC-9")[-1]
    assert (again["success"], again["voucherNumber1"]) == (True, told["voucherNumber1"])
    assert pair.transfer("ELC-9").cycle == 2


def test_the_records_page_tells_what_was_claimed_and_answered(pair):
    pair.take_in()
    told = story(pair.workspace, pair.record("ELC-9").pk)
    what = [event.what for event in told.events]
    order = ["offered", "claim asked for", "claimed", "intent", "linked", "answer intended", "answered"]
    assert [name for name in what if name in order] == order
    (intended,) = [event.text for event in told.events if event.what == "answer intended"]
    assert "2026-11 00001-001" in intended


# --- resolving


def test_a_credit_note_waits_for_its_invoice_and_for_a_name(pair):  # R27
    credit = {"invoiceTypeCode": "CREDIT", "supplierCode": "ELC001"}
    pair.approve("CR-1", "-40.00", referenceNumber="ELC-9", **credit)
    pair.approve("CR-2", "-10.00", referenceNumber="ELC-0", **credit)
    pair.take_in(2)
    assert pair.statuses()["CR-1"] == "Transferred"
    assert pair.posted("ELC-9")[0]["MthInvBal1"] == 60
    found = problem(pair, "credit_without_invoice")
    assert "ELC-0" in found.text
    assert pair.record("CR-2").state == "blocked"
    with pytest.raises(problems.DecisionRefused, match="key in the target"):
        problems.solve(found, "name", "the supplier mistyped it", "clerk")
    problems.solve(found, "name", "the supplier mistyped it", "clerk", "ELC001/ELC-9")
    pair.take_in()
    assert pair.statuses()["CR-2"] == "Transferred"
    assert pair.posted("ELC-9")[0]["MthInvBal1"] == 50


def test_an_invoice_matched_with_goods_received_is_posted_as_such(pair):  # R43, R44
    """Basware names the order by its number without the zeros that SYSPRO stores."""
    pair.run("purchase_orders", RunKind.PULL)
    pair.syspro.edit("actions", {"do": "change_supplier", "supplier": "ELC001", "columns": {"GrnMatchReqd": "Y"}})
    row = {"externalCode": "r", "rowIndex": 0, "accountCode": "10-6200", "netTotal": D(300)}
    pair.approve(
        "ELC-12", "300.00", supplierCode="ELC001", codingRows=[{**row, "orderNumber": "150", "orderLineNumber": "2"}]
    )
    pair.take_in()
    assert pair.record("ELC-12").state == "blocked", "nothing was received"
    pair.syspro.edit("actions", {"do": "receive_goods", "order": "150", "line": 2, "quantity": 30, "grn": "000031"})
    (held,) = Problem.objects.of(pair.workspace).filter(holds__record=pair.record("ELC-12"), state="open")
    problems.solve(held, "retry", "", "clerk")
    pair.take_in()
    assert pair.record("ELC-12").state == "confirmed"
    (note,) = [row for row in pair.syspro.state("GrnDetails") if row["Grn"].strip() == "000031"]
    assert note["MatchedValue"] == 300


def test_a_supplier_that_syspro_does_not_have_holds_its_invoices(pair):  # R46
    pair.approve("XX-1", supplierCode="NOBODY")
    pair.take_in()
    assert ("supplier_missing", "XX-1") in pair.problems()
    assert pair.posted("XX-1") == []


def test_another_currency_than_the_suppliers_is_held(pair):  # R25
    pair.approve(
        "ELC-13", supplierCode="ELC001", currencyCode="EUR", exchangeRateCompany=D("1.08"), grossSumCompany=108
    )
    pair.take_in()
    assert ("currency_not_allowed", "ELC-13") in pair.problems()


def test_totals_that_do_not_add_up_are_held(pair):  # R22
    pair.approve("ELC-14", supplierCode="ELC001", grossSum=D("101"), netSum=D("101"))
    pair.take_in()
    assert ("totals_differ", "ELC-14") in pair.problems()


def test_a_closed_period_holds_or_moves_by_policy(pair):  # R33, R34, R35
    pair.approve("OLD-1", supplierCode="ELC001", voucherDate="2026-07-31", invoiceDate="2026-07-31")
    pair.take_in()
    assert pair.posted("OLD-1") == []
    held = Problem.objects.of(pair.workspace).get(holds__record=pair.record("OLD-1"), state="open")
    assert held.cause == "period_closed"
    pair.policies(closed_period="current")
    problems.solve(held, "retry", "", "clerk")
    pair.take_in()
    (row,) = pair.posted("OLD-1")
    assert row["InvoiceDate"][:10] == "2026-07-31", "the document's own date stays"
    assert (row["InvoiceYear"], row["InvoiceMonth"]) == (2026, 11)


def test_a_long_number_is_held_or_shortened_by_policy(pair):
    number = "ELC-1001-2026-NOVEMBER-0042"
    pair.approve(number, supplierCode="ELC001")
    pair.take_in()
    assert ("number_too_long", number) in pair.problems()
    pair.policies(long_numbers="right20")
    problems.solve(problem(pair, "number_too_long"), "retry", "", "clerk")
    pair.take_in()
    assert len(pair.posted(number[-20:])) == 1
    assert pair.statuses()[number] == "Transferred"


def test_posted_as_a_journal_it_is_answered_with_the_journal(pair):
    pair.erp.settings = {**pair.erp.settings, "ap_control_account": "10-2100"}
    pair.erp.save()
    pair.policies(post_as="journal")
    pair.take_in()
    assert pair.posted("ELC-9") == []
    (journal,) = pair.syspro.state("GenJournalCtl")
    shown = f"{journal['GlYear']}-{journal['GlPeriod']:02} {journal['GlJournal']:05}"
    assert pair.document("ELC-9")["voucherNumber1"] == shown
    assert Transfer.objects.of(pair.workspace).get().success


def test_a_preview_says_what_would_be_posted_and_writes_to_neither_side(pair):
    Flow.objects.of(pair.workspace).exclude(name=INVOICES).update(paused=True)
    seen = preview(pair.integration, "clerk")
    (foreseen,) = [flow for flow in seen.flows if flow.flow == INVOICES]
    assert (foreseen.created.records, foreseen.blocked.records, foreseen.causes) == (1, 0, ())
    assert (pair.writes(Side.ERP), pair.asked("acknowledge"), pair.asked(ANSWERS)) == (0, 0, 0)
    assert not Transfer.objects.of(pair.workspace).exists()

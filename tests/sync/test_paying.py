"""Payments made in BILL and what becomes of them in SAP Business One: by state, by lost answer, by what people do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector import clock
from ml_connector.integrations.base import Side
from ml_connector.sync import deliver, holds, problems
from ml_connector.sync.models import Attempt, Link, Outcome, Problem, RunKind
from ml_connector.sync.preview import preview
from ml_connector.sync.queries.links import link_rows
from ml_connector.sync.replay import replay
from tests.sync.sapb1_pair import sapb1_pair, stp

D = Decimal
POST = {"method": "POST", "path": "/b1s/*/VendorPayments"}
CANCEL = {"method": "POST", "path": "/b1s/*/Cancel"}


@pytest.fixture
def pair(workspace):
    """The base set delivered once; nothing paid."""
    with sapb1_pair(workspace, page_size=1000) as made:
        made.map_accounts()
        made.link_hydra()
        made.sync()
        yield made
        made.check()


def turn(pair, *names):
    """A quarter of an hour passes, and the Flows run."""
    pair.later(minutes=15)
    return pair.sync(*(names or ("payments",)))


def becomes(pair, state, **fields):
    """What becomes of the one payment in BILL, and of it here."""
    pair.change(stp(1), singleStatus=state, **fields)
    turn(pair)


def told(pair, cause):
    """The text of the one open Problem of a cause."""
    return Problem.objects.of(pair.workspace).get(cause=cause, state="open").text


def decide(pair, cause, action, reason="as agreed"):
    problems.solve(Problem.objects.of(pair.workspace).get(cause=cause, state="open"), action, reason, actor="clerk")


def causes(pair):
    return {cause for cause, _ in pair.problems()} - {"supplier_on_hold", "unmapped_code", "duplicate_invoice"}


def references(pair):
    return [row["TransferReference"] for row in pair.posted()]


def alive(pair):
    return [row["TransferReference"] for row in pair.posted() if row["Cancelled"] == "tNO"]


# --- by state


def test_what_is_not_paid_yet_waits_with_the_words_of_bill(pair):
    pair.pay(stp(1), "SCHEDULED", ELC_1001="1620.00")
    turn(pair)
    for state in ("FUNDING_STARTED", "PROCESSED", "SENT"):
        becomes(pair, state)
        assert (pair.payment(stp(1)).state, state in pair.payment(stp(1)).reason) == ("skipped", True)
    assert pair.posted() == []
    becomes(pair, "CLEARED")
    assert references(pair) == [stp(1)]
    assert causes(pair) == set()


def test_a_payment_voided_before_it_was_posted_is_left_out(pair):  # R29
    pair.pay(stp(1), ELC_1001="1620.00")
    pair.change(stp(1), singleStatus="VOIDED")
    turn(pair)
    assert (pair.payment(stp(1)).state, pair.posted()) == ("skipped", [])


def test_a_failed_payment_is_a_problem_with_the_reason_and_is_not_posted(pair):  # R29
    pair.pay(stp(1), ELC_1001="1620.00")
    void = [{"type": "VOID_ONLY", "status": "ACCEPTED", "reason": "Insufficient funds"}]
    becomes(pair, "FUNDING_FAILED_VOIDED", voidInfo=void)
    assert pair.posted() == []
    assert "Insufficient funds" in told(pair, "payment_failed")
    assert stp(1) in told(pair, "payment_failed")
    decide(pair, "payment_failed", "skip")
    turn(pair)
    assert (pair.payment(stp(1)).state, causes(pair)) == ("skipped", set())


def test_a_payment_that_fails_after_it_was_posted_is_cancelled_and_told(pair):  # R29
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    becomes(pair, "DISBURSEMENT_FAILED_ACTION_NEEDED")
    assert alive(pair) == [stp(1)], "BILL has not decided yet"
    assert "It stays posted" in told(pair, "payment_failed")
    becomes(pair, "FUNDING_FAILED_VOIDED")
    assert alive(pair) == []
    assert "was cancelled" in told(pair, "payment_failed")
    assert pair.open("ELC-1001") == 1620
    assert pair.payment(stp(1)).state == "confirmed"


def test_a_state_that_nobody_knows_is_never_posted(pair):
    pair.pay(stp(1), "FUNDS_ESCHEATED", ELC_1001="1620.00")
    turn(pair)
    assert pair.posted() == []
    assert "FUNDS_ESCHEATED" in told(pair, "unknown_status")
    becomes(pair, "CLEARED")
    assert (references(pair), causes(pair)) == ([stp(1)], set())


def test_a_void_for_a_credit_is_cancelled_and_told(pair):  # R29
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    becomes(pair, "VOIDED", voidInfo=[{"type": "VOID_AND_CREDIT", "status": "ACCEPTED"}])
    assert alive(pair) == []
    assert "the money did not come back" in told(pair, "void_left_credit")
    decide(pair, "void_left_credit", "accept")
    turn(pair)
    assert causes(pair) == set()


def test_what_was_paid_outside_and_recorded_in_bill_is_not_posted(pair):  # R30
    bill = pair.bills("ELC-1001")[0]["id"]
    pair.bill.edit("payments", {
        "id": stp(1), "billPayments": [{"billId": bill, "amount": D("1620.00")}], "singleStatus": "CLEARED",
        "onlinePayment": False,
    })  # fmt: skip
    turn(pair)
    assert (pair.payment(stp(1)).state, pair.posted()) == ("skipped", [])


def test_payments_before_the_cut_over_are_left_out(pair):
    flow = pair.flow("payments")
    flow.policies = {"paid_from": "2026-11-16"}
    flow.save()
    pair.pay(stp(1), ELC_1001="1620.00")
    pair.change(stp(1), processDate="2026-11-15")
    pair.pay(stp(2), ELC_1002="913.19")
    turn(pair)
    assert references(pair) == [stp(2)]
    assert "2026-11-16" in pair.payment(stp(1)).reason


def test_a_late_void_without_a_stamp_is_found_by_the_nightly_reading(pair):  # R17, R29
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    stamp = next(row["updatedTime"] for row in pair.bill.state("payments"))
    pair.later(hours=12)
    pair.pay(stp(2), PK_502="250.00")
    turn(pair)
    pair.change(stp(1), singleStatus="VOIDED", updatedTime=stamp)
    turn(pair)
    assert alive(pair) == [stp(1), stp(2)]
    pair.run("payments", RunKind.SWEEP)
    turn(pair)
    assert alive(pair) == [stp(2)]


def test_a_new_number_of_a_posted_payment_changes_nothing_and_another_amount_is_told(pair):
    pair.pay(stp(1), ELC_1001="1000.00")
    turn(pair)
    writes = len(pair.b1.requests())
    pair.change(stp(1), disbursementType="CHECK", disbursementInfo={"checkDisbursement": {"checkNumber": 70011}})
    turn(pair)
    assert (pair.payment(stp(1)).state, pair.payment(stp(1)).number) == ("confirmed", "70011")
    part = {"billId": pair.bills("ELC-1001")[0]["id"], "amount": D("900.00")}
    pair.change(stp(1), billPayments=[part], amount=D("900.00"))
    turn(pair)
    assert "amount" in told(pair, "edit_after_posting")
    assert len(pair.b1.requests()) > writes
    assert (len(pair.posted()), pair.open("ELC-1001")) == (1, 620)


# --- what it pays


def by_hand(pair, number, amount):
    """A clerk types a bill in BILL."""
    (known,) = pair.bills("ELC-1001")
    line = {"amount": D(amount), "classifications": known["billLineItems"][0]["classifications"]}
    (row,) = pair.bill.edit("bills", {
        "vendorId": known["vendorId"], "invoice": {"invoiceNumber": number, "invoiceDate": "2026-11-16"},
        "dueDate": "2026-12-16", "billLineItems": [line],
    })  # fmt: skip
    return row


def test_a_payment_over_bills_of_others_is_held_whole_until_they_are_known(pair):  # R40
    by_hand(pair, "ELC-9000", "80.00")
    pair.pay(stp(1), ELC_1001="1620.00", ELC_9000="80.00")
    turn(pair)
    assert pair.posted() == []
    assert "The other 1 of its bills did" in told(pair, "payment_unmatched")
    pair.b1.edit("PurchaseInvoices", {
        "CardCode": "ELC001", "NumAtCard": "ELC-9000", "DocType": "dDocument_Service", "TaxDate": "2026-11-16",
        "DocDate": "2026-11-16", "DocDueDate": "2026-12-16",
        "DocumentLines": [{"AccountCode": "10-6100", "ItemDescription": "x", "LineTotal": 80, "VatGroup": "P0"}],
    })  # fmt: skip
    turn(pair, "invoices")
    assert pair.flow("payments").next_push_at == clock.now(), "what it waited for wakes it"
    turn(pair)
    assert causes(pair) == {"edit_after_posting"}, "the clerk's bill is worded otherwise, and is paid"
    (posted,) = pair.posted()
    assert [D(str(row["SumApplied"])) for row in posted["PaymentInvoices"]] == [1620, 80]


def test_the_known_part_is_posted_where_the_policy_says_so(pair):
    flow = pair.flow("payments")
    flow.policies = {"unmatched": "post_known"}
    flow.save()
    by_hand(pair, "ELC-9000", "80.00")
    pair.pay(stp(1), ELC_1001="1620.00", ELC_9000="80.00")
    turn(pair)
    (posted,) = pair.posted()
    assert D(str(posted["TransferSum"])) == 1620
    assert "without USD 80.00" in told(pair, "payment_unmatched")
    assert pair.payment(stp(1)).state == "confirmed"


def test_more_than_is_open_is_refused_before_anything_is_posted(pair):  # R28
    entry = pair.invoice("PK-502")["DocEntry"]
    pair.b1.edit("actions", {"do": "reconcile", "entry": entry, "amount": D("900.00")})
    pair.pay(stp(1), PK_502="250.00")
    turn(pair)
    assert (pair.posted(), pair.open("PK-502")) == ([], 100)
    assert "PK-502" in told(pair, "over_application")
    pair.b1.edit("actions", {"do": "reconcile", "entry": entry})
    decide(pair, "over_application", "retry")
    turn(pair)
    assert causes(pair) == {"document_closed"}


def test_payments_in_any_order_add_up(pair):  # R28
    pair.pay(stp(2), PK_502="700.00")
    turn(pair)
    pair.pay(stp(1), PK_502="200.00")
    turn(pair)
    assert (pair.open("PK-502"), pair.clearing()) == (100, 900)
    pair.change(stp(2), singleStatus="VOIDED")
    turn(pair)
    assert (pair.open("PK-502"), pair.clearing()) == (800, 200)
    pair.pay(stp(3), PK_502="800.00")
    turn(pair)
    assert (sorted(alive(pair)), pair.open("PK-502"), pair.clearing()) == ([stp(1), stp(3)], 0, 1000)


def test_a_credit_note_that_has_lowered_its_invoice_is_not_applied_again(pair):  # R26, R27
    entry = pair.invoice("PK-502")["DocEntry"]
    pair.b1.edit("PurchaseCreditNotes", {
        "CardCode": "PAK003", "NumAtCard": "PK-509", "DocType": "dDocument_Service", "TaxDate": "2026-11-16",
        "DocDate": "2026-11-16", "DocDueDate": "2026-11-16",
        "DocumentLines": [
            {"AccountCode": "10-6200", "LineTotal": 100, "VatGroup": "P0", "BaseType": 18, "BaseEntry": entry,
             "BaseLine": 0},
        ],
    })  # fmt: skip
    turn(pair, "invoices", "credit_notes")
    pair.run("invoices", RunKind.SWEEP)
    turn(pair, "invoices", "settled_in_sapb1")
    assert causes(pair) == set(), "a credit is no payment"
    note = next(row for row in pair.bill.state("vendor-credits") if row["referenceNumber"] == "PK-509")
    part = {"billId": pair.bills("PK-502")[0]["id"], "amount": D("900.00")}
    part["vendorCredits"] = [{"id": note["id"], "amount": D("100.00")}]
    pair.bill.edit("payments", {"id": stp(1), "billPayments": [part], "singleStatus": "CLEARED"})
    turn(pair)
    (posted,) = pair.posted()
    assert [D(str(row["SumApplied"])) for row in posted["PaymentInvoices"]] == [900]
    assert pair.open("PK-502") == 0
    part = {"billId": pair.bills("PK-500")[0]["id"], "amount": D("575.00"), "vendorCredits": part["vendorCredits"]}
    pair.bill.edit("payments", {"id": stp(2), "billPayments": [part], "singleStatus": "CLEARED"})
    turn(pair)
    assert "PK-509" in told(pair, "payment_unmatched")
    assert references(pair) == [stp(1)]


def test_an_invoice_that_a_credit_note_has_lowered_before_it_travels_does_travel(pair):  # R27
    (row,) = pair.b1.edit("PurchaseInvoices", {
        "CardCode": "PAK003", "NumAtCard": "PK-600", "DocType": "dDocument_Service", "TaxDate": "2026-11-16",
        "DocDate": "2026-11-16", "DocDueDate": "2026-12-16",
        "DocumentLines": [{"AccountCode": "10-6200", "LineTotal": 300, "VatGroup": "P0"}],
    })  # fmt: skip
    pair.b1.edit("PurchaseCreditNotes", {
        "CardCode": "PAK003", "NumAtCard": "PK-601", "DocType": "dDocument_Service", "TaxDate": "2026-11-16",
        "DocDate": "2026-11-16", "DocDueDate": "2026-11-16",
        "DocumentLines": [
            {"AccountCode": "10-6200", "LineTotal": 100, "VatGroup": "P0", "BaseType": 18, "BaseEntry": row["DocEntry"],
             "BaseLine": 0},
        ],
    })  # fmt: skip
    turn(pair, "invoices", "credit_notes")
    assert pair.flow("invoices").next_push_at == clock.now(), "now it is known what was taken off it"
    turn(pair, "invoices", "credit_notes")
    assert D(str(pair.bills("PK-600")[0]["amount"])) == 300
    assert "PK-601" in {row["referenceNumber"] for row in pair.bill.state("vendor-credits")}
    assert causes(pair) == set()


def test_a_hold_on_a_supplier_covers_their_payments(pair):  # R70
    pair.pay(stp(1), ELC_1001="1620.00")
    pair.pay(stp(2), PK_502="250.00")
    turn(pair)
    holds.hold_supplier(pair.integration, "ELC001", "a lawsuit", "clerk")
    held = holds.held(pair.workspace)
    covered = [key for key in (stp(1), stp(2)) if held.covers(pair.payment(key))]
    assert covered == [stp(1)]


def test_a_preview_foresees_what_is_posted_and_cancelled_and_writes_nothing(pair):
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    pair.change(stp(1), singleStatus="VOIDED")
    pair.pay(stp(2), PK_502="250.00")
    pair.later(minutes=15)
    before = pair.writes(Side.ERP)
    found = next(flow for flow in preview(pair.integration, "clerk").flows if flow.flow == "payments")
    assert (found.created.records, found.cancelled.records) == (1, 1)
    assert found.created.amount == {"USD": D("250.00")}
    assert pair.writes(Side.ERP) == before


def test_a_link_list_names_a_payment_by_its_number_after_its_cancellation_too(pair):
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    becomes(pair, "VOIDED")
    (row,) = link_rows(pair.integration, "payment")
    assert (row.source_key, row.number) == (f"{stp(1)}/1", pair.number(stp(1)))


# --- made again


def test_a_payment_made_again_under_its_key_is_another_document(pair):  # R29
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    becomes(pair, "VOIDED")
    pair.b1.faults([{"match": POST, "do": "commit_then_reset", "times": 1}])
    becomes(pair, "CLEARED")
    assert pair.payment(stp(1)).state == "in_doubt"
    turn(pair)
    assert references(pair) == [stp(1), f"{stp(1)}/2"]
    assert (alive(pair), pair.open("ELC-1001")) == ([f"{stp(1)}/2"], 0)
    becomes(pair, "VOIDED")
    becomes(pair, "CLEARED")
    assert alive(pair) == [f"{stp(1)}/3"]
    links = set(Link.objects.of(pair.workspace).filter(type="payment").values_list("source_key", flat=True))
    assert links == {f"{stp(1)}/1", f"{stp(1)}/2", stp(1)}


def test_a_cancellation_whose_answer_is_lost_is_done_once(pair):  # R3, R29
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    pair.b1.faults([{"match": CANCEL, "do": "commit_then_status", "status": 502, "times": 1}])
    becomes(pair, "VOIDED")
    assert pair.payment(stp(1)).state == "in_doubt"
    turn(pair)
    assert (pair.payment(stp(1)).state, alive(pair)) == ("confirmed", [])
    assert sum(row["path"].endswith("/Cancel") for row in pair.b1.requests()) == 1


def test_a_lost_posting_that_somebody_cancelled_is_not_taken_for_done(pair):  # R3, R5
    pair.b1.faults([{"match": POST, "do": "commit_then_reset", "times": 1}])
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    (row,) = pair.posted()
    pair.b1.edit("actions", {"do": "cancel", "set": "VendorPayments", "entry": row["DocEntry"]})
    turn(pair)
    assert (pair.payment(stp(1)).state, causes(pair)) == ("blocked", {"payment_cancelled"})
    replay(pair.workspace, [pair.payment(stp(1)).pk], actor="clerk")
    turn(pair)
    assert alive(pair) == [f"{stp(1)}/2"]
    assert causes(pair) == set()


def test_a_posting_cancelled_by_hand_is_asked_about_and_our_own_are_no_payments_elsewhere(pair):
    pair.pay(stp(1), ELC_1001="1620.00")
    pair.pay(stp(2), PK_502="250.00")
    turn(pair)
    entry = pair.posted(stp(1))[0]["DocEntry"]
    pair.b1.edit("actions", {"do": "cancel", "set": "VendorPayments", "entry": entry})
    pair.run("invoices", RunKind.SWEEP)
    turn(pair, "invoices", "settled_in_sapb1")
    assert causes(pair) == {"payment_cancelled"}
    assert stp(1) in told(pair, "payment_cancelled")
    decide(pair, "payment_cancelled", "retry")
    turn(pair)
    turn(pair, "settled_in_sapb1")
    assert sorted(alive(pair)) == [f"{stp(1)}/2", stp(2)]
    assert causes(pair) == set()


def test_a_void_that_has_not_been_taken_back_yet_is_no_payment_elsewhere(pair):
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    pair.run("invoices", RunKind.SWEEP)
    pair.change(stp(1), singleStatus="VOIDED")
    turn(pair, "invoices", "settled_in_sapb1")
    assert causes(pair) == set()
    entry = pair.invoice("PK-502")["DocEntry"]
    pair.b1.edit("actions", {"do": "reconcile", "entry": entry, "amount": D("40.00")})
    pair.run("invoices", RunKind.SWEEP)
    turn(pair, "invoices", "settled_in_sapb1")
    assert "40.00" in told(pair, "paid_elsewhere")


# --- closed periods, drafts


def test_payments_of_a_closed_period_wait_as_one_problem(pair):  # R34, R37
    pair.b1.edit("actions", {"do": "lock_period", "period": "2026-10"})
    pair.pay(stp(1), ELC_1001="1620.00")
    pair.change(stp(1), processDate="2026-10-30")
    pair.pay(stp(2), PK_502="250.00")
    pair.change(stp(2), processDate="2026-10-31")
    pair.pay(stp(3), HU_2202="199.60")
    turn(pair)
    assert references(pair) == [stp(3)]
    text = told(pair, "period_closed")
    assert "2026-10" in text
    pair.b1.edit("actions", {"do": "lock_period", "period": "2026-10", "status": "ltUnlocked"})
    decide(pair, "period_closed", "retry")
    turn(pair)
    assert sorted(references(pair)) == [stp(1), stp(2), stp(3)]
    assert causes(pair) == set()
    assert {row["DocDate"][:10] for row in pair.posted(stp(1))} == {"2026-10-30"}


def test_an_invoice_of_a_closed_period_is_paid_in_an_open_one(pair):  # R37
    pair.b1.edit("actions", {"do": "lock_period", "period": "2026-09"})
    pair.pay(stp(1), HU_2202="199.60")
    turn(pair)
    assert pair.open("HU-2202") == 0


@pytest.mark.parametrize("lost", [False, True])
def test_a_draft_is_decided_by_a_person_and_posted_once(pair, lost):
    pair.b1.options({"approval_above": 1, "approval_answer": "created"})
    if lost:
        pair.b1.faults([{"match": POST, "do": "commit_then_reset", "times": 1}])
    pair.pay(stp(1), ELC_1001="1620.00")
    turn(pair)
    turn(pair)
    assert (pair.posted(), causes(pair)) == ([], {"draft_left_behind"})
    draft = pair.b1.state("PaymentDrafts")[0]["DocEntry"]
    pair.b1.edit("actions", {"do": "approve_draft", "set": "PaymentDrafts", "draft": draft, "add": True})
    decide(pair, "draft_left_behind", "retry")
    turn(pair)
    turn(pair)
    assert (references(pair), pair.payment(stp(1)).state, causes(pair)) == ([stp(1)], "confirmed", set())
    assert len(pair.b1.state("PaymentDrafts")) <= 1


# --- processes


def test_a_worker_that_dies_after_its_posting_leaves_one_payment_to_the_next(pair, monkeypatch):  # R7, R9
    pair.pay(stp(1), ELC_1001="1620.00")
    pair.pay(stp(2), PK_502="250.00")
    pair.run("payments", RunKind.PULL)

    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(deliver.Delivery, "_store", dies)
        pair.run("payments", RunKind.PUSH)
    assert Attempt.objects.of(pair.workspace).filter(outcome=Outcome.PENDING).count() == 2
    turn(pair)
    turn(pair)
    assert sorted(references(pair)) == [stp(1), stp(2)]
    assert pair.states("payments") == {"confirmed": 2}


def test_two_true_payments_of_the_same_day_and_amount_are_two(pair):  # R5
    pair.b1.faults([{"match": POST, "do": "commit_then_reset", "times": 2}])
    pair.pay(stp(1), PK_502="250.00")
    pair.pay(stp(2), PK_502="250.00")
    for _ in range(4):
        turn(pair)
    assert sorted(references(pair)) == [stp(1), stp(2)]
    links = Link.objects.of(pair.workspace).filter(type="payment")
    entries = {str(row["DocEntry"]): row["TransferReference"] for row in pair.posted()}
    assert {link.source_key: entries[link.target_key] for link in links} == {stp(1): stp(1), stp(2): stp(2)}


def test_a_payment_typed_by_hand_is_linked_and_not_posted_again(pair):  # R40
    entry = pair.invoice("PK-502")["DocEntry"]
    pair.b1.edit("VendorPayments", {
        "DocType": "rSupplier", "CardCode": "PAK003", "DocDate": "2026-11-16", "TransferAccount": "10-1090",
        "TransferDate": "2026-11-16", "TransferSum": D("250.00"), "TransferReference": "P26 by hand",
        "PaymentInvoices": [{"DocEntry": entry, "InvoiceType": "it_PurchaseInvoice", "SumApplied": D("250.00")}],
    })  # fmt: skip
    pair.pay(stp(1), PK_502="250.00")
    turn(pair)
    turn(pair)
    assert (references(pair), pair.payment(stp(1)).state) == (["P26 by hand"], "confirmed")

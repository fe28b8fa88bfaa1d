"""Vendor payments against the stand-in: one payment whatever happens to its answer, found by mark, and taken back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from ml_connector.domain.records import CreditUsed, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import DocumentState, NoLonger, NotFound, OutcomeUnknown, Ref, Refused, Transient

MARK = "mlc0123456789"
POST = {"method": "POST", "path": "/b1s/*/VendorPayments"}


def sent(pair):
    return len(pair.calls("POST", "VendorPayments"))


def balance(pair, key):
    """What the stand-in has as open on an invoice."""
    row = next(row for row in pair.b1.state("PurchaseInvoices") if str(row["DocEntry"]) == key)
    return Decimal(str(row["DocTotal"])) - Decimal(str(row["PaidToDate"]))


@pytest.fixture
def invoice(pair):
    return pair.open_invoices()[0]


def test_a_payment_is_posted_read_back_and_closes_its_invoice(either, make_payment):  # R28
    invoice = either.open_invoices()[0]
    target = either.payments()
    record = make_payment(invoice)
    ref = target.create(record, MARK)
    found = target.get(ref.key)
    assert ref.amount == record.amount
    assert found.mark == MARK
    assert found.state is DocumentState.PAID
    assert target.differences(record, found.record) == []
    assert balance(either, invoice.key) == 0
    assert len(either.wrote) == 1
    after = either.client.source("invoice", {}).get(invoice.key)
    assert Decimal(after.observed["paid"]) == invoice.record.gross
    assert Decimal(after.observed["open"]) == 0


def test_partial_payments_add_up(pair, invoice, make_payment):  # R28
    target = pair.payments()
    target.create(make_payment(invoice, "10.01"), "mlcAAAAAAAAAA")
    target.create(make_payment(invoice, "0.99"), "mlcBBBBBBBBBB")
    assert balance(pair, invoice.key) == invoice.record.gross - 11
    rest = invoice.record.gross - 11
    target.create(make_payment(invoice, rest), "mlcCCCCCCCCCC")
    assert balance(pair, invoice.key) == 0


def test_one_payment_for_several_invoices(pair, make_payment):
    one = pair.open_invoices()[0]
    amount = one.record.gross
    row = {
        "CardCode": one.record.supplier, "DocDate": "2026-11-16", "TaxDate": "2026-11-16", "DocDueDate": "2026-12-16",
        "DocType": "dDocument_Service", "NumAtCard": "SECOND", "DocCurrency": "USD",
        "DocumentLines": [{"ItemDescription": "x", "LineTotal": 50, "AccountCode": "10-6100", "VatGroup": "P0"}],
    }  # fmt: skip
    entry = str(pair.b1.edit("PurchaseInvoices", row)[0]["DocEntry"])
    allocations = (
        PaymentAllocation(invoice=one.key, gross=amount, net=amount),
        PaymentAllocation(invoice=entry, gross=Decimal(50), net=Decimal(50)),
    )
    record = make_payment(one, amount + 50, allocations=allocations)
    ref = pair.payments().create(record, MARK)
    assert balance(pair, one.key) == balance(pair, entry) == 0
    assert pair.payments().differences(record, pair.payments().get(ref.key).record) == []


def test_a_foreign_invoice_is_paid_in_its_currency(connect, make_payment):  # R25
    pair = connect(invoices=200)
    suppliers = pair.client.source("supplier", {})
    open_ones = pair.open_invoices("EUR")
    invoice = next(item for item in open_ones if not suppliers.get(item.record.supplier).record.on_hold)
    record = make_payment(invoice, rate=Decimal("1.1"))
    ref = pair.payments().create(record, MARK)
    found = pair.payments().get(ref.key).record
    assert pair.payments().differences(record, found) == []
    assert (found.currency, found.amount, found.rate) == ("EUR", invoice.record.gross, Decimal("1.1"))
    after = pair.client.source("invoice", {}).get(invoice.key)
    assert Decimal(after.observed["open"]) == 0


def test_a_credit_note_is_applied_with_its_invoice(pair, make_payment):  # R26
    row = {"CardCode": "ELC001", "CardName": "Electra", "CardType": "cSupplier", "Currency": "USD"}
    pair.b1.edit("BusinessPartners", row)
    body = {
        "CardCode": "ELC001", "DocDate": "2026-11-16", "TaxDate": "2026-11-16", "DocDueDate": "2026-12-16",
        "DocType": "dDocument_Service", "DocCurrency": "USD",
    }  # fmt: skip

    def enter(set_name, number, amount):
        lines = [{"ItemDescription": "x", "LineTotal": amount, "AccountCode": "10-6100"}]
        return pair.b1.edit(set_name, {**body, "NumAtCard": number, "DocumentLines": lines})[0]["DocEntry"]

    invoice, credit = enter("PurchaseInvoices", "I-1", 675), enter("PurchaseCreditNotes", "C-1", 75)
    item = pair.client.source("invoice", {}).get(str(invoice))
    allocations = (
        PaymentAllocation(
            invoice=str(invoice),
            gross=Decimal(675),
            net=Decimal(600),
            credit=Decimal(75),
            credits=(CreditUsed(ref=f"CN-{credit}", amount=Decimal(75)),),
        ),
    )
    # The cash alone leaves the bank: 675 of the invoice less 75 of the credit note.
    record = make_payment(item, "600", allocations=allocations)
    record = msgspec.structs.replace(record, amount=Decimal("600.00"))
    ref = pair.payments().create(record, MARK)
    assert balance(pair, str(invoice)) == 0
    note = next(row for row in pair.b1.state("PurchaseCreditNotes") if row["DocEntry"] == credit)
    assert note["DocumentStatus"] == "bost_Close"
    assert pair.payments().get(ref.key).record.amount == Decimal("600.00")


# --- lost answers ---


@pytest.mark.parametrize(
    "do",
    [
        {"do": "commit_then_reset"},
        {"do": "commit_then_status", "status": 502},
        {"do": "commit_then_status", "status": 504},
        {"do": "garble"},
        {"do": "empty"},
        {"do": "truncate"},
        {"do": "commit_then_expire_session"},
    ],
)
def test_a_payment_whose_answer_is_lost_is_found_by_its_mark(either, make_payment, do):  # R3, R6, R8
    invoice = either.open_invoices()[0]
    record = make_payment(invoice)
    either.b1.faults([{"match": POST, "times": 1, **do}])
    with pytest.raises(OutcomeUnknown):
        either.payments().create(record, MARK)
    hits = either.payments().find(record, MARK)
    assert [hit.mark for hit in hits] == [MARK]
    assert either.payments().identity_differences(record, hits[0].record) == []
    assert sent(either) == 1


@pytest.mark.parametrize(
    "do", [{"do": "reset"}, {"do": "status", "status": 503}, {"do": "status", "status": 500, "body": ""}]
)
def test_a_payment_that_was_not_posted_is_not_found(pair, invoice, make_payment, do):  # R3
    record = make_payment(invoice)
    pair.b1.faults([{"match": POST, "times": 1, **do}])
    with pytest.raises(OutcomeUnknown):
        pair.payments().create(record, MARK)
    assert pair.payments().find(record, MARK) == []
    assert pair.payments().create(record, MARK).key


def test_nothing_left_when_the_server_refuses_the_connection(pair, invoice, make_payment):  # R63
    target = pair.payments()
    pair.client.identity()
    pair.b1.stop()
    with pytest.raises(Transient):
        target.create(make_payment(invoice), MARK)


def test_a_payment_typed_by_hand_is_found_by_what_it_pays(pair, invoice, make_payment):  # R5, R40
    record = make_payment(invoice)
    (row,) = pair.b1.edit("VendorPayments", {
        "DocType": "rSupplier", "CardCode": record.supplier, "DocDate": record.date.isoformat(),
        "TransferAccount": "10-1090", "TransferDate": record.date.isoformat(), "TransferSum": record.amount,
        "TransferReference": "REF 88", "Remarks": "by hand",
        "PaymentInvoices": [
            {"DocEntry": int(invoice.key), "InvoiceType": "it_PurchaseInvoice", "SumApplied": record.amount}
        ],
    })  # fmt: skip
    assert [hit.key for hit in pair.payments().find(record, MARK)] == [str(row["DocEntry"])]
    other = msgspec.structs.replace(record, date=date(2026, 11, 15))
    assert pair.payments().find(other, MARK) == []


def test_a_payment_that_a_person_cancelled_is_still_ours(pair, invoice, make_payment):  # R3
    record = make_payment(invoice)
    ref = pair.payments().create(record, MARK)
    pair.payments().cancel(ref, "voided")
    found = pair.payments().find(record, MARK)
    assert [(hit.key, hit.state) for hit in found] == [(ref.key, DocumentState.ARCHIVED)]


def test_another_payment_of_ours_over_the_same_amount_is_not_taken_for_this_one(pair, invoice, make_payment):  # R5
    record = make_payment(invoice, "5.00")
    first = pair.payments().create(record, "mlcAAAAAAAAAA")
    assert pair.payments().find(record, "mlcBBBBBBBBBB") == []
    second = pair.payments().create(record, "mlcBBBBBBBBBB")
    assert [hit.key for hit in pair.payments().find(record, "mlcAAAAAAAAAA")] == [first.key]
    assert [hit.key for hit in pair.payments().find(record, "mlcBBBBBBBBBB")] == [second.key]


# --- taking back ---


def test_a_payment_taken_back_opens_its_invoice(pair, invoice, make_payment):  # R29
    ref = pair.payments().create(make_payment(invoice), MARK)
    pair.payments().cancel(ref, "voided in BILL")
    assert balance(pair, invoice.key) == invoice.record.gross
    found = pair.payments().get(ref.key)
    assert found.record.status is PaymentStatus.VOIDED
    pair.payments().cancel(ref, "voided in BILL")
    assert len(pair.calls("POST", f"VendorPayments({ref.key})/Cancel")) == 1


def test_a_cancellation_whose_answer_is_lost_is_done_once(pair, invoice, make_payment):  # R3
    ref = pair.payments().create(make_payment(invoice), MARK)
    pair.b1.faults([{"match": {"path": "/b1s/*/Cancel"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        pair.payments().cancel(ref, "voided")
    pair.payments().cancel(ref, "voided")
    assert balance(pair, invoice.key) == invoice.record.gross
    assert len(pair.calls("POST", f"VendorPayments({ref.key})/Cancel")) == 1


def test_a_payment_that_is_not_there_cannot_be_taken_back(pair):
    with pytest.raises(NotFound):
        pair.payments().cancel(Ref("99999"), "voided")
    assert pair.payments().get("99999") is None
    assert pair.payments().get("x") is pair.payments().get("²") is None


def test_a_posted_payment_is_never_changed(pair, invoice, make_payment):
    record = make_payment(invoice, "10.00")
    ref = pair.payments().create(record, MARK)
    later = msgspec.structs.replace(record, reference="another number")
    assert pair.payments().update(ref, later, MARK) == ref
    with pytest.raises(NoLonger, match="amount, allocations"):
        pair.payments().update(ref, make_payment(invoice, "11.00"), MARK)
    pair.payments().cancel(ref, "voided")
    with pytest.raises(NoLonger, match="cancelled"):
        pair.payments().update(ref, record, MARK)
    assert len(pair.calls("POST", "VendorPayments")) == 1


# --- refusals ---


def refused(pair, record, mark=MARK):
    with pytest.raises(Refused) as caught:
        pair.payments().create(record, mark)
    assert record.supplier in str(caught.value)
    return caught.value


@pytest.mark.parametrize("code", [-10, -5002])
def test_a_locked_period_is_said_with_document_and_field(connect, make_payment, code):  # R33, R34
    pair = connect(closed_period_code=code)
    invoice = pair.open_invoices()[0]
    pair.b1.edit("actions", {"do": "lock_period", "period": "2026-11", "status": "ltLocked"})
    error = refused(pair, make_payment(invoice))
    assert (error.code, error.field) == ("period_closed", "DocDate")


def test_a_closed_fiscal_year_is_said(pair, invoice, make_payment):  # R33
    error = refused(pair, make_payment(invoice, date=date(2019, 8, 1)))
    assert error.code == "fiscal_year_closed"
    assert "2019-08-01" in str(error)


@pytest.mark.parametrize("old", [False, True])
def test_more_than_is_open_is_refused(connect, make_payment, old):  # R28
    pair = connect()
    invoice = pair.open_invoices()[0]
    pair.b1.options({"old_release": old})
    error = refused(pair, make_payment(invoice, invoice.record.gross + 1))
    assert error.code == "over_application"
    assert sent(pair) == int(old)


def test_a_closed_invoice_is_refused_before_anything_leaves(pair, invoice, make_payment):  # R28
    pair.payments().create(make_payment(invoice), "mlcAAAAAAAAAA")
    error = refused(pair, make_payment(invoice, "1.00"))
    assert error.code == "document_closed"
    assert sent(pair) == 1


def test_an_invoice_that_closes_meanwhile_is_refused_by_the_server(pair, invoice, make_payment, monkeypatch):
    target, record = pair.payments(), make_payment(invoice)
    stale = target._documents(record)
    pair.payments().create(record, "mlcAAAAAAAAAA")
    monkeypatch.setattr(target, "_documents", lambda _record: stale)
    with pytest.raises(Refused) as caught:
        target.create(record, MARK)
    assert caught.value.code == "document_closed"


def test_an_unknown_invoice_and_a_clearing_account_that_is_none_are_named(connect, make_payment):
    pair = connect({"bill_clearing_account": "10-0000"})
    invoice = pair.open_invoices()[0]
    error = refused(pair, make_payment(invoice))
    assert (error.code, error.field) == ("reference_missing", "TransferAccount")
    gone = (PaymentAllocation(invoice="99999", gross=Decimal(1), net=Decimal(1)),)
    assert "99999" in str(refused(pair, make_payment(invoice, "1", allocations=gone)))


def test_the_clearing_account_must_be_set(connect, make_payment):
    pair = connect({"bill_clearing_account": ""})
    error = refused(pair, make_payment(pair.open_invoices()[0]))
    assert error.field == "bill_clearing_account"


def test_a_missing_right_to_post_is_said(connect, make_payment):
    pair = connect(no_rights=["VendorPayments write"])
    error = refused(pair, make_payment(pair.open_invoices()[0]))
    assert error.code == "permission"
    assert pair.payments().find(make_payment(pair.open_invoices()[0]), MARK) == []


@pytest.mark.parametrize("answer", ["refused", "created"])
def test_a_payment_caught_by_approval_is_a_draft_that_a_person_decides_on(connect, make_payment, answer):
    pair = connect()
    record = make_payment(pair.open_invoices()[0])
    choices = {"refused": "refused", "created": "created"}
    pair.b1.options({"approval_above": 1, "approval_answer": choices[answer]})
    error = refused(pair, record)
    assert error.code == "draft_left_behind"
    with pytest.raises(Refused, match="draft"):
        pair.payments().find(record, MARK)
    draft = pair.b1.state("PaymentDrafts")[0]["DocEntry"]
    pair.b1.edit("actions", {"do": "approve_draft", "set": "PaymentDrafts", "draft": draft, "add": True})
    assert [hit.mark for hit in pair.payments().find(record, MARK)] == [MARK]


def test_branches_come_from_the_invoices(connect, make_payment):
    pair = connect(branches=True)
    invoice = pair.open_invoices()[0]
    ref = pair.payments().create(make_payment(invoice), MARK)
    row = next(row for row in pair.b1.state("VendorPayments") if str(row["DocEntry"]) == ref.key)
    theirs = next(row for row in pair.b1.state("PurchaseInvoices") if str(row["DocEntry"]) == invoice.key)
    assert row["BPLID"] == theirs["BPL_IDAssignedToInvoice"]


def test_a_payment_of_too_many_documents_is_refused_by_the_companys_own_limit(connect, make_payment):
    pair = connect(max_documents_in_payment=1)
    one, other = pair.open_invoices()[:2]
    allocations = tuple(PaymentAllocation(invoice=item.key, gross=Decimal(1), net=Decimal(1)) for item in (one, other))
    assert refused(pair, make_payment(one, "2", allocations=allocations)).code == "too_many_documents"


# --- source ---


def test_payments_are_read_with_what_they_pay(pair, invoice, make_payment):
    ref = pair.payments().create(make_payment(invoice), MARK)
    found = pair.client.source("payment", {}).get(ref.key)
    assert found.record.reference == MARK
    assert [paid.invoice for paid in found.record.allocations] == [invoice.key]
    assert found.record.status is PaymentStatus.ISSUED
    assert ref.key in {item.key for item in pair.items("payment", {"from_date": "2026-11-16"})}
    assert len(pair.items("payment", {"from_date": "2026-11-16"})) < len(pair.items("payment"))

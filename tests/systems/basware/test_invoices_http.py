"""Approved invoices: the queue, the handshake and payments back; over real HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.domain.records import InvoiceStatus, Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import (
    Accepted,
    Claim,
    Conflict,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Ref,
    Refused,
    Transient,
)
from ml_connector.systems.basware.handshake import Outcome, Taken

from .conftest import NOW
from .site import Reply, status

DOCUMENTS = "/v1/accountingDocuments"
ONE = f"{DOCUMENTS}/inv-1"
DONE = Outcome(True, "Posted in SYSPRO.", "2026-11 00017-001", on=date(2026, 11, 16))
FAILED = Outcome(False, "Cost center WH9 has no SYSPRO code")


def document(**changes: Any) -> dict[str, Any]:
    row = {
        "invoiceId": "inv-1",
        "companyCode": "100",
        "currencyCode": "USD",
        "supplierCode": "ELC001",
        "processingStatus": "WaitingForTransfer",
        "p2pProcessingMode": "Standard",
        "paymentBlock": False,
        "invoiceNumber": "ELC-1001",
        "invoiceDate": "2026-11-10",
        "dueDate": "2026-12-10",
        "netSum": 1500,
        "grossSum": 1500,
        "codingRows": [{"externalCode": "r1", "accountCode": "6100", "netTotal": 1500}],
    }
    return {**row, **changes}


def standing(p2p, status_: str, *answers: dict[str, Any], kind: str = "transferResponses") -> None:
    row = document(processingStatus=status_, **{kind: list(answers)})
    p2p.site.on("GET", ONE, Reply(200, {"accountingDocuments": [row]}))


def answer(outcome: Outcome, in_cycle: int = 1) -> dict[str, Any]:
    code = outcome.code("inv-1", in_cycle)
    return {"externalCode": code, "success": outcome.success, "voucherNumber1": outcome.voucher, "paymentBlock": False}


# --- the queue ---


def test_every_poll_reads_what_waits_and_what_is_wanted_back(p2p):
    by_status = {
        "WaitingForTransfer": [document(), document(invoiceId="inv-2", p2pProcessingMode="InvoiceEnrichment")],
        "WaitingToBeRemoved": [document(invoiceId="inv-3", processingStatus="WaitingToBeRemoved")],
    }

    def listed(request):
        rows = by_status.get(request.query["ProcessingStatus"], [])
        return Reply(200, {"accountingDocuments": rows}) if rows else Reply(404)

    p2p.site.on("GET", DOCUMENTS, listed)
    source = p2p.client.source("invoice", {})
    items = [item for page in source.changes({"anything": "at all"}) for item in page.items]
    assert [(item.key, item.record.status) for item in items] == [
        ("inv-1", InvoiceStatus.APPROVED),
        ("inv-3", InvoiceStatus.VOIDED),
    ]
    asked = [one.query for one in p2p.site.calls("GET", DOCUMENTS)]
    assert [one["ProcessingStatus"] for one in asked] == [
        "WaitingForTransfer",
        "WaitingToBeRemoved",
        "WaitingToBeReturned",
    ]
    assert all(one["pageSize"] == "100" and "companyCode" not in one for one in asked)


def test_a_flow_of_one_company_asks_for_its_documents_only(p2p):
    list(p2p.client.source("invoice", {"company": "RIL"}).changes(None))
    assert {one.query["companyCode"] for one in p2p.site.calls("GET", DOCUMENTS)} == {"100"}


def test_keys_are_those_of_documents_that_were_ever_up_for_transfer(p2p):  # R18
    words = ["WaitingForTransfer", "TransferInProgress", "Transferred", "TransferFailed", "Paid", "New", "Removed"]
    rows = [document(invoiceId=f"inv-{word}", processingStatus=word) for word in words]
    p2p.site.on("GET", DOCUMENTS, Reply(200, {"accountingDocuments": rows}))
    assert list(p2p.client.source("invoice", {}).keys()) == [f"inv-{word}" for word in words[:5]]
    assert "ProcessingStatus" not in p2p.site.calls("GET", DOCUMENTS)[0].query


def test_one_document_is_read_whatever_its_status(p2p):
    standing(p2p, "TransferInProgress", answer(FAILED))
    item = p2p.client.source("invoice", {}).get("inv-1")
    assert item.observed == {"status": "TransferInProgress", "cycle": "2", "company": "100"}
    assert p2p.client.source("invoice", {}).get("inv-9") is None


# --- taking over ---


def test_an_acknowledgement_has_no_body_and_a_content_type(p2p):
    p2p.site.on("POST", f"{ONE}/acknowledge", Reply(200, "inv-1"))
    assert p2p.client.transfers.claim("inv-1") == Taken(Claim.OURS, "request-2")
    (sent,) = p2p.site.calls("POST", f"{ONE}/acknowledge")
    assert sent.content == b"" and sent.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status_", "claim"),
    [
        ("TransferInProgress", Claim.BEFORE),
        ("Transferred", Claim.ANSWERED),
        ("TransferFailed", Claim.ANSWERED),
        ("Paid", Claim.ANSWERED),
    ],
)
def test_a_second_acknowledgement_is_understood_by_reading(p2p, status_, claim):
    p2p.site.on("POST", f"{ONE}/acknowledge", Reply(405))
    standing(p2p, status_)
    assert p2p.client.transfers.claim("inv-1") == Taken(claim)


def test_a_document_that_was_withdrawn_cannot_be_taken_over(p2p):
    p2p.site.on("POST", f"{ONE}/acknowledge", Reply(405))
    standing(p2p, "WaitingToBeRemoved")
    with pytest.raises(Conflict, match="WaitingToBeRemoved"):
        p2p.client.transfers.claim("inv-1")
    standing(p2p, "WaitingForTransfer")
    with pytest.raises(Transient):
        p2p.client.transfers.claim("inv-1")


def test_a_document_that_is_gone_is_told(p2p):
    with pytest.raises(NotFound):
        p2p.client.transfers.claim("inv-1")
    with pytest.raises(NotFound):
        p2p.client.transfers.standing("inv-1")


def test_a_claim_whose_receipt_was_lost_is_settled_by_reading(p2p):  # R3
    p2p.site.on("POST", f"{ONE}/acknowledge", None)
    with pytest.raises(OutcomeUnknown):
        p2p.client.transfers.claim("inv-1")
    assert len(p2p.site.calls("POST", f"{ONE}/acknowledge")) == 1
    standing(p2p, "WaitingForTransfer")
    assert p2p.client.transfers.claimed("inv-1") is None
    standing(p2p, "TransferInProgress")
    assert p2p.client.transfers.claimed("inv-1") is Claim.BEFORE


# --- answering ---


@pytest.mark.parametrize("outcome", [DONE, FAILED])
def test_an_answer_is_given_under_a_key_of_its_own(p2p, outcome):
    standing(p2p, "TransferInProgress")
    p2p.site.on("POST", f"{ONE}/transferResponses", lambda request: Reply(200, request.json))
    accepted = p2p.client.transfers.answer("inv-1", outcome, 1)
    assert isinstance(accepted, Accepted)
    (sent,) = p2p.site.calls("POST", f"{ONE}/transferResponses")
    assert sent.json["externalCode"] == outcome.code("inv-1", 1)
    assert sent.json["success"] is outcome.success
    assert ("voucherNumber1" in sent.json) is outcome.success


def test_an_answer_whose_receipt_was_lost_is_found_and_not_given_twice(p2p):  # R3
    standing(p2p, "TransferInProgress")
    p2p.site.on("POST", f"{ONE}/transferResponses", None)
    with pytest.raises(OutcomeUnknown):
        p2p.client.transfers.answer("inv-1", DONE, 1)
    assert not p2p.client.transfers.answered("inv-1", DONE, 1)
    standing(p2p, "Transferred", answer(DONE))
    assert p2p.client.transfers.answered("inv-1", DONE, 1)
    assert p2p.client.transfers.answer("inv-1", DONE, 1) is None
    assert len(p2p.site.calls("POST", f"{ONE}/transferResponses")) == 1


def test_no_other_answer_follows_a_successful_one(p2p):
    standing(p2p, "Transferred", answer(DONE))
    for other in (FAILED, Outcome(True, "Posted.", "99-999")):
        with pytest.raises(NoLonger, match="2026-11 00017-001"):
            p2p.client.transfers.answer("inv-1", other, 1)
    assert p2p.site.writes() == []


@pytest.mark.parametrize("status_", ["WaitingForTransfer", "WaitingToBeRemoved", "New"])
def test_what_is_not_taken_over_is_not_answered(p2p, status_):
    standing(p2p, status_)
    with pytest.raises(Conflict):
        p2p.client.transfers.answer("inv-1", DONE, 1)
    assert p2p.site.writes() == []


def test_a_failed_document_comes_back_in_another_cycle_and_is_answered_anew(p2p):
    standing(p2p, "TransferInProgress", answer(FAILED))
    assert p2p.client.transfers.standing("inv-1").cycle == 2
    p2p.site.on("POST", f"{ONE}/transferResponses", lambda request: Reply(200, request.json))
    assert p2p.client.transfers.answer("inv-1", FAILED, 2) is not None
    codes = {answer(FAILED)["externalCode"], p2p.site.calls("POST", f"{ONE}/transferResponses")[0].json["externalCode"]}
    assert len(codes) == 2


def test_an_answer_counts_once_p2p_has_taken_it(p2p):  # R12
    code = DONE.code("inv-1", 1)
    given = f"request-9|{code}"
    standing(p2p, "TransferInProgress")
    answers = [Reply(404), status("request-9", {code: "Success"}, entity="TransferResponse")]
    p2p.site.on("GET", "/v1/requestStatus/request-9", *answers)
    assert not p2p.client.transfers.outcome(given, "inv-1", success=True)
    p2p.wait(NOW + timedelta(seconds=10))
    assert p2p.client.transfers.outcome(given, "inv-1", success=True)
    error = {
        "status": "Error",
        "errors": [{"type": "Error", "message": "Invoice locked", "category": "DataValidation"}],
    }
    p2p.wait(NOW + timedelta(seconds=20))
    p2p.site.on("GET", "/v1/requestStatus/request-9", status("request-9", {code: error}, "Error"))
    with pytest.raises(Refused, match="Invoice locked"):
        p2p.client.transfers.outcome(given, "inv-1", success=True)


@pytest.mark.parametrize(("success", "status_"), [(True, "Transferred"), (False, "TransferFailed")])
def test_the_documents_own_status_settles_an_answer_as_well(p2p, success, status_):
    standing(p2p, status_)
    assert p2p.client.transfers.outcome("request-9|code", "inv-1", success=success)
    assert not p2p.client.transfers.outcome("request-9|code", "inv-1", success=not success)


def test_basware_may_refuse_an_answer_with_a_code_of_its_own(p2p):
    standing(p2p, "TransferInProgress")
    refusal = {"hasErrors": True, "errors": [{"code": "METHOD_NOT_ALLOWED", "message": "already transferred"}]}
    p2p.site.on("POST", f"{ONE}/transferResponses", Reply(400, refusal))
    with pytest.raises(NoLonger):
        p2p.client.transfers.answer("inv-1", DONE, 1)


# --- payments ---

MARK = "mlc0000000009"
PAYMENTS = f"{ONE}/paymentResponses"


def payment(**changes: Any) -> Payment:
    fields = {
        "supplier": "100_V_ELC001",
        "date": date(2026, 11, 16),
        "amount": Decimal("250.00"),
        "currency": "USD",
        "reference": "70011",
        "status": PaymentStatus.ISSUED,
        "allocations": (PaymentAllocation(invoice="inv-1", gross=Decimal("250.00"), net=Decimal("250.00")),),
    }
    return Payment(**{**fields, **changes})


@pytest.fixture
def payments(p2p):
    p2p.site.on("POST", PAYMENTS, lambda request: Reply(200, request.json))
    return p2p.client.target("payment", {})


def told(p2p) -> list[dict[str, Any]]:
    return [one.json for one in p2p.site.calls("POST", PAYMENTS)]


def test_payments_add_up_to_what_is_paid_in_all(p2p, payments):  # R28
    before = {"externalCode": "other", "success": True, "paidTotal": 100.1, "paymentBlock": False}
    refused = {"externalCode": "bad", "success": False, "paidTotal": 900, "paymentBlock": False}
    standing(p2p, "Transferred", before, refused, kind="paymentResponses")
    payments.create(payment(), MARK)
    (sent,) = told(p2p)
    assert (sent["paidTotal"], sent["success"], sent["paymentBlock"]) == (350.1, True, False)


def test_what_p2p_did_not_take_is_not_counted_and_its_key_is_not_used_again(p2p, payments):  # R12, R28
    standing(p2p, "Transferred", kind="paymentResponses")
    payments.create(payment(), MARK)
    refused = told(p2p)[0]
    p2p.site.on(
        "GET", f"/v1/errorFeedbacks/PaymentResponse/{refused['externalCode']}", Reply(200, {"errorList": [{"id": "1"}]})
    )
    standing(p2p, "Transferred", refused, kind="paymentResponses")
    assert payments.find(payment(), MARK) == []
    payments.create(payment(), MARK)
    again = told(p2p)[1]
    assert (again["paidTotal"], again["externalCode"] != refused["externalCode"]) == (250, True)
    standing(p2p, "Transferred", refused, again, kind="paymentResponses")
    (found,) = payments.find(payment(), MARK)
    assert found.key == f"inv-1/{refused['externalCode']}", "a payment keeps the key that it was first told under"


def test_more_than_the_whole_is_never_told(p2p, payments):  # R28
    before = {"externalCode": "other", "success": True, "paidTotal": 99_999, "paymentBlock": False}
    standing(p2p, "Transferred", before, kind="paymentResponses")
    with pytest.raises(Refused) as error:
        payments.create(payment(), MARK)
    assert error.value.code == "over_application" and told(p2p) == []


def test_a_payment_whose_receipt_was_lost_is_found_by_its_key(p2p, payments):  # R3
    standing(p2p, "Transferred", kind="paymentResponses")
    assert payments.find(payment(), MARK) == []
    payments.create(payment(), MARK)
    standing(p2p, "Transferred", told(p2p)[0], kind="paymentResponses")
    (found,) = payments.find(payment(), MARK)
    assert found.mark == MARK and payments.identity_differences(payment(), found.record) == []
    assert payments.get(found.key).record.date == date(2026, 11, 16)
    assert payments.find(payment(), "mlc0000000010") == []


def test_a_payment_taken_back_lowers_the_total_once(p2p, payments):  # R29
    standing(p2p, "Transferred", kind="paymentResponses")
    payments.create(payment(), MARK)
    first = told(p2p)[0]
    standing(p2p, "Transferred", first, kind="paymentResponses")
    (found,) = payments.find(payment(), MARK)
    back = payment(status=PaymentStatus.VOIDED)
    assert payments.differences(back, found.record) == ["status"]
    payments.update(Ref(found.key), back, MARK)
    second = told(p2p)[1]
    assert (second["paidTotal"], second["paymentReversalDocument"]) == (0, "70011")
    assert second["externalCode"] != first["externalCode"]
    standing(p2p, "Transferred", first, second, kind="paymentResponses")
    payments.update(Ref(found.key), back, MARK)
    assert len(told(p2p)) == 2
    assert payments.differences(back, payments.get(found.key).record) == []
    p2p.site.on("GET", "/v1/requestStatus/request-9", status("request-9", {second["externalCode"]: "Success"}))
    assert payments.outcome(f"request-9|{second['externalCode']}", back, MARK) == Ref(found.key)


def test_more_is_never_taken_back_than_was_paid(p2p, payments):  # R28
    standing(p2p, "Transferred", kind="paymentResponses")
    with pytest.raises(Refused) as refused:
        payments.update(Ref("inv-1/x"), payment(status=PaymentStatus.VOIDED), MARK)
    assert refused.value.code == "over_application" and told(p2p) == []


def test_what_a_payment_cannot_say_is_refused(p2p, payments):
    standing(p2p, "Transferred", kind="paymentResponses")
    two = payment().allocations * 2
    for record, act in (
        (payment(allocations=two), payments.create),
        (payment(status=PaymentStatus.VOIDED), payments.create),
        (payment(reference="r" * 251), payments.create),
        (
            msgspec.structs.replace(payment(), amount=Decimal(1)),
            lambda record, mark: payments.update(Ref("x"), record, mark),
        ),
    ):
        with pytest.raises(Refused):
            act(record, MARK)
    with pytest.raises(Refused):
        payments.cancel(Ref("x"), "gone")
    assert told(p2p) == []

"""Approved invoices against the stand-in: the queue, the handshake, and payments told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.records import InvoiceKind, InvoiceStatus, Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import Conflict, NoLonger, NotFound, OutcomeUnknown, Ref
from ml_connector.systems.basware.handshake import Claim, Outcome

from .conftest import MARK, Met

DOCUMENTS = "/v1/accountingDocuments"
DONE = Outcome(True, "Posted in SYSPRO.", "2026-11 00017-001", "JNL 17", on=date(2026, 11, 16))
FAILED = Outcome(False, "Cost center WH9 has no SYSPRO code")


def document(key: str = "inv-1", **changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "invoiceId": key,
        "companyCode": "RIL",
        "currencyCode": "USD",
        "supplierCode": "ELC001",
        "processingStatus": "WaitingForTransfer",
        "invoiceNumber": f"ELC-{key}",
        "invoiceDate": "2026-11-10",
        "dueDate": "2026-12-10",
        "netSum": 1500,
        "taxSum1": 120,
        "grossSum": 1620,
        "codingRows": [
            {"externalCode": "r2", "rowIndex": 10, "accountCode": "10-6200", "netTotal": 300},
            {"externalCode": "r1", "rowIndex": 0, "accountCode": "10-6100", "costCenterCode": "WH1", "netTotal": 1200},
        ],
    }
    return {**row, **changes}


@pytest.fixture
def queue(met: Met) -> Met:
    met.basware.edit("accountingDocuments", document())
    return met


def items(met: Met) -> list[Any]:
    return [item for page in met.client.source("invoice", {}).changes(None) for item in page.items]


def status(met: Met, key: str = "inv-1") -> str:
    return next(row["processingStatus"] for row in met.basware.state("accountingDocuments") if row["invoiceId"] == key)


@pytest.mark.parametrize("redirect", [True, False])
@pytest.mark.parametrize("bare", [[], ["accountingDocuments"]])
def test_the_queue_is_read_behind_its_redirect_without_credentials(  # R71
    meet: Callable[..., Met], bare: list[str], *, redirect: bool
) -> None:
    met = meet(redirect=redirect, bare_lists=bare)
    met.basware.edit("accountingDocuments", [document(), document("inv-2", processingStatus="Transferred")])
    (item,) = items(met)
    invoice = item.record
    assert (item.key, invoice.gross, invoice.net, invoice.tax) == ("inv-1", 1620, 1500, 120)
    assert [(one.account, one.cost_center, one.amount) for one in invoice.lines] == [
        ("10-6100", "WH1", 1200),
        ("10-6200", None, 300),
        ("10-2250", None, 120),
    ]
    assert invoice.adds_up()
    files = [row for row in met.basware.requests() if row["path"].startswith("/_files/")]
    assert bool(files) is redirect and all(row["status"] == 200 for row in files)


@pytest.mark.parametrize("dates", ["plain", "time", "utc"])
@pytest.mark.parametrize("nulls", ["omit", "show"])
def test_days_and_missing_fields_are_read_in_each_form(meet: Callable[..., Met], dates: str, nulls: str) -> None:
    met = meet(dates=dates, null_fields=nulls)
    met.basware.edit("accountingDocuments", document())
    (item,) = items(met)
    assert (item.invalid, item.record.date, item.record.due_date) == (None, date(2026, 11, 10), date(2026, 12, 10))


@pytest.mark.parametrize("carrier", ["both", "redirect", "file"])
@pytest.mark.parametrize("tokens", ["key", "offset"])
def test_a_long_queue_is_read_to_its_end_wherever_the_token_stands(  # R18
    meet: Callable[..., Met], carrier: str, tokens: str
) -> None:
    met = meet({"page_size": 2}, continuation_on=carrier, page_tokens=tokens)
    met.basware.edit("accountingDocuments", [document(f"inv-{number}") for number in range(5)])
    assert [item.key for item in items(met)] == [f"inv-{number}" for number in range(5)]


def test_a_page_that_large_invoices_shorten_is_not_the_last_one(meet: Callable[..., Met]) -> None:  # R18
    met = meet(rows_in_page=3)
    met.basware.edit("accountingDocuments", [document(f"inv-{number}") for number in range(4)])
    assert len(items(met)) == 4
    assert len(list(met.client.source("invoice", {}).changes(None))) > 4


def test_invoices_that_are_only_enriched_are_not_approved(met: Met) -> None:
    met.basware.edit("accountingDocuments", document(processingStatus="WaitingForEnrichmentTransfer"))
    assert items(met) == []
    assert met.client.source("invoice", {}).get("inv-1") is None


def test_a_credit_note_is_below_zero_there_and_positive_here(met: Met) -> None:  # R26
    credit = document(
        invoiceNumber="PK-501", referenceNumber="PK-500", netSum=-75, taxSum1=0, grossSum=-75,
        codingRows=[{"externalCode": "r1", "rowIndex": 0, "accountCode": "10-6200", "netTotal": -75}],
    )  # fmt: skip
    met.basware.edit("accountingDocuments", credit)
    (item,) = items(met)
    assert (item.record.kind, item.record.gross, item.record.corrects) == (InvoiceKind.CREDIT_NOTE, 75, "PK-500")


def test_a_document_is_taken_over_answered_and_transferred(queue: Met) -> None:
    transfers = queue.client.transfers
    assert transfers.claim("inv-1").claim is Claim.OURS
    assert (status(queue), items(queue)) == ("TransferInProgress", [])
    accepted = transfers.answer("inv-1", DONE, 1)
    queue.wait()
    assert transfers.outcome(accepted.handle, "inv-1", success=True)
    (row,) = queue.basware.state("accountingDocuments")
    assert (row["processingStatus"], row["voucherNumber1"], row["voucherNumber2"]) == (
        "Transferred", "2026-11 00017-001", "JNL 17",
    )  # fmt: skip
    assert transfers.answer("inv-1", DONE, 1) is None
    with pytest.raises(NoLonger):
        transfers.answer("inv-1", Outcome(True, "Posted", "2026-11 00018-001"), 1)
    assert len(row["transferResponses"]) == 1


@pytest.mark.parametrize("again", [405, 400])
def test_a_second_acknowledgement_is_understood(meet: Callable[..., Met], again: int) -> None:
    met = meet(acknowledge_again_status=again)
    met.basware.edit("accountingDocuments", document())
    transfers = met.client.transfers
    assert transfers.claim("inv-1").claim is Claim.OURS
    assert transfers.claim("inv-1").claim is Claim.BEFORE
    transfers.answer("inv-1", DONE, 1)
    assert transfers.claim("inv-1").claim is Claim.ANSWERED


def test_a_failed_document_comes_back_under_its_id_in_another_cycle(queue: Met) -> None:
    transfers = queue.client.transfers
    transfers.claim("inv-1")
    accepted = transfers.answer("inv-1", FAILED, 1)
    queue.wait()
    assert transfers.outcome(accepted.handle, "inv-1", success=False)
    assert status(queue) == "TransferFailed"
    queue.basware.edit("actions", {"do": "retransfer", "invoiceId": "inv-1"})
    (item,) = items(queue)
    assert (item.key, item.observed["cycle"]) == ("inv-1", "2")
    assert transfers.claim("inv-1").claim is Claim.OURS
    transfers.answer("inv-1", DONE, 2)
    assert status(queue) == "Transferred"


def test_a_lost_receipt_of_a_claim_or_an_answer_is_settled_by_reading(queue: Met) -> None:  # R3
    transfers = queue.client.transfers
    lose(queue, f"{DOCUMENTS}/inv-1/acknowledge")
    with pytest.raises(OutcomeUnknown):
        transfers.claim("inv-1")
    assert transfers.claimed("inv-1") is Claim.BEFORE
    lose(queue, f"{DOCUMENTS}/inv-1/transferResponses")
    with pytest.raises(OutcomeUnknown):
        transfers.answer("inv-1", DONE, 1)
    assert transfers.answered("inv-1", DONE, 1)
    assert transfers.answer("inv-1", DONE, 1) is None
    (row,) = queue.basware.state("accountingDocuments")
    assert len(row["transferResponses"]) == 1


def test_what_another_took_over_or_people_took_back_is_told(queue: Met) -> None:
    transfers = queue.client.transfers
    with pytest.raises(Conflict):
        transfers.answer("inv-1", DONE, 1)
    queue.basware.edit("actions", {"do": "acknowledge", "invoiceId": "inv-1"})
    assert transfers.claim("inv-1").claim is Claim.BEFORE
    transfers.answer("inv-1", DONE, 1)
    queue.basware.edit("actions", {"do": "request_removal", "invoiceId": "inv-1", "reason": "Duplicate"})
    (item,) = items(queue)
    assert item.record.status is InvoiceStatus.VOIDED
    with pytest.raises(Conflict):
        transfers.claim("inv-1")
    with pytest.raises(NotFound):
        transfers.claim("nobody")


def test_payments_add_up_and_one_taken_back_lowers_the_total(queue: Met) -> None:  # R28, R29
    transfers, target = queue.client.transfers, queue.client.target("payment", {})
    transfers.claim("inv-1")
    transfers.answer("inv-1", DONE, 1)
    first, second = payment("620.00", "CHK 1"), payment("1000.00", "CHK 2")
    for number, one in enumerate((first, second)):
        assert target.find(one, f"{MARK}{number}") == []
        ref = queue.settled(target, target.create(one, f"{MARK}{number}"), one)
        assert ref is None or ref.key.startswith("inv-1/")
    assert paid(queue) == [620, 1620]
    assert status(queue) == "Paid"
    (found,) = target.find(second, f"{MARK}1")
    back = payment("1000.00", "CHK 2", PaymentStatus.VOIDED)
    target.update(Ref(found.key), back, f"{MARK}1")
    assert paid(queue) == [620, 1620, 620]
    assert status(queue) == "Transferred"


def lose(met: Met, path: str) -> None:
    met.basware.faults([{"match": {"method": "POST", "path": path}, "do": "commit_then_reset", "times": 1}])


def paid(met: Met) -> list[Any]:
    (row,) = met.basware.state("accountingDocuments")
    return [one["paidTotal"] for one in row["paymentResponses"]]


def payment(amount: str, reference: str, state: PaymentStatus = PaymentStatus.CLEARED) -> Payment:
    value = Decimal(amount)
    return Payment(
        supplier="RIL_V_ELC001",
        date=date(2026, 11, 16),
        amount=value,
        currency="USD",
        method="check",
        reference=reference,
        status=state,
        allocations=(PaymentAllocation(invoice="inv-1", gross=value, net=value),),
    )

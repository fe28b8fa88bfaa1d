"""The acceptance story of SYSPRO <-> Basware, the way in: approved invoices, to the cent on both sides."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.integrations.base import Side
from ml_connector.sync import mappings
from ml_connector.sync.models import Answered, Attempt, Link, Outcome, Record, RunKind, Transfer
from ml_connector.sync.replay import replay
from tests.sync.basware_pair import INVOICES, LONG, basware_pair

D = Decimal
POSTED = {
    "ELC-1001": "1620.00",
    "ELC-1002": "913.19",
    "PK-500": "675.00",
    "HU-2202": "199.60",
    "ELC-1004": "510.00",
    "PK-502": "1000.00",
    "HU-2203": "150.00",
}
HELD = {
    ("supplier_on_hold", "TF-90"),
    ("unmapped_code", "HU-2201"),
    ("duplicate_invoice", "ELC1001"),
}
PROBLEMS = HELD | {("void_after_payment", "ELC-1004")}
ANSWERS = "transferResponses"


@pytest.fixture
def pair(workspace):
    with basware_pair(workspace) as made:
        made.map_codes()
        yield made
        made.check()


@pytest.fixture(params=[1, 500], ids=["pages of 1", "pages of 500"])
def paged(workspace, request):
    with basware_pair(workspace, page_size=request.param) as made:
        made.map_codes()
        yield made
        made.check()


def whole_story(pair):
    """The receipt of PK-500's answer is lost, ELC-1002 is given back and comes again, ELC-1004 is to be removed."""
    pair.policies(on_problem={"unmapped_code:cost_center": "answer"}, rate="document")
    key = pair.document("PK-500")["invoiceId"]
    lost = {"method": "POST", "path": f"/v1/accountingDocuments/{key}/{ANSWERS}"}
    pair.basware.faults([{"match": lost, "do": "commit_then_reset", "times": 1}])
    pair.take_in()
    pair.later(minutes=15)
    coding = [{**row, "costCenterCode": "WH1"} for row in pair.document("ELC-1002")["codingRows"]]
    pair.act("retransfer", "ELC-1002", changes={"codingRows": coding})
    pair.act("request_removal", "ELC-1004", reason="Duplicate")
    pair.take_in(2)
    pair.later(minutes=15)
    pair.take_in()


def test_the_invoices_come_in_as_written(paged):  # R12, R22, R25, R27, R33, R39, R47, R50
    whole_story(paged)
    posted = {row["Invoice"].strip(): row for row in paged.posted()}
    assert {number: posted[number]["OrigInvValue"] for number in POSTED} == {n: D(v) for n, v in POSTED.items()}
    assert len(paged.posted()) == len(POSTED) + 1 == 8
    assert sum(D(value) for value in POSTED.values()) == D("5067.79")
    assert posted["PK-500"]["MthInvBal1"] == 600, "the credit note lowered it"
    assert (posted["NK-77"]["OrigInvValue"], paged.open("EUR")) == (2500, 2500)
    assert posted["NK-77"]["ConvRate"] == D("1.08")
    assert paged.open() == D("4992.79")
    assert paged.open() + sum(D(n) for n in ("400.00", "218.40", "1620.00")) == D("7231.19")

    statuses = paged.statuses()
    assert {number for number, status in statuses.items() if status == "Transferred"} == {
        *(POSTED.keys() - {"ELC-1004"}), "NK-77", "PK-501",
    }  # fmt: skip
    assert {number for number, status in statuses.items() if status == "TransferInProgress"} == {
        "TF-90", "HU-2201", "ELC1001",
    }  # fmt: skip
    assert statuses["ELC-1004"] == "WaitingToBeRemoved"
    for number in statuses.keys() - {"TF-90", "HU-2201", "ELC1001"}:
        document, row = paged.document(number), posted.get(number)
        if row is not None:
            entry = f"{row['InvoiceYear']}-{row['InvoiceMonth']:02} {row['Journal']:05}-{row['EntryNumber']:03}"
            assert document["voucherNumber1"] == entry
        assert document["voucherNumber2"]
    assert paged.problems() == PROBLEMS
    assert paged.states(INVOICES) == {"confirmed": 9, "blocked": 3}


def test_codes_of_the_ledger_are_those_of_syspro(pair):  # R31, R48
    whole_story(pair)
    booked = {row["ExpenseGlCode"].strip() for row in pair.syspro.state("ApJnlDistrib")}
    assert LONG in booked
    assert "10-6100" not in booked, "Basware's short code"
    pair.syspro.edit("actions", {"do": "manual_cheque", "supplier": "PAK003", "invoice": "PK-502", "amount": D("250")})
    assert pair.open() == D("4742.79")


def test_a_document_that_is_given_back_comes_again_and_is_posted_once(pair):
    pair.policies(on_problem={"unmapped_code:cost_center": "answer"})
    pair.take_in()
    first = pair.answers("ELC-1002")
    assert [(one["success"], one["responseMessage"]) for one in first] == [
        (False, "Cost center WH9 has no SYSPRO cost center.")
    ]
    record = pair.record("ELC-1002")
    assert record.state == "skipped"
    assert record.reason.startswith("Given back to Basware")
    assert pair.statuses()["ELC-1002"] == "TransferFailed"
    assert pair.posted("ELC-1002") == []
    coding = [{**row, "costCenterCode": "WH2"} for row in pair.document("ELC-1002")["codingRows"]]
    pair.act("retransfer", "ELC-1002", changes={"codingRows": coding})
    pair.take_in()
    assert len(pair.posted("ELC-1002")) == 1
    assert [one["success"] for one in pair.answers("ELC-1002")] == [False, True]
    cycles = Transfer.objects.of(pair.workspace).filter(record=record).order_by("cycle")
    assert [(one.cycle, one.current, one.success) for one in cycles] == [(1, False, False), (2, True, True)]
    assert len({one.code for one in cycles}) == 2
    assert ("unmapped_code", "ELC-1002") not in pair.problems()


def test_a_document_that_comes_again_as_it_was_waits_again(pair):
    pair.policies(on_problem={"unmapped_code:cost_center": "answer"})
    pair.take_in()
    pair.act("retransfer", "ELC-1002")
    pair.take_in()
    assert [one["success"] for one in pair.answers("ELC-1002")] == [False, False], "the same content, another cycle"
    assert pair.posted("ELC-1002") == []


def test_a_receipt_that_was_lost_is_found_by_its_code_and_nothing_is_sent_twice(pair):  # R1, R3
    key = pair.document("PK-500")["invoiceId"]
    lost = {"method": "POST", "path": f"/v1/accountingDocuments/{key}/{ANSWERS}"}
    pair.basware.faults([{"match": lost, "do": "commit_then_reset", "times": 1}])
    pair.take_in()
    transfer = pair.transfer("PK-500")
    assert transfer.answer == Answered.ASKED
    pair.later(minutes=1)
    pair.run(INVOICES, RunKind.PULL)
    assert pair.transfer("PK-500").answer == Answered.GIVEN
    assert pair.asked(ANSWERS, "PK-500") == 1
    (told,) = pair.answers("PK-500")
    assert told["externalCode"] == transfer.code
    assert len(pair.posted("PK-500")) == 1


def test_what_waits_for_a_mapping_follows_when_it_is_there(pair):  # R49
    pair.take_in()
    assert pair.statuses()["HU-2201"] == "TransferInProgress"
    mappings.set_entries(pair.integration, "gl_account", {"10-6999": "10-6999"}, actor="clerk", before_reading=True)
    pair.take_in()
    assert pair.statuses()["HU-2201"] == "Transferred"
    assert pair.posted("HU-2201")[0]["OrigInvValue"] == D("218.40")
    assert ("unmapped_code", "HU-2201") not in pair.problems()


def test_a_second_run_writes_nothing_and_replaying_changes_nothing(pair):  # R10
    whole_story(pair)
    before = pair.writes(Side.ERP), pair.writes(Side.PLATFORM)
    every = list(Record.objects.of(pair.workspace).values_list("pk", flat=True))
    states = pair.states(INVOICES)
    for _ in range(2):
        replay(pair.workspace, every, actor="clerk")
        pair.take_in()
    assert (pair.writes(Side.ERP), pair.writes(Side.PLATFORM)) == before
    assert pair.states(INVOICES) == states
    assert pair.problems() == PROBLEMS


def test_each_link_and_attempt_of_the_story_is_one(pair):  # R6
    whole_story(pair)
    attempts = Attempt.objects.of(pair.workspace).filter(outcome=Outcome.CONFIRMED, operation="create")
    assert attempts.count() == 9
    links = dict(Link.objects.of(pair.workspace).filter(type="invoice").values_list("target_key", "vouchers"))
    assert len(links) == 9
    assert all(len(vouchers) == 2 for vouchers in links.values())


def test_removal_after_the_transfer_waits_for_a_person(pair):
    whole_story(pair)
    assert pair.posted("ELC-1004")[0]["MthInvBal1"] == 510
    assert pair.record("ELC-1004").state == "confirmed"
    assert pair.transfer("ELC-1004").answer == Answered.GIVEN

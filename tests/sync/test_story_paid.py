"""Payments that SYSPRO made on Basware's invoices, told to Basware: each once, cumulative, and taken back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector import clock
from ml_connector.integrations.base import Side
from ml_connector.sync.models import Answered, Attempt, Link, Outcome, Record, Transfer
from ml_connector.sync.replay import replay
from tests.sync.basware_pair import basware_pair

D = Decimal
ANSWERS = "paymentResponses"


@pytest.fixture
def pair(workspace):
    with basware_pair(workspace) as made:
        made.map_codes()
        made.take_in()
        made.later(minutes=15)
        made.take_in()
        yield made
        made.check()


def pay(pair, amount: str, number: str = "PK-502", supplier: str = "PAK003", reference: str = "") -> None:
    action = {"do": "manual_cheque", "supplier": supplier, "invoice": number, "amount": D(amount)}
    pair.syspro.edit("actions", {**action, **({"reference": reference} if reference else {})})


def void_last(pair, number: str = "PK-502") -> None:
    cheques = [row for row in pair.syspro.state("ApPayRunDet") if row["Invoice"].strip() == number]
    row = cheques[-1]
    pair.syspro.edit(
        "actions",
        {
            "do": "void_cheque",
            "payment_run": str(row["PaymentNumber"]).strip(),
            "supplier": row["Supplier"].strip(),
            "cheque": int(row["Cheque"]),
        },
    )


def tell(pair, rounds: int = 20) -> None:
    """Reads SYSPRO's payments and tells of them until P2P has decided on each."""
    for _ in range(rounds):
        pair.sync("paid")
        pair.later(minutes=5)
        if not pair.on_its_way().filter(flow__name="paid").exists():
            return
    raise AssertionError(pair.states("paid"))


def told(pair, number: str = "PK-502"):
    return [(one["paidTotal"], one["success"]) for one in pair.document(number).get(ANSWERS, [])]


def test_a_payment_in_syspro_is_told_to_basware(pair):  # R28
    assert pair.open() == D("4992.79") - D("913.19"), "ELC-1002 waits for its cost center"
    before = pair.open()
    pay(pair, "250.00")
    assert pair.open() == before - 250
    tell(pair)
    (answer,) = pair.document("PK-502")[ANSWERS]
    assert (answer["paidTotal"], answer["success"], answer["paymentBlock"]) == (D("250.00"), True, False)
    assert pair.statuses()["PK-502"] == "Transferred", "a part is paid"
    pair.check_settled()
    written = pair.writes(Side.PLATFORM)
    pair.later(days=1)
    tell(pair)
    assert pair.writes(Side.PLATFORM) == written


def test_partial_payments_add_up_one_after_the_other(pair):  # R28
    for amount in ("250.00", "300.00", "450.00"):
        pay(pair, amount)
    tell(pair)
    assert told(pair) == [(250, True), (550, True), (1000, True)]
    codes = [one["externalCode"] for one in pair.document("PK-502")[ANSWERS]]
    assert len(set(codes)) == 3
    assert pair.statuses()["PK-502"] == "Paid"
    assert pair.states("paid") == {"confirmed": 3}


def test_a_payment_taken_back_lowers_the_total(pair):  # R29
    pay(pair, "250.00")
    pay(pair, "300.00")
    tell(pair)
    void_last(pair)
    pair.later(days=1)
    tell(pair)
    assert told(pair) == [(250, True), (550, True), (250, True)]
    last = pair.document("PK-502")[ANSWERS][-1]
    assert last["paymentReversalDocument"] == last["paymentNumber"]
    assert "taken back" in last["responseMessage"]
    links = Link.objects.of(pair.workspace).filter(type="paid")
    assert links.count() == 2, "what was told stays told"
    every = list(Record.objects.of(pair.workspace).filter(flow__name="paid").values_list("pk", flat=True))
    replay(pair.workspace, every, actor="clerk")
    tell(pair)
    assert len(told(pair)) == 3
    pair.check_settled()


def test_a_payment_taken_back_before_it_was_told_is_not_told(pair):  # R29
    pay(pair, "250.00")
    void_last(pair)
    tell(pair)
    assert told(pair) == []
    (record,) = Record.objects.of(pair.workspace).filter(flow__name="paid")
    assert (record.state, record.reason) == ("skipped", "Taken back in SYSPRO before Basware was told of it.")


@pytest.mark.parametrize("fault", ["commit_then_reset", "reset"])
def test_a_lost_receipt_is_looked_up_in_the_document(pair, fault):  # R1, R3
    path = f"/v1/accountingDocuments/{pair.document('PK-502')['invoiceId']}/{ANSWERS}"
    pair.basware.faults([{"match": {"method": "POST", "path": path}, "do": fault, "times": 1}])
    pay(pair, "250.00")
    pay(pair, "300.00")
    tell(pair)
    assert told(pair) == [(250, True), (550, True)]
    attempts = Attempt.objects.of(pair.workspace).filter(record__flow__name="paid").order_by("pk")
    assert attempts.filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED]).count() == 2
    pair.check_settled()


def test_nothing_is_told_before_the_answer_to_the_document_is_taken(workspace):  # R12
    with basware_pair(workspace) as pair:
        pair.map_codes()
        path = f"/v1/accountingDocuments/{pair.document('PK-502')['invoiceId']}/transferResponses"
        pair.basware.faults([{"match": {"method": "POST", "path": path}, "do": "status", "status": 503, "times": 9}])
        pair.take_in()
        assert pair.transfer("PK-502").answer != Answered.GIVEN
        pay(pair, "250.00")
        pair.sync("paid")
        assert told(pair) == []
        (record,) = Record.objects.of(workspace).filter(flow__name="paid")
        assert record.state == "blocked"
        assert ("parent_not_confirmed", record.number) in pair.problems()
        pair.basware.faults([])
        for _ in range(3):
            pair.later(hours=1)
            pair.take_in()
        assert Transfer.objects.of(workspace).get(record=pair.record("PK-502")).answer == Answered.GIVEN
        assert pair.flow("paid").next_push_at is not None, "it is woken by the answer"
        tell(pair)
        assert told(pair) == [(250, True)]


def test_payments_of_other_invoices_are_left_alone(workspace):
    with basware_pair(workspace) as pair:
        pair.map_codes()
        pair.take_in()
        flow = pair.flow("paid")
        link = Link.objects.of(workspace).get(type="invoice", source_key=pair.document("PK-502")["invoiceId"])
        where = link.target_key
        link.delete()
        pay(pair, "250.00")
        tell(pair)
        (record,) = Record.objects.of(workspace).filter(flow=flow)
        assert (record.state, record.reason) == ("skipped", "It pays an invoice that did not come from Basware.")
        pair.later(days=1)
        Link.objects.create(
            workspace=workspace, integration=pair.integration, type="invoice", made_by="anna",
            source_key=pair.document("PK-502")["invoiceId"], target_key=where, made_at=clock.now(),
        )  # fmt: skip
        tell(pair)
        assert told(pair) == [(250, True)], "its invoice was linked since"


def test_what_p2p_refuses_waits_for_a_person_and_goes_under_another_key(pair):  # R12
    pay(pair, "250.00")
    pair.sync("paid")
    (record,) = Record.objects.of(pair.workspace).filter(flow__name="paid")
    assert record.state == "in_flight"
    code = pair.document("PK-502")[ANSWERS][0]["externalCode"]
    pair.basware.edit(
        "actions",
        {"do": "answer_next", "entityType": "PaymentResponse", "externalCode": code, "message": "Block is on."},
    )
    tell(pair)
    assert pair.problems() >= {("refused_by_target", record.number)}
    replay(pair.workspace, [record.pk], actor="clerk")
    tell(pair)
    assert told(pair) == [(250, True), (250, True)], "what P2P did not take does not count"
    assert len({one["externalCode"] for one in pair.document("PK-502")[ANSWERS]}) == 2
    record.refresh_from_db()
    assert record.state == "confirmed"

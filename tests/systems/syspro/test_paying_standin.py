"""Payments made elsewhere, recorded in the stand-in: what they settle, their run, their void; never a second one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ml_connector.domain.records import Payment, PaymentStatus
from ml_connector.systems.base import DocumentState, NoLonger, OutcomeUnknown, Ref, Refused, Transient

from .conftest import Pair
from .papers import LOST, line, only
from .papers import credit as credit_note
from .test_apstpm import paid, payment

MARK = "mlc0123456789"
OTHER = "mlcZZZZZZZZZZ"
D = Decimal

BOTH = payment(paid("ELC001/ELC-1001", "1620.00", "20.00"), paid("ELC001/ELC-1002", "500.00"))
POST = {"reversal": "post"}


def left(pair: Pair, number: str) -> Decimal:
    balance: Decimal = pair.row("ApInvoice", Invoice=number)["MthInvBal1"]
    return balance


def test_a_payment_opens_a_run_settles_its_invoices_and_is_found(both_ways: Pair) -> None:  # R6, R28
    target = both_ways.target("payment")
    ref = target.create(BOTH, MARK)
    assert (ref.key, ref.lines) == ("ELC001/ELC-1001/1", ("ELC001/ELC-1001/1", "ELC001/ELC-1002/1"))
    assert (left(both_ways, "ELC-1001"), left(both_ways, "ELC-1002")) == (D(0), D("413.19"))
    run = both_ways.row("ApPayRunHdr")
    assert (run["PaymentNumber"], run["Bank"], run["PaymentType"], run["PostCurrency"]) == ("00001", "MAIN", "M", "USD")
    assert ref.vouchers == ("00001",)
    cheques = both_ways.rows("ApPayRunDet", PaymentNumber="00001")
    assert {(row["Invoice"], row["Cheque"], row["GrossPayValue"], row["DiscPayValue"]) for row in cheques} == {
        ("ELC-1001", 70011, D("1620.00"), D("20.00")), ("ELC-1002", 70011, D("500.00"), D("0.00"))
    }  # fmt: skip
    found = only(target.find(BOTH, MARK))
    assert (found.key, found.mark, found.state, found.record.amount) == (
        ref.key,
        MARK,
        DocumentState.PAID,
        D("2100.00"),
    )
    assert target.differences(BOTH, found.record) == [] == target.differences(BOTH, target.get(ref.lines[1]).record)
    assert target.update(ref, BOTH, MARK) == ref
    assert target.find(BOTH, OTHER) == []
    assert len(both_ways.posts("APSTPM")) == 1


def test_a_discount_counts_as_settled_when_the_payment_is_read(both_ways: Pair) -> None:  # R28, R32
    both_ways.target("payment", POST).create(BOTH, MARK)
    sources = [both_ways.connect().source(name, {}) for name in ("invoice", "payment")]
    seen = sources[0].get("ELC001/ELC-1001").observed
    assert (D(seen["paid"]), D(seen["open"])) == (D("1620.00"), D(0))
    (first,) = sources[1].get("ELC001/ELC-1001/1").record.allocations
    assert (first.gross, first.net, first.discount) == (D("1620.00"), D("1600.00"), D("20.00"))
    target = both_ways.target("payment", POST)
    target.cancel(Ref("ELC001/ELC-1001/1"), "voided")
    seen = sources[0].get("ELC001/ELC-1001").observed
    assert (D(seen["paid"]), D(seen["open"])) == (D(0), D("1620.00"))
    assert sources[1].get("ELC001/ELC-1001/1").record.status is PaymentStatus.VOIDED


def test_a_payment_whose_discount_is_not_shown_is_found_all_the_same(pair: Pair) -> None:  # R5
    target = pair.target("payment", discount_transaction_types=[])
    ref = target.create(BOTH, MARK)
    assert target.identity_differences(BOTH, target.get(ref.key).record) == []
    less = payment(paid("ELC001/ELC-1001", "1619.99", "20.00"), paid("ELC001/ELC-1002", "500.00"))
    assert target.identity_differences(less, target.get(ref.key).record) == ["allocations"]


def test_partial_payments_add_up_and_never_exceed_what_is_open(pair: Pair) -> None:  # R28
    target = pair.target("payment")
    for amount, mark in (("1000.00", MARK), ("619.99", OTHER), ("0.01", "mlcAAAAAAAAAA")):
        target.create(payment(paid("ELC001/ELC-1001", amount), method="ach", reference="T-1"), mark)
    assert left(pair, "ELC-1001") == 0
    assert len(pair.rows("ApPayRunHdr")) == 1
    with pytest.raises(Refused) as refused:
        target.create(payment(paid("ELC001/ELC-1001", "0.01")), "mlcBBBBBBBBBB")
    assert refused.value.code == "over_application"
    assert len(pair.posts("APSTPM")) == 3


def test_a_foreign_payment_has_a_run_of_its_currency_and_its_own_rate(pair: Pair) -> None:  # R25
    record = payment(paid("NOR002/NK-77", "2500.00"), supplier="NOR002", currency="EUR", rate=D("1.1"))
    target = pair.target("payment", {"rate": "document"}, clearing_bank="EURO")
    ref = target.create(record, MARK)
    run = pair.row("ApPayRunHdr")
    assert (run["Bank"], run["PostCurrency"]) == ("EURO", "EUR")
    assert pair.row("ApPayRunDet", Invoice="NK-77")["PostConvRate"] == D("1.1")
    assert target.differences(record, target.get(ref.key).record) == []


def test_a_run_that_the_site_names_is_used(pair: Pair) -> None:
    pair.syspro.edit("ApPayRunHdr", {"PaymentNumber": "CLEAR", "PostCurrency": "USD", "Bank": "MAIN"})
    ref = pair.target("payment", payment_run="CLEAR").create(BOTH, MARK)
    assert (ref.vouchers, pair.posts("APSTPY")) == (("CLEAR",), [])
    with pytest.raises(Refused) as refused:
        pair.target("payment", payment_run="NONE").create(payment(paid("ELC001/ELC-1002", "1.00")), OTHER)
    assert refused.value.field == "PaymentNumber"


def test_what_a_credit_note_pays_is_netted_on_its_invoice(pair: Pair) -> None:
    credit = credit_note(line("1", "75.00"), corrects="ELC001/ELC-1001")
    key = pair.target("invoice").create(credit, OTHER).key
    record = payment(paid("ELC001/ELC-1001", "1620.00"), paid(key, "0.00", credit="75.00"), amount=D("1545.00"))
    target = pair.target("payment")
    target.create(record, MARK)
    assert left(pair, "ELC-1001") == 0
    assert target.identity_differences(record, only(target.find(record, MARK)).record) == []


# --- the answer is lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["do"])
def test_a_lost_answer_never_leads_to_a_second_payment(pair: Pair, fault: dict[str, Any]) -> None:  # R3
    pair.syspro.edit("ApPayRunHdr", {"PaymentNumber": "CLEAR", "PostCurrency": "USD", "Bank": "MAIN"})
    pair.fail(**fault)
    with pytest.raises(OutcomeUnknown):
        pair.target("payment", payment_run="CLEAR").create(BOTH, MARK)
    there = pair.rows("ApPayRunDet")
    target = pair.target("payment", payment_run="CLEAR")
    assert [each.mark for each in target.find(BOTH, MARK)] == [MARK] * (len(there) // 2)
    if not there:
        target.create(BOTH, MARK)
    assert len(pair.rows("ApPayRunDet")) == 2
    assert left(pair, "ELC-1002") == D("413.19")


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["do"])
def test_a_run_whose_opening_was_not_answered_pays_nothing(pair: Pair, fault: dict[str, Any]) -> None:  # R63
    pair.fail(**fault)
    with pytest.raises(Transient):
        pair.target("payment").create(BOTH, MARK)
    assert pair.rows("ApPayRunDet") == []
    pair.target("payment").create(BOTH, MARK)
    assert len(pair.rows("ApPayRunDet")) == 2


# --- voided ----------------------------------------------------------------------------------------------


def test_a_void_is_a_task_for_a_person_unless_the_policy_says_otherwise(pair: Pair) -> None:  # R29
    target = pair.target("payment")
    ref = target.create(BOTH, MARK)
    with pytest.raises(NoLonger) as refused:
        target.update(ref, replace(BOTH, status=PaymentStatus.VOIDED), MARK)
    assert refused.value.code == "void_by_hand"
    assert pair.posts("APSTPV") == []


def test_a_voided_payment_opens_its_invoices_again_once(both_ways: Pair) -> None:  # R29
    target = both_ways.target("payment", POST)
    ref = target.create(BOTH, MARK)
    both_ways.fail("commit_then_reset")
    with pytest.raises(OutcomeUnknown):
        target.cancel(ref, "voided")
    target.cancel(ref, "voided")
    assert (left(both_ways, "ELC-1001"), left(both_ways, "ELC-1002")) == (D("1620.00"), D("913.19"))
    assert len(both_ways.posts("APSTPV")) == 1
    found = target.get(ref.key)
    voided = replace(BOTH, status=PaymentStatus.VOIDED)
    assert (found.state, target.differences(voided, found.record)) == (DocumentState.ARCHIVED, [])
    assert target.update(ref, voided, MARK) == ref
    again = target.create(BOTH, OTHER)
    assert (again.key, left(both_ways, "ELC-1001")) == ("ELC001/ELC-1001/4", D(0))


def test_a_payment_that_a_person_voided_is_seen(pair: Pair) -> None:  # R29
    target = pair.target("payment")
    ref = target.create(BOTH, MARK)
    pair.act({"do": "void_cheque", "payment_run": "00001", "supplier": "ELC001", "cheque": 70011})
    assert target.get(ref.key).state is DocumentState.ARCHIVED
    assert target.differences(BOTH, target.get(ref.key).record) == ["status"]


def test_a_void_names_what_the_site_wants_named(pair: Pair) -> None:
    elements = {"PaymentNumber": "payment_number", "Supplier": "supplier", "Cheque": "cheque", "Reference": "reference"}
    target = pair.target("payment", POST, payment_void_elements=elements)
    target.cancel(target.create(BOTH, MARK), "voided")
    assert {row["PaymentReference"] for row in pair.rows("ApInvoicePay", TrnType="V")} == {f"{MARK} check 70011"}
    lacking = pair.target("payment", POST, payment_void_elements={"Supplier": "supplier"})
    with pytest.raises(Refused) as refused:
        lacking.cancel(lacking.create(BOTH, OTHER), "voided")
    assert refused.value.field == "PaymentNumber"


def test_a_changed_payment_is_not_amended(pair: Pair) -> None:
    target = pair.target("payment")
    ref = target.create(BOTH, MARK)
    with pytest.raises(NoLonger, match="allocations"):
        target.update(ref, payment(paid("ELC001/ELC-1001", "1620.00", "20.00")), MARK)


# --- refused, and periods --------------------------------------------------------------------------------


@pytest.mark.parametrize("validates", [True, False])
@pytest.mark.parametrize(
    ("record", "settings", "code", "field"),
    [
        (BOTH, {"clearing_bank": ""}, "field_missing", "clearing_bank"),
        (BOTH, {"clearing_bank": "NONE"}, "100001", "Bank"),
        (payment(paid("ELC001/NONE", "1.00")), {}, "reference_missing", "Invoice"),
        (payment(paid("PAK003/PK-502", "1.00")), {}, "reference_missing", "Supplier"),
        (replace(BOTH, amount=D("2100.01")), {}, "totals_differ", "ChequeValue"),
        (payment(paid("TRN004/TF-90", "1.00"), supplier="TRN004"), {}, "130402", "Supplier"),
    ],
)
def test_a_refusal_names_payment_field_and_cause(
    pair: Pair, record: Payment, settings: dict[str, str], code: str, field: str, validates: bool
) -> None:  # R63
    with pytest.raises(Refused) as refused:
        pair.target("payment", {"validate_first": validates}, **settings).create(record, MARK)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert pair.rows("ApPayRunDet") == []


@pytest.mark.parametrize("letters", [["C"], []])
def test_a_payment_of_a_closed_period_is_held_or_recorded_in_the_current_one(
    pair: Pair, letters: list[str]
) -> None:  # R33, R34, R37
    pair.act({"do": "set_period", "year": 2026, "period": 10, "open": False})
    record = replace(BOTH, date=date(2026, 10, 20))
    with pytest.raises(Refused) as refused:
        pair.target("payment", closed_period_letters=letters).create(record, MARK)
    assert (refused.value.code, pair.rows("ApPayRunDet")) == ("period_closed", [])
    pair.target("payment", {"closed_period": "current"}, closed_period_letters=letters).create(record, MARK)
    rows = pair.rows("ApInvoicePay", Invoice="ELC-1001", TrnType="P")
    assert [(row["TrnYear"], row["TrnMonth"]) for row in rows] == [(2026, 11)]
    assert {row["ChequeDate"] for row in pair.rows("ApPayRunDet")} == {"2026-10-20"}

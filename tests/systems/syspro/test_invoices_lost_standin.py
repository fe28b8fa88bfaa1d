"""Invoices whose answer is lost, or is no: one document whatever happens, and words that name it."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import OutcomeUnknown, Refused, Transient

from .conftest import Pair
from .papers import LOST, MARK, OTHER, D, credit, invoice, line, only, tax


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["do"])
def test_a_lost_answer_is_unknown_and_a_search_says_what_is_there(pair: Pair, fault: dict[str, Any]) -> None:  # R3, R8
    target = pair.target("invoice")
    pair.fail(**fault)
    with pytest.raises(OutcomeUnknown) as unknown:
        target.create(invoice(), MARK)
    assert "SYSPRO" in str(unknown.value)
    there = pair.rows("ApInvoice", Invoice="ELC-2001")
    assert (len(there), len(pair.posts("APSTIN"))) == (int(fault["do"].startswith(("commit", "tr", "ga", "em"))), 1)
    found = pair.target("invoice").find(invoice(), MARK)
    assert [each.mark for each in found] == [MARK] * len(there)
    if not there:
        pair.target("invoice").create(invoice(), MARK)
    assert len(pair.rows("ApInvoice", Invoice="ELC-2001")) == 1


@pytest.mark.parametrize("fault", LOST[:4], ids=lambda fault: fault["do"])
def test_a_lost_answer_to_a_credit_leaves_one_credit(pair: Pair, fault: dict[str, Any]) -> None:  # R3
    target = pair.target("invoice")
    target.create(invoice(), OTHER)
    pair.fail(**fault)
    with pytest.raises(OutcomeUnknown):
        target.create(credit(), MARK)
    entries = pair.rows("ApJnlSummary", Invoice="ELC-2001", TransactionCode="C")
    assert [each.mark for each in target.find(credit(), MARK)] == [MARK] * len(entries)
    assert len(entries) == int(fault["do"].startswith("commit"))


def test_a_lost_answer_to_the_check_writes_nothing_and_may_be_sent_again(pair: Pair) -> None:  # R63
    pair.syspro.faults([{"match": {"contains": "<ValidateOnly>Y<"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(Transient):
        pair.target("invoice").create(invoice(), MARK)
    assert pair.rows("ApInvoice", Invoice="ELC-2001") == []


def test_a_session_that_a_person_ended_is_opened_once_more(pair: Pair) -> None:  # R60, R62
    target = pair.target("invoice")
    target.find(invoice(), MARK)
    pair.connect(odata_root="").target("invoice", {}).find(invoice(), MARK)
    logons = pair.session.logons
    pair.act({"do": "log_in", "operator": "MLCONN"})
    ref = target.create(invoice(), MARK)
    assert (ref.key, pair.session.logons - logons) == ("ELC001/ELC-2001", 1)


def test_what_is_not_shown_yet_is_not_called_posted(pair: Pair) -> None:  # R4, R11
    pair.syspro.options({"settle_seconds": 60})
    with pytest.raises(OutcomeUnknown):
        pair.target("invoice").create(invoice(), MARK)
    assert pair.target("invoice").find(invoice(), MARK) == []
    pair.syspro.clock(advance=61)
    assert only(pair.target("invoice").find(invoice(), MARK)).mark == MARK


def test_the_second_of_two_posts_is_refused_by_the_number(pair: Pair) -> None:  # R7
    pair.target("invoice").create(invoice(), MARK)
    with pytest.raises(Refused, match="ELC-2001"):
        pair.target("invoice").create(invoice(), MARK)
    assert len(pair.rows("ApJnlSummary", Invoice="ELC-2001")) == 1


# --- refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("validates", [True, False])
@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (invoice(supplier="NOBODY"), "supplier_missing", "Supplier"),
        (invoice(supplier="TRN004"), "supplier_on_hold", "OnHold"),
        (invoice(currency="EUR"), "currency_not_allowed", "Currency"),
        (invoice(line("1", "5.00", "10-9999")), "100001", "LedgerCode"),
        (invoice(line("1", "5.00", "10-2100")), "190101", "LedgerCode"),
        (invoice(line("1", "5.00"), tax("1.00", "Z")), "100001", "TaxCode"),
        (invoice(gross=D("9.00")), "totals_differ", "TransactionValue"),
        (credit(corrects="ELC001/ELC-9999"), "100001", "Invoice"),
        (credit(corrects=None), "credit_without_invoice", "Invoice"),
    ],
)
def test_a_refusal_names_document_field_and_cause(
    pair: Pair,
    record: Invoice,
    code: str,
    field: str,
    validates: bool,
) -> None:  # R63
    before = len(pair.rows("ApJnlSummary"))
    with pytest.raises(Refused) as refused:
        pair.target("invoice", {"validate_first": validates}).create(record, MARK)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert record.number in str(refused.value)
    assert len(pair.rows("ApJnlSummary")) == before


def test_a_warning_refuses_in_its_own_words(pair: Pair) -> None:
    pair.syspro.options({"control_accounts": {"APSTIN": "warn"}})
    with pytest.raises(Refused, match="control account"):
        pair.target("invoice").create(invoice(line("1", "5.00", "10-2100")), MARK)
    assert pair.rows("ApInvoice", Invoice="ELC-2001") == []


def test_several_errors_are_told_together(pair: Pair) -> None:
    with pytest.raises(Refused) as refused:
        pair.target("invoice").create(invoice(line("1", "5.00", "10-9998"), line("2", "5.00", "10-9999")), MARK)
    assert "10-9998" in str(refused.value)
    assert "10-9999" in str(refused.value)


def test_an_invoice_that_is_not_in_the_ledger_is_posted_and_told(pair: Pair) -> None:
    pair.syspro.options({"gl_integration": "fails"})
    ref = pair.target("invoice").create(invoice(), MARK)
    assert [each.cause for each in ref.remarks] == ["posted_not_in_ledger"]
    assert ref.vouchers == ("2026-11 01047-001",)

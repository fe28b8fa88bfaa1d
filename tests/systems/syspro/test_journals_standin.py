"""Ledger journals posted to the stand-in: in balance, numbered there, found by our mark, posted once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ml_connector.domain.journals import JournalEntry, JournalLine
from ml_connector.systems.base import NoLonger, OutcomeUnknown, Ref, Refused

from .conftest import Pair
from .papers import LOST, only

MARK = "mlc0123456789"
D = Decimal

ENTRY = JournalEntry(
    date=date(2026, 11, 10),
    year=2026,
    period=11,
    reference=MARK,
    note="Freight of November",
    currency="USD",
    lines=(
        JournalLine(account="10-6300", amount=D("10.00"), text="Haulage"),
        JournalLine(account="10-6400", amount=D("5.00"), cost_center="WH1"),
        JournalLine(account="10-2100", amount=D("-15.00")),
    ),
)


def test_a_journal_is_authorised_posted_and_read_back(both_ways: Pair) -> None:  # R6, R11
    target = both_ways.target("journal_entry")
    ref = target.create(ENTRY, MARK)
    assert ref == Ref("2026/11/1", vouchers=("2026-11 00001",))
    head = both_ways.row("GenJournalCtl", Reference=MARK)
    assert (head["JnlStatus"], head["Authorised"], head["DebitAmount"], head["Notation"]) == (
        "P", "Y", D("15.00"), "Freight of November"
    )  # fmt: skip
    rows = both_ways.rows("GenJournalDetail", Journal=1)
    assert [(row["GlCode"], row["EntryType"], row["EntryValue"], row["Comment"]) for row in rows] == [
        ("10-6300", "D", D("10.00"), "Haulage"),
        ("10-6400-WH1", "D", D("5.00"), ""),
        ("10-2100", "C", D("-15.00"), ""),
    ]
    found = only(target.find(ENTRY, MARK))
    assert (found.key, found.mark, found.vouchers) == (ref.key, MARK, ref.vouchers)
    assert found == target.get(ref.key)
    assert target.differences(ENTRY, found.record) == []
    assert target.update(ref, ENTRY, MARK) == ref
    assert (target.find(ENTRY, "mlcZZZZZZZZZZ"), target.get("2026/11/99")) == ([], None)


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["do"])
def test_a_lost_answer_never_leads_to_a_second_journal(pair: Pair, fault: dict[str, Any]) -> None:  # R3
    pair.fail(**fault)
    with pytest.raises(OutcomeUnknown):
        pair.target("journal_entry").create(ENTRY, MARK)
    there = pair.rows("GenJournalCtl", Reference=MARK)
    target = pair.target("journal_entry")
    assert [each.vouchers for each in target.find(ENTRY, MARK)] == [("2026-11 00001",)] * len(there)
    if not there:
        target.create(ENTRY, MARK)
    assert len(pair.rows("GenJournalCtl", Reference=MARK)) == 1


def test_a_posted_journal_is_neither_amended_nor_cancelled(pair: Pair) -> None:
    target = pair.target("journal_entry")
    ref = target.create(ENTRY, MARK)
    other = replace(ENTRY, lines=(*ENTRY.lines[:2], JournalLine(account="10-6100", amount=D("-15.00"))))
    with pytest.raises(NoLonger, match="lines"):
        target.update(ref, other, MARK)
    with pytest.raises(NoLonger):
        target.cancel(ref, "gone")


@pytest.mark.parametrize("validates", [True, False])
@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (replace(ENTRY, lines=ENTRY.lines[:2]), "totals_differ", "EntryAmount"),
        (replace(ENTRY, currency="EUR"), "currency_not_allowed", "Currency"),
        (replace(ENTRY, period=8), "period_closed", "PostingPeriod"),
        (replace(ENTRY, year=2020), "period_closed", "PostingPeriod"),
        (
            replace(ENTRY, lines=(JournalLine(account="10-9999", amount=D("15.00")), ENTRY.lines[2])),
            "100001",
            "LedgerCode",
        ),
    ],
)
def test_a_refusal_names_journal_field_and_cause(
    pair: Pair, record: JournalEntry, code: str, field: str, validates: bool
) -> None:  # R33, R63
    with pytest.raises(Refused) as refused:
        pair.target("journal_entry", {"validate_first": validates}).create(record, MARK)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert MARK in str(refused.value)
    assert pair.rows("GenJournalCtl") == []

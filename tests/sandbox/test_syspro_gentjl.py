"""Journals posted to the SYSPRO stand-in by GENTJL."""

import re
from decimal import Decimal

import pytest
from tests.sandbox.syspro_client import Client, said, text

from ml_connector import sandbox

MONDAY = "2026-11-16T12:00:00Z"


@pytest.fixture
def syspro():
    with sandbox.start("syspro", options={"base_set": "bill"}) as stand_in:
        stand_in.clock(now=MONDAY, running=False)
        yield stand_in


@pytest.fixture
def enet(syspro):
    client = Client(syspro).logon()
    yield client
    client.close()


def journal(*lines, **other):
    return {
        "JournalType": "N",
        "AuthorizeJournal": "A",
        "PostJournal": "Y",
        "JournalDate": "2026-11-13",
        "JournalReference": "mlcTEST",
        "Notation": "Invoice HU-2203",
        "PostingPeriod": "11",
        "PostingYear": "2026",
        **other,
        "JournalDetails": [
            {"LedgerCode": code, "EntryAmount": amount, "Reference": "HU-2203", "Comment": "Power"}
            for code, amount in lines
        ],
    }


POWER = (("10-6400-WH1", "90.00"), ("10-6400-WH2", "60.00"), ("10-2100", "-150.00"))


def test_a_journal_is_posted_and_numbered_within_the_company(enet, syspro):
    answer = enet.post("GENTJL", journal(*POWER))
    assert answer.tag == "postgljournal"
    posted = answer.find("Item/Transaction")
    assert [(one.tag, one.text) for one in posted.find("Key")] == [
        ("GlYear", "2026"),
        ("GlPeriod", "11"),
        ("GlJournal", "00001"),
    ]
    assert (text(posted, "JournalDate"), text(posted, "Jnlstatus"), text(posted, "NumOfEntries")) == (
        "20261113",
        "P",
        "3",
    )
    assert Decimal(text(posted, "DebitAmount")) == Decimal(text(posted, "CreditAmount")) == Decimal("150.00")
    counters = {one.tag: int(one.text) for one in answer.find("StatusOfItems")}
    assert counters == {"JournalsProcessed": 1, "JournalsInvalid": 0, "PostingsProcessed": 3, "PostingsInvalid": 0}
    assert text(enet.post("GENTJL", journal(*POWER)), "Item/Transaction/Key/GlJournal") == "00002"


def test_a_posted_journal_stands_in_all_tables_of_the_ledger(enet, syspro):
    enet.post("GENTJL", journal(*POWER))
    [control] = syspro.state("GenJournalCtl")
    assert (control["Reference"], control["Notation"], control["PostDate"]) == (
        "mlcTEST",
        "Invoice HU-2203",
        "2026-11-16",
    )
    assert (control["JnlStatus"], control["Operator"], control["NumOfEntries"]) == ("P", "MLCONN", 3)
    details = [(row["EntryNumber"], row["EntryType"], row["EntryValue"]) for row in syspro.state("GenJournalDetail")]
    assert details == [(1, "D", Decimal("90.00")), (2, "D", Decimal("60.00")), (3, "C", Decimal("-150.00"))]
    assert {row["GlLine"] for row in syspro.state("GenTransaction")} == {1}
    enet.post("GENTJL", journal(*POWER))
    assert sorted(row["GlLine"] for row in syspro.state("GenTransaction")) == [1, 1, 1, 2, 2, 2]
    ledger = {row["GlCode"]: row["CurrentBalance"] for row in syspro.state("GenMaster")}
    assert (ledger["10-6400-WH1"], ledger["10-2100"]) == (Decimal("180.00"), Decimal("-300.00"))


def test_a_journal_is_found_by_its_reference(enet):
    enet.post("GENTJL", journal(*POWER))
    assert enet.find("GenJournalCtl", "Reference", "mlcTEST", "GlYear", "GlPeriod", "GlJournal") == [
        ("2026", "11", "1")
    ]
    [row] = enet.odata("GenJournalCtl", "Reference eq 'mlcTEST' and PostDate ge 2026-11-16T00:00:00Z")
    assert row["DebitAmount"] == 150.00


@pytest.mark.parametrize(
    "change", [{"AuthorizeJournal": "U"}, {"PostJournal": "N"}, {"HoldJournal": "Y"}, {"AuthorizeJournal": None}]
)
def test_a_journal_that_is_not_authorised_and_posted_waits(enet, syspro, change):
    answer = enet.post("GENTJL", journal(*POWER, **change))
    assert text(answer, "Item/Transaction/Jnlstatus") == ""
    [control] = syspro.state("GenJournalCtl")
    assert (control["JnlStatus"], control["PostDate"]) == ("", None)
    assert syspro.state("GenTransaction") == []


@pytest.mark.parametrize(
    ("lines", "change", "field"),
    [
        ((("10-6100", "10.00"), ("10-6200", "-9.99")), {}, "JournalDetails/EntryAmount"),
        ((("10-6100", "10.00"), ("10-7777", "-10.00")), {}, "JournalDetails/LedgerCode"),
        ((("10-6100", "ten"), ("10-6200", "-10.00")), {}, "JournalDetails/EntryAmount"),
        ((("10-6100", ""), ("10-6200", "")), {}, "JournalDetails/EntryAmount"),
        ((), {}, "JournalDetails"),
        (POWER, {"PostingPeriod": "8"}, "PostingPeriod"),
        (POWER, {"PostingPeriod": "12"}, "PostingPeriod"),
        (POWER, {"PostingYear": "2025"}, "PostingPeriod"),
        (POWER, {"PostingYear": "11", "PostingPeriod": "2026"}, "PostingPeriod"),
        (POWER, {"JournalNumber": "7"}, "JournalNumber"),
        (POWER, {"JournalReference": "R" * 31}, "JournalReference"),
        (POWER, {"JournalType": "X"}, "JournalType"),
        (POWER, {"Currency": "XXX"}, "Currency"),
        (POWER, {"JournalDate": "20261113"}, "JournalDate"),
    ],
)
def test_a_journal_with_a_bad_field_is_not_booked(enet, syspro, lines, change, field):
    answer = enet.post("GENTJL", journal(*lines, **change))
    assert field in {re.sub(r"\[\d\]", "", path) for path, *_ in said(answer)}
    counters = {one.tag: int(one.text) for one in answer.find("StatusOfItems")}
    assert counters["JournalsInvalid"] == 1
    assert counters["PostingsInvalid"] == len(lines)
    assert syspro.state("GenJournalCtl") == []


@pytest.mark.parametrize(("how", "booked"), [("accept", 1), ("warn", 0), ("refuse", 0)])
def test_a_control_account_is_posted_to_as_the_site_has_it(enet, syspro, how, booked):
    syspro.options({"control_accounts": {"GENTJL": how}})
    enet.post("GENTJL", journal(*POWER))
    assert len(syspro.state("GenJournalCtl")) == booked


def test_a_journal_in_a_foreign_currency_is_converted_in_balance(enet, syspro):
    lines = (("10-6100", "0.33"), ("10-6200", "0.33"), ("10-6300", "0.34"), ("10-6400", "-1.00"))
    enet.post("GENTJL", journal(*lines, Currency="EUR"))
    rows = syspro.state("GenJournalDetail")
    assert sum(row["EntryValue"] for row in rows) == 0
    assert [row["CurrencyValue"] for row in rows] == [Decimal(amount) for _, amount in lines]
    assert {row["PostCurrency"] for row in rows} == {"EUR"}

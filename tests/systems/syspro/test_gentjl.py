"""Ledger journals: invoices that are posted to the ledger alone, their balance, and how they are found again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from msgspec.structs import replace

from ml_connector.domain.journals import JournalEntry, JournalLine
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind
from ml_connector.systems.base import NoLonger, OutcomeUnknown, Refused
from ml_connector.systems.syspro.company import Period
from ml_connector.systems.syspro.costcenters import Segment
from ml_connector.systems.syspro.writing.coding import Booked
from ml_connector.systems.syspro.writing.gentjl import journal_of, to_gentjl
from ml_connector.systems.syspro.writing.tables import GenJournalCtl, GenJournalDetail

from .conftest import Erp
from .enet import DROP, Call

MARK = "mlc0123456789"
D = Decimal
NOVEMBER = Booked(Period(2026, 11), "C")
SEGMENT = "segment(9,3,-)"
INVOICE = Invoice(
    number="HU-2203",
    supplier="HYD005",
    date=date(2026, 11, 16),
    due_date=date(2026, 11, 30),
    currency="USD",
    gross=D("162.00"),
    net=D("150.00"),
    tax=D("12.00"),
    lines=(
        InvoiceLine(line_key="1", amount=D("90.00"), account="10-6400", cost_center="WH1", description="Power"),
        InvoiceLine(line_key="2", amount=D("60.00"), account="10-6400", cost_center="WH2"),
        InvoiceLine(line_key="t", amount=D("12.00"), account="", kind=LineKind.TAX, tax_code="A"),
    ),
)


def entry_of(invoice: Invoice, booked: Booked = NOVEMBER, control: str = "10-2100") -> JournalEntry:
    return journal_of(invoice, MARK, booked, control, "USD", {"A": "10-2250"})


def test_an_invoice_becomes_a_journal_that_balances_against_payables() -> None:  # R22
    entry = entry_of(INVOICE)
    assert [(line.account, line.cost_center, line.amount) for line in entry.lines] == [
        ("10-6400", "WH1", D("90.00")),
        ("10-6400", "WH2", D("60.00")),
        ("10-2250", None, D("12.00")),
        ("10-2100", None, D("-162.00")),
    ]
    assert (entry.difference(), entry.debit, entry.reference) == (0, D("162.00"), MARK)


def test_a_credit_note_is_the_other_way_round() -> None:  # R26
    entry = entry_of(replace(INVOICE, kind=InvoiceKind.CREDIT_NOTE))
    assert [line.amount for line in entry.lines] == [D("-90.00"), D("-60.00"), D("-12.00"), D("162.00")]


@pytest.mark.parametrize(("base", "total"), [(None, D("174.96")), (D("175.00"), D("175.00"))])
def test_a_foreign_invoice_is_stated_in_the_companys_currency_to_the_cent(base: Decimal | None, total: Decimal) -> None:
    entry = entry_of(replace(INVOICE, currency="EUR", rate=D("1.08"), base_gross=base))  # R25
    assert (entry.currency, entry.difference(), -entry.lines[-1].amount) == ("USD", 0, total)


def test_a_foreign_invoice_without_a_rate_is_refused() -> None:  # R25
    with pytest.raises(Refused) as raised:
        entry_of(replace(INVOICE, currency="EUR"))
    assert raised.value.code == "rate_missing"


@pytest.mark.parametrize(
    ("change", "control", "field"),
    [
        ({}, "", "ap_control_account"),
        ({"gross": D("163.00")}, "10-2100", "EntryAmount"),
        ({"lines": (InvoiceLine(line_key="1", amount=D("162.00"), account=""),)}, "10-2100", "LedgerCode"),
    ],
)
def test_what_makes_no_journal_is_refused_by_field(change: dict[str, Any], control: str, field: str) -> None:  # R49
    with pytest.raises(Refused) as raised:
        entry_of(replace(INVOICE, **change), control=control)
    assert raised.value.field == field


def test_the_document_has_year_and_period_signed_amounts_and_is_posted_at_once() -> None:
    posting = to_gentjl(entry_of(replace(INVOICE, memo="x" * 200)), Segment(9, 3, "-"), "USD")
    item = etree.fromstring(posting.texts(validate=False)["XmlIn"].encode()).find("Item")
    assert {each.tag: each.text for each in item if len(each) == 0 and each.tag != "Notation"} == {
        "JournalType": "N",
        "AuthorizeJournal": "A",
        "PostJournal": "Y",
        "JournalDate": "2026-11-16",
        "JournalReference": MARK,
        "PostingPeriod": "11",
        "PostingYear": "2026",
    }
    assert len(item.findtext("Notation")) == 100 and item.findtext("Notation").endswith("…")
    assert [each.findtext("LedgerCode") for each in item.findall("JournalDetails")] == [
        "10-6400-WH1", "10-6400-WH2", "10-2250", "10-2100",
    ]  # fmt: skip
    assert [each.findtext("EntryAmount") for each in item.findall("JournalDetails")][-1] == "-162.00"
    assert posting.parameters["ActionType"] == "A"


def test_a_journal_that_does_not_balance_or_is_foreign_never_leaves() -> None:
    entry = entry_of(INVOICE)
    bent = replace(entry, lines=(*entry.lines, JournalLine(account="10-1", amount=D("0.01"))))
    for wrong, field in ((bent, "EntryAmount"), (replace(entry, currency="EUR"), "Currency")):
        with pytest.raises(Refused) as raised:
            to_gentjl(wrong, Segment(9, 3, "-"), "USD")
        assert raised.value.field == field


@pytest.fixture
def erp(erp: Erp) -> Erp:
    for table in (GenJournalCtl, GenJournalDetail):
        erp.enet.tables[table.NAME] = []
    erp.enet.answer["GENTJL"] = posted(erp)
    return erp


def posted(erp: Erp, *, status: str = "P", key: bool = True) -> Callable[[Call], str]:
    def book(call: Call) -> str:
        place = {"GlYear": int(call.value("Item/PostingYear")), "GlPeriod": int(call.value("Item/PostingPeriod"))}
        journal = 117 + len(erp.enet.tables["GenJournalCtl"])
        amounts = [D(value) for value in call.values("Item/JournalDetails/EntryAmount")]
        debit = sum((value for value in amounts if value > 0), D(0))
        erp.put(
            GenJournalCtl,
            {**place, "GlJournal": journal, "Reference": call.value("Item/JournalReference"), "DebitAmount": debit,
             "JournalDate": call.value("Item/JournalDate")},
        )  # fmt: skip
        for number, (code, value) in enumerate(
            zip(call.values("Item/JournalDetails/LedgerCode"), amounts, strict=True), start=1
        ):
            erp.put(
                GenJournalDetail,
                {**place, "Journal": journal, "EntryNumber": number, "GlCode": code, "EntryValue": value,
                 "EntryType": "D" if value > 0 else "C"},
            )  # fmt: skip
        named = f"<GlYear>2026</GlYear><GlPeriod>{place['GlPeriod']}</GlPeriod><GlJournal>{journal:05}</GlJournal>"
        shown = f"<Key>{named}</Key>" if key else ""
        return (
            f"<postgljournal><Item><Transaction>{shown}<DebitAmount>   {debit}</DebitAmount>"
            f"<Jnlstatus>{status}</Jnlstatus></Transaction></Item><StatusOfItems><JournalsProcessed>1</JournalsProcessed><JournalsInvalid/>"
            "</StatusOfItems></postgljournal>"
        )

    return book


def journals(erp: Erp, **policy: Any) -> Any:
    settings = {"ap_control_account": "10-2100", "cost_centre_source": SEGMENT}
    return erp.target("invoice", {"post_as": "journal", **policy}, **settings)


def test_an_invoice_posted_as_a_journal_is_found_by_its_mark(erp: Erp) -> None:  # R5, R6
    target = journals(erp)
    ref = target.create(INVOICE, MARK)
    assert (ref.key, ref.vouchers, ref.remarks) == ("2026/11/117", ("2026-11 00117",), ())
    (hit,) = target.find(INVOICE, MARK)
    assert (hit.key, hit.mark, target.differences(INVOICE, hit.record)) == (ref.key, MARK, [])
    assert target.identity_differences(replace(INVOICE, kind=InvoiceKind.CREDIT_NOTE), hit.record) == []
    assert target.differences(replace(INVOICE, kind=InvoiceKind.CREDIT_NOTE), hit.record) == ["lines"]
    assert target.find(INVOICE, "mlcZZZZZZZZZZ") == []
    assert [call.business_object for call in erp.enet.posts()] == ["GENTJL"]


def test_a_lost_answer_is_found_although_the_month_was_closed_since(erp: Erp) -> None:  # R3
    book = posted(erp)
    erp.enet.answer["GENTJL"] = lambda call: DROP if book(call) else ""
    record = replace(INVOICE, posting_date=date(2026, 9, 5))
    with pytest.raises(OutcomeUnknown):
        journals(erp).create(record, MARK)
    erp.enet.tables["GenControl"][0]["GlPeriod"] = 12
    target = journals(erp)
    (hit,) = target.find(record, MARK)
    assert (hit.record.period, target.identity_differences(record, hit.record)) == (9, [])


def test_a_journal_without_a_key_in_the_answer_is_read_back(erp: Erp) -> None:  # R11
    erp.enet.answer["GENTJL"] = posted(erp, key=False)
    assert journals(erp).create(INVOICE, MARK).key == "2026/11/117"
    erp.enet.answer["GENTJL"] = lambda call: "<postgljournal/>"
    with pytest.raises(OutcomeUnknown):
        journals(erp).create(INVOICE, "mlcZZZZZZZZZZ")


def test_a_journal_that_was_entered_and_not_posted_is_told(erp: Erp) -> None:
    erp.enet.answer["GENTJL"] = posted(erp, status="E")
    (remark,) = journals(erp).create(INVOICE, MARK).remarks
    assert (remark.cause, "2026-11 00117" in remark.text) == ("posted_not_in_ledger", True)


def test_an_unbalanced_journal_that_syspro_counts_as_invalid_is_refused(erp: Erp) -> None:  # R12
    erp.enet.answer["GENTJL"] = lambda call: (
        "<postgljournal><StatusOfItems><PostingsInvalid>     4</PostingsInvalid></StatusOfItems></postgljournal>"
    )
    with pytest.raises(Refused):
        journals(erp).create(INVOICE, MARK)


def test_a_posted_journal_is_neither_amended_nor_taken_back(erp: Erp) -> None:
    target = journals(erp)
    ref = target.create(INVOICE, MARK)
    assert target.update(ref, INVOICE, MARK) == ref
    with pytest.raises(NoLonger):
        target.update(ref, replace(INVOICE, gross=D("150.00"), lines=INVOICE.lines[:2]), MARK)
    with pytest.raises(NoLonger):
        target.cancel(ref, "voided in the source")


def test_an_entry_of_its_own_is_posted_and_compared(erp: Erp) -> None:
    target = erp.target("journal_entry", cost_centre_source=SEGMENT)
    entry = entry_of(INVOICE)
    ref = target.create(entry, MARK)
    found = target.get(ref.key)
    assert target.differences(entry, found.record) == []
    assert target.differences(replace(entry, period=10), found.record) == ["period"]
    assert target.get("2026/11/999") is None and target.get("nothing") is None

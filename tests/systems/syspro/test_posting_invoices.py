"""Posting invoices over HTTP: which calls leave, what their answers mean, what is found again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind
from ml_connector.systems.base import (
    AuthFailed,
    DocumentState,
    NoLonger,
    OutcomeUnknown,
    Ref,
    Refused,
    Transient,
)
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApJnlDistrib, ApJnlSummary, ApSupplier
from ml_connector.systems.syspro.writing.tables import GrnDetails, Payee, SupplierCode

from .conftest import Erp
from .enet import DEAD, DROP, Call

MARK = "mlc0123456789"
D = Decimal

INVOICE = Invoice(
    number="ELC-1001",
    supplier="ELC001",
    date=date(2026, 11, 10),
    due_date=date(2026, 12, 10),
    currency="USD",
    gross=D("1620.00"),
    net=D("1500.00"),
    tax=D("120.00"),
    lines=(
        InvoiceLine(line_key="1", amount=D("1500.00"), account="10-6100"),
        InvoiceLine(line_key="t", amount=D("120.00"), account="", kind=LineKind.TAX, tax_code="A"),
    ),
)
CREDIT = Invoice(
    kind=InvoiceKind.CREDIT_NOTE,
    number="ELC-C7",
    supplier="ELC001",
    date=date(2026, 11, 12),
    due_date=date(2026, 11, 12),
    currency="USD",
    gross=D("75.00"),
    net=D("75.00"),
    corrects="ELC001/ELC-1001",
    lines=(InvoiceLine(line_key="1", amount=D("75.00"), account="10-6100"),),
)
OK_STATUS = "<StatusOfItems><ItemsProcessed>000001</ItemsProcessed><ItemsInvalid>000000</ItemsInvalid></StatusOfItems>"


@pytest.fixture
def erp(erp: Erp) -> Erp:
    for table in (ApSupplier, Payee, SupplierCode):
        erp.put(
            table, {"Supplier": "ELC001", "SupplierName": "Electra", "Currency": "USD"} if table is ApSupplier else {}
        )
    erp.enet.tables["ApSupplier"] = [
        {**{name: value for row in erp.enet.tables["ApSupplier"] for name, value in row.items()}, **chosen}
        for chosen in (
            {"Supplier": "ELC001", "Currency": "USD"},
            {"Supplier": "NOR002", "Currency": "EUR"},
            {"Supplier": "TRN004", "Currency": "USD", "OnHold": "Y"},
            {"Supplier": "GRN005", "Currency": "USD", "GrnMatchReqd": "Y"},
        )
    ]
    for table in (ApInvoice, ApJnlSummary, ApJnlDistrib, ApInvoicePay, GrnDetails):
        erp.enet.tables[table.NAME] = []
    erp.enet.answer["APSTIN"] = posted(erp)
    return erp


def posted(erp: Erp, *, extra: str = "", shown: bool = True) -> Callable[[Call], str]:
    """Books what is posted in the tables, and answers with its entry."""

    def book(call: Call) -> str:
        entry = sum(1 for _ in erp.enet.tables["ApJnlSummary"]) + 1
        supplier, number, code = (
            call.value("Item/Supplier"),
            call.value("Item/Invoice"),
            call.value("Item/TransactionCode"),
        )
        value, reference = D(call.value("Item/TransactionValue")), call.value("Item/TransactionReference")
        place = {"TrnYear": 2026, "TrnMonth": 11, "Journal": 17, "EntryNumber": entry}
        who = {"Supplier": supplier, "Invoice": number}
        if shown:
            erp.put(
                ApJnlSummary,
                {**place, **who, "TransactionCode": code, "InvoiceValue": value if code == "I" else -value},
            )
            rows = zip(
                call.values("Item/LedgerDistribution/LedgerCode"), call.values("Item/LedgerDistribution/LedgerValue"),
                call.values("Item/LedgerDistribution/LedgerNotation") or [""] * 9, strict=False,
            )  # fmt: skip
            tax = [("10-2250", call.value("Item/TaxValue"), "")] if call.value("Item/TaxValue") else []
            for sub, (account, amount, text) in enumerate([*rows, *tax], start=1):
                erp.put(
                    ApJnlDistrib,
                    {**place, "SubEntry": sub, "ExpenseGlCode": account, "DistrValue": D(amount), "Reference": text,
                     "TrnDate": "2026-11-16"},
                )  # fmt: skip
        if shown and code == "I":
            erp.put(
                ApInvoice,
                {**who, "InvoiceYear": 2026, "InvoiceMonth": 11, "Journal": 17, "EntryNumber": entry,
                 "JournalDate": "2026-11-16", "InvoiceDate": call.value("Item/InvoiceDate"), "Reference": reference,
                 "DueDate": call.value("Item/DueDate"), "Currency": "USD", "OrigInvValue": value, "MthInvBal1": value},
            )  # fmt: skip
        return (
            '<?xml version="1.0" encoding="Windows-1252"?>\n<postapinvoice Language=\'05\'><Item><Transaction><Key>'
            f"<TrnYear>2026</TrnYear><TrnMonth>11</TrnMonth><Journal>00017</Journal><EntryNumber>{entry:03}</EntryNumber>"
            f"</Key><supplier>{supplier}</supplier><invoice>{number}</invoice></Transaction></Item>{extra or OK_STATUS}"
            "</postapinvoice>\n "
        )

    return book


def refusing(body: str) -> Callable[[Call], str]:
    return lambda call: f"<postapinvoice>{body}</postapinvoice>"


def test_a_document_is_checked_then_posted_once_then_read_back(erp: Erp) -> None:  # R8, R11
    ref = erp.target("invoice").create(INVOICE, MARK)
    assert [(call.operation, call.validates) for call in erp.enet.calls] == [
        ("Transaction/Post", True),
        ("Transaction/Post", False),
    ]
    assert (ref.key, ref.amount, ref.vouchers, ref.remarks) == (
        "ELC001/ELC-1001",
        D("1620.00"),
        ("2026-11 00017-001",),
        (),
    )
    assert erp.asked == 2


def test_the_check_is_left_out_where_the_flow_says_so(erp: Erp) -> None:
    erp.target("invoice", {"validate_first": False}).create(INVOICE, MARK)
    assert [call.validates for call in erp.enet.calls] == [False]


def test_what_was_posted_is_found_by_its_mark_and_agrees(erp: Erp) -> None:  # R5, R6
    target = erp.target("invoice")
    target.create(INVOICE, MARK)
    (hit,) = target.find(INVOICE, MARK)
    assert (hit.key, hit.mark, hit.state, hit.open) == ("ELC001/ELC-1001", MARK, DocumentState.OPEN, D("1620.00"))
    assert target.differences(INVOICE, hit.record) == []
    assert target.identity_differences(replace(INVOICE, gross=D("1.00")), hit.record) == ["gross"]
    assert target.differences(replace(INVOICE, due_date=date(2027, 1, 1)), hit.record) == ["due_date"]
    coded = replace(INVOICE, lines=(replace(INVOICE.lines[0], account="10-6200"), INVOICE.lines[1]))
    assert target.differences(coded, hit.record) == ["lines"]


@pytest.mark.parametrize("number", ["ELC-1001", "elc1001", "E1C-01001"])
def test_an_invoice_typed_by_hand_is_found_however_its_number_is_spelt(erp: Erp, number: str) -> None:  # R38, R40
    erp.target("invoice").create(INVOICE, "by hand")
    (hit,) = erp.target("invoice").find(replace(INVOICE, number=number), MARK)
    assert (hit.key, hit.mark) == ("ELC001/ELC-1001", None)


def test_another_suppliers_invoice_of_that_number_is_none(erp: Erp) -> None:
    erp.target("invoice").create(INVOICE, MARK)
    assert erp.target("invoice").find(replace(INVOICE, supplier="NOR002"), "mlcZZZZZZZZZZ") == []


def test_an_error_with_status_200_is_a_refusal_and_nothing_is_posted(erp: Erp) -> None:  # R12
    erp.enet.validation["APSTIN"] = lambda call: "ERROR: Something is wrong"
    with pytest.raises(Refused, match="Something is wrong"):
        erp.target("invoice").create(INVOICE, MARK)
    assert erp.enet.posts() == []


def test_an_error_of_one_element_names_it(erp: Erp) -> None:  # R12
    erp.enet.validation["APSTIN"] = refusing(
        "<Item><ledgercode><Value>10-6100</Value><ErrorNumber>170012</ErrorNumber><ErrorDescription>GL code not found"
        "</ErrorDescription></ledgercode></Item><StatusOfItems><ItemsProcessed/><ItemsInvalid>     1</ItemsInvalid>"
        "</StatusOfItems>"
    )
    with pytest.raises(Refused, match="GL code not found") as raised:
        erp.target("invoice").create(INVOICE, MARK)
    assert (raised.value.code, raised.value.field) == ("170012", "ledgercode")
    assert "ELC-1001" in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        "<Item/><StatusOfItems><ItemsInvalid>000001</ItemsInvalid></StatusOfItems>",
        "<Item><Invoice><WarningNumber>9</WarningNumber><WarningDescription>Seen</WarningDescription></Invoice></Item>"
        "<StatusOfItems><ItemsRejectedWithWarnings>1</ItemsRejectedWithWarnings></StatusOfItems>",
        "<Item><Invoice><ErrorDescription>No</ErrorDescription></Invoice></Item>",
    ],
)
def test_a_count_of_invalid_items_is_a_refusal_whatever_else_is_said(erp: Erp, body: str) -> None:  # R12
    erp.enet.answer["APSTIN"] = refusing(body)
    with pytest.raises(Refused):
        erp.target("invoice").create(INVOICE, MARK)


def test_a_warning_that_rejects_nothing_is_no_refusal(erp: Erp) -> None:
    warning = "<WarningMessages><WarningDescription>Dated long ago</WarningDescription></WarningMessages>"
    erp.enet.answer["APSTIN"] = posted(erp, extra=warning + OK_STATUS)
    assert erp.target("invoice").create(INVOICE, MARK).key == "ELC001/ELC-1001"


@pytest.mark.parametrize(
    "answer", ["", "<postapinvoice><Item>", "<html><body>Proxy</body></html>", "<postapinvoice/>", DROP]
)
def test_an_answer_that_says_nothing_leaves_the_outcome_open(erp: Erp, answer: str) -> None:  # R3, R12
    erp.enet.answer["APSTIN"] = lambda call: answer
    with pytest.raises(OutcomeUnknown):
        erp.target("invoice").create(INVOICE, MARK)
    assert len(erp.enet.posts()) == 1


def test_a_lost_answer_is_found_again_by_the_mark(erp: Erp) -> None:  # R3, R6
    book = posted(erp)
    erp.enet.answer["APSTIN"] = lambda call: DROP if book(call) else ""
    target = erp.target("invoice")
    with pytest.raises(OutcomeUnknown):
        target.create(INVOICE, MARK)
    (hit,) = target.find(INVOICE, MARK)
    assert target.identity_differences(INVOICE, hit.record) == []


def test_an_answer_without_a_key_is_completed_from_the_tables(erp: Erp) -> None:  # R11
    book = posted(erp)
    erp.enet.answer["APSTIN"] = lambda call: f"<postapinvoice>{OK_STATUS}</postapinvoice>" if book(call) else ""
    assert erp.target("invoice").create(INVOICE, MARK).key == "ELC001/ELC-1001"
    credit = erp.target("invoice").create(CREDIT, MARK)
    assert credit.key == "2026/11/17/2"


def test_a_success_that_the_tables_do_not_show_is_none_yet(erp: Erp) -> None:  # R11
    erp.enet.answer["APSTIN"] = posted(erp, shown=False)
    with pytest.raises(OutcomeUnknown):
        erp.target("invoice").create(INVOICE, MARK)


def test_an_answer_about_another_supplier_is_none(erp: Erp) -> None:  # R12
    book = posted(erp)
    erp.enet.answer["APSTIN"] = lambda call: book(call).replace("<supplier>ELC001", "<supplier>XYZ999")
    with pytest.raises(OutcomeUnknown):
        erp.target("invoice").create(INVOICE, MARK)


def test_a_session_lost_before_the_check_costs_one_logon_and_no_second_post(erp: Erp) -> None:  # R62
    erp.enet.dead = 1
    erp.target("invoice").create(INVOICE, MARK)
    assert (len(erp.enet.posts()), erp.enet.logons) == (1, 2)


def test_a_session_lost_in_the_post_is_renewed_and_the_post_is_looked_up(erp: Erp) -> None:  # R62
    erp.enet.answer["APSTIN"] = lambda call: DEAD
    with pytest.raises(OutcomeUnknown) as raised:
        erp.target("invoice").create(INVOICE, MARK)
    assert (raised.value.then, len(erp.enet.posts()), erp.enet.logons) == (None, 1, 2)


def test_a_check_without_an_answer_is_tried_later_because_nothing_was_posted(erp: Erp) -> None:
    erp.enet.validation["APSTIN"] = lambda call: DROP
    with pytest.raises(Transient, match="Nothing was posted"):
        erp.target("invoice").create(INVOICE, MARK)
    assert erp.enet.posts() == []


def test_an_object_that_is_not_licensed_says_so(erp: Erp) -> None:
    erp.enet.validation["APSTIN"] = lambda call: "ERROR: e.net exception raised: 100000"
    with pytest.raises(Refused) as raised:
        erp.target("invoice").create(INVOICE, MARK)
    assert raised.value.code == "not_licensed"


def test_the_ledger_that_did_not_follow_is_told_and_nothing_is_posted_again(erp: Erp) -> None:
    ledger = (
        "<StatusOfItems><GlJournal><GlYear>2026</GlYear><GlPeriod>11</GlPeriod><GlJournal>00000</GlJournal>"
        "<GlJournalError>31</GlJournalError><GlJournalMessage>GL period is closed</GlJournalMessage></GlJournal>"
        "<ItemsProcessed>1</ItemsProcessed><ItemsInvalid/></StatusOfItems>"
    )
    erp.enet.answer["APSTIN"] = posted(erp, extra=ledger)
    ref = erp.target("invoice").create(INVOICE, MARK)
    assert [(remark.cause, "GL period is closed" in remark.text) for remark in ref.remarks] == [
        ("posted_not_in_ledger", True)
    ]
    assert (ref.vouchers, len(erp.enet.posts())) == (("2026-11 00017-001",), 1)


def test_the_ledgers_journal_is_told_where_it_was_made_at_once(erp: Erp) -> None:
    ledger = "<StatusOfItems><GlJournal><GlJournal>00117</GlJournal><GlJournalError/></GlJournal></StatusOfItems>"
    erp.enet.answer["APSTIN"] = posted(erp, extra=ledger)
    assert erp.target("invoice").create(INVOICE, MARK).vouchers == ("2026-11 00017-001", "00117")


def test_a_long_document_goes_in_a_body_with_the_same_content(erp: Erp) -> None:
    lines = tuple(
        InvoiceLine(line_key=str(n), amount=D("10.00"), account="10-6100", description=f"<Größe> & Länge {n}")
        for n in range(150)
    )
    record = replace(INVOICE, lines=lines, gross=D("1500.00"), net=D("1500.00"), tax=D(0))
    ref = erp.target("invoice").create(record, MARK)
    assert [(call.method, call.operation) for call in erp.enet.calls] == [("POST", "Transaction/PostLD")] * 2
    sent = erp.enet.posts()[0]
    assert len(sent.values("Item/LedgerDistribution")) == 150
    assert sent.values("Item/LedgerDistribution/LedgerNotation")[7] == "<Größe> & Länge 7"
    assert ref.amount == D("1500.00")
    with pytest.raises(Refused) as raised:
        erp.target("invoice", large_post_mode="refuse").create(record, MARK)
    assert raised.value.field == "max_url_bytes"
    erp.enet.missing = "PostLD"
    with pytest.raises(Refused) as raised:
        erp.target("invoice").create(record, MARK)
    assert raised.value.field == "large_post_mode"


def test_an_address_that_the_server_finds_too_long_was_not_posted(erp: Erp) -> None:
    erp.enet.longest = 500
    erp.session.value = "0" * 34
    with pytest.raises(Refused, match="max_url_bytes"):
        erp.target("invoice", large_post_mode="refuse").find(INVOICE, MARK)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"supplier": "TRN004"}, "supplier_on_hold"),
        ({"supplier": "NOWHERE"}, "supplier_missing"),
        ({"supplier": "NOR002"}, "currency_not_allowed"),
        ({"supplier": "GRN005"}, "receipt_needed"),
        ({"posting_date": date(2026, 8, 5)}, "period_closed"),
        ({"number": "PK-502-2026-NOVEMBER-0042"}, "number_too_long"),
    ],
)
def test_what_cannot_be_booked_is_refused_before_anything_leaves(erp: Erp, change: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as raised:  # R25, R33, R44, R47
        erp.target("invoice").create(replace(INVOICE, **change), MARK)
    assert (raised.value.code, erp.enet.calls) == (code, [])


def test_a_back_dated_posting_goes_to_its_own_period_with_its_own_date(erp: Erp) -> None:  # R34
    erp.target("invoice").create(replace(INVOICE, date=date(2026, 9, 20), posting_date=date(2026, 9, 20)), MARK)
    (call,) = erp.enet.posts()
    assert (call.parameter("PostingPeriod"), call.value("Item/InvoiceDate")) == ("B", "2026-09-20")


def test_a_foreign_rate_travels_only_where_the_flow_wants_it(erp: Erp) -> None:  # R25
    record = replace(INVOICE, supplier="NOR002", currency="EUR", rate=D("1.08"))
    erp.enet.answer["APSTIN"] = refusing(OK_STATUS)
    for policy in ({}, {"rate": "document"}):
        with pytest.raises(OutcomeUnknown):
            erp.target("invoice", policy).create(record, MARK)
    assert [call.values("Item/ExchRateAtEntry") for call in erp.enet.posts()] == [[], ["1.080000"]]


def test_goods_received_are_matched_where_the_supplier_needs_it(erp: Erp) -> None:  # R44
    erp.put(
        GrnDetails,
        {"Supplier": "GRN005", "Grn": "G77", "GrnSource": "P", "Journal": 3, "JournalEntry": 1,
         "PurchaseOrder": "000150", "PurchaseOrderLin": 1, "CurGrnValue": D("1500.00")},
    )  # fmt: skip
    matched = replace(INVOICE.lines[0], order_line="000150/1")
    erp.target("invoice").create(replace(INVOICE, supplier="GRN005", lines=(matched, INVOICE.lines[1])), MARK)
    (call,) = erp.enet.posts()
    assert call.values("Item/GrnDetails/GrnGrn") == ["G77"]
    assert call.values("Item/LedgerDistribution") == []


def test_a_credit_note_is_found_on_its_invoice_by_its_mark_even_if_it_takes_the_whole(erp: Erp) -> None:  # R6, R27
    target = erp.target("invoice")
    target.create(INVOICE, "mlcAAAAAAAAAA")
    whole = replace(
        CREDIT, gross=D("1620.00"), net=D("1620.00"), lines=(replace(CREDIT.lines[0], amount=D("1620.00")),)
    )
    for mark, record in ((MARK, whole), ("mlcBBBBBBBBBB", CREDIT)):
        ref = target.create(record, mark)
        (hit,) = target.find(record, mark)
        assert (hit.key, hit.mark) == (ref.key, mark)
        assert target.identity_differences(record, hit.record) == []
        again = target.get(ref.key)
        assert again is not None and (again.key, again.mark) == (ref.key, mark)
    assert target.find(CREDIT, "mlcCCCCCCCCCC") == []


def test_a_posted_invoice_is_not_amended(erp: Erp) -> None:
    target = erp.target("invoice")
    ref = target.create(INVOICE, MARK)
    assert target.update(ref, INVOICE, MARK) == ref
    with pytest.raises(NoLonger, match="2026-12-10 in SYSPRO, 2026-12-18 in the source"):
        target.update(ref, replace(INVOICE, due_date=date(2026, 12, 18)), MARK)
    assert len(erp.enet.posts()) == 1


def test_a_withdrawn_invoice_is_credited_where_the_flow_says_so(erp: Erp) -> None:  # R29
    ref = erp.target("invoice").create(INVOICE, MARK)
    with pytest.raises(NoLonger):
        erp.target("invoice").cancel(ref, "voided in the source")
    erp.target("invoice", {"withdrawn": "credit"}).cancel(ref, "voided in the source")
    call = erp.enet.posts()[-1]
    assert (call.value("Item/TransactionCode"), call.value("Item/TransactionValue")) == ("C", "1620.00")
    assert (call.value("Item/TaxValue"), call.value("Item/LedgerDistribution/LedgerValue")) == ("120.00", "1500.00")
    erp.enet.tables["ApInvoice"][0] |= {"MthInvBal1": D(0)}
    erp.target("invoice", {"withdrawn": "credit"}).cancel(ref, "voided in the source")
    assert len(erp.enet.posts()) == 2


def test_a_withdrawn_invoice_that_was_paid_in_part_is_for_people(erp: Erp) -> None:
    ref = erp.target("invoice").create(INVOICE, MARK)
    erp.enet.tables["ApInvoice"][0] |= {"MthInvBal1": D("1000.00")}
    with pytest.raises(NoLonger, match="1000"):
        erp.target("invoice", {"withdrawn": "credit"}).cancel(ref, "voided in the source")


def test_no_message_shows_a_password_or_a_session(erp: Erp) -> None:  # R71
    erp.enet.validation["APSTIN"] = lambda call: f"ERROR: bad canary-operator {call.session}"
    with pytest.raises(Refused) as raised:
        erp.target("invoice").create(INVOICE, MARK)
    assert "canary" not in str(raised.value) and "0000000" not in str(raised.value)


def test_an_operator_that_is_refused_stops_the_connection(erp: Erp) -> None:  # R61
    erp.enet.validation["APSTIN"] = lambda call: "ERROR: Invalid operator password"
    with pytest.raises(AuthFailed):
        erp.target("invoice").create(INVOICE, MARK)


def test_an_invoice_that_is_gone_is_not_cancelled(erp: Erp) -> None:
    assert erp.target("invoice").get("ELC001/NONE") is None
    with pytest.raises(Exception, match="no invoice"):
        erp.target("invoice", {"withdrawn": "credit"}).cancel(Ref("ELC001/NONE"), "voided")

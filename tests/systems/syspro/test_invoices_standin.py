"""Invoices posted to the stand-in: what of them is read back, found again, refused, and posted once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

import pytest
from msgspec.structs import replace

from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind
from ml_connector.systems.base import DocumentState, Found, NoLonger, OutcomeUnknown, Ref, Refused, Transient

from .conftest import Pair

MARK = "mlc0123456789"
OTHER = "mlcZZZZZZZZZZ"
D = Decimal

LOST = [
    {"do": "reset"},
    {"do": "commit_then_reset"},
    {"do": "status", "status": 502},
    {"do": "commit_then_status", "status": 502},
    {"do": "truncate"},
    {"do": "garble"},
    {"do": "empty"},
    {"do": "expire_session"},
    {"do": "commit_then_expire_session", "answer": "refused"},
]
"""What can happen to a write so that its sender does not know what became of it."""


def line(key: str, amount: str, account: str = "10-6100", **more: Any) -> InvoiceLine:
    return InvoiceLine(line_key=key, amount=D(amount), account=account, **more)


def tax(amount: str, code: str | None = "A") -> InvoiceLine:
    return line("t", amount, "", kind=LineKind.TAX, tax_code=code)


def invoice(*lines: InvoiceLine, **more: Any) -> Invoice:
    lines = lines or (line("1", "1200.00", description="Relays"), line("2", "300.00", "10-6200"), tax("120.00"))
    kinds = {kind: sum((each.amount for each in lines if each.kind is kind), D(0)) for kind in LineKind}
    gross = sum((each.amount for each in lines), D(0))
    given: dict[str, Any] = {
        "number": "ELC-2001",
        "supplier": "ELC001",
        "date": date(2026, 11, 10),
        "due_date": date(2026, 12, 10),
        "currency": "USD",
        "gross": gross,
        "net": gross - kinds[LineKind.TAX] - kinds[LineKind.FREIGHT] - kinds[LineKind.CHARGE],
        "tax": kinds[LineKind.TAX],
        "freight": kinds[LineKind.FREIGHT],
        "charges": kinds[LineKind.CHARGE],
    }
    return Invoice(lines=lines, **(given | more))


def credit(*lines: InvoiceLine, **more: Any) -> Invoice:
    given = {"kind": InvoiceKind.CREDIT_NOTE, "number": "ELC-C7", "corrects": "ELC001/ELC-2001"}
    return invoice(*(lines or (line("1", "75.00", description="Relays returned"),)), **(given | more))


def booked(pair: Pair, number: str = "ELC-2001", code: str = "I") -> list[tuple[str, Decimal, str]]:
    """GL code, amount and text of each row of an entry."""
    entry = pair.row("ApJnlSummary", Invoice=number, TransactionCode=code)
    place = {name: entry[name] for name in ("TrnYear", "TrnMonth", "Journal", "EntryNumber")}
    rows = pair.rows("ApJnlDistrib", **place)
    return [(row["ExpenseGlCode"], row["DistrValue"], row["Reference"]) for row in rows]


def only(found: list[Found[Invoice]]) -> Found[Invoice]:
    (hit,) = found
    return hit


# --- created, read back, found ---------------------------------------------------------------------------


def test_an_invoice_is_posted_once_read_back_and_told_by_its_vouchers(both_ways: Pair) -> None:  # R6, R8, R11
    target = both_ways.target("invoice")
    ref = target.create(invoice(), MARK)
    assert ref == Ref("ELC001/ELC-2001", amount=D("1620.00"), vouchers=("2026-11 01047-001", "00001"))
    assert booked(both_ways) == [("10-6100", D("1200.00"), "Relays"), ("10-6200", D("300.00"), ""),
                                 ("10-2250", D("120.00"), "")]  # fmt: skip
    assert len(both_ways.posts("APSTIN")) == 1
    assert both_ways.asked == 2  # for the check too
    found = target.get(ref.key)
    assert (found.mark, found.state, found.open) == (MARK, DocumentState.OPEN, D("1620.00"))
    assert found.vouchers == ("2026-11 01047-001",)
    assert target.differences(invoice(), found.record) == []
    assert only(target.find(invoice(), MARK)) == found
    assert target.update(ref, invoice(), MARK) == ref


def test_our_mark_is_no_text_that_travels_on_to_another_system(both_ways: Pair) -> None:  # R6
    target = both_ways.target("invoice")
    target.create(invoice(memo="As agreed"), MARK)
    key = target.create(credit(), OTHER).key
    source = both_ways.connect().source("invoice", {})
    bill, note = source.get("ELC001/ELC-2001").record, source.get(key).record
    assert both_ways.row("ApInvoice", Invoice="ELC-2001")["Reference"] == MARK
    assert (bill.memo, note.memo) == (None, "Relays returned")
    assert [each.description for each in note.lines] == ["Relays returned"]
    assert "mlc" not in repr(bill) + repr(note)


def test_a_reference_that_people_wrote_travels_on(pair: Pair) -> None:
    assert pair.connect().source("invoice", {}).get("ELC001/ELC-1001").record.memo == "PO 150"


def test_an_invoice_typed_by_hand_is_found_however_its_number_is_spelt(pair: Pair) -> None:  # R5, R40
    theirs = [{"account": "10-6100", "amount": D("1620.00")}]
    typed = {"supplier": "ELC001", "date": "2026-11-10", "due_date": "2026-12-10", "lines": theirs}
    pair.act({"do": "post_invoice", "invoice": "elc 02001", **typed})
    target = pair.target("invoice")
    found = only(target.find(invoice(), MARK))
    assert (found.key, found.mark, target.identity_differences(invoice(), found.record)) == (
        "ELC001/elc 02001", None, []
    )  # fmt: skip
    other = invoice(line("1", "9.00"))
    assert target.identity_differences(other, found.record) == ["gross"]


def test_a_credit_is_booked_on_its_invoice_and_found_among_several(both_ways: Pair) -> None:  # R26, R27
    target = both_ways.target("invoice")
    target.create(invoice(), OTHER)
    record, twin = credit(), credit(number="ELC-C8")
    ref, second = target.create(record, MARK), target.create(twin, "mlcAAAAAAAAAA")
    assert (ref.key, ref.vouchers) == ("2026/11/1048/1", ("2026-11 01048-001", "00002"))
    assert second.key == "2026/11/1049/1"
    found = only(target.find(record, MARK))
    assert (found.key, found.mark, found.vouchers) == (ref.key, MARK, ("2026-11 01048-001",))
    assert found == target.get(ref.key)
    assert target.differences(record, found.record) == []
    assert only(target.find(twin, "mlcAAAAAAAAAA")).key == second.key
    assert both_ways.row("ApInvoice", Invoice="ELC-2001")["MthInvBal1"] == D("1470.00")
    assert target.find(credit(number="ELC-C9"), "mlcBBBBBBBBBB") == []


def test_a_credit_whose_reference_is_not_kept_is_found_by_its_ledger_text(pair: Pair) -> None:  # R6
    pair.syspro.options({"reference_lands": False})
    target = pair.target("invoice")
    target.create(invoice(), OTHER)
    ref = target.create(credit(), MARK)
    assert only(target.find(credit(), MARK)).key == ref.key


def test_an_invoice_whose_reference_is_not_kept_is_found_by_its_number(pair: Pair) -> None:  # R6
    pair.syspro.options({"reference_lands": False})
    target = pair.target("invoice")
    pair.fail("commit_then_reset")
    with pytest.raises(OutcomeUnknown):
        target.create(invoice(), MARK)
    found = only(target.find(invoice(), MARK))
    assert (found.mark, target.identity_differences(invoice(), found.record)) == (None, [])


def test_a_debit_note_raises_what_is_owed(pair: Pair) -> None:  # R26
    target = pair.target("invoice")
    target.create(invoice(), OTHER)
    record = credit(kind=InvoiceKind.DEBIT_NOTE)
    ref = target.create(record, MARK)
    assert target.differences(record, target.get(ref.key).record) == []
    assert pair.row("ApInvoice", Invoice="ELC-2001")["MthInvBal1"] == D("1695.00")


def test_an_invoice_in_a_foreign_currency_is_booked_to_the_cent(both_ways: Pair) -> None:  # R21, R25
    record = invoice(line("1", "33.34"), line("2", "66.67", "10-6200"), supplier="NOR002", currency="EUR")
    target = both_ways.target("invoice")
    ref = target.create(record, MARK)
    assert [row[:2] for row in booked(both_ways)] == [("10-6100", D("36.01")), ("10-6200", D("72.00"))]
    found = target.get(ref.key).record
    assert (found.gross, found.base_gross, found.rate) == (D("100.01"), D("108.01"), D("1.08"))
    assert target.differences(record, found) == []


def test_a_documents_own_rate_is_sent_where_the_policy_says_so(pair: Pair) -> None:  # R25
    record = invoice(line("1", "100.00"), supplier="NOR002", currency="EUR", rate=D("1.1"))
    pair.target("invoice", {"rate": "document"}).create(record, MARK)
    assert pair.row("ApInvoice", Invoice="ELC-2001")["ExchangeRate"] == D("1.1")
    assert booked(pair) == [("10-6100", D("110.00"), "")]


def test_freight_and_charges_without_a_gl_code_are_booked_by_syspro(pair: Pair) -> None:  # R22
    record = invoice(
        line("1", "100.00"), line("f", "12.50", "", kind=LineKind.FREIGHT), line("c", "2.50", "", kind=LineKind.CHARGE)
    )
    target = pair.target("invoice")
    ref = target.create(record, MARK)
    assert [row[:2] for row in booked(pair)] == [("10-6100", D("100.00")), ("10-6300", D("12.50")),
                                                 ("10-6100", D("2.50"))]  # fmt: skip
    assert target.differences(record, target.get(ref.key).record) == []


def test_a_cost_center_is_part_of_the_gl_code(pair: Pair) -> None:
    record = invoice(line("1", "10.00", "10-6400", cost_center="WH1"), line("2", "5.00", "10-6400", cost_center="WH2"))
    target = pair.target("invoice")
    ref = target.create(record, MARK)
    assert [row[0] for row in booked(pair)] == ["10-6400-WH1", "10-6400-WH2"]
    assert target.differences(record, target.get(ref.key).record) == []


def test_a_long_number_is_refused_or_kept_from_the_right_and_found_again(pair: Pair) -> None:  # R31
    record = invoice(number="ELC-2026-NOVEMBER-000042")
    with pytest.raises(Refused) as refused:
        pair.target("invoice").create(record, MARK)
    assert (refused.value.code, refused.value.field) == ("number_too_long", "Invoice")
    target = pair.target("invoice", {"long_numbers": "right20"})
    ref = target.create(record, MARK)
    assert ref.key == "ELC001/2026-NOVEMBER-000042"
    assert target.differences(record, target.get(ref.key).record) == []
    assert only(target.find(record, OTHER)).key == ref.key


def test_a_document_that_is_longer_than_an_address_is_posted_in_a_body(pair: Pair) -> None:
    record = invoice(*(line(str(number), "1.00", description="A long text for one line") for number in range(80)))
    target = pair.target("invoice")
    ref = target.create(record, MARK)
    assert [row["path"].rpartition("/")[2] for row in pair.syspro.requests() if row["write"]] == ["PostLD"]
    assert target.differences(record, target.get(ref.key).record) == []
    with pytest.raises(Refused) as refused:
        pair.target("invoice", large_post_mode="refuse").create(replace(record, number="ELC-2002"), OTHER)
    assert refused.value.code == "document_too_large"
    pair.syspro.options({"large_posts": False})
    with pytest.raises(Refused) as missing:
        pair.target("invoice").create(replace(record, number="ELC-2002"), OTHER)
    assert missing.value.field == "large_post_mode"
    assert pair.rows("ApInvoice", Invoice="ELC-2002") == []


# --- goods received --------------------------------------------------------------------------------------


def order_received(pair: Pair, quantity: str, *, supplier: str = "ELC001", price: str = "12.00") -> None:
    """Order 150 over 100 of one thing, of which some came in."""
    head = {"Supplier": supplier, "OrderStatus": "1", "Currency": "EUR" if supplier == "NOR002" else "USD"}
    rate = {"ExchangeRate": D("1.08") if supplier == "NOR002" else D(1), "MulDiv": "M", "NextDetailLine": 2}
    pair.syspro.edit("PorMasterHdr", {"PurchaseOrder": "000150", **head, **rate})
    one = {"MOrderQty": D(100), "MForeignPrice": D(price), "MPrice": D(price), "LineType": "7", "MStockCode": "RLY-24"}
    factors = {"MConvFactOrdUm": D(1), "MMulDivAlloc": "M", "MConvFactPrcUm": D(1), "MMulDivPrc": "M"}
    pair.syspro.edit("PorMasterDetail", {"PurchaseOrder": "000150", "Line": 1, "MOrderUom": "EA", **one, **factors})
    pair.syspro.edit("ApSupplier", {"Supplier": supplier, "GrnMatchReqd": "Y"})
    pair.act({"do": "receive_goods", "order": "150", "line": 1, "quantity": D(quantity), "grn": "G-1"})


def matched(pair: Pair) -> tuple[Decimal, str]:
    note = pair.row("GrnDetails", Grn="G-1")
    return note["MatchedValue"], note["GrnMatchedFlag"]


def ordered(amount: str, quantity: str, **more: Any) -> Invoice:
    return invoice(line("1", amount, quantity=D(quantity), order_line="000150/1"), **more)


def test_an_invoice_is_matched_with_what_was_received_in_parts_and_to_its_end(pair: Pair) -> None:  # R43, R44
    order_received(pair, "40")
    target = pair.target("invoice")
    ref = target.create(ordered("120.00", "10"), MARK)
    assert (ref.amount, matched(pair), booked(pair)) == (
        D("120.00"), (D("120.00"), "N"), [("10-2150", D("120.00"), "GRN G-1")]
    )  # fmt: skip
    assert target.differences(ordered("120.00", "10"), target.get(ref.key).record) == []
    target.create(ordered("360.00", "30", number="ELC-2002"), OTHER)
    assert matched(pair) == (D("480.00"), "Y")


def test_what_was_not_received_is_not_booked_elsewhere(pair: Pair) -> None:  # R43, R44
    order_received(pair, "40")
    with pytest.raises(Refused) as refused:
        pair.target("invoice").create(ordered("492.00", "41"), MARK)
    assert (refused.value.code, pair.posts("APSTIN")) == ("over_invoiced", [])
    with pytest.raises(Refused) as unmatched:
        pair.target("invoice").create(invoice(), MARK)
    assert unmatched.value.code == "receipt_needed"


def test_goods_of_a_foreign_order_are_matched_in_its_currency(pair: Pair) -> None:  # R25, R44
    order_received(pair, "40", supplier="NOR002")
    foreign = {"supplier": "NOR002", "currency": "EUR"}
    target = pair.target("invoice")
    ref = target.create(ordered("120.00", "10", **foreign), MARK)
    assert (matched(pair), booked(pair)[0][1]) == ((D("129.60"), "N"), D("129.60"))
    assert target.differences(ordered("120.00", "10", **foreign), target.get(ref.key).record) == []
    with pytest.raises(Refused) as refused:
        pair.target("invoice").create(ordered("360.01", "30", number="ELC-2002", **foreign), OTHER)
    assert refused.value.code == "over_invoiced"
    target.create(ordered("360.00", "30", number="ELC-2002", **foreign), OTHER)
    assert matched(pair) == (D("518.40"), "Y")


# --- the answer is lost ----------------------------------------------------------------------------------


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


# --- refused ---------------------------------------------------------------------------------------------


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


# --- periods ---------------------------------------------------------------------------------------------

OCTOBER, JULY = date(2026, 10, 20), date(2026, 7, 20)


@pytest.mark.parametrize(("day", "period"), [(None, 11), (date(2026, 11, 3), 11), (OCTOBER, 10), (date(2026, 9, 1), 9)])
def test_a_posting_date_chooses_the_period_and_leaves_the_documents_date(
    pair: Pair, day: date | None, period: int
) -> None:  # R33, R34
    pair.target("invoice").create(invoice(posting_date=day, date=JULY), MARK)
    row = pair.row("ApInvoice", Invoice="ELC-2001")
    assert (row["InvoiceYear"], row["InvoiceMonth"], row["InvoiceDate"]) == (2026, period, "2026-07-20")


@pytest.mark.parametrize("letters", [["C"], []])
@pytest.mark.parametrize("post_as", ["ap_invoice", "journal"])
@pytest.mark.parametrize("policy", ["hold", "ask"])
def test_a_closed_period_holds_the_document_or_asks(
    pair: Pair, policy: str, post_as: str, letters: list[str]
) -> None:  # R33, R34
    pair.act({"do": "set_period", "year": 2026, "period": 10, "open": False})
    chosen = {"closed_period": policy, "post_as": post_as}
    target = pair.target("invoice", chosen, closed_period_letters=letters)
    with pytest.raises(Refused) as refused:
        target.create(invoice(posting_date=OCTOBER), MARK)
    assert (refused.value.code, refused.value.field) == ("period_closed", "PostingPeriod")
    assert "ELC-2001" in str(refused.value)
    assert pair.rows("ApInvoice", Invoice="ELC-2001") == []


@pytest.mark.parametrize("letters", [["C"], []])
@pytest.mark.parametrize("validates", [True, False])
def test_a_closed_period_gives_way_to_the_current_one_where_the_policy_says_so(
    pair: Pair,
    validates: bool,
    letters: list[str],
) -> None:  # R34, R35
    pair.act({"do": "set_period", "year": 2026, "period": 10, "open": False})
    chosen = {"closed_period": "current", "validate_first": validates}
    target = pair.target("invoice", chosen, closed_period_letters=letters)
    record = invoice(posting_date=OCTOBER, date=JULY)
    target.create(record, MARK)
    row = pair.row("ApInvoice", Invoice="ELC-2001")
    assert (row["InvoiceMonth"], row["InvoiceDate"]) == (11, "2026-07-20")
    assert "Posting date was 2026-10-20" in unquote_plus(pair.posts("APSTIN")[-1]["query"])


def test_a_day_that_is_too_old_for_syspro_is_held_or_goes_to_the_current_period(pair: Pair) -> None:  # R33, R34
    record = invoice(posting_date=JULY)
    with pytest.raises(Refused, match="2026-07-20"):
        pair.target("invoice").create(record, MARK)
    pair.target("invoice", {"closed_period": "current"}).create(record, MARK)
    assert pair.row("ApInvoice", Invoice="ELC-2001")["InvoiceMonth"] == 11


def test_where_the_current_period_is_closed_too_nothing_is_posted(pair: Pair) -> None:  # R34
    for period in (10, 11):
        pair.act({"do": "set_period", "year": 2026, "period": period, "open": False})
    for letters in (["C"], []):
        target = pair.target("invoice", {"closed_period": "current"}, closed_period_letters=letters)
        with pytest.raises(Refused) as refused:
            target.create(invoice(posting_date=OCTOBER), MARK)
        assert refused.value.code == "period_closed"
    assert pair.posts("APSTIN") == []


# --- later -----------------------------------------------------------------------------------------------


def test_a_posted_invoice_is_not_amended(pair: Pair) -> None:
    target = pair.target("invoice")
    ref = target.create(invoice(), MARK)
    with pytest.raises(NoLonger, match="due_date is 2026-12-10 in SYSPRO"):
        target.update(ref, invoice(due_date=date(2026, 12, 20)), MARK)
    assert len(pair.posts("APSTIN")) == 1


def test_a_withdrawn_invoice_is_a_task_or_is_credited_once(pair: Pair) -> None:
    ref = pair.target("invoice").create(invoice(), MARK)
    with pytest.raises(NoLonger):
        pair.target("invoice").cancel(ref, "withdrawn")
    target = pair.target("invoice", {"withdrawn": "credit"})
    pair.fail("commit_then_reset")
    with pytest.raises(OutcomeUnknown):
        target.cancel(ref, "withdrawn")
    target.cancel(ref, "withdrawn")
    assert target.get(ref.key).state is DocumentState.ARCHIVED
    assert len(pair.rows("ApJnlSummary", Invoice="ELC-2001", TransactionCode="C")) == 1
    assert pair.row("ApInvoice", Invoice="ELC-2001")["MthInvBal1"] == 0


def test_a_paid_invoice_is_not_credited(pair: Pair) -> None:
    target = pair.target("invoice", {"withdrawn": "credit"})
    ref = target.create(invoice(), MARK)
    pair.act({"do": "manual_cheque", "supplier": "ELC001", "invoice": "ELC-2001", "amount": D("20.00")})
    with pytest.raises(NoLonger, match=r"1600\.00"):
        target.cancel(ref, "withdrawn")


def test_an_invoice_that_is_posted_as_a_journal_is_in_the_ledger_alone(both_ways: Pair) -> None:  # R6, R11
    target = both_ways.target("invoice", {"post_as": "journal"})
    ref = target.create(invoice(), MARK)
    journal = both_ways.row("GenJournalCtl", Reference=MARK)
    assert ref.vouchers == (f"2026-11 {journal['GlJournal']:05}",)
    assert (journal["JnlStatus"], journal["DebitAmount"]) == ("P", D("1620.00"))
    rows = both_ways.rows("GenJournalDetail", Journal=journal["GlJournal"])
    assert {row["GlCode"]: row["EntryValue"] for row in rows} == {
        "10-6100": D("1200.00"), "10-6200": D("300.00"), "10-2250": D("120.00"), "10-2100": D("-1620.00")
    }  # fmt: skip
    assert both_ways.rows("ApInvoice", Invoice="ELC-2001") == []
    found = only(target.find(invoice(), MARK))
    assert (found.key, found.vouchers, target.differences(invoice(), found.record)) == (ref.key, ref.vouchers, [])


def test_a_lost_answer_to_a_journal_leaves_one_journal(pair: Pair) -> None:  # R3
    target = pair.target("invoice", {"post_as": "journal"})
    pair.fail("commit_then_reset")
    with pytest.raises(OutcomeUnknown):
        target.create(invoice(), MARK)
    assert only(target.find(invoice(), MARK)).mark == MARK
    assert len(pair.rows("GenJournalCtl", Reference=MARK)) == 1

"""Invoices posted to the stand-in: what of them is read back and found again, and what becomes of them later."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from ml_connector.domain.records import InvoiceKind, LineKind
from ml_connector.systems.base import DocumentState, NoLonger, OutcomeUnknown, Ref, Refused

from .conftest import Pair
from .papers import MARK, OTHER, D, booked, credit, invoice, line, only


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


# --- later ---------------------------------------------------------------------------------------------


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

"""The documents of APSTIN: what an invoice looks like to SYSPRO, and what never leaves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from msgspec.structs import replace

from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.company import Period, Periods
from ml_connector.systems.syspro.costcenters import Analysis, CustomTable, Segment, rule
from ml_connector.systems.syspro.writing.apstin import RIGHT20, Match, Terms, to_apstin
from ml_connector.systems.syspro.writing.coding import Booked, as_written, booked
from ml_connector.systems.syspro.writing.form import Form
from ml_connector.systems.syspro.writing.matching import matches
from ml_connector.systems.syspro.writing.tables import GrnDetails

MARK = "mlc0123456789"
NOVEMBER = Booked(Period(2026, 11), "C")
SEGMENT = Segment(9, 3, "-")
D = Decimal


def line(key: str, amount: str, account: str = "10-6100", **more: Any) -> InvoiceLine:
    return InvoiceLine(line_key=key, amount=D(amount), account=account, **more)


def invoice(*lines: InvoiceLine, **more: Any) -> Invoice:
    lines = lines or (line("1", "1200.00"), line("2", "300.00", "10-6200"), tax("120.00"))
    given = {
        "number": "ELC-1001",
        "supplier": "ELC001",
        "date": date(2026, 11, 10),
        "due_date": date(2026, 12, 10),
        "currency": "USD",
        "gross": sum((each.amount for each in lines), D(0)),
        "net": D(0),
    }
    return Invoice(lines=lines, **(given | more))


def tax(amount: str, code: str = "A") -> InvoiceLine:
    return line("tax", amount, "", kind=LineKind.TAX, tax_code=code)


def made(record: Invoice, **terms: Any) -> Any:
    """The document, parsed."""
    posting = to_apstin(record, MARK, Terms(**({"booked": NOVEMBER, "rule": None} | terms)))
    return etree.fromstring(posting.texts(validate=False)["XmlIn"].encode())


def texts(document: Any, path: str) -> list[str]:
    return [each.text or "" for each in document.findall(path)]


def refusal(record: Invoice, **terms: Any) -> Refused:
    with pytest.raises(Refused) as raised:
        made(record, **terms)
    return raised.value


def test_an_invoice_has_its_total_with_tax_and_its_coding_without() -> None:  # R22
    item = made(invoice()).find("Item")
    assert {each.tag: each.text for each in item if len(each) == 0} == {
        "Supplier": "ELC001",
        "TransactionCode": "I",
        "Invoice": "ELC-1001",
        "TransactionValue": "1620.00",
        "TransactionReference": MARK,
        "InvoiceDate": "2026-11-10",
        "DueDate": "2026-12-10",
        "TaxBasis": "E",
        "TaxCode": "A",
        "TaxValue": "120.00",
    }
    assert texts(item, "LedgerDistribution/LedgerCode") == ["10-6100", "10-6200"]
    assert texts(item, "LedgerDistribution/LedgerValue") == ["1200.00", "300.00"]


def test_both_documents_have_the_objects_root_and_name_their_schemas() -> None:
    posting = to_apstin(invoice(), MARK, Terms(NOVEMBER, None))
    sent = posting.texts(validate=True)
    assert sent["BusinessObject"] == "APSTIN"
    roots = [etree.fromstring(sent[name].encode()) for name in ("XmlParameters", "XmlIn")]
    assert [root.tag for root in roots] == ["PostApInvoice", "PostApInvoice"]
    assert [next(iter(root.attrib.values())) for root in roots] == ["APSTIN.XSD", "APSTINDOC.XSD"]
    assert roots[0].findtext("Parameters/ValidateOnly") == "Y"
    assert roots[0].findtext("Parameters/IgnoreWarnings") == "N"
    assert roots[0].findtext("Parameters/ApplyIfEntireDocumentValid") == "Y"


def test_an_amount_never_loses_a_digit() -> None:  # R21
    assert (
        "<TransactionValue>0.10</TransactionValue>"
        in to_apstin(invoice(line("1", "0.10")), MARK, Terms(NOVEMBER, None)).items
    )
    assert refusal(invoice(line("1", "1.005"))).field == "TransactionValue"
    assert refusal(invoice(line("1", "1000000000000.00"))).code == "amount_too_large"


def test_every_sign_of_xml_and_every_letter_arrives() -> None:
    record = invoice(line("1", "10.00", description='Bolts < 5mm & "nuts", Żółw – 3 €\x01'), memo="Größe\tM")
    document = to_apstin(record, MARK, Terms(NOVEMBER, None)).texts(validate=False)["XmlIn"]
    assert document.isascii()
    read = etree.fromstring(document.encode())
    assert texts(read, "Item/LedgerDistribution/LedgerNotation") == ['Bolts < 5mm & "nuts", Zólw –…']
    assert texts(read, "Item/Notation") == ["Größe M"]


def test_letters_that_syspro_cannot_hold_are_refused_in_texts_and_numbers() -> None:  # R31
    assert refusal(invoice(line("1", "1.00", description="漢字"))).field == "LedgerNotation"
    assert refusal(invoice(number="№漢1")).field == "Invoice"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"number": "PK-502-2026-NOVEMBER-0042"}, "Invoice", "number_too_long"),
        ({"number": "  "}, "Invoice", "field_missing"),
        ({"supplier": "S" * 16}, "Supplier", "field_too_long"),
        ({"gross": D("1620.01")}, "TransactionValue", "totals_differ"),
        ({"withholding": D("1.00")}, "WithholdingTaxValue", "unsupported"),
        ({"kind": InvoiceKind.CREDIT_NOTE}, "Invoice", "credit_without_invoice"),
    ],
)
def test_what_syspro_would_not_take_never_leaves(change: dict[str, Any], field: str, code: str) -> None:  # R31
    refused = refusal(invoice(**change))
    assert (refused.field, refused.code) == (field, code)
    assert "ELC" in str(refused) or "S" * 16 in str(refused) or "invoice" in str(refused).lower()


def test_a_long_number_is_shortened_only_where_the_flow_says_so_and_stays_readable() -> None:  # R31
    document = made(invoice(number="PK-502-2026-NOVEMBER-0042"), long_numbers=RIGHT20)
    assert texts(document, "Item/Invoice") == ["2-2026-NOVEMBER-0042"]
    assert texts(document, "Item/Notation") == ["Number PK-502-2026-NOVEMBER-0042"]


def test_a_credit_note_is_booked_on_its_invoice_with_positive_amounts() -> None:  # R26
    record = invoice(
        line("1", "75.00", "10-6200", description="returned"), number="PK-501", kind=InvoiceKind.CREDIT_NOTE
    )
    document = made(record, corrected="PK-500")
    assert texts(document, "Item/TransactionCode") == ["C"]
    assert texts(document, "Item/Invoice") == ["PK-500"]
    assert (
        texts(document, "Item/TransactionValue") == texts(document, "Item/LedgerDistribution/LedgerValue") == ["75.00"]
    )
    assert texts(document, "Item/Notation") == ["Credit note PK-501"]
    assert texts(document, "Item/LedgerDistribution/LedgerNotation") == [f"{MARK} returned"]


def test_a_debit_note_is_not_posted_where_code_d_lowers_what_is_owed() -> None:  # R26
    record = invoice(kind=InvoiceKind.DEBIT_NOTE)
    assert texts(made(record, corrected="ELC-1"), "Item/TransactionCode") == ["D"]
    assert refusal(record, corrected="ELC-1", debit_raises=False).field == "TransactionCode"


def test_a_cost_center_becomes_a_segment_or_an_analysis_code_and_is_never_left_out() -> None:  # R49
    lines = (line("1", "90.00", "10-6400", cost_center="WH1"), line("2", "60.00", "10-6400", cost_center="WH2"))
    segmented = made(invoice(*lines), rule=SEGMENT)
    assert texts(segmented, "Item/LedgerDistribution/LedgerCode") == ["10-6400-WH1", "10-6400-WH2"]
    analysed = made(invoice(*lines), rule=Analysis("CC"))
    assert texts(analysed, "Item/LedgerDistribution/LedgerCode") == ["10-6400", "10-6400"]
    assert texts(analysed, "Item/LedgerDistribution/AnalysisLineEntry/AnalysisCode1") == ["WH1", "WH2"]
    assert texts(analysed, "Item/LedgerDistribution/AnalysisLineEntry/EntryAmount") == ["90.00", "60.00"]
    for nowhere in (None, CustomTable("T", "K", "N")):
        assert refusal(invoice(*lines), rule=nowhere).field == "LedgerCode"
    assert refusal(invoice(line("1", "1.00", "10-64", cost_center="WH1")), rule=SEGMENT).code == "code_not_postable"


@pytest.mark.parametrize(
    ("text", "account", "center"),
    [
        ("segment(9,3,-)", "10-6400", "WH1"),
        ("segment(1,3,-)", "10-6400", "WH1"),
        ("segment(4,3,-)", "10-6400", "WH1"),
        ("segment(8,3,)", "10-6400", "WH1"),
    ],
)
def test_a_gl_code_is_put_together_as_it_is_taken_apart(text: str, account: str, center: str) -> None:
    segment = rule(text)
    assert isinstance(segment, Segment)
    code = segment.join(account, center)
    assert code is not None and segment.split(code) == (account, center)


def test_freight_and_charges_are_rows_where_they_are_coded_and_header_charges_where_not() -> None:
    freight = {"kind": LineKind.FREIGHT}
    coded = made(invoice(line("1", "640.00"), line("2", "35.00", "10-6300", **freight)))
    assert texts(coded, "Item/LedgerDistribution/LedgerValue") == ["640.00", "35.00"]
    assert texts(coded, "Item/FreightCharge") == []
    uncoded = made(
        invoice(line("1", "640.00"), line("2", "35.00", "", **freight), line("3", "5.00", "", kind=LineKind.CHARGE))
    )
    assert texts(uncoded, "Item/FreightCharge") == ["35.00"]
    assert texts(uncoded, "Item/MiscellaneousCharge") == ["5.00"]
    assert texts(uncoded, "Item/LedgerDistribution/LedgerValue") == ["640.00"]
    assert texts(uncoded, "Item/TransactionValue") == ["680.00"]


def test_tax_with_a_gl_code_and_no_tax_code_is_a_row_and_two_tax_codes_are_refused() -> None:
    booked_tax = line("t", "8.00", "10-2250", kind=LineKind.TAX)
    document = made(invoice(line("1", "100.00"), booked_tax))
    assert texts(document, "Item/LedgerDistribution/LedgerCode") == ["10-6100", "10-2250"]
    assert texts(document, "Item/TaxValue") == []
    assert refusal(invoice(line("1", "100.00"), tax("8.00"), tax("2.00", "B"))).field == "TaxCode"


def test_a_foreign_invoice_is_coded_in_its_own_currency_at_its_own_rate() -> None:  # R25
    posting = to_apstin(
        invoice(line("1", "2500.00"), currency="EUR"), MARK, Terms(NOVEMBER, None, foreign=True, rate=D("1.08"))
    )
    assert posting.parameters["LedgerDistributionCurrency"] == "F"
    assert "<ExchRateAtEntry>1.080000</ExchRateAtEntry>" in posting.items
    assert to_apstin(invoice(), MARK, Terms(NOVEMBER, None)).parameters["LedgerDistributionCurrency"] == "L"


def test_a_rate_is_written_as_the_currency_is_applied() -> None:  # R25
    form = Form("invoice X")
    assert as_written(D("1.08"), "M", form) == D("1.080000")
    assert as_written(D("1.08"), "D", form) == D("0.925926")
    with pytest.raises(Refused):
        as_written(D(0), "M", form)


def calendar() -> Periods:
    ends = {Period(2026, month): date(2026, month, 28) for month in range(1, 13)}
    ends |= {Period(2025, 13): date(2025, 12, 31), Period(2025, 12): date(2025, 12, 28)}
    return Periods(Period(2026, 1), {Period(2025, 12): "X"}, ends)


@pytest.mark.parametrize(
    ("day", "letter"),
    [(None, "C"), (date(2026, 1, 15), "C"), (date(2025, 12, 30), "P"), (date(2026, 1, 28), "C")],
)
def test_a_posting_date_becomes_the_letter_of_its_period(day: date | None, letter: str) -> None:  # R33
    assert booked(day, calendar(), frozenset(), "hold", Form("invoice X")).letter == letter


@pytest.mark.parametrize("day", [date(2026, 2, 1), date(2025, 6, 1), date(2027, 3, 1)])
def test_a_posting_date_out_of_reach_waits_or_goes_to_the_current_period_as_the_flow_says(
    day: date,
) -> None:  # R34, R35
    with pytest.raises(Refused, match="period") as raised:
        booked(day, calendar(), frozenset(), "hold", Form("invoice X"))
    assert raised.value.code == "period_closed"
    moved = booked(day, calendar(), frozenset(), "current", Form("invoice X"))
    assert (moved.letter, moved.moved_from) == ("C", day)
    assert texts(made(invoice(), booked=moved), "Item/Notation") == [f"Posting date was {day}"]
    assert texts(made(invoice(), booked=moved), "Item/InvoiceDate") == ["2026-11-10"]


def test_a_period_that_is_marked_closed_is_closed() -> None:  # R33
    periods = Periods(
        Period(2026, 11), {Period(2026, 10): "X"}, {Period(2026, m): date(2026, m, 28) for m in range(1, 13)}
    )
    assert booked(date(2026, 10, 5), periods, frozenset(), "hold", Form("x")).letter == "P"
    with pytest.raises(Refused):
        booked(date(2026, 10, 5), periods, frozenset({"X"}), "hold", Form("x"))


def note(grn: str, value: str, matched: str = "0", line_number: int = 1) -> GrnDetails:
    return GrnDetails(
        supplier="ELC001",
        grn=grn,
        grn_source="P",
        journal=3,
        journal_entry=1,
        purchase_order="000150",
        purchase_order_lin=line_number,
        qty_received=D(10),
        cur_grn_value=D(value),
        matched_value=D(matched),
        currency_value=D(value),
        grn_matched_flag="",
    )


def test_goods_received_are_matched_the_oldest_first_and_in_part() -> None:  # R44
    record = invoice(line("1", "150.00", order_line="000150/1"), tax("12.00"))
    found = matches(record, [note("G1", "100.00"), note("G2", "80.00"), note("G3", "5.00", line_number=2)], Form("x"))
    assert [(match.grn, match.value, match.full) for match in found] == [
        ("G1", D("100.00"), True),
        ("G2", D("50.00"), False),
    ]
    document = made(record, matches=found, matched_lines=frozenset({"1"}))
    assert texts(document, "Item/GrnDetails/GrnMatchType") == ["O", "P"]
    assert texts(document, "Item/GrnDetails/GrnPartialMatchValue") == ["50.00"]
    assert texts(document, "Item/LedgerDistribution/LedgerCode") == []
    assert texts(document, "Item/TransactionValue") == ["162.00"]


def test_what_is_owed_beyond_what_was_received_is_for_the_buyer() -> None:  # R43, R44
    record = invoice(line("1", "150.00", order_line="000150/1"))
    for notes, code in (
        ([note("G1", "100.00")], "over_invoiced"),
        ([note("G1", "100.00", "100.00")], "receipt_needed"),
    ):
        with pytest.raises(Refused) as raised:
            matches(record, notes, Form("x"))
        assert raised.value.code == code


def test_two_lines_share_what_one_note_holds() -> None:  # R44
    record = invoice(line("1", "60.00", order_line="000150/1"), line("2", "60.00", order_line="000150/1"))
    with pytest.raises(Refused):
        matches(record, [note("G1", "100.00")], Form("x"))
    assert [m.value for m in matches(record, [note("G1", "120.00")], Form("x"))] == [D("60.00"), D("60.00")]


KNOWN = (
    "Item Supplier TransactionCode Branch Invoice EntryNumber TransactionValue FreightCharge MiscellaneousCharge "
    "Notation TransactionReference JournalNotation DiscountBasis DiscountableValue DiscountPercentageValue "
    "DiscountAdjustment InvoiceDate DueDate DiscountDate ExchRateAtEntry FixedExchRate TaxBasis CalculateQstOnTax "
    "TaxCode TaxValue GrnDetails GrnSupplier GrnGrn GrnFlag GrnJournal GrnEntry GrnMatchType GrnMatchValue "
    "GrnPartialMatchQuantity GrnPartialMatchValue LedgerDistribution LedgerCode LedgerNotation LedgerValue "
    "AnalysisLineEntry AnalysisCode1 EntryAmount Comment"
)
"""Elements of APSTIN's item, in its order."""


def test_every_element_is_one_that_the_object_knows() -> None:
    """SYSPRO ignores a misspelt element without a word."""
    record = invoice(
        line("1", "10.00", cost_center="A", description="x"), line("2", "5.00", "", kind=LineKind.FREIGHT),
        line("3", "1.00", "", kind=LineKind.CHARGE), tax("1.00"), line("4", "7.00"), currency="EUR", memo="m",
        discount=D("1.00"), discount_date=date(2026, 11, 20),
    )  # fmt: skip
    match = Match("ELC001", "G1", "P", 1, 1, D("7.00"), full=False, quantity=D(2))
    document = made(
        record, rule=Analysis("CC"), foreign=True, rate=D(1), matches=(match,), matched_lines=frozenset({"4"})
    )
    assert {each.tag for each in document.iter()} - {"PostApInvoice"} <= set(KNOWN.split())
    order = [each.tag for each in document.find("Item")]
    assert (
        order.index("InvoiceDate")
        < order.index("TaxBasis")
        < order.index("GrnDetails")
        < order.index("LedgerDistribution")
    )


def test_a_record_sent_twice_makes_the_same_document() -> None:
    first, again = (to_apstin(replace(invoice()), MARK, Terms(NOVEMBER, None)) for _ in range(2))
    assert first == again


def test_a_number_is_sent_as_it_is_written() -> None:  # R31, R38
    assert texts(made(invoice(number=" ELC  10-01/a ")), "Item/Invoice") == ["ELC  10-01/a"]

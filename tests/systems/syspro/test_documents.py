"""Rows -> Invoice, without a server."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceStatus, LineKind, PaymentTerm
from ml_connector.systems.base import Item, Refused
from ml_connector.systems.syspro.books import Books, Currencies, Places, Tax
from ml_connector.systems.syspro.costcenters import Segment, rule
from ml_connector.systems.syspro.dates import Days
from ml_connector.systems.syspro.documents import Documents
from ml_connector.systems.syspro.keys import invoice_key, parts
from ml_connector.systems.syspro.postings import Moved, ranges
from ml_connector.systems.syspro.reading import _decoder
from ml_connector.systems.syspro.settings import options
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApJnlDistrib, ApJnlSummary, columns
from ml_connector.systems.syspro.terms import due_date, term

SETTINGS = {
    "enet_rest_base": "http://localhost/Rest",
    "operator": "API",
    "company_id": "RIL",
    "company_time_zone": "America/Chicago",
    "cost_centre_source": "segment(9,3,-)",
}


def documents(**settings: Any) -> Documents:
    chosen = options({**SETTINGS, **settings})
    segment = chosen.cost_centers if isinstance(chosen.cost_centers, Segment) else None
    books = Books(
        Currencies({"$": "USD", "Y": "JPY"}, "$"),
        Places(segment, {"10-2250": "A"}),
        {"A": Tax(Decimal("8"), "10-2250"), "N": Tax(Decimal("5"), "")},
        Days(),
    )
    return Documents(books, chosen, lambda _supplier, day: date(2027, day.month, day.day))


def made(table: type[Any], **values: Any) -> Any:
    """A row with what is named, the rest blank or 0."""
    blank = {column.field: column.kind() for column in columns(table)}
    return table(**{**blank, **values})


def header(value: str = "1620.00", **values: Any) -> ApInvoice:
    row = {
        "supplier": "ELC001",
        "invoice": "ELC-1001",
        "invoice_year": 2026,
        "invoice_month": 11,
        "journal": 17,
        "entry_number": 3,
        "journal_date": "2026-11-14T00:00:00-06:00",
        "invoice_date": "2026-11-10T00:00:00Z",
        "due_date": "2026-12-10",
        "currency": "$  ",
        "orig_inv_value": Decimal(value),
        "mth_inv_bal1": Decimal(value),
        "next_paym_entry": 1,
        "conv_rate": Decimal("1.000000"),
        "mul_div": "M",
    }
    return made(ApInvoice, **{**row, **values})


def coded(*rows: tuple[str, str]) -> list[ApJnlDistrib]:
    return [
        made(ApJnlDistrib, sub_entry=n, expense_gl_code=code, distr_value=Decimal(value), trn_date="2026-11-15")
        for n, (code, value) in enumerate(rows, 1)
    ]


def booked(code: str, value: str, entry: int = 4) -> ApJnlSummary:
    return made(
        ApJnlSummary,
        trn_year=2026,
        trn_month=11,
        journal=18,
        entry_number=entry,
        supplier="ELC001",
        invoice="ELC-1001",
        transaction_code=code,
        invoice_value=Decimal(value),
    )


def paid(value: str, kind: str = "P") -> ApInvoicePay:
    return made(ApInvoicePay, supplier="ELC001", invoice="ELC-1001", trn_type=kind, trn_value=Decimal(value))


def lines(item: Item[Invoice]) -> list[tuple[str, str, str]]:
    return [(line.account, str(line.amount), line.kind.value) for line in item.record.lines]


def test_a_plain_invoice_is_its_header_and_its_ledger_rows() -> None:
    item = documents().invoice(
        header(reference="PO 150  "), coded(("10-6100", "1200.00"), ("10-6200", "300.00"), ("10-2250", "120.00"))
    )
    record = item.record
    assert item.invalid is None
    assert item.key == "ELC001/ELC-1001"
    assert (record.date, record.posting_date, record.due_date) == (
        date(2026, 11, 10),
        date(2026, 11, 14),
        date(2026, 12, 10),
    )
    assert (record.gross, record.net, record.tax, record.currency) == (1620, 1500, 120, "USD")
    assert (record.memo, record.voucher, record.rate) == ("PO 150", "2026-11/17", None)
    assert lines(item) == [
        ("10-6100", "1200.00", "item"),
        ("10-6200", "300.00", "item"),
        ("10-2250", "120.00", "tax"),
    ]
    assert record.adds_up()
    assert item.observed == {"open": "1620.00", "paid": "0"}


def test_tax_that_has_no_row_of_its_own_is_the_remainder_that_its_code_explains() -> None:  # R22
    item = documents().invoice(header("108.00", first_tax_code="A  "), coded(("10-6100", "100.00")))
    assert item.invalid is None
    assert lines(item)[1] == ("10-2250", "8.00", "tax")
    assert item.record.lines[1].tax_code == "A"
    assert item.record.adds_up()


@pytest.mark.parametrize(
    ("gross", "tax_code"), [("108.06", "A"), ("108.00", ""), ("108.00", "?"), ("105.00", "N"), ("92.00", "A")]
)
def test_a_difference_that_nothing_explains_blocks_the_document(gross: str, tax_code: str) -> None:  # R22
    item = documents().invoice(header(gross, first_tax_code=tax_code), coded(("10-6100", "100.00")))
    assert item.invalid is not None and item.invalid.startswith("totals_differ: Invoice ELC-1001 of ELC001")
    assert item.record.gross == Decimal(gross)


def test_an_invoice_without_ledger_rows_is_blocked() -> None:
    item = documents().invoice(header(), [])
    assert item.invalid is not None and "no ledger rows" in item.invalid


def test_a_foreign_invoice_is_restated_so_that_its_lines_add_up() -> None:  # R25
    item = documents().invoice(
        header("100.00", currency="EUR", conv_rate=Decimal("1.080000")),
        coded(("10-6100", "36.00"), ("10-6100", "36.00"), ("10-6300", "36.00")),
    )
    record = item.record
    assert item.invalid is None
    assert [str(line.amount) for line in record.lines] == ["33.34", "33.33", "33.33"]
    assert (str(record.rate), record.rate_date, record.rate_source) == ("1.08", record.date, "SYSPRO")
    assert (record.base_gross, record.base_difference()) == (Decimal("108.00"), 0)
    assert record.adds_up()


def test_a_rate_to_divide_by_is_turned_round() -> None:
    item = documents().invoice(
        header("5400", currency="Y", conv_rate=Decimal("150"), mul_div="D"), coded(("10-6100", "36.00"))
    )
    assert item.invalid is None
    assert (str(item.record.rate), str(item.record.gross)) == ("0.006666667", "5400")
    assert item.record.currency == "JPY"


def test_foreign_rows_that_come_to_another_amount_block_the_document() -> None:  # R22, R25
    item = documents().invoice(
        header("100.00", currency="EUR", conv_rate=Decimal("1.08")), coded(("10-6100", "100.00"))
    )
    assert item.invalid is not None and item.invalid.startswith("totals_differ")


def test_a_site_may_keep_foreign_values_or_rows_the_other_way_round() -> None:
    foreign = {"currency": "EUR", "conv_rate": Decimal("1.08")}
    rows = documents(distribution_currency="invoice").invoice(header("100.00", **foreign), coded(("10-6100", "100.00")))
    assert rows.invalid is None
    values = documents(invoice_value_currency="local").invoice(
        header("108.00", **foreign), coded(("10-6100", "108.00"))
    )
    assert (values.invalid, str(values.record.gross)) == (None, "100.00")
    assert values.observed["open"] == "100.00"


def test_a_currency_code_without_iso_code_blocks_the_document() -> None:  # R49
    item = documents().invoice(header(currency="£"), coded(("10-6100", "1620.00")))
    assert item.invalid is not None and item.invalid.startswith("unmapped_code: SYSPRO's currency '£'")


def test_a_company_whose_own_currency_has_no_iso_code_cannot_be_read() -> None:
    with pytest.raises(Refused, match="currency_codes"):
        Currencies({}, "$")


@pytest.mark.parametrize("field", ["invoice_date", "due_date", "journal_date", "discount_date"])
def test_a_text_that_is_no_date_blocks_only_its_document(field: str) -> None:
    item = documents().invoice(header(**{field: "2026-13-45"}), coded(("10-6100", "1620.00")))
    assert item.invalid is not None
    assert item.invalid.startswith("source_shape_changed: ") and "2026-13-45" in item.invalid


@pytest.mark.parametrize("value", ["10.005", "NaN", "Infinity"])
def test_an_amount_that_is_none_of_the_currency_blocks_its_document(value: str) -> None:  # R24
    item = documents().invoice(header(value), coded(("10-6100", "10.00")))
    assert item.invalid is not None


def test_a_missing_due_date_comes_from_the_terms() -> None:  # R32
    item = documents().invoice(header(due_date=None), coded(("10-6100", "1620.00")))
    assert item.record.due_date == date(2027, 11, 10)


@pytest.mark.parametrize(
    ("terms", "due"),
    [
        (PaymentTerm(code="30", name="x", due_days=30), date(2026, 12, 15)),
        (PaymentTerm(code="E", name="x", due_day_of_month=31, due_months=3), date(2027, 2, 28)),
        (PaymentTerm(code="0", name="x"), date(2026, 11, 29)),
        (None, date(2026, 11, 29)),
    ],
)
def test_due_dates_follow_the_terms(terms: PaymentTerm | None, due: date) -> None:
    assert due_date(terms, date(2026, 11, 15), 14) == due


def test_an_adjustment_of_the_whole_amount_voids_the_invoice() -> None:
    item = documents().invoice(
        header(mth_inv_bal1=Decimal(0), total_adjustments=Decimal("-1620.00")), coded(("10-6100", "1620.00")), Moved()
    )
    assert item.record.status is InvoiceStatus.VOIDED
    assert item.record.gross == 1620


def test_a_credit_of_the_whole_amount_voids_the_invoice_and_is_no_document() -> None:
    moved = Moved(further=[booked("C", "1620.00")])
    reader = documents()
    head = header(mth_inv_bal1=Decimal(0))
    assert reader.invoice(head, coded(("10-6100", "1620.00")), moved).record.status is InvoiceStatus.VOIDED
    assert reader.further(moved.further[0], head, coded(("10-6100", "1620.00")), moved) is None


def test_a_paid_invoice_is_not_void() -> None:
    moved = Moved(payments=[paid("-1620.00")], further=[booked("C", "1620.00")])
    item = documents().invoice(header(), coded(("10-6100", "1620.00")), moved)
    assert item.record.status is InvoiceStatus.APPROVED
    assert item.observed["paid"] == "1620.00"


def test_what_was_paid_is_counted_whatever_its_sign_and_less_what_was_taken_back() -> None:  # R28
    reader = documents()
    assert reader.paid([paid("250.00"), paid("75.00", "C"), paid("100.00", "M")]) == 350
    assert reader.paid([paid("-250.00"), paid("250.00")]) == 0
    assert reader.paid([paid("250.00"), paid("100.00", "V")]) == 150


@pytest.mark.parametrize(
    ("code", "value", "settings", "kind", "number"),
    [
        ("C", "75.00", {}, InvoiceKind.CREDIT_NOTE, "ELC-1001-C18004"),
        ("C", "-75.00", {}, InvoiceKind.CREDIT_NOTE, "ELC-1001-C18004"),
        ("A", "-75.00", {}, InvoiceKind.CREDIT_NOTE, "ELC-1001-C18004"),
        ("A", "75.00", {}, InvoiceKind.INVOICE, "ELC-1001-A18"),
        ("D", "75.00", {}, InvoiceKind.DEBIT_NOTE, "ELC-1001-A18"),
        ("D", "75.00", {"debit_note_effect": "decrease"}, InvoiceKind.CREDIT_NOTE, "ELC-1001-C18004"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_booked_on_an_invoice_is_a_document_of_its_own(
    code: str, value: str, settings: dict[str, str], kind: InvoiceKind, number: str, sign: int
) -> None:  # R26
    item = documents(**settings).further(
        booked(code, value), header(), coded(("10-6200", str(sign * Decimal("75.00")))), Moved()
    )
    assert item is not None and item.invalid is None
    assert (item.key, item.record.kind, item.record.number) == ("2026/11/18/4", kind, number)
    assert (item.record.corrects, item.record.date) == ("ELC001/ELC-1001", date(2026, 11, 15))
    assert lines(item) == [("10-6200", "75.00", "item")]
    assert item.record.adds_up()


def test_a_revaluation_is_no_document() -> None:
    assert documents().further(booked("A", "0.00"), header(), [], Moved()) is None


def test_the_letters_of_a_site_may_hold_or_void_an_invoice() -> None:
    reader = documents(invoice_status_map={"H": "hold", "X": "voided"})
    rows = coded(("10-6100", "1620.00"))
    assert reader.invoice(header(invoice_status="H"), rows).record.hold == "held in SYSPRO"
    assert reader.invoice(header(invoice_status="X"), rows).record.status is InvoiceStatus.VOIDED
    assert reader.invoice(header(invoice_status="Z"), rows).record.status is InvoiceStatus.APPROVED


def test_a_segment_of_the_gl_code_is_the_cost_center() -> None:
    item = documents().invoice(header("150.00"), coded(("10-6400-WH1", "90.00"), ("10-6400", "60.00")))
    assert [(line.account, line.cost_center) for line in item.record.lines] == [("10-6400", "WH1"), ("10-6400", None)]


@pytest.mark.parametrize(
    ("source", "code", "split"),
    [
        ("segment(9,3,-)", "10-6400-WH1", ("10-6400", "WH1")),
        ("segment(9,3,-)", "10-6400-WH1-X", ("10-6400-X", "WH1")),
        ("segment(9,3,-)", "10-6400", ("10-6400", None)),
        ("segment(9,3,-)", "10-6400-W", ("10-6400-W", None)),
        ("segment(9,3,-)", "10-6400-WH10", ("10-6400-WH10", None)),
        ("segment(9,3,-)", "10-64000WH1", ("10-64000WH1", None)),
        ("segment(1,2,-)", "10-6400", ("6400", "10")),
        ("segment(5,2,)", "6400WH", ("6400", "WH")),
        ("segment(9,3,,)", "10-6400,WH1", ("10-6400", "WH1")),
    ],
)
def test_a_gl_code_is_taken_apart_by_the_sites_rule(source: str, code: str, split: tuple[str, str | None]) -> None:
    segment = rule(source)
    assert isinstance(segment, Segment)
    assert segment.split(code) == split


@pytest.mark.parametrize("wrong", ["segment(0,3,-)", "segment(9)", "segment(a,b,c)", "table(x)", "elsewhere"])
def test_a_rule_that_says_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(Refused, match="cost_centre_source"):
        rule(wrong)


@given(st.text(max_size=15), st.text(max_size=20))
def test_a_key_reads_back_in_one_way_only(supplier: str, invoice: str) -> None:
    supplier, invoice = supplier.rstrip(), invoice.rstrip()
    assert parts(invoice_key(supplier, invoice)) == [supplier, invoice]


@given(st.lists(st.tuples(*[st.integers(1, 4)] * 4), min_size=1))
def test_the_ranges_of_a_page_cover_every_place(places: list[tuple[int, int, int, int]]) -> None:
    spans = ranges(places)
    for place in places:
        assert any(span.first <= place <= span.last for span in spans)
    assert all(span.first[:2] == span.last[:2] for span in spans)


@given(st.lists(st.decimals("0.01", "999999999999.99", places=2), min_size=1, max_size=5), st.booleans())
def test_no_digit_is_lost_from_the_bytes_to_the_record(values: list[Decimal], as_text: bool) -> None:  # R21
    number = (lambda v: f'"{v}"') if as_text else str
    gross = sum(values)
    head = {c.name: "" if c.kind is str else 0 for c in columns(ApInvoice)}
    head |= {"Currency": "USD", "InvoiceDate": "2026-11-10", "DueDate": "2026-12-10"}
    text = json.dumps({"value": [head]}).replace('"OrigInvValue": 0', f'"OrigInvValue": {number(gross)}')
    (row,), _ = _decoder(ApInvoice)(text.encode())
    cells = {c.name: "" if c.kind is str else 0 for c in columns(ApJnlDistrib)}
    body = ",".join(json.dumps(cells).replace('"DistrValue": 0', f'"DistrValue": {number(value)}') for value in values)
    rows, _ = _decoder(ApJnlDistrib)(f'{{"value":[{body}]}}'.encode())
    item = documents().invoice(row, rows)
    assert item.invalid is None
    again = Invoice.from_payload(item.record.payload())
    assert again.gross == gross
    assert [line.amount for line in again.lines] == values


@given(st.lists(st.tuples(st.sampled_from(["10-6100", "10-2250", "10-6400-WH1"]), st.integers(1, 10**9))))
def test_the_short_way_and_the_long_way_through_the_rows_agree(rows: list[tuple[str, int]]) -> None:
    ledger = coded(*[(code, str(Decimal(cents) / 100)) for code, cents in rows])
    head = header(str(sum((Decimal(cents) / 100 for _, cents in rows), Decimal("0.00"))))
    reader = documents()
    unit = reader._units["USD"]
    assert unit is not None
    assert reader._coding.ledger(head, ledger, head.orig_inv_value, unit) == reader._coding.explained(
        head, ledger, head.orig_inv_value, unit
    )


def test_freight_is_told_by_its_expense_type() -> None:
    rows = coded(("10-6200", "640.00"), ("10-6300", "35.00"))
    rows[1].expense_type = "F"
    item = documents().invoice(header("675.00"), rows)
    assert (item.record.freight, item.record.net, item.record.lines[1].kind) == (35, 640, LineKind.FREIGHT)


def test_terms_without_a_rule_say_nothing() -> None:
    from ml_connector.systems.syspro.tables import TblApTerms

    found = term(made(TblApTerms, terms_code="C ", description="Cash"))
    assert (found.code, found.due_days, found.discount_percent) == ("C", None, None)

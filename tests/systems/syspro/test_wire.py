"""What SYSPRO sends and is sent, in the forms that are known of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ml_connector.systems.base import ShapeChanged, Transient
from ml_connector.systems.syspro import comfnd, tables
from ml_connector.systems.syspro.reading import _decoder
from ml_connector.systems.syspro.session import ENCODING, address, session_id
from ml_connector.systems.syspro.where import ALL_ROWS, Where, after, one_of, that, to_filter

HEAD = "<?xml version=\"1.0\" encoding=\"Windows-1252\"?>\n<TblCurrency Language='05' DecFormat='1' DateFormat='01'>\n"


def rows_of(body: str) -> list[dict[str, str]]:
    return comfnd.answer(HEAD + body + "</TblCurrency>\n ", "TblCurrency")


@pytest.mark.parametrize(
    "text",
    [
        "0A1B2C3D4E5F60718293A4B5C6D7E8F900  ",
        '"0A1B2C3D4E5F60718293A4B5C6D7E8F900"',
        '<string xmlns="http://schemas.microsoft.com/x">0A1B2C3D4E5F60718293A4B5C6D7E8F900</string>',
    ],
)
def test_a_session_id_is_taken_in_every_dress(text: str) -> None:
    assert session_id(text) == "0A1B2C3D4E5F60718293A4B5C6D7E8F900"


@pytest.mark.parametrize("text", ["", "  ", "<html><body>Welcome</body></html>", "please log on first"])
def test_something_else_is_no_session_id(text: str) -> None:  # R12
    with pytest.raises(Transient):
        session_id(text)


def test_everything_in_an_address_is_percent_encoded() -> None:
    assert address("Logon", {"Operator": "A&B", "CompanyPassword": ""}) == "Logon?Operator=A%26B&CompanyPassword="


def test_a_comfnd_question_always_limits_its_rows() -> None:
    document = comfnd.query("ApSupplier", ("Supplier", "SupplierName"), ALL_ROWS, ("Supplier",), 5)
    assert document == (
        '<Query xmlns:xsd="http://www.w3.org/2001/XMLSchema-instance" xsd:noNamespaceSchemaLocation="COMFND.XSD">'
        "<TableName>ApSupplier</TableName><ReturnRows>5</ReturnRows><AllColumns>N</AllColumns>"
        "<Columns><Column>Supplier</Column><Column>SupplierName</Column></Columns>"
        "<OrderBy><Column>Supplier</Column></OrderBy></Query>"
    )


def test_a_composite_key_is_bracketed_for_comfnd() -> None:
    where = that("Company", "eq", "RIL").plus(after(("Supplier", "Invoice"), ("A&B", "É1")))
    document = comfnd.query("ApInvoice", ("Invoice",), where, ("Supplier", "Invoice"), 2)
    assert (
        "<Where><Expression><Column>Company</Column><Condition>EQ</Condition><Value>RIL</Value></Expression>"
        "<Expression><AndOr>And</AndOr><OpenBracket>(</OpenBracket><Column>Supplier</Column><Condition>GT</Condition>"
        "<Value>A&amp;B</Value></Expression>"
        "<Expression><AndOr>Or</AndOr><OpenBracket>(</OpenBracket><Column>Supplier</Column><Condition>EQ</Condition>"
        "<Value>A&amp;B</Value></Expression>"
        "<Expression><AndOr>And</AndOr><Column>Invoice</Column><Condition>GT</Condition><Value>&#201;1</Value>"
        "<CloseBracket>))</CloseBracket></Expression></Where>"
    ) in document
    assert document.isascii()


def test_a_filter_doubles_apostrophes_and_writes_dates_as_the_site_wants() -> None:
    where = that("JournalDate", "ge", date(2026, 11, 9)).plus(one_of(("Invoice",), [("O'Neil",), ("B",)]))
    assert to_filter(where, "datetimeoffset") == (
        "JournalDate ge 2026-11-09T00:00:00Z and ((Invoice eq 'O''Neil') or (Invoice eq 'B'))"
    )
    assert to_filter(that("D", "ge", date(2026, 1, 2)), "quoted") == "D ge '2026-01-02'"
    assert to_filter(that("D", "ge", date(2026, 1, 2)), "date") == "D ge 2026-01-02"


def test_the_bounds_of_a_key_exclude_or_include_it() -> None:
    assert to_filter(after(("a", "b"), (1, 2)), "date") == "((a gt 1) or (a eq 1 and b gt 2))"
    assert to_filter(after(("a", "b"), (1, 2), inclusive=True), "date") == "((a gt 1) or (a eq 1 and b ge 2))"
    assert to_filter(after(("a",), (1,)), "date") == "a gt 1"
    assert to_filter(Where(), "date") == ""


def test_padded_numbers_and_changed_case_are_read() -> None:
    rows = rows_of(
        "<HeaderDetails><TableName>TblCurrency</TableName></HeaderDetails>\n<Row><currency>$  </currency>"
        "<DESCRIPTION>Dollar</DESCRIPTION><BuyExchangeRate>   1,234.500000</BuyExchangeRate><BuyMulDiv/></Row>\n"
        "<RowsReturned>       1</RowsReturned>\n"
    )
    (row,) = tables.from_texts(tables.TblCurrency, rows)
    assert (row.currency, row.description, row.buy_mul_div) == ("$  ", "Dollar", "")
    assert str(row.buy_exchange_rate) == "1234.500000"


def test_cp1252_is_decoded_whatever_the_answer_declares() -> None:
    document = (HEAD + "<Row><Currency>EUR</Currency><Description>Fünf €\x81</Description></Row></TblCurrency>").encode(
        "latin-1", "replace"
    )
    text = document.replace(b"?</Desc", b"\x80\x81</Desc").decode(ENCODING, "replace")
    assert comfnd.answer(text, "TblCurrency")[0]["description"].startswith("Fünf ")


def test_control_characters_of_the_database_do_not_break_the_answer() -> None:
    (row,) = rows_of("<Row><Description>a\x0bb&#x1;c</Description></Row>")
    assert row["description"] == "abc"


def test_an_answer_with_fewer_rows_than_it_counts_is_no_answer() -> None:
    with pytest.raises(Transient):
        rows_of("<Row><Currency>A</Currency></Row><RowsReturned>       2</RowsReturned>")


def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    with pytest.raises(Transient):
        comfnd.answer(HEAD + "<Row><Currency>A</Curr", "TblCurrency")


def test_amounts_with_a_decimal_comma_are_not_guessed() -> None:  # R20
    with pytest.raises(ShapeChanged, match="decimal format"):
        comfnd.answer("<TblCurrency DecFormat='2'><Row/></TblCurrency>", "TblCurrency")


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"TaxCode": "A", "ApTaxGlCode": "10"}, "AdmTax.CurTaxRate"),
        ({"TaxCode": "A", "CurTaxRate": [1], "ApTaxGlCode": "10"}, "AdmTax.CurTaxRate"),
        ({"TaxCode": "A", "CurTaxRate": None, "ApTaxGlCode": "10"}, "AdmTax.CurTaxRate"),
        ({"TaxCode": "A", "CurTaxRate": 1, "ApTaxGlCode": 10}, "AdmTax.ApTaxGlCode"),
        ({"TaxCode": True, "CurTaxRate": 1, "ApTaxGlCode": "10"}, "AdmTax.TaxCode"),
    ],
)
def test_a_column_that_is_gone_or_of_another_type_is_named(row: dict[str, object], named: str) -> None:  # R20
    with pytest.raises(ShapeChanged) as raised:
        tables.from_json(tables.AdmTax, [row])
    assert raised.value.field == named


def test_one_unreadable_number_is_its_rows_own_fault() -> None:
    good, bad = tables.from_json(
        tables.AdmTax,
        [
            {"TaxCode": "A", "CurTaxRate": Decimal("8.5"), "ApTaxGlCode": None},
            {"TaxCode": "B", "CurTaxRate": "n/a", "ApTaxGlCode": None},
        ],
    )
    assert good.fault is None
    assert bad.fault is not None and "CurTaxRate" in bad.fault


def test_a_number_column_in_which_no_row_has_a_number_has_changed() -> None:  # R20
    row = {"TaxCode": "A", "CurTaxRate": "n/a", "ApTaxGlCode": None}
    with pytest.raises(ShapeChanged):
        tables.from_json(tables.AdmTax, [row, row])


def test_numbers_that_come_as_text_or_with_a_fraction_of_zero_are_read() -> None:
    content = (
        b'{"@odata.context":"x","value":[{"TrnYear":2026.0,"TrnMonth":11,"Journal":"17","EntryNumber":1,"Supplier":"A",'
        b'"Invoice":"B","TransactionCode":"I","InvoiceValue":"12.30"}]}'
    )
    (row,), following = _decoder(tables.ApJnlSummary)(content)
    assert (row.trn_year, row.journal, str(row.invoice_value), following) == (2026, 17, "12.30", None)


def test_an_error_that_comes_with_status_200_is_no_empty_table() -> None:  # R12
    with pytest.raises(Transient):
        _decoder(tables.AdmTax)(b'{"error":{"code":"x","message":"The service is going down"}}')
    with pytest.raises(ShapeChanged):
        _decoder(tables.AdmTax)(b'{"values":[]}')

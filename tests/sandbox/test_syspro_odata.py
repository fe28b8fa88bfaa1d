"""The SYSPRO stand-in's OData service, as a client meets it on a socket."""

import json
from decimal import Decimal

import httpx2
import pytest

from ml_connector import sandbox


@pytest.fixture(scope="module")
def running():
    with sandbox.start("syspro", seed=1, options={"invoices": 400}) as stand_in:
        yield stand_in


@pytest.fixture
def syspro(running):
    before = running.options()
    yield running
    running.options(before)
    running.faults([])


@pytest.fixture
def odata(syspro):
    auth = (syspro.settings["odata_user"], syspro.secrets["odata_password"])
    with httpx2.Client(auth=auth, timeout=10) as http:
        yield Odata(http, f"{syspro.settings['odata_root']}/{syspro.settings['odata_company_segment']}")


class Odata:
    def __init__(self, http, root):
        self.http, self.root = http, root

    def get(self, table, **query):
        return self.http.get(f"{self.root}/{table}", params={f"${name}": text for name, text in query.items()})

    def rows(self, table, **query):
        answer = self.get(table, **query)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)["value"]

    def names(self, **query):
        return [row["Currency"] for row in self.rows("TblCurrency", **query)]


def test_a_wrong_password_is_a_401_with_a_basic_challenge(odata):
    for auth in [("MLODATA", "wrong"), None]:
        answer = httpx2.get(f"{odata.root}/TblCurrency", auth=auth)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_the_answer_is_odata_json_with_exact_numbers_and_utc_dates(odata):
    answer = odata.get("TblCurrency", filter="Currency eq 'EUR'", select="Currency,BuyExchangeRate")
    assert answer.text == (
        f'{{"@odata.context":"{odata.root}/$metadata#TblCurrency",'
        '"value":[{"Currency":"EUR","BuyExchangeRate":1.080000}]}'
    )
    invoice = odata.rows("ApInvoice", top="1")[0]
    assert invoice["InvoiceDate"].endswith("T00:00:00Z")
    assert invoice["DiscountDate"] is None
    assert str(invoice["OrigInvValue"]).count(".") == 1


def test_unknown_tables_are_404_and_unknown_columns_400(odata):
    assert odata.get("apsupplier").status_code == 404
    assert odata.get("ApPosting").status_code == 404
    assert odata.http.get(odata.root.replace("/RIL", "/XYZ") + "/ApSupplier").status_code == 404
    for query in ({"select": "Nope"}, {"orderby": "Nope"}, {"filter": "Nope eq 1"}, {"filter": "Currency eq"}):
        answer = odata.get("TblCurrency", **query)
        assert answer.status_code == 400
        assert set(answer.json()["error"]) == {"code", "message"}


def test_paths_are_matched_whatever_their_case(odata):
    root = odata.root.replace("SYSPRO8Odata/SYSPROOData", "syspro8odata/sysproodata")
    assert odata.http.get(f"{root}/TblCurrency").status_code == 200


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("Currency eq 'CAD'", ["CAD"]),
        ("Currency ne 'CAD'", ["EUR", "GBP", "USD"]),
        ("Currency gt 'EUR'", ["GBP", "USD"]),
        ("Currency ge 'EUR' and Currency lt 'USD'", ["EUR", "GBP"]),
        ("Currency le 'CAD' or Currency eq 'USD' and BuyExchangeRate eq 9", ["CAD"]),
        ("(Currency le 'CAD' or Currency eq 'USD') and BuyExchangeRate eq 1", ["USD"]),
        ("not (Currency eq 'CAD')", ["EUR", "GBP", "USD"]),
        ("Currency in ('GBP', 'EUR', 'XXX')", ["EUR", "GBP"]),
        ("contains(Description, 'Dollar')", ["CAD", "USD"]),
        ("startswith(Description,'Euro') eq true", ["EUR"]),
        ("BuyExchangeRate gt 1.080000", ["CAD", "GBP"]),
        ("Description eq 'Pound Sterling'", ["GBP"]),
        ("Currency eq 'USD  '", ["USD"]),
        ("Currency eq 'it''s'", []),
    ],
)
def test_the_filters(odata, filter_text, found):
    assert odata.names(filter=filter_text) == found


@pytest.mark.parametrize("filter_text", ["Currency eq 1", "BuyExchangeRate eq 'x'", "length(Currency) eq 3"])
def test_a_literal_of_another_type_is_a_400(odata, filter_text):
    assert odata.get("TblCurrency", filter=filter_text).status_code == 400


@pytest.mark.parametrize("style", ["datetimeoffset", "date", "quoted"])
def test_only_the_sites_spelling_of_a_date_is_understood(odata, syspro, style):
    syspro.options({"odata_date_style": style})
    spellings = {"datetimeoffset": "2026-06-01T00:00:00Z", "date": "2026-06-01", "quoted": "'2026-06-01'"}
    wanted = {row["Invoice"] for row in syspro.state("ApInvoice") if row["JournalDate"] >= "2026-06-01"}
    for name, literal in spellings.items():
        answer = odata.get("ApInvoice", filter=f"JournalDate ge {literal}")
        assert answer.status_code == (200 if name == style else 400)
        if name == style:
            assert {row["Invoice"] for row in answer.json()["value"]} == wanted


def test_a_missing_date_is_null(odata, syspro):
    assert len(odata.rows("ApInvoice", filter="DiscountDate eq null")) == 400
    assert odata.rows("ApInvoice", filter="DiscountDate ge 2000-01-01T00:00:00Z") == []
    assert odata.rows("ApInvoice", filter="InvoiceDate eq null") == []


def test_rows_are_ordered_by_several_columns(odata):
    rows = odata.rows("ApInvoice", orderby="Currency desc,OrigInvValue", select="Currency,OrigInvValue")
    keys = [(row["Currency"], row["OrigInvValue"]) for row in rows]
    assert [key[0] for key in keys] == sorted((key[0] for key in keys), reverse=True)
    euros = [value for currency, value in keys if currency == "EUR"]
    assert euros == sorted(euros)


def test_top_and_skip_walk_the_whole_table_once(odata, syspro):
    seen = []
    while page := odata.rows("ApInvoice", orderby="Supplier,Invoice", top="90", skip=str(len(seen))):
        seen += [(row["Supplier"], row["Invoice"]) for row in page]
    assert seen == sorted((row["Supplier"], row["Invoice"]) for row in syspro.state("ApInvoice"))


def test_pages_by_key_walk_the_whole_table_once(odata, syspro):
    seen, filter_text = [], "JournalDate ge 2000-01-01T00:00:00Z"
    key = ("Supplier", "Invoice")
    while page := odata.rows("ApInvoice", orderby="Supplier,Invoice", top="90", filter=filter_text):
        seen += [tuple(row[name] for name in key) for row in page]
        supplier, invoice = seen[-1]
        filter_text = (
            "JournalDate ge 2000-01-01T00:00:00Z and "
            f"(Supplier gt '{supplier}' or (Supplier eq '{supplier}' and Invoice gt '{invoice}'))"
        )
    assert seen == sorted((row["Supplier"], row["Invoice"]) for row in syspro.state("ApInvoice"))


def test_lines_are_found_by_many_keys_at_once(odata, syspro):
    entries = [row for row in syspro.state("ApJnlSummary") if row["TransactionCode"] == "I"][:40]
    one = "(TrnYear eq {TrnYear} and TrnMonth eq {TrnMonth} and Journal eq {Journal} and EntryNumber eq {EntryNumber})"
    rows = odata.rows("ApJnlDistrib", filter=" or ".join(one.format(**entry) for entry in entries))
    key = ("TrnYear", "TrnMonth", "Journal", "EntryNumber")
    wanted = {tuple(entry[name] for name in key) for entry in entries}
    there = [row for row in syspro.state("ApJnlDistrib") if tuple(row[name] for name in key) in wanted]
    assert len(rows) == len(there) > 40


def test_no_answer_holds_more_than_the_cap(odata, syspro):
    syspro.options({"odata_page_cap": 50})
    for query in ({}, {"top": "200"}):
        body = odata.get("ApInvoice", **query).json()
        assert len(body["value"]) == 50
        assert "@odata.nextLink" not in body


def test_a_next_link_leads_through_the_rest(odata, syspro):
    syspro.options({"odata_page_cap": 150, "odata_next_link": True})
    answer, sizes = odata.get("ApInvoice", orderby="Supplier,Invoice", top="390", filter="Supplier gt ' '"), []
    while True:
        body = answer.json()
        sizes.append(len(body["value"]))
        if "@odata.nextLink" not in body:
            break
        answer = odata.http.get(body["@odata.nextLink"])
    assert sizes == [150, 150, 90]


def test_char_columns_may_come_padded(odata, syspro):
    syspro.options({"odata_padded_char": True})
    supplier = odata.rows("ApSupplier", top="1", select="TermsCode,DefTaxCode,City,SupplierName")[0]
    assert [len(supplier[name]) for name in ("TermsCode", "DefTaxCode", "City")] == [2, 3, 3]
    assert supplier["SupplierName"] == supplier["SupplierName"].rstrip()
    assert odata.rows("ApSupplier", filter=f"DefTaxCode eq '{supplier['DefTaxCode']}'", top="1")


def test_another_version_lacks_a_column_or_calls_it_otherwise(odata, syspro):
    syspro.options({"hide_columns": {"ApInvoice": ["DueDate"]}, "rename": {"ApInvoice": {"Reference": "Note"}}})
    invoice = odata.rows("ApInvoice", top="1")[0]
    assert "DueDate" not in invoice
    assert "Reference" not in invoice
    assert "Note" in invoice
    assert odata.get("ApInvoice", filter="DueDate ge 2026-01-01T00:00:00Z").status_code == 400
    assert odata.get("ApInvoice", filter="Note ne ''").status_code == 200
    syspro.options({"hide_tables": ["ApInvoicePay"]})
    assert odata.get("ApInvoicePay").status_code == 404


def test_the_rowversion_is_hidden_unless_the_site_shows_it(odata, syspro):
    assert "TimeStamp" not in odata.rows("ApSupplier", top="1")[0]
    syspro.options({"timestamp": "exposed"})
    last = max(odata.rows("ApSupplier", select="Supplier,TimeStamp"), key=lambda row: row["TimeStamp"])
    later = f"TimeStamp gt binary'{last['TimeStamp']}'"
    assert odata.rows("ApSupplier", filter=later) == []
    syspro.edit("actions", {"do": "hold_supplier", "supplier": last["Supplier"]})
    assert [row["Supplier"] for row in odata.rows("ApSupplier", filter=later)] == [last["Supplier"]]


def test_what_is_not_known_to_exist_is_refused(odata):
    for name in ("count", "expand", "apply"):
        assert odata.get("TblCurrency", **{name: "true"}).status_code == 400
    for top in ("x", "-1"):
        assert odata.get("TblCurrency", top=top).status_code == 400
    assert odata.http.post(f"{odata.root}/TblCurrency", json={}).status_code == 405


def test_a_result_paged_by_skip_follows_a_change(odata, syspro):
    page = {"orderby": "Supplier", "skip": "100", "top": "1"}
    supplier = odata.rows("ApSupplier", **page)[0]["Supplier"]
    syspro.edit("ApSupplier", {"Supplier": supplier, "Contact": "Someone new"})
    assert odata.rows("ApSupplier", **page)[0]["Contact"] == "Someone new"

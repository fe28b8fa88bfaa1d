"""Suppliers kept in the SYSPRO stand-in by APSSSP."""

import pytest
from tests.sandbox.syspro_client import Client, said, text

from ml_connector import sandbox


@pytest.fixture
def syspro():
    with sandbox.start("syspro", options={"base_set": "bill"}) as stand_in:
        stand_in.clock(now="2026-11-16T12:00:00Z", running=False)
        yield stand_in


@pytest.fixture
def enet(syspro):
    client = Client(syspro).logon()
    yield client
    client.close()


def supplier(code="HYD006", **other):
    return {
        "Key": {"Supplier": code},
        "SupplierName": "Hydra Water Ltd.",
        "Branch": "10",
        "TermsCode": "14",
        "Currency": "USD",
        **other,
    }


def held(syspro, code, table="ApSupplier"):
    return next((row for row in syspro.state(table) if row["Supplier"] == code), None)


def test_a_supplier_is_added_with_its_address_and_defaults(enet, syspro):
    answer = enet.setup("Add", supplier(SupAddr1="1 Dam Road", SupPostalCode="60611", Telephone="+1 312 555 0199"))
    assert answer.tag == "setupapsupplier"
    assert text(answer, "item/key/supplier") == "HYD006"
    assert {one.tag: int(one.text) for one in answer.find("StatusOfItems")} == {"RecordsRead": 1, "RecordsInvalid": 0}
    row = held(syspro, "HYD006")
    assert (row["SupplierName"], row["Telephone"], row["DateSuppAdded"]) == (
        "Hydra Water Ltd.",
        "+1 312 555 0199",
        "2026-11-16",
    )
    assert [row[name] for name in ("SupplierType", "ChLanguage", "PurchOrdAllowed", "GrnMatchReqd")] == [
        "P",
        "05",
        "Y",
        "Y",
    ]
    assert held(syspro, "HYD006", "ApSupplierAddr")["SupAddr1"] == "1 Dam Road"
    assert enet.find("ApSupplier", "Supplier", "HYD006", "TermsCode") == [("14",)]


def test_an_update_sets_only_what_it_names(enet, syspro):
    before = held(syspro, "HYD005")
    answer = enet.setup("Update", {"Key": {"Supplier": "HYD005"}, "OnHold": "Y", "SupAddr1": "2 Waterworks Plaza"})
    assert said(answer) == []
    after = held(syspro, "HYD005")
    assert {name for name in after if after[name] != before[name]} == {"OnHold", "TimeStamp"}
    assert after["TimeStamp"] > before["TimeStamp"]
    assert held(syspro, "HYD005", "ApSupplierAddr")["SupAddr1"] == "2 Waterworks Plaza"
    assert held(syspro, "HYD005", "ApSupplierAddr")["SupPostalCode"] == "60611"


@pytest.mark.parametrize(("blank", "phone"), [("ignore", "+1 312 555 0105"), ("clear", "")])
def test_an_empty_element_of_an_update_does_as_the_site_has_it(enet, syspro, blank, phone):
    syspro.options({"blank_on_update": blank})
    enet.setup("Update", {"Key": {"Supplier": "HYD005"}, "Telephone": ""})
    assert held(syspro, "HYD005")["Telephone"] == phone
    answer = enet.setup("Update", {"Key": {"Supplier": "HYD005"}, "SupplierName": ""})
    assert [path for path, *_ in said(answer)] == ([] if blank == "ignore" else ["suppliername"])
    assert held(syspro, "HYD005")["SupplierName"] == "Hydra Utilities"


@pytest.mark.parametrize(
    ("action", "item", "field"),
    [
        ("Add", supplier("ELC001"), "supplier"),
        ("Add", supplier(""), "supplier"),
        ("Add", supplier("S" * 16), "supplier"),
        ("Add", supplier(SupplierName=None), "suppliername"),
        ("Add", supplier(Branch=""), "branch"),
        ("Add", supplier(TermsCode="99"), "termscode"),
        ("Add", supplier(Currency="XXX"), "currency"),
        ("Add", supplier(DefTaxCode="Q"), "deftaxcode"),
        ("Add", supplier(SupplierName="N" * 51), "suppliername"),
        ("Add", supplier(SupPostalCode="1" * 11), "suppostalcode"),
        ("Add", supplier(OnHold="maybe"), "onhold"),
        ("Add", supplier(MerchGlCode="10-7777"), "merchglcode"),
        ("Add", supplier(DefaultChequeDay="soon"), "defaultchequeday"),
        ("Update", supplier("NOBODY"), "supplier"),
        ("Update", supplier("ELC001", Currency="EUR"), "currency"),
        ("Delete", supplier("NOBODY"), "supplier"),
        ("Delete", supplier("ELC001"), "supplier"),
    ],
)
def test_a_bad_field_stands_in_lower_case_beside_the_key(enet, syspro, action, item, field):
    before = syspro.state("ApSupplier")
    answer = enet.setup(action, item)
    assert [path for path, *_ in said(answer)] == [field]
    wrong = answer.find(f"item/{field}")
    assert [one.tag for one in wrong] == ["Value", "ErrorNumber", "ErrorDescription"]
    assert answer.find("item/key/supplier") is not None
    assert {one.tag: int(one.text) for one in answer.find("StatusOfItems")} == {"RecordsRead": 1, "RecordsInvalid": 1}
    assert syspro.state("ApSupplier") == before


def test_a_supplier_without_documents_can_be_deleted(enet, syspro):
    enet.setup("Add", supplier())
    assert said(enet.setup("Delete", {"Key": {"Supplier": "HYD006"}})) == []
    assert held(syspro, "HYD006") is None
    assert held(syspro, "HYD006", "ApSupplierAddr") is None


def test_several_suppliers_go_in_together_or_each_for_itself(enet, syspro):
    items = [supplier("A1"), supplier("A2", Branch="99"), supplier("A3")]
    answer = enet.setup("Add", items, ApplyIfEntireDocumentValid="Y")
    assert [text(item, "key/supplier") for item in answer.findall("item")] == ["A1", "A2", "A3"]
    assert held(syspro, "A1") is None
    enet.setup("Add", items)
    assert [held(syspro, code) is not None for code in ("A1", "A2", "A3")] == [True, False, True]


def test_an_invoice_can_be_posted_for_a_supplier_that_was_just_added(enet, syspro):
    enet.setup("Add", supplier(GrnMatchReqd="N"))
    lines = {"LedgerCode": "10-6400", "LedgerValue": "10.00"}
    invoice = {"Supplier": "HYD006", "Invoice": "H1", "TransactionValue": "10.00", "LedgerDistribution": lines}
    assert said(enet.post("APSTIN", invoice)) == []
    [row] = [row for row in syspro.state("ApInvoice") if row["Supplier"] == "HYD006"]
    assert row["DueDate"] == "2026-11-30"

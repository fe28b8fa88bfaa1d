"""Business partners, accounts, cost centers, user-defined fields: created, amended, refused."""

import pytest
from tests.sandbox.sapb1.conftest import VENDOR, invoice_body, line, refusal

ADDRESS = {"AddressName": "Remit to", "AddressType": "bo_BillTo", "Street": "1 Dock Road", "Country": "US"}


def test_a_vendor_is_created_whole(layer, stand_in):
    row = layer.vendor("V'1", BPAddresses=[ADDRESS], ContactEmployees=[{"Name": "Dana"}])
    assert row["BilltoDefault"] == "Remit to"
    assert (row["BPAddresses"][0]["RowNum"], row["BPAddresses"][0]["BPCode"]) == (0, "V'1")
    assert row["ContactEmployees"][0]["InternalCode"] == 1
    assert row["CreateDate"] == "2026-11-16T00:00:00Z"
    assert row["UpdateDate"] is None, "the stamp of a fresh one is empty"
    assert layer.read("BusinessPartners('V''1')")["CardCode"] == "V'1"
    stand_in.options({"fresh_partner_stamp": True})
    assert layer.vendor("V2")["UpdateTime"] == "09:00:00"


def test_a_partner_is_a_customer_unless_said(layer):
    made = layer.made("BusinessPartners", {"CardCode": "C1"})
    assert (made["CardType"], made["Currency"]) == ("cCustomer", "##")
    assert refusal(layer.post("PurchaseInvoices", invoice_body(5, vendor="C1")))[1] == -5002


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"CardCode": ""}, -5002),
        ({"CardCode": "x" * 16}, -1000),
        ({"CardType": "supplier"}, -1004),
        ({"Currency": "XXX"}, -5002),
        ({"PayTermsGrpCode": 77}, -5002),
        ({"BPAddresses": [{**ADDRESS, "Country": "USA"}]}, -5002),
        ({"BPAddresses": [ADDRESS, ADDRESS]}, -5002),
        ({"BPBankAccounts": [{"AccountNo": "1"}]}, -5002),
        ({"ContactEmployees": [{}]}, -5002),
        ({"Nickname": "x"}, -1000),
    ],
)
def test_a_wrong_partner_is_refused(layer, stand_in, change, code):
    reply = layer.post("BusinessPartners", {"CardCode": "V1", **VENDOR, **change})
    assert refusal(reply)[:2] == (400, code)
    assert stand_in.state("BusinessPartners") == []


def test_a_code_that_is_taken_is_refused_with_its_code_inside_the_text(layer):
    layer.vendor("c1")
    found = refusal(layer.post("BusinessPartners", {"CardCode": "c1", **VENDOR}))
    assert found[:2] == (400, -10)
    assert found[2].startswith("1320000140 - Business partner code 'c1' already assigned")


def test_lists_merge_by_their_key_unless_the_whole_list_is_sent(layer):
    layer.vendor("V1", BPAddresses=[ADDRESS])
    second = {**ADDRESS, "AddressName": "Old"}
    change = {"Phone1": "1", "BPAddresses": [{"RowNum": 0, "City": "Reno"}, second]}
    assert layer.patch("BusinessPartners('V1')", change).status_code == 204
    rows = layer.read("BusinessPartners('V1')")["BPAddresses"]
    assert [(row["RowNum"], row["City"], row["Street"]) for row in rows] == [
        (0, "Reno", "1 Dock Road"),
        (1, None, "1 Dock Road"),
    ]
    whole = {"B1S-ReplaceCollectionsOnPatch": "true"}
    layer.patch("BusinessPartners('V1')", {"BPAddresses": [second]}, whole)
    after = layer.read("BusinessPartners('V1')")
    assert [row["AddressName"] for row in after["BPAddresses"]] == ["Old"]
    assert (after["Phone1"], after["BilltoDefault"]) == ("1", "Old")
    assert after["UpdateDate"] == "2026-11-16T00:00:00Z"


def test_a_put_forgets_what_it_does_not_name(layer):
    layer.vendor("V1", Phone1="1", BPAddresses=[ADDRESS])
    assert layer.call("PUT", "BusinessPartners('V1')", {"CardName": "New", "CardType": "S"}).status_code == 204
    after = layer.read("BusinessPartners('V1')")
    assert (after["CardName"], after["Phone1"], after["BPAddresses"]) == ("New", None, [])
    assert after["CreateDate"] == "2026-11-16T00:00:00Z"


def test_a_partner_with_postings_is_not_deleted(layer):
    layer.vendor()
    layer.vendor("V2")
    layer.invoice(5)
    assert layer.call("DELETE", "BusinessPartners('V2')").status_code == 204
    found = refusal(layer.call("DELETE", "BusinessPartners('PAK003')"))
    assert found == (400, -5002, "253000019 - Journal entries linked to card")


def test_an_account_with_entries_is_not_deleted(layer):
    layer.vendor()
    layer.invoice(5)
    assert refusal(layer.call("DELETE", "ChartOfAccounts('10-6200')"))[:2] == (400, -5002)
    assert layer.call("DELETE", "ChartOfAccounts('10-6750')").status_code == 204
    assert layer.get("ChartOfAccounts('10-6750')").status_code == 404


def test_a_new_cost_center_brings_the_rule_that_lines_name(layer):
    layer.vendor()
    layer.made("ProfitCenters", {"CenterCode": "NEW", "CenterName": "New site"})
    rule = layer.read("DistributionRules('NEW')")
    assert (rule["Direct"], rule["DistributionRuleLines"][0]["CenterCode"]) == ("Y", "NEW")
    assert layer.invoice(DocumentLines=[line(5, CostingCode="NEW")])["DocumentLines"][0]["CostingCode"] == "NEW"
    layer.patch("DistributionRules('NEW')", {"Active": "tNO"})
    reply = layer.post("PurchaseInvoices", invoice_body(DocumentLines=[line(5, CostingCode="NEW")]))
    assert refusal(reply)[:2] == (400, -2028)
    assert refusal(layer.post("ProfitCenters", {"CenterCode": "NEW"}))[:2] == (400, -2035)


def test_the_chart_tells_title_control_and_inactive_accounts(layer):
    rows = {row["Code"]: row for row in layer.rows("ChartOfAccounts", top=200)} | {
        row["Code"]: row for row in layer.get("ChartOfAccounts", headers={"B1S-PageSize": "0"}).json()["value"]
    }
    assert rows["600000"]["ActiveAccount"] == "tNO"
    assert rows["10-6200"]["FatherAccountKey"] == "600000"
    assert rows["10-6200"]["AccountType"] == "at_Expenses"
    assert rows["10-2100"]["LockManualTransaction"] == "tYES"
    assert rows["10-6770"]["FrozenFor"] == "tYES"


def test_accounts_may_have_system_codes(layer):
    from ml_connector import sandbox

    with sandbox.start("sapb1", options={"invoices": 20, "segmented_accounts": True}) as segmented:
        rows = segmented.state("ChartOfAccounts")
        assert {row["Code"][:4] for row in rows if row["ActiveAccount"] == "tYES"} == {"_SYS"}
        assert "10-6200" in {row["FormatCode"] for row in rows}
        assert segmented.settings["bill_clearing_account"].startswith("_SYS")
        lines = [one["AccountCode"] for row in segmented.state("PurchaseInvoices") for one in row["DocumentLines"]]
        assert set(lines) <= {row["Code"] for row in rows}


def test_a_user_defined_field_is_known_once_it_is_defined(layer):
    layer.vendor()
    field = {"TableName": "OPCH", "Name": "MLC_REF", "Type": "db_Alpha", "Size": 20, "Description": "Mark"}
    body = invoice_body(5, U_MLC_REF="mark")
    assert refusal(layer.post("PurchaseInvoices", body))[1:] == (-1000, "Property 'U_MLC_REF' of 'Document' is invalid")
    layer.made("UserFieldsMD", field)
    assert layer.read("UserFieldsMD(TableName='OPCH',FieldID=0)")["Name"] == "MLC_REF"
    layer.made("PurchaseInvoices", body)
    (found,) = layer.rows("PurchaseInvoices", filter="U_MLC_REF eq 'mark'")
    layer.patch(f"PurchaseInvoices({found['DocEntry']})", {"U_MLC_REF": "other"})
    assert layer.read(f"PurchaseInvoices({found['DocEntry']})")["U_MLC_REF"] == "other"
    assert 'Name="U_MLC_REF"' in layer.get("$metadata").text
    assert refusal(layer.post("UserFieldsMD", field))[:2] == (400, -2035)
    assert refusal(layer.post("PurchaseInvoices", invoice_body(5, U_MLC_REF="x" * 21)))[1] == -1000

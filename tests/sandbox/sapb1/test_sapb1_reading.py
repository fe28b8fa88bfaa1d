"""Envelopes of both versions, query options, pages, counts, keys and versions of rows."""

import json

import pytest
from tests.sandbox.sapb1.conftest import refusal


def test_a_collection_has_the_envelope_of_its_version(reader):
    reply = reader.get("PurchaseInvoices", top=1, select="DocEntry,DocDate,UpdateTime,DocTotal,Cancelled,NumAtCard")
    body = reply.json()
    row = body["value"][0]
    if reader.version == "v1":
        assert reply.headers["content-type"] == "application/json;odata=minimalmetadata;charset=utf-8"
        assert body["odata.metadata"].endswith("/b1s/v1/$metadata#PurchaseInvoices")
        assert len(row["DocDate"]) == 10
    else:
        assert reply.headers["content-type"] == "application/json;odata.metadata=minimal;charset=utf-8"
        assert body["@odata.context"].endswith("/b1s/v2/$metadata#PurchaseInvoices")
        assert row["DocDate"].endswith("T00:00:00Z")
    assert isinstance(row["DocTotal"], float)
    assert row["Cancelled"] == "tNO"
    assert len(row["UpdateTime"]) == 8


def test_one_row_comes_whole_with_its_lists_and_its_version(reader):
    reply = reader.get("PurchaseInvoices(1)")
    row = reply.json()
    mark, end = ("odata.", "@Element") if reader.version == "v1" else ("@odata.", "$entity")
    assert row[f"{mark}{'metadata' if reader.version == 'v1' else 'context'}"].endswith(f"#PurchaseInvoices/{end}")
    assert row[f"{mark}etag"] == reply.headers["etag"]
    assert len(row[f"{mark}etag"]) == len('W/""') + 40
    assert row["DocumentLines"][0]["LineNum"] == 0
    assert row["DocumentInstallments"][0]["InstallmentId"] == 1
    assert row["WithholdingTaxDataCollection"] == []
    assert row["Indicator"] is None


def test_sets_without_versions_have_none(seeded):
    row = seeded.read("VendorPayments", top=1)["value"][0]
    assert "@odata.etag" not in row
    assert "@odata.etag" in seeded.read("BusinessPartners", top=1)["value"][0]


def test_keys_are_quoted_doubled_and_named(seeded):
    assert seeded.get("BusinessPartners('NoSuch')").status_code == 404
    code = seeded.rows("BusinessPartners", top=1, select="CardCode")[0]["CardCode"]
    for key in (f"'{code}'", f"CardCode='{code}'"):
        assert seeded.read(f"BusinessPartners({key})")["CardCode"] == code
    assert refusal(seeded.get("BusinessPartners('it''s')"))[:2] == (404, -2028)
    assert refusal(seeded.get("PurchaseInvoices('1')"))[:2] == (400, 201)


def test_one_property_and_its_bare_value(reader):
    whole = reader.read("PurchaseInvoices(1)")
    assert reader.read("PurchaseInvoices(1)/CardCode")["value"] == whole["CardCode"]
    assert reader.get("PurchaseInvoices(1)/CardCode/$value").text == whole["CardCode"]
    assert refusal(reader.get("PurchaseInvoices(1)/Indicator/$value"))[:2] == (404, -2028)
    assert refusal(reader.get("PurchaseInvoices(1)/NoSuch"))[1] == 201


@pytest.mark.parametrize(
    "text",
    [
        "DocTotal gt 100 and (DocumentStatus eq 'bost_Open' or DocumentStatus eq 'C')",
        "not (Cancelled eq 'Y')",
        "DocDate ge '2026-01-01'",
        "DocDate ge '20260101'",
        "DocDate ge datetime'2026-01-01'",
        "DocDate ge '2026-01-01T12:21:21'",
        "UpdateTime ge '12:00:00' or UpdateTime lt '1200'",
        "startswith(CardCode,'A') or endswith(CardName,'Inc.') or contains(NumAtCard,'INV')",
        "substringof('INV',NumAtCard)",
        "NumAtCard ne null and Indicator eq null",
        "DocEntry gt 10",
    ],
)
def test_the_filters_that_the_service_layer_has(reader, text):
    everything = int(reader.get("PurchaseInvoices/$count").text)
    some = int(reader.get("PurchaseInvoices/$count", filter=text).text)
    assert 0 < some <= everything
    assert some + int(reader.get("PurchaseInvoices/$count", filter=f"not ({text})").text) == everything


@pytest.mark.parametrize(
    "text",
    [
        "DocumentLines/any(l:l/LineNum eq 0)",
        "year(DocDate) eq 2026",
        "DocTotal add 1 gt 5",
        "CardCode in ('A','B')",
        "DocDate ge 2026-01-01",
        "DocDate ge 'yesterday'",
        "DocTotal gt 'much'",
        "DocumentStatus eq 'open'",
        "tolower(CardCode) eq 'a'",
        "DocTotal gt",
        "NoSuch eq 1",
        "DocumentLines eq null",
    ],
)
def test_the_filters_that_it_does_not_have(reader, text):
    assert refusal(reader.get("PurchaseInvoices", filter=text))[:2] == (400, 201)


def test_text_is_compared_by_case_unless_the_request_says_otherwise(seeded):
    wanted = "contains(CardName,'inc.')"
    assert seeded.rows("BusinessPartners", filter=wanted) == []
    folded = seeded.get("BusinessPartners", filter=wanted, headers={"B1S-CaseInsensitive": "true"})
    assert folded.json()["value"]


WRONG_OPTIONS = [
    {"select": "NoSuch"},
    {"orderby": "NoSuch"},
    {"orderby": "DocEntry down"},
    {"top": "x"},
    {"skip": -1},
    {"expand": "DocumentLines"},
    {"apply": "groupby((CardCode))"},
]


@pytest.mark.parametrize("query", WRONG_OPTIONS)
def test_wrong_query_options_are_refused(reader, query):
    assert refusal(reader.get("PurchaseInvoices", **query))[:2] == (400, 201)


def test_order_select_and_expand(seeded):
    rows = seeded.rows(
        "PurchaseInvoices",
        orderby="DocDate desc,DocEntry",
        select="DocEntry,DocDate,CardCode",
        expand="BusinessPartner($select=CardName)",
    )
    dates = [row["DocDate"] for row in rows]
    assert dates == sorted(dates, reverse=True)
    assert set(rows[0]) == {"@odata.etag", "DocEntry", "DocDate", "CardCode", "BusinessPartner"}
    assert set(rows[0]["BusinessPartner"]) == {"CardName"}
    same_day = [row["DocEntry"] for row in rows if row["DocDate"] == dates[0]]
    assert same_day == sorted(same_day)


def test_pages_are_of_twenty_and_the_link_is_relative_and_keeps_the_options(reader):
    link = "odata.nextLink" if reader.version == "v1" else "@odata.nextLink"
    path, seen, pages = "PurchaseInvoices?$select=DocEntry&$filter=DocEntry%20gt%203&$orderby=DocEntry", [], 0
    while path:
        body = reader.get(path).json()
        seen += [row["DocEntry"] for row in body["value"]]
        pages += 1
        path = body.get(link)
        assert path is None or path.startswith("PurchaseInvoices?$select=DocEntry&$filter=DocEntry%20gt%203")
    total = int(reader.get("PurchaseInvoices/$count", filter="DocEntry gt 3").text)
    assert len(seen) == len(set(seen)) == total
    assert pages == total // 20 + 1


def test_the_page_size_is_a_wish_of_the_request(reader):
    reply = reader.get("Currencies", headers={"Prefer": "odata.maxpagesize=2"})
    assert len(reply.json()["value"]) == 2
    assert reply.headers["preference-applied"] == "odata.maxpagesize=2"
    assert len(reader.get("PurchaseInvoices", headers={"B1S-PageSize": "3"}).json()["value"]) == 3
    whole = reader.get("PurchaseInvoices", headers={"Prefer": "odata.maxpagesize=0"}).json()
    assert len(whole["value"]) > 100
    assert not any("nextLink" in name for name in whole)


def test_a_full_last_page_still_leads_on_to_an_empty_one(reader):
    link = "odata.nextLink" if reader.version == "v1" else "@odata.nextLink"
    total = int(reader.get("Currencies/$count").text)
    body = reader.get("Currencies", headers={"Prefer": f"odata.maxpagesize={total}"}).json()
    assert len(body["value"]) == total
    last = reader.get(body[link], headers={"Prefer": f"odata.maxpagesize={total}"}).json()
    assert last["value"] == []
    assert link not in last


def test_a_top_beyond_the_page_shrinks_on_its_way(seeded):
    first = seeded.read("PurchaseInvoices", top=25, select="DocEntry")
    assert first["@odata.nextLink"] == "PurchaseInvoices?$select=DocEntry&$top=5&$skip=20"
    second = seeded.read(first["@odata.nextLink"])
    assert len(second["value"]) == 5
    assert "@odata.nextLink" not in second


def test_offset_pages_shift_when_a_row_is_inserted_meanwhile(layer, stand_in):
    for n in range(6):
        layer.vendor(f"V{n}0")
    first = layer.get("BusinessPartners", select="CardCode", headers={"Prefer": "odata.maxpagesize=3"}).json()
    stand_in.edit("BusinessPartners", {"CardCode": "A10", "CardType": "cSupplier"})
    second = layer.get(first["@odata.nextLink"], headers={"Prefer": "odata.maxpagesize=3"}).json()
    codes = [row["CardCode"] for row in first["value"] + second["value"]]
    assert codes == ["V00", "V10", "V20", "V20", "V30", "V40"], "one twice, and A10 never"


def test_counts_are_text_in_v1_and_a_number_in_v2(company, reader):
    if reader.version == "v1":
        assert reader.read("Currencies", inlinecount="allpages")["odata.count"] == "4"
        assert refusal(reader.get("Currencies", inlinecount="some"))[:2] == (400, 201)
        return
    assert reader.read("Currencies", count="true", top=1)["@odata.count"] == 4
    company.options({"count_as_text": True})
    assert reader.read("Currencies", count="true")["@odata.count"] == "4"
    company.options({"count_as_text": False})


def test_older_addresses_of_next_links_and_times_of_minutes(company, seeded):
    company.options({"next_link": "absolute", "minute_times": True})
    try:
        body = seeded.read("PurchaseInvoices", select="UpdateTime")
        assert body["@odata.nextLink"].startswith("/b1s/v2/PurchaseInvoices?")
        times = [row["UpdateTime"] for row in body["value"]]
        assert {time[-2:] for time in times} == {"00"}
        within = f"UpdateTime eq '{times[0][:5]}:59'"
        assert seeded.rows("PurchaseInvoices", filter=within)
    finally:
        company.options({"next_link": "relative", "minute_times": False})


def test_an_old_release_does_not_know_newer_properties(company, seeded):
    assert "PaidToDate" in seeded.read("PurchaseInvoices(1)")
    company.options({"old_release": True})
    try:
        assert "PaidToDate" not in seeded.read("PurchaseInvoices(1)")
        assert refusal(seeded.get("PurchaseInvoices", select="PaidToDate"))[1] == 201
        assert 'Name="DataVersion"' not in seeded.get("$metadata").text
    finally:
        company.options({"old_release": False})


def test_a_company_may_lack_properties(company, seeded):  # R20
    company.options({"hide": {"Document": ["NumAtCard"], "DocumentLine": ["CostingCode"]}})
    try:
        row = seeded.read("PurchaseInvoices(1)")
        assert "NumAtCard" not in row
        assert "CostingCode" not in row["DocumentLines"][0]
        assert refusal(seeded.get("PurchaseInvoices", filter="NumAtCard eq 'x'"))[1] == 201
        found = refusal(seeded.patch("PurchaseInvoices(1)", {"NumAtCard": "x"}))
        assert found == (400, -1000, "Property 'NumAtCard' of 'Document' is invalid")
        assert 'Name="NumAtCard"' not in seeded.get("$metadata").text
    finally:
        company.options({"hide": {}})


def test_names_in_the_path_are_exact(company, seeded):
    assert refusal(seeded.get("purchaseinvoices")) == (400, -1, "Service Not Found")
    company.options({"service_not_found_status": 404})
    assert seeded.get("PurchaseInvoice").status_code == 404
    company.options({"service_not_found_status": 400})


def test_the_company_describes_itself(reader):
    admin = reader.post("CompanyService_GetAdminInfo").json()
    assert admin["LocalCurrency"] == "USD"
    assert admin["EnableBranches"] == "tNO"
    assert reader.post("CompanyService_GetCompanyInfo").json()["MaxNumberOfDocumentsInPmt"] == 200
    assert reader.post("SBOBobService_GetLocalCurrency").json()["value"] == "USD"
    rate = reader.post("SBOBobService_GetCurrencyRate", {"Currency": "EUR", "Date": "20261116"})
    assert rate.json()["value"] == 1.08
    for path in ("CompanyService_GetAdminInfo()", "SBOBobService_GetCurrencyRate(Currency='EUR',Date='20261116')"):
        assert reader.get(path).status_code == (400 if reader.version == "v1" else 200)
    by_get = reader.get("CompanyService_GetAdminInfo")
    assert by_get.status_code == (400 if reader.version == "v1" else 200)


def test_posting_periods_can_be_read(reader):
    years = reader.post("CompanyService_GetPeriods").json()["value"]
    months = reader.post("CompanyService_GetFinancePeriods", {"PeriodCategoryParams": years[1]}).json()["value"]
    assert [month["PeriodCode"] for month in months] == [f"2026-{n:02d}" for n in range(1, 13)]
    status = {month["PeriodCode"]: month["PeriodStatus"] for month in months}
    assert (status["2026-08"], status["2026-09"]) == ("ltLocked", "ltUnlocked")
    one = reader.post("CompanyService_GetFinancePeriod", {"FinancePeriodParams": {"AbsoluteEntry": 13}}).json()
    assert one["PeriodCode"] == "2026-01"


def test_the_company_is_the_same_for_the_same_seed(company):
    from ml_connector import sandbox

    with sandbox.start("sapb1", seed=1, options={"invoices": 130}) as again:
        again.clock(now="2026-11-16T15:00:00Z", running=False)
        for type_name in ("PurchaseInvoices", "BusinessPartners", "VendorPayments", "ChartOfAccounts"):
            mine, other = (json.dumps(one.state(type_name), default=str) for one in (company, again))
            assert mine == other

"""The control side, data files, and every fault as the Service Layer's client meets it."""

import datetime as dt
from decimal import Decimal

import httpx2
import pytest
from tests.sandbox.sapb1.conftest import Layer, invoice_body, payment_body, refusal

from ml_connector import sandbox
from ml_connector.sandbox.standin import BadInput

DATA = {
    "BusinessPartners": [{"CardCode": "ELC001", "CardName": "Electra", "CardType": "cSupplier", "Frozen": "tYES"}],
    "PurchaseInvoices": [
        {
            "DocEntry": 40,
            "DocNum": 7,
            "CardCode": "ELC001",
            "NumAtCard": "ELC-1001",
            "DocType": "dDocument_Service",
            "DocDate": "2026-01-10",
            "CreationDate": "2026-11-11",
            "UpdateTime": "08:00:00",
            "DocumentLines": [{"AccountCode": "10-6100", "LineTotal": 1500, "VatGroup": "P8"}],
        }
    ],
    "Drafts": [
        {
            **invoice_body(5, vendor="ELC001"),
            "DocObjectCode": "oPurchaseInvoices",
            "AuthorizationStatus": "dasPending",
        }
    ],
    "FinancePeriods": [{"PeriodCode": "2026-10", "PeriodStatus": "ltLocked"}],
    "Users": [{"UserName": "clerk", "Password": "pw"}],
}


def test_a_data_file_is_posted_like_typed_documents_of_any_day():
    with sandbox.start("sapb1", data=DATA) as stand_in:
        (row,) = stand_in.state("PurchaseInvoices")
        assert (row["DocEntry"], row["DocNum"], row["DocTotal"], row["VatSum"]) == (40, 7, Decimal(1620), Decimal(120))
        assert (row["CreationDate"], row["UpdateDate"], row["UpdateTime"]) == ("2026-11-11", "2026-11-11", "08:00:00")
        assert [draft["AuthorizationStatus"] for draft in stand_in.state("Drafts")] == ["dasPending"]
        assert stand_in.state("VendorPayments") == []
        locked = [one["PeriodCode"] for one in stand_in.state("FinancePeriods") if one["Locked"] == "tYES"]
        assert locked[-1] == "2026-10"
        layer = Layer(stand_in)
        assert layer.login(UserName="clerk", Password="pw").status_code == 200
        assert layer.read("PurchaseInvoices(40)")["CardName"] == "Electra"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"Invoices": []}, "Invoices: unknown type; known: UserFieldsMD"),
        ({"BusinessPartners": [{"CardCode": "X", "Name": "Y"}]}, "Property 'Name' of 'BusinessPartner' is invalid"),
        ({"PurchaseInvoices": [{"CardCode": "X", "DocumentLines": []}]}, "PurchaseInvoices: Invalid BP code"),
        ({"FinancePeriods": [{"PeriodCode": "1999-01"}]}, "FinancePeriods: no period '1999-01'"),
        ({"actions": [{"do": "dance"}]}, "actions: "),
        ({"VatGroups": []}, "BusinessPartners cannot be seeded with these data, name them too: Enter valid code"),
    ],
)
def test_a_wrong_data_file_is_explained(data, says):
    with pytest.raises(BadInput, match=says.replace("(", r"\(")):
        sandbox.start("sapb1", data={"PurchaseOrders": [], **data})


def test_a_type_that_is_named_replaces_the_seeded_rows_before_others_refer_to_them():
    chart = [{"Code": "200000", "Name": "Liabilities", "ActiveAccount": "tNO"}]
    chart += [{"Code": "10-2100", "FatherAccountKey": "200000"}, {"Code": "10-1010", "FatherAccountKey": "200000"}]
    cancel = {"do": "freeze_supplier", "supplier": "ELC001"}
    with sandbox.start("sapb1", data={"ChartOfAccounts": chart}) as stand_in:
        assert len(stand_in.state("ChartOfAccounts")) == 3
        assert len(stand_in.state("BusinessPartners")) == 200
        assert stand_in.state("PurchaseInvoices") == []
    with sandbox.start("sapb1", data={"actions": [cancel]} | DATA) as stand_in:
        assert stand_in.state("actions") == [cancel]
    with sandbox.start("sapb1", data={"Users": []}, options={"invoices": 20}) as stand_in:
        assert len(stand_in.state("PurchaseInvoices")) >= 20


def test_a_person_edits_enters_and_deletes_behind_our_back(layer, stand_in):
    layer.vendor()
    stand_in.edit("actions", {"do": "lock_period", "period": "2026-11"})
    entered = stand_in.edit("PurchaseInvoices", invoice_body(640))[0]
    assert entered["DocTotal"] == 640
    stand_in.clock(advance=60)
    stand_in.edit("PurchaseInvoices", {"DocEntry": entered["DocEntry"], "DocDueDate": "2027-01-01"})
    after = layer.read(f"PurchaseInvoices({entered['DocEntry']})")
    assert (after["DocDueDate"], after["UpdateTime"]) == ("2027-01-01T00:00:00Z", "09:01:00")
    stand_in.edit("PurchaseInvoices", {"DocEntry": entered["DocEntry"], "UpdateDate": "2026-11-01", "Comments": "x"})
    assert layer.read(f"PurchaseInvoices({entered['DocEntry']})")["UpdateDate"] == "2026-11-01T00:00:00Z"
    stand_in.edit("PurchaseInvoices", {"DocEntry": entered["DocEntry"], "_delete": True})
    assert layer.rows("PurchaseInvoices") == []
    with pytest.raises(BadInput, match="no row 99"):
        stand_in.edit("PurchaseInvoices", {"DocEntry": 99, "_delete": True})
    with pytest.raises(BadInput, match="Invalid BP code"):
        stand_in.edit("PurchaseInvoices", invoice_body(1, vendor="NOSUCH"))


def test_a_reconciliation_closes_an_invoice_without_a_payment(layer, stand_in):
    layer.vendor()
    entry = layer.invoice(100)["DocEntry"]
    stand_in.edit("actions", {"do": "reconcile", "entry": entry, "amount": 40})
    assert layer.open_of(entry) == (60, "bost_Open")
    stand_in.edit("actions", {"do": "reconcile", "entry": entry})
    assert layer.open_of(entry) == (0, "bost_Close")
    assert layer.rows("VendorPayments") == []
    with pytest.raises(BadInput, match="0 is open"):
        stand_in.edit("actions", {"do": "reconcile", "entry": entry})


def test_a_person_cancels_and_decides(layer, stand_in):
    layer.vendor()
    entry = layer.invoice(100)["DocEntry"]
    layer.payment({"DocEntry": entry}, total=100)
    with pytest.raises(BadInput, match="cancel the payment first"):
        stand_in.edit("actions", {"do": "cancel", "set": "PurchaseInvoices", "entry": entry})
    stand_in.edit("actions", {"do": "cancel", "set": "VendorPayments", "entry": 1})
    stand_in.edit("actions", {"do": "cancel", "set": "PurchaseInvoices", "entry": entry})
    assert [row["CancelStatus"] for row in layer.rows("PurchaseInvoices")] == ["csYes", "csCancellation"]
    stand_in.options({"approval_above": 1})
    layer.post("PurchaseInvoices", invoice_body(5))
    stand_in.edit("actions", {"do": "reject_draft", "draft": 1})
    assert layer.rows("Drafts")[0]["AuthorizationStatus"] == "dasRejected"
    with pytest.raises(BadInput, match="waits for approval"):
        stand_in.edit("actions", {"do": "approve_draft", "draft": 1})
    layer.post("PurchaseInvoices", invoice_body(5))
    stand_in.edit("actions", {"do": "approve_draft", "draft": 2, "add": True})
    assert layer.rows("PurchaseInvoices")[-1]["AuthorizationStatus"] == "dasGenerated"


def test_an_edited_payment_still_gives_back_what_it_took(layer, stand_in):
    layer.vendor()
    entry = layer.invoice(100)["DocEntry"]
    layer.payment({"DocEntry": entry}, total=100)
    stand_in.edit("VendorPayments", {"DocEntry": 1, "Remarks": "seen"})
    stand_in.edit("PurchaseInvoices", {"DocEntry": entry, "Comments": "seen"})
    assert layer.post("VendorPayments(1)/Cancel").status_code == 204
    assert layer.open_of(entry) == (100, "bost_Open")


def test_rates_are_of_days(layer, stand_in):
    stand_in.edit("ExchangeRates", {"Currency": "EUR", "RateDate": "2026-11-15", "Rate": "1.2"})
    for day, rate in (("20261114", 1.08), ("20261116", 1.2)):
        reply = layer.post("SBOBobService_GetCurrencyRate", {"Currency": "EUR", "Date": day})
        assert reply.json()["value"] == rate
    assert refusal(layer.post("SBOBobService_GetCurrencyRate", {"Currency": "EUR", "Date": "20200101"}))[1] == -5002


def test_stamps_follow_the_clock_of_the_servers_own_zone(layer, stand_in):  # R14
    stand_in.clock(now="2026-11-17T05:59:30Z", running=False)
    layer.login()
    row = layer.vendor()
    assert (row["CreateDate"], row["CreateTime"]) == ("2026-11-16T00:00:00Z", "23:59:30")
    stand_in.options({"time_zone": "Europe/Berlin"})
    layer.patch("BusinessPartners('PAK003')", {"Phone1": "1"})
    after = layer.read("BusinessPartners('PAK003')")
    assert (after["UpdateDate"], after["UpdateTime"]) == ("2026-11-17T00:00:00Z", "06:59:30")


# --- faults ------------------------------------------------------------------------------------------------


@pytest.fixture
def pay(layer):
    """Pays 100 of an open invoice; what the client saw, and how often it was booked."""
    layer.vendor()
    entry = layer.invoice(100)["DocEntry"]

    def send():
        try:
            reply = layer.post("VendorPayments", payment_body({"DocEntry": entry, "SumApplied": 30}, total=30))
            seen = reply.status_code
        except httpx2.TransportError:
            seen = None
        return seen, len(layer.stand_in.state("VendorPayments"))

    return send


@pytest.mark.parametrize(
    ("fault", "seen", "booked"),
    [
        ({"do": "reset"}, None, 0),
        ({"do": "reset", "when": "headers"}, None, 0),
        ({"do": "commit_then_reset"}, None, 1),
        ({"do": "status", "status": 503}, 503, 0),
        ({"do": "commit_then_status", "status": 502}, 502, 1),
        ({"do": "throttle"}, 503, 0),
        ({"do": "expire_session"}, 401, 0),
        ({"do": "commit_then_expire_session"}, 401, 1),
        ({"do": "in_band_error"}, 200, 0),
        ({"do": "truncate"}, None, 1),
        ({"do": "garble"}, 201, 1),
        ({"do": "empty"}, 201, 1),
        ({"do": "delay", "seconds": 0.05}, 201, 1),
        ({"do": "drip", "seconds": 0.05}, 201, 1),
        ({"do": "refuse", "seconds": 0.1}, None, 0),
    ],
)
def test_a_fault_cuts_before_or_after_the_booking(stand_in, pay, fault, seen, booked):  # R3, R12
    stand_in.faults([{"match": {"method": "POST", "path": "/VendorPayments"}, "times": 1, **fault}])
    assert pay() == (seen, booked)
    assert stand_in.faults()[0]["fired"] == 1


def test_a_late_commit_follows_the_clock(stand_in, layer, pay):  # R4
    stand_in.faults([{"match": {"path": "/VendorPayments"}, "do": "late_commit", "seconds": 60, "status": 504}])
    assert pay() == (504, 0)
    stand_in.clock(advance=61)
    assert len(stand_in.state("VendorPayments")) == 1


def test_the_requests_are_counted_and_writes_told_apart(stand_in, layer):
    stand_in.clear_requests()
    layer.vendor()
    layer.post("CompanyService_GetAdminInfo")
    layer.get("Currencies")
    layer.login()
    writes = [row["path"] for row in stand_in.requests() if row["write"]]
    assert writes == ["/b1s/v2/BusinessPartners"]
    assert stand_in.summary()["count"] == 4


def test_no_password_or_session_is_among_the_requests(stand_in, layer):  # R71
    listed = str(stand_in.requests())
    assert stand_in.secrets["password"] not in listed
    assert layer.http.headers["Cookie"].split("=")[1].split(";")[0] not in str(
        [(row["path"], row["query"]) for row in stand_in.requests()]
    )


def test_the_seeded_company_adds_up(company):
    invoices = company.state("PurchaseInvoices")
    assert len([row for row in invoices if row["CancelStatus"] != "csCancellation"]) == 130
    for row in invoices:
        lines = sum(one["LineTotal"] + one["TaxTotal"] for one in row["DocumentLines"])
        freight = sum(one["LineTotal"] for one in row.get("DocumentAdditionalExpenses", []))
        assert lines + freight == row["DocTotal"]
        if row["DocumentStatus"] == "bost_Open":
            assert 0 <= row.get("PaidToDate", 0) < row["DocTotal"]
        else:
            assert row["PaidToDate"] == row["DocTotal"]
    assert sum(row.get("Balance", 0) for row in company.state("ChartOfAccounts")) == 0
    owed = sum(row.get("CurrentAccountBalance", 0) for row in company.state("BusinessPartners"))
    payable = next(row["Balance"] for row in company.state("ChartOfAccounts") if row["Code"] == "10-2100")
    open_ = sum(row["DocTotal"] - row.get("PaidToDate", 0) for row in invoices)
    credits = sum(row["DocTotal"] - row.get("PaidToDate", 0) for row in company.state("PurchaseCreditNotes"))
    assert owed == payable == credits - open_
    assert any("BPBankAccounts" in row for row in company.state("BusinessPartners"))
    assert {row["AuthorizationStatus"] for row in company.state("Drafts")} == {"dasPending"}
    assert max(dt.date.fromisoformat(row["UpdateDate"]) for row in invoices) <= dt.date(2026, 11, 13)

"""The base set of the acceptance stories as a company of SAP Business One."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.sandbox.sapb1.conftest import Layer, refusal

from ml_connector import sandbox
from ml_connector.sandbox.http import decode

DATA = Path(sandbox.__file__).parent / "data"
D = Decimal


@pytest.fixture
def base():
    with sandbox.start("sapb1", data=decode((DATA / "base_set.sapb1.json").read_bytes())) as stand_in:
        stand_in.clock(now="2026-11-16T12:00:00Z", running=False)
        layer = Layer(stand_in)
        layer.login()
        yield layer


def by_number(layer):
    return {row["NumAtCard"]: row for row in layer.rows("PurchaseInvoices")}


def test_the_base_set_has_its_control_totals(base):  # R22
    rows = by_number(base)
    assert sum(row["DocTotal"] for row in rows.values() if row["DocCurrency"] == "USD") == D("7306.19")
    assert (rows["NK-77"]["DocTotalFc"], rows["NK-77"]["DocTotal"]) == (2500, 2700)
    assert (rows["ELC-1001"]["VatSum"], rows["ELC-1002"]["VatSum"]) == (120, D("67.64"))
    assert rows["PK-500"]["DocumentAdditionalExpenses"][0]["LineTotal"] == 35
    (credit,) = base.rows("PurchaseCreditNotes")
    assert (credit["DocTotal"], credit["DocumentStatus"]) == (75, "bost_Open")
    assert [row["Frozen"] for row in base.rows("BusinessPartners", filter="CardCode eq 'TRN004'")] == ["tYES"]
    assert [row["AuthorizationStatus"] for row in base.rows("Drafts")] == ["dasPending"]
    assert sum(row.get("Balance", 0) for row in base.stand_in.state("ChartOfAccounts")) == 0


def test_the_back_dated_document_has_a_late_stamp(base):  # R13
    row = by_number(base)["HU-2202"]
    assert (row["TaxDate"][:10], row["UpdateDate"][:10]) == ("2026-09-30", "2026-11-14")
    since = "(UpdateDate gt '2026-11-14') or (UpdateDate eq '2026-11-14' and UpdateTime ge '10:20:00')"
    found = base.rows("PurchaseInvoices", filter=since, orderby="UpdateDate,UpdateTime,DocEntry")
    assert [one["NumAtCard"] for one in found] == ["PK-502", "ELC1001", "HU-2203"]


def test_the_orders_stand_behind_their_invoices(base):
    orders = {row["DocNum"]: (row["DocTotal"], row["DocumentStatus"]) for row in base.rows("PurchaseOrders")}
    assert orders == {150: (1500, "bost_Close"), 151: (640, "bost_Close"), 152: (400, "bost_Open")}
    assert [line["BaseType"] for line in by_number(base)["ELC-1001"]["DocumentLines"]] == [22, 22]


def test_the_payments_of_the_story_leave_its_balances(base):  # R28, R30
    entries = {number: row["DocEntry"] for number, row in by_number(base).items()}

    def pay(vendor, total, *rows, **more):
        settled = [{"DocEntry": entries[number], name: amount} for number, name, amount in rows]
        reply = base.payment(*settled, *more.pop("credits", ()), total=total, vendor=vendor, **more)
        assert reply.status_code == 201, reply.text
        return reply.json()["DocEntry"]

    local, foreign = "SumApplied", "AppliedFC"
    pay("ELC001", 2120, ("ELC-1001", local, 1620), ("ELC-1002", local, 500))
    pay("ELC001", 413.19, ("ELC-1002", local, 413.19))
    pay("NOR002", 2500, ("NK-77", foreign, 2500), DocCurrency="EUR", DocRate=1.1)
    credit = {"DocEntry": 1, "InvoiceType": "it_PurchaseCreditNote", local: -75}
    pay("PAK003", 600, ("PK-500", local, 675), credits=[credit])
    number = pay("HYD005", 199.60, ("HU-2202", local, 199.60))
    base.post(f"VendorPayments({number})/Cancel")
    pay("PAK003", 250, ("PK-502", local, 250))
    clearing = base.read("ChartOfAccounts('10-1090')")["Balance"]
    assert -clearing == D("6133.19")
    rows = by_number(base).values()
    assert sum(row["DocTotal"] - row["PaidToDate"] for row in rows if row["DocCurrency"] == "USD") == D("3848.00")
    assert base.read("ChartOfAccounts('10-7900')")["Balance"] == 50
    frozen = base.payment({"DocEntry": entries["TF-90"]}, total=400, vendor="TRN004")
    assert refusal(frozen)[1] == -5002


def test_the_other_side_has_every_account_of_a_line_but_the_sundry_one(base):
    bill = decode((DATA / "base_set.bill.json").read_bytes())
    numbers = {row["account"]["number"] for row in bill["chart-of-accounts"]}
    used = {line["AccountCode"] for row in by_number(base).values() for line in row["DocumentLines"]}
    assert used - numbers == {"10-6999"}

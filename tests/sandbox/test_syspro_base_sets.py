"""The companies with which the acceptance stories begin, and how they end when their documents are posted."""

from collections import defaultdict
from decimal import Decimal

import pytest
from tests.sandbox.syspro_client import Client, said, text

from ml_connector import sandbox

MONDAY = "2026-11-16T12:00:00Z"
LONG = "10-6100-000-000-0000-MFG-EU"

# number, supplier, date, lines, tax
DOCUMENTS = {
    "ELC-1001": ("ELC001", "2026-11-10", (("10-6100", "1200.00"), ("10-6200", "300.00")), "120.00"),
    "ELC-1002": ("ELC001", "2026-11-11", (("10-6100", "845.55"),), "67.64"),
    "PK-500": ("PAK003", "2026-11-12", (("10-6200", "640.00"), ("10-6300", "35.00")), ""),
    "HU-2202": ("HYD005", "2026-09-30", (("10-6400", "199.60"),), ""),
    "ELC-1004": ("ELC001", "2026-11-13", (("10-6100", "510.00"),), ""),
    "PK-502": ("PAK003", "2026-11-14", (("10-6200", "600.00"), ("10-6100", "400.00")), ""),
    "HU-2203": ("HYD005", "2026-11-16", (("10-6400-WH1", "90.00"), ("10-6400-WH2", "60.00")), ""),
}


@pytest.fixture
def company():
    """Starts a base set with an operator logged in."""
    started = []

    def start(name, **options):
        syspro = sandbox.start("syspro", options={"base_set": name, **options})
        syspro.clock(now=MONDAY, running=False)
        client = Client(syspro).logon()
        started.append((syspro, client))
        return syspro, client

    yield start
    for syspro, client in started:
        client.close()
        syspro.stop()


def invoice(number, components="10-6100", code="I", **other):
    supplier, date, lines, tax = DOCUMENTS[number]
    coded = [(components if account == "10-6100" else account, value) for account, value in lines]
    value = sum((Decimal(value) for _, value in coded), Decimal(tax or 0))
    return {
        "Supplier": supplier,
        "TransactionCode": code,
        "Invoice": number,
        "TransactionValue": value,
        "InvoiceDate": date,
        "TaxBasis": "E",
        "TaxValue": tax or None,
        **other,
        "LedgerDistribution": [{"LedgerCode": account, "LedgerValue": value} for account, value in coded],
    }


def open_by_currency(syspro):
    totals = defaultdict(Decimal)
    for row in syspro.state("ApInvoice"):
        totals[row["Currency"]] += row["MthInvBal1"]
    return dict(totals)


def orders(syspro):
    """Number -> supplier, status and what its lines come to."""
    totals = defaultdict(Decimal)
    for row in syspro.state("PorMasterDetail"):
        totals[row["PurchaseOrder"]] += row["MOrderQty"] * row["MPrice"]
    return {
        row["PurchaseOrder"]: (row["Supplier"], row["OrderStatus"], totals[row["PurchaseOrder"]])
        for row in syspro.state("PorMasterHdr")
    }


# --- how they begin --------------------------------------------------------------------------------------


def test_a_story_begins_with_what_it_says(company):
    known = {
        "bill": (5, 11, 0, {"USD": Decimal("7231.19"), "EUR": Decimal("2500.00")}),
        "avidxchange": (5, 11, 3, {"USD": Decimal("7231.19"), "EUR": Decimal("2500.00")}),
        "procurify": (4, 0, 0, {}),
        "basware": (5, 0, 3, {}),
    }
    for name, expected in known.items():
        syspro, _ = company(name)
        counts = [len(syspro.state(table)) for table in ("ApSupplier", "ApInvoice", "PorMasterHdr")]
        assert (*counts, open_by_currency(syspro)) == expected, name


@pytest.mark.parametrize("name", ["avidxchange", "basware"])
def test_the_orders_of_the_stories_come_to_their_totals(company, name):
    syspro, _ = company(name)
    assert orders(syspro) == {
        "000150": ("ELC001", "4", Decimal("1500.00")),
        "000151": ("PAK003", "1", Decimal("640.00")),
        "000152": ("TRN004", "1", Decimal("400.00")),
    }
    coded = {row["MGlCode"] for row in syspro.state("PorMasterDetail")}
    assert coded <= {row["GlCode"] for row in syspro.state("GenMaster")}


def test_the_story_of_procurify_has_the_euro_under_another_code(company):
    syspro, _ = company("procurify")
    assert {row["Currency"] for row in syspro.state("TblCurrency")} == {"USD", "E"}
    assert {row["Supplier"]: row["Currency"] for row in syspro.state("ApSupplier")}["NOR002"] == "E"


def test_the_story_of_basware_has_a_long_ledger_code(company):
    syspro, _ = company("basware")
    codes = {row["GlCode"] for row in syspro.state("GenMaster")}
    assert LONG in codes
    assert "10-6100" not in codes
    assert {row["MerchGlCode"] for row in syspro.state("ApSupplier")} <= codes


def test_a_data_file_goes_before_the_base_set():
    data = {"PorMasterHdr": [{"PurchaseOrder": "000700", "Supplier": "PAK003"}]}
    with sandbox.start("syspro", data=data, options={"base_set": "avidxchange"}) as syspro:
        assert [row["PurchaseOrder"] for row in syspro.state("PorMasterHdr")] == ["000700"]
        assert len(syspro.state("ApInvoice")) == 11


def test_a_base_set_that_does_not_exist_is_named():
    with pytest.raises(sandbox.BadInput, match="base_set"):
        sandbox.start("syspro", options={"base_set": "none"})


# --- how they end ----------------------------------------------------------------------------------------


def test_the_invoices_of_basware_end_to_the_cent(company):
    syspro, enet = company("basware")
    for number in DOCUMENTS:
        answer = enet.post("APSTIN", invoice(number, LONG), ApplyIfEntireDocumentValid="Y")
        assert said(answer) == []
        assert text(answer, "Item/Transaction/Key/Journal")
    assert open_by_currency(syspro) == {"USD": Decimal("5067.79")}
    credit = {"LedgerCode": "10-6200", "LedgerValue": "75.00"}
    correction = {"Supplier": "PAK003", "Invoice": "PK-500", "TransactionCode": "C", "TransactionValue": "75.00"}
    assert said(enet.post("APSTIN", {**correction, "LedgerDistribution": credit})) == []
    foreign = [{"LedgerCode": LONG, "LedgerValue": "2000.00"}, {"LedgerCode": "10-6300", "LedgerValue": "500.00"}]
    euros = {"Supplier": "NOR002", "Invoice": "NK-77", "TransactionValue": "2500.00", "ExchRateAtEntry": "1.08"}
    answer = enet.post("APSTIN", {**euros, "LedgerDistribution": foreign}, LedgerDistributionCurrency="F")
    assert said(answer) == []
    assert open_by_currency(syspro) == {"USD": Decimal("4992.79"), "EUR": Decimal("2500.00")}
    syspro.edit(
        "actions", {"do": "manual_cheque", "supplier": "PAK003", "invoice": "PK-502", "amount": Decimal("250.00")}
    )
    assert open_by_currency(syspro)["USD"] == Decimal("4742.79")
    assert sum(row["EntryValue"] for row in syspro.state("GenTransaction")) == 0


def test_suppliers_orders_and_bills_of_procurify_end_to_the_cent(company):
    syspro, enet = company("procurify")
    hydra = {"Key": {"Supplier": "HYD005"}, "SupplierName": "Hydra Utilities", "Branch": "10", "TermsCode": "14"}
    assert said(enet.setup("Add", {**hydra, "Currency": "USD", "GrnMatchReqd": "N", "DefTaxCode": "A"})) == []
    goods = {
        "PF150": ("ELC001", [("RLY", "100", "12.00", "10-6100"), ("BOX", "30", "10.00", "10-6200")]),
        "PF151": ("PAK003", [("BOX", "64", "10.00", "10-6200")]),
        "PF152": ("TRN004", [("HAUL", "4", "100.00", "10-6300")]),
    }
    numbers = {}
    for reference, (supplier, lines) in goods.items():
        header = {"OrderActionType": "A", "Supplier": supplier, "CustomerPoNumber": f"{reference} mlcTEST"}
        stock = [
            {"StockCode": code, "Warehouse": "**", "OrderQty": quantity, "Price": price, "LedgerCode": account}
            for code, quantity, price, account in lines
        ]
        given = {"OrderHeader": header, "OrderDetails": {"StockLine": stock}}
        answer = enet.order(given, AllowNonStockItems="Y")
        assert said(answer) == []
        numbers[reference] = text(answer, "Order/Key/PurchaseOrder")
    more = {"LineActionType": "C", "PurchaseOrderLine": "1", "OrderQty": "66"}
    changed = {"OrderActionType": "C", "PurchaseOrder": numbers["PF151"]}
    enet.order({"OrderHeader": changed, "OrderDetails": {"StockLine": more}}, AllowNonStockItems="Y")
    enet.order({"OrderHeader": {"OrderActionType": "D", "PurchaseOrder": numbers["PF152"]}})
    assert orders(syspro) == {
        numbers["PF150"]: ("ELC001", "1", Decimal("1500.00")),
        numbers["PF151"]: ("PAK003", "1", Decimal("660.00")),
        numbers["PF152"]: ("TRN004", "*", Decimal("400.00")),
    }
    for number in ("ELC-1001", "ELC-1002", "PK-500", "HU-2202", "ELC-1004", "HU-2203"):
        assert said(enet.post("APSTIN", invoice(number))) == []
    assert open_by_currency(syspro) == {"USD": Decimal("4067.79")}
    assert said(enet.post("APSTIN", invoice("ELC-1004", code="C"))) == []
    assert open_by_currency(syspro) == {"USD": Decimal("3557.79")}

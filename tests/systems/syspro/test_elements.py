"""Every element that is sent is one that its business object is known to have: SYSPRO passes over others in silence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from lxml import etree
from msgspec.structs import replace

from ml_connector.domain.orders import OrderLineKind
from ml_connector.domain.records import InvoiceLine, LineKind, Payment

from .conftest import Pair
from .papers import credit, invoice, line, tax
from .test_apstpm import paid, payment
from .test_journals_standin import ENTRY
from .test_portoi import line as order_line
from .test_portoi import order
from .test_suppliers_standin import LODZ

MARK = "mlc0123456789"
D = Decimal

COMMON = "IgnoreWarnings ApplyIfEntireDocumentValid ValidateOnly "
KNOWN: Mapping[str, str] = {
    "APSTIN": COMMON
    + "Parameters PostingPeriod PostZeroAdjustments LedgerDistributionCurrency AutomaticTaxCalculation "
    "IgnoreAnalysis IncludeDimensionAnalysis Item Supplier TransactionCode Invoice TransactionValue "
    "FreightCharge MiscellaneousCharge Notation TransactionReference DiscountBasis "
    "DiscountPercentageValue InvoiceDate DueDate DiscountDate ExchRateAtEntry TaxBasis TaxCode TaxValue "
    "LedgerDistribution LedgerCode LedgerNotation LedgerValue AnalysisLineEntry AnalysisCode1 EntryAmount",
    "GENTJL": COMMON
    + "Parameters ActionType ValidatePasswords DeleteEntriesonMaint IgnoreAnalysis IncludeDimensionAnalysis "
    "Item JournalType AuthorizeJournal PostJournal JournalDate JournalReference Notation PostingPeriod "
    "PostingYear JournalDetails LedgerCode Reference EntryAmount Comment AnalysisLineEntry AnalysisCode1",
    "APSSSP": COMMON
    + "Parameters Item Key Supplier SupplierName SupShortName Telephone Contact Branch TermsCode Currency "
    "SupAddr1 SupAddr2 SupAddr3 SupAddr3Loc SupAddr4 SupAddr5 SupPostalCode SupplierClass UserField1 "
    "TaxRegnNum OnHold MerchGlCode GrnMatchReqd Email Nationality",
    "PORTOI": "Parameters ValidateOnly IgnoreWarnings AllowNonStockItems AllowZeroPrice ValidateWorkingDays "
    "AllowPoWhenBlanketPo FixedExchangeRate AllowBlankLedgerCode CalcDueDate InsertDangerousGoodsText "
    "InsertAdditionalPOText OutputItemforDetailLines Status Orders OrderHeader OrderActionType Supplier "
    "ExchangeRate OrderType TaxStatus InvoiceTerms CustomerPoNumber OrderDate DueDate ApplyDueDateToLines "
    "Buyer Warehouse PurchaseOrder OrderDetails StockLine PurchaseOrderLine LineActionType StockCode "
    "StockDescription OrderQty OrderUom PriceMethod Price PriceUom Taxable TaxCode LatestDueDate "
    "LedgerCode ProductClass CommentLine Comment AttachedToStkLineNumber MiscChargeLine MiscChargeValue "
    "MiscChargeTax MiscTaxable MiscChargeFLoc MiscDescription FreightLine FreightValue FreightTaxCode "
    "FreightTaxable FreightFLoc",
    "APSTPM": COMMON
    + "Parameters PostingPeriod IncludeDimensionAnalysis Item PaymentNumber Supplier ChequeDate Cheque "
    "ChequeValue PaymentReference PayConvRte ReleasedInvoice Invoice GrossPayValue DiscPayValue",
    "APSTPY": COMMON + "Parameters Item AddPaymentRun Bank Currency PaymentType PaymentReference CheckDate",
}
"""Of each business object what the vendor's samples have and we use. APSTPV's are a setting."""


def sent(pair: Pair) -> dict[str, set[str]]:
    """The elements of what was posted, by business object."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in pair.syspro.requests():
        given = parse_qs(row["query"])
        if row["write"] and row["path"].endswith(("/Post", "/Add", "/Update")):
            for document in (given["XmlParameters"][0], given["XmlIn"][0]):
                root = etree.fromstring(document)
                found[given["BusinessObject"][0]] |= {each.tag for each in root.iter()} - {root.tag}
    return found


def everything(record_type: str) -> tuple[Any, Any]:
    """A record that fills what can be filled, and another version of it."""
    match record_type:
        case "invoice":
            full = invoice(
                line("1", "10.00", "10-6400", cost_center="WH1", description="x"), tax("1.00"),
                line("f", "2.00", "", kind=LineKind.FREIGHT), line("c", "3.00", "", kind=LineKind.CHARGE),
                memo="m", discount=D("1.00"),
            )  # fmt: skip
            return full, full
        case "journal_entry":
            return ENTRY, ENTRY
        case "supplier":
            named = replace(LODZ, short_name="Zolw", default_account="10-6100", needs_receipt_match=True)
            return named, replace(named, phone="1", on_hold=True)
        case "purchase_order":
            charge = order_line("x", "1", "4.00", None, kind=OrderLineKind.CHARGE, tax_code="A")
            haul = order_line("y", "1", "5.00", None, kind=OrderLineKind.FREIGHT, tax_code="A")
            goods = order_line("a", "1", "5.00", tax_code="A", description="word " * 20)
            note = order_line("n", "0", "0", None, kind=OrderLineKind.COMMENT, description="Ring twice")
            first = order(goods, charge, haul, note, terms="30")
            return first, order(order_line("a", "2", "5.00"), order_line("b", "1", "1.00"), charge)
        case _:
            record: Payment = payment(paid("ELC001/ELC-1001", "1620.00", "20.00"))
            return record, record


@pytest.mark.parametrize("record_type", ["invoice", "journal_entry", "supplier", "purchase_order", "payment"])
def test_every_element_is_one_that_the_object_has(pair: Pair, record_type: str) -> None:
    first, second = everything(record_type)
    policy = {"owns": ["phone", "on_hold"]} if record_type == "supplier" else {}
    target = pair.target(record_type, policy)
    ref = target.create(first, MARK)
    target.update(ref, second, MARK)
    if record_type in {"supplier", "purchase_order"}:
        target.cancel(ref, "gone")
    found = sent(pair)
    assert found
    unknown = {code: names - set(KNOWN[code].split()) for code, names in found.items()}
    assert not any(unknown.values()), unknown


def test_a_credit_and_a_foreign_invoice_send_nothing_else(pair: Pair) -> None:
    target = pair.target("invoice", {"rate": "document"})
    target.create(invoice(), MARK)
    target.create(credit(), "mlcAAAAAAAAAA")
    lines: tuple[InvoiceLine, ...] = (line("1", "5.00"),)
    target.create(invoice(*lines, supplier="NOR002", currency="EUR", rate=D("1.1"), number="NK-1"), "mlcBBBBBBBBBB")
    assert sent(pair)["APSTIN"] <= set(KNOWN["APSTIN"].split())
    assert "ExchRateAtEntry" in sent(pair)["APSTIN"]

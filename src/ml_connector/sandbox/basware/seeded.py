"""The believable distributor's tenant: set up, nothing posted to it yet, its latest approved invoices waiting.

The invoices are those that the distributor entered last: lines coded to account and cost center, tax in the header
and spread over the rows, amounts in the company's currency beside those of the document.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from ml_connector.sandbox import company
from ml_connector.sandbox.basware.desk import Desk
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.standin import BadInput, Row

COMPANY, COMPANY_NAME = "RIL", "Rilling Distribution Inc."
ELEMENT, ELEMENT_NAME = "RIL-HQ", "Head office"
RATES = {"USD": "1", "EUR": "1.080000", "GBP": "1.270000", "CAD": "0.729927"}
INACTIVE = "SEK"
ENTERED = 2000
"""Invoices of the distributor's year, of which the last ones wait."""
CENT = Decimal("0.01")
LOADING = (
    *("companies", "organizationElements", "currencies", "paymentTerms", "taxCodes", "exchangeRates", "accounts"),
    *("costCenters", "projects", "lists", "vendors", "matchingOrders", "matchingOrderLines", "accountingDocuments"),
)
"""The types that a data file may name, in the order in which they are taken."""


def fill(desk: Desk, seed: int, options: BaswareOptions, data: Mapping[str, list[Row]]) -> None:
    """Takes every type from the data or, when that does not name it, seeds it. Raises BadInput, naming the type."""
    for type_name in data:
        if type_name not in LOADING:
            raise BadInput(f"{type_name}: unknown type; known: {', '.join(LOADING)}")
    seeded = {"companies": _companies, "organizationElements": _elements, "currencies": _currencies}
    for type_name in LOADING:
        if type_name in data:
            desk.edit(type_name, data[type_name])
        elif type_name == "accountingDocuments":
            desk.edit(type_name, list(documents(seed, options.documents)))
        elif type_name in seeded:
            desk.edit(type_name, seeded[type_name]())


def documents(seed: int, count: int) -> Iterator[Row]:
    """The last `count` invoices and credit notes of the distributor, oldest first, waiting for transfer."""
    if count < 1:
        return
    names = {one.code: one for one in company.suppliers(seed)}
    accounts = {one.code: one.name for one in company.accounts(seed)}
    entered: list[tuple[dt.date, Row]] = []
    for invoice in company.invoices(seed, max(count, ENTERED)):
        supplier = names[invoice.supplier]
        entered.append((invoice.entered, _document(seed, invoice, supplier, accounts)))
        entered += [
            (credit.entered, _credit(seed, invoice, credit, supplier, accounts, number))
            for number, credit in enumerate(invoice.credits, 1)
        ]
    entered.sort(key=lambda one: one[0])
    yield from (row for _, row in entered[-count:])


def _document(seed: int, invoice: company.Invoice, supplier: company.Supplier, accounts: Mapping[str, str]) -> Row:
    row = _base(seed, invoice.number, invoice.currency, supplier, invoice.lines, accounts, sign=1)
    row |= {
        "invoiceDate": invoice.date.isoformat(),
        "dueDate": invoice.due_date.isoformat(),
        "voucherDate": invoice.entered.isoformat(),
        "lastUpdated": f"{invoice.entered.isoformat()}T18:00:00.000Z",
    }
    if invoice.reference:
        row["orderNumbers"] = [invoice.reference]
    return row


def _credit(
    seed: int,
    invoice: company.Invoice,
    credit: company.Credit,
    supplier: company.Supplier,
    accounts: Mapping[str, str],
    number: int,
) -> Row:
    row = _base(seed, f"{invoice.number}-C{number}", invoice.currency, supplier, credit.lines, accounts, sign=-1)
    return row | {
        "invoiceDate": credit.entered.isoformat(),
        "dueDate": credit.entered.isoformat(),
        "voucherDate": credit.entered.isoformat(),
        "referenceNumber": invoice.number,
        "invoiceTypeCode": "CREDIT",
        "invoiceTypeName": "Credit note",
        "description": credit.text,
        "lastUpdated": f"{credit.entered.isoformat()}T18:00:00.000Z",
    }


def _base(
    seed: int,
    number: str,
    currency: str,
    supplier: company.Supplier,
    lines: Sequence[company.Line],
    accounts: Mapping[str, str],
    sign: int,
) -> Row:
    """What an invoice and a credit note have in common; the amounts of a credit note are below zero."""
    rate = Decimal(RATES[currency])
    tax = sum((line.amount for line in lines if line.kind == "tax"), Decimal(0)) * sign
    coded = [line for line in lines if line.kind != "tax"] or list(lines)
    if all(line.kind == "tax" for line in lines):
        tax = Decimal(0)
    rows = list(_coding(f"{seed} {supplier.code} {number}", coded, tax, rate, accounts, sign))
    net, gross = (sum((row[name] for row in rows), Decimal(0)) for name in ("netTotal", "grossTotal"))
    document: Row = {
        "invoiceId": _code(f"{seed} {supplier.code} {number}"),
        "p2pProcessingMode": "Standard",
        "invoiceNumber": number,
        "processingStatus": "WaitingForTransfer",
        "companyCode": COMPANY,
        "companyName": COMPANY_NAME,
        "organizationElementCode": ELEMENT,
        "organizationElementName": ELEMENT_NAME,
        "supplierCode": supplier.code,
        "currencyCode": currency,
        "invoiceTypeCode": "INVOICE",
        "invoiceTypeName": "Invoice",
        "netSum": net,
        "taxSum1": tax,
        "grossSum": gross,
        "currencyCodeCompany": company.LOCAL_CURRENCY,
        "exchangeRateCompany": rate,
        "netSumCompany": (net * rate).quantize(CENT),
        "taxSum1Company": (tax * rate).quantize(CENT),
        "grossSumCompany": (gross * rate).quantize(CENT),
        "paymentTermCode": supplier.terms,
        "paymentBlock": False,
        "prebooked": False,
        "codingRows": rows,
    }
    return document if not supplier.name else {**document, "supplierName": supplier.name}


def _coding(
    mark: str,
    lines: Sequence[company.Line],
    tax: Decimal,
    rate: Decimal,
    accounts: Mapping[str, str],
    sign: int,
) -> Iterator[Row]:
    """One row per line, its share of the tax beside it; the last row takes what rounding leaves. Row numbers skip."""
    net = sum((line.amount for line in lines), Decimal(0)) * sign
    left = tax
    for index, line in enumerate(lines):
        amount = line.amount * sign
        last = index == len(lines) - 1
        share = left if last or not net else (tax * amount / net).quantize(CENT)
        left -= share
        row: Row = {
            "externalCode": _code(f"{mark} {index}"),
            "rowIndex": index * 10,
            "accountCode": line.account,
            "accountName": accounts.get(line.account, line.account),
            "netTotal": amount,
            "taxSum": share,
            "grossTotal": amount + share,
            "netTotalCompany": (amount * rate).quantize(CENT),
            "lastComment": line.text,
        }
        if line.cost_center:
            row["costCenterCode"] = line.cost_center
        yield row


def _companies() -> list[Row]:
    return [
        {
            "companyCode": COMPANY,
            "name": COMPANY_NAME,
            "homeCurrency": company.LOCAL_CURRENCY,
            "userDefaultLanguage": "en-US",
            "active": True,
        }
    ]


def _elements() -> list[Row]:
    return [{"code": ELEMENT, "name": ELEMENT_NAME, "companyCode": COMPANY}]


def _currencies() -> list[Row]:
    active = [{"code": code, "active": True} for code in RATES]
    return [*active, {"code": INACTIVE, "active": False}]


def _code(text: str) -> str:
    """An id as P2P makes them: 32 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""The believable distributor as a SYSPRO company: every table of it, through the same postings as a clerk's."""

import datetime as dt
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from ml_connector.sandbox import company
from ml_connector.sandbox.company_names import COST_CENTERS
from ml_connector.sandbox.syspro.books import COMPANY_ID, Books
from ml_connector.sandbox.syspro.payables import Payables
from ml_connector.sandbox.syspro.vouchers import Coding, Document

COST_CENTRE_SOURCE = "segment(9,3,-)"
"""Where this site keeps its cost centers: three characters of the ledger code from character 9 on,
after a `-`. 10-6400-WH1 is account 10-6400 in WH1; a shorter code has no cost center."""

DOCUMENTS = ("ApInvoice", "ApInvoicePay", "ApJnlSummary", "ApJnlDistrib", "ApPayRunHdr", "ApPayRunDet")

ACCOUNT_TYPES = {"asset": "A", "liability": "L", "capital": "C", "revenue": "R", "expense": "E"}
ACCOUNT_TYPES |= {"statistical": "S", "template": "T"}

CASH = "10-1010"

Rows = list[dict[str, Any]]


def seed_books(books: Books, seed: int, invoices: int, given: Iterable[str]) -> None:
    """Fills every table that `given` does not name; the tables of documents are left empty if one is named."""
    named = set(given)
    builders: dict[str, Callable[[], Rows]] = {
        "TblCurrency": _currencies,
        "TblApTerms": _terms,
        "ApBranch": _branches,
        "AdmTax": _taxes,
        "GenControl": _control,
        "GenMaster": lambda: _ledger(seed),
        "GenAnalysisCode": lambda: _cost_centers(seed),
        "ApBank": _banks,
        "InvBuyer": _buyers,
        "InvWhControl": _warehouses,
        "InvMaster": _stock,
        "ApSupplier": lambda: [_supplier(supplier) for supplier in company.suppliers(seed)],
        "ApSupplierAddr": lambda: [_address(supplier) for supplier in company.suppliers(seed)],
    }
    for table, build in builders.items():
        if table not in named:
            books.edit(table, build())
    if not named.intersection({*DOCUMENTS, "ApSupplier", "TblCurrency"}):
        _post_documents(books, company.invoices(seed, invoices))


# --- code tables -----------------------------------------------------------------------------------------


def _currencies() -> Rows:
    rates = (
        ("USD", "US Dollar", "1.000000", "M"),
        ("EUR", "Euro", "1.080000", "M"),
        ("GBP", "Pound Sterling", "1.270000", "M"),
        ("CAD", "Canadian Dollar", "1.370000", "D"),
    )
    return [
        {
            "Currency": code,
            "Description": name,
            "BuyExchangeRate": rate,
            "BuyMulDiv": mul_div,
            "SellExchangeRate": rate,
            "SellMulDiv": mul_div,
            "TriangReqd": "N",
            "FixedRate": "N",
        }
        for code, name, rate, mul_div in rates
    ]


def _terms() -> Rows:
    return [
        {"TermsCode": code, "Description": f"{days} days", "DueFix": "N", "DueDays": days}
        for code, days in company.TERMS_DAYS.items()
    ]


def _branches() -> Rows:
    return [{"Branch": "10", "Description": "Head office", "ApBrnGlCode": "10-2100", "Nationality": "USA"}]


def _banks() -> Rows:
    return [
        {"Bank": "MAIN", "Description": "Operating account", "Currency": "USD", "CashGlCode": CASH},
        {"Bank": "EURO", "Description": "Euro account", "Currency": "EUR", "CashGlCode": CASH},
    ]


def _buyers() -> Rows:
    return [{"Buyer": "PUR", "Name": "Purchasing", "Email": "purchasing@rilling.example"}]


def _warehouses() -> Rows:
    return [{"Warehouse": code, "Description": name} for code, name in COST_CENTERS[:2]]


def _stock() -> Rows:
    """A few stocked goods; the cable is kept by the metre and bought by the drum."""
    rows = (("RLY-24", "Relay 24 V", "EA", "", "0", "M"), ("CBL-3G", "Cable 3G1.5", "M", "DRM", "500", "M"))
    return [
        {
            "StockCode": code,
            "Description": text,
            "StockUom": unit,
            "AlternateUom": other,
            "ConvFactAltUom": factor,
            "ConvMulDiv": mul_div,
            "ProductClass": "COMP",
        }
        for code, text, unit, other, factor, mul_div in rows
    ]


def _taxes() -> Rows:
    names = {"A": "Sales tax 8%", "B": "Goods and services tax 5%", "Z": "Not taxable"}
    return [
        {
            "TaxCode": code,
            "Description": names[code],
            "CurTaxRate": percent,
            "PrvTaxRate": percent,
            "TaxBasis": "P",
            "TaxIncExcl": "E",
            "GlTaxGlCode": "10-2200",
            "ApTaxGlCode": company.INPUT_TAX,
        }
        for code, percent in company.TAX_PERCENT.items()
    ]


def _control() -> Rows:
    """Current period 2026-11. The letters are not public; ASSUMED: O open, C closed, blank not yet opened."""
    this_year = {f"CurYrPrdStat{n}": "O" if n in {9, 10, 11} else "C" for n in range(1, 12)}
    last_year = {f"PrvYrPrdStat{n}": "C" for n in range(1, 13)}
    ends = {f"{which}End{n}": _month_end(2026 - back, n) for which, back in _YEARS for n in range(1, 13)}
    control = {"Company": COMPANY_ID, "GlYear": 2026, "GlPeriod": 11, "AuthoriseJournals": "N"}
    return [{**control, **this_year, **last_year, **ends}]


_YEARS = (("CurYrPrd", 0), ("PrvYrPrd", 1))


def _month_end(year: int, month: int) -> str:
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return (following - dt.timedelta(days=1)).isoformat()


def _ledger(seed: int) -> Rows:
    """Every account, and for the costed ones a ledger code per cost center."""
    rows = []
    for account in company.accounts(seed):
        row = {
            "Company": COMPANY_ID,
            "GlCode": account.code,
            "Description": account.name,
            "AccountType": ACCOUNT_TYPES[account.type],
            "ControlAccFlag": "Y" if account.control else "N",
            "AccOnHldFlag": "Y" if account.held else "N",
            "GlGroup": account.code[:4],
        }
        rows.append(row)
        if account.code in company.BY_COST_CENTER:
            rows += [
                row
                | {
                    "GlCode": company.coded(account.code, center.code),
                    "Description": f"{account.name}, {center.name}",
                }
                for center in company.cost_centers(seed)
            ]
    return rows


def _cost_centers(seed: int) -> Rows:
    return [
        {
            "AnalysisCategory": "CC",
            "AnalysisType": 1,
            "AnalysisCode": center.code,
            "Description": center.name,
        }
        for center in company.cost_centers(seed)
    ]


# --- suppliers -------------------------------------------------------------------------------------------


def _supplier(supplier: company.Supplier) -> dict[str, Any]:
    american = supplier.country == "US"
    return {
        "Supplier": supplier.code,
        "SupplierName": supplier.name,
        "SupShortName": supplier.short_name,
        "SupplierType": "P",
        "SupplierClass": "TRADE",
        "Branch": "10",
        "Bank": "MAIN",
        "Telephone": supplier.phone,
        "Contact": supplier.contact,
        "Email": supplier.email,
        "Currency": supplier.currency,
        "TermsCode": supplier.terms,
        "DefTaxCode": supplier.tax_code,
        "MerchGlCode": supplier.account,
        "FreightGlCode": company.FREIGHT,
        "Nationality": supplier.country3,
        "State": supplier.region if supplier.country in {"US", "CA"} else "",
        "WithTaxId": supplier.tax_id if american else "",
        "TaxRegnNum": "" if american else supplier.tax_id,
        "OnHold": "Y" if supplier.on_hold else "N",
        "GrnMatchReqd": "Y" if supplier.needs_receipt_match else "N",
        "Required1099": "Y" if supplier.reports_1099 else "N",
        "PurchOrdAllowed": "Y",
        "ChLanguage": "05",
        "LanguageCode": "EN",
        "DateSuppAdded": "2024-01-15",
    }


def _address(supplier: company.Supplier) -> dict[str, Any]:
    return {
        "Supplier": supplier.code,
        "SupAddr1": supplier.line1,
        "SupAddr2": supplier.line2,
        "SupAddr3Loc": supplier.city,
        "SupAddr5": "" if supplier.country in {"US", "CA"} else supplier.region,
        "SupPostalCode": supplier.postal_code,
    }


# --- documents -------------------------------------------------------------------------------------------


def _post_documents(books: Books, invoices: list[company.Invoice]) -> None:
    """One journal a day: its invoices, then the credit notes and the payments of that day."""
    events: list[tuple[dt.date, int, company.Invoice, company.Credit | company.Payment | None]] = []
    for invoice in invoices:
        events.append((invoice.entered, 0, invoice, None))
        events += [(credit.entered, 1, invoice, credit) for credit in invoice.credits]
        events += [(payment.date, 2, invoice, payment) for payment in invoice.payments]
    events.sort(key=lambda event: event[:2])
    payables = Payables(books)
    for day, of_the_day in groupby(events, key=lambda event: event[0]):
        journal = payables.open_journal(day)
        for _, _, invoice, event in of_the_day:
            if event is None:
                payables.post_invoice(
                    invoice.supplier,
                    invoice.number,
                    Document(_codings(invoice.lines), reference=invoice.reference),
                    journal,
                    date=invoice.date,
                    due_date=invoice.due_date,
                    tax_code=invoice.tax_code,
                )
            elif isinstance(event, company.Credit):
                credited = Document(_codings(event.lines))
                payables.correct(invoice.supplier, invoice.number, "C", credited, journal)
            else:
                payables.manual_cheque(
                    invoice.supplier, invoice.number, event.amount, cheque=event.number, journal=journal
                )


def _codings(lines: tuple[company.Line, ...]) -> list[Coding]:
    kinds = {"item": "M", "freight": "F", "tax": "O"}
    return [
        Coding(company.coded(line.account, line.cost_center), line.amount, line.text, kinds[line.kind])
        for line in lines
    ]

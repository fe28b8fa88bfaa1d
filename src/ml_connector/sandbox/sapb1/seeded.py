"""The believable distributor as a company of SAP Business One, through the same postings as a clerk's."""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ml_connector.sandbox import company
from ml_connector.sandbox.sapb1 import seeded_documents
from ml_connector.sandbox.sapb1.books import EXCHANGE_DIFFERENCES, PAYABLES, ROUNDING, Books
from ml_connector.sandbox.sapb1.desk import Desk
from ml_connector.sandbox.sapb1.errors import Refused
from ml_connector.sandbox.sapb1.options import SapB1Options
from ml_connector.sandbox.sapb1.writes import Writes
from ml_connector.sandbox.standin import BadInput, Row

CLEARING = "10-1090"
BANK = "10-1010"
YEARS = range(2025, 2031)
LOCKED_BEFORE = dt.date(2026, 9, 1)
VAT_CODES = {"A": "P8", "B": "P5", "Z": "P0"}
RATES = {"EUR": "1.080000", "GBP": "1.270000", "CAD": "0.729927"}
CURRENCIES = {"USD": "US Dollar", "EUR": "Euro", "GBP": "Pound Sterling", "CAD": "Canadian Dollar"}
ACCOUNT_TYPES = {"revenue": "at_Revenues", "expense": "at_Expenses"}
DRAWERS = {
    "1": "Assets",
    "2": "Liabilities",
    "3": "Capital and reserves",
    "4": "Turnover",
    "5": "Cost of sales",
    "6": "Operating costs",
    "7": "Non-operating income and expenditure",
}
LOADING = (
    *("UserFieldsMD", "ExchangeRates", "Currencies", "PaymentTermsTypes", "VatGroups", "Dimensions", "Projects"),
    *("ChartOfAccounts", "ProfitCenters", "DistributionRules", "BusinessPlaces", "HouseBankAccounts"),
    *("BusinessPartners", "PurchaseOrders", "PurchaseInvoices", "PurchaseCreditNotes", "Drafts"),
    *("VendorPayments", "PaymentDrafts", "FinancePeriods", "Users", "actions"),
)
"""The types that a data file may name, in the order in which they are taken: what is referred to comes first."""

FIRST_OF_DOCUMENTS = "PurchaseOrders"
WITHOUT_GROUND = frozenset(LOADING) - {
    *("UserFieldsMD", "Projects", "HouseBankAccounts", "PaymentDrafts", "FinancePeriods", "Users", "actions")
}
"""Types that, named in a data file, leave the seeded documents without ground, and the documents themselves."""


def fill(
    books: Books, writes: Writes, desk: Desk, seed: int, options: SapB1Options, data: Mapping[str, list[Row]]
) -> None:
    """Takes every type from the data or, when that does not name it, seeds it. Raises BadInput, naming the type."""
    for type_name in data:
        if type_name not in LOADING:
            raise BadInput(f"{type_name}: unknown type; known: {', '.join(LOADING)}")
    books.periods.open_years(YEARS, LOCKED_BEFORE)
    builders = _builders(books, seed, options)
    for type_name in LOADING:
        if type_name == FIRST_OF_DOCUMENTS and not WITHOUT_GROUND & data.keys():
            seeded_documents.post_documents(books, writes, company.invoices(seed, options.invoices), seed)
        if type_name in data:
            desk.take(type_name, data[type_name])
        elif type_name == "ExchangeRates":
            books.rates.update({(code, dt.date(2025, 1, 1)): Decimal(rate) for code, rate in RATES.items()})
        elif type_name in builders:
            _seed(writes, type_name, builders[type_name]())


def _builders(books: Books, seed: int, options: SapB1Options) -> dict[str, Callable[[], list[Row]]]:
    return {
        "Currencies": _currencies,
        "PaymentTermsTypes": _terms,
        "VatGroups": _vat_groups,
        "Dimensions": _dimensions,
        "ChartOfAccounts": lambda: _chart(seed, segmented=options.segmented_accounts),
        "ProfitCenters": lambda: _centers(seed),
        "DistributionRules": lambda: _shared_rule(seed),
        "BusinessPlaces": _places,
        "HouseBankAccounts": lambda: _banks(books),
        "BusinessPartners": lambda: [_partner(books, one, seed) for one in company.suppliers(seed)],
    }


def _seed(writes: Writes, set_name: str, rows: list[Row]) -> None:
    """What the data leaves no room for is said as such."""
    for row in rows:
        try:
            writes.masters.create(set_name, row)
        except Refused as refused:
            raise BadInput(f"{set_name} cannot be seeded with these data, name them too: {refused}") from None


# --- code tables -----------------------------------------------------------------------------------------


def _currencies() -> list[Row]:
    return [{"Code": code, "Name": name, "DocumentsCode": code} for code, name in CURRENCIES.items()]


def _terms() -> list[Row]:
    return [
        {"GroupNumber": number, "PaymentTermsGroupName": f"{days} days", "NumberOfAdditionalDays": days}
        | {"NumberOfAdditionalMonths": 0, "NumberOfInstallments": 1}
        for number, days in enumerate(company.TERMS_DAYS.values(), 1)
    ]


def terms_number(code: str) -> int:
    return list(company.TERMS_DAYS).index(code) + 1


def _vat_groups() -> list[Row]:
    names = {"A": "Purchase tax 8%", "B": "Purchase tax 5%", "Z": "Purchase, not taxable"}
    return [
        {
            "Code": VAT_CODES[code],
            "Name": names[code],
            "Category": "bovcInputTax",
            "TaxAccount": company.INPUT_TAX,
            "VatGroups_Lines": [{"Effectivefrom": dt.date(2020, 1, 1), "Rate": percent}],
        }
        for code, percent in company.TAX_PERCENT.items()
    ]


def _dimensions() -> list[Row]:
    names = ("Cost center", "Dimension 2", "Dimension 3", "Dimension 4", "Dimension 5")
    return [
        {"DimensionCode": n, "DimensionName": f"Dimension {n}", "DimensionDescription": name}
        | {"IsActive": "tYES" if n == 1 else "tNO"}
        for n, name in enumerate(names, 1)
    ]


def _chart(seed: int, *, segmented: bool) -> list[Row]:
    """Drawers, then accounts; statistical accounts and templates have no counterpart here."""
    accounts = [one for one in company.accounts(seed) if one.type not in ("statistical", "template")]
    extra = [
        company.Account(CLEARING, "Payment clearing", "asset"),
        company.Account(EXCHANGE_DIFFERENCES, "Exchange rate differences", "expense"),
        company.Account(ROUNDING, "Rounding", "expense"),
    ]
    rows: list[Row] = [
        {"Code": f"{n}00000", "FormatCode": f"{n}00000", "Name": name, "ActiveAccount": "tNO", "AccountLevel": 1}
        for n, name in DRAWERS.items()
    ]
    for number, account in enumerate(sorted([*accounts, *extra], key=lambda one: one.code), 1):
        rows.append(
            {
                "Code": f"_SYS{number:011d}" if segmented else account.code,
                "FormatCode": account.code,
                "Name": account.name,
                "ActiveAccount": "tYES",
                "AccountLevel": 2,
                "FatherAccountKey": f"{account.code[3]}00000",
                "AccountType": ACCOUNT_TYPES.get(account.type, "at_Other"),
                "AcctCurrency": "##",
                "CashAccount": "tYES" if account.code in (BANK, "10-1020", "10-1030") else "tNO",
                "LockManualTransaction": "tYES" if account.control else "tNO",
                "ValidFor": "tYES",
                "FrozenFor": "tYES" if account.held else "tNO",
            }
        )
    return rows


def _centers(seed: int) -> list[Row]:
    """Each brings its direct distribution rule."""
    return [
        {"CenterCode": one.code, "CenterName": one.name, "InWhichDimension": 1, "Active": "tYES"}
        | {"EffectiveFrom": dt.date(2024, 1, 1)}
        for one in company.cost_centers(seed)
    ]


def _shared_rule(seed: int) -> list[Row]:
    """One rule that is no single center."""
    codes = [one.code for one in company.cost_centers(seed)[:2]]
    lines = [{"CenterCode": code, "TotalInCenter": Decimal(50)} for code in codes]
    rule = {"FactorCode": "SHARED", "FactorDescription": "Both warehouses", "TotalFactor": Decimal(100), "Direct": "N"}
    return [rule | {"InWhichDimension": 1, "Active": "tYES", "DistributionRuleLines": lines}]


def _places() -> list[Row]:
    return [
        {"BPLID": 1, "BPLName": "Chicago", "MainBPL": "tYES", "Country": "US"},
        {"BPLID": 2, "BPLName": "Dallas", "Country": "US"},
    ]


def _banks(books: Books) -> list[Row]:
    return [
        {"BankCode": "MAIN", "AccNo": "0004417723", "Country": "US", "GLAccount": books.account_code(BANK)},
    ]


# --- suppliers -------------------------------------------------------------------------------------------


def _partner(books: Books, supplier: company.Supplier, seed: int) -> Row:
    bank = _bank_account(random.Random(f"partner {supplier.code} {seed}"), supplier)
    american = supplier.country == "US"
    address = {
        "Street": supplier.line1,
        "Block": supplier.line2 or None,
        "City": supplier.city,
        "ZipCode": supplier.postal_code or None,
        "State": supplier.region if supplier.country in ("US", "CA") else None,
        "Country": supplier.country,
    }
    return {
        "CardCode": supplier.code,
        "CardName": supplier.name,
        "CardForeignName": supplier.short_name,
        "CardType": "cSupplier",
        "GroupCode": 101,
        "Currency": supplier.currency,
        "FederalTaxID": supplier.tax_id if american else None,
        "VatIDNum": None if american else supplier.tax_id,
        "EmailAddress": supplier.email,
        "Phone1": supplier.phone,
        "ContactPerson": supplier.contact,
        "PayTermsGrpCode": terms_number(supplier.terms),
        "VatGroup": VAT_CODES[supplier.tax_code],
        "DebitorAccount": books.account_code(PAYABLES),
        "Valid": "tNO",
        "Frozen": "tYES" if supplier.on_hold else "tNO",
        "City": supplier.city,
        "Country": supplier.country,
        "CreateDate": dt.date(2024, 1, 15),
        "CreateTime": dt.time(9, 30),
        "BPAddresses": [
            {"AddressName": "Remit to", "AddressType": "bo_BillTo", **address},
            {"AddressName": "Pick up", "AddressType": "bo_ShipTo", **address},
        ],
        "ContactEmployees": [{"Name": supplier.contact, "E_Mail": supplier.email, "Phone1": supplier.phone}],
        "DefaultBankCode": bank["BankCode"],
        "DefaultAccount": bank["AccountNo"],
        "IBAN": bank["IBAN"],
        "BPBankAccounts": [bank],
    }


def _bank_account(rng: random.Random, supplier: company.Supplier) -> dict[str, Any]:
    number = f"{rng.randrange(10**10):010d}"
    american = supplier.country == "US"
    return {
        "BankCode": f"{supplier.country}BANK",
        "AccountNo": number,
        "IBAN": None if american else f"{supplier.country}{rng.randrange(100):02d}{rng.randrange(10**16):016d}",
        "ABARoutingNumber": f"{rng.randrange(10**9):09d}" if american else None,
        "AccountName": supplier.name or supplier.code,
        "Country": supplier.country,
    }

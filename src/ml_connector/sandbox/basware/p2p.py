"""P2P itself, behind the API: what it has taken, what is set up in it, and what it says to a record.

The API takes what follows the contract; P2P takes what fits its data. A code is known by one record in a company;
vendors need their payment terms and currencies, orders their company, order lines their header and its vendor.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ml_connector.sandbox.basware.kinds import (
    ACCOUNTS,
    COST_CENTERS,
    EXCHANGE_RATES,
    KINDS,
    LINES,
    ORDERS,
    PAYMENT_TERMS,
    VENDORS,
    Kind,
)
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.output import amount
from ml_connector.sandbox.basware.tables import Table
from ml_connector.sandbox.standin import Row

Category = Literal["Unknown", "Technical", "DataValidation"]
Severity = Literal["Error", "Warning"]
MONTH_ENDS = 12


@dataclass(frozen=True)
class Complaint:
    """What P2P says to a record. A warning comes with a record that was taken."""

    message: str
    severity: Severity = "Error"
    category: Category = "DataValidation"


@dataclass
class P2P:
    """The customer's P2P: records by collection, companies, organisation elements and currencies."""

    options: BaswareOptions
    records: dict[str, Table] = field(default_factory=lambda: {name: Table() for name in KINDS})
    companies: Table = field(default_factory=Table)
    elements: Table = field(default_factory=Table)
    """Organisation elements by code, each with its `companyCode`."""
    currencies: Table = field(default_factory=Table)

    def complaints(self, kind: Kind, key: str, row: Row) -> list[Complaint]:
        """What is wrong with a record; without an error among it, `take` may be called."""
        found = list(self._companies(row))
        if kind.code != "externalCode":
            found += self._twins(kind, key, row)
        check = _CHECKS.get(kind.name)
        return found if check is None else [*found, *check(self, key, row)]

    def take(self, kind: Kind, key: str, row: Row) -> None:
        self.records[kind.name].put(key, dict(row))

    def vendor(self, code: str, company: str) -> Row | None:
        """The vendor of this code in a company."""
        return _by_code(self.records[VENDORS.name], "vendorCode", code, company)

    def _companies(self, row: Row) -> Iterator[Complaint]:
        for company in row.get("companies", []):
            if company["companyCode"] not in self.companies:
                yield Complaint(f"Company {company['companyCode']} does not exist.")

    def _twins(self, kind: Kind, key: str, row: Row) -> Iterator[Complaint]:
        companies = _companies_of(row)
        for other, theirs in self._keyed(kind):
            if other != key and theirs[kind.code] == row[kind.code] and companies & _companies_of(theirs):
                shared = ", ".join(sorted(companies & _companies_of(theirs)))
                yield Complaint(
                    f"{kind.code} {row[kind.code]} is in use in {shared} by record {theirs['externalCode']}."
                )

    def _keyed(self, kind: Kind) -> Iterable[tuple[str, Row]]:
        return ((row["externalCode"], row) for row in self.records[kind.name])

    def _vendor(self, key: str, row: Row) -> Iterator[Complaint]:
        term = row.get("paymentTerms", {}).get("paymentTermCode")
        if term is not None and not any(
            _by_code(self.records[PAYMENT_TERMS.name], "paymentTermCode", term, company)
            for company in _companies_of(row)
        ):
            yield Complaint(f"Payment term {term} does not exist.")
        accounts: set[tuple[str, str]] = set()
        for means in row.get("paymentMeans", []):
            currency = means.get("currencyCode")
            if currency is not None and not self._is_active(currency):
                yield Complaint(f"Currency {currency} is not active.")
            for account in means.get("financialAccounts", []):
                for identifier in account.get("financialAccountIdentifiers", []):
                    mark = (identifier["schemeId"], identifier.get("id", ""))
                    if mark in accounts:
                        yield Complaint("A bank account is given twice.")
                    accounts.add(mark)
        for identifier in row.get("identifiers", []):
            if identifier["schemeId"] not in self.options.identifier_schemes:
                yield Complaint(f"Identifier scheme {identifier['schemeId']} is not set up; left out.", "Warning")

    def _payment_term(self, key: str, row: Row) -> Iterator[Complaint]:
        for name in ("dueDateEom", "cashDueDateEom"):
            if row.get(name, 0) > MONTH_ENDS:
                yield Complaint(f"{name} must be from 0 to {MONTH_ENDS}.")

    def _rate(self, key: str, row: Row) -> Iterator[Complaint]:
        for name in ("currencyCodeFrom", "currencyCodeTo"):
            if not self._is_active(row[name]):
                yield Complaint(f"Currency {row[name]} is not active.")

    def _order(self, key: str, row: Row) -> Iterator[Complaint]:
        company, element = row["companyCode"], row["organizationElementCode"]
        if company not in self.companies:
            yield Complaint(f"Company {company} does not exist.")
        known = self.elements.get(element)
        if known is None or known["companyCode"] != company:
            yield Complaint(f"Organization element {element} does not exist in company {company}.")
        if not self._is_active(row["currencyCode"]):
            yield Complaint(f"Currency {row['currencyCode']} is not active.")
        if self.options.header_needs_vendor:
            yield from self._vendor_of(row)
        marks = ("orderNumber", "sourceSystem", "companyCode", "organizationElementCode")
        for other, theirs in self._keyed(ORDERS):
            if other != key and all(theirs[name] == row[name] for name in marks):
                yield Complaint(f"Order {row['orderNumber']} exists as record {other}.")

    def _line(self, key: str, row: Row) -> Iterator[Complaint]:
        order = self.records[ORDERS.name].get(row["orderExternalCode"])
        if order is None:
            yield Complaint(f"Order {row['orderExternalCode']} does not exist.")
        else:
            yield from self._vendor_of(order)
            if self.options.checks_line_coding:
                yield from self._coding(row, order["companyCode"])
        yield from _quantities(row)
        for receipt in row.get("goodsReceipts", []):
            if amount(receipt, "quantity") < 0 and not receipt.get("referenceGRExternalCode"):
                yield Complaint(f"Goods receipt {receipt['goodsReceiptNumber']} reverses no other receipt.")

    def _vendor_of(self, order: Row) -> Iterator[Complaint]:
        vendor = self.vendor(order["supplierCode"], order["companyCode"])
        if vendor is None:
            yield Complaint(f"Supplier {order['supplierCode']} does not exist in company {order['companyCode']}.")
        elif vendor.get("processingStatus", {}).get("active") is False:
            yield Complaint(f"Supplier {order['supplierCode']} is not active.")

    def _coding(self, row: Row, company: str) -> Iterator[Complaint]:
        for coding in row.get("orderLineCoding", []):
            for kind, what in ((ACCOUNTS, "Account"), (COST_CENTERS, "Cost center")):
                code = coding.get(kind.code)
                if code and _by_code(self.records[kind.name], kind.code, code, company) is None:
                    yield Complaint(f"{what} {code} does not exist in company {company}.")

    def _is_active(self, currency: str) -> bool:
        row = self.currencies.get(currency)
        return row is not None and row["active"]


_CHECKS: dict[str, Callable[[P2P, str, Row], Iterator[Complaint]]] = {
    VENDORS.name: P2P._vendor,
    PAYMENT_TERMS.name: P2P._payment_term,
    EXCHANGE_RATES.name: P2P._rate,
    ORDERS.name: P2P._order,
    LINES.name: P2P._line,
}


def _quantities(row: Row) -> Iterator[Complaint]:
    quantity, mode = amount(row, "quantity"), row["matchingMode"]
    if quantity <= 0:
        yield Complaint("The quantity must be above zero.")
    elif mode in {"Blanket", "Service"} and quantity != 1:
        yield Complaint(f"The quantity of a {mode} line must be 1.")
    if mode == "Blanket" and row.get("isReceiptRequired"):
        yield Complaint("A Blanket line cannot require a receipt.")
    if mode == "Service" and not (row.get("isReceiptRequired") and row.get("isReceiptBasedMatching")):
        yield Complaint("A Service line must require a receipt and be matched by it.")
    prices = [row[name] for name in ("netPrice", "grossPrice") if name in row]
    if mode == "Return" and not any(price < 0 for price in prices):
        yield Complaint("A Return line needs a negative price.")


def _companies_of(row: Row) -> set[str]:
    return {company["companyCode"] for company in row.get("companies", [])}


def _by_code(table: Table, name: str, code: str, company: str) -> Row | None:
    """The record of this code that is active in the company."""
    for row in table:
        if row[name] == code and any(
            one["companyCode"] == company and one.get("active", True) for one in row["companies"]
        ):
            return row
    return None

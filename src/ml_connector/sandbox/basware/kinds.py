"""The collections of master data, as the vendor publishes them: path, list key, page and batch limits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One collection. Its name is the state's type and the first part of its scopes."""

    name: str
    entity: str
    """Its type in the contract."""
    status_entity: str
    """What requestStatus calls it."""
    list_key: str
    code: str
    """The field that people know a record by; unique in a company."""
    page: int = 500
    most: int = 500
    batch: int = 500
    version: int = 1
    by_company: bool = True
    """Whether lists may be filtered by company."""
    keyed: bool = False
    """Several lists under one path, each with a key of its own."""


VENDORS = Kind("vendors", "Vendor", "Vendor", "vendorEntities", "vendorCode", page=100, batch=200)
ACCOUNTS = Kind("accounts", "Account", "Account", "accounts", "accountCode")
COST_CENTERS = Kind("costCenters", "CostCenter", "CostCenter", "costCenters", "costCenterCode")
PAYMENT_TERMS = Kind("paymentTerms", "PaymentTerm", "PaymentTerm", "paymentTerms", "paymentTermCode")
TAX_CODES = Kind("taxCodes", "TaxCode", "TaxCode", "taxCodes", "taxCode")
EXCHANGE_RATES = Kind("exchangeRates", "ExchangeRate", "ExchangeRate", "exchangeRates", "externalCode")
PROJECTS = Kind("projects", "Project", "Project", "projects", "projectCode", version=2)
LISTS = Kind("lists", "GenericList", "GenericList", "listItems", "externalCode", keyed=True)
ORDERS = Kind("matchingOrders", "Order", "MatchingOrder", "matchingOrders", "externalCode")
LINES = Kind(
    "matchingOrderLines",
    "OrderLine",
    "MatchingOrderLine",
    "matchingOrderLines",
    "externalCode",
    page=100,
    most=100,
    batch=100,
    by_company=False,
)

KINDS = {
    kind.name: kind
    for kind in (
        *(PAYMENT_TERMS, TAX_CODES, EXCHANGE_RATES, ACCOUNTS, COST_CENTERS, PROJECTS, LISTS, VENDORS),
        *(ORDERS, LINES),
    )
}
"""In the order in which the vendor wants them imported."""

LIST_KEYS = frozenset(
    {f"ACC_LIST_{n}" for n in range(1, 36)}
    | {f"INV_LIST_{n}" for n in range(1, 21)}
    | {f"CUST_RESOLVER_{n}" for n in range(1, 6)}
)
STATUS_ENTITIES = frozenset(
    {
        *("Account", "Contract", "CostCenter", "TaxCode", "ExchangeRate", "PaymentTerm", "User", "Project"),
        *("MatchingOrder", "MatchingOrderLine", "GenericList", "AdvancedPermission", "TransferResponse"),
        *("PaymentResponse", "PrebookResponse", "Vendor", "AdvancedValidation", "PurchaseRequisition"),
        *("PurchaseOrder", "PurchaseGoodsReceipt", "Organization", "EnrichmentTransferResponse", "UserGroup"),
        *("UserGroupAssociatedUser", "UserGroupPermission"),
    }
)
"""All values of `entityType`, of which the stand-in makes those of its own collections and of the responses."""

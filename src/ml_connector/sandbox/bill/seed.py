"""The organisation as it is before anybody connects: classifications, and no vendors or bills.

The chart has the distributor's postable accounts. Account 10-6999 is missing and 10-6750 is archived, so that
a document coded to one of them has to wait.
"""

from ml_connector.sandbox import company
from ml_connector.sandbox.bill.records import Records
from ml_connector.sandbox.standin import Row

MISSING = "10-6999"
ARCHIVED = "10-6750"
ACCOUNT_TYPES = {
    "asset": "OTHER_CURRENT_ASSET",
    "liability": "OTHER_CURRENT_LIABILITY",
    "capital": "EQUITY",
    "revenue": "INCOME",
    "expense": "EXPENSE",
}
"""BILL's type for the distributor's; statistical accounts and templates have none and are left out."""


def plant(seed: int, records: dict[str, Records]) -> None:
    records["chart-of-accounts"].edit([_account(account) for account in company.accounts(seed) if _has_twin(account)])
    records["departments"].edit([_department(center) for center in company.cost_centers(seed)])


def _has_twin(account: company.Account) -> bool:
    postable = account.type in ACCOUNT_TYPES and not account.control and not account.held
    return postable and account.code != MISSING


def _account(account: company.Account) -> Row:
    kind = "BANK" if "bank account" in account.name.lower() else ACCOUNT_TYPES[account.type]
    return {
        "name": account.name,
        "account": {"type": kind, "number": account.code},
        "archived": account.code == ARCHIVED,
    }


def _department(center: company.CostCenter) -> Row:
    return {"name": center.name, "shortName": center.code}

"""GlAccount <- BILL's chart of accounts; CostCenter <- departments, accounting classes or locations.

A document names an account by its id; people know it by `account.number`, a text whose zeros and dashes count.
There is no flag for active: active is `archived: false`. Archiving a parent archives its children.
"""

from __future__ import annotations

from ml_connector.domain.records import AccountType, CostCenter, GlAccount
from ml_connector.systems.base import Item
from ml_connector.systems.bill.lists import Rowed, instant, stamp, text, words
from ml_connector.systems.bill.session import Bill, Json

BASE = "/v3/classifications"

ACCOUNT_TYPES = {
    "ACCOUNTS_PAYABLE": AccountType.LIABILITY,
    "ACCOUNTS_RECEIVABLE": AccountType.ASSET,
    "BANK": AccountType.ASSET,
    "COST_OF_GOODS_SOLD": AccountType.EXPENSE,
    "CREDIT_CARD": AccountType.LIABILITY,
    "EQUITY": AccountType.EQUITY,
    "EXPENSE": AccountType.EXPENSE,
    "FIXED_ASSET": AccountType.ASSET,
    "INCOME": AccountType.REVENUE,
    "LONG_TERM_LIABILITY": AccountType.LIABILITY,
    "OTHER_ASSET": AccountType.ASSET,
    "OTHER_CURRENT_ASSET": AccountType.ASSET,
    "OTHER_CURRENT_LIABILITY": AccountType.LIABILITY,
    "OTHER_EXPENSE": AccountType.EXPENSE,
    "OTHER_INCOME": AccountType.REVENUE,
    "NON_POSTING": AccountType.HEADING,
    "UNSPECIFIED": AccountType.EXPENSE,
}
"""A type that is missing here or UNSPECIFIED is read as expense: bills are coded to such accounts."""

CONTROL_TYPES = frozenset({"ACCOUNTS_PAYABLE", "ACCOUNTS_RECEIVABLE"})
UNPOSTABLE_TYPES = CONTROL_TYPES | {"NON_POSTING", "BANK", "CREDIT_CARD"}


def from_account(row: Json) -> GlAccount:
    kind = words(row, "account.type") or "UNSPECIFIED"
    key = text(row, "id")
    return GlAccount(
        code=key,
        number=words(row, "account.number"),
        name=words(row, "name") or words(row, "account.number") or key,
        type=ACCOUNT_TYPES.get(kind, AccountType.EXPENSE),
        postable=row.get("archived") is not True and kind not in UNPOSTABLE_TYPES,
        control=kind in CONTROL_TYPES,
    )


def from_classification(row: Json, axis: str) -> CostCenter:
    key = text(row, "id")
    name = words(row, "name") or key
    return CostCenter(
        code=key,
        number=words(row, "shortName") or name,
        name=name,
        dimension=axis,
        postable=row.get("archived") is not True,
    )


def accounts(bill: Bill) -> Rowed[GlAccount]:
    """Archived accounts too: as not postable."""

    def convert(row: Json) -> Item[GlAccount]:
        return Item(text(row, "id"), from_account(row), stamp(row), instant(row))

    return Rowed(bill, f"{BASE}/chart-of-accounts", "account", convert)


def cost_centers(bill: Bill, axis: str) -> Rowed[CostCenter]:
    """The members of one axis; archived ones as not postable."""

    def convert(row: Json) -> Item[CostCenter]:
        return Item(text(row, "id"), from_classification(row, axis), stamp(row), instant(row))

    return Rowed(bill, f"{BASE}/{axis}", axis.removesuffix("s").replace("classe", "class").replace("-", " "), convert)

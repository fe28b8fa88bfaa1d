"""ChartOfAccounts -> GlAccount, DistributionRules -> CostCenter.

An account's key is its code; with segmentation that is a system key, and people know `FormatCode`. `ActiveAccount`
means postable: no is a title. `LockManualTransaction` marks a control account. Only revenues and expenses are marked:
what else an account is follows from the top account above it. A line's cost center is the code of a distribution rule;
a direct rule stands for one center, a shared one spreads over several. None of them has a stamp.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property

from ml_connector.domain.records import AccountType, CostCenter, GlAccount
from ml_connector.systems.base import Balance, Item, ShapeChanged
from ml_connector.systems.sapb1.company import Books
from ml_connector.systems.sapb1.errors import NAME
from ml_connector.systems.sapb1.partners import ALL_CURRENCIES
from ml_connector.systems.sapb1.reading import Query, Reading, Whole
from ml_connector.systems.sapb1.rows import active, amount, day, members, number, text, words, yes
from ml_connector.systems.sapb1.session import Json
from ml_connector.systems.sapb1.settings import Options

ACCOUNTS = "ChartOfAccounts"
RULES = "DistributionRules"

RELEVANT = (
    "ProjectRelevant", "DistributionRuleRelevant", "DistributionRule2Relevant", "DistributionRule3Relevant",
    "DistributionRule4Relevant", "DistributionRule5Relevant",
)  # fmt: skip
REQUIRED = dict(zip(RELEVANT, ("project", *(f"dimension {n}" for n in range(1, 6))), strict=True))

ACCOUNT = Query(
    ACCOUNTS,
    (
        "Code", "FormatCode", "Name", "ActiveAccount", "FatherAccountKey", "AccountType", "AcctCurrency",
        "LockManualTransaction", "BlockManualPosting", "ValidFor", "ValidFrom", "ValidTo", "FrozenFor", "FrozenFrom",
        "FrozenTo", *RELEVANT,
    ),
    optional=frozenset({"BlockManualPosting"}),
)  # fmt: skip
RULE = Query(
    RULES, ("FactorCode", "FactorDescription", "Direct", "InWhichDimension", "Active", "DistributionRuleLines")
)

TYPES = {"at_Revenues": AccountType.REVENUE, "at_Expenses": AccountType.EXPENSE}


BALANCE = Query(ACCOUNTS, ("Code", "FormatCode", "Name", "Balance"))


class Parents:
    """Which account stands above which."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def root(self, code: str) -> str:
        """The top account above one, itself perhaps."""
        seen = {code}
        while (above := self._above.get(code)) and above not in seen:
            seen.add(above)
            code = above
        return code

    @cached_property
    def _above(self) -> dict[str, str | None]:
        query = Query(ACCOUNTS, ("Code", "FatherAccountKey"))
        return {text(row, "Code"): words(row, "FatherAccountKey") for row in self._reading.rows(query, "Code")}


def clearing(reading: Reading, books: Books, options: Options) -> Balance | None:
    """The balance, in the company's own currency, of the account that BILL's payments are posted to."""
    code = options.bill_clearing_account
    row = reading.one(BALANCE, code, f"account {code}") if code else None
    if row is None:
        return None
    currency = books.company.local_currency
    shown = words(row, "FormatCode") or code
    return Balance(shown, words(row, "Name") or shown, amount(number(row, "Balance"), currency), currency)


def accounts(reading: Reading, options: Options, now: Callable[[], datetime]) -> Whole[GlAccount]:
    """Source of GlAccount: titles and frozen accounts too, as not postable."""
    parents = Parents(reading)

    def convert(row: Json) -> Item[GlAccount]:
        today = now().astimezone(options.zone).date()
        record = from_account(row, parents.root(text(row, "Code")), options, today)
        return Item(record.code, record)

    return Whole(reading, ACCOUNT, "Code", convert, "account")


def from_account(row: Json, root: str, options: Options, today: date) -> GlAccount:
    """The account on a day; `root` is the top account above it."""
    code = text(row, "Code")
    number = words(row, "FormatCode")
    currency = words(row, "AcctCurrency")
    title, control = not yes(row, "ActiveAccount"), yes(row, "LockManualTransaction")
    blocked = "BlockManualPosting" in row and yes(row, "BlockManualPosting")
    return GlAccount(
        code=code,
        name=words(row, "Name") or code,
        type=AccountType.HEADING if title else kind(words(row, "AccountType"), root, options),
        postable=not (title or control or blocked) and active(row, today),
        control=control,
        number=number if number != code else None,
        currency=None if currency in {ALL_CURRENCIES, None} else currency,
        requires=tuple(what for name, what in REQUIRED.items() if yes(row, name)),
    )


def kind(stated: str | None, root: str, options: Options) -> AccountType:
    """What SAP Business One states, else what the settings say of the top account, the longest beginning first."""
    if stated in TYPES:
        return TYPES[stated]
    if stated not in {"at_Other", None}:
        raise ShapeChanged("AccountType", f"{NAME} answered AccountType as {stated[:30]!r}, which is not known.")
    fitting = [prefix for prefix in options.account_drawers if root.startswith(prefix)]
    return options.account_drawers[max(fitting, key=len)] if fitting else AccountType.ASSET


def cost_centers(reading: Reading, options: Options) -> Whole[CostCenter]:
    """Source of CostCenter: the rules of the chosen dimension; inactive ones as not postable."""
    query = RULE.where(f"InWhichDimension eq {options.cost_dimension}")

    def convert(row: Json) -> Item[CostCenter] | None:
        if row.get("InWhichDimension") != options.cost_dimension:
            return None
        record = from_rule(row)
        return Item(record.code, record)

    return Whole(reading, query, "FactorCode", convert, "cost center")


def from_rule(row: Json) -> CostCenter:
    """The cost center that a distribution rule is; a direct one has the dates and the number of its center."""
    code = text(row, "FactorCode")
    lines = members(row, "DistributionRuleLines")
    center = lines[0] if words(row, "Direct") in {"Y", "tYES"} and len(lines) == 1 else None
    number = words(center, "CenterCode") if center else None
    return CostCenter(
        code=code,
        name=words(row, "FactorDescription") or code,
        dimension=f"dimension {row.get('InWhichDimension')}",
        postable=yes(row, "Active"),
        number=number if number != code else None,
        valid_from=day(center, "EffectiveFrom") if center else None,
        valid_to=day(center, "EffectiveTo") if center else None,
    )

"""GlAccount -> account, CostCenter -> cost center or list item. The ERP owns both.

A code of either takes 25 characters on its way in, though coding rows give back longer ones. Names are two characters
at least, and always in en-US. Inactive in every company is gone for people in P2P.
"""

from __future__ import annotations

from operator import attrgetter

from ml_connector.domain.records import AccountType, CostCenter, GlAccount
from ml_connector.systems.basware.keys import ACCOUNT, COST_CENTER, external_code
from ml_connector.systems.basware.masters import (
    Kind,
    companies_active,
    companies_inactive,
    name_in,
    names,
    required,
    touched_text,
    within,
)
from ml_connector.systems.basware.rows import text, words
from ml_connector.systems.basware.session import Json
from ml_connector.systems.basware.settings import Company, Options

CODE_MAX = 25
NAME_MAX = 2000
COLUMN_MAX = 50
"""Of a general list's text columns; some groups of lists take more."""
SHORT_CODE = "Give it a shorter code in the Mapping, under which P2P knows it."


def to_account(account: GlAccount, key: str, options: Options, company: Company) -> Json:
    """Raises Refused, naming account and field, for what Basware would not take."""
    about = f"Account {account.code}"
    code = required(account.code, about, "code")
    return {
        "externalCode": key,
        "accountCode": within(code, CODE_MAX, about, "code", fix=SHORT_CODE),
        "accountNames": names(within(account.name, NAME_MAX, about, "name"), code, options.languages),
        "companies": [{"companyCode": company.code, "inherit": options.inherit, "active": account.postable}],
    }


def from_account(row: Json) -> GlAccount:
    """Basware knows no type of account and no control accounts."""
    code = text(row, "accountCode")
    return GlAccount(
        code=code,
        name=name_in(row, "accountNames") or code,
        type=AccountType.EXPENSE,
        postable=companies_active(row),
    )


def to_cost_center(center: CostCenter, key: str, options: Options, company: Company) -> Json:
    about = f"Cost center {center.code}"
    code = required(center.code, about, "code")
    return {
        "externalCode": key,
        "costCenterCode": within(code, CODE_MAX, about, "code", fix=SHORT_CODE),
        "costCenterNames": names(within(center.name, NAME_MAX, about, "name"), code, options.languages),
        "companies": [{"companyCode": company.code, "active": center.postable}],
    }


def from_cost_center(row: Json) -> CostCenter:
    code = text(row, "costCenterCode")
    return CostCenter(
        code=code,
        name=name_in(row, "costCenterNames") or code,
        dimension="costCenters",
        postable=companies_active(row),
    )


def accounts(options: Options, company: Company, now: str) -> Kind[GlAccount]:
    return Kind(
        path="/v1/accounts",
        list_key="accounts",
        entity="Account",
        noun="account",
        most=500,
        company=company.code,
        code=attrgetter("code"),
        key=lambda account: external_code(company.code, ACCOUNT, account.code),
        to_wire=lambda account, key: to_account(account, key, options, company),
        from_wire=from_account,
        active=companies_active,
        deactivated=companies_inactive,
        identity=("code",),
        touched=touched_text(options.touch_fields["account"], now, 250),
    )


def to_list_item(center: CostCenter, key: str, options: Options, company: Company) -> Json:
    """A row of a general list: its code in the first column, its name in the second."""
    about = f"Cost center {center.code}"
    return {
        "externalCode": key,
        "text_1": within(required(center.code, about, "code"), COLUMN_MAX, about, "code"),
        "text_2": within(center.name, COLUMN_MAX, about, "name"),
        "companies": [{"companyCode": company.code, "active": center.postable}],
    }


def from_list_item(row: Json) -> CostCenter:
    code = text(row, "text_1")
    return CostCenter(
        code=code, name=words(row, "text_2") or code, dimension="costCenters", postable=companies_active(row)
    )


def cost_centers(options: Options, company: Company, now: str) -> Kind[CostCenter]:
    if options.cost_center_list:
        return Kind(
            path=f"/v1/lists/{options.cost_center_list}",
            list_key="listItems",
            entity="GenericList",
            noun="list item",
            most=500,
            company=company.code,
            code=attrgetter("code"),
            key=lambda center: external_code(company.code, COST_CENTER, center.code),
            to_wire=lambda center, key: to_list_item(center, key, options, company),
            from_wire=from_list_item,
            active=companies_active,
            deactivated=companies_inactive,
            identity=("code",),
            touched=touched_text("text_5", now, 50),
        )
    return Kind(
        path="/v1/costCenters",
        list_key="costCenters",
        entity="CostCenter",
        noun="cost center",
        most=500,
        company=company.code,
        code=attrgetter("code"),
        key=lambda center: external_code(company.code, COST_CENTER, center.code),
        to_wire=lambda center, key: to_cost_center(center, key, options, company),
        from_wire=from_cost_center,
        active=companies_active,
        deactivated=companies_inactive,
        identity=("code",),
        touched=touched_text(options.touch_fields["cost_center"], now, 250),
    )

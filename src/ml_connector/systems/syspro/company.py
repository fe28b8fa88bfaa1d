"""Which company a session leads to, and which of its periods are open.

SYSPRO: a session belongs to one company. GetLogonProfile names it, COMQCO lists all companies by id, GenControl has
the current period and a status letter for each period of this year and the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeVar

import msgspec

from ml_connector.systems.base import Identity, Refused, WrongCompany
from ml_connector.systems.syspro.comfnd import NAMESPACE, xml
from ml_connector.systems.syspro.dates import to_date
from ml_connector.systems.syspro.reading import Reading
from ml_connector.systems.syspro.session import Enet
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import CurrentPeriod, GenControl
from ml_connector.systems.syspro.where import that
from ml_connector.systems.transport.xml import Element, text, walk

T = TypeVar("T")

PERIODS = 15
"""Periods for which GenControl has columns; companies use 12 or 13 of them."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The parts of GetLogonProfile that matter here."""

    company_id: str
    """Empty: not every version names it."""
    company_name: str
    operator: str
    local_currency: str
    site: str
    decimal_format: str
    date_format: str


def profile(enet: Enet) -> Profile:
    root = xml(enet.profile())
    return Profile(
        company_id=_field(root, "CompanyId"),
        company_name=_field(root, "CompanyName"),
        operator=_field(root, "OperatorCode") or _field(root, "Operator"),
        local_currency=_field(root, "LocalCurrencyCode"),
        site=_field(root, "SystemSiteId"),
        decimal_format=_field(root, "DecimalFormat"),
        date_format=_field(root, "DateFormat"),
    )


def companies(enet: Enet) -> dict[str, str]:
    """Name by id of every company that COMQCO lists; none where the operator may not ask."""
    document = f'<Query xmlns:xsd="{NAMESPACE}" xsd:noNamespaceSchemaLocation="COMQCO.XSD"><Option/></Query>'
    try:
        root = xml(enet.read("Query/Query", BusinessObject="COMQCO", XmlIn=document))
    except Refused:
        return {}
    return {text(company, "CompanyId"): text(company, "CompanyName") for company in walk(root, "Company")}


def identity(enet: Enet, options: Options) -> Identity:
    """The company behind the session. Raises WrongCompany when it is not the one of the settings."""
    found = profile(enet)
    ids = {found.company_id} if found.company_id else set()
    ids |= {company for company, name in companies(enet).items() if name == found.company_name}
    if ids and options.company_id not in ids:
        raise WrongCompany(
            f"The session leads to {found.company_name!r} (company {', '.join(sorted(ids))}), but the Connection names "
            f"company {options.company_id}."
        )
    return Identity(
        key="|".join((options.company_id, found.company_name, found.site)),
        text=f"{found.company_name} (company {options.company_id}, site {found.site})",
        local_currency=found.local_currency or None,
    )


class Period(NamedTuple):
    year: int
    number: int

    def back(self, count: int) -> Period:
        """At most so many periods earlier: across a year's end as if years had twelve, one less than some have."""
        number = self.number - count
        return Period(self.year, number) if number >= 1 else Period(self.year - 1, number + 12)


@dataclass(frozen=True, slots=True)
class Periods:
    """The ledger's calendar as GenControl states it."""

    current: Period
    status: dict[Period, str]
    """SYSPRO's status letter of each period that has an end. What the letters mean is not published."""
    ends: dict[Period, date]

    def of(self, day: date) -> Period | None:
        """The period that a day falls into: the first that ends on it or later."""
        return min((period for period, end in self.ends.items() if end >= day), default=None)


def current_period(reading: Reading, options: Options) -> Period:
    """The company's current period. Raises WrongCompany where the tables have no such company."""
    row = _only(reading.rows(CurrentPeriod, that("Company", "eq", options.company_id)), options)
    return Period(row.gl_year, row.gl_period)


def periods(reading: Reading, options: Options) -> Periods:
    """The current period and every period's status (R33). Raises WrongCompany as `current_period` does."""
    row = msgspec.structs.asdict(_only(reading.rows(GenControl, that("Company", "eq", options.company_id)), options))
    current = Period(row["gl_year"], row["gl_period"])
    status: dict[Period, str] = {}
    ends: dict[Period, date] = {}
    for year, prefix in ((current.year - 1, "prv"), (current.year, "cur")):
        for number in range(1, PERIODS + 1):
            end = to_date(row[f"{prefix}_yr_prd_end{number}"])
            if end is not None:
                ends[Period(year, number)] = end
                status[Period(year, number)] = (row[f"{prefix}_yr_prd_stat{number}"] or "").strip()
    return Periods(current, status, ends)


def _only(rows: list[T], options: Options) -> T:
    if not rows:
        raise WrongCompany(
            f"GenControl has no row for company {options.company_id}: the tables that are read belong to another "
            "company. Check odata_company_segment."
        )
    return rows[0]


def _field(root: Element, name: str) -> str:
    return next(((found.text or "").strip() for found in walk(root, name)), "")

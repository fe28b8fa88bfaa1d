"""The company behind a Connection: its name, its own currency, how it books."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ml_connector.domain.money import MINOR_UNITS
from ml_connector.systems.base import Identity, Refused, ShapeChanged
from ml_connector.systems.sapb1.rows import number, text, whole, words, yes
from ml_connector.systems.sapb1.session import ServiceLayer


@dataclass(frozen=True, slots=True)
class Company:
    name: str
    country: str
    local_currency: str
    branches: bool
    rates_direct: bool
    """Whether a rate says how much local currency one unit of a foreign one is."""
    rate_digits: int
    approval: bool
    """Whether approval procedures catch what is posted from outside."""
    most_documents: int
    """How many documents one payment may apply to; 0 where it is not said."""


class Books:
    """The company, read once for the life of a client."""

    def __init__(self, layer: ServiceLayer) -> None:
        self._layer = layer

    @cached_property
    def company(self) -> Company:
        return read(self._layer)

    def iso(self, code: str | None) -> str:
        """The ISO code of a currency as SAP Business One spells it; empty is the company's own. Empty if unknown."""
        spelled = (code or self.company.local_currency).strip().upper()
        return spelled if spelled in MINOR_UNITS else ""


def read(layer: ServiceLayer) -> Company:
    admin = layer.call("CompanyService_GetAdminInfo", about="the company's settings")
    info = layer.call("CompanyService_GetCompanyInfo", about="the company's details")
    currency = text(admin, "LocalCurrency").upper()
    if currency not in MINOR_UNITS:
        raise Refused(
            "currency_unknown",
            f"The local currency of {layer.options.company_db} is called {currency!r}, which is no ISO 4217 code.",
        )
    return Company(
        name=text(admin, "CompanyName"),
        country=words(admin, "Country") or "",
        local_currency=currency,
        branches=_said(admin, "EnableBranches"),
        rates_direct=yes(admin, "DirectIndirectRate"),
        rate_digits=whole(admin, "RateAccuracy"),
        approval=_said(admin, "EnableApprovalProcedureInDI"),
        most_documents=int(number(info, "MaxNumberOfDocumentsInPmt")) if "MaxNumberOfDocumentsInPmt" in info else 0,
    )


def identity(layer: ServiceLayer) -> Identity:
    """The database and the name that the company has now: the Service Layer states no lasting id of a company (R51)."""
    company = read(layer)
    key = "|".join((layer.options.company_db, company.name, company.country, company.local_currency))
    label = f"SAP Business One company {company.name} ({layer.options.company_db})"
    return Identity(key, label, company.local_currency)


def _said(row: dict[str, object], name: str) -> bool:
    """A flag that older releases do not know."""
    try:
        return yes(row, name)
    except ShapeChanged:
        if name in row:
            raise
        return False

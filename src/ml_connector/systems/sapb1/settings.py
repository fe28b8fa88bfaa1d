"""SAP Business One: what a Connection is told, as the form that people fill in and as the values that the code uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ml_connector.domain.records import AccountType
from ml_connector.systems.base import Refused, Setting

VERSIONS = ("v1", "v2")

SESSION_MINUTES = 30
"""Default of the server: minutes without calls after which a session ends."""
IDLE_MARGIN = 5 * 60

TAX_ID_SOURCES = {
    "either": ("FederalTaxID", "VatIDNum"),
    "FederalTaxID": ("FederalTaxID",),
    "VatIDNum": ("VatIDNum",),
}
"""Where a supplier's tax number is looked for."""

APPROVED = ("dasWithout", "dasApproved", "dasGenerated", "dasGeneratedbyAuthorizer")

FORM: tuple[Setting, ...] = (
    Setting(
        "base_url",
        "Address of the Service Layer with its version, such as https://b1.example:50000/b1s/v2. Your hosting provider "
        "or whoever installed SAP Business One knows it; a path before /b1s is part of it. Write /b1s/v1 only where "
        "v2 is missing.",
        required=True,
        label="Address of the Service Layer",
    ),
    Setting(
        "company_db",
        "Name of the company's database or schema, exactly as spelled there. Shown in brackets behind the company's "
        "name in Choose Company.",
        required=True,
        label="Company database",
    ),
    Setting(
        "user",
        "A SAP Business One user of its own, with a licence (Administration > Setup > General > Users).",
        required=True,
        label="User",
    ),
    Setting(
        "password",
        "The user's password, set in Administration > Setup > General > Users. Let it never expire.",
        required=True,
        secret=True,
        label="Password",
    ),
    Setting(
        "server_time_zone",
        "Zone of the server's clock, as an IANA name such as Europe/Berlin: SAP Business One stamps changes in local "
        "time without a zone.",
        default="UTC",
        label="Time zone of the server",
    ),
    Setting(
        "bill_clearing_account",
        "Account that payments from the other system are booked against: its code in Financials > Chart of Accounts. "
        "With segmented accounts the key such as _SYS00000000004. Empty: payments that come back wait.",
        default="",
        label="Clearing account of payments",
    ),
    Setting(
        "tax_account",
        "Account of the line that carries an invoice's tax. Empty: an invoice with tax waits.",
        default="",
        label="Account of tax",
    ),
    Setting(
        "freight_account",
        "Account of the line that carries additional expenses. Empty: an invoice with them waits.",
        default="",
        label="Account of freight",
        group="Accounts",
    ),
    Setting(
        "discount_account",
        "Account of the line that carries a discount on the whole document. Empty: such a document waits.",
        default="",
        label="Account of discounts",
        group="Accounts",
    ),
    Setting(
        "rounding_account",
        "Account of the line that carries a document's rounding. Empty: such a document waits.",
        default="",
        label="Account of rounding",
        group="Accounts",
    ),
    Setting(
        "withholding_account",
        "Account of the line that carries withholding tax. Empty: such a document waits.",
        default="",
        label="Account of withholding tax",
        group="Accounts",
    ),
    Setting(
        "account_drawers",
        "What the top accounts of your chart hold, by the beginning of their code: asset, liability, equity, revenue "
        "or expense. SAP Business One itself marks only revenues and expenses.",
        type=dict,
        default={"1": "asset", "2": "liability", "3": "equity"},
        label="Meaning of the top accounts",
        group="Accounts",
    ),
    Setting(
        "approved_statuses",
        "AuthorizationStatus of invoices that count as approved. Take dasWithout out where every invoice must pass an "
        "approval procedure.",
        type=list,
        default=APPROVED,
        label="States that count as approved",
        group="Meaning of documents",
    ),
    Setting(
        "tax_id_source",
        "Which field of a supplier holds its tax number; either: FederalTaxID, and VatIDNum where that is empty.",
        default="either",
        choices=tuple(TAX_ID_SOURCES),
        label="Field of the tax number",
        group="Meaning of documents",
    ),
    Setting(
        "cost_dimension",
        "Which dimension (1 to 5) your cost centers are: Financials > Cost Accounting > Dimensions.",
        type=int,
        default=1,
        label="Dimension of cost centers",
        group="Meaning of documents",
    ),
    Setting(
        "poll_overlap_minutes",
        "Minutes that are read again at each poll, for changes whose stamp is older than their commit.",
        type=int,
        default=10,
        label="Minutes read again",
        group="Network and session",
    ),
    Setting(
        "page_size",
        "Rows asked for at a time. Lower it where a page takes the server longer than a minute.",
        type=int,
        default=100,
        label="Rows of a page",
        group="Network and session",
    ),
    Setting(
        "language",
        "Number of the language of the server's messages; 3 is English, which errors are recognised in.",
        default="3",
        label="Language of messages",
        group="Network and session",
    ),
    Setting(
        "session_minutes",
        "SessionTimeout of the Service Layer, in minutes.",
        type=int,
        default=SESSION_MINUTES,
        label="Minutes until a session ends",
        group="Network and session",
    ),
    Setting(
        "extra_session_codes",
        "Further error codes that mean: sign in again. 301, and a refusal with status 401, always do; -5002, -10, -1 "
        "and -2028, which stand for many refusals, count only where the message speaks of a session.",
        type=list,
        default=(),
        label="Further codes of a lost session",
        group="Network and session",
    ),
    Setting(
        "tls_ca_bundle",
        "PEM text of the authority that issued the server's certificate, or of that certificate itself where it is "
        "self-signed, which a new installation's is.",
        default="",
        label="Certificates of your own authority",
        group="Network and session",
        lines=True,
    ),
)

_DEFAULTS = {setting.name: setting.default for setting in FORM if not setting.secret}


@dataclass(frozen=True, slots=True)
class Options:
    """A Connection's settings, checked."""

    base_url: str
    company_db: str
    user: str
    zone: ZoneInfo
    bill_clearing_account: str
    tax_account: str
    freight_account: str
    discount_account: str
    rounding_account: str
    withholding_account: str
    account_drawers: Mapping[str, AccountType]
    approved_statuses: frozenset[str]
    tax_id_source: str
    cost_dimension: int
    overlap_minutes: int
    page_size: int
    language: str
    session_minutes: int
    extra_session_codes: frozenset[str]
    tls_ca_bundle: str


def options(settings: Mapping[str, Any]) -> Options:
    """The settings as the code uses them; what is left out has its default. Raises Refused, naming the setting."""
    given = _DEFAULTS | dict(settings)
    return Options(
        base_url=_address(str(given["base_url"])),
        company_db=str(given["company_db"]).strip(),
        user=str(given["user"]).strip(),
        zone=_zone(str(given["server_time_zone"])),
        bill_clearing_account=_text(given, "bill_clearing_account"),
        tax_account=_text(given, "tax_account"),
        freight_account=_text(given, "freight_account"),
        discount_account=_text(given, "discount_account"),
        rounding_account=_text(given, "rounding_account"),
        withholding_account=_text(given, "withholding_account"),
        account_drawers=_drawers(given["account_drawers"] or {}),
        approved_statuses=frozenset(given["approved_statuses"]),
        tax_id_source=str(given["tax_id_source"]),
        cost_dimension=_between("cost_dimension", given["cost_dimension"], 1, 5),
        overlap_minutes=_between("poll_overlap_minutes", given["poll_overlap_minutes"], 1, 24 * 60),
        page_size=_between("page_size", given["page_size"], 1, 1_000),
        language=_text(given, "language"),
        session_minutes=_between("session_minutes", given["session_minutes"], 6, 24 * 60),
        extra_session_codes=frozenset(str(code).strip() for code in given["extra_session_codes"] or ()),
        tls_ca_bundle=_text(given, "tls_ca_bundle"),
    )


def credential(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """Server, company and user: their session is one, and its calls run one after another."""
    base = urlsplit(str(settings["base_url"]))
    server = f"{base.scheme}://{base.netloc}{base.path.rstrip('/').rpartition('/')[0]}".lower()
    return f"sapb1|{server}|{settings['company_db']}|{str(settings['user']).lower()}"


def session_idle(settings: Mapping[str, Any]) -> int:
    """Seconds after which a session is left alone, some minutes before the server ends it."""
    return max(60, int(settings.get("session_minutes") or SESSION_MINUTES) * 60 - IDLE_MARGIN)


def _address(base_url: str) -> str:
    address = base_url.strip().rstrip("/")
    if not address.endswith(tuple(f"/b1s/{version}" for version in VERSIONS)):
        raise Refused(
            "bad_setting",
            "base_url must end in /b1s/v2, or in /b1s/v1 where v2 is missing, such as https://b1.example:50000/b1s/v2.",
            "base_url",
        )
    return address


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        raise Refused(
            "bad_setting",
            f"server_time_zone {name!r} is no IANA time zone such as Europe/Berlin.",
            "server_time_zone",
        ) from None


def _drawers(given: Mapping[str, str]) -> dict[str, AccountType]:
    try:
        return {str(prefix).strip(): AccountType(str(kind).strip()) for prefix, kind in given.items()}
    except ValueError:
        kinds = ", ".join(kind for kind in AccountType)
        raise Refused(
            "bad_setting", f"account_drawers names a kind that is none of {kinds}.", "account_drawers"
        ) from None


def _text(given: Mapping[str, Any], name: str) -> str:
    return str(given[name] or "").strip()


def _between(setting: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Refused("bad_setting", f"{setting} is {value}; it must be from {low} to {high}.", setting)
    return value

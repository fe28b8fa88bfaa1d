"""SYSPRO: what a Connection is told, as the form that people fill in and as the values that the code uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ml_connector.systems.base import Refused, Setting
from ml_connector.systems.syspro.costcenters import Rule, rule
from ml_connector.systems.syspro.writing.settings import FORM as WRITING_FORM
from ml_connector.systems.syspro.writing.settings import Writing, writing
from ml_connector.systems.transport.odata import CAP, DATE_STYLES

ROUTES = ("odata", "comfnd")

ADDRESS_LAYOUT = {
    "line2": "SupAddr2,SupAddr3",
    "city": "SupAddr3Loc,SupAddr4",
    "region": "State,SupAddr5",
    "country": "Nationality",
}

FORM: tuple[Setting, ...] = (
    Setting(
        "enet_rest_base",
        "Base address of e.net over REST, ending in /SYSPROWCFService/Rest, for example "
        "http://syspro-app:30001/SYSPROWCFService/Rest. There is no usual port: port and path are in "
        "SYSPRO.8.enet.Communications.exe.config in the folder of the e.net communications service on the SYSPRO "
        "application server.",
        required=True,
        label="e.net REST address",
    ),
    Setting(
        "operator",
        "A SYSPRO operator that nobody else uses: whoever signs in with it ends our session. Created in Operator "
        "Maintenance, with DecimalFormat 1 (decimal point).",
        required=True,
        label="Operator",
    ),
    Setting(
        "operator_password",
        "The operator's password, set in Operator Maintenance.",
        required=True,
        secret=True,
        label="Operator's password",
    ),
    Setting(
        "company_id",
        "The company's id as it is typed when signing in to SYSPRO; listed in Setup Options > Company > Company Setup.",
        required=True,
        label="Company id",
    ),
    Setting(
        "company_password",
        "The company's password; blank where it has none, which is usual.",
        secret=True,
        label="Company password",
    ),
    Setting(
        "company_time_zone",
        "Where the company's days begin and end, as an IANA name such as America/Chicago: journal dates have no zone.",
        required=True,
        label="Time zone of the company",
    ),
    Setting(
        "odata_root",
        "Root of the SYSPRO OData service without company, such as https://server/SYSPRO8Odata/SYSPROOData; the name "
        "of the virtual directory is in IIS Manager. Empty: everything is read through e.net.",
        default="",
        label="OData service root",
        group="OData",
    ),
    Setting(
        "odata_user",
        "The operator that Operator Maintenance flags for OData.",
        default="",
        label="OData operator",
        group="OData",
    ),
    Setting(
        "odata_password",
        "The OData credential that Operator Maintenance generates; not the operator's password. A new one is known "
        "after the OData service was restarted.",
        secret=True,
        label="OData credential",
        group="OData",
    ),
    Setting(
        "odata_company_segment",
        "The company in OData addresses; empty: as company_id.",
        default="",
        label="Company in OData addresses",
        group="OData",
    ),
    Setting(
        "odata_date_style",
        "How the OData service wants dates in filters: try another one if it answers 400 to a date.",
        default="datetimeoffset",
        choices=DATE_STYLES,
        label="Dates in OData filters",
        group="OData",
    ),
    Setting(
        "odata_page_size",
        f"Documents per request, by either route; what belongs to them comes five times as many. At most {CAP}.",
        type=int,
        default=1000,
        label="Documents per request",
        group="Reading",
    ),
    Setting(
        "read_route",
        "Route per table, for example ApPayRunDet: comfnd. A table that is not named is read by OData where "
        "odata_root is set, else by COMFND.",
        type=dict,
        default={},
        label="Route per table",
        group="Reading",
    ),
    Setting(
        "max_url_bytes",
        "Longest e.net address in bytes; the service behind Windows' HTTP.sys refuses longer ones with 400 or 414.",
        type=int,
        default=8000,
        label="Longest address",
        group="Reading",
    ),
    Setting(
        "tls_ca_bundle",
        "Certificates (PEM text) of the authority that issued the servers' certificates, where it is your own.",
        default="",
        label="Certificates of your own authority",
        group="Network and session",
        lines=True,
    ),
    Setting(
        "local_currency",
        "The company's own currency as SYSPRO or ISO spells it; empty: as SYSPRO names it in the logon profile.",
        default="",
        label="Own currency",
        group="Codes and currencies",
    ),
    Setting(
        "currency_codes",
        "ISO code per SYSPRO currency code that is none itself, for example $: USD. Codes: Browse on Currencies.",
        type=dict,
        default={},
        label="ISO codes of currencies",
        group="Codes and currencies",
    ),
    Setting(
        "cost_centre_source",
        "Where cost centers are: none; segment(start,len,sep) of the GL code, as in segment(9,3,-) for 10-6400-WH1; "
        "analysis(category); or table(name,key,description). GL code structure: General Ledger Setup.",
        default="none",
        label="Where cost centers are",
        group="Codes and currencies",
    ),
    Setting(
        "supplier_filter",
        "Only these suppliers, each a list with commas: classes, branches, currencies. Empty: all.",
        type=dict,
        default={},
        label="Only these suppliers",
        group="Reading",
    ),
    Setting(
        "address_layout",
        "Which columns hold which part of a supplier's address, where the lines are used in another way: line2 "
        "(joined), city, region, country (first that is filled).",
        type=dict,
        default=ADDRESS_LAYOUT,
        label="Parts of an address",
        group="Reading",
    ),
    Setting(
        "journal_overlap_days",
        "Days before the last seen journal date that every poll reads again; at least 1.",
        type=int,
        default=7,
        label="Days read again",
        group="Reading",
    ),
    Setting(
        "idle_seconds_before_relogon",
        "A session unused for this long is not tried again but replaced. Below the operator's TimeoutPeriod.",
        type=int,
        default=600,
        label="Idle seconds of a session",
        group="Network and session",
    ),
    Setting(
        "session_lost_patterns",
        "Texts by which SYSPRO says that the session is gone.",
        type=list,
        default=["supplied UserID is invalid", "session has expired", "BaseDir8"],
        label="Texts of a lost session",
        group="Network and session",
    ),
    Setting(
        "permanent_error_patterns",
        "Texts by which SYSPRO refuses for good: missing licences, wrong operator.",
        type=list,
        default=["exception raised: 100000", "Invalid operator"],
        label="Texts of a refusal for good",
        group="Network and session",
    ),
    Setting(
        "invoice_value_currency",
        "Currency of OrigInvValue and the balances of a foreign invoice: the supplier's or the company's own.",
        default="supplier",
        choices=("supplier", "local"),
        label="Currency of invoice values",
        group="Codes and currencies",
    ),
    Setting(
        "distribution_currency",
        "Currency of the ledger distribution of a foreign invoice: the company's own or the invoice's.",
        default="local",
        choices=("local", "invoice"),
        label="Currency of distributions",
        group="Codes and currencies",
    ),
    Setting(
        "debit_note_effect",
        "Whether transaction code D raises or lowers what is owed to the supplier.",
        default="increase",
        choices=("increase", "decrease"),
        label="Effect of a debit note",
        group="Meaning of documents",
    ),
    Setting(
        "invoice_status_map",
        "Meaning of InvoiceStatus letters where your site uses them: approved, voided or hold, for example H: hold.",
        type=dict,
        default={},
        label="Meaning of invoice states",
        group="Meaning of documents",
    ),
    Setting(
        "payment_transaction_types",
        "Letters of ApInvoicePay.TrnType that are payments.",
        type=list,
        default=["P", "M"],
        label="Letters of payments",
        group="Meaning of documents",
    ),
    Setting(
        "void_transaction_types",
        "Letters of ApInvoicePay.TrnType that take a payment back.",
        list,
        default=["V"],
        label="Letters of voided payments",
        group="Meaning of documents",
    ),
    Setting(
        "discount_transaction_types",
        "Letters of ApInvoicePay.TrnType that are settlement discount, in a row beside the payment that took it. "
        "Empty: a payment's row has both.",
        type=list,
        default=["S"],
        label="Letters of discounts",
        group="Meaning of documents",
    ),
    Setting(
        "freight_expense_types",
        "Letters of ApJnlDistrib.ExpenseType that are freight. Empty: freight is an item like any other.",
        type=list,
        default=["F"],
        label="Letters of freight",
        group="Meaning of documents",
    ),
    Setting(
        "default_due_days",
        "Days from invoice date to due date where neither the invoice nor the supplier's terms give one.",
        type=int,
        default=30,
        label="Days until due",
        group="Meaning of documents",
    ),
    *WRITING_FORM,
)


@dataclass(frozen=True, slots=True)
class Options:
    """A Connection's settings, checked."""

    enet_rest_base: str
    operator: str
    company_id: str
    zone: ZoneInfo
    odata_root: str
    odata_user: str
    odata_company: str
    date_style: str
    page_size: int
    routes: Mapping[str, str]
    max_url_bytes: int
    ca_certificates: str | None
    local_currency: str
    currency_codes: Mapping[str, str]
    cost_centers: Rule
    supplier_filter: Mapping[str, frozenset[str]]
    address_layout: Mapping[str, tuple[str, ...]]
    overlap_days: int
    session_lost: tuple[str, ...]
    permanent: tuple[str, ...]
    values_are_local: bool
    distribution_is_local: bool
    debit_raises: bool
    status_map: Mapping[str, str]
    payment_types: frozenset[str]
    void_types: frozenset[str]
    discount_types: frozenset[str]
    freight_types: frozenset[str]
    default_due_days: int
    writing: Writing


def options(settings: Mapping[str, Any]) -> Options:
    """The settings as the code uses them; what is left out has its default. Raises Refused naming the setting."""
    given = {setting.name: setting.default for setting in FORM if not setting.secret} | dict(settings)
    return Options(
        enet_rest_base=given["enet_rest_base"].rstrip("/"),
        operator=given["operator"],
        company_id=given["company_id"],
        zone=_zone(given["company_time_zone"]),
        odata_root=(given["odata_root"] or "").rstrip("/"),
        odata_user=given["odata_user"] or "",
        odata_company=given["odata_company_segment"] or given["company_id"],
        date_style=_choice("odata_date_style", given["odata_date_style"], DATE_STYLES),
        page_size=_between("odata_page_size", given["odata_page_size"], 1, CAP),
        routes={table: _choice("read_route", route, ROUTES) for table, route in (given["read_route"] or {}).items()},
        max_url_bytes=_between("max_url_bytes", given["max_url_bytes"], 1_500, 64_000),
        ca_certificates=given["tls_ca_bundle"] or None,
        local_currency=(given["local_currency"] or "").strip(),
        currency_codes={code.strip(): iso.strip() for code, iso in (given["currency_codes"] or {}).items()},
        cost_centers=rule(given["cost_centre_source"]),
        supplier_filter={
            column: frozenset(part.strip() for part in values.split(","))
            for column, values in (given["supplier_filter"] or {}).items()
        },
        address_layout={
            part: tuple(name.strip() for name in names.split(","))
            for part, names in (ADDRESS_LAYOUT | dict(given["address_layout"] or {})).items()
        },
        overlap_days=max(1, given["journal_overlap_days"]),
        session_lost=tuple(given["session_lost_patterns"]),
        permanent=tuple(given["permanent_error_patterns"]),
        values_are_local=given["invoice_value_currency"] == "local",
        distribution_is_local=given["distribution_currency"] == "local",
        debit_raises=given["debit_note_effect"] == "increase",
        status_map=given["invoice_status_map"] or {},
        payment_types=frozenset(given["payment_transaction_types"]),
        void_types=frozenset(given["void_transaction_types"]),
        discount_types=frozenset(given["discount_transaction_types"]),
        freight_types=frozenset(given["freight_expense_types"]),
        default_due_days=given["default_due_days"],
        writing=writing(given),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        raise Refused(
            "bad_setting",
            f"company_time_zone {name!r} is no IANA time zone such as Europe/Berlin.",
            "company_time_zone",
        ) from None


def _choice(setting: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise Refused("bad_setting", f"{setting} {value!r} is none of {', '.join(choices)}.", setting)
    return value


def _between(setting: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Refused("bad_setting", f"{setting} is {value}; it must be from {low} to {high}.", setting)
    return value

"""BILL's settings form, and the same values with their types."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_connector.systems.base import Setting

HOSTS = {"sandbox": "https://gateway.stage.bill.com", "production": "https://gateway.prod.bill.com"}
API_PATH = "/connect"
EVENTS_PATH = "/connect-events"

USER_IDLE = 35 * 60
"""Seconds without calls after which BILL ends the session of a user name and password."""
TOKEN_IDLE = 48 * 3600
"""The same for a sync token."""
IDLE_MARGIN = 5 * 60

INVOICE_NUMBER_MAX = 21

AXES = {
    "departments": "departmentId",
    "accounting-classes": "accountingClassId",
    "locations": "locationId",
}
"""Where a cost center goes: BILL's list of classifications, and the field on a line."""

FORM = (
    Setting(
        "environment",
        "Which BILL: production, or the sandbox for trials. They share no users, organisations or developer keys.",
        required=True,
        choices=("sandbox", "production"),
        label="Environment",
    ),
    Setting(
        "username",
        "E-mail address of a BILL user, or the name of a sync token.",
        required=True,
        label="User or token name",
    ),
    Setting(
        "password",
        "The user's password, or the value of a sync token (in BILL: Settings > Sync & Integrations > Tokens).",
        required=True,
        secret=True,
        label="Password or token value",
    ),
    Setting(
        "organizationId",
        "The organisation's id, 20 characters beginning with 008 (in BILL: Settings > Sync & Integrations > Manage "
        "Developer Keys).",
        required=True,
        label="Organization id",
    ),
    Setting(
        "devKey",
        "The developer key of this environment (in BILL: Settings > Sync & Integrations > Manage Developer Keys).",
        required=True,
        secret=True,
        label="Developer key",
    ),
    Setting(
        "credential_kind",
        "Whether username and password are a user's (a session lasts 35 idle minutes) or a sync token's (48 hours).",
        default="user",
        choices=("user", "sync_token"),
        label="Kind of sign-in",
    ),
    Setting(
        "vendor_code_field",
        "Where the supplier code is shown on a BILL vendor: in its short name, or nowhere.",
        default="shortName",
        choices=("shortName", "none"),
        label="Place of the supplier code",
        group="Bills and vendors",
    ),
    Setting(
        "cost_center_axis",
        "Which of BILL's lists holds your cost centers (in BILL: Settings > Accounting).",
        default="departments",
        choices=tuple(AXES),
        label="List of cost centers",
        group="Bills and vendors",
    ),
    Setting(
        "attach_approvers",
        "Have BILL attach approvers to each bill by its approval policies (in BILL: Settings > Approval policies).",
        type=bool,
        default=True,
        label="Attach approvers",
        group="Bills and vendors",
    ),
    Setting(
        "send_duplicate_guard",
        "Ask BILL to refuse a second bill with the same number for a vendor.",
        type=bool,
        default=True,
        label="Refuse duplicate numbers",
        group="Bills and vendors",
    ),
    Setting(
        "invoice_number_max",
        "Longest invoice number that BILL takes.",
        type=int,
        default=INVOICE_NUMBER_MAX,
        label="Longest invoice number",
        group="Bills and vendors",
    ),
    Setting(
        "default_country",
        "Country (two letters) of suppliers whose address names none.",
        default="",
        label="Country where none is given",
        group="Bills and vendors",
    ),
    Setting(
        "filter_invoice_number",
        "Whether BILL finds bills by invoice number: auto tries and remembers a refusal, no reads the vendor's bills.",
        default="auto",
        choices=("auto", "no"),
        label="Search by invoice number",
        group="Network and session",
    ),
    Setting(
        "session_lost_codes",
        "BILL's codes that mean: sign in again.",
        type=list,
        default=("BDC_1109",),
        label="Codes of a lost session",
        group="Network and session",
    ),
    Setting(
        "paid_when",
        "States of a BILL payment (singleStatus) that count as paid.",
        type=list,
        default=("CLEARED",),
        label="States that count as paid",
        group="Meaning of payments",
    ),
    Setting(
        "reversed_when",
        "States of a BILL payment (singleStatus) that count as taken back.",
        type=list,
        default=("VOIDED", "FUNDING_FAILED_VOIDED", "CANCELED"),
        label="States that count as taken back",
        group="Meaning of payments",
    ),
    Setting(
        "base_url",
        "Address of BILL's API up to /connect; blank: by environment.",
        default="",
        label="Address of the API",
        group="Network and session",
    ),
    Setting(
        "events_base_url",
        "Address of BILL's webhook API up to /connect-events; blank: by environment.",
        default="",
        label="Address of the webhook API",
        group="Network and session",
    ),
    Setting(
        "webhook_key_encoding",
        "How the key that BILL signs webhooks with is written: utf8 (as it stands), or base64. BILL does not say.",
        default="utf8",
        choices=("utf8", "base64"),
        label="Form of the webhook key",
        group="Network and session",
    ),
    Setting(
        "tls_ca_bundle",
        "PEM text of your own authority's certificate, where a proxy re-signs traffic.",
        default="",
        label="Certificates of your own authority",
        group="Network and session",
        lines=True,
    ),
)

_DEFAULTS = {setting.name: setting.default for setting in FORM}


@dataclass(frozen=True, slots=True)
class BillSettings:
    environment: str
    username: str
    organization_id: str
    vendor_code_field: str
    cost_center_axis: str
    attach_approvers: bool
    send_duplicate_guard: bool
    invoice_number_max: int
    default_country: str
    filter_invoice_number: bool
    session_lost_codes: frozenset[str]
    paid_when: frozenset[str]
    reversed_when: frozenset[str]
    base_url: str
    events_base_url: str
    tls_ca_bundle: str

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> BillSettings:
        """The values given, the form's defaults for the rest."""
        value = {**_DEFAULTS, **given}
        return cls(
            environment=str(value["environment"]),
            username=str(value["username"]),
            organization_id=str(value["organizationId"]),
            vendor_code_field=str(value["vendor_code_field"]),
            cost_center_axis=str(value["cost_center_axis"]),
            attach_approvers=bool(value["attach_approvers"]),
            send_duplicate_guard=bool(value["send_duplicate_guard"]),
            invoice_number_max=int(value["invoice_number_max"]),
            default_country=str(value["default_country"] or ""),
            filter_invoice_number=value["filter_invoice_number"] != "no",
            session_lost_codes=frozenset(value["session_lost_codes"]),
            paid_when=frozenset(value["paid_when"]),
            reversed_when=frozenset(value["reversed_when"]),
            base_url=address(value, "base_url", API_PATH),
            events_base_url=address(value, "events_base_url", EVENTS_PATH),
            tls_ca_bundle=str(value["tls_ca_bundle"] or ""),
        )


def address(given: Mapping[str, Any], name: str, path: str) -> str:
    """The address set, or the environment's."""
    return str(given.get(name) or "").rstrip("/") or HOSTS[str(given["environment"])] + path


def credential(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """One organisation by one developer key: what BILL's limit of parallel requests counts by."""
    base = address(settings, "base_url", API_PATH)
    return f"bill|{base.lower()}|{settings['organizationId']}|{_fingerprint(secrets['devKey'])}"


def counted(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """The developer key: what BILL's hourly limits count by, whichever organisations it serves."""
    return f"bill|{address(settings, 'base_url', API_PATH).lower()}|{_fingerprint(secrets['devKey'])}"


def session_idle(settings: Mapping[str, Any]) -> int:
    """Seconds after which a session is left alone, some minutes before BILL ends it."""
    return (TOKEN_IDLE if settings.get("credential_kind") == "sync_token" else USER_IDLE) - IDLE_MARGIN


def _fingerprint(key: str) -> str:
    return hashlib.sha256(f"bill developer key|{key}".encode()).hexdigest()[:16]

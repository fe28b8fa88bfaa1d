"""A Basware Connection's settings as values, checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_connector.systems.base import Refused
from ml_connector.systems.basware.form import DATE_STYLES, ENCODINGS, FORM, LIST_SCOPES, SCOPES, TOUCHED
from ml_connector.systems.basware.regions import ENVIRONMENTS, address_of, spelled

PARALLEL = 2
SESSION_IDLE = 12 * 3600
"""A token says itself when it ends, whether it is used or not."""

CODE_FIELD = r"(accountCode|costCenterCode|projectCode|internalOrderCode|profitCenterCode|businessUnitCode|dimCode\d+)"

_DEFAULTS = {setting.name: setting.default for setting in FORM if not setting.secret}


@dataclass(frozen=True, slots=True)
class Company:
    """A company of the ERP as P2P knows it."""

    code: str
    element: str
    """Organization element that orders are shown under."""


@dataclass(frozen=True, slots=True)
class Options:
    """A Connection's settings, checked."""

    region: str
    environment: str
    base_url: str
    basic: bool
    user: str
    companies: Mapping[str, Company]
    source_system: str
    tax_account: str
    cost_center_field: str
    credit_type_codes: frozenset[str]
    credit_reference_field: str
    rate_direction: str
    withdrawn_statuses: tuple[str, ...]
    languages: tuple[str, ...]
    inherit: bool
    tax_scheme_id: str
    default_means_code: str
    cost_center_list: str
    valid_from: str
    valid_to: str
    receipt_matching: bool
    touch_fields: Mapping[str, str]
    date_style: str
    webhook_header: str
    webhook_encoding: str
    require_signature: bool
    hosts: Mapping[str, str]
    scopes: tuple[str, ...]
    check_issuer: bool
    page_size: int
    overlap_minutes: int
    requests_per_minute: int
    tls_ca_bundle: str

    def company(self, name: str) -> Company:
        """The company that a Flow writes for: the one it names, or the only one there is. Raises Refused."""
        if name in self.companies:
            return self.companies[name]
        if not name and len(self.companies) == 1:
            return next(iter(self.companies.values()))
        what = f"Company {name} is not in company_map" if name else "company_map has several companies"
        raise Refused("bad_setting", f"{what}; enter it, and name it in the Flow's policy company.", "company_map")


def options(settings: Mapping[str, Any]) -> Options:
    """The settings as the code uses them; what is left out has its default.

    Raises Refused, naming the setting, for what makes no sense, and `region_mismatch` for a host of another region.
    """
    given = _DEFAULTS | dict(settings)
    hosts = {str(name): str(address) for name, address in (given["hosts"] or {}).items()}
    environment = _one_of("environment", _text(given, "environment"), ENVIRONMENTS)
    basic = _one_of("sign_in", _text(given, "sign_in"), ("oauth2", "basic")) == "basic"
    user_setting = "api_user" if basic else "client_id"
    if not _text(given, "region"):
        raise Refused("bad_setting", "region is empty. Enter the region of the credentials, such as EU.", "region")
    if not _text(given, user_setting):
        raise Refused("bad_setting", f"{user_setting} is empty, which sign_in needs.", user_setting)
    return Options(
        region=spelled(_text(given, "region")),
        environment=environment,
        base_url=address_of(_text(given, "region"), environment, _text(given, "base_url"), hosts),
        basic=basic,
        user=_text(given, user_setting),
        companies=_companies(given.get("company_map") or {}),
        source_system=_within("source_system", _text(given, "source_system"), 32),
        tax_account=_text(given, "tax_account"),
        cost_center_field=_matching("cost_center_field", _text(given, "cost_center_field"), CODE_FIELD),
        credit_type_codes=frozenset(str(code).strip() for code in given["credit_type_codes"] or ()),
        credit_reference_field=_matching(
            "credit_reference_field", _text(given, "credit_reference_field"), r"(referenceNumber|text\d+)"
        ),
        rate_direction=_one_of("rate_direction", _text(given, "rate_direction"), ("auto", "multiply", "divide")),
        withdrawn_statuses=tuple(str(status) for status in given["withdrawn_statuses"] or ()),
        languages=tuple(dict.fromkeys(("en-US", *(str(tag).strip() for tag in given["languages"] or ())))),
        inherit=bool(given["inherit"]),
        tax_scheme_id=_text(given, "tax_scheme_id"),
        default_means_code=_text(given, "default_means_code"),
        cost_center_list=_matching(
            "cost_center_list", _text(given, "cost_center_list"), r"((ACC|INV)_LIST_\d+|CUST_RESOLVER_\d+)?"
        ),
        valid_from=_day("valid_from", _text(given, "valid_from")),
        valid_to=_day("valid_to", _text(given, "valid_to")),
        receipt_matching=bool(given["receipt_matching"]),
        touch_fields=TOUCHED | {str(kind): str(name or "") for kind, name in (given["touch_fields"] or {}).items()},
        date_style=_one_of("date_style", _text(given, "date_style"), DATE_STYLES),
        webhook_header=_text(given, "webhook_header").lower(),
        webhook_encoding=_one_of("webhook_encoding", _text(given, "webhook_encoding"), ENCODINGS),
        require_signature=bool(given["require_signature"]),
        hosts=hosts,
        scopes=_scopes(given),
        check_issuer=bool(given["check_issuer"]),
        page_size=_between("page_size", given["page_size"], 1, 500),
        overlap_minutes=_between("overlap_minutes", given["overlap_minutes"], 0, 24 * 60),
        requests_per_minute=_between("requests_per_minute", given["requests_per_minute"], 1, 60_000),
        tls_ca_bundle=_text(given, "tls_ca_bundle"),
    )


def credential(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """One client or API user of one region: what fair use is counted by."""
    given = _DEFAULTS | dict(settings)
    where = _text(given, "base_url").rstrip("/").lower() or "|".join(
        (_text(given, "region"), _text(given, "environment"))
    )
    user = _text(given, "api_user" if _text(given, "sign_in") == "basic" else "client_id")
    return f"basware|{where}|{hashlib.sha256(f'basware|{user}'.encode()).hexdigest()[:16]}"


def session_idle(settings: Mapping[str, Any]) -> int:
    return SESSION_IDLE


def _companies(given: Mapping[str, Any]) -> dict[str, Company]:
    found = {}
    for name, value in given.items():
        code, slash, element = (part.strip() for part in str(value).partition("/"))
        found[str(name).strip()] = Company(code, element if slash else code)
        if not 1 <= len(code) <= 25 or (slash and not 2 <= len(element) <= 25):
            raise Refused(
                "bad_setting",
                f"company_map: {name} must lead to a company code (1 to 25 characters), and where a slash follows, to "
                "an organization element (2 to 25).",
                "company_map",
            )
    return found


def _scopes(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Those entered, else those that the client needs; with those of general lists where cost centers go to one."""
    scopes = tuple(str(scope).strip() for scope in given["scopes"] or ())
    return (*scopes, *LIST_SCOPES) if scopes == SCOPES and _text(given, "cost_center_list") else scopes


def _text(given: Mapping[str, Any], name: str) -> str:
    return str(given.get(name) or "").strip()


def _one_of(setting: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise Refused("bad_setting", f"{setting} must be one of {', '.join(choices)}.", setting)
    return value


def _matching(setting: str, value: str, pattern: str) -> str:
    if not re.fullmatch(pattern, value):
        raise Refused("bad_setting", f"{setting} {value!r} is no field of Basware that can hold this.", setting)
    return value


def _within(setting: str, value: str, longest: int) -> str:
    if len(value) > longest:
        raise Refused("bad_setting", f"{setting} has {len(value)} characters; Basware takes {longest}.", setting)
    return value


def _day(setting: str, value: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", value):
        raise Refused("bad_setting", f"{setting} {value!r} is no day such as 2000-01-01.", setting)
    return value


def _between(setting: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Refused("bad_setting", f"{setting} is {value}; it must be from {low} to {high}.", setting)
    return value

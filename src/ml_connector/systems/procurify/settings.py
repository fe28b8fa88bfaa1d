"""A Procurify Connection's settings as values, checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ml_connector.systems.base import Refused
from ml_connector.systems.procurify.form import FORM, RATE_DIRECTIONS, STOCKED, VENDOR_GROUPS

SESSION_IDLE = 25 * 3600
"""A token says itself when it ends, a day after it was given, whether it is used or not."""

RESERVED_HEADERS = frozenset({"authorization", "x-procurify-client", "content-type", "accept", "cookie", "host"})

_DEFAULTS = {setting.name: setting.default for setting in FORM if not setting.secret}


@dataclass(frozen=True, slots=True)
class Options:
    """A Connection's settings, checked."""

    subdomain: str
    """Empty where only an address is given."""
    base_url: str
    client_id: str
    zone: ZoneInfo
    vendor_types: frozenset[int]
    vendor_group: str
    bill_statuses: frozenset[int]
    bill_types: frozenset[int]
    stocked_lines: str
    tax_account: str
    freight_account: str
    rate_direction: str
    default_branch: int | None
    new_vendor_type: int
    test_vendor: str
    audience: str
    renew_ahead_minutes: int
    extra_headers: Mapping[str, str]
    page_size: int
    requests_per_second: int
    parallel: int
    timeout_seconds: int
    overlap_minutes: int
    overlap_days: int
    tls_ca_bundle: str


def options(settings: Mapping[str, Any]) -> Options:
    """The settings as the code uses them; what is left out has its default. Raises Refused, naming the setting."""
    given = _DEFAULTS | dict(settings)
    subdomain, base_url = _subdomain(given), _text(given, "base_url").rstrip("/")
    if not subdomain and not base_url:
        raise Refused(
            "bad_setting",
            "subdomain is empty. Enter the first part of the address at which you open Procurify.",
            "subdomain",
        )
    if not _text(given, "client_id"):
        raise Refused("bad_setting", "client_id is empty. Procurify gives it with each application.", "client_id")
    branch = _text(given, "default_branch")
    return Options(
        subdomain=subdomain,
        base_url=base_url or f"https://{subdomain}.procurify.com",
        client_id=_text(given, "client_id"),
        zone=_zone(_text(given, "company_time_zone")),
        vendor_types=_numbers(given, "vendor_types"),
        vendor_group=_one_of("vendor_group", _text(given, "vendor_group"), VENDOR_GROUPS),
        bill_statuses=_among("bill_statuses", _numbers(given, "bill_statuses"), {2, 4, 6, 7}),
        bill_types=_among("bill_types", _numbers(given, "bill_types"), {0, 1, 2}),
        stocked_lines=_one_of("stocked_lines", _text(given, "stocked_lines"), STOCKED),
        tax_account=_text(given, "tax_account"),
        freight_account=_text(given, "freight_account"),
        rate_direction=_one_of("rate_direction", _text(given, "rate_direction"), RATE_DIRECTIONS),
        default_branch=_number("default_branch", branch) if branch else None,
        new_vendor_type=_number("new_vendor_type", _text(given, "new_vendor_type")),
        test_vendor=_text(given, "test_vendor"),
        audience=_text(given, "audience"),
        renew_ahead_minutes=_between("renew_ahead_minutes", given["renew_ahead_minutes"], 5, 12 * 60),
        extra_headers=_headers(given["extra_headers"] or {}),
        page_size=_between("page_size", given["page_size"], 1, 1000),
        requests_per_second=_between("requests_per_second", given["requests_per_second"], 1, 1000),
        parallel=_between("parallel", given["parallel"], 1, 16),
        timeout_seconds=_between("timeout_seconds", given["timeout_seconds"], 1, 600),
        overlap_minutes=_between("overlap_minutes", given["overlap_minutes"], 1, 24 * 60),
        overlap_days=_between("overlap_days", given["overlap_days"], 1, 30),
        tls_ca_bundle=_text(given, "tls_ca_bundle"),
    )


def credential(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """One application of one domain."""
    given = _DEFAULTS | dict(settings)
    where = _text(given, "base_url").rstrip("/").lower() or _text(given, "subdomain").lower()
    return f"procurify|{where}|{hashlib.sha256(_text(given, 'client_id').encode()).hexdigest()[:16]}"


def session_idle(settings: Mapping[str, Any]) -> int:
    return SESSION_IDLE


def _subdomain(given: Mapping[str, Any]) -> str:
    """As people write it, a whole address included."""
    text = _text(given, "subdomain").lower().removeprefix("https://").rstrip("/").removesuffix(".procurify.com")
    if text and not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", text):
        raise Refused(
            "bad_setting", f"subdomain {text!r} is none: only letters, digits and dashes stand in one.", "subdomain"
        )
    return text


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refused(
            "bad_setting", f"company_time_zone {name!r} is no time zone such as Europe/Berlin.", "company_time_zone"
        ) from None


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    found = {str(name).strip().lower(): str(value).strip() for name, value in given.items()}
    for name in found:
        if name in RESERVED_HEADERS or not re.fullmatch(r"[a-z0-9-]+", name):
            raise Refused("bad_setting", f"extra_headers may not set {name!r}.", "extra_headers")
    return found


def _text(given: Mapping[str, Any], name: str) -> str:
    return str(given.get(name) or "").strip()


def _numbers(given: Mapping[str, Any], name: str) -> frozenset[int]:
    found = frozenset(_number(name, str(each).strip()) for each in given[name] or ())
    if not found:
        raise Refused("bad_setting", f"{name} is empty, so nothing would be read. Name at least one.", name)
    return found


def _number(setting: str, value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise Refused("bad_setting", f"{setting}: {value!r} is no number.", setting)
    return int(value)


def _among(setting: str, values: frozenset[int], allowed: set[int]) -> frozenset[int]:
    if values - allowed:
        names = ", ".join(map(str, sorted(allowed)))
        raise Refused("bad_setting", f"{setting} may hold {names} only.", setting)
    return values


def _one_of(setting: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        named = ", ".join(choice or "nothing" for choice in choices)
        raise Refused("bad_setting", f"{setting} must be one of {named}.", setting)
    return value


def _between(setting: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise Refused("bad_setting", f"{setting} is {value}; it must be from {low} to {high}.", setting)
    return value

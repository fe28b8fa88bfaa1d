"""AvidXchange's settings form, the same values with their types, and the guard of an assumed contract."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ml_connector.systems.avidxchange.contract import Contract, ContractWrong, load
from ml_connector.systems.avidxchange.credentials import PROFILES
from ml_connector.systems.base import Refused, Setting

GROUP_CONTRACT = "Contract with AvidXchange"
GROUP_MEANING = "Meaning of documents"
GROUP_NETWORK = "Network and session"

FORM = (
    Setting(
        "base_url",
        "Address of the gateway, as AvidXchange gave it at onboarding, without context and version; https only.",
        required=True,
        label="Address of the gateway",
    ),
    Setting(
        "auth_profile",
        "Kind of credentials: oauth2_client_credentials (partners), company_user_tokens (in AvidXchange: System Setup "
        "> Account Information > Connections > API), or gateway_key_user_password (older).",
        default="oauth2_client_credentials",
        choices=tuple(PROFILES),
        label="Kind of credentials",
    ),
    Setting("company_id", "The company's id in AvidXchange, part of each request.", required=True, label="Company id"),
    Setting("client_id", "Of client credentials: the id of the partner's application.", default="", label="Client id"),
    Setting("client_secret", "Of client credentials: its secret.", secret=True, label="Client secret"),
    Setting("company_token", "Of company and user tokens: the company's.", secret=True, label="Company token"),
    Setting("user_token", "Of company and user tokens: the user's.", secret=True, label="User token"),
    Setting("gateway_key", "Of a gateway key with a user: the key.", secret=True, label="Gateway key"),
    Setting("user", "Of a gateway key with a user: the AvidSuite user.", default="", label="User"),
    Setting("password", "Of a gateway key with a user: the user's password.", secret=True, label="Password"),
    Setting(
        "contract_map",
        "YAML: the names that differ from the shipped contract map, with a revision of 1 or above and state: verified. "
        "Check it with ml-connector contract check.",
        default="",
        label="Contract map",
        group=GROUP_CONTRACT,
        lines=True,
    ),
    Setting(
        "verified_contract",
        "I have compared the contract map with the partner portal. Without it, and with a map that is only assumed, no "
        "server but one on this machine is called.",
        type=bool,
        default=False,
        label="Contract map is verified",
        group=GROUP_CONTRACT,
    ),
    Setting(
        "accounting_system_name",
        "Name of the accounting system in AvidXchange that this ERP is; may stay blank where there is only one.",
        default="",
        label="Accounting system",
        group=GROUP_MEANING,
    ),
    Setting(
        "account_group",
        "Group of codes that holds GL accounts; blank: as the contract map says.",
        default="",
        label="Group of GL accounts",
        group=GROUP_MEANING,
    ),
    Setting(
        "cost_center_group",
        "Group of codes that holds cost centers; blank: cost centers are not used.",
        default="",
        label="Group of cost centers",
        group=GROUP_MEANING,
    ),
    Setting(
        "default_currency",
        "Currency (three letters) of what AvidXchange states without one.",
        default="USD",
        label="Currency where none is given",
        group=GROUP_MEANING,
    ),
    Setting(
        "post_payment_when",
        "How far a payment has to be before it counts as paid: cleared, or issued as well.",
        type=list,
        default=("cleared",),
        label="States that count as paid",
        group=GROUP_MEANING,
    ),
    Setting(
        "reverse_payment_when",
        "States of a payment that count as taken back: voided, or failed as well.",
        type=list,
        default=("voided",),
        label="States that count as taken back",
        group=GROUP_MEANING,
    ),
    Setting(
        "history_days",
        "How many days back the first reading goes.",
        type=int,
        default=365,
        label="Days of a first reading",
        group=GROUP_NETWORK,
    ),
    Setting(
        "requests_per_second",
        "Requests that this key may make in a second. AvidXchange publishes none; all companies of a key share it.",
        type=int,
        default=1,
        label="Requests in a second",
        group=GROUP_NETWORK,
    ),
    Setting(
        "token_url",
        "Address that gives tokens; blank: below the gateway, as the contract map says.",
        default="",
        label="Address of the token service",
        group=GROUP_NETWORK,
    ),
    Setting("scope", "Scope to ask a token for.", default="", label="Scope", group=GROUP_NETWORK),
    Setting(
        "tls_ca_bundle",
        "PEM text of your own authority's certificate, where a proxy re-signs traffic.",
        default="",
        label="Certificates of your own authority",
        group=GROUP_NETWORK,
        lines=True,
    ),
)

POSTED = frozenset({"issued", "cleared"})
REVERSED = frozenset({"voided", "failed"})
_DEFAULTS = {setting.name: setting.default for setting in FORM if not setting.secret}


@dataclass(frozen=True, slots=True)
class AvidSettings:
    contract: Contract
    base_url: str
    token_url: str
    auth_profile: str
    company_id: str
    client_id: str
    user: str
    scope: str
    accounting_system_name: str
    account_group: str
    cost_center_group: str
    default_currency: str
    post_payment_when: frozenset[str]
    reverse_payment_when: frozenset[str]
    history_days: int
    requests_per_second: int
    tls_ca_bundle: str


def options(given: Mapping[str, Any]) -> AvidSettings:
    """The values given, the form's defaults for the rest.

    Raises Refused, naming the setting: for a map that cannot be used, for an assumed one that would leave this machine,
    for a kind of credentials that lacks a value.
    """
    value = {**_DEFAULTS, **given}
    try:
        contract = load(str(value["contract_map"] or ""))
    except ContractWrong as wrong:
        refused = Refused("contract_wrong", f"The contract map cannot be used. {wrong}", "contract_map")
    else:
        base = str(value["base_url"]).rstrip("/")
        found = AvidSettings(
            contract=contract,
            base_url=base,
            token_url=str(value["token_url"] or "") or base + contract.gateway.token_path,
            auth_profile=str(value["auth_profile"]),
            company_id=str(value["company_id"]),
            client_id=str(value["client_id"] or ""),
            user=str(value["user"] or ""),
            scope=str(value["scope"] or ""),
            accounting_system_name=str(value["accounting_system_name"] or ""),
            account_group=str(value["account_group"] or "") or contract.account_group,
            cost_center_group=str(value["cost_center_group"] or ""),
            default_currency=str(value["default_currency"]),
            post_payment_when=frozenset(value["post_payment_when"]),
            reverse_payment_when=frozenset(value["reverse_payment_when"]),
            history_days=int(value["history_days"]),
            requests_per_second=int(value["requests_per_second"]),
            tls_ca_bundle=str(value["tls_ca_bundle"] or ""),
        )
        _guard(found, verified=value["verified_contract"] is True)
        _check_values(found)
        return found
    raise refused


def credential(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """One company by one key."""
    return f"{counted(settings, secrets)}|{settings['company_id']}"


def counted(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """The key: what the gateway's limits count by, whichever companies it serves."""
    key = settings.get("client_id") or secrets.get("gateway_key") or secrets.get("company_token") or ""
    digest = hashlib.sha256(f"avidxchange key|{key}".encode()).hexdigest()[:16]
    return f"avidxchange|{str(settings['base_url']).rstrip('/').lower()}|{digest}"


def _guard(found: AvidSettings, *, verified: bool) -> None:
    for name, url in (("base_url", found.base_url), ("token_url", found.token_url)):
        if _on_this_machine(url) or (verified and found.contract.verified):
            continue
        lacking = "verified_contract is not set" if found.contract.verified else "its state is assumed"
        raise Refused(
            "contract_assumed",
            f"The contract map {found.contract.title} is not confirmed ({lacking}), so {name} may only lead to this "
            "machine. Compare the map with the partner portal (docs/connecting-avidxchange.md), put your corrections "
            "into contract_map with a revision and state: verified, and set verified_contract.",
            "contract_map",
        )


def _check_values(found: AvidSettings) -> None:
    for name in PROFILES[found.auth_profile].settings:
        if not getattr(found, name):
            raise Refused("field_missing", f"Credentials of the kind {found.auth_profile} need {name}.", name)
    for name, allowed in (("post_payment_when", POSTED), ("reverse_payment_when", REVERSED)):
        unknown = sorted(getattr(found, name) - allowed)
        if unknown:
            raise Refused("invalid_data", f"{name} knows {', '.join(sorted(allowed))}, not {', '.join(unknown)}.", name)
    for name in ("history_days", "requests_per_second"):
        if getattr(found, name) < 1:
            raise Refused("invalid_data", f"{name} is 1 or more.", name)


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

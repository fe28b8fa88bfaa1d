"""The test of a Connection: each step as it ends, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ml_connector.systems.base import AuthFailed, Identity, NotFound, Refused, Step, SystemFailure, Throttled
from ml_connector.systems.basware.form import LIST_SCOPES
from ml_connector.systems.basware.reading import batch
from ml_connector.systems.basware.regions import host_of
from ml_connector.systems.basware.session import P2P

FIX_SIGN_IN = (
    "Check region, environment, client_id and client_secret; credentials of another region or environment are refused "
    "too. Ask Basware which scopes the client has."
)
FIX_SCOPE = "Have Basware give the client the scope {scope}, and name it in scopes."
FIX_NETWORK = "Check region, base_url, the name service and the firewall; then test again."
FIX_WAIT = "Wait for the limit to pass, then test again."

LISTS: dict[str, tuple[tuple[str, str], ...]] = {
    "invoice": (("accountingDocuments", "accountingDocuments"),),
    "supplier": (("vendors", "vendorEntities"),),
    "gl_account": (("accounts", "accounts"),),
    "cost_center": (("costCenters", "costCenters"),),
    "payment_term": (("paymentTerms", "paymentTerms"),),
    "tax_code": (("taxCodes", "taxCodes"),),
    "purchase_order": (("matchingOrders", "matchingOrders"),),
    "payment": (("accountingDocuments", "accountingDocuments"),),
}
"""What each record type needs to read, and the key of its list."""

SCOPES = {
    "invoice": ("accountingDocuments.read", "accountingDocuments.write", "requestStatus.read"),
    "supplier": ("vendors.read", "vendors.write", "requestStatus.read", "errorFeedbacks.read"),
    "gl_account": ("accounts.read", "accounts.write", "requestStatus.read", "errorFeedbacks.read"),
    "cost_center": ("costCenters.read", "costCenters.write", "requestStatus.read", "errorFeedbacks.read"),
    "payment_term": ("paymentTerms.read", "paymentTerms.write", "requestStatus.read", "errorFeedbacks.read"),
    "tax_code": ("taxCodes.read", "taxCodes.write", "requestStatus.read", "errorFeedbacks.read"),
    "purchase_order": (
        "matchingOrders.read", "matchingOrders.write", "matchingOrderLines.read", "matchingOrderLines.write",
        "vendors.read", "requestStatus.read", "errorFeedbacks.read",
    ),
    "payment": ("accountingDocuments.read", "accountingDocuments.write", "requestStatus.read"),
}  # fmt: skip
"""What each record type needs of a token."""


def identity(p2p: P2P) -> Identity:
    """The tenant that the token names; where it names none, the credentials themselves (R51)."""
    chosen = p2p.options
    where = f"{chosen.region} {chosen.environment}"
    tenant = p2p.token_claim("bwcid")
    if tenant:
        return Identity(f"{tenant}|{where}", f"Basware tenant {tenant} ({where})")
    return Identity(f"{chosen.user}|{where}", f"Basware, as {chosen.user} ({where})")


def ping(p2p: P2P, record_types: Sequence[str]) -> Iterator[Step]:
    """Only the record types asked for; all of them for none."""
    wanted = [name for name in record_types if name in LISTS] or list(LISTS)
    lists = list(dict.fromkeys(one for name in wanted for one in _lists(p2p, name)))
    signed_in = _step("sign in", lambda: _signed_in(p2p), FIX_SIGN_IN)
    yield signed_in
    names = ["scopes", "tenant", *(f"read {path}" for path, _ in lists), "outcomes"]
    if not signed_in.ok:
        yield from (Step(name, None, "Not tried: the sign-in failed.") for name in names)
        return
    yield _scopes(p2p, wanted)
    yield _step("tenant", lambda: _tenant(p2p), FIX_SIGN_IN)
    for path, key in lists:
        yield _step(
            f"read {path}",
            partial(_read, p2p, f"/v1/{path}", key),
            FIX_SCOPE.format(scope=f"{path.partition('/')[0]}.read"),
        )
    yield _step(
        "outcomes",
        lambda: _read(p2p, "/v1/requestStatus", "requestStatus"),
        FIX_SCOPE.format(scope="requestStatus.read"),
    )


def _lists(p2p: P2P, record_type: str) -> tuple[tuple[str, str], ...]:
    general = p2p.options.cost_center_list
    return ((f"lists/{general}", "listItems"),) if record_type == "cost_center" and general else LISTS[record_type]


def _needed(p2p: P2P, record_type: str) -> tuple[str, ...]:
    if record_type == "cost_center" and p2p.options.cost_center_list:
        return (*LIST_SCOPES, "requestStatus.read", "errorFeedbacks.read")
    return SCOPES[record_type]


def _signed_in(p2p: P2P) -> str:
    """HTTP Basic signs in with each request, so one is made that needs nothing but credentials."""
    chosen = p2p.options
    if chosen.basic:
        _read(p2p, "/v1/requestStatus", "requestStatus")
        return f"{chosen.base_url} takes API user {chosen.user}."
    p2p.token_claim("iss")
    return f"{chosen.base_url} gave {chosen.user} a token."


def _scopes(p2p: P2P, wanted: Sequence[str]) -> Step:
    """What the Flows need, against what the token says; a token that says nothing is judged by its use."""
    if p2p.options.basic:
        return Step("scopes", None, "Not tried: HTTP Basic knows no scopes.")
    needed = list(dict.fromkeys(scope for name in wanted for scope in _needed(p2p, name)))
    try:
        given = p2p.token_claim("scope").split() or list(p2p.options.scopes)
    except SystemFailure as error:
        return Step("scopes", ok=False, text=str(error), fix=FIX_SIGN_IN)
    missing = [scope for scope in needed if scope not in given]
    if missing:
        return Step(
            "scopes", ok=False, text=f"The token lacks {', '.join(missing)}.", fix=FIX_SCOPE.format(scope=missing[0])
        )
    return Step("scopes", ok=True, text=f"The token has the {len(needed)} scopes that are needed.")


def _tenant(p2p: P2P) -> str:
    found = identity(p2p)
    issuer = host_of(p2p.token_claim("iss"))
    return f"{found.text}{f', issued by {issuer}' if issuer else ''}."


def _read(p2p: P2P, path: str, key: str) -> str:
    name = path.rpartition("/")[2]
    try:
        found = batch(p2p.read(path, {"pageSize": "1"}, about=f"the list of {name}"), key)
    except NotFound:
        return f"{name} can be read; there are none."
    return f"{name} can be read{'' if found.rows else '; there are none'}."


def _step(name: str, action: Callable[[], str], fix: str) -> Step:
    try:
        return Step(name, ok=True, text=action())
    except SystemFailure as error:
        return Step(name, ok=False, text=str(error), fix=_fix(error, fix))


def _fix(error: SystemFailure, fix: str) -> str:
    if isinstance(error, Throttled):
        return FIX_WAIT
    if isinstance(error, AuthFailed | Refused):
        return fix
    return FIX_NETWORK

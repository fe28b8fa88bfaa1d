"""The test of an AvidXchange Connection: what its contract rests on, then one step after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ml_connector.systems.avidxchange.captured import accounting_system
from ml_connector.systems.avidxchange.codes import groups
from ml_connector.systems.avidxchange.contract import Known, Operation
from ml_connector.systems.avidxchange.lists import DAY, pages
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.base import AuthFailed, Refused, ShapeChanged, Step, SystemFailure, Throttled

FIX_MAP = "Compare the contract map with the partner portal: ml-connector contract check MAP --openapi FILE."
FIX_SIGN_IN = "Check auth_profile, its credentials, company_id and base_url; keys of sandbox and production differ."
FIX_RIGHT = "Subscribe the application to this API in the partner portal, or ask AvidXchange for the scope."
FIX_NETWORK = "Check base_url, the name service and the firewall; then test again."
FIX_WAIT = "Wait for the limit to pass, then test again."

LISTS = {
    "supplier": ("vendors",),
    "gl_account": ("codes", "groups"),
    "cost_center": ("codes", "groups"),
    "purchase_order": ("orders",),
    "invoice": ("invoices",),
    "invoice_approval": ("invoices",),
    "payment": ("payments",),
}


def ping(avid: Avid, record_types: Sequence[str]) -> Iterator[Step]:
    """Only the record types asked for; all of them for none."""
    contract = avid.contract
    assumed = contract.assumed()
    yield Step(
        "contract", ok=True, text=f"Speaks by the contract map {contract.title}.", fix=FIX_MAP if assumed else ""
    )
    yield Step("assumed names", ok=True, text=_assumed(assumed), fix=FIX_MAP if assumed else "")
    signed_in = _step("accounting system", lambda: _system(avid), FIX_SIGN_IN)
    yield signed_in
    if not signed_in.ok:
        yield Step("read", None, "Not tried: the accounting system could not be read.")
        return
    wanted = dict.fromkeys(name for kind in (record_types or LISTS) for name in LISTS.get(kind, ()))
    for name in wanted:
        yield _step(f"read {name}", partial(_listed, avid, name), FIX_RIGHT)
    if avid.settings.cost_center_group and "groups" in wanted:
        yield _step("group of cost centers", lambda: _group(avid), "Correct cost_center_group.")


def _assumed(names: list[str]) -> str:
    """The assumed names by the part of the map in which they stand."""
    if not names:
        return "None: the map is verified."
    parts: dict[str, list[str]] = {}
    for name in names:
        place, _, last = name.rpartition(".")
        parts.setdefault(place or name, []).append(last)
    listed = "; ".join(f"{place} ({', '.join(lasts)})" if lasts != [place] else place for place, lasts in parts.items())
    return f"{len(names)} names of the map are assumed, not known: {listed}."


def _system(avid: Avid) -> str:
    key, name = accounting_system(avid)
    return f"Signed in at {avid.settings.base_url}; the accounting system is {name} ({key})."


def _listed(avid: Avid, name: str) -> str:
    operation: Operation = getattr(avid.contract.operations, name)
    params = {}
    if operation.query.since:
        today = avid.access.now().date()
        params = {operation.query.since: (today - DAY).isoformat(), operation.query.until: today.isoformat()}
    first = next(pages(avid, operation, params=params, about=f"the list of {name}"))
    known = " (assumed)" if operation.known is Known.ASSUMED and not avid.contract.verified else ""
    return f"{operation.do}{known} can be read; {len(first.rows)} on its first page."


def _group(avid: Avid) -> str:
    wanted = avid.settings.cost_center_group
    known = groups(avid)
    if wanted not in known:
        raise Refused("group_missing", f"AvidXchange has no group {wanted!r}; it has {', '.join(sorted(known))}.")
    return f"The group {wanted} is there."


def _step(name: str, action: Callable[[], str], fix: str) -> Step:
    try:
        return Step(name, ok=True, text=action())
    except SystemFailure as error:
        return Step(name, ok=False, text=str(error), fix=_fix(error, fix))


def _fix(error: SystemFailure, fix: str) -> str:
    if isinstance(error, Throttled):
        return FIX_WAIT
    if isinstance(error, AuthFailed):
        return FIX_SIGN_IN
    if isinstance(error, ShapeChanged) or (isinstance(error, Refused) and error.code == "contract_wrong"):
        return FIX_MAP
    return fix if isinstance(error, Refused) else FIX_NETWORK

"""The test of a BILL Connection: live, cheap, one step after the other, each with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ml_connector.systems.base import AuthFailed, Refused, Step, SystemFailure, Throttled, WrongCompany
from ml_connector.systems.bill import accounts, bills, credits, payments, vendors
from ml_connector.systems.bill.session import Bill, identified

FIX_SIGN_IN = (
    "Check environment, username, password, organizationId and devKey. A key of the other environment and a wrong key "
    "look alike."
)
FIX_COMPANY = "Put organizationId right, or make a new Connection for the other organisation."
FIX_RIGHT = "In BILL, give the user's role the right to view this (Settings > Users > Roles)."
FIX_WAIT = "Wait for the limit to pass, then test again."
FIX_NETWORK = "Check base_url, the name service and the firewall; then test again."

LISTS = {
    "supplier": (("vendors", vendors.PATH),),
    "invoice": (("bills", bills.Bills.path), ("vendor credits", credits.VendorCredits.path)),
    "payment": (("payments", payments.PATH),),
    "gl_account": (("accounts", f"{accounts.BASE}/chart-of-accounts"),),
}
BY_ID = {"supplier": ("vendor", vendors.PATH), "invoice": ("bill", bills.Bills.path)}


def ping(bill: Bill, record_types: Sequence[str], *, try_writing: bool) -> Iterator[Step]:
    """Only the record types asked for; all of them for none."""
    wanted = list(record_types) or [*LISTS, "cost_center"]
    signed_in = _step("sign in", lambda: _signed_in(bill), FIX_SIGN_IN)
    yield signed_in
    if not signed_in.ok:
        yield from (Step(name, None, "Not tried: the sign-in failed.") for name in ("company", "read", "write"))
        return
    yield _step("company", lambda: f"Organisation {bill.organization()}, as set.", FIX_COMPANY)
    first: dict[str, str] = {}
    for record_type in wanted:
        for name, path in _lists(bill, record_type):
            yield _step(f"read {name}", partial(_listed, bill, name, path, first), FIX_RIGHT)
    for record_type in wanted:
        if record_type in BY_ID:
            yield _by_id(bill, *BY_ID[record_type], first)
    if "supplier" in wanted:
        yield _write(bill, first.get(vendors.PATH), try_writing=try_writing)
    if "invoice" in wanted:
        yield _step("find bills by number", lambda: _filter(bill), FIX_NETWORK)


def _signed_in(bill: Bill) -> str:
    bill.read("/v3/login/session", about="the session's details")
    return f"Signed in at {bill.settings.base_url} as {bill.settings.username}."


def _lists(bill: Bill, record_type: str) -> Sequence[tuple[str, str]]:
    if record_type == "cost_center":
        axis = bill.settings.cost_center_axis
        return ((axis.replace("-", " "), f"{accounts.BASE}/{axis}"),)
    return LISTS.get(record_type, ())


def _listed(bill: Bill, name: str, path: str, first: dict[str, str]) -> str:
    answer = bill.read(path, {"max": "1", "sort": "createdTime:desc"}, about=f"the list of {name}")
    body = answer.json()
    rows = body.get("results") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise answer.unclear("it is no list")
    if rows:
        first[path] = str(rows[0].get("id"))
        return f"The list of {name} can be read."
    return f"The list of {name} can be read; it is empty."


def _by_id(bill: Bill, noun: str, path: str, first: dict[str, str]) -> Step:
    """A right of its own: without it the list is asked for each id, which costs nothing but time."""
    name = f"read one {noun}"
    key = first.get(path)
    if key is None:
        return Step(name, None, f"Not tried: there is no {noun} to read.")
    try:
        identified(bill.read(f"{path}/{key}", about=f"{noun} {key}"), key)
    except Refused as refused:
        if refused.code == "permission":
            return Step(
                name, ok=True, text=f"A {noun} may not be read by its id; its list is used instead.", fix=FIX_RIGHT
            )
        return Step(name, ok=False, text=str(refused), fix=FIX_RIGHT)
    except SystemFailure as error:
        return Step(name, ok=False, text=str(error), fix=_fix(error, FIX_NETWORK))
    return Step(name, ok=True, text=f"A {noun} can be read by its id.")


def _write(bill: Bill, vendor: str | None, *, try_writing: bool) -> Step:
    """Writes a vendor's own unchanged name."""
    if not try_writing:
        return Step("write", None, "Not tried: nobody asked for a trial of writing.")
    if vendor is None:
        return Step("write", None, "Not tried: there is no vendor to write to.")

    def rewrite() -> str:
        row = bill.one(vendors.PATH, vendor, about=f"vendor {vendor}") or {}
        body = {"name": row.get("name")}
        identified(bill.write("PATCH", f"{vendors.PATH}/{vendor}", body, about=f"vendor {vendor}"), vendor)
        return f"Vendor {row.get('name')} was written with its own name."

    return _step("write", rewrite, "In BILL, give the user's role the right to edit vendors and bills.")


def _filter(bill: Bill) -> str:
    filters = {"filters": "invoice.invoiceNumber:eq:mlc", "sort": "createdTime:asc", "max": "1"}
    try:
        bill.read(bills.Bills.path, filters, about="the search by invoice number")
    except Refused as refused:
        if refused.code != "filter_refused":
            raise
        return "BILL does not find bills by number here; a vendor's bills are read instead."
    return "BILL finds bills by their number."


def _step(name: str, action: Callable[[], str], fix: str) -> Step:
    try:
        return Step(name, ok=True, text=action())
    except SystemFailure as error:
        return Step(name, ok=False, text=str(error), fix=_fix(error, fix))


def _fix(error: SystemFailure, fix: str) -> str:
    if isinstance(error, Throttled):
        return FIX_WAIT
    if isinstance(error, WrongCompany):
        return FIX_COMPANY
    if isinstance(error, AuthFailed):
        return FIX_SIGN_IN
    return fix if isinstance(error, Refused) else FIX_NETWORK

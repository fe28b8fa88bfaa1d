"""The test of a Connection: each step as it ends, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ml_connector.systems.base import (
    AuthFailed,
    Identity,
    NotFound,
    Refused,
    ShapeChanged,
    Step,
    SystemFailure,
    Throttled,
)
from ml_connector.systems.procurify import accounts, approved, currencies, orders, payments, receipts, vendors
from ml_connector.systems.procurify.currencies import Currencies
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.reading import batch
from ml_connector.systems.procurify.rows import flag, text, whole, words
from ml_connector.systems.procurify.session import Domain

ME = "/api/v3/users/me/"
BUDGETS = "/api/v3/accounts/"

FIX_SIGN_IN = (
    "Check subdomain, client_id and client_secret. The secret is shown once: if it is lost, make the application anew "
    "(Settings > Integrations > Procurify API > Create Application)."
)
FIX_USER = "Make the application as an active user of its own, best a superuser, and enter its id and secret here."
FIX_RIGHT = "Give the user who made the application a role that may see this (Settings > Users)."
FIX_NETWORK = "Check subdomain or base_url, the name service and the firewall; then test again."
FIX_WAIT = "Wait for the limit to pass, then test again. If it stays, lower requests_per_second."
FIX_CURRENCY = "Have a superuser look at Settings > Currencies: one of them must be the base currency."
FIX_WRITING = "Enter in test_vendor the id of a vendor that has an external id, and let the user edit vendors."

LISTS: dict[str, tuple[str, ...]] = {
    "supplier": (vendors.PATH,),
    "gl_account": (accounts.ACCOUNT_CODES, BUDGETS),
    "cost_center": (accounts.DEPARTMENTS,),
    "currency": (currencies.PATH,),
    "payment_term": (vendors.PATH,),
    "purchase_order": (orders.LIST,),
    "invoice": (approved.LIST,),
    "receipt": (receipts.PATH,),
    "payment": (approved.LIST, payments.PAYMENTS),
}
"""What each record type needs to read."""


def identity(domain: Domain, known: Currencies) -> Identity:
    """The customer's domain, as the token names it (R51)."""
    name = domain.named()
    return Identity(name.lower(), f"{NAME} domain {name}", known.base or None)


def ping(domain: Domain, known: Currencies, record_types: Sequence[str], *, try_writing: bool) -> Iterator[Step]:
    """Only the record types asked for; all of them for none."""
    wanted = [name for name in record_types if name in LISTS] or list(LISTS)
    paths = list(dict.fromkeys(path for name in wanted for path in LISTS[name]))
    signed_in = _step("sign in", lambda: f"{domain.options.base_url} gave a token for {domain.named()}.", FIX_SIGN_IN)
    yield signed_in
    if not signed_in.ok:
        names = ["user", "domain", *(f"read {_name(path)}" for path in paths), "pages", "write"]
        yield from (Step(name, None, "Not tried: the sign-in failed.") for name in names)
        return
    yield _step("user", lambda: _user(domain), FIX_USER)
    yield _step("domain", lambda: _domain(domain, known), FIX_CURRENCY)
    for path in paths:
        yield _step(f"read {_name(path)}", partial(_read, domain, path), FIX_RIGHT)
    yield _step("pages", lambda: _pages(domain), FIX_RIGHT)
    if not try_writing or not domain.options.test_vendor:
        why = "nobody asked for it" if not try_writing else "no vendor is named in test_vendor"
        yield Step("write", None, f"Not tried: {why}.")
        return
    yield _step("write", lambda: _write(domain), FIX_WRITING)


def _user(domain: Domain) -> str:
    found = domain.one(ME, about="the user whom we act as")
    if found is None:
        raise NotFound(f"{NAME} names no user whom we act as.")
    row, _ = found
    if flag(row, "is_active") is False:
        raise Refused("user_inactive", f"The user whom we act as is no longer active in {NAME}.", "client_id")
    role, position = whole(row, "role"), words(row, "position")
    shown = ", ".join(part for part in (f"role {role}" if role is not None else "", position or "") if part)
    return f"We act as an active user{f' ({shown})' if shown else ''} and see and write what that user may."


def _domain(domain: Domain, known: Currencies) -> str:
    found = identity(domain, known)
    if found.local_currency is None:
        raise Refused("base_currency", f"No currency of {found.text} is marked as the base currency.")
    return f"{found.text}, base currency {found.local_currency}."


def _read(domain: Domain, path: str) -> str:
    """One row; which of the two places the pages are counted in does not matter."""
    asked = {"page": "1", "page_size": "1"}
    name = _name(path)
    try:
        found = batch(domain.read(path, asked, about=f"the list of {name}"), asked, f"the list of {name}")
    except NotFound:
        raise ShapeChanged("path", f"{NAME} has no list at {path}.") from None
    count = f" There are {found.count:,}." if found.count is not None else ""
    return f"{name} can be read.{count}" if found.rows else f"{name} can be read; there are none."


def _pages(domain: Domain) -> str:
    asked = {"page": "1", "page_size": str(domain.page_size)}
    found = batch(domain.read(vendors.PATH, asked, about="a page of vendors"), asked, "a page of vendors")
    given = found.size if found.size is not None else len(found.rows)
    return (
        f"Pages of {domain.page_size} rows were asked for, pages of {given} are given; "
        f"{domain.options.requests_per_second} requests a second, {domain.options.parallel} at a time."
    )


def _write(domain: Domain) -> str:
    """A vendor gets the external id that it has."""
    key = domain.options.test_vendor
    found = domain.one(f"{vendors.PATH}{key}/", about=f"vendor {key}") if key.isdigit() else None
    if found is None:
        raise NotFound(f"{NAME} has no vendor {key}, which is named in test_vendor.")
    name, code = text(found[0], "name"), words(found[0], "external_id")
    about = f"vendor {name} ({key})"
    if code is None:
        raise Refused("field_missing", f"{about[0].upper()}{about[1:]} has no external id to write.", "test_vendor")
    domain.write("PATCH", f"{vendors.PATH}{key}/", {"external_id": code}, about=about)
    return f"{about[0].upper()}{about[1:]} took the external id that it has."


def _name(path: str) -> str:
    """What people call a list."""
    return "orders" if path == orders.LIST else " ".join(path.strip("/").split("/")[2:]).replace("v1 ", "")


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
    return fix if isinstance(error, Refused | NotFound | ShapeChanged) else FIX_NETWORK

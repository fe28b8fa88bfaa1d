"""The test of a Connection: each step as it ends, with what to do about it. Signs in once at most: users are locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ml_connector.systems.base import AuthFailed, Refused, Step, SystemFailure, Throttled
from ml_connector.systems.sapb1 import accounts, documents, invoices, partners, payments
from ml_connector.systems.sapb1.company import Books
from ml_connector.systems.sapb1.errors import NAME
from ml_connector.systems.sapb1.reading import Query, Reading, batch
from ml_connector.systems.sapb1.rows import active, words, yes

FIX_REACH = "Check base_url, the name service, the firewall, and that the Service Layer runs."
FIX_TLS = "Put the certificate of the authority that issued the server's, or its self-signed one, into tls_ca_bundle."
FIX_SIGN_IN = "Check user, password, company_db and the licence. Do not test again and again: the user gets locked."
FIX_COMPANY = "Put company_db right, or make a new Connection for the other company."
FIX_RIGHT = "Give the user the right to read this: Administration > System Initialization > Authorizations."
FIX_MINUTES = "Set session_minutes to the SessionTimeout of the Service Layer."
FIX_ACCOUNT = "Put into bill_clearing_account the code of an active account that may be posted to by hand."

SETS: dict[str, tuple[Query, ...]] = {
    "supplier": (Query(partners.SET, partners.SELECT, partners.SUPPLIERS),),
    "gl_account": (accounts.ACCOUNT,),
    "cost_center": (accounts.RULE,),
    "invoice": (
        Query(documents.INVOICES.entity, documents.SELECT, optional=documents.OPTIONAL),
        Query(documents.CREDIT_NOTES.entity, documents.SELECT, optional=documents.OPTIONAL),
        Query(invoices.ORDERS, ("DocEntry", "DocNum")),
    ),
    "payment": (
        Query(payments.PAYMENTS, payments.SELECT, optional=payments.OPTIONAL),
        Query(payments.DRAFTS, ("DocEntry", "DocNum", "CardCode", "TransferReference")),
    ),
}
"""What each record type is read from, with the fields that must be there."""


def ping(reading: Reading, books: Books, record_types: Sequence[str]) -> Iterator[Step]:
    """Only the record types asked for; all of them for none. Whether the user may write shows at the first write."""
    wanted = [name for name in record_types if name in SETS] or list(SETS)
    chosen = reading.layer.options
    reach = _step("reachable", lambda: _alive(reading), FIX_REACH)
    distrusted = not reach.ok and "certificate" in reach.text
    yield Step("reachable", True, f"{chosen.base_url} answers.") if distrusted else reach  # noqa: FBT003
    yield _tls(chosen.base_url, reach, distrusted=distrusted)
    needed, missing = reach, "the Service Layer was not reached"
    if reach.ok:
        needed = _step("sign in", lambda: _signed_in(reading), FIX_SIGN_IN)
        yield needed
        missing = "the sign-in failed"
    else:
        yield Step("sign in", None, f"Not tried: {missing}.")
    names = ["company", *(f"read {query.entity}" for name in wanted for query in SETS[name]), "pages and sessions"]
    if not needed.ok:
        yield from (Step(name, None, f"Not tried: {missing}.") for name in names)
        return
    yield _step("company", lambda: _company(books, chosen.company_db), FIX_COMPANY)
    for name in wanted:
        for query in SETS[name]:
            yield _step(f"read {query.entity}", partial(_read, reading, query), FIX_RIGHT)
    if "payment" in wanted:
        yield _step("clearing account", lambda: _clearing(reading), FIX_ACCOUNT)
    yield _step("pages and sessions", lambda: _limits(reading, books), FIX_MINUTES)


def _alive(reading: Reading) -> str:
    """Any whole answer will do: a proxy may not pass /ping/ on."""
    answer = reading.layer.alive()
    said = "its load balancer answers" if answer.ok else f"the server answers ({answer.status} for /ping/)"
    return f"{reading.layer.options.base_url}: {said}."


def _tls(base_url: str, reach: Step, *, distrusted: bool) -> Step:
    if distrusted:
        return Step("certificate", False, reach.text, FIX_TLS)  # noqa: FBT003
    if not reach.ok:
        return Step("certificate", None, "Not tried: the Service Layer was not reached.")
    if not base_url.startswith("https://"):
        return Step("certificate", None, "Not tried: the address is plain http on this machine.")
    return Step("certificate", True, "The server's certificate is trusted and names this server.")  # noqa: FBT003


def _signed_in(reading: Reading) -> str:
    layer = reading.layer
    layer.signed_in()
    version = f" Version {layer.version}." if layer.version else ""
    return f"Signed in as {layer.options.user}.{version}"


def _company(books: Books, company_db: str) -> str:
    found = books.company
    text = f"{found.name} ({company_db}), local currency {found.local_currency}."
    if found.branches:
        text += " Branches are on: a payment belongs to one branch."
    if found.approval:
        text += " Approval procedures catch what is posted from outside: payments may become drafts."
    return text


def _read(reading: Reading, query: Query) -> str:
    """One page, with all fields: a missing one is named."""
    rows = next(iter(reading.linked(query))).rows
    return f"{query.entity} can be read{'' if rows else '; it is empty'}."


def _clearing(reading: Reading) -> str:
    code = reading.layer.options.bill_clearing_account
    if not code:
        raise Refused("field_missing", "No clearing account is set, so no payment can be posted.")
    row = reading.one(accounts.ACCOUNT, code, f"account {code}")
    if row is None:
        raise Refused("reference_missing", f"There is no account {code} in {NAME}.", "bill_clearing_account")
    now = reading.layer.access.now().astimezone(reading.layer.options.zone).date()
    if not yes(row, "ActiveAccount") or yes(row, "LockManualTransaction") or not active(row, now):
        raise Refused("code_not_postable", f"Account {code} cannot be posted to.", "bill_clearing_account")
    return f"{code} {words(row, 'Name') or ''} can be posted to."


def _limits(reading: Reading, books: Books) -> str:
    answer = reading.layer.read(
        f"{partners.SET}?$select=CardCode", about="a page of suppliers", page_size=reading.layer.options.page_size
    )
    rows = len(batch(answer).rows)
    most = books.company.most_documents
    minutes, chosen = reading.layer.session_minutes, reading.layer.options.session_minutes
    if minutes and minutes < chosen:
        raise Refused(
            "bad_setting",
            f"The server ends sessions after {minutes} idle minutes, session_minutes says {chosen}.",
            "session_minutes",
        )
    parts = [
        f"Pages of up to {reading.layer.options.page_size} rows were asked for; {rows} came",
        f"a payment takes at most {most} documents" if most else "",
        f"a session ends after {minutes} idle minutes" if minutes else "",
        "one request at a time",
    ]
    return f"{'; '.join(part for part in parts if part)}."


def _step(name: str, action: Callable[[], str], fix: str) -> Step:
    try:
        return Step(name, ok=True, text=action())
    except SystemFailure as error:
        return Step(name, ok=False, text=str(error), fix=_fix(error, fix))


def _fix(error: SystemFailure, fix: str) -> str:
    if isinstance(error, Throttled):
        return "Wait for the limit to pass, then test again."
    return FIX_SIGN_IN if isinstance(error, AuthFailed) else fix

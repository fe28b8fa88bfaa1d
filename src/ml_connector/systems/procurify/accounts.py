"""GlAccount <-> account code; CostCenter <-> department.

A document names an account by its code and a department by its id. An account of Procurify's own kind is an account
code of a department, with a budget. Account codes have no place for an id of ours, and no department has another than
`external_id`. `PUT` takes the whole object. Neither can be deleted; an account code cannot be made inactive from
outside either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ml_connector.domain.numbers import normalised_code
from ml_connector.domain.records import AccountType, CostCenter, GlAccount, Record
from ml_connector.systems.base import (
    Cursor,
    DocumentState,
    Found,
    Item,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Page,
    Ref,
    Refused,
)
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.reading import Whole, combined, listed, rows
from ml_connector.systems.procurify.rows import flag, folded, ident, key_of, part, text, whole, words
from ml_connector.systems.procurify.session import Domain, Json, wrapped
from ml_connector.systems.procurify.settings import Options
from ml_connector.systems.procurify.vendors import within

R = TypeVar("R", bound=Record)

ACCOUNT_CODES, DEPARTMENTS = "/api/v3/account-codes/", "/api/v3/departments/"
AXIS = "departments"

OTHER = 5
ACCOUNT_TYPES = {
    0: AccountType.ASSET,
    1: AccountType.LIABILITY,
    2: AccountType.EXPENSE,
    3: AccountType.REVENUE,
    4: AccountType.EQUITY,
    OTHER: AccountType.EXPENSE,
}
"""A type that is missing here is read as expense: it is what people buy on."""
THEIR_TYPES = {
    AccountType.ASSET: 0,
    AccountType.LIABILITY: 1,
    AccountType.EXPENSE: 2,
    AccountType.REVENUE: 3,
    AccountType.EQUITY: 4,
    AccountType.STATISTICAL: OTHER,
    AccountType.HEADING: OTHER,
}


def from_account_code(row: Json) -> GlAccount:
    code, kind = text(row, "code"), whole(row, "account_type")
    return GlAccount(
        code=code,
        name=words(row, "description") or code,
        type=ACCOUNT_TYPES.get(kind if kind is not None else OTHER, AccountType.EXPENSE),
        postable=flag(row, "active") is not False,
    )


def to_account_code(account: GlAccount) -> Json:
    """Raises Refused, naming the field, for what Procurify would not take."""
    about = f"Account {account.code}"
    return {
        "code": within(_required(account.code, about, "code"), 50, about, "code"),
        "description": within(_required(account.name, about, "name"), 200, about, "name"),
        "account_type": THEIR_TYPES[account.type],
    }


def from_department(row: Json) -> CostCenter:
    """People know it by the ERP's code, else by its name and its location."""
    key, name = ident(row, "id"), text(row, "name")
    site = words(part(row, "branch"), "name")
    return CostCenter(
        code=key,
        name=name,
        number=words(row, "external_id") or (f"{name} ({site})" if site else name),
        dimension=AXIS,
        postable=flag(row, "active") is not False,
    )


def to_department(center: CostCenter, row: Json | None, options: Options) -> Json:
    """The whole department; what we do not own stays as it stands in `row`."""
    about = f"Cost center {center.code}"
    branch: int | str | None = options.default_branch
    if row is not None:
        branch = int(ident(row, "branch"))
    if branch is None:
        raise Refused(
            "bad_setting",
            f"{about} would be a new department, and default_branch names no location for it. Enter the location in "
            f"the Connection to {NAME}.",
            "default_branch",
        )
    body: Json = {
        "name": within(_required(center.name, about, "name"), 150, about, "name"),
        "branch": branch,
        "external_id": within(_required(center.code, about, "code"), 100, about, "code"),
        "active": center.postable,
    }
    kept = words(row or {}, "punchout_email")
    return {**body, "punchout_email": kept} if kept else body


class AccountCodes(Whole[GlAccount]):
    """Source of GlAccount. Where a code is there twice, the active one counts."""

    def changes(self, since: Cursor | None) -> Iterator[Page[GlAccount]]:
        digests: list[str] = []
        found: dict[str, Item[GlAccount]] = {}
        for batch in listed(self.domain, self.path, self.key, self.params, about=self.about):
            digests.append(batch.digest)
            for item in self._items(batch.rows):
                if item.key not in found or item.record.postable:
                    found[item.key] = item
        yield Page(list(found.values()), None, combined(digests))


def accounts(domain: Domain) -> Whole[GlAccount]:
    def convert(row: Json) -> Item[GlAccount]:
        record = from_account_code(row)
        return Item(record.code, record)

    return AccountCodes(domain, ACCOUNT_CODES, key_of, convert, "the list of account codes")


def departments(domain: Domain) -> Whole[CostCenter]:
    def convert(row: Json) -> Item[CostCenter]:
        return Item(ident(row, "id"), from_department(row))

    return Whole(domain, DEPARTMENTS, key_of, convert, "the list of departments")


@dataclass(frozen=True)
class Kind(Generic[R]):
    """What account codes and departments have of their own, as a target."""

    path: str
    noun: str
    our_code: Callable[[R], str]
    their_code: Callable[[Json], str | None]
    """By which a row is found again."""
    name: Callable[[R], str]
    from_wire: Callable[[Json], R]
    to_wire: Callable[[R, Json | None], Json]
    active: Callable[[Json], bool]
    inactive: Callable[[Json], Json] | None
    """The whole object, made inactive; None where that cannot be done from outside."""
    filter: Callable[[str], Mapping[str, str]]
    """What narrows the list to a code."""


class Codes(Generic[R]):
    """Target of one kind: there is no call for one object, so each look is a look at the list."""

    def __init__(self, domain: Domain, kind: Kind[R]) -> None:
        self.domain = domain
        self.kind = kind

    def find(self, record: R, mark: str) -> list[Found[R]]:
        """What has our code; else what has our name, and no code of its own, as a suggestion for people."""
        code, name = self.kind.our_code(record), folded(self.kind.name(record))
        found = list(self._rows(f"the search for {self._about(record)}", self.kind.filter(code)))
        coded = [row for row in found if normalised_code(self.kind.their_code(row) or "") == normalised_code(code)]
        if coded:
            active = [row for row in coded if self.kind.active(row)]
            return [self._found(row, mark) for row in active or coded]
        named = [
            row
            for row in found
            if not self.kind.their_code(row) and folded(self.kind.name(self.kind.from_wire(row))) == name
        ]
        return [self._found(row) for row in named]

    def get(self, key: str) -> Found[R] | None:
        row = self._row(key)
        return None if row is None else self._found(row)

    def create(self, record: R, mark: str) -> Ref:
        about = self._about(record)
        return self._written("POST", self.kind.path, self.kind.to_wire(record, None), about)

    def update(self, ref: Ref, record: R, mark: str) -> Ref:
        """Sends the whole object; no call where it says so already."""
        row = self._row(ref.key)
        if row is None:
            raise NotFound(f"{NAME} has no {self.kind.noun} {ref.key} any more. Link {self._about(record)} anew.")
        body = self.kind.to_wire(record, row)
        if all(_agrees(value, row.get(name)) for name, value in body.items()):
            return Ref(ref.key)
        return self._written("PUT", f"{self.kind.path}{ref.key}/", body, self._about(record), ref.key)

    def cancel(self, ref: Ref, reason: str) -> None:
        """Makes it inactive; nothing is deleted. Done twice is done once."""
        row = self._row(ref.key)
        if row is None or not self.kind.active(row):
            return
        about = f"{self.kind.noun} {self.kind.their_code(row) or ref.key}"
        if self.kind.inactive is None:
            raise NoLonger(
                "unsupported",
                f"{about[0].upper()}{about[1:]} cannot be made inactive from outside. Do it in {NAME} by hand.",
            )
        self._written("PUT", f"{self.kind.path}{ref.key}/", self.kind.inactive(row), about, ref.key)

    def identity_differences(self, sent: R, found: R) -> list[str]:
        """The code by which both sides know it."""
        theirs = found.number if isinstance(found, CostCenter) else self.kind.our_code(found)
        return [] if normalised_code(self.kind.our_code(sent)) == normalised_code(theirs or "") else ["code"]

    def differences(self, sent: R, found: R) -> list[str]:
        """Besides the code: name, whether it is active where that can be written, and an account's type."""
        names = ["name"] if self.kind.name(sent).split() != self.kind.name(found).split() else []
        if isinstance(sent, GlAccount) and isinstance(found, GlAccount):
            same = ACCOUNT_TYPES[THEIR_TYPES[sent.type]] is found.type
            names += [] if same else ["type"]
        if isinstance(sent, CostCenter) and isinstance(found, CostCenter) and sent.postable != found.postable:
            names.append("postable")
        return [*self.identity_differences(sent, found), *names]

    def _written(self, method: str, path: str, body: Json, about: str, key: str = "") -> Ref:
        answer = self.domain.write(method, path, body, about=about)
        made = wrapped(answer)
        theirs = made.get("id")
        if isinstance(theirs, bool) or not isinstance(theirs, int | str) or (key and str(theirs) != key):
            raise answer.unclear(f"it names another {self.kind.noun} than was sent")
        if any(
            name in made and not _agrees(body[name], made[name])
            for name in ("code", "name", "external_id")
            if name in body
        ):
            raise OutcomeUnknown(f"{NAME} answered {about} with another {self.kind.noun}; it is looked up.")
        return Ref(str(theirs))

    def _row(self, key: str) -> Json | None:
        about = f"{self.kind.noun} {key}"
        return next((row for row in self._rows(about, {}) if ident(row, "id") == key), None)

    def _rows(self, about: str, params: Mapping[str, str]) -> Iterator[Json]:
        return rows(self.domain, self.kind.path, key_of, params, about=about)

    def _found(self, row: Json, mark: str | None = None) -> Found[R]:
        state = DocumentState.OPEN if self.kind.active(row) else DocumentState.ARCHIVED
        return Found(ident(row, "id"), self.kind.from_wire(row), mark, state)

    def _about(self, record: R) -> str:
        return f"{self.kind.noun} {self.kind.our_code(record)} ({self.kind.name(record)})"


def account_codes_target(domain: Domain) -> Codes[GlAccount]:
    return Codes(
        domain,
        Kind(
            path=ACCOUNT_CODES,
            noun="account code",
            our_code=lambda account: account.code,
            their_code=lambda row: words(row, "code"),
            name=lambda account: account.name,
            from_wire=from_account_code,
            to_wire=lambda account, row: to_account_code(account),
            active=lambda row: flag(row, "active") is not False,
            inactive=None,
            filter=lambda code: {"code": code},
        ),
    )


def departments_target(domain: Domain) -> Codes[CostCenter]:
    return Codes(
        domain,
        Kind(
            path=DEPARTMENTS,
            noun="department",
            our_code=lambda center: center.code,
            their_code=lambda row: words(row, "external_id"),
            name=lambda center: center.name,
            from_wire=from_department,
            to_wire=lambda center, row: to_department(center, row, domain.options),
            active=lambda row: flag(row, "active") is not False,
            inactive=_closed,
            filter=lambda code: {},
        ),
    )


def _closed(row: Json) -> Json:
    """A department as it is, made inactive."""
    body: Json = {"name": text(row, "name"), "branch": int(ident(row, "branch")), "active": False}
    kept = {name: value for name in ("external_id", "punchout_email") if (value := words(row, name))}
    return {**body, **kept}


def _agrees(ours: Any, theirs: Any) -> bool:
    """Whether what Procurify holds says what we would send; it answers ids as objects."""
    if isinstance(theirs, dict):
        theirs = theirs.get("id")
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours.split() == theirs.split()
    return bool(ours == theirs)


def _required(value: str, about: str, field: str) -> str:
    if not value.strip():
        raise Refused("field_missing", f"{about} has no {field}, which {NAME} needs. Enter it in the ERP.", field)
    return value.strip()

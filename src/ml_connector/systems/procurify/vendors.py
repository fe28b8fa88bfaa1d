"""Supplier <-> vendor.

Vendors are found by `external_id`, which holds the ERP's code and serves as our mark, and by name; whether a second one
of a name is refused is not known. `email` is a list. The plain list holds active vendors only. Vendor 1 (OTHER) and
employees are no suppliers. Payment methods come masked: a keyed hash of them is kept, which tells a change and nothing
else (R52). Terms are read and never written: how to name one in a write is not documented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ml_connector.domain.numbers import normalised_code
from ml_connector.domain.records import Address, Supplier
from ml_connector.systems import fingerprint
from ml_connector.systems.base import Conflict, DocumentState, Found, Item, NotFound, Ref, Refused
from ml_connector.systems.procurify.currencies import Currencies
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.reading import Whole, rows
from ml_connector.systems.procurify.rows import (
    flag,
    folded,
    ident,
    key_of,
    maybe_ident,
    maybe_instant,
    members,
    text,
    whole,
)
from ml_connector.systems.procurify.rows import words as words_of
from ml_connector.systems.procurify.session import Domain, Json, wrapped
from ml_connector.systems.procurify.settings import Options
from ml_connector.systems.transport.answer import Answer

PATH = "/api/v3/vendors/"
WIDTHS = {
    "name": 150, "external_id": 100, "contact": 50, "phoneOne": 20, "addressLineOne": 300, "addressLineTwo": 300,
    "city": 50, "state_province": 40, "postalCode": 20, "country": 80,
}  # fmt: skip
OURS = {
    "name": "name", "external_id": "code", "contact": "contact", "phoneOne": "phone", "email": "email",
    "addressLineOne": "address.line1", "addressLineTwo": "address.line2", "city": "address.city",
    "state_province": "address.region", "postalCode": "address.postal_code", "country": "address.country",
    "currency": "currency",
}  # fmt: skip
"""Procurify's fields, and what we call them."""

OWNED = ("name", "currency")
"""What the ERP owns unless the Flow says otherwise; the rest is written once, with a new vendor (R45)."""

_LOOSE = frozenset({"phone", "address.postal_code"})
_BANK = ("data", "type", "payment_rail", "bank_account_country_code")


def list_path(options: Options) -> str:
    return f"{PATH}{options.vendor_group}/" if options.vendor_group else PATH


# --- vendor -> Supplier


def from_vendor(row: Json, currencies: Currencies) -> Supplier:
    """An inactive vendor is on hold: its documents wait."""
    emails = row.get("email")
    listed = [one.strip() for one in emails if isinstance(one, str)] if isinstance(emails, list) else []
    return Supplier(
        code=words_of(row, "external_id") or ident(row, "id"),
        name=text(row, "name"),
        currency=currencies.name(maybe_ident(row, "currency")),
        terms=maybe_ident(row, "payment_term_ref"),
        address=from_address(row),
        email=next((one for one in listed if one), None),
        phone=words_of(row, "phoneOne"),
        contact=words_of(row, "contact"),
        on_hold=flag(row, "active") is False,
    )


def from_address(row: Json) -> Address | None:
    """The vendor's one address; None where no part of it is filled in."""
    first, second = words_of(row, "addressLineOne"), words_of(row, "addressLineTwo")
    found = Address(
        line1=first or second or "",
        line2=second if first else None,
        city=words_of(row, "city"),
        region=words_of(row, "state_province"),
        postal_code=words_of(row, "postalCode"),
        country=words_of(row, "country"),
    )
    return None if found == Address(line1="") else found


def payee(row: Json, keyed: Callable[[str], str] | None) -> dict[str, str]:
    """The fingerprint of where the vendor's money goes (R52 to R54), of what this row states of it."""
    parts: dict[str, Any] = {}
    if "payment_methods" in row:
        methods = members(row, "payment_methods")
        parts[fingerprint.ACCOUNT] = [{name: method.get(name) for name in _BANK} for method in methods]
    if "default_payment_method" in row:
        parts[fingerprint.METHOD] = row["default_payment_method"]
    return fingerprint.observed(keyed, parts) if parts else {}


def suppliers(domain: Domain, currencies: Currencies) -> Whole[Supplier]:
    """Source of Supplier: vendors of the types that the settings name."""

    def convert(row: Json) -> Item[Supplier] | None:
        if whole(row, "type") not in domain.options.vendor_types:
            return None
        record = from_vendor(row, currencies)
        return Item(
            ident(row, "id"), record, None, maybe_instant(row, "dateModified"), payee(row, domain.access.fingerprint)
        )

    return Whole(domain, list_path(domain.options), key_of, convert, "the list of vendors", PATH + "{}/")


# --- Supplier -> vendor


def to_vendor(supplier: Supplier, currency: Callable[[str, str], int]) -> Json:
    """All fields that the supplier states. `currency` gives the id of an ISO code.

    Raises Refused, naming supplier and field, for what Procurify would not take.
    """
    about = f"Supplier {supplier.code} ({supplier.name.strip()})"
    for name, value in (("name", supplier.name), ("code", supplier.code)):
        if not value.strip():
            raise Refused("field_missing", f"{about} has no {name}, which {NAME} needs. Enter it in the ERP.", name)
    given: dict[str, str | None] = {
        "name": supplier.name,
        "external_id": supplier.code,
        "contact": supplier.contact,
        "phoneOne": supplier.phone,
    }
    if supplier.address is not None:
        given |= _address(supplier.address)
    body: Json = {}
    for theirs, ours in given.items():
        if ours and ours.strip():
            body[theirs] = within(ours.strip(), WIDTHS[theirs], about, OURS[theirs])
    if supplier.email:
        body["email"] = [supplier.email.strip()]
    if supplier.currency:
        body["currency"] = currency(supplier.currency, about)
    return body


def _address(address: Address) -> dict[str, str | None]:
    return {
        "addressLineOne": address.line1,
        "addressLineTwo": ", ".join(line for line in (address.line2, address.line3) if line),
        "city": address.city,
        "state_province": address.region,
        "postalCode": address.postal_code,
        "country": address.country,
    }


def within(value: str, longest: int, about: str, field: str) -> str:
    """A text that Procurify takes whole. Raises Refused for a longer one: nothing is cut (R31)."""
    if len(value) > longest:
        raise Refused(
            "field_too_long",
            f"{about}: its {field} has {len(value)} characters, {NAME} takes {longest}. Shorten it in the ERP.",
            field,
        )
    return value


class Vendors:
    """Target of Supplier. Writes what the Flow owns, and nothing else (R45)."""

    def __init__(self, domain: Domain, currencies: Currencies, policy: Mapping[str, Any]) -> None:
        """`policy`: `owns`, the names of fields that are amended; name and currency if not given."""
        self.domain = domain
        self.currencies = currencies
        self._owns = tuple(policy.get("owns") or OWNED)

    def find(self, record: Supplier, mark: str) -> list[Found[Supplier]]:
        """The vendors with the supplier's code as external id; else those of its name."""
        about = f"the search for supplier {record.code}"
        coded = [row for row in self._matching("external_id", record.code, about) if _has_code(row, record.code)]
        if coded:
            return [self._found(row, mark) for row in coded]
        name = record.name.strip()
        named = [row for row in self._matching("name", name, about) if folded(text(row, "name")) == folded(name)]
        return [self._found(row) for row in named]

    def get(self, key: str) -> Found[Supplier] | None:
        row = self._row(key)
        return None if row is None else self._found(row)

    def create(self, record: Supplier, mark: str) -> Ref:
        body = to_vendor(record, self.currencies.key)
        body |= {"type": self.domain.options.new_vendor_type, "email": body.get("email", []), "overall_score": None}
        answer = self.domain.write("POST", PATH, body, about=_about(record))
        made = wrapped(answer)
        if folded(str(made.get("name") or "")) != folded(record.name):
            raise answer.unclear("it names another vendor than was sent")
        return Ref(_same(answer, made))

    def update(self, ref: Ref, record: Supplier, mark: str) -> Ref:
        """Sends the owned fields that differ; no call where none does."""
        row = self._row(ref.key)
        if row is None:
            raise _gone(ref.key, f"supplier {record.code}")
        _check_code(row, ref.key, record.code)
        differing = self.differences(record, from_vendor(row, self.currencies))
        body = to_vendor(record, self.currencies.key)
        self._amend(ref.key, {name: value for name, value in body.items() if OURS[name] in differing}, _about(record))
        return Ref(ref.key)

    def write_code(self, key: str, code: str) -> None:
        """Writes the ERP's code into a vendor's external id: what the vendor is found by from then on. No call where
        it stands there already. Raises Conflict where another code does."""
        row = self._row(key)
        if row is None:
            raise _gone(key, f"supplier {code}")
        _check_code(row, key, code)
        if _has_code(row, code):
            return
        about = f"supplier {code}"
        self._amend(key, {"external_id": within(code, WIDTHS["external_id"], about, "code")}, f"the code of {about}")

    def cancel(self, ref: Ref, reason: str) -> None:
        """Makes the vendor inactive; nothing is deleted. Done twice is done once."""
        row = self._row(ref.key)
        if row is None:
            raise _gone(ref.key, "a supplier")
        if flag(row, "active") is not False:
            self._amend(ref.key, {"active": False}, f"vendor {text(row, 'name')} ({ref.key})")

    def identity_differences(self, sent: Supplier, found: Supplier) -> list[str]:
        """The code. A vendor that bears none is a suggestion for people, whatever its name (R46)."""
        return [] if normalised_code(sent.code) == normalised_code(found.code) else ["code"]

    def differences(self, sent: Supplier, found: Supplier) -> list[str]:
        """Owned fields that the source states; an absent one is not ours to clear."""
        identity = self.identity_differences(sent, found)
        owned = [name for name in OURS.values() if name.partition(".")[0] in self._owns or name in self._owns]
        return identity + [name for name in owned if name not in identity and _differs(name, sent, found)]

    def _amend(self, key: str, changes: Json, about: str) -> None:
        if changes:
            answer = self.domain.write("PATCH", f"{PATH}{key}/", changes, about=about)
            if _same(answer, wrapped(answer)) != key:
                raise answer.unclear("it names another vendor than was changed")

    def _row(self, key: str) -> Json | None:
        found = self.domain.one(f"{PATH}{key}/", about=f"vendor {key}")
        return None if found is None else found[0]

    def _matching(self, name: str, value: str, about: str) -> list[Json]:
        """Filters that Procurify does not know are passed over by it, so what comes is compared again."""
        return list(rows(self.domain, list_path(self.domain.options), key_of, {name: value}, about=about))

    def _found(self, row: Json, mark: str | None = None) -> Found[Supplier]:
        state = DocumentState.ARCHIVED if flag(row, "active") is False else DocumentState.OPEN
        stamp = maybe_instant(row, "dateModified")
        return Found(
            ident(row, "id"),
            from_vendor(row, self.currencies),
            mark,
            state,
            updated=stamp.isoformat() if stamp else None,
        )


def _check_code(row: Json, key: str, code: str) -> None:
    """Raises Conflict for a vendor that bears another supplier's code: it is never overwritten."""
    theirs = words_of(row, "external_id")
    if theirs is not None and not _has_code(row, code):
        raise Conflict(
            f"Vendor {text(row, 'name')} ({key}) has the external id {theirs} in {NAME}, not {code}. Find out "
            "which supplier it is, and correct the external id there or the Link here."
        )


def _has_code(row: Json, code: str) -> bool:
    theirs = words_of(row, "external_id")
    return theirs is not None and normalised_code(theirs) == normalised_code(code)


def _differs(name: str, sent: Supplier, found: Supplier) -> bool:
    """Whether a field says something else. How a phone number or a postal code is spaced says nothing."""
    ours, theirs = _value(name, sent), _value(name, found)
    if not ours:
        return False
    if name in _LOOSE:
        return re.sub(r"\W", "", ours).casefold() != re.sub(r"\W", "", theirs).casefold()
    if name in {"email", "currency"}:
        return ours.casefold() != theirs.casefold()
    return ours.split() != theirs.split()


def _value(name: str, supplier: Supplier) -> str:
    address = supplier.address
    if name == "address.line2":
        return ", ".join(line for line in (address.line2, address.line3) if line) if address else ""
    owner, _, field = name.rpartition(".")
    value = getattr(address if owner else supplier, field, None)
    return str(value or "").strip()


def _same(answer: Answer, row: Json) -> str:
    key = row.get("id")
    if isinstance(key, bool) or not isinstance(key, int | str):
        raise answer.unclear("it names no vendor")
    return str(key)


def _about(record: Supplier) -> str:
    return f"the vendor for supplier {record.code} ({record.name})"


def _gone(key: str, linked: str) -> NotFound:
    return NotFound(f"{NAME} has no vendor {key} any more, which {linked} is linked to. Link it to another one.")

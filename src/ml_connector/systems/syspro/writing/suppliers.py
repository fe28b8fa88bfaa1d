"""Target of Supplier: APSSSP adds and changes, ApSupplier shows it.

SYSPRO: the code is the key and is chosen by who adds a supplier. Our mark stands in UserField1 of those that we add,
where the site leaves that field to us: a supplier whose answer was lost is found by it, whatever its code became.
"""

from __future__ import annotations

import re
import unicodedata

from ml_connector.domain.numbers import find_mark, normalised_code
from ml_connector.domain.records import Supplier
from ml_connector.systems.base import Found, NotFound, OutcomeUnknown, Ref, SystemFailure
from ml_connector.systems.syspro.listing import Listing
from ml_connector.systems.syspro.policies import Policies
from ml_connector.systems.syspro.tables import ApSupplierAddr, columns
from ml_connector.systems.syspro.where import Condition, Where, that
from ml_connector.systems.syspro.writing.apsssp import (
    about,
    new_code,
    to_add,
    to_hold,
    to_update,
)
from ml_connector.systems.syspro.writing.company import Company
from ml_connector.systems.syspro.writing.form import TEXTS, Form, held, shortened, stripped
from ml_connector.systems.syspro.writing.poster import Poster, Posting
from ml_connector.systems.syspro.writing.reply import another, members
from ml_connector.systems.syspro.writing.tables import SupplierCode

MARK_FIELD = "UserField1"
_LOOSE = frozenset({"phone", "tax_id"})
_FIELDS_OF_TEXT = {"name": "SupplierName", "short_name": "SupShortName", "contact": "Contact"}
_LINES = {"line1": "SupAddr1", "city": "SupAddr4", "region": "SupAddr5"}


class Suppliers:
    """Target of Supplier. Writes what the Flow owns, and nothing else (R45)."""

    def __init__(self, poster: Poster, company: Company, source: Listing[Supplier], policies: Policies) -> None:
        self._poster = poster
        self._company = company
        self._source = source
        self._owns = policies.owns
        self._shorten = policies.shorten_names
        self._validate = policies.validate_first
        self._made: set[str] = set()

    def find(self, record: Supplier, mark: str) -> list[Found[Supplier]]:
        """By mark, else by the code; where suppliers bear no mark, by the exact name as well."""
        settings = self._company.options.writing
        terms = [(Condition("Supplier", "eq", record.code),)]
        if settings.marks_suppliers:
            terms.append((Condition(MARK_FIELD, "eq", mark),))
        else:
            terms.append((Condition("SupplierName", "eq", self._name(record)),))
        rows = self._company.reading.rows(SupplierCode, Where(any=(tuple(terms),)))
        marked = [row for row in rows if find_mark(row.user_field1 or "") == mark]
        found = (self._found(row) for row in marked or rows)
        return [hit for hit in found if hit is not None]

    def get(self, key: str) -> Found[Supplier] | None:
        rows = self._company.reading.rows(SupplierCode, that("Supplier", "eq", key))
        return self._found(rows[0]) if rows else None

    def create(self, record: Supplier, mark: str) -> Ref:
        """Adds it under a code by the site's rule, then reads it back."""
        rule = self._company.options.writing.code_rule
        taken = self._codes() if rule == "from_name" else ()
        code = new_code(record, taken, rule)
        currency = self._company.code(record.currency, Form(about(record))) if record.currency else None
        posting = to_add(record, code, mark, currency, self._company.options, shorten=self._shorten)
        self._send(posting, code)
        self._made.add(code)
        try:
            found = self.get(code)
        except SystemFailure:
            return Ref(code)
        if found is None:
            raise OutcomeUnknown(f"SYSPRO counts {about(record)} as added, but does not show it. It is looked up.")
        return Ref(found.key)

    def update(self, ref: Ref, record: Supplier, mark: str) -> Ref:
        """Sends the owned fields that differ; no call where none does."""
        found = self.get(ref.key)
        if found is None:
            raise NotFound(f"SYSPRO has no supplier {ref.key} any more, which {about(record)} is linked to.")
        changed = self._owned_differences(record, found.record)
        if changed:
            cells = self._cells(found.key)
            options = self._company.options
            self._send(to_update(record, found.key, changed, cells, options, shorten=self._shorten), found.key)
        return Ref(found.key)

    def cancel(self, ref: Ref, reason: str) -> None:
        """Puts the supplier on hold: SYSPRO deletes none that has documents. Done twice is done once."""
        found = self.get(ref.key)
        if found is None:
            raise NotFound(f"SYSPRO has no supplier {ref.key} any more.")
        if not found.record.on_hold:
            self._send(to_hold(found.key), found.key)

    def identity_differences(self, sent: Supplier, found: Supplier) -> list[str]:
        """The name; besides, where both sides state them, currency and tax id. A code alone adopts nothing: what one
        side uses as a code may be another supplier's on the other (R46)."""
        pairs = {
            "name": _folded(self._name(sent)) == _folded(found.name),
            "currency": not sent.currency or not found.currency or sent.currency == found.currency,
            "tax_id": not sent.tax_id or not found.tax_id or _agree("tax_id", sent.tax_id, found.tax_id),
        }
        return [name for name, same in pairs.items() if not same]

    def differences(self, sent: Supplier, found: Supplier) -> list[str]:
        """Fields that the Flow owns and the source states."""
        return self._owned_differences(sent, found)

    def _owned_differences(self, sent: Supplier, found: Supplier) -> list[str]:
        result = []
        for name in self._owns:
            if name == "address":
                result += [f"address.{part}" for part in self._address_differences(sent, found)]
            elif name in {"on_hold", "needs_receipt_match"}:
                result += [name] if getattr(sent, name) != getattr(found, name) else []
            else:
                ours, theirs = getattr(sent, name), getattr(found, name)
                if ours and not _agree(name, self._written(name, ours), theirs or ""):
                    result.append(name)
        return result

    def _address_differences(self, sent: Supplier, found: Supplier) -> list[str]:
        ours, theirs = sent.address, found.address
        if ours is None:
            return []
        second = ", ".join(part for part in (ours.line2, ours.line3) if part)
        wanted = {"line1": ours.line1, "line2": second, "city": ours.city, "region": ours.region,
                  "postal_code": ours.postal_code, "country": ours.country}  # fmt: skip
        return [
            part
            for part, value in wanted.items()
            if value and not _agree(part, self._line(part, value), (theirs and getattr(theirs, part)) or "")
        ]

    def _written(self, name: str, value: str) -> str:
        """A field as SYSPRO will hold it."""
        element = _FIELDS_OF_TEXT.get(name)
        if element is None:
            return value
        return _as_held(element, value)

    def _line(self, part: str, value: str) -> str:
        element = _LINES.get(part)
        return _as_held(element, value) if element and (self._shorten or len(value) <= TEXTS[element]) else value

    def _name(self, record: Supplier) -> str:
        return _as_held("SupplierName", record.name)

    def _codes(self) -> set[str]:
        """Every code there is."""
        return {row.supplier.rstrip() for row in self._company.reading.rows(SupplierCode)} | self._made

    def _cells(self, code: str) -> dict[str, str]:
        """What the columns of the address hold now, by name."""
        rows = self._company.reading.rows(ApSupplierAddr, that("Supplier", "eq", code))
        return {each.name: str(getattr(rows[0], each.field) or "") for each in columns(ApSupplierAddr)} if rows else {}

    def _found(self, row: SupplierCode) -> Found[Supplier] | None:
        item = self._source.get(row.supplier)
        return None if item is None else Found(item.key, item.record, find_mark(row.user_field1 or ""))

    def _send(self, posting: Posting, code: str) -> None:
        answer = self._poster.post(posting, validate_first=self._validate)
        item = answer.first("Item")
        key = None if item is None else members(item, "Key", "Supplier")
        named = "" if key is None else (key.text or "").strip()
        if named and normalised_code(named).upper() != normalised_code(code).upper():
            raise another(posting.about, f"supplier {named}")


def _as_held(element: str, value: str) -> str:
    try:
        return shortened(element, value)
    except ValueError:
        return stripped(value)


def _agree(name: str, ours: str, theirs: str) -> bool:
    """Whether two texts say the same. How a number is spaced says nothing."""
    if name in _LOOSE or name == "postal_code":
        return re.sub(r"\W", "", ours).casefold() == re.sub(r"\W", "", theirs).casefold()
    if name == "email":
        return ours.strip().casefold() == theirs.strip().casefold()
    return _plain(ours) == _plain(theirs)


def _plain(value: str) -> str:
    try:
        return held(value)
    except ValueError:
        return stripped(value)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())

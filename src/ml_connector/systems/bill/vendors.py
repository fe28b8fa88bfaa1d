"""Supplier <-> BILL vendor.

BILL requires a name of 1 to 100 characters and an address with line1, city, postal code and a two-letter country;
knows neither PUT nor DELETE (archive and restore instead, both idempotent); and leaves unset fields out of its
answers. A row of the list can carry fewer fields than the vendor itself. Whether it refuses a second vendor with the
same name is not documented, so the name is searched first. Bank details and payment information are never sent, and of
what BILL states of them only a keyed hash is kept (R52); BILL owns them, the terms, the account number and the
automatic payment. Vendors as a source are in `vendor_reading`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from ml_connector.domain.numbers import normalised, normalised_code
from ml_connector.domain.records import Address, Supplier, TaxIdKind
from ml_connector.systems.base import Cursor, DocumentState, Found, NotFound, OutcomeUnknown, Ref, Refused
from ml_connector.systems.bill.currencies import Currencies
from ml_connector.systems.bill.lists import created_pages, part, safe, stamp, text, updated_pages, words
from ml_connector.systems.bill.session import Bill, Json, identified
from ml_connector.systems.bill.settings import BillSettings

PATH = "/v3/vendors"
NAME_MAX = 100
SHORT_NAME_MAX = 40
BATCH_SIZE = 20

TAX_ID_TYPES = {TaxIdKind.EIN: "EIN", TaxIdKind.SSN: "SSN", TaxIdKind.VAT: "UNDEFINED", TaxIdKind.OTHER: "UNDEFINED"}
TAX_ID_KINDS = {"EIN": TaxIdKind.EIN, "SSN": TaxIdKind.SSN}


def to_vendor(supplier: Supplier, settings: BillSettings) -> Json:
    """The fields that we own. Raises Refused, naming supplier and field, for what BILL would not take."""
    about = f"Supplier {supplier.code}"
    name = supplier.name.strip()
    if not name:
        raise _missing(about, "name", "name")
    about = f"{about} ({name})"
    if len(name) > NAME_MAX:
        raise _too_long(about, "name", len(name), NAME_MAX)
    body: Json = {"name": name, "address": to_address(supplier.address, about, settings.default_country)}
    if settings.vendor_code_field == "shortName":
        if len(supplier.code) > SHORT_NAME_MAX:
            raise _too_long(about, "code", len(supplier.code), SHORT_NAME_MAX)
        body["shortName"] = supplier.code
    if supplier.email:
        body["email"] = supplier.email
    if supplier.phone:
        body["phone"] = supplier.phone
    additional: Json = {}
    if supplier.tax_id:
        additional["taxId"] = supplier.tax_id
        additional["taxIdType"] = TAX_ID_TYPES[supplier.tax_id_kind or TaxIdKind.EIN]
    if supplier.reportable_1099:
        additional["track1099"] = True
    if additional:
        body["additionalInfo"] = additional
    return body


def to_address(address: Address | None, about: str, default_country: str = "") -> Json:
    """Raises Refused, naming the part, where BILL requires one that is absent."""
    country = (address.country if address else None) or default_country
    required = {
        "line1": (address and address.line1, "line1", "street (first address line)"),
        "city": (address and address.city, "city", "city"),
        "zipOrPostalCode": (address and address.postal_code, "postal_code", "postal code"),
        "country": (country, "country", "country"),
    }
    body: Json = {}
    for theirs, (value, ours, words_for_people) in required.items():
        if not value or not value.strip():
            raise _missing(about, f"address.{ours}", words_for_people)
        body[theirs] = value.strip()
    if address is not None:
        line2 = ", ".join(line for line in (address.line2, address.line3) if line)
        if line2:
            body["line2"] = line2
        if address.region:
            body["stateOrProvince"] = address.region
    return body


def from_vendor(row: Json, code: str | None = None) -> Supplier:
    """The vendor in our terms. Its code is the short name, else `code`, else BILL's id."""
    key = text(row, "id")
    address = part(row, "address")
    return Supplier(
        code=words(row, "shortName") or code or key,
        name=text(row, "name"),
        short_name=words(row, "shortName"),
        tax_id=words(row, "additionalInfo.taxId"),
        tax_id_kind=TAX_ID_KINDS.get(words(row, "additionalInfo.taxIdType") or ""),
        reportable_1099=part(row, "additionalInfo.track1099") is True,
        currency=words(row, "billCurrency"),
        address=_from_address(row) if isinstance(address, dict) else None,
        email=words(row, "email"),
        phone=words(row, "phone"),
    )


class Vendors:
    """Target of Supplier; also listed, created in batches, and looked up by documents for its currency."""

    batch_size = BATCH_SIZE

    def __init__(self, bill: Bill, currencies: Currencies) -> None:
        self.bill = bill
        self.currencies = currencies

    def foresee(self, key: str, record: Supplier) -> None:
        self.currencies.foresee(key, record.currency)

    def find(self, record: Supplier, mark: str) -> list[Found[Supplier]]:
        """Vendors with the code, which serves as the mark; else those with the name or the tax id.

        Reads the whole list unless one with our name has our code.
        """
        about = f"the search for vendor {record.name}"
        wanted = record.name.strip()
        prefix = wanted if safe(wanted) else wanted[: min(map(wanted.find, _found_unsafe(wanted)), default=0)].rstrip()
        if prefix:
            condition = f"name:eq:{wanted}" if prefix == wanted else f'name:sw:"{prefix}"'
            named = self._matching(record, [condition], about)
            if any(self._has_code(row, record) for row in named):
                return self._hits(record, named)
        return self._hits(record, self._matching(record, [], about))

    def get(self, key: str) -> Found[Supplier] | None:
        row = self.bill.one(PATH, key, about=f"vendor {key}")
        return None if row is None else self._found(row)

    def create(self, record: Supplier, mark: str) -> Ref:
        answer = self.bill.write("POST", PATH, self._new(record), about=_about(record))
        return Ref(str(identified(answer)["id"]))

    def create_batch(self, records: Sequence[tuple[Supplier, str]]) -> list[Ref]:
        """All or nothing; BILL's reply is `{"vendors": [...]}`."""
        body = [self._new(record) for record, _ in records]
        answer = self.bill.write_batch(f"{PATH}/bulk", body, about=f"{len(body)} vendors at once")
        reply = answer.json()
        rows = reply.get("vendors") if isinstance(reply, dict) else reply
        if not isinstance(rows, list) or len(rows) != len(body):
            raise answer.unclear("it does not hold a vendor for each one sent")
        pairs = zip(rows, body, strict=True)
        if not all(isinstance(row, dict) and row.get("id") and row.get("name") == sent["name"] for row, sent in pairs):
            raise answer.unclear("its vendors are not the ones sent")
        return [Ref(str(row["id"])) for row in rows]

    def update(self, ref: Ref, record: Supplier, mark: str) -> Ref:
        """Sends the owned fields that differ. An archived vendor is restored first: the supplier is active."""
        about = _about(record)
        row = self.bill.one(PATH, ref.key, about=about)
        if row is None:
            raise NotFound(f"BILL has no vendor {ref.key} any more, which supplier {record.code} is linked to.")
        self._check_currency(record, words(row, "billCurrency"))
        if row.get("archived") is True:
            self.restore(ref)
        body = to_vendor(record, self.bill.settings)
        changed = {name: value for name, value in body.items() if not _agrees(value, row.get(name))}
        if changed:
            identified(self.bill.write("PATCH", f"{PATH}/{ref.key}", changed, about=about), ref.key)
        return Ref(ref.key)

    def cancel(self, ref: Ref, reason: str) -> None:
        """Archives the vendor; BILL deletes none."""
        self._switch(ref, "archive", archived=True)

    def restore(self, ref: Ref) -> None:
        """Takes the vendor back from the archive."""
        self._switch(ref, "restore", archived=False)

    def identity_differences(self, sent: Supplier, found: Supplier) -> list[str]:
        """The code. A vendor that bears none is a suggestion for people, whatever its name (R46).

        Where codes are not shown in BILL, name and tax id stand in for it.
        """
        if self.bill.settings.vendor_code_field == "shortName":
            same = normalised_code(sent.code) == normalised_code(found.short_name or "")
            return [] if same else ["code"]
        tax_ids = sent.tax_id and found.tax_id and _differs("tax_id", sent.tax_id, found.tax_id)
        return [*(["name"] if _folded(sent.name) != _folded(found.name) else []), *(["tax_id"] if tax_ids else [])]

    def differences(self, sent: Supplier, found: Supplier) -> list[str]:
        """Only fields that the source states: an absent one is not ours to clear."""
        ours = self._as_found(sent)
        names = ("name", "short_name", "tax_id", "email", "phone")
        differing = [name for name in names if _differs(name, getattr(ours, name), getattr(found, name))]
        there = found.address
        if ours.address is not None:
            differing += [
                f"address.{name}"
                for name in ("line1", "line2", "city", "region", "postal_code", "country")
                if _differs(name, getattr(ours.address, name), getattr(there, name) if there else None)
            ]
        identity = self.identity_differences(sent, found)
        return identity + [name for name in differing if name not in identity]

    def listing(self, since: Cursor | None) -> Iterator[Sequence[Found[Supplier]]]:
        for page in updated_pages(self.bill, PATH, since, about="the list of vendors"):
            yield [self._found(row) for row in page.rows]

    def listing_cursor(self, seen: Found[Supplier]) -> Cursor:
        return {"updated": seen.updated or ""}

    def _new(self, record: Supplier) -> Json:
        """Owned fields, and the currency, which is set once."""
        body = to_vendor(record, self.bill.settings)
        return {**body, "billCurrency": record.currency} if record.currency else body

    def _check_currency(self, record: Supplier, theirs: str | None) -> None:
        if record.currency and theirs and theirs != record.currency:
            raise Refused(
                "currency_not_allowed",
                f"Supplier {record.code} ({record.name}) changed its currency to {record.currency}; its vendor in BILL "
                f"has {theirs}, which is set only when a vendor is made. Link the supplier to a new vendor, or change "
                "the currency back.",
                "currency",
            )

    def _switch(self, ref: Ref, verb: str, *, archived: bool) -> None:
        answer = self.bill.write("POST", f"{PATH}/{ref.key}/{verb}", about=f"vendor {ref.key} ({verb})")
        if identified(answer, ref.key).get("archived") is not archived:
            raise OutcomeUnknown(f"BILL answered the {verb} of vendor {ref.key} without saying that it happened.")

    def _matching(self, record: Supplier, filters: Sequence[str], about: str) -> list[Json]:
        name = _folded(record.name)
        tax_id = normalised(record.tax_id or "")
        return [
            row
            for page in created_pages(self.bill, PATH, filters=filters, about=about)
            for row in page.rows
            if _folded(words(row, "name") or "") == name
            or self._has_code(row, record)
            or (tax_id and normalised(words(row, "additionalInfo.taxId") or "") == tax_id)
        ]

    def _has_code(self, row: Json, record: Supplier) -> bool:
        if self.bill.settings.vendor_code_field != "shortName":
            return False
        code = words(row, "shortName")
        return code is not None and normalised_code(code) == normalised_code(record.code)

    def _hits(self, record: Supplier, rows: list[Json]) -> list[Found[Supplier]]:
        coded = [row for row in rows if self._has_code(row, record)]
        return [self._found(row) for row in self._whole(coded or rows)]

    def _whole(self, rows: list[Json]) -> list[Json]:
        """The vendors behind rows that may carry less."""
        return [self.bill.one(PATH, text(row, "id"), about=f"vendor {row['id']}") or row for row in rows]

    def _found(self, row: Json) -> Found[Supplier]:
        state = DocumentState.ARCHIVED if row.get("archived") is True else DocumentState.OPEN
        return Found(text(row, "id"), from_vendor(row), state=state, updated=stamp(row))

    def _as_found(self, sent: Supplier) -> Supplier:
        """What the vendor reads like once it holds what we send."""
        return from_vendor({**to_vendor(sent, self.bill.settings), "id": sent.code}, sent.code)


def _from_address(row: Json) -> Address:
    return Address(
        line1=words(row, "address.line1") or "",
        line2=words(row, "address.line2"),
        city=words(row, "address.city"),
        region=words(row, "address.stateOrProvince"),
        postal_code=words(row, "address.zipOrPostalCode"),
        country=words(row, "address.country"),
    )


def _agrees(ours: Any, theirs: Any) -> bool:
    """Whether what BILL holds already says what we would send; what we do not send is not compared."""
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and all(_agrees(value, theirs.get(name)) for name, value in ours.items())
    return bool(ours == theirs)


def _differs(name: str, ours: str | None, theirs: str | None) -> bool:
    """Whether a field says something else. How BILL spells a phone number, an id or a code says nothing."""
    if ours is None:
        return False
    if name in {"phone", "tax_id", "postal_code"}:
        return re.sub(r"\W", "", ours).casefold() != re.sub(r"\W", "", theirs or "").casefold()
    if name in {"email", "country"}:
        return ours.strip().casefold() != (theirs or "").strip().casefold()
    return ours.split() != (theirs or "").split()


def _folded(name: str) -> str:
    """A name without case and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _found_unsafe(value: str) -> list[str]:
    return [sign for sign in ',:"' if sign in value]


def _about(record: Supplier) -> str:
    return f"the vendor for supplier {record.code} ({record.name})"


def _missing(about: str, field: str, what: str) -> Refused:
    return Refused(
        "field_missing", f"{about} has no {what}, which BILL requires. Enter it in the source; it follows then.", field
    )


def _too_long(about: str, field: str, length: int, limit: int) -> Refused:
    return Refused(
        "field_too_long",
        f"{about}: its {field} has {length} characters, BILL takes {limit}. Shorten it in the source.",
        field,
    )

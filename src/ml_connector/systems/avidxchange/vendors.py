"""Supplier <-> vendor.

A vendor has to be there before an invoice of it. On reading, its code may carry a remit-to address behind a bar. The
remit-to address is written only where the Flow's policy says so, after its release by two people; bank details never
(R52).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ml_connector.domain.numbers import normalised_code
from ml_connector.domain.records import Address, Supplier
from ml_connector.systems.avidxchange.lists import Changing, by_external_id
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import Row, render
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.avidxchange.upserts import Kind, Upserts
from ml_connector.systems.base import DocumentState, Found, Item, Refused


def code_of(text: str) -> str:
    """The vendor's code without the remit-to address that may follow it."""
    return text.partition("|")[0].strip()


def to_vendor(avid: Avid, supplier: Supplier, *, with_address: bool) -> Json:
    about = f"supplier {supplier.code}"
    if not supplier.code.strip() or "|" in supplier.code:
        raise Refused(
            "field_missing", f"{about.capitalize()} needs a code without a bar (|) to become a vendor.", "code"
        )
    if not supplier.name.strip():
        raise Refused("field_missing", f"{about.capitalize()} needs a name to become a vendor.", "name")
    values: dict[str, Any] = {
        "code": supplier.code,
        "name": supplier.name,
        "active": not supplier.on_hold,
        "tax_id": supplier.tax_id,
        "email": supplier.email,
        "phone": supplier.phone,
        "currency": supplier.currency,
        "terms": supplier.terms,
    }
    if with_address and supplier.address is not None:
        values |= {name: getattr(supplier.address, name) for name in ADDRESS}
    return render(avid.contract.records.vendor, values, about)


ADDRESS = ("line1", "line2", "city", "region", "postal_code", "country")


def from_vendor(avid: Avid, body: Json) -> Found[Supplier]:
    row = Row(avid.contract.records.vendor, body, "a vendor")
    line1 = row.words("line1")
    address = Address(line1=line1, **{name: row.words(name) for name in ADDRESS[1:]}) if line1 else None
    active = row.flag("active")
    record = Supplier(
        code=code_of(row.text("code")),
        name=row.text("name"),
        tax_id=row.words("tax_id"),
        email=row.words("email"),
        phone=row.words("phone"),
        currency=row.words("currency"),
        terms=row.words("terms"),
        address=address,
        on_hold=active is False,
    )
    state = DocumentState.ARCHIVED if active is False else DocumentState.OPEN
    return Found(record.code, record, None, state, updated=row.stamp("modified"))


class Vendors(Upserts[Supplier]):
    """Target of Supplier. Policy `send_remit_address`: whether the address is written."""

    def __init__(self, avid: Avid, policy: Mapping[str, Any]) -> None:
        with_address = policy.get("send_remit_address") is True
        super().__init__(
            avid,
            Kind(
                noun="vendor",
                listed=avid.contract.operations.vendors,
                written=avid.contract.operations.vendor_put,
                about=lambda supplier: f"supplier {supplier.code} ({supplier.name})",
                to_wire=lambda supplier, _: to_vendor(avid, supplier, with_address=with_address),
                from_wire=lambda body: from_vendor(avid, body),
                ours=lambda hit, supplier, _: normalised_code(hit.key) == normalised_code(supplier.code),
                key=lambda supplier, _: supplier.code,
                one=lambda key: vendor(avid, key),
                identity=("code",),
                owned=("name", "tax_id", "email", "phone", "currency", "terms", "on_hold")
                + (("address",) if with_address else ()),
                withdrawn=lambda hit: msgspec.structs.replace(hit.record, on_hold=True),
                gone=lambda hit: hit.record.on_hold,
            ),
        )


def vendor(avid: Avid, code: str) -> Found[Supplier] | None:
    """The vendor of that code, or None."""
    rows = by_external_id(avid, avid.contract.operations.vendors, code, about=f"vendor {code}")
    found = (from_vendor(avid, row) for row in rows)
    return next((hit for hit in found if normalised_code(hit.key) == normalised_code(code)), None)


def read_vendors(avid: Avid) -> Changing[Supplier]:
    """Source of Supplier. Its address is left out: it is the remit-to address (R52)."""

    def convert(body: Json) -> Item[Supplier]:
        hit = from_vendor(avid, body)
        return Item(hit.key, msgspec.structs.replace(hit.record, address=None), hit.updated)

    def one(code: str) -> Json | None:
        rows = by_external_id(avid, avid.contract.operations.vendors, code, about=f"vendor {code}")
        return next((row for row in rows if from_vendor(avid, row).key == code), None)

    return Changing(avid, avid.contract.operations.vendors, "vendor", convert, one)

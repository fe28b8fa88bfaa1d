"""Supplier -> vendor; vendor -> Supplier for what Basware's people enriched.

The whole vendor is posted, because parts of it cannot be amended. Bank details are never part of it (R52); where
another interface posted some, which a whole vendor would wipe out, only the fields outside its sub-blocks are amended,
and a change inside them is refused. `GET /v1/vendors` gives what was posted, not what people edited inside P2P: whether
anything comes back that way is not assured.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from urllib.parse import quote

from ml_connector.domain.records import Address, Supplier, TaxIdKind
from ml_connector.systems.base import Accepted, Cursor, Item, NotFound, Page, Ref, Refused
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.keys import VENDOR, code_in, external_code
from ml_connector.systems.basware.masters import Kind, Masters, agrees, required, touched_text, within
from ml_connector.systems.basware.reading import EMPTY, moment, one, pages
from ml_connector.systems.basware.rows import flag, instant, members, part, text, words
from ml_connector.systems.basware.session import P2P, Json
from ml_connector.systems.basware.settings import Company, Options
from ml_connector.systems.basware.statuses import Handle, Statuses

PATH = "/v1/vendors"
LIST_KEY = "vendorEntities"
MOST = 200
CODE_MAX, NAME_MAX, EMAIL_MAX, PHONE_MAX, TAX_ID_MAX = 25, 250, 200, 50, 36
ADDRESS_MAX = 50
FURTHER_MAX = 200
LABEL_MAX = 200
"""Of the names of addresses and contacts, which only tell them apart; the vendor's own name stands beside them."""
FURTHER_LINES = ("AdditionalStreetName", "AdditionalField1")

SUB_BLOCKS = frozenset({"addresses", "contacts", "identifiers", "paymentMeans", "companies"})
"""Parts of a vendor that an amendment does not replace."""


def to_vendor(supplier: Supplier, key: str, options: Options, company: Company) -> Json:
    """The fields that the ERP owns. Raises Refused, naming supplier and field, for what Basware would not take."""
    about = f"Supplier {supplier.code}"
    name = within(required(supplier.name, about, "name"), NAME_MAX, about, "name")
    body: Json = {
        "externalCode": key,
        "vendorCode": within(required(supplier.code, about, "code"), CODE_MAX, about, "code"),
        "name": name,
        "sourceSystem": options.source_system,
        "companies": [{"companyCode": company.code, "inheritToChildUnits": options.inherit}],
        "processingStatus": {"active": True, "paymentDenied": supplier.on_hold or supplier.payment_blocked},
    }
    if supplier.tax_id and options.tax_scheme_id:
        tax_id = within(supplier.tax_id, TAX_ID_MAX, about, "tax_id")
        body["identifiers"] = [{"id": tax_id, "schemeId": options.tax_scheme_id}]
    if supplier.address is not None:
        body["addresses"] = [to_address(supplier.address, name, about)]
    if supplier.email or supplier.phone:
        body["contacts"] = [to_contact(supplier, name, about)]
    if supplier.currency and options.default_means_code:
        body["paymentMeans"] = [
            {"paymentMeansCode": options.default_means_code, "currencyCode": supplier.currency, "default": True}
        ]
    if supplier.terms:
        body["paymentTerms"] = {"paymentTermCode": within(supplier.terms, CODE_MAX, about, "terms")}
    return body


def to_address(address: Address, name: str, about: str) -> Json:
    """A postal address. Lines beyond the street go to fields of their own."""
    given = {
        "streetName": (address.line1, "address.line1"),
        "cityName": (address.city, "address.city"),
        "postalZone": (address.postal_code, "address.postal_code"),
        "countrySubEntity": (address.region, "address.region"),
        "countryId": (address.country, "address.country"),
    }
    body: Json = {"externalCode": "postal", "name": name[:LABEL_MAX], "addressType": "PostalAddress", "default": True}
    further = [line for line in (address.line2, address.line3) if line]
    street = address.line1
    if len(street) > ADDRESS_MAX:
        street, rest = _split(street)
        further.insert(0, rest)
        given["streetName"] = (street, "address.line1")
    for theirs, (value, ours) in given.items():
        if value:
            body[theirs] = within(value, ADDRESS_MAX, about, ours)
    if further:
        values = [further[0], ", ".join(further[1:])]
        body["additionalAddressFields"] = [
            {"key": theirs, "value": within(value, FURTHER_MAX, about, "address.line2")}
            for theirs, value in zip(FURTHER_LINES, values, strict=True)
            if value
        ]
    return body


def to_contact(supplier: Supplier, name: str, about: str) -> Json:
    contact: Json = {
        "name": within(supplier.contact, LABEL_MAX, about, "contact") if supplier.contact else name[:LABEL_MAX],
        "role": "PrimaryContact",
    }
    if supplier.email:
        contact["email"] = within(supplier.email, EMAIL_MAX, about, "email")
    if supplier.phone:
        contact["telephone"] = within(supplier.phone, PHONE_MAX, about, "phone")
    return contact


def from_vendor(row: Json, options: Options) -> Supplier:
    """The vendor in our terms. Bank details are not looked at (R52)."""
    contact = next(
        (one for one in members(row, "contacts") if one.get("role") == "PrimaryContact"),
        next(iter(members(row, "contacts")), {}),
    )
    tax_id = next(
        (words(one, "id") for one in members(row, "identifiers") if one.get("schemeId") == options.tax_scheme_id), None
    )
    means = next((one for one in members(row, "paymentMeans") if one.get("default") is True), {})
    status = part(row, "processingStatus")
    address = next((one for one in members(row, "addresses") if one.get("addressType") == "PostalAddress"), None)
    name = text(row, "name")
    person = words(contact, "name")
    return Supplier(
        code=text(row, "vendorCode"),
        name=name,
        tax_id=tax_id,
        tax_id_kind=TaxIdKind.OTHER if tax_id else None,
        currency=words(means, "currencyCode"),
        terms=words(part(row, "paymentTerms"), "paymentTermCode"),
        address=from_address(address) if address is not None else None,
        email=words(contact, "email"),
        phone=words(contact, "telephone"),
        contact=person if person != name[:LABEL_MAX] else None,
        on_hold=flag(status, "paymentDenied") is True,
    )


def from_address(row: Json) -> Address:
    further = {one.get("key"): words(one, "value") for one in members(row, "additionalAddressFields")}
    lines = [further.get(name) for name in FURTHER_LINES]
    return Address(
        line1=words(row, "streetName") or words(row, "addressLine1") or "",
        line2=lines[0],
        line3=lines[1],
        city=words(row, "cityName"),
        region=words(row, "countrySubEntity"),
        postal_code=words(row, "postalZone"),
        country=words(row, "countryId"),
    )


def active(row: Json) -> bool:
    return flag(part(row, "processingStatus"), "active") is not False


def deactivated(body: Json) -> Json:
    return {**body, "processingStatus": {**part(body, "processingStatus"), "active": False}}


def kind(options: Options, company: Company, now: str) -> Kind[Supplier]:
    return Kind(
        path=PATH,
        list_key=LIST_KEY,
        entity="Vendor",
        noun="vendor",
        most=MOST,
        company=company.code,
        code=attrgetter("code"),
        key=lambda supplier: external_code(company.code, VENDOR, supplier.code),
        to_wire=lambda supplier, key: to_vendor(supplier, key, options, company),
        from_wire=lambda row: from_vendor(row, options),
        active=active,
        deactivated=deactivated,
        identity=("code",),
        touched=touched_text(options.touch_fields["vendor"], now, 250),
    )


class VendorCodes:
    """The vendor code behind a key, which orders name; also of vendors that a preview only foresees."""

    def __init__(self, p2p: P2P, company: Company) -> None:
        self.p2p = p2p
        self.company = company
        self._known: dict[str, str] = {}

    def foresee(self, key: str, code: str) -> None:
        self._known[key] = code

    def of(self, key: str) -> str:
        """Raises NotFound where Basware has no such vendor."""
        readable = code_in(key, self.company.code, VENDOR)
        if readable:
            return readable
        if key not in self._known:
            row = one(self.p2p, PATH, key, about=f"vendor {key}", key=LIST_KEY)
            if row is None:
                raise NotFound(f"{NAME} has no vendor {key}, which an order names.")
            self._known[key] = text(row, "vendorCode")
        return self._known[key]


class Vendors(Masters[Supplier]):
    """Target of Supplier, looked up by orders for its code."""

    def __init__(self, p2p: P2P, statuses: Statuses, kind: Kind[Supplier], codes: VendorCodes) -> None:
        super().__init__(p2p, statuses, kind)
        self.codes = codes

    def foresee(self, key: str, record: Supplier) -> None:
        self.codes.foresee(key, record.code)

    def update(self, ref: Ref, record: Supplier, mark: str) -> Accepted:
        copy = self._copy(ref.key)
        if copy is None or not has_bank_details(copy):
            return super().update(ref, record, mark)
        body = self.kind.to_wire(record, ref.key)
        if agrees(body, copy):
            body = self._changed(body, copy)
        self._refuse_inner(body, copy, self._about(record))
        return self._amend(ref.key, {name: value for name, value in body.items() if name not in SUB_BLOCKS}, copy)

    def cancel(self, ref: Ref, reason: str) -> Accepted | None:
        copy = self._copy(ref.key)
        if copy is None or not has_bank_details(copy) or not active(copy):
            return super().cancel(ref, reason)
        return self._amend(ref.key, {"processingStatus": deactivated(copy)["processingStatus"]}, copy)

    def _amend(self, key: str, changes: Json, copy: Json) -> Accepted:
        """Amends fields outside the sub-blocks. Basware wants the required ones each time."""
        companies = [{"companyCode": text(one, "companyCode")} for one in members(copy, "companies")]
        body = {
            "externalCode": key,
            "vendorCode": copy.get("vendorCode"),
            "name": copy.get("name"),
            "companies": companies,
            **changes,
        }
        written = self.p2p.write("PATCH", f"{PATH}/{quote(key, safe='')}", body, about=f"vendor {key}")
        return Handle((written.request_id,), key).accepted()

    def _refuse_inner(self, body: Json, copy: Json, about: str) -> None:
        changed = [
            name for name in ("addresses", "contacts", "identifiers") if not agrees(body.get(name), copy.get(name))
        ]
        changed = [name for name in changed if body.get(name)]
        if not agrees([one.get("currencyCode") for one in body.get("paymentMeans") or []], _currencies(copy, body)):
            changed.append("paymentMeans")
        if changed:
            raise Refused(
                "bank_details_there",
                f"{about[0].upper()}{about[1:]} holds bank details that another interface sent to {NAME}. Its "
                f"{', '.join(changed)} cannot be changed without wiping them out. Change it in Basware by hand.",
                changed[0],
            )


def has_bank_details(row: Json) -> bool:
    return any(one.get("financialAccounts") for one in members(row, "paymentMeans"))


class SupplierEnrichment:
    """Source of Supplier: vendors as they were last posted to Basware, by whomever."""

    def __init__(self, p2p: P2P, options: Options) -> None:
        self.p2p = p2p
        self.options = options
        self._overlap = timedelta(minutes=options.overlap_minutes)

    def changes(self, since: Cursor | None) -> Iterator[Page[Supplier]]:
        """Vendors posted since the newest stamp that was seen, less the overlap (R16)."""
        seen = (since or {}).get("updated", "")
        params = {}
        if seen:
            params["lastUpdated"] = moment(datetime.fromisoformat(seen), self._overlap)
        newest = datetime.fromisoformat(seen) if seen else None
        for found in pages(self.p2p, PATH, LIST_KEY, params, most=MOST, about="the list of vendors"):
            stamps = [stamp for row in found.rows if (stamp := instant(row, "lastUpdated"))]
            newest = max([*stamps, *([newest] if newest else [])], default=None)
            yield Page([self._item(row) for row in found.rows], None, found.digest)
        if newest is not None:
            # Rows come in no promised order: the cursor is true only after the last of them.
            yield Page([], {"updated": newest.isoformat()}, EMPTY)

    def keys(self) -> Iterator[str]:
        for found in pages(self.p2p, PATH, LIST_KEY, most=MOST, about="the list of vendors"):
            yield from (text(row, "externalCode") for row in found.rows)

    def get(self, key: str) -> Item[Supplier] | None:
        row = one(self.p2p, PATH, key, about=f"vendor {key}", key=LIST_KEY)
        return None if row is None else self._item(row)

    def _item(self, row: Json) -> Item[Supplier]:
        stamp = instant(row, "lastUpdated")
        return Item(text(row, "externalCode"), from_vendor(row, self.options), None, stamp)


def _currencies(copy: Json, body: Json) -> list[Any]:
    """Currencies of Basware's payment means that ours would replace."""
    ours = {one.get("paymentMeansCode") for one in body.get("paymentMeans") or []}
    return [one.get("currencyCode") for one in members(copy, "paymentMeans") if one.get("paymentMeansCode") in ours]


def _split(street: str) -> tuple[str, str]:
    """A long street in two at a space, so that nothing is lost."""
    at = street.rfind(" ", 0, ADDRESS_MAX + 1)
    at = at if at > 0 else ADDRESS_MAX
    return street[:at].rstrip(), street[at:].strip()

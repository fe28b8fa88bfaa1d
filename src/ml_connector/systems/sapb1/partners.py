"""BusinessPartners -> Supplier.

`CardType` is customer unless said otherwise. `Valid` and `Frozen` are independent, each with dates. The currency `##`
means all currencies. The address that suppliers are paid at is the bill-to address named as default. Of bank accounts,
payment methods and that address a keyed hash is kept besides, which tells a change and nothing else (R52 to R54).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import msgspec

from ml_connector.domain.records import Address, Supplier, TaxIdKind
from ml_connector.systems import fingerprint
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.sapb1.company import Books
from ml_connector.systems.sapb1.reading import Query, Reading
from ml_connector.systems.sapb1.rows import active, members, stamp, text, words, yes
from ml_connector.systems.sapb1.session import Json
from ml_connector.systems.sapb1.settings import TAX_ID_SOURCES, Options
from ml_connector.systems.sapb1.stamps import Stamped, instant

SET = "BusinessPartners"
SUPPLIERS = "CardType eq 'cSupplier'"
SELECT = (
    "CardCode", "CardName", "CardForeignName", "CardType", "Currency", "FederalTaxID", "VatIDNum", "EmailAddress",
    "Phone1", "ContactPerson", "PayTermsGrpCode", "PaymentBlock", "Valid", "ValidFrom", "ValidTo", "Frozen",
    "FrozenFrom", "FrozenTo", "BilltoDefault", "BPAddresses", "CreateDate", "UpdateDate", "UpdateTime",
    "BPBankAccounts", "DefaultBankCode", "DefaultBranch", "DefaultAccount", "IBAN", "PeymentMethodCode",
    "BPPaymentMethods",
)  # fmt: skip
_ACCOUNT = ("BankCode", "Branch", "AccountNo", "IBAN", "BICSwiftCode", "ABARoutingNumber", "Country")
_DEFAULTS = ("DefaultBankCode", "DefaultBranch", "DefaultAccount", "IBAN")
ALL_CURRENCIES = "##"

_EIN = re.compile(r"[0-9]{2}-?[0-9]{7}")
_SSN = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")


class Suppliers:
    """Source of Supplier."""

    def __init__(self, reading: Reading, books: Books, options: Options, now: Callable[[], datetime]) -> None:
        self._reading = reading
        self._books = books
        self._options = options
        self._now = now
        self._query = Query(SET, SELECT, SUPPLIERS)
        overlap = timedelta(minutes=options.overlap_minutes)
        self._stamped: Stamped[Supplier] = Stamped(
            reading, self._query, "CardCode", "CreateDate", self._items, overlap, options.zone, now
        )

    def changes(self, since: Cursor | None) -> Iterator[Page[Supplier]]:
        return self._stamped.changes(since)

    def keys(self) -> Iterator[str]:
        for batch in self._reading.keyed(Query(SET, ("CardCode",), SUPPLIERS), "CardCode"):
            yield from (text(row, "CardCode") for row in batch.rows)

    def get(self, key: str) -> Item[Supplier] | None:
        row = self._reading.one(self._query, key, f"supplier {key}")
        if row is None or row.get("CardType") not in {"cSupplier", "S"}:
            return None
        return self._items([row])[0]

    def _items(self, rows: list[Json]) -> list[Item[Supplier]]:
        today = self._now().astimezone(self._options.zone).date()
        keyed = self._reading.layer.access.fingerprint
        return [from_partner(row, self._books, self._options, today, keyed) for row in rows]


def from_partner(
    row: Json, books: Books, options: Options, today: date, keyed: Callable[[str], str] | None = None
) -> Item[Supplier]:
    """The supplier that a business partner is on a day. `keyed` hashes what is not kept; None: nothing of it is."""
    code = text(row, "CardCode")
    spelled = words(row, "Currency")
    currency = books.iso(None if spelled == ALL_CURRENCIES else spelled)
    problem = None
    if not currency:
        problem = (
            f"unmapped_code: Currency {spelled!r} of supplier {code} in SAP Business One is no ISO 4217 code. Enter "
            "the ISO code as the currency's code there."
        )
    source, tax_id = next(
        ((name, found) for name in TAX_ID_SOURCES[options.tax_id_source] if (found := words(row, name))), ("", None)
    )
    record = Supplier(
        code=code,
        name=words(row, "CardName") or words(row, "CardForeignName") or code,
        tax_id=tax_id,
        tax_id_kind=None if tax_id is None else kind(tax_id, source, books.company.country),
        currency=currency or None,
        terms=None if row.get("PayTermsGrpCode") is None else str(row["PayTermsGrpCode"]),
        address=address(row),
        email=words(row, "EmailAddress"),
        phone=words(row, "Phone1"),
        contact=words(row, "ContactPerson"),
        on_hold=not active(row, today),
        payment_blocked=yes(row, "PaymentBlock"),
    )
    changed = instant(stamp(row, "UpdateDate", "UpdateTime"), options.zone)
    return Item(code, record, None, changed, payee(row, record.address, keyed), invalid=problem)


def payee(row: Json, paid_at: Address | None, keyed: Callable[[str], str] | None) -> dict[str, str]:
    """The fingerprint of where the supplier's money goes (R52 to R54)."""
    if keyed is None:
        return {}
    accounts = members(row, "BPBankAccounts")
    return fingerprint.observed(
        keyed,
        {
            fingerprint.ACCOUNT: {
                "accounts": [{name: account.get(name) for name in _ACCOUNT} for account in accounts],
                "default": {name: row.get(name) for name in _DEFAULTS if str(row.get(name)) != "-1"},
            },
            fingerprint.PAYEE: [account.get("AccountName") for account in accounts],
            fingerprint.METHOD: {
                "default": row.get("PeymentMethodCode") if row.get("PeymentMethodCode") != "-1" else None,
                "all": [method.get("PaymentMethodCode") for method in members(row, "BPPaymentMethods")],
            },
            fingerprint.REMIT_TO: msgspec.structs.asdict(paid_at) if paid_at else None,
        },
    )


def address(row: Json) -> Address | None:
    """The bill-to address that is the default, else the only one of its kind; None where its street is empty."""
    billing = [one for one in members(row, "BPAddresses") if one.get("AddressType") in {"bo_BillTo", "B"}]
    default = words(row, "BilltoDefault")
    chosen = next((one for one in billing if one.get("AddressName") == default), None)
    if chosen is None and len(billing) == 1:
        chosen = billing[0]
    if chosen is None:
        return None
    street = _joined(chosen, " ", "Street", "StreetNo")
    rest = _joined(chosen, ", ", "Block", "BuildingFloorRoom")
    first = street or rest
    if first is None:
        return None
    return Address(
        line1=first,
        line2=rest if street else None,
        city=words(chosen, "City"),
        region=words(chosen, "State"),
        postal_code=words(chosen, "ZipCode"),
        country=words(chosen, "Country"),
    )


def _joined(row: Json, between: str, *names: str) -> str | None:
    """Fields of an address, which differ by country and release, as one text."""
    found = [str(row[name]).strip() for name in names if row.get(name)]
    return between.join(part for part in found if part) or None


def kind(tax_id: str, source: str, country: str) -> TaxIdKind:
    """SAP Business One states none: the field tells, and in a company of the United States the form of the number."""
    if source == "VatIDNum":
        return TaxIdKind.VAT
    if country == "US" and _EIN.fullmatch(tax_id):
        return TaxIdKind.EIN
    return TaxIdKind.SSN if country == "US" and _SSN.fullmatch(tax_id) else TaxIdKind.OTHER

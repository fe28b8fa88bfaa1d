"""ApSupplier and ApSupplierAddr -> Supplier.

SYSPRO: no change date, so all are read; the address is in a table of its own, as lines whose use is the site's
choice. Flags are Y, N or blank. Of bank, remit-to and payment columns only a keyed hash is kept (R52).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ml_connector.domain.records import Address, Supplier, TaxIdKind
from ml_connector.systems import fingerprint
from ml_connector.systems.base import Item, Refused
from ml_connector.systems.syspro.books import Currencies, currencies
from ml_connector.systems.syspro.listing import Listing
from ml_connector.systems.syspro.reading import Reading, Tables
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import ApSupplier, ApSupplierAddr, columns
from ml_connector.systems.syspro.where import that

_EIN = re.compile(r"[0-9]{2}-?[0-9]{7}")
_SSN = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")
_VAT = re.compile(r"[A-Z]{2}[0-9A-Z+*. -]{2,}")

FILTERS = {"classes": "supplier_class", "branches": "branch", "currencies": "currency"}
"""What `supplier_filter` may name, and the column that it looks at."""


Keyed = Callable[[str], str] | None
"""Hashes what is not kept; None: nothing of it is."""


def suppliers(tables: Tables, options: Options, keyed: Keyed = None) -> Listing[Supplier]:
    """Source of Supplier."""
    unknown = set(options.supplier_filter) - set(FILTERS)
    if unknown:
        raise Refused("bad_setting", f"supplier_filter has no {', '.join(sorted(unknown))}.", "supplier_filter")

    def read(reading: Reading) -> Iterator[list[Item[Supplier]]]:
        units = currencies(reading, options)
        for rows in reading.pages(ApSupplier):
            yield _items(reading, rows, units, options, keyed)

    def one(reading: Reading, key: str) -> Item[Supplier] | None:
        rows = reading.rows(ApSupplier, that("Supplier", "eq", key))
        return next(iter(_items(reading, rows, currencies(reading, options), options, keyed)), None)

    return Listing(tables, read, one)


def _items(
    reading: Reading, rows: Sequence[ApSupplier], units: Currencies, options: Options, keyed: Keyed
) -> list[Item[Supplier]]:
    """The suppliers of a page with their addresses, which lie between the same two keys."""
    if not rows:
        return []
    between = that("Supplier", "ge", rows[0].supplier).plus(that("Supplier", "le", rows[-1].supplier))
    addresses = {row.supplier.rstrip(): row for row in reading.rows(ApSupplierAddr, between)}
    return [
        supplier(row, addresses.get(row.supplier.rstrip()), units, options, keyed)
        for row in rows
        if _wanted(row, options)
    ]


def supplier(
    row: ApSupplier,
    address_row: ApSupplierAddr | None,
    units: Currencies,
    options: Options,
    keyed: Keyed = None,
) -> Item[Supplier]:
    """The supplier of a row and its address row."""
    code = row.supplier.rstrip()
    problem = row.fault
    currency = units.iso(row.currency) if _text(row.currency) else None
    if currency is None and _text(row.currency):
        problem = (
            f"unmapped_code: SYSPRO's currency {_text(row.currency)!r} of supplier {code} has no ISO code. Name it in "
            "the Connection's currency_codes."
        )
    tax_id = _text(row.tax_regn_num) or _text(row.with_tax_id)
    required = _text(row.required1099)
    record = Supplier(
        code=code,
        name=_text(row.supplier_name) or "",
        short_name=_text(row.sup_short_name),
        tax_id=tax_id,
        tax_id_kind=tax_id_kind(tax_id) if tax_id else None,
        reportable_1099=required is not None and required != "N",
        currency=currency,
        terms=_text(row.terms_code),
        address=address(row, address_row, options) if address_row is not None else None,
        email=_text(row.email),
        phone=_text(row.telephone),
        contact=_text(row.contact),
        on_hold=_text(row.on_hold) == "Y",
        needs_receipt_match=_text(row.grn_match_reqd) == "Y",
        default_account=_text(row.merch_gl_code),
    )
    return Item(key=code, record=record, observed=payee(row, address_row, keyed), invalid=problem)


def payee(row: ApSupplier, address_row: ApSupplierAddr | None, keyed: Keyed) -> dict[str, str]:
    """The fingerprint of where the supplier's money goes (R52 to R54)."""
    there: dict[str, str | None] = {}
    if address_row is not None:
        names = [column.field for column in columns(ApSupplierAddr) if column.field.startswith("remit_")]
        there = {name: getattr(address_row, name) for name in names}
    return fingerprint.observed(
        keyed,
        {
            fingerprint.ACCOUNT: [row.bank_account, row.bank_branch, row.eft_bank_acc_type],
            fingerprint.METHOD: row.pay_by_eft,
            fingerprint.PAYEE: there.pop("remit_name", None),
            fingerprint.REMIT_TO: there,
            fingerprint.REMIT_EMAIL: row.remit_email,
        },
    )


def tax_id_kind(tax_id: str) -> TaxIdKind:
    """SYSPRO states no kind; the form of the number does."""
    if _EIN.fullmatch(tax_id):
        return TaxIdKind.EIN
    if _SSN.fullmatch(tax_id):
        return TaxIdKind.SSN
    return TaxIdKind.VAT if _VAT.fullmatch(tax_id) else TaxIdKind.OTHER


def address(row: ApSupplier, lines: ApSupplierAddr, options: Options) -> Address | None:
    """The address by the site's layout, or None where its first line is empty."""
    first = _text(lines.sup_addr1)
    if first is None:
        return None
    cells = {
        column.name: _text(getattr(source, column.field))
        for source in (row, lines)
        for column in columns(type(source))
        if column.kind is str
    }

    def filled(part: str) -> list[str]:
        return [text for name in options.address_layout[part] if (text := cells.get(name))]

    return Address(
        line1=first,
        line2=", ".join(filled("line2")) or None,
        city=next(iter(filled("city")), None),
        region=next(iter(filled("region")), None),
        postal_code=_text(lines.sup_postal_code),
        country=next(iter(filled("country")), None),
    )


def _wanted(row: ApSupplier, options: Options) -> bool:
    return all(
        (_text(getattr(row, FILTERS[name])) or "") in allowed for name, allowed in options.supplier_filter.items()
    )


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None

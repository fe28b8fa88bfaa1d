"""The entity types of a company, as far as the stand-in holds them: names, types, lengths, defaults.

A subset of the real names, each spelt and typed as the Service Layer does. A name that is not here is refused as the
Service Layer refuses an unknown property, even where a real company has it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from ml_connector.sandbox.sapb1 import schema_documents, schema_masters, schema_money

Kind = Literal["string", "int", "double", "date", "time", "enum", "list"]

_KINDS: dict[str, Kind] = {"s": "string", "i": "int", "n": "double", "d": "date", "t": "time"}


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    kind: Kind
    of: str = ""
    """The enumeration, or the type of a list's rows."""
    length: int = 0
    read_only: bool = False
    newer: bool = False
    """Absent in older releases, or of another type there."""
    default: Any = None


@dataclass(frozen=True)
class Type:
    name: str
    properties: dict[str, Property]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntitySet:
    name: str
    type: str
    object_code: int
    etag: bool = False
    posted: bool = False
    """Rows are bookings: never deleted."""
    table: str = ""
    """The database table, as error texts and user-defined fields name it."""


SETS = {
    one.name: one
    for one in (
        EntitySet("BusinessPartners", "BusinessPartner", 2, etag=True, table="OCRD"),
        EntitySet("PurchaseInvoices", "Document", 18, etag=True, posted=True, table="OPCH"),
        EntitySet("PurchaseCreditNotes", "Document", 19, etag=True, posted=True, table="ORPC"),
        EntitySet("PurchaseOrders", "Document", 22, etag=True, posted=True, table="OPOR"),
        EntitySet("Drafts", "Document", 112, etag=True, table="ODRF"),
        EntitySet("VendorPayments", "Payment", 46, posted=True, table="OVPM"),
        EntitySet("PaymentDrafts", "Payment", 140, table="OPDF"),
        EntitySet("JournalEntries", "JournalEntry", 30, posted=True, table="OJDT"),
        EntitySet("ChartOfAccounts", "ChartOfAccount", 1, table="OACT"),
        EntitySet("ProfitCenters", "ProfitCenter", 61, table="OPRC"),
        EntitySet("DistributionRules", "DistributionRule", 62, table="OOCR"),
        EntitySet("Dimensions", "Dimension", 251, table="ODIM"),
        EntitySet("Projects", "Project", 63, table="OPRJ"),
        EntitySet("Currencies", "Currency", 37, table="OCRN"),
        EntitySet("PaymentTermsTypes", "PaymentTermsType", 40, table="OCTG"),
        EntitySet("VatGroups", "VatGroup", 5, table="OVTG"),
        EntitySet("BusinessPlaces", "BusinessPlace", 247, table="OBPL"),
        EntitySet("HouseBankAccounts", "HouseBankAccount", 231, table="DSC1"),
        EntitySet("UserFieldsMD", "UserFieldMD", 152, table="CUFD"),
    )
}

NAVIGATION = {
    ("Document", "BusinessPartner"): ("BusinessPartners", "CardCode"),
    ("Document", "PaymentTermsType"): ("PaymentTermsTypes", "PaymentGroupCode"),
    ("Document", "JournalEntry"): ("JournalEntries", "TransNum"),
    ("BusinessPartner", "PaymentTermsType"): ("PaymentTermsTypes", "PayTermsGrpCode"),
    ("HouseBankAccount", "ChartOfAccount"): ("ChartOfAccounts", "GLAccount"),
}
"""What `$expand` follows: (type, navigation property) -> (set, the property that holds its key)."""


@dataclass
class Schema:
    """The types of one company; user-defined fields are added while it runs."""

    types: dict[str, Type] = field(default_factory=lambda: {type_.name: type_ for type_ in _all_types()})

    def of(self, set_name: str) -> Type:
        return self.types[SETS[set_name].type]

    def add(self, type_name: str, new: Property) -> None:
        """Adds a user-defined field at the end of a type."""
        old = self.types[type_name]
        self.types[type_name] = Type(old.name, {**old.properties, new.name: new}, old.keys)


def parsed(name: str, text: str) -> Type:
    """A type from its notation: `Name kind[flags][=default]`, separated by commas.

    Kinds: s string (with its length), i integer, n number, d date, t time, y yes or no, e:Enumeration, [Type] list.
    Flags: `*` key, `-` read-only, `+` newer releases only. A number is 0 and a yes-or-no is tNO unless said.
    """
    properties, keys = {}, []
    for part in text.replace("\n", " ").split(","):
        given, _, notation = part.strip().partition(" ")
        notation, _, default = notation.partition("=")
        bare = notation.rstrip("*-+")
        flags = notation[len(bare) :]
        if "*" in flags:
            keys.append(given)
        properties[given] = _property(given, bare.strip(), default, flags)
    return Type(name, properties, tuple(keys))


def _property(name: str, notation: str, default: str, flags: str) -> Property:
    read_only, newer = "-" in flags, "+" in flags
    if notation.startswith("["):
        return Property(name, "list", notation[1:-1], read_only=read_only, newer=newer)
    if notation == "y":
        return Property(name, "enum", "BoYesNoEnum", 0, read_only, newer, default or "tNO")
    if notation.startswith("e:"):
        return Property(name, "enum", notation[2:], 0, read_only, newer, default or None)
    kind = _KINDS[notation[0]]
    length = int(notation[1:] or 0)
    return Property(name, kind, "", length, read_only, newer, Decimal(0) if kind == "double" else None)


def _all_types() -> Iterator[Type]:
    for module in (schema_documents, schema_masters, schema_money):
        for name, text in module.TYPES.items():
            yield _TYPES.setdefault(name, parsed(name, text))


_TYPES: dict[str, Type] = {}

"""The XML that e.net is sent. Pure.

SYSPRO: unknown elements are ignored without a word, a blank element is not the same as none, and columns have fixed
widths. So nothing blank is sent, and every value is measured before anything leaves. Documents are ASCII: letters
outside it are numeric references. What the columns cannot hold (they are Windows-1252) is written with plain letters
in texts, and refused in codes and numbers.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.comfnd import NAMESPACE
from ml_connector.systems.transport.xml import printable

WIDTHS = {
    "Supplier": 15, "GrnSupplier": 15, "Invoice": 20, "LedgerCode": 35, "PurchaseOrder": 20, "StockCode": 30,
    "CustomerPoNumber": 30, "TransactionReference": 30, "JournalReference": 30, "Branch": 10, "Buyer": 20,
    "TermsCode": 2, "TaxCode": 3, "FreightTaxCode": 3, "MiscChargeTax": 3, "Currency": 3, "Warehouse": 10,
    "SupplierClass": 10, "ProductClass": 20, "OrderUom": 10, "PriceUom": 10, "SupPostalCode": 10, "PostalCode": 10,
    "Nationality": 3, "UserField1": 15, "Bank": 15, "PaymentNumber": 15, "Cheque": 15, "InvoiceTerms": 2,
    "AnalysisCode1": 10, "TaxRegnNum": 20, "Email": 255, "GrnGrn": 20, "PaymentReference": 50, "Telephone": 20,
    "MerchGlCode": 35,
}  # fmt: skip
"""Characters of what is never shortened."""

TEXTS = {
    "SupplierName": 50, "SupShortName": 20, "Contact": 50, "SupAddr1": 40, "SupAddr2": 40, "SupAddr3": 40,
    "SupAddr3Loc": 40, "SupAddr4": 40, "SupAddr5": 40, "Notation": 100, "LedgerNotation": 30, "StockDescription": 50,
    "Comment": 100, "MiscDescription": 50, "Reference": 30, "ShippingInstrs": 50,
}  # fmt: skip
"""Characters of texts for people."""

AMOUNT_DIGITS, PRICE_DIGITS, QUANTITY_DIGITS, RATE_DIGITS = 2, 5, 6, 6
HIGHEST = {AMOUNT_DIGITS: Decimal(10) ** 12, PRICE_DIGITS: Decimal(10) ** 10, QUANTITY_DIGITS: Decimal(10) ** 12}
"""Below these SYSPRO's columns are: 14 digits of an amount, 15 of a price, 18 of a quantity, fraction included."""

_PLAIN = str.maketrans({
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t",
    "\u2010": "-", "\u2011": "-", "\u2212": "-", "\u2009": " ", "\u202f": " ", "\u00a0": " ",
})  # fmt: skip
"""Letters that Windows-1252 lacks and that do not come apart into a plain letter and a sign."""


def document(root: str, schema: str, *parts: str) -> str:
    """A whole document. `schema`: the name of its XSD without ending."""
    head = f'<{root} xmlns:xsd="{NAMESPACE}" xsd:noNamespaceSchemaLocation="{schema}.XSD">'
    return f"{head}{''.join(parts)}</{root}>"


def element(name: str, *parts: str) -> str:
    """An element of elements; nothing where they are nothing."""
    inner = "".join(parts)
    return f"<{name}>{inner}</{name}>" if inner else ""


def flags(**values: str) -> str:
    """Elements whose values are ours and need no check."""
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())


def stripped(value: str) -> str:
    """One line of text without what XML cannot hold."""
    return " ".join(printable(unicodedata.normalize("NFC", value)).split())


def exact(value: str) -> str:
    """A code or number as it stands, without blanks around it and without what XML cannot hold."""
    return printable(unicodedata.normalize("NFC", value)).strip()


def held(value: str) -> str:
    """A text as SYSPRO's columns can hold it: letters of other alphabets' kind lose their signs.

    Raises ValueError, naming the character, where nothing stands in for it.
    """
    result = []
    for letter in stripped(value):
        written = letter if _encodes(letter) else letter.translate(_PLAIN)
        if not _encodes(written):
            written = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
        if not written or not _encodes(written):
            raise ValueError(letter)
        result.append(written)
    return "".join(result)


def shortened(name: str, value: str) -> str:
    """A text for people as it stands in the field of that name: what is left out shows as an ellipsis."""
    text, width = held(value), TEXTS[name]
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


@dataclass(frozen=True, slots=True)
class Form:
    """Writes the elements of one document. Everything raises Refused, naming document and field."""

    about: str
    """What people call the document: `invoice ELC-1001`."""

    def code(self, name: str, value: str | None, *, required: bool = False, too_long: str = "field_too_long") -> str:
        """A code or number, sent as it is. `too_long`: the code of the refusal."""
        return self._code(name, exact(value or ""), required=required, too_long=too_long)

    def key(self, name: str, value: str) -> str:
        """A key that SYSPRO gave, sent back as it came: some begin with a blank."""
        return self._code(name, printable(value).rstrip(), required=True, too_long="field_too_long")

    def _code(self, name: str, text: str, *, required: bool, too_long: str) -> str:
        if not text:
            if required:
                raise Refused("field_missing", f"{self.opening} has no {name}, which SYSPRO needs.", name)
            return ""
        width = WIDTHS[name]
        if len(text) > width:
            raise Refused(
                too_long,
                f"{self.opening}: {text} has {len(text)} characters, SYSPRO takes {width} in {name}.",
                name,
            )
        if not _encodes(text):
            raise Refused("character_not_allowed", f"{self.opening}: SYSPRO has no letters for {text} in {name}.", name)
        return _text_element(name, text)

    def words(self, name: str, value: str | None) -> str:
        """A text for people, shortened where it must be."""
        if not stripped(value or ""):
            return ""
        try:
            return _text_element(name, shortened(name, value or ""))
        except ValueError as letter:
            raise Refused(
                "character_not_allowed",
                f"{self.opening}: SYSPRO has no letter for {letter} in {name}. Write it in Latin letters.",
                name,
            ) from None

    def name(self, name: str, value: str, *, shorten: bool) -> str:
        """A text that must not be shortened unless somebody said so."""
        length, width = len(stripped(value)), TEXTS[name]
        if length > width and not shorten:
            raise Refused(
                "field_too_long", f"{self.opening}: its {name} has {length} characters, SYSPRO takes {width}.", name
            )
        return self.words(name, value)

    def amount(self, name: str, value: Decimal) -> str:
        return self._number(name, value, AMOUNT_DIGITS)

    def price(self, name: str, value: Decimal) -> str:
        return self._number(name, value, PRICE_DIGITS)

    def quantity(self, name: str, value: Decimal) -> str:
        return self._number(name, value, QUANTITY_DIGITS)

    def rate(self, name: str, value: Decimal | None) -> str:
        return "" if value is None else f"<{name}>{value.quantize(Decimal(1).scaleb(-RATE_DIGITS)):f}</{name}>"

    def day(self, name: str, value: date | None) -> str:
        return "" if value is None else f"<{name}>{value.isoformat()}</{name}>"

    def _number(self, name: str, value: Decimal, digits: int) -> str:
        exact = round(value, digits)
        if exact != value:
            raise Refused(
                "amount_not_allowed",
                f"{self.opening}: {value:f} has more than the {digits} fraction digits that SYSPRO keeps in {name}.",
                name,
            )
        if abs(exact) >= HIGHEST[digits]:
            raise Refused(
                "amount_too_large", f"{self.opening}: {value:f} is more than SYSPRO can hold in {name}.", name
            )
        return f"<{name}>{exact:f}</{name}>"

    @property
    def opening(self) -> str:
        """The document's name as the beginning of a sentence."""
        return self.about[:1].upper() + self.about[1:]


def _text_element(name: str, text: str) -> str:
    return f"<{name}>{escape(text).encode('ascii', 'xmlcharrefreplace').decode('ascii')}</{name}>"


def _encodes(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True

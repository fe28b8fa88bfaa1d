"""Supplier -> the documents of APSSSP, which adds and changes suppliers. Pure.

SYSPRO: an update carries the elements to change; what a blank element does is not published, so none is ever sent, and
a field that the source has emptied keeps its old text. Bank, remit-to and payment elements are not written (R52).
Address lines are free text whose use is the site's choice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence

from ml_connector.domain.records import Address, Supplier
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.policies import MAY_OWN
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.writing.form import Form, element, stripped
from ml_connector.systems.syspro.writing.poster import SETUP_ADD, SETUP_UPDATE, Posting

BUSINESS_OBJECT = "APSSSP"
ROOT = "SetupApSupplier"
PARAMETERS = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "N"}

ORDER = (
    "SupplierName", "SupShortName", "Telephone", "Contact", "Branch", "TermsCode", "Currency", "SupAddr1", "SupAddr2",
    "SupAddr3", "SupAddr3Loc", "SupAddr4", "SupAddr5", "SupPostalCode", "SupplierClass", "UserField1", "TaxRegnNum",
    "OnHold", "MerchGlCode", "GrnMatchReqd", "Email", "Nationality",
)  # fmt: skip
"""The elements that are written, in the object's order."""

ADDRESS_ELEMENTS = frozenset({"SupAddr2", "SupAddr3", "SupAddr3Loc", "SupAddr4", "SupAddr5", "Nationality"})
"""What `address_layout` may name and APSSSP can write."""

ADDRESS_PARTS = ("line1", "line2", "city", "region", "postal_code", "country")

_CODE = re.compile(r"([A-Z]{3})([0-9]{1,12})")
DIGITS = 3


def about(supplier: Supplier) -> str:
    return f"supplier {supplier.name}"


def to_add(
    supplier: Supplier, code: str, mark: str, currency: str | None, options: Options, *, shorten: bool = False
) -> Posting:
    """The call that adds it. `currency`: SYSPRO's own code. Raises Refused, naming element or setting."""
    form = Form(about(supplier))
    settings = options.writing
    if not stripped(supplier.name):
        raise Refused("field_missing", f"{form.opening} has no name, which SYSPRO needs.", "SupplierName")
    required = {
        "Branch": (settings.branch, "default_branch_code"),
        "TermsCode": (supplier.terms or settings.terms, "default_terms"),
        "Currency": (currency or settings.currency, "default_currency"),
    }
    for name, (value, setting) in required.items():
        if not value:
            raise Refused(
                "field_missing",
                f"{form.opening} has no {name}, which SYSPRO needs. Enter {setting} in the Connection's settings.",
                setting,
            )
    elements = _elements(supplier, form, MAY_OWN, {}, options, shorten=shorten)
    elements |= {name: form.code(name, value) for name, (value, _) in required.items()}
    elements["SupplierClass"] = form.code("SupplierClass", settings.supplier_class)
    elements["UserField1"] = form.code("UserField1", mark if settings.marks_suppliers else "")
    elements["GrnMatchReqd"] = element("GrnMatchReqd", "Y" if supplier.needs_receipt_match else "N")
    return _posting(code, elements, form, SETUP_ADD)


def to_update(
    supplier: Supplier,
    code: str,
    changed: Collection[str],
    cells: Mapping[str, str],
    options: Options,
    *,
    shorten: bool = False,
) -> Posting:
    """The call that changes the fields named `changed`, and no other. `cells`: what the address columns hold now."""
    form = Form(about(supplier))
    return _posting(code, _elements(supplier, form, changed, cells, options, shorten=shorten), form, SETUP_UPDATE)


def to_hold(code: str) -> Posting:
    """The call that puts a supplier on hold."""
    return _posting(code, {"OnHold": element("OnHold", "Y")}, Form(f"supplier {code}"), SETUP_UPDATE)


def sample() -> Posting:
    """What asks whether the object is licensed: an update of nothing."""
    return Posting("an empty supplier", BUSINESS_OBJECT, ROOT, PARAMETERS, "<Item/>", SETUP_UPDATE)


def new_code(supplier: Supplier, taken: Collection[str], rule: str) -> str:
    """The code of a supplier that is created, by the site's rule: three letters of its name and the number after the
    highest of all such codes, or the source's own code. Raises Refused where a person is to choose."""
    form = Form(about(supplier))
    if rule == "ask":
        raise Refused(
            "code_needed",
            f"{form.opening} is not in SYSPRO yet, and people choose its code here (code_rule). Create it in SYSPRO, "
            "then link the two.",
            "Supplier",
        )
    if rule == "source":
        form.code("Supplier", supplier.code, required=True)
        return stripped(supplier.code)
    plain = unicodedata.normalize("NFKD", supplier.name).upper()
    letters = "".join(letter for letter in plain if "A" <= letter <= "Z")[:3].ljust(3, "X")
    numbers = [int(found[2]) for code in taken if (found := _CODE.fullmatch(code.strip()))]
    return f"{letters}{max(numbers, default=0) + 1:0{DIGITS}}"


def column(part: str, cells: Mapping[str, str], layout: Mapping[str, Sequence[str]]) -> str | None:
    """Where a part of an address is written: the column that holds it now, else the last that can be written."""
    writable = [name for name in layout[part] if name in ADDRESS_ELEMENTS]
    return next((name for name in writable if cells.get(name, "").strip()), writable[-1] if writable else None)


def _elements(
    supplier: Supplier,
    form: Form,
    fields: Collection[str],
    cells: Mapping[str, str],
    options: Options,
    *,
    shorten: bool,
) -> dict[str, str]:
    """The rendered elements of the fields, by name; those that the source leaves empty are left out."""
    made: dict[str, Callable[[], dict[str, str]]] = {
        "name": lambda: {"SupplierName": form.name("SupplierName", supplier.name, shorten=shorten)},
        "short_name": lambda: {"SupShortName": form.words("SupShortName", supplier.short_name)},
        "contact": lambda: {"Contact": form.words("Contact", supplier.contact)},
        "phone": lambda: {"Telephone": form.code("Telephone", supplier.phone)},
        "email": lambda: {"Email": form.code("Email", supplier.email)},
        "terms": lambda: {"TermsCode": form.code("TermsCode", supplier.terms)},
        "tax_id": lambda: {"TaxRegnNum": _tax_id(supplier, form)},
        "on_hold": lambda: {"OnHold": element("OnHold", "Y" if supplier.on_hold else "N")},
        "default_account": lambda: {"MerchGlCode": form.code("MerchGlCode", supplier.default_account)},
        "needs_receipt_match": lambda: {
            "GrnMatchReqd": element("GrnMatchReqd", "Y" if supplier.needs_receipt_match else "N")
        },
        "address": lambda: _address(supplier.address, ADDRESS_PARTS, form, cells, options, shorten=shorten),
    }
    parts = [name.removeprefix("address.") for name in fields if name.startswith("address.")]
    result: dict[str, str] = {}
    for name in fields:
        if name in made:
            result |= made[name]()
    if parts:
        result |= _address(supplier.address, parts, form, cells, options, shorten=shorten)
    return result


def _address(
    address: Address | None,
    parts: Collection[str],
    form: Form,
    cells: Mapping[str, str],
    options: Options,
    *,
    shorten: bool,
) -> dict[str, str]:
    if address is None:
        return {}
    result: dict[str, str] = {}
    if "line1" in parts:
        result["SupAddr1"] = form.name("SupAddr1", address.line1, shorten=shorten)
    if "postal_code" in parts:
        result["SupPostalCode"] = form.code("SupPostalCode", address.postal_code)
    if "line2" in parts:
        columns = [name for name in options.address_layout["line2"] if name in ADDRESS_ELEMENTS]
        for name, text in zip(columns, (address.line2, address.line3), strict=False):
            result[name] = form.name(name, text, shorten=shorten) if text else ""
    for part in ("city", "region", "country"):
        value = getattr(address, part)
        written_to = column(part, cells, options.address_layout) if part in parts and value else None
        if written_to == "Nationality":
            result[written_to] = form.code(written_to, value)
        elif written_to is not None:
            result[written_to] = form.name(written_to, value, shorten=shorten)
    return result


def _tax_id(supplier: Supplier, form: Form) -> str:
    """The refusal does not repeat it (R71)."""
    if len(stripped(supplier.tax_id or "")) > 20:
        raise Refused("field_too_long", f"{form.opening}: its tax id has more than 20 characters.", "TaxRegnNum")
    return form.code("TaxRegnNum", supplier.tax_id)


def _posting(code: str, elements: Mapping[str, str], form: Form, operation: str) -> Posting:
    item = element(
        "Item",
        element("Key", form.key("Supplier", code)),
        *(elements[name] for name in ORDER if name in elements),
    )
    return Posting(form.about, BUSINESS_OBJECT, ROOT, PARAMETERS, item, operation)

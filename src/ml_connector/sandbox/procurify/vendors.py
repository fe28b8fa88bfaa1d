"""Vendors: POST, PUT and PATCH. A name belongs to one active vendor, an `external_id` to one vendor.

Procurify: an empty PATCH only moves `dateModified`. The plain list has the active vendors; a group after the path
names others. Terms and methods are given by name.
"""

from collections.abc import Callable

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.procurify.books import Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.errors import Invalid, Refused, Wrong
from ml_connector.sandbox.procurify.incoming import body_of
from ml_connector.sandbox.procurify.listing import Filter, Filters, Lists, choice, flag, same, single
from ml_connector.sandbox.procurify.requests import TYPES
from ml_connector.sandbox.procurify.shapes import REFERENCES, Shapes
from ml_connector.sandbox.standin import Row

OTHER, HIDDEN, PREFERRED, REGULAR, EMPLOYEE, CARDS, CHECKOUT = range(1, 8)
"""The types of a vendor."""
TYPE_NAMES = {
    "other": OTHER,
    "amazon_punchout": HIDDEN,
    "preferred": PREFERRED,
    "regular": REGULAR,
    "employee": EMPLOYEE,
    "cc_provider": CARDS,
    "checkout": CHECKOUT,
    "pending": 0,
}
USUAL = frozenset({OTHER, PREFERRED, REGULAR, CHECKOUT})
GROUPS: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "default": lambda row: row["active"] and row["type"] in USUAL,
    "preferred": lambda row: row["active"] and row["type"] == PREFERRED,
    "purchasable": lambda row: row["active"] and row["type"] in USUAL,
    "requestable": lambda row: row["active"] and row["type"] in USUAL,
    "other": lambda row: row["type"] == OTHER,
    "credit_card_providers": lambda row: row["type"] == CARDS,
}
FILTERS: Filters = {
    "external_id": same("external_id", str),
    "name": same("name", str),
    "type": Filter(choice([str(number) for number in range(1, 8)]), lambda row, value: row["type"] == int(value)),
    "type__in": Filter(
        choice(list(TYPE_NAMES)), lambda row, values: row["type"] in {TYPE_NAMES[one] for one in values}, many=True
    ),
    "exclude_other": Filter(flag, lambda row, value: not value or row["type"] != OTHER),
}
BASE = "/api/v3/vendors/"


class Vendors:
    def __init__(self, books: Books, shapes: Shapes, lists: Lists) -> None:
        self._books = books
        self._shapes = shapes
        self._lists = lists

    def add_routes(self, routes: Routes) -> None:
        routes.add(f"GET {BASE}", "vendors", lambda call: self._list(call.request, lambda row: bool(row["active"])))
        routes.add(f"POST {BASE}", "vendors", self._post)
        routes.add(f"GET {BASE}{{id}}/", "vendors", self._get)
        routes.add(f"PUT {BASE}{{id}}/", "vendors", self._put)
        routes.add(f"PATCH {BASE}{{id}}/", "vendors", self._patch)

    def _list(self, request: Request, wanted: Callable[[Row], bool]) -> Response:
        rows = [row for row in self._books["vendors"] if wanted(row)]
        found = self._lists.chosen(request, rows, FILTERS, ("name", "external_id", "contact"))
        return self._lists.answer(request, found, self._shapes.listed_vendor)

    def _get(self, call: Call) -> Response:
        if call.ids[0] in GROUPS:
            return self._list(call.request, GROUPS[call.ids[0]])
        return single(call.request, self._shapes.single_vendor(self._find(call)))

    def _post(self, call: Call) -> Response:
        row = self._books.add("vendors", self._checked(None, body_of(call.request, TYPES, "Vendor")))
        return single(call.request, self._shapes.single_vendor(row), status=201)

    def _put(self, call: Call) -> Response:
        known = self._find(call)
        changes = self._checked(known, body_of(call.request, TYPES, "Vendor"))
        return single(call.request, self._shapes.replaced_vendor(self._change(known, changes)))

    def _patch(self, call: Call) -> Response:
        known = self._find(call)
        changes = self._checked(known, body_of(call.request, TYPES, "Vendor", partial=True))
        return single(call.request, self._shapes.listed_vendor(self._change(known, changes)))

    def _change(self, known: Row, changes: Row) -> Row:
        return self._books.edit("vendors", {**changes, "id": known["id"]})

    def _find(self, call: Call) -> Row:
        row = self._books["vendors"].get(call.number())
        if row is None:
            raise Refused(404)
        return row

    def _checked(self, known: Row | None, given: Row) -> Row:
        """The changes with their references as keys. Raises Invalid."""
        wrong: dict[str, Wrong] = {}
        changes = dict(given)
        for name, kind in REFERENCES.items():
            if given.get(name) is not None:
                changes[name] = self._named(kind, given[name]["name"])
                if changes[name] is None:
                    wrong[name] = Wrong(f'"{given[name]["name"]}" does not exist.', "DOES_NOT_EXIST")
        for name, kind in (("currency", "currencies"), ("default_payment_method", "payment-methods")):
            if given.get(name) is not None and given[name] not in self._books[kind]:
                wrong[name] = Wrong(f'Invalid pk "{given[name]}" - object does not exist.', "DOES_NOT_EXIST")
        for flags in given.get("email_configurations", {}).values():
            if not isinstance(flags, dict) or not all(isinstance(value, bool) for value in flags.values()):
                wrong["email_configurations"] = Wrong("Expected auto_po and payment_remittance by e-mail address.")
        if self._books.options.duplicate_vendors == "refuse":
            wrong |= self._twins({**(known or {"id": None, "active": True}), **given})
        if wrong:
            raise Invalid(wrong)
        return changes

    def _twins(self, row: Row) -> dict[str, Wrong]:
        """Fields that belong to another vendor already."""
        wrong = {}
        for other in self._books["vendors"]:
            if other["id"] == row["id"]:
                continue
            both = other["active"] and row["active"]
            if both and str(other["name"]).strip().lower() == str(row["name"]).strip().lower():
                wrong["name"] = Wrong("A vendor with this name already exists.", "UNIQUE")
            if row.get("external_id") and other["external_id"] == row["external_id"]:
                wrong["external_id"] = Wrong("A vendor with this external_id already exists.", "UNIQUE")
        return wrong

    def _named(self, type_name: str, name: str) -> int | None:
        row = self._books.find(type_name, lambda row: bool(row["name"] == name and row["active"]))
        return None if row is None else int(row["id"])

"""Account codes, accounts, departments, locations, currencies, users and payment methods.

Procurify: departments and account codes can be created and replaced, locations only created, and only by a superuser;
currencies can only be read. An account is a code in a department.
"""

import re
from collections.abc import Iterable

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.procurify.access import Access
from ml_connector.sandbox.procurify.books import BOUND_USER, Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.errors import Invalid, Refused, Wrong, invalid
from ml_connector.sandbox.procurify.incoming import body_of
from ml_connector.sandbox.procurify.listing import (
    Filter,
    Filters,
    Lists,
    Place,
    choice,
    flag,
    ignored,
    number,
    one_of,
    same,
    single,
    whole,
)
from ml_connector.sandbox.procurify.requests import TYPES
from ml_connector.sandbox.procurify.shapes import CREATED, Shapes
from ml_connector.sandbox.standin import Row

ACTIVE = same("active", flag)
_url = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?(/[\w./~-]{0,100})?", re.ASCII | re.IGNORECASE)
"""What the contract lets a location be answered with; it lets any text be sent."""
METHOD_FILTERS: Filters = {
    "currency": same("currency"),
    "type": Filter(choice([str(kind) for kind in range(9)]), lambda row, value: row["type"] == int(value)),
    "vendor": same("vendor"),
    "category": Filter(
        choice(("external", "managed")), lambda row, value: bool(row["managed"]) == (value == "managed")
    ),
}


class Reference:
    def __init__(self, books: Books, shapes: Shapes, lists: Lists, access: Access) -> None:
        self._books = books
        self._shapes = shapes
        self._lists = lists
        self._access = access

    def add_routes(self, routes: Routes) -> None:
        routes.add("GET /api/v2/currencies/", "currencies", self._currencies)
        routes.add("GET /api/v2/locations/", "locations", self._locations)
        routes.add("POST /api/v2/locations/", "locations", self._add_location)
        routes.add("GET /api/v2/locations/{id}/", "locations", self._location)
        routes.add("GET /api/v3/departments/", "departments", self._departments)
        routes.add("POST /api/v3/departments/", "departments", self._add_department)
        routes.add("PUT /api/v3/departments/{id}/", "departments", self._put_department)
        routes.add("GET /api/v3/account-codes/", "account-codes", self._codes)
        routes.add("POST /api/v3/account-codes/", "account-codes", self._add_code)
        routes.add("PUT /api/v3/account-codes/{id}/", "account-codes", self._put_code)
        routes.add("GET /api/v3/accounts/", "accounts", self._accounts)
        routes.add("GET /api/v3/users/", "users", self._users)
        routes.add("GET /api/v3/users/me/", "users", self._me)
        routes.add("GET /api/v2/ap/company-payment-methods/", "payment-methods", self._company_methods)
        routes.add("GET /api/v2/ap/vendor-payment-methods/", "payment-methods", self._vendor_methods)

    # --- currencies and locations --------------------------------------------------------------------------

    def _currencies(self, call: Call) -> Response:
        texts = {"name": same("name", str), "description": same("description", str)}
        filters: Filters = {"active": ACTIVE, "base": same("base", flag), "rate": same("rate", number), **texts}
        rows = self._lists.chosen(call.request, self._books["currencies"], filters, ("name", "description"))
        return self._lists.answer(call.request, rows, lambda row: self._shapes.currency(row["id"]))

    def _locations(self, call: Call) -> Response:
        filters: Filters = {"active": ACTIVE, "headquarter": same("headquarter", flag)}
        rows = self._lists.chosen(call.request, self._books["locations"], filters, ("name",))
        return self._lists.answer(call.request, rows, self._shapes.location)

    def _location(self, call: Call) -> Response:
        return single(call.request, self._shapes.location(self._find("locations", call)))

    def _add_location(self, call: Call) -> Response:
        if not self._books.options.superuser:
            raise Refused(403)
        given = body_of(call.request, TYPES, "Location")
        currency = self._books.find("currencies", lambda row: bool(row["name"] == given["currency"]))
        if currency is None:
            raise invalid("currency", f'"{given["currency"]}" is not a currency.', "DOES_NOT_EXIST")
        if given.get("url") is not None and not _url.fullmatch(given["url"]):
            raise invalid("url", "Enter a valid URL.")
        self._unique("locations", None, given, ("name", "external_id"))
        fields = {
            **given,
            "currency": currency["id"],
            "primary_billing_address": self._address(given["primary_billing_address"]),
            "primary_shipping_address": self._address(given["primary_shipping_address"]),
            "shipping_addresses": [self._address(one) for one in given["shipping_addresses"]],
        }
        fields.pop("logo", None)
        return single(call.request, self._shapes.location(self._books.add("locations", fields)), status=201)

    def _address(self, given: Row) -> int:
        return int(self._books.add("addresses", {**given, "created_at": self._books.now()})["id"])

    # --- departments and accounts --------------------------------------------------------------------------

    def _departments(self, call: Call) -> Response:
        filters: Filters = {
            "branch": same("branch"),
            "locations": one_of("branch"),
            "requestable": ignored(),
            "permission": ignored(whole),
            "user": ignored(whole),
            "location_perm_override": ignored(flag),
            "include_is_active_for_account_code": ignored(whole),
        }
        rows = self._lists.chosen(call.request, self._books["departments"], filters, ("name",))
        return self._lists.answer(call.request, rows, self._shapes.department)

    def _add_department(self, call: Call) -> Response:
        row = self._books.add("departments", self._checked_department(None, call))
        return single(call.request, self._shapes.department(row), status=201)

    def _put_department(self, call: Call) -> Response:
        known = self._find("departments", call)
        changes = self._checked_department(known, call)
        row = self._books.edit("departments", {**changes, "id": known["id"]})
        return single(call.request, self._shapes.department(row))

    def _checked_department(self, known: Row | None, call: Call) -> Row:
        given = body_of(call.request, TYPES, "Department")
        if given["branch"] not in self._books["locations"]:
            raise invalid("branch", f'Invalid pk "{given["branch"]}" - object does not exist.', "DOES_NOT_EXIST")
        self._unique("departments", known, given, ("name", "external_id"), within=("branch",))
        return given

    def _codes(self, call: Call) -> Response:
        parents = {row["parent"] for row in self._books["account-codes"]}
        is_parent = Filter(flag, lambda row, value: (row["id"] in parents) == value)
        filters: Filters = {"active": ACTIVE, "code": same("code", str), "is_parent": is_parent}
        rows = self._lists.chosen(call.request, self._books["account-codes"], filters, ("code", "description"))
        return self._lists.answer(call.request, rows, self._shapes.account_code)

    def _add_code(self, call: Call) -> Response:
        given = body_of(call.request, TYPES, "AccountCode")
        self._unique("account-codes", None, given, ("code",))
        departments = given.pop("departments", [])
        missing = [key for key in departments if key not in self._books["departments"]]
        if missing:
            raise invalid("departments", f'Invalid pk "{missing[0]}" - object does not exist.', "DOES_NOT_EXIST")
        if given.get("parent") is not None and given["parent"] not in self._books["account-codes"]:
            raise invalid("parent", f'Invalid pk "{given["parent"]}" - object does not exist.', "DOES_NOT_EXIST")
        row = self._books.add("account-codes", given)
        for key in dict.fromkeys(departments):
            self._books.add("accounts", {"account_code": row["id"], "department": key})
        return single(call.request, self._shapes.account_code(row), status=201)

    def _put_code(self, call: Call) -> Response:
        known = self._find("account-codes", call)
        given = body_of(call.request, TYPES, "AccountCodeUpdate")
        self._unique("account-codes", known, given, ("code",))
        row = self._books.edit("account-codes", {**given, "id": known["id"]})
        return single(call.request, self._shapes.account_code(row))

    def _accounts(self, call: Call) -> Response:
        filters: Filters = {
            "id": same("id"),
            "account_code": same("account_code"),
            "active": ACTIVE,
            "department": same("department"),
            "departments": one_of("department"),
            "locations": Filter(whole, lambda row, keys: self._branch(row) in keys, many=True),
            "in_effect": ignored(flag),
            "with_expired_budgets": ignored(flag),
        }
        rows = self._lists.chosen(call.request, self._books["accounts"], filters, ())
        return self._lists.answer(call.request, rows, lambda row: self._shapes.account(row["id"], full_department=True))

    def _branch(self, account: Row) -> int:
        return int(self._books.row("departments", account["department"])["branch"])

    # --- people and payment methods ------------------------------------------------------------------------

    def _users(self, call: Call) -> Response:
        filters: Filters = {
            "is_active": same("is_active", flag),
            "role": same("role", number),
            "location": ignored(),
            "pending_invite": Filter(flag, lambda row, value: not value),
            "permission": ignored(),
        }
        rows = self._lists.chosen(call.request, self._books["users"], filters, ("firstName", "lastName", "email"))
        return self._lists.answer(call.request, rows, self._user)

    def _user(self, row: Row) -> Row:
        department = self._books.row("departments", row["department"])
        branch = self._books.row("locations", department["branch"])
        place = {name: branch[name] for name in ("id", "name", "headquarter")}
        return {
            **self._shapes.simple_person(row["id"]),
            "user": row["id"],
            "department": {"id": department["id"], "name": department["name"], "location": place},
            "location": place,
            "is_active": row["is_active"],
            "phone": None,
            "position": row["position"],
            "role": {"id": row["role"] + 1, "name": f"Role {row['role']}", "type": row["role"]},
            "approval_delegatee": self._shapes.simple_person(row["id"]),
            "pending_approvals_count": dict.fromkeys(("order", "expense", "travel", "bill", "payment"), 0),
        }

    def _me(self, call: Call) -> Response:
        """The user to whom the application is bound."""
        row = self._books.row("users", BOUND_USER)
        superuser = self._books.options.superuser
        data = {
            **self._shapes.simple_person(row["id"]),
            "user": row["id"],
            "domains": {"active": True, "procurify_domains": [{"subdomain": self._access.domain, "name": "Rilling"}]},
            "systemaccess_cache": {"is_superuser": superuser},
            "position": row["position"],
            "is_active": row["is_active"],
            "pending_invite": False,
            "role": row["role"] if superuser else 2,
            "created_at": row["created_at"] or CREATED,
            "updated_at": row["created_at"] or CREATED,
        }
        return single(call.request, data)

    def _company_methods(self, call: Call) -> Response:
        rows = [row for row in self._books["payment-methods"] if row["vendor"] is None]
        filters = {name: one for name, one in METHOD_FILTERS.items() if name in {"currency", "type"}}
        found = self._lists.chosen(call.request, rows, filters, ("name",))
        return self._lists.answer(call.request, found, self._shapes.company_method, place=self._place)

    def _vendor_methods(self, call: Call) -> Response:
        rows = [row for row in self._books["payment-methods"] if row["vendor"] is not None]
        found = self._lists.chosen(call.request, rows, METHOD_FILTERS, ("name",))
        return self._lists.answer(call.request, found, self._shapes.vendor_method, place=self._place)

    @property
    def _place(self) -> Place:
        return self._books.options.method_pagination

    def _find(self, type_name: str, call: Call) -> Row:
        row = self._books[type_name].get(call.number())
        if row is None:
            raise Refused(404)
        return row

    def _unique(
        self, type_name: str, known: Row | None, given: Row, names: Iterable[str], within: tuple[str, ...] = ()
    ) -> None:
        """Raises Invalid for a value that another row has; a name only `within` the same parent."""
        wrong = {}
        for other in self._books[type_name]:
            if known is not None and other["id"] == known["id"]:
                continue
            for name in names:
                near = name != "name" or all(other[one] == given.get(one) for one in within)
                if given.get(name) and other[name] == given[name] and near:
                    wrong[name] = Wrong(f"This {name} is in use already.", "UNIQUE")
        if wrong:
            raise Invalid(wrong)

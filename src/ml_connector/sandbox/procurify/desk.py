"""The control side: what people see and do in Procurify, past the API.

Types are those of `fields`; orders and bills are entered as `entry` says. Besides them

    tokens    only to be deleted
    actions   what a person does, see people
"""

from collections.abc import Sequence

from ml_connector.sandbox.procurify.access import Access
from ml_connector.sandbox.procurify.books import BOUND_USER, Books
from ml_connector.sandbox.procurify.entry import Entry
from ml_connector.sandbox.procurify.fields import FIELDS
from ml_connector.sandbox.procurify.people import People
from ml_connector.sandbox.standin import BadInput, Row

REFERENCES: dict[str, dict[str, str]] = {
    "locations": {"currency": "currencies", "primary_billing_address": "addresses"},
    "departments": {"branch": "locations"},
    "accounts": {"account_code": "account-codes", "department": "departments"},
    "users": {"department": "departments"},
    "vendors": {"currency": "currencies", "payment_term_ref": "payment-terms"},
    "order-items": {"account": "accounts", "vendor": "vendors", "currency": "currencies"},
    "purchase-orders": {"vendor": "vendors", "currency": "currencies", "purchaser": "users"},
    "bills": {"vendor": "vendors", "currency": "currencies", "user": "users"},
    "payments": {"currency": "currencies", "creator": "users"},
}
"""Keys that must be there, or the API could not show the row."""


class Desk:
    def __init__(self, books: Books, access: Access, entry: Entry, people: People) -> None:
        self._books = books
        self._access = access
        self._entry = entry
        self._people = people

    def types(self) -> Sequence[str]:
        return (*FIELDS, "tokens", "actions")

    def state(self, type_name: str) -> list[Row]:
        match type_name:
            case "tokens":
                return self._access.rows()
            case "actions":
                return self._people.done
        return [dict(row) for row in self._books[type_name]]

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        """Raises BadInput; the rows before the wrong one stay."""
        match type_name:
            case "tokens":
                return self._access.edit(rows)
            case "actions":
                return [self._people.perform(row) for row in rows]
        return [dict(self._edit(type_name, row)) for row in rows]

    def _edit(self, type_name: str, row: Row) -> Row:
        if row.get("_delete") is True:
            self._check_delete(type_name, row)
        for name, kind in REFERENCES.get(type_name, {}).items():
            key = row.get(name)
            if isinstance(key, int) and key not in self._books[kind]:
                raise BadInput(f"{type_name}: {name} {key} is not one of the {kind}")
        match type_name:
            case "purchase-orders":
                return self._entry.order(row)
            case "bills":
                return self._entry.bill(row)
        return self._books.edit(type_name, row)

    def _check_delete(self, type_name: str, row: Row) -> None:
        """Raises BadInput for a row that others refer to."""
        if type_name == "users" and row.get("id") == BOUND_USER:
            raise BadInput("users: the application's own user can only be made inactive")
        for other, names in REFERENCES.items():
            for name, kind in names.items():
                if kind == type_name and any(one[name] == row.get("id") for one in self._books[other]):
                    raise BadInput(f"{type_name} {row.get('id')}: {other} refer to it")

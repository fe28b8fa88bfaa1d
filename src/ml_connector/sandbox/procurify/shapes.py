"""How reference records look in answers. An object that is shown inside another has fewer fields, or others."""

from decimal import Decimal
from typing import Any

from ml_connector.sandbox.procurify.books import Books
from ml_connector.sandbox.standin import Row

CREATED = "2024-01-08T17:00:00Z"
VENDOR_TEXTS = (
    *("id", "name", "active", "addressLineOne", "addressLineTwo", "postalCode", "city", "state_province", "country"),
    *("phoneOne", "phoneTwo", "fax", "email", "comments", "contact", "url", "external_id", "dateModified", "currency"),
)
VENDOR_REST = ("tax", "type", "default_payment_method", "is_1099_eligible", "is_auto_email_po_enabled", "po_pdf_labels")
REFERENCES = {
    "payment_term_ref": "payment-terms",
    "shipping_term_ref": "shipping-terms",
    "payment_method_ref": "vendor-methods",
    "shipping_method_ref": "shipping-methods",
}
"""Fields of a vendor that point to a named record, and to which."""


def dec(value: Decimal | int | None, places: int) -> str | None:
    """A decimal as the API writes it: a text with all its places."""
    return None if value is None else str(Decimal(value).quantize(Decimal(1).scaleb(-places)))


def num(value: Decimal | int) -> Decimal:
    """A decimal as a JSON number: at least one place, no zeros after."""
    plain = Decimal(value).normalize()
    exponent = plain.as_tuple().exponent
    return plain if isinstance(exponent, int) and exponent < 0 else plain.quantize(Decimal("0.1"))


def text(value: Decimal | int) -> str:
    """`dec` without its places, for where the contract bounds both sides by eight digits."""
    return str(num(value))


class Shapes:
    def __init__(self, books: Books) -> None:
        self._books = books

    # --- money and places ----------------------------------------------------------------------------------

    def currency(self, key: int) -> Row:
        row = self._books.row("currencies", key)
        return {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "rate": dec(row["rate"], 6),
            "base": row["base"],
            "active": row["active"],
        }

    def currency_summary(self, key: int) -> Row:
        row = self.currency(key)
        return {name: row[name] for name in ("id", "name", "rate", "base")}

    def address(self, key: int) -> Row:
        row = self._books.row("addresses", key)
        return {**row, "is_active": True, "updated_at": row["created_at"], "addressAssociation": 1}

    def location(self, row: Row) -> Row:
        departments = [one for one in self._books["departments"] if one["branch"] == row["id"]]
        addresses = (row["primary_billing_address"], row["primary_shipping_address"])
        billing, shipping = (self._plain_address(key) for key in addresses)
        return {
            **{name: row[name] for name in ("id", "name", "url", "phoneOne", "fax", "email", "language")},
            "currency": self.currency(row["currency"]),
            "primary_billing_address": billing,
            "primary_shipping_address": shipping,
            "shipping_addresses": [self._plain_address(key) for key in row["shipping_addresses"]],
            "locationTimezone": row["locationTimezone"],
            "headquarter": row["headquarter"],
            "department_count": len(departments),
            "active": row["active"],
            "external_id": row["external_id"],
        }

    def _plain_address(self, key: int) -> Row:
        row = self._books.row("addresses", key)
        names = ("id", "name", "addressLineOne", "city", "postalCode", "state_province", "country")
        return {name: row[name] for name in names}

    # --- accounts ------------------------------------------------------------------------------------------

    def department(self, row: Row) -> Row:
        branch = self._books.row("locations", row["branch"])
        return {
            "id": row["id"],
            "name": row["name"],
            "branch": {name: branch[name] for name in ("id", "name", "headquarter")},
            "external_id": row["external_id"],
            "active": row["active"],
            "punchout_email": row["punchout_email"],
        }

    def department_summary(self, key: int) -> Row:
        row = self.department(self._books.row("departments", key))
        return {**row, "branch": {name: row["branch"][name] for name in ("id", "name")}}

    def account_code(self, row: Row) -> Row:
        applied = sum(1 for one in self._books["accounts"] if one["account_code"] == row["id"] and one["active"])
        return {**row, "code_length": len(row["code"]), "applied_accounts_count": applied}

    def account(self, key: int, *, full_department: bool = False) -> Row:
        """A code in a department, which is a line of the budget."""
        row = self._books.row("accounts", key)
        code = self.account_code(self._books.row("account-codes", row["account_code"]))
        department = self._books.row("departments", row["department"])
        budget = dec(row["budget"], 2)
        shown = {
            "id": row["id"],
            "account_code": code,
            "department": self.department(department)
            if full_department
            else self.department_summary(row["department"]),
            "start_datetime": row["start_datetime"],
            "end_datetime": row["end_datetime"],
            "budget": budget,
            "balance_approved": budget,
            "balance_purchased": budget,
            "active": row["active"],
        }
        if full_department:
            return {**shown, "budget_used_approved": "0.00", "budget_used_purchased": "0.00"}
        none = Decimal("0.0")
        return {**shown, "warning_indicator": False, "budget_used_approved": none, "budget_used_purchased": none}

    # --- people --------------------------------------------------------------------------------------------

    def person(self, key: int) -> Row:
        """A user inside a document."""
        row = self._books.row("users", key)
        return {
            "id": row["id"],
            "user": row["id"],
            "firstName": row["firstName"],
            "lastName": row["lastName"],
            "email": row["email"],
            "position": row["position"],
            "is_active": row["is_active"],
            "department": self.department_summary(row["department"]),
            "created_at": row["created_at"] or CREATED,
            "updated_at": row["created_at"] or CREATED,
        }

    def simple_person(self, key: int) -> Row:
        row = self._books.row("users", key)
        return {name: row[name] for name in ("id", "firstName", "lastName", "email")}

    # --- vendors -------------------------------------------------------------------------------------------

    def named(self, type_name: str, key: int | None) -> Row | None:
        """A payment term, shipping term or method."""
        if key is None:
            return None
        row = self._books.row(type_name, key)
        return {name: row[name] for name in ("id", "name", "description", "active")}

    def vendor(self, row: Row, *, score: Any = None) -> Row:
        """A vendor with its references as objects."""
        shown = {name: row[name] for name in VENDOR_TEXTS}
        shown |= {name: self.named(kind, row[name]) for name, kind in REFERENCES.items()}
        methods = [one for one in self._books["payment-methods"] if one["vendor"] == row["id"]]
        shown["payment_methods"] = [self.method_summary(one) for one in methods]
        shown |= {name: row[name] for name in VENDOR_REST}
        shown["creditcards"] = []
        shown["overall_score"] = score
        shown["email_configurations"] = row["email_configurations"]
        return shown

    def listed_vendor(self, row: Row) -> Row:
        """As lists and PATCH have it: the score is a text."""
        return self.vendor(row, score=dec(row["overall_score"], 3))

    def inner_vendor(self, key: int) -> Row:
        """As documents have it: the score is a number."""
        row = self._books.row("vendors", key)
        return self.vendor(row, score=None if row["overall_score"] is None else num(row["overall_score"]))

    def single_vendor(self, row: Row) -> Row:
        """As GET of one and POST have it."""
        return {**self.inner_vendor(row["id"]), "performance": None}

    def replaced_vendor(self, row: Row) -> Row:
        """As PUT has it: the references are keys."""
        return {**self.inner_vendor(row["id"]), **{name: row[name] for name in REFERENCES}}

    # --- payment methods -----------------------------------------------------------------------------------

    def method_summary(self, row: Row) -> Row:
        return {
            "id": row["id"],
            "name": row["name"],
            "type": row["type"],
            "data": row["data"],
            "currency": self.currency(row["currency"]),
            "payment_rail": row["payment_rail"],
            "bank_account_country_code": None,
        }

    def company_method(self, row: Row) -> Row:
        shown = self.method_summary(row)
        return {**{name: shown[name] for name in ("id", "name", "type", "data", "currency")}, "gl_code": row["gl_code"]}

    def vendor_method(self, row: Row) -> Row:
        fee = {"type": "fixed", "value": "0.00"}
        more = {"vendor": row["vendor"], "flight_time": {"min": 1, "max": 3}, "transaction_fee": fee}
        return {**self.method_summary(row), **more}

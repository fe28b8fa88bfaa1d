"""The control side: what people see and do in AvidXchange, past the gateway. Rows have our own names.

accountingSystems, dimensions, vendors, codes, orders, invoices, payments   read and edited, without the rules
batches, runs, history, acknowledgements, tokens, contract                  only to be read
actions                                                                     what a person does, see actions
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.sandbox.avidxchange.access import Access
from ml_connector.sandbox.avidxchange.actions import Actions
from ml_connector.sandbox.avidxchange.books import Books, Table, Wrong
from ml_connector.sandbox.avidxchange.contract import Field
from ml_connector.sandbox.avidxchange.invoices import NOTHING, Invoices
from ml_connector.sandbox.avidxchange.masters import Masters
from ml_connector.sandbox.avidxchange.payments import Payments
from ml_connector.sandbox.avidxchange.throttling import Throttling
from ml_connector.sandbox.standin import BadInput, Row

RECORDS = {
    "accountingSystems": "accounting_system",
    "dimensions": "dimension",
    "vendors": "vendor",
    "codes": "code",
    "orders": "order",
    "invoices": "invoice",
    "payments": "payment",
}
"""The types that can be edited, in the order in which a data file is taken."""
BESIDE = {
    "vendor": {"remit": "text"},
    "code": {"archived": "flag"},
    "invoice": {"captured": "flag", "batch": "text", "paid": "money"},
    "payment": {"cycle": "whole"},
    "remittance": {"invoice": "text"},
}
"""Fields that AvidXchange keeps and the contract has no name for."""
DEFAULTS: dict[str, Row] = {
    "dimension": {"required": False},
    "vendor": {"active": True},
    "code": {"active": True},
    "order": {"status": "open", "lines": []},
    "invoice": {
        "external_id": None,
        "status": "received",
        "captured": False,
        "batch": None,
        "paid": NOTHING,
        "currency": "USD",
        "lines": [],
    },
    "payment": {"status": "processing", "exceptions": [], "remittances": [], "cycle": 1, "run": "EDITED"},
}
KEYS: dict[str, tuple[str, ...]] = {
    "dimension": ("name",),
    "vendor": ("code",),
    "code": ("group", "code"),
    "invoice": ("external_id",),
    "order": ("number",),
}
"""By what a row is found that names no id."""
MUST: dict[str, tuple[str, ...]] = {
    "accounting_system": ("name",),
    "dimension": ("name",),
    "vendor": ("code", "name"),
    "code": ("group", "code", "description"),
    "order": ("number", "vendor", "date", "total"),
    "invoice": ("number", "vendor", "date", "gross"),
    "payment": ("method", "amount", "currency", "vendor"),
}


class Desk:
    def __init__(
        self,
        books: Books,
        masters: Masters,
        invoices: Invoices,
        payments: Payments,
        access: Access,
        throttling: Throttling,
    ) -> None:
        self._books, self._access, self._payments, self._invoices = books, access, payments, invoices
        self.actions = Actions(books, masters, invoices, payments, access, throttling)
        self._tables: dict[str, Table] = {
            "accountingSystems": books.systems,
            "dimensions": books.dimensions,
            "vendors": books.vendors,
            "codes": books.codes,
            "orders": books.orders,
            "invoices": books.invoices,
            "payments": books.payments,
            "history": books.history,
            "acknowledgements": books.acknowledgements,
        }

    def types(self) -> Sequence[str]:
        return (*self._tables, "batches", "runs", "tokens", "contract", "actions")

    def state(self, type_name: str) -> list[Row]:
        match type_name:
            case "batches":
                return [self._invoices.described(row) for row in self._books.batches]
            case "runs":
                return [{**row, "status": self._payments.run_status(row["id"])} for row in self._books.runs]
            case "tokens":
                return self._access.rows()
            case "contract":
                return self._books.wire.contract.rows()
            case "actions":
                return self.actions.done
        return [dict(row) for row in self._tables[type_name]]

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        """Raises BadInput; the rows before the wrong one stay."""
        if type_name == "actions":
            return [self._perform(row) for row in rows]
        if type_name not in RECORDS:
            raise BadInput(f"{type_name} can only be read")
        return [dict(self._edited(type_name, RECORDS[type_name], row)) for row in rows]

    def _perform(self, action: Row) -> Row:
        try:
            return self.actions.perform(action)
        except Wrong as wrong:
            raise BadInput(f"{action.get('do')}: {wrong}") from None
        except BadInput:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise BadInput(f"{action.get('do')}: the action is not of its shape ({error!r})") from None

    def _edited(self, type_name: str, record: str, given: Row) -> Row:
        table = self._tables[type_name]
        where = f"{type_name} {given.get('id') or given.get('code') or given.get('number') or ''}".strip()
        delete = given.get("_delete") is True
        row = self._taken(where, record, {name: value for name, value in given.items() if name != "_delete"})
        known = self._known(table, record, row)
        if delete:
            if known is None:
                raise BadInput(f"{where}: there is no such row")
            table.remove(known["id"])
            return known
        if known is None:
            missing = [name for name in MUST[record] if row.get(name) is None]
            if missing:
                raise BadInput(f"{where}: a new row needs {', '.join(missing)}")
            kind = record if record != "accounting_system" else "system"
            number = self._books.number(kind) if "id" not in row else None
            if record in ("payment", "accounting_system"):
                row.setdefault("id", number)
                self._books.taken(kind, row["id"])
            row.setdefault("id", str(number))
            if str(row["id"]).isdigit():
                self._books.taken(kind, int(row["id"]))
            known = dict(DEFAULTS.get(record, {}))
        known.update(row)
        if record not in ("accounting_system", "dimension") and "modified" not in given:
            known["modified"] = self._books.now()
        return table.put(known)

    def _known(self, table: Table, record: str, row: Row) -> Row | None:
        if row.get("id") is not None:
            return table.get(row["id"])
        fields = KEYS.get(record)
        if fields is None or any(row.get(name) is None for name in fields):
            return None
        return table.find(fields, *(row[name] for name in fields))

    def _taken(self, where: str, record: str, given: Row) -> Row:
        """The row with its values of the right type. Raises BadInput."""
        fields = self._books.wire.contract.records[record]
        beside = BESIDE.get(record, {})
        row: Row = {}
        for name, value in given.items():
            field = fields.get(name) or (Field(at=name, kind=beside[name]) if name in beside else None)
            if field is None:
                raise BadInput(f"{where}: {name} is unknown; known: {', '.join([*fields, *beside])}")
            row[name] = None if value is None else self._value(f"{where}: {name}", field, value)
        return row

    def _value(self, where: str, field: Field, value: Any) -> Any:
        if field.kind == "rows":
            if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
                raise BadInput(f"{where}: expected a list of rows")
            return [self._taken(where, field.of, one) for one in value]
        if field.kind in ("money", "money_text", "decimal"):
            return decimal(where, value, money=field.kind != "decimal")
        expected = {"whole": int, "flag": bool}.get(field.kind, str)
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise BadInput(f"{where}: expected {expected.__name__}, not {value!r}")
        words = self._books.wire.contract.words.get(field.kind)
        # The status of a payment may be any text: a client must live with one that nobody has heard of.
        if words is not None and field.kind != "payment_status" and value not in words:
            raise BadInput(f"{where}: expected one of {', '.join(words)}, not {value!r}")
        return value


def decimal(where: str, value: Any, *, money: bool = True) -> Decimal:
    """Raises BadInput."""
    try:
        number = Decimal(str(value))
        return number.quantize(Decimal("0.01")) if money else number
    except InvalidOperation:
        raise BadInput(f"{where}: expected a number, not {value!r}") from None

"""What the domain holds: rows by type, each with a whole number as its key, and the ids and stamps they are given.

Amounts are Decimal, days and instants are texts in ISO form. A row has all the fields of its type.
"""

import copy
import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.procurify.fields import DOCUMENTS, FIELDS, KEYS, NUMBERS
from ml_connector.sandbox.procurify.options import ProcurifyOptions
from ml_connector.sandbox.standin import BadInput, Row

BOUND_USER = 1
"""The user who made the application."""


class Table:
    """Rows by key, oldest first."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._last = 0

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def get(self, key: int | None) -> Row | None:
        return None if key is None else self._rows.get(key)

    def put(self, key: int, row: Row) -> None:
        self._rows[key] = row
        self._last = max(self._last, key)

    def remove(self, key: int) -> None:
        self._rows.pop(key, None)

    def next(self) -> int:
        """A key that no row has had."""
        self._last += 1
        return self._last


class Books:
    def __init__(self, seed: int, options: ProcurifyOptions, clock: Clock) -> None:
        self.options = options
        self._clock = clock
        self._ids = random.Random(f"procurify books {seed}")
        self.tables: dict[str, Table] = {name: Table() for name in FIELDS}
        self._lines: dict[int | None, list[Row]] | None = None
        """Lines by order, until one changes."""

    # --- time and ids --------------------------------------------------------------------------------------

    def now(self) -> str:
        return stamp(self._clock.now())

    def today(self) -> dt.date:
        return self._clock.now().date()

    def uuid(self) -> str:
        """A UUID of version 4; the same seed gives the same ones."""
        digits = f"{self._ids.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:]))

    # --- rows ----------------------------------------------------------------------------------------------

    def __getitem__(self, type_name: str) -> Table:
        return self.tables[type_name]

    def row(self, type_name: str, key: int | None) -> Row:
        """A row that another one refers to."""
        found = self.tables[type_name].get(key)
        assert found is not None, f"{type_name} {key}"
        return found

    def find(self, type_name: str, wanted: Callable[[Row], bool]) -> Row | None:
        return next((row for row in self.tables[type_name] if wanted(row)), None)

    def items(self, order: Row) -> list[Row]:
        """The lines of a purchase order, cancelled ones too, by their number."""
        if self._lines is None:
            self._lines = {}
            for row in self["order-items"]:
                self._lines.setdefault(row["purchase_order"], []).append(row)
        mine = self._lines.get(order["procurify_PO"], [])
        return sorted(mine, key=lambda row: (row["PO_line_num"], row["id"]))

    def add(self, type_name: str, fields: Mapping[str, Any]) -> Row:
        """A new row with defaults for what is not given, its key and its UUID included. Raises BadInput."""
        return self.edit(type_name, {**fields})

    def edit(self, type_name: str, given: Row) -> Row:
        """Merges into the row of the same key, inserts, or deletes with `_delete`; stamps it. Raises BadInput."""
        key_name, table = KEYS[type_name], self.tables[type_name]
        if type_name == "order-items":
            self._lines = None
        key = given.get(key_name)
        if key is not None and (isinstance(key, bool) or not isinstance(key, int) or key < 1):
            raise BadInput(f"{type_name}: {key_name} must be a whole number from 1, not {key!r}")
        if given.get("_delete") is True:
            if key is not None:
                table.remove(key)
            return given
        unknown = sorted(set(given) - set(FIELDS[type_name]))
        if unknown:
            raise BadInput(f"{type_name}: unknown {', '.join(unknown)}; known: {', '.join(FIELDS[type_name])}")
        known = table.get(key)
        row = {**(known if known is not None else self._fresh(type_name)), **self._read(type_name, given)}
        row[key_name] = key if key is not None else table.next()
        self._stamp(type_name, row, given)
        table.put(row[key_name], row)
        return row

    def touch(self, type_name: str, row: Row) -> None:
        """A change of the row: its stamp moves."""
        self._stamp(type_name, row, {})

    def _fresh(self, type_name: str) -> Row:
        row: Row = copy.deepcopy(FIELDS[type_name])
        if "uuid" in row:
            row["uuid"] = self.uuid()
        for name in ("created_at", "date"):
            if name in row:
                row[name] = self.now()
        return row

    def _read(self, type_name: str, given: Row) -> Row:
        return {name: numbers(value, f"{type_name}.{name}", name) for name, value in given.items()}

    def _stamp(self, type_name: str, row: Row, given: Row) -> None:
        name = DOCUMENTS.get(type_name)
        if name is not None and name not in given:
            row[name] = self.now()


def numbers(value: Any, where: str, name: str) -> Any:
    """The value with Decimals for the fields that hold amounts, at every depth. Raises BadInput."""
    if isinstance(value, dict):
        return {key: numbers(inner, f"{where}.{key}", key) for key, inner in value.items()}
    if isinstance(value, list):
        return [numbers(inner, f"{where}[{index}]", "") for index, inner in enumerate(value)]
    if name not in NUMBERS or value is None:
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise BadInput(f"{where}: expected a number, got {value!r}") from None


def stamp(moment: dt.datetime) -> str:
    """An instant as the API writes it; no fraction when that is zero."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")

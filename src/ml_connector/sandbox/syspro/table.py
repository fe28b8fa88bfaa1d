"""One SQL table in memory: rows as tuples, found by primary key and read in its order."""

import datetime as dt
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro import conditions
from ml_connector.sandbox.syspro.conditions import Condition
from ml_connector.sandbox.syspro.definition import TIMESTAMP, Definition, Value

Row = tuple[Value, ...]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class OrderBy:
    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A row was written or deleted; `before` is None for one that was not there."""

    table: "Table"
    key: Key
    before: Row | None


class Table:
    """`next_stamp` hands out the database's rowversions: they rise over all tables together.

    `note` is told of every change, before it is made.
    """

    def __init__(
        self,
        definition: Definition,
        next_stamp: Callable[[], int],
        note: Callable[[Change], None] | None = None,
    ) -> None:
        self.definition = definition
        self._note = note
        self.version = 0
        """Changes with every write."""
        self._rows: dict[Key, Row] = {}
        self._next_stamp = next_stamp
        self._sorted: list[Key] | None = None
        self._key_at = [definition.index[name] for name in definition.key]
        self._stamp_at = definition.index[TIMESTAMP]

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, *key: Value) -> Row | None:
        return self._rows.get(key)

    def rows(self) -> Iterator[Row]:
        """As entered: oldest first."""
        return iter(self._rows.values())

    def read(self, row: Row, column: str) -> Any:
        return row[self.definition.index[column]]

    def as_state(self, row: Row) -> dict[str, Any]:
        """The row as JSON shows it on the control side: dates as yyyy-MM-dd."""
        return {
            column.name: value.date().isoformat() if isinstance(value, dt.datetime) else value
            for column, value in zip(self.definition.columns, row, strict=True)
        }

    def edit(self, given: Mapping[str, Any]) -> Row | None:
        """Merges into the row with this primary key, or inserts, or deletes. Raises BadInput."""
        delete = given.get("_delete") is True
        values = self._typed({name: value for name, value in given.items() if name != "_delete"})
        missing = [name for name in self.definition.key if name not in values]
        if missing:
            raise BadInput(f"{self.definition.name}: {', '.join(missing)} is missing")
        key = tuple(values[name] for name in self.definition.key)
        if delete:
            if key not in self._rows:
                raise BadInput(f"{self.definition.name}: no row {key} to delete")
            self._store(key, None)
            return None
        return self.put(values)

    def put(self, values: Mapping[str, Value]) -> Row:
        """As `edit`, for values that already have the column's type."""
        index = self.definition.index
        key = tuple(values[name] for name in self.definition.key)
        old = self._rows.get(key)
        row = list(old or self.definition.blank)
        row[self._stamp_at] = self._next_stamp()
        for name, value in values.items():
            row[index[name]] = value
        stored = tuple(row)
        self._store(key, stored)
        return stored

    def delete(self, *key: Value) -> None:
        """Takes a row out that is there."""
        self._store(key, None)

    def take_back(self, change: Change) -> None:
        """The row as it was before; its stamp too."""
        self._store(change.key, change.before, noted=False)

    def before(self, changes: Sequence[Change]) -> "Table":
        """A copy as it was before these changes, the latest of which comes last."""
        copy = Table(self.definition, self._next_stamp)
        copy._rows = dict(self._rows)
        for change in reversed(changes):
            copy.take_back(change)
        copy.version = -self._next_stamp()
        return copy

    def _store(self, key: Key, row: Row | None, *, noted: bool = True) -> None:
        old = self._rows.get(key)
        if noted and self._note is not None:
            self._note(Change(self, key, old))
        self.version += 1
        if row is not None:
            self._rows[key] = row
        else:
            self._rows.pop(key, None)
        if self._sorted is None or (old is None) == (row is None):
            return
        if row is not None:
            insort(self._sorted, key)
        else:
            del self._sorted[bisect_left(self._sorted, key)]

    def select(
        self,
        condition: Condition | None = None,
        order: Sequence[OrderBy] = (),
        limit: int | None = None,
    ) -> list[Row]:
        """Matching rows; in primary key order when none is asked."""
        rows = self._scan(condition)
        if not self._is_key_order(order):
            found = list(rows)
            for by in reversed(order):
                position = self.definition.index[by.column]
                found.sort(key=lambda row: (row[position] is not None, row[position]), reverse=by.descending)
            return found[:limit]
        return list(rows) if limit is None else [row for row, _ in zip(rows, range(limit), strict=False)]

    def _scan(self, condition: Condition | None) -> Iterator[Row]:
        keys, rows = self._sorted_keys(), self._rows
        if condition is None:
            return (rows[key] for key in keys)
        passes = conditions.test(condition, self.definition.index)
        stretches = conditions.ranges(condition, self.definition.key, keys)
        candidates = (rows[keys[n]] for stretch in stretches for n in stretch)
        return (row for row in candidates if passes(row))

    def _is_key_order(self, order: Sequence[OrderBy]) -> bool:
        wished = [by.column for by in order]
        return not any(by.descending for by in order) and wished == list(self.definition.key[: len(wished)])

    def _sorted_keys(self) -> list[Key]:
        if self._sorted is None:
            self._sorted = sorted(self._rows)
        return self._sorted

    def _typed(self, given: Mapping[str, Any]) -> dict[str, Value]:
        unknown = [name for name in given if name not in self.definition.index]
        if unknown:
            raise BadInput(f"{self.definition.name} has no column {', '.join(unknown)}")
        try:
            return {name: self.definition.column(name).value(value) for name, value in given.items()}
        except BadInput as error:
            raise BadInput(f"{self.definition.name}.{error}") from None

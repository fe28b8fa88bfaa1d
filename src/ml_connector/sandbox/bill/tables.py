"""Rows in memory, oldest first, with indexes for the fields that are searched often."""

from collections.abc import Iterable, Iterator
from typing import Any

from ml_connector.sandbox.standin import Row


class Table:
    """Rows by id. After a stored row has been changed it must be put again, so that the indexes follow."""

    def __init__(self, *indexed: str) -> None:
        self._rows: dict[str, Row] = {}
        self._indexes: dict[str, dict[Any, dict[str, None]]] = {field: {} for field in indexed}
        self._keys: dict[str, dict[str, Any]] = {}

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, identifier: str) -> Row | None:
        return self._rows.get(identifier)

    def put(self, row: Row) -> None:
        identifier = row["id"]
        self._unindex(identifier)
        self._rows[identifier] = row
        keys = self._keys[identifier] = {field: at(row, field) for field in self._indexes}
        for field, value in keys.items():
            self._indexes[field].setdefault(value, {})[identifier] = None

    def remove(self, identifier: str) -> None:
        self._unindex(identifier)
        self._rows.pop(identifier, None)

    def clear(self) -> None:
        for identifier in list(self._rows):
            self.remove(identifier)

    def has_index(self, field: str) -> bool:
        return field in self._indexes or field == "id"

    def where(self, field: str, values: Iterable[Any]) -> list[Row]:
        """The rows whose indexed field has one of these values."""
        if field == "id":
            return [self._rows[value] for value in values if value in self._rows]
        index = self._indexes[field]
        return [self._rows[identifier] for value in values for identifier in index.get(value, ())]

    def _unindex(self, identifier: str) -> None:
        for field, value in self._keys.pop(identifier, {}).items():
            entries = self._indexes[field][value]
            entries.pop(identifier, None)
            if not entries:
                del self._indexes[field][value]


def at(row: Row, path: str) -> Any:
    """The value under a dotted path, None where something is unset."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value

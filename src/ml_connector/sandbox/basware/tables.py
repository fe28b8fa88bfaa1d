"""Rows by key, with the number of their arrival, which stays when a row is overwritten."""

from collections.abc import Iterable, Iterator
from itertools import count

from ml_connector.sandbox.standin import Row


class Table:
    """Rows by key, oldest first."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._numbers: dict[str, int] = {}
        self._next = count(1)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def get(self, key: str) -> Row | None:
        return self._rows.get(key)

    def put(self, key: str, row: Row) -> None:
        if key not in self._rows:
            self._numbers[key] = next(self._next)
        self._rows[key] = row

    def remove(self, key: str) -> None:
        self._rows.pop(key, None)
        self._numbers.pop(key, None)

    def keyed(self) -> Iterable[tuple[str, Row]]:
        return self._rows.items()

    def numbered(self) -> Iterable[tuple[int, Row]]:
        """Every row with its number, which only rises."""
        return zip(self._numbers.values(), self._rows.values(), strict=True)

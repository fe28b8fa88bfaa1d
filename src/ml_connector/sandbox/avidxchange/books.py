"""What AvidXchange has stored: rows in our own names, oldest first, and what the parts share."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from ml_connector.sandbox.avidxchange.options import AvidXchangeOptions
from ml_connector.sandbox.avidxchange.wire import Wire, plain
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.standin import Row

Key = tuple[Any, ...]


class Wrong(Exception):
    """A record that is not taken, and why; the other records of the request go on."""

    def __init__(self, *texts: str, code: str = "Validation") -> None:
        super().__init__("; ".join(texts))
        self.texts, self.code = texts, code


class Table:
    """Rows by id, and by the keys that are named: each a tuple of fields, `find`-able when none of them is unset."""

    def __init__(self, *keys: tuple[str, ...]) -> None:
        self._rows: dict[Any, Row] = {}
        self._indexes: dict[tuple[str, ...], dict[Key, dict[Any, None]]] = {fields: {} for fields in keys}
        self._kept: dict[Any, dict[tuple[str, ...], Key]] = {}

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, identifier: Any) -> Row | None:
        return self._rows.get(identifier)

    def put(self, row: Row) -> Row:
        """Stores a row, or one that changed since it was stored."""
        identifier = row["id"]
        self._forget(identifier)
        self._rows[identifier] = row
        keys = {fields: tuple(row.get(name) for name in fields) for fields in self._indexes}
        self._kept[identifier] = {fields: key for fields, key in keys.items() if None not in key}
        for fields, key in self._kept[identifier].items():
            self._indexes[fields].setdefault(key, {})[identifier] = None
        return row

    def remove(self, identifier: Any) -> None:
        self._forget(identifier)
        self._rows.pop(identifier, None)

    def all(self, fields: tuple[str, ...], *key: Any) -> list[Row]:
        return [self._rows[identifier] for identifier in self._indexes[fields].get(key, ())]

    def find(self, fields: tuple[str, ...], *key: Any) -> Row | None:
        return next(iter(self.all(fields, *key)), None)

    def _forget(self, identifier: Any) -> None:
        for fields, key in self._kept.pop(identifier, {}).items():
            self._indexes[fields][key].pop(identifier, None)


class Books:
    def __init__(self, seed: int, clock: Clock, options: AvidXchangeOptions, wire: Wire) -> None:
        self.clock, self.options, self.wire = clock, options, wire
        self.systems = Table()
        self.dimensions = Table(("name",))
        self.vendors = Table(("code",))
        self.codes = Table(("group", "code"))
        self.orders = Table(("external_id",), ("number",))
        self.invoices = Table(("external_id",), ("vendor", "number"))
        self.batches = Table()
        self.payments = Table(("run",))
        self.runs = Table()
        self.history = Table(("payment",))
        self.acknowledgements = Table(("batch",))
        self._rng = random.Random(f"avidxchange books {seed}")
        self._next = {"payment": 9001}

    def now(self) -> str:
        return plain(self.clock.now())

    def today(self) -> dt.date:
        return self.clock.now().date()

    def number(self, kind: str) -> int:
        """The next number of a kind that nobody has."""
        number = self._next.get(kind, 1001)
        self._next[kind] = number + 1
        return number

    def taken(self, kind: str, number: int) -> None:
        """A row came with its own number: the next ones are above it."""
        self._next[kind] = max(self._next.get(kind, 1001), number + 1)

    def guid(self) -> str:
        number = f"{self._rng.getrandbits(128):032x}"
        return "-".join((number[:8], number[8:12], f"4{number[13:16]}", f"a{number[17:20]}", number[20:]))

    def digits(self, count: int) -> str:
        return "".join(self._rng.choices("0123456789", k=count))

    def change(self, table: Table, row: Row, **changes: Any) -> Row:
        """Changes a stored row as of now."""
        row.update(changes, modified=self.now())
        return table.put(row)

    def vendor(self, reference: str) -> Row | None:
        """The vendor of a reference; what stands behind `|` is its remit address."""
        return self.vendors.find(("code",), reference.partition("|")[0])

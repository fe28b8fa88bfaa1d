"""Many Records at once, past the ORM: what is stored of a page's keys, new rows, changed rows.

The one place that speaks to the two databases differently. On SQLite many rows go into one statement, because its
cost per statement is that of several rows; PostgreSQL takes them by COPY.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from ml_connector.sync.models import Flow, State

_GIVEN = (
    "key", "hash", "payload", "version", "changed_at", "observed", "invalid", "number", "natural_key", "amount",
    "currency", "due_date",
)  # fmt: skip
_SAME = ("workspace_id", "flow_id", "staged_at", "state", "tries", "reason", "gone")

New = tuple[str, bytearray, bytearray, str, Any, str, str, str, str, int | None, str, str | None]
"""A new Record's columns, in the order of `_GIVEN`: instants and dates as the database stores them. Bytes come as
bytearray, which the driver of SQLite binds in half the time."""

_ROWS = 80
"""Of one statement: below 999 values, the least that an SQLite takes."""

READ_AGAIN = frozenset({State.STAGED, State.READY, State.BLOCKED, State.SKIPPED, State.CONFIRMED})
"""States that a newer version leaves for `staged`. A record in flight or in doubt is settled first; one that
was written off waits for a replay."""

JUDGED_AGAIN = frozenset({State.READY, State.BLOCKED, State.SKIPPED})
"""States in which a changed balance (paid elsewhere, say) is reason enough to judge again."""

_UPDATE = """
    UPDATE sync_record
       SET hash = %s, payload = %s, version = %s, changed_at = %s, observed = %s, invalid = %s, gone = %s,
           number = %s, natural_key = %s, amount = %s, currency = %s, due_date = %s,
           renewed_at = COALESCE(%s, renewed_at), erased_at = NULL, tries = 0,
           state = CASE WHEN (%s AND state IN ({read_again})) OR (%s AND state IN ({judged_again}))
                        THEN 'staged' ELSE state END
     WHERE id = %s
""".format(  # noqa: S608
    read_again=", ".join(f"'{state}'" for state in sorted(READ_AGAIN)),
    judged_again=", ".join(f"'{state}'" for state in sorted(JUDGED_AGAIN)),
)
"""The state is decided where it is written: a push may have changed it since it was read."""
_KNOWN = """
    SELECT key, id, hash, observed, {stamp}, gone, invalid, erased_at IS NOT NULL
      FROM sync_record
     WHERE workspace_id = %s AND flow_id = %s AND key {among}
"""
_KNOWN_SQLITE = _KNOWN.format(stamp="CAST(changed_at AS TEXT)", among="IN (SELECT value FROM json_each(%s))")
_KNOWN_POSTGRESQL = _KNOWN.format(stamp="changed_at", among="= ANY(%s)")


class Known(NamedTuple):
    """What is stored of a Record, as far as a newer reading is compared with it."""

    key: str
    id: int
    hash: bytes
    observed: str
    changed_at: Any
    """As the database stores it; compares with what `stored` gives."""
    gone: bool
    invalid: str
    erased: bool
    """Its content was removed: only another version brings it back."""


def stored(instant: datetime) -> Any:
    """An instant as the database stores it: text that compares like instants on SQLite."""
    return connection.ops.adapt_datetimefield_value(instant)


def known(flow: Flow, keys: Sequence[str]) -> dict[str, Known]:
    """What is stored of these keys of a Flow."""
    sqlite = connection.vendor == "sqlite"
    wanted = msgspec.json.encode(keys).decode() if sqlite else list(keys)
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_SQLITE if sqlite else _KNOWN_POSTGRESQL, [flow.workspace_id, flow.pk, wanted])
        return {row[0]: Known._make(row) for row in cursor.fetchall()}


def insert(flow: Flow, staged_at: Any, rows: Sequence[New]) -> None:
    """New Records, staged. Raises IntegrityError where a key is known; then the transaction is of no more use."""
    same = [flow.workspace_id, flow.pk, staged_at, State.STAGED.value, 0, "", False]
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row((*row, *same))
        return
    with connection.wrap_database_errors:
        # Not by Django's cursor, which would spell the parameters of each statement anew.
        execute = connection.connection.execute
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            execute(_insert(len(part)), [*same, *chain.from_iterable(part)])


def update(rows: Sequence[tuple[Any, ...]]) -> None:
    """Newer versions: the columns of `_UPDATE` (`renewed_at`: an instant, or None to leave it as it is), whether its
    content and whether its balances changed, its id."""
    with connection.cursor() as cursor:
        cursor.executemany(_UPDATE, rows)


_COPY = f"COPY sync_record ({', '.join((*_GIVEN, *_SAME))}) FROM STDIN"


@cache
def _insert(rows: int) -> str:
    """One statement for so many rows. OR FAIL spares SQLite the journal by which it would undo the statement alone:
    the transaction is rolled back anyway."""
    same = [f"?{number}" for number in range(1, len(_SAME) + 1)]
    values = []
    for row in range(rows):
        first = len(_SAME) + 1 + row * len(_GIVEN)
        values.append(f"({', '.join([*same, *(f'?{first + place}' for place in range(len(_GIVEN)))])})")
    return f"INSERT OR FAIL INTO sync_record ({', '.join((*_SAME, *_GIVEN))}) VALUES {', '.join(values)}"  # noqa: S608

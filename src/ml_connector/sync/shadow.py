"""Shadow tables: for the length of a block, this thread's database connection works on copies of a Workspace's tables.

A temporary table hides the one of the same name, on SQLite as on PostgreSQL. So the engine runs as it always does, in
its own short transactions, and everything that it stores is gone at the end; no other connection sees any of it, and
no lock on the real tables is held meanwhile. Connections (their leases, sessions and health), secrets and counted
allowances are not shadowed: they are about the world outside, which is the real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connection, models

from ml_connector.audit.models import AuditEntry
from ml_connector.sync.models import Connection
from ml_connector.workspaces.models import Workspace, WorkspaceModel

_ROOMS = ("sync", "audit")
_ONLY_READ = {AuditEntry: "action = 'config_change'"}
"""Of a table that only grows, the rows that the engine reads."""


class NotShadowed(RuntimeError):
    """A table is not hidden by its copy; nothing may be run. A bug of ours, or a database that forbids it."""


@contextmanager
def shadowed(workspace: Workspace) -> Iterator[None]:
    """To be used in a thread of its own, outside of any transaction: the thread's connection is closed at the end,
    which drops the copies whatever happened. Raises NotShadowed."""
    if connection.in_atomic_block:
        raise NotShadowed("A shadow begins outside of a transaction.")
    try:
        for model in tables():
            _copy(model, workspace)
        yield
    finally:
        connection.close()


def tables() -> list[type[models.Model]]:
    """What the engine stores about a Workspace, apart from its Connections."""
    found = [model for room in _ROOMS for model in apps.get_app_config(room).get_models()]
    return [model for model in found if issubclass(model, WorkspaceModel) and model is not Connection]


def _copy(model: type[models.Model], workspace: Workspace) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # A reference from a temporary table would be looked for among the temporary tables only.
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.execute("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = %s", [table])
            cursor.execute(_begun(cursor.fetchone()[0], f'CREATE TABLE "{table}"', f'CREATE TEMP TABLE "{table}"'))
            real, copy = f'main."{table}"', f'temp."{table}"'
        else:
            cursor.execute("SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = %s::regclass", [table])
            real, copy = f'{cursor.fetchone()[0]}."{table}"', f'pg_temp."{table}"'
            cursor.execute(f'CREATE TEMP TABLE "{table}" (LIKE {real} INCLUDING ALL)')
        wanted = f" AND {_ONLY_READ[model]}" if model in _ONLY_READ else ""
        cursor.execute(f"INSERT INTO {copy} SELECT * FROM {real} WHERE workspace_id = %s{wanted}", [workspace.pk])  # noqa: S608 (our own names)
        if connection.vendor == "sqlite":
            _indexes(table)
        else:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{copy}', 'id'), max(id)) FROM {copy}")  # noqa: S608
            cursor.execute(f"ANALYZE {copy}")
    _check(table)


def _indexes(table: str) -> None:
    """After the rows: an index is made faster than it is kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM main.sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL", [table]
        )
        for (sql,) in cursor.fetchall():
            unique = "UNIQUE " if sql.startswith("CREATE UNIQUE") else ""
            cursor.execute(_begun(sql, f'CREATE {unique}INDEX "', f'CREATE {unique}INDEX temp."'))


def _begun(sql: str, begins: str, instead: str) -> str:
    if not sql.startswith(begins):
        raise NotShadowed(f"A table or index was made in another way than we make them: {sql[:60]}")
    return instead + sql.removeprefix(begins)


def _check(table: str) -> None:
    """That the plain name leads to the copy from now on."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT count(*) FROM temp.sqlite_master WHERE type = 'table' AND name = %s", [table])
        else:
            cursor.execute("SELECT count(*) FROM pg_class WHERE oid = %s::regclass AND relpersistence = 't'", [table])
        if cursor.fetchone()[0] != 1:
            raise NotShadowed(f"{table} is not hidden by its copy. Nothing was run.")

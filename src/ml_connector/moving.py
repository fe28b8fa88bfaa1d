"""From SQLite to PostgreSQL: every row of the one database into the other, compared before it counts.

The job engine's tables stay behind: every Flow is due again by its own row, and writes whose outcome is unknown are
searched for in the target as after any stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Model

from ml_connector import audit, vault
from ml_connector.audit.models import ChainHead
from ml_connector.audit.verify import verify
from ml_connector.installation import Schema, schema
from ml_connector.jobs.presence import holder_of_lock
from ml_connector.settings import sqlite_database
from ml_connector.workspaces.models import Workspace

SOURCE = "moved_from"
"""Django's alias of the SQLite database meanwhile."""
BOTH = (SOURCE, DEFAULT_DB_ALIAS)
ROWS = 2_000
"""Copied at a time."""
MOVED = ".moved"
"""What the name of the SQLite file ends with afterwards, so that nothing starts on it again."""


class MoveError(Exception):
    """The text says what to do. The SQLite database is as it was, and the other one empty."""


def move(file: Path, actor: str, seen: Callable[[str, int], None]) -> int:
    """Copies the installation in `file` into the empty PostgreSQL database of DATABASE_URL and renames the file.

    Every row is compared with the one it was copied from, each trail is verified and its head compared, and the key is
    tried on the secrets; only then does it count. The file is locked meanwhile. `seen` is told each table and its
    number of rows. Returns how many entries of trails were verified. Raises MoveError, vault.VaultError.
    """
    if connections[DEFAULT_DB_ALIAS].vendor != "postgresql":
        raise MoveError("DATABASE_URL does not name a PostgreSQL database. Set it to the empty one to move into.")
    if not file.exists():
        raise MoveError(f"There is no SQLite installation {file} to move from. Set ML_CONNECTOR_DATA to its directory.")
    if running := holder_of_lock():
        raise MoveError(
            f"A worker runs on the SQLite database ({', '.join(running)}). Stop `serve` and `worker` first."
        )
    if schema() is not Schema.MISSING:
        raise MoveError("The database of DATABASE_URL holds an installation already. Make an empty one (createdb).")
    with _source(file):
        if schema(SOURCE) is not Schema.CURRENT:
            raise MoveError(
                f"{file} is not of this release. Without DATABASE_URL, make a backup and run `ml-connector migrate`."
            )
        call_command("migrate", verbosity=0, interactive=False)
        try:
            with transaction.atomic():
                entries = _filled(actor, seen)
        except BaseException:
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            raise
        # Renamed while it is locked: nobody can write into it between the copy and the switch.
        for end in ("", "-wal", "-shm"):
            if (place := Path(f"{file}{end}")).exists():
                place.rename(f"{file}{MOVED}{end}")
    return entries


@contextmanager
def _source(file: Path) -> Iterator[None]:
    """The SQLite database under an alias of its own, locked for writers."""
    connections.databases[SOURCE] = connections.configure_settings({**_given(), SOURCE: sqlite_database(file)})[SOURCE]
    try:
        with transaction.atomic(using=SOURCE):
            yield
    finally:
        connections[SOURCE].close()
        del connections[SOURCE], connections.databases[SOURCE]


def _given() -> dict[str, Any]:
    return {DEFAULT_DB_ALIAS: connections.databases[DEFAULT_DB_ALIAS]}


def _filled(actor: str, seen: Callable[[str, int], None]) -> int:
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    tables = [model for model in models if model._meta.managed]
    target = connections[DEFAULT_DB_ALIAS]
    for model in reversed(tables):
        rows = model._base_manager.using(DEFAULT_DB_ALIAS)
        if rows.exists():  # what `migrate` itself puts in: content types and permissions
            rows.all().delete()
    for model in tables:
        _copy(model)
    with target.cursor() as cursor:
        for statement in target.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)
    for model in tables:
        seen(model._meta.db_table, _compared(model))
    entries = 0
    for workspace in Workspace.objects.all():
        verdict = verify(workspace)
        if not verdict.holds or _head(workspace, DEFAULT_DB_ALIAS) != _head(workspace, SOURCE):
            raise MoveError(f"The trail of workspace {workspace.name} did not arrive whole: {verdict.text}")
        entries += verdict.entries
        audit.note(workspace, actor, "move", "installation", to="postgresql")
    vault.check()
    return entries


def _copy(model: type[Model]) -> None:
    rows = model._base_manager.using(SOURCE).order_by("pk").iterator(ROWS)
    batch: list[Model] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS:
            model._base_manager.using(DEFAULT_DB_ALIAS).bulk_create(batch)
            batch = []
    model._base_manager.using(DEFAULT_DB_ALIAS).bulk_create(batch)


def _compared(model: type[Model]) -> int:
    """The number of rows, every one of which is the same in both."""
    count = 0
    there, here = (model._base_manager.using(alias).order_by("pk").values_list().iterator(ROWS) for alias in BOTH)
    for left, right in zip_longest(there, here):
        if _plain(left) != _plain(right):
            row = next(iter(left or right or ()))
            raise MoveError(f"Row {row} of {model._meta.db_table} did not arrive as it was. Please report that.")
        count += 1
    return count


def _plain(row: Iterable[Any] | None) -> list[Any]:
    return [bytes(value) if isinstance(value, memoryview) else value for value in row or ()]


def _head(workspace: Workspace, alias: str) -> tuple[int, bytes] | None:
    head = ChainHead._base_manager.using(alias).filter(workspace=workspace.pk).first()
    return (head.sequence, bytes(head.hash)) if head else None

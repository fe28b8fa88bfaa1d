"""Whether the database's tables are those of this release."""

from __future__ import annotations

from enum import Enum

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Schema(Enum):
    """The database's tables, compared with this release."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    """Made by a newer release: nothing may be read or written."""


def schema() -> Schema:
    """Raises OperationalError where the database does not answer."""
    executor = MigrationExecutor(connection)
    known = set(executor.loader.disk_migrations or {})
    applied = {name for name in executor.loader.applied_migrations if name[0] in {label for label, _ in known}}
    if applied - known:
        return Schema.NEWER
    if not applied:
        return Schema.MISSING
    return Schema.OLDER if executor.migration_plan(executor.loader.graph.leaf_nodes()) else Schema.CURRENT

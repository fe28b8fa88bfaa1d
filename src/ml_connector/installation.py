"""Whether the database's tables are those of this release."""

from __future__ import annotations

from enum import Enum

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor


class Schema(Enum):
    """The database's tables, compared with this release."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    """Made by a newer release: nothing may be read or written."""


def schema(database: str = DEFAULT_DB_ALIAS) -> Schema:
    """Raises OperationalError where the database does not answer."""
    executor = MigrationExecutor(connections[database])
    known = set(executor.loader.disk_migrations or {})
    applied = {name for name in executor.loader.applied_migrations if name[0] in {label for label, _ in known}}
    if applied - known:
        return Schema.NEWER
    if not applied:
        return Schema.MISSING
    return Schema.OLDER if executor.migration_plan(executor.loader.graph.leaf_nodes()) else Schema.CURRENT

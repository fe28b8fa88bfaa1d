"""The database on a server of PostgreSQL's, by its own pg_dump and pg_restore."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from django.db import connection

from ml_connector.backup.errors import BackupError
from ml_connector.installation import Schema, schema

ENGINE_SCHEMA = "engine"
"""The job queue's own tables."""


def write(draft: Path) -> None:
    """One consistent state of the database, read while others write; checked by reading its table of contents."""
    _run(
        "pg_dump",
        "--format=custom",
        f"--exclude-schema={ENGINE_SCHEMA}",
        "--no-owner",
        "--no-privileges",
        f"--file={draft}",
    )
    _run("pg_restore", "--list", str(draft))


@contextmanager
def restoring(backup: Path, *, replace: bool) -> Iterator[None]:
    """The database holds the backup within the block, and nothing afterwards if something failed."""
    if replace:
        raise BackupError(
            "On PostgreSQL nothing is replaced: make an empty database beside the old one (createdb), name it in"
            " DATABASE_URL, and restore there."
        )
    if schema() is not Schema.MISSING:
        raise BackupError(
            "The database of DATABASE_URL holds an installation already. Make an empty one (createdb), name it in"
            " DATABASE_URL, and restore there."
        )
    connection.close()
    _run(
        "pg_restore",
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        f"--dbname={connection.settings_dict['NAME']}",
        str(backup),
    )
    try:
        yield
    except BaseException:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        raise


def _run(program: str, *arguments: str) -> None:
    """The password goes by the environment, never by arguments that others see. Raises BackupError."""
    if which(program) is None:
        raise BackupError(
            f"{program} is not installed here. On Debian and Ubuntu: apt-get install postgresql-client, in the server's"
            " version or a newer one."
        )
    given = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    place = {variable: str(given[name]) for variable, name in names.items() if given[name]}
    options = {f"PG{name.upper()}": value for name, value in given["OPTIONS"].items() if name.startswith("ssl")}
    done = subprocess.run(  # noqa: S603 (PostgreSQL's own programs)
        [program, *arguments], env={**os.environ, **place, **options}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise BackupError(f"{program} failed: {' '.join(words[:3])}. Nothing was changed.")

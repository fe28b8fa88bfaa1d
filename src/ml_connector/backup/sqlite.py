"""The database in a file of SQLite's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from ml_connector import clock
from ml_connector.backup.errors import BackupError
from ml_connector.jobs.presence import workers_alive

SIDE_FILES = ("-wal", "-shm", "-journal")
ENGINE = "engine.sqlite3"
"""The job queue. Lost, every Flow is due again by its own row; another time's would name work that is not there."""


def write(draft: Path) -> None:
    """One consistent state of the database, read while others write."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(draft)])
    check(draft)


def check(file: Path) -> None:
    """Raises BackupError for a file that is damaged, cut off, or no database of ours."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
            verdict = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            ours = copy.execute("SELECT count(*) FROM django_migrations WHERE app = 'audit'").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file} is no whole backup of a SQLite installation ({error}). Take another one.") from None
    if verdict != "ok" or not ours:
        raise BackupError(f"{file} is damaged ({verdict}). Take another one.")


@contextmanager
def restoring(backup: Path, *, replace: bool) -> Iterator[None]:
    """The installation works on a copy of the backup within the block, and afterwards in earnest if nothing failed."""
    check(backup)
    place = Path(connection.settings_dict["NAME"])
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if workers_alive():
        raise BackupError("A worker runs on this installation. Stop `serve` and `worker`, and restore then.")
    if place.exists() and not replace:
        raise BackupError(
            f"There is an installation in {place.parent} already. With --replace its database is put aside first."
        )
    draft = place.with_name(f".{place.name}.restore")
    connection.close()
    try:
        shutil.copyfile(backup, draft)
        draft.chmod(0o600)
        connection.settings_dict["NAME"] = draft
        yield
        connection.close()
        if place.exists():
            _put_aside(place)
        draft.rename(place)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = place
        for leftover in (draft, *(Path(f"{draft}{end}") for end in SIDE_FILES)):
            leftover.unlink(missing_ok=True)


def _put_aside(place: Path) -> None:
    """Log and all: what was not yet copied from the log into the database stands there."""
    aside = f"{place}.before-restore-{clock.now():%Y%m%d-%H%M%S}"
    place.rename(aside)
    for end in SIDE_FILES:
        if (side := Path(f"{place}{end}")).exists():
            side.rename(f"{aside}{end}")
    for end in ("", *SIDE_FILES):
        place.with_name(f"{ENGINE}{end}").unlink(missing_ok=True)

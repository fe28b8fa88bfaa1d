"""The installation that a command works on: its data directory, its database, its key."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection

from ml_connector import vault
from ml_connector.cli.output import failed
from ml_connector.installation import Schema, schema

NEWER = (
    "The database was made by a newer release of ml-connector than this one. Nothing was read or changed. Install"
    " that release again, or restore the backup that was made before it."
)
MISSING = "There is no installation in {data} yet. Set one up with: ml-connector apply FILE"
MISSING_SERVER = "The database has no tables of ml-connector yet. Make them with: ml-connector migrate"
OLDER = "The database was made by an older release. Make a backup, then bring it up to date: ml-connector migrate"
UNREACHABLE = "The database does not answer: {error}. Check DATABASE_URL, and that the server is up."


def use(*, may_set_up: bool = False) -> None:
    """Makes sure that the command can work: tables of this release, the right key. Ends the command otherwise.

    With `may_set_up` a SQLite installation is made or brought up to date on the way.
    """
    if connection.vendor == "sqlite" and not may_set_up and not _database_exists():
        failed(MISSING.format(data=settings.DATA))
    if may_set_up:
        make_data_directory()
    found = _schema()
    if found in {Schema.MISSING, Schema.OLDER} and may_set_up and connection.vendor == "sqlite":
        migrate()
    elif found is Schema.MISSING:
        failed(MISSING.format(data=settings.DATA) if connection.vendor == "sqlite" else MISSING_SERVER)
    elif found is Schema.OLDER:
        failed(OLDER)
    _check_key()


def set_up() -> bool:
    """`ml-connector migrate`: makes or updates the tables. False when they were up to date."""
    make_data_directory()
    if _schema() is Schema.CURRENT:
        _check_key()
        return False
    migrate()
    _check_key()
    return True


def make_data_directory() -> None:
    """The directory is readable by its owner only: it holds the database and the key file."""
    data: Path = settings.DATA
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        failed(f"The data directory {data} cannot be made ({error.strerror}). Set ML_CONNECTOR_DATA to another place.")


def migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False)


def _schema() -> Schema:
    try:
        found = schema()
    except OperationalError as error:
        failed(UNREACHABLE.format(error=str(error).strip().splitlines()[0]))
    if found is Schema.NEWER:
        failed(NEWER)
    return found


def _check_key() -> None:
    try:
        vault.check()
    except vault.VaultError as error:
        failed(str(error))


def _database_exists() -> bool:
    name = str(connection.settings_dict["NAME"])
    return "memory" in name or Path(name).exists()

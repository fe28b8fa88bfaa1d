"""backup, restore, move: what an installation holds, kept, put back, and brought to PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.db import connection

from ml_connector import backup as backups
from ml_connector import moving, vault
from ml_connector.backup import BackupError, Made
from ml_connector.cli import choose, installation
from ml_connector.cli.output import counted, failed, say, shown, table, wrong_usage
from ml_connector.settings import SQLITE_NAME


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New file that the database is written to.")],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="Write a copy of the key file too, to another place.")
    ] = None,
) -> None:
    """Write the database into one file, while everything runs. Whoever has it and the key has all secrets."""
    installation.use()
    if key is not None and key.absolute().parent == file.absolute().parent:
        wrong_usage("Database and key belong in different places: whoever has both has all secrets.")
    try:
        made = backups.back_up(file, choose.actor())
        if key is not None:
            backups.back_up_key(key)
    except BackupError as error:
        failed(str(error))
    say(f"{_said(made)} written to {file}.")
    if key is None:
        say("The key is not in it. Have a copy of it elsewhere: without it no secret of this backup can be read.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="Copy of the key file, where this machine has none.")
    ] = None,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="SQLite: put the database that is there aside, under another name.")
    ] = False,
) -> None:
    """Make an installation of a backup again. Nothing is changed unless the backup is whole and the key fits."""
    if key is not None and not key.is_file():
        wrong_usage(f"{key} is not there. Name a copy of the key file.")
    installation.make_data_directory()
    try:
        made = backups.restore(file, key, choose.actor(), replace=replace)
    except (BackupError, vault.VaultError) as error:
        failed(str(error))
    say(f"{_said(made)} restored from {file}.")
    say(
        "What was delivered after the backup is found in the target and not sent again. Decisions of people since are"
        " gone: `pause` the Integrations first if they have to be made again before anything is sent, then start."
    )


def move() -> None:
    """Bring an installation from SQLite, in ML_CONNECTOR_DATA, to the empty PostgreSQL database of DATABASE_URL."""
    rows: list[tuple[str, int]] = []
    try:
        file = Path(settings.DATA) / SQLITE_NAME
        entries = moving.move(file, choose.actor(), lambda name, count: rows.append((name, count)))
    except (moving.MoveError, vault.VaultError) as error:
        failed(str(error))
    table("", ("table", ">rows, all the same in both"), [row for row in rows if row[1]])
    say(
        f"Everything is in {connection.settings_dict['NAME']} now: {counted(sum(count for _, count in rows), 'row')}"
        f" compared, {entries:,} entries of trails verified, secrets opened. The old database is"
        f" {file}{moving.MOVED}. Keep DATABASE_URL set and start `serve` and `worker`."
    )


def _said(made: Made) -> str:
    spaces, records = counted(made.workspaces, "workspace"), counted(made.records, "record")
    newest = f", up to {shown(made.newest)}" if made.newest else ""
    return f"{spaces} with {records}{newest}"

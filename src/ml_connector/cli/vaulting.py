"""vault rotate."""

from __future__ import annotations

import typer

from ml_connector import vault
from ml_connector.cli import choose, installation
from ml_connector.cli.output import counted, failed, say
from ml_connector.console import keys

group = typer.Typer(help="The sealed secrets.")


@group.callback()
def root() -> None:
    """The sealed secrets."""


@group.command()
def rotate() -> None:
    """Put a new key-encryption key in force: every secret is wrapped anew. Nothing has to stop meanwhile."""
    installation.use()
    try:
        rotation = keys.rotate(choose.actor())
    except vault.VaultError as error:
        failed(str(error))
    say(f"{counted(rotation.secrets, 'secret')} wrapped with a new key. Back up the key file, apart from the database.")

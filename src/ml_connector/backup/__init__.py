"""Backup and restore: the database as one file, and an installation made of it again.

The key-encryption key is never part of a backup: whoever has both has the secrets. The job engine's own tables are left
out; every Flow is due again by its own row. What was delivered after the backup is found in the target by its mark.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Max

from ml_connector import audit, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.backup import postgresql, sqlite
from ml_connector.backup.errors import BackupError
from ml_connector.installation import Schema, schema
from ml_connector.sync.models import Record
from ml_connector.vault.keys import FILE_NAME, KEY
from ml_connector.workspaces.models import Workspace

__all__ = ["BackupError", "Made", "back_up", "back_up_key", "restore"]


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup, or an installation made of one, holds."""

    workspaces: int
    records: int
    newest: datetime | None
    """When the newest entry of any trail was made."""


def back_up(to: Path, actor: str) -> Made:
    """Writes the database into a new file that only its owner may read, while everything runs.

    Each Workspace's trail says so. Raises BackupError; then there is no file.
    """
    if to.exists():
        raise BackupError(f"{to} exists already, and nothing is written over. Choose another name.")
    for workspace in Workspace.objects.all():
        audit.note(workspace, actor, "backup", "installation", file=to.name)
    with _draft(to) as draft:
        (sqlite if connection.vendor == "sqlite" else postgresql).write(draft)
        draft.rename(to)
    return _in_force()


def back_up_key(to: Path) -> None:
    """Copies the key file. Raises BackupError where the key is no file, or where one is there already."""
    source = Path(settings.DATA) / FILE_NAME
    if not source.exists():
        raise BackupError(f"There is no key file {source}: the key comes from {KEY}. Keep that as you do now.")
    if to.exists():
        raise BackupError(f"{to} exists already, and nothing is written over. Choose another name.")
    with _draft(to) as draft:
        shutil.copyfile(source, draft)
        draft.rename(to)


def restore(backup: Path, key: Path | None, actor: str, *, replace: bool) -> Made:
    """Makes the installation of a backup; with `key`, of that copy of the key file too.

    `replace`: on SQLite, an installation that is there already is put aside, its files renamed. Nothing is changed
    unless the backup is whole, of this release or an older one (then it is brought up to date), and the key opens its
    secrets. Raises BackupError, vault.VaultError.
    """
    if not backup.is_file():
        raise BackupError(f"{backup} is not there. Name the file that `ml-connector backup` wrote.")
    kind = sqlite if connection.vendor == "sqlite" else postgresql
    with kind.restoring(backup, replace=replace), _key(key):
        if schema() is Schema.NEWER:
            raise BackupError(
                f"{backup} was made by a newer release of ml-connector. Install that one, and restore then."
            )
        call_command("migrate", verbosity=0, interactive=False)
        vault.check()
    for workspace in Workspace.objects.all():
        audit.note(workspace, actor, "restore", "installation", file=backup.name)
    return _in_force()


@contextmanager
def _draft(to: Path) -> Iterator[Path]:
    """An empty file beside `to`, readable by its owner only, that is gone afterwards unless it was renamed."""
    draft = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BackupError(f"Nothing can be written into {to.parent.absolute()} ({error.strerror}).") from None
    try:
        yield draft
    except OSError as error:
        raise BackupError(f"The backup could not be written to {to}: {error.strerror}. There is no file.") from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _key(backup: Path | None) -> Iterator[None]:
    """Puts a copy of the key file in force, unless what follows fails."""
    if backup is None:
        yield
        return
    place = Path(settings.DATA) / FILE_NAME
    if place.exists():
        if place.read_bytes() != backup.read_bytes():
            raise BackupError(f"{place} is there already and is another key. Move it away, or leave --key out.")
        yield
        return
    with _draft(place) as draft:
        shutil.copyfile(backup, draft)
        draft.rename(place)
    try:
        yield
    except BaseException:
        place.unlink()
        raise


def _in_force() -> Made:
    newest = AuditEntry.objects.across_workspaces().aggregate(Max("at"))["at__max"]
    return Made(Workspace.objects.count(), Record.objects.across_workspaces().count(), newest)

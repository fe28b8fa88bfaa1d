"""Writing the trail.

with audit.recording(workspace, actor="worker", run=run.pk) as trail:
    ...                                              # what happens, in one transaction
    trail.add("link", f"record:{record.pk}", target_key=key)
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import msgspec
from django.db import connection, transaction

from ml_connector import clock
from ml_connector.audit.chain import canonical, instant
from ml_connector.audit.offline_verify import beginning
from ml_connector.workspaces.models import Workspace

_Entry = tuple[str, int | None, str, str, str, str]
"""Actor, run, action, subject, source version, detail."""

_encode = msgspec.json.Encoder().encode

_INSERT = """
    INSERT INTO audit_auditentry
           (workspace_id, sequence, at, actor, run, "transaction", action, subject, source_version, detail, hash)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_HEAD = "SELECT sequence, hash FROM audit_chainhead WHERE workspace_id = %s"
_LOCKED_HEAD = f"{_HEAD} FOR UPDATE"
_FIRST_HEAD = "INSERT INTO audit_chainhead (workspace_id, sequence, hash) VALUES (%s, 0, %s) ON CONFLICT DO NOTHING"
_MOVE_HEAD = "UPDATE audit_chainhead SET sequence = %s, hash = %s WHERE workspace_id = %s"


class Trail:
    """Collects the entries of one transaction. `add` costs no query."""

    __slots__ = ("_actor", "_entries", "_run")

    def __init__(self, entries: list[_Entry], actor: str, run: int | None) -> None:
        self._entries = entries
        self._actor = actor
        self._run = run

    @property
    def actor(self) -> str:
        """Who does it."""
        return self._actor

    @property
    def run(self) -> int | None:
        """The Run that this happens in."""
        return self._run

    def add(self, action: str, subject: str, /, source_version: str = "", **detail: Any) -> None:
        """Notes what was done to what. `detail`: ids, hashes, field names, amounts; never payloads, never secrets."""
        text = _encode(detail).decode() if detail else "{}"
        self._entries.append((self._actor, self._run, action, subject, source_version, text))


class _Open(threading.local):
    """Recordings under way in this thread, by Workspace: one inside another joins it."""

    def __init__(self) -> None:
        self.entries: dict[int, list[_Entry]] = {}


_open = _Open()


@contextmanager
def recording(workspace: Workspace, actor: str, run: int | None = None) -> Iterator[Trail]:
    """A transaction with its trail: what was added is chained as the transaction's last statement.

    An exception rolls both back. Inside another recording of the same Workspace it is a savepoint of that one's
    transaction, and its entries are written at the outer end.
    """
    joined = _open.entries.get(workspace.pk)
    if joined is not None:
        before = len(joined)
        try:
            with transaction.atomic():
                yield Trail(joined, actor, run)
        except BaseException:
            del joined[before:]
            raise
        return
    entries: list[_Entry] = []
    _open.entries[workspace.pk] = entries
    try:
        with transaction.atomic():
            yield Trail(entries, actor, run)
            if entries:
                _chain(workspace, entries)
    finally:
        del _open.entries[workspace.pk]


def note(
    workspace: Workspace,
    actor: str,
    action: str,
    subject: str,
    /,
    run: int | None = None,
    source_version: str = "",
    **detail: Any,
) -> None:
    """One entry of its own: a sign-in, an export."""
    with recording(workspace, actor, run) as trail:
        trail.add(action, subject, source_version, **detail)


def locked_head(workspace: Workspace) -> tuple[int, bytes]:
    """Sequence and hash of the newest entry, locked until the transaction ends; 0 and the beginning where there is
    none. On SQLite the transaction itself locks."""
    select = _LOCKED_HEAD if connection.vendor == "postgresql" else _HEAD
    with connection.cursor() as cursor:
        while True:
            cursor.execute(select, [workspace.pk])
            row = cursor.fetchone()
            if row is not None:
                return row[0], bytes(row[1])
            cursor.execute(_FIRST_HEAD, [workspace.pk, beginning(workspace.name)])


def _chain(workspace: Workspace, entries: list[_Entry]) -> None:
    sequence, digest = locked_head(workspace)
    together = uuid.uuid4().hex
    # One instant for all: what is committed together happened together.
    stamp = instant(clock.now())
    # In the form in which Django stores instants, so that texts compare like instants.
    stored = f"{stamp[:10]} {stamp[11:26]}" if connection.vendor == "sqlite" else stamp
    rows = []
    for actor, run, action, subject, source_version, detail in entries:
        sequence += 1
        content = canonical((sequence, stamp, actor, run, together, action, subject, source_version, detail))
        digest = sha256(digest + content).digest()
        rows.append(
            (workspace.pk, sequence, stored, actor, run, together, action, subject, source_version, detail, digest)
        )
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)
        cursor.execute(_MOVE_HEAD, [sequence, digest, workspace.pk])

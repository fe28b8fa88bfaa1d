"""What a command does before it works: the data directory, the schema, the key, the Workspace."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from ml_connector import clock
from ml_connector.workspaces.models import Workspace
from tests.cli.conftest import Run, Write

sqlite_only = pytest.mark.skipif("config.getoption('--database') != 'sqlite'", reason="SQLite makes its own tables")


@pytest.fixture
def nothing(run: Run, database: Path) -> Run:
    """A machine on which nothing was set up yet."""
    connection.close()
    for path in database.iterdir():
        path.unlink()
    return run


@sqlite_only
def test_a_command_before_the_first_apply_says_what_to_do(nothing: Run) -> None:
    said = nothing("records")
    assert said.status == 1
    assert said.err == (f"There is no installation in {settings.DATA} yet. Set one up with: ml-connector apply FILE\n")
    assert list(settings.DATA.iterdir()) == []


@sqlite_only
def test_apply_sets_an_installation_up(
    nothing: Run, write: Write, configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DATA", settings.DATA / "new")
    connection.settings_dict["NAME"] = settings.DATA / "ml-connector.sqlite3"
    assert nothing("apply", write(configuration)).status == 0
    assert stat.S_IMODE(settings.DATA.stat().st_mode) == 0o700
    assert stat.S_IMODE((settings.DATA / "vault.key").stat().st_mode) == 0o600


def test_tables_of_a_newer_release_are_refused(applied: Run) -> None:
    MigrationRecorder(connection).record_applied("sync", "9999_of_tomorrow")
    for command in (["records"], ["apply", "acme.yaml"], ["migrate"]):
        said = applied(*command)
        assert said.status == 1
        assert said.err.startswith("The database was made by a newer release of ml-connector than this one.")


def test_tables_of_an_older_release_ask_for_migrate(applied: Run) -> None:
    recorder = MigrationRecorder(connection)
    recorder.migration_qs.filter(app="vault").delete()
    said = applied("records")
    assert said.status == 1
    assert said.err == (
        "The database was made by an older release. Make a backup, then bring it up to date: ml-connector migrate\n"
    )


def test_migrate_says_when_there_is_nothing_to_do(applied: Run) -> None:
    assert applied("migrate").out == "The database was up to date already. Nothing was changed.\n"


def test_a_wrong_key_is_refused(applied: Run) -> None:
    (settings.DATA / "vault.key").unlink()
    said = applied("records")
    assert said.status == 1
    assert "vault.key" in said.err


def test_the_only_workspace_needs_no_name_and_several_do(applied: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Workspace.objects.create(name="beta", created_at=clock.now())
    said = applied("records")
    assert (said.status, said.err) == (
        2,
        "There are several workspaces. Choose one with --workspace: acme, beta.\n",
    )
    assert applied("records", "--workspace", "acme").status == 0
    monkeypatch.setenv("ML_CONNECTOR_WORKSPACE", "acme")
    assert applied("records").status == 0


def test_no_command_prints_help(run: Run) -> None:
    said = run("--help")
    assert said.status == 0
    for name in ("demo", "sandbox", "apply", "ping", "sync", "serve", "worker", "records", "problems", "tie-out"):
        assert name in said.out
    assert run("--version").out == "0.2.0\n"

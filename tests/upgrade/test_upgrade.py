"""An installation of each kept release, brought up to this one with its data: nothing lost, nothing sent again."""

from __future__ import annotations

import gzip
import shutil
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from ml_connector import vault
from ml_connector.audit.verify import verify
from ml_connector.installation import Schema, schema
from ml_connector.sync.models import Attempt, Link, Mapping, Problem, Record
from ml_connector.vault.keys import FILE_NAME
from ml_connector.vault.models import Secret
from ml_connector.workspaces.models import Workspace
from tests.cli.conftest import Run, Said, configuration, run, stand_ins, write  # noqa: F401 (fixtures)

RELEASES = sorted(path.name for path in Path(__file__).parent.iterdir() if (path / FILE_NAME).exists())


def test_there_is_a_release_to_come_from() -> None:
    assert RELEASES


@pytest.fixture(params=RELEASES)
def older(request: pytest.FixtureRequest, database: Path) -> Path:
    """The installation as that release left it."""
    kept = Path(__file__).parent / request.param
    connection.close()
    if connection.vendor == "sqlite":
        with gzip.open(kept / "sqlite.gz") as content, (database / "ml-connector.sqlite3").open("wb") as file:
            shutil.copyfileobj(content, file)
    else:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            cursor.execute(gzip.decompress((kept / "postgres.gz").read_bytes()).decode())
        connection.close()
    shutil.copy(kept / FILE_NAME, database / FILE_NAME)
    (database / FILE_NAME).chmod(0o600)
    return kept


def counts() -> dict[str, int]:
    tables = (
        "sync_record",
        "sync_link",
        "sync_attempt",
        "sync_problem",
        "sync_mappingentry",
        "vault_secret",
        "audit_auditentry",
    )
    with connection.cursor() as cursor:
        found = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
    return found


def test_data_survives_and_nothing_is_sent_again(older: Path, run: Run, write, configuration, stand_ins) -> None:  # noqa: F811
    before = counts()
    assert before["sync_record"] == 17
    assert before["sync_link"] > 10
    said = run("migrate")
    assert said.status == 0, said.err
    assert schema() is Schema.CURRENT
    assert counts() == before

    workspace = Workspace.objects.get()
    verdict = verify(workspace)
    assert verdict.holds, verdict.text
    vault.check()
    secrets = list(Secret.objects.of(workspace))
    assert len(secrets) == before["vault_secret"] > 3
    assert all(vault.get(workspace, secret.owner, secret.field) for secret in secrets)
    states = Counter(Record.objects.of(workspace).values_list("state", flat=True))

    # The same company, at another address by now. Its target has nothing: what is sent anew would be seen there.
    said = run("apply", write(configuration))
    assert said.status == 0, said.err
    attempts, vendors = Attempt.objects.of(workspace).count(), stand_ins["bill"].state("vendors")
    assert run("sync", "payables", "--until-idle").status in {0, 1}
    assert stand_ins["bill"].state("bills") == []
    assert stand_ins["bill"].state("vendors") == vendors
    assert Attempt.objects.of(workspace).count() == attempts
    assert Counter(Record.objects.of(workspace).values_list("state", flat=True)) == states
    assert Problem.objects.of(workspace).filter(state="open").exists()
    assert Link.objects.of(workspace).exists()
    assert Mapping.objects.of(workspace).exists()
    assert verify(workspace).holds


def test_commands_say_that_it_is_older(older: Path, run: Run) -> None:  # noqa: F811
    if schema() is Schema.CURRENT:
        pytest.skip("This release has the tables of that one")
    said: Said = run("records")
    assert said.status == 1
    assert "older release" in said.err

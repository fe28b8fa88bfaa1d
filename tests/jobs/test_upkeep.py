"""What a worker sees to besides its jobs."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from tests.sync.pair import base_pair

from ml_connector import vault
from ml_connector.audit.models import Checkpoint, Cut
from ml_connector.audit.verify import verify
from ml_connector.jobs import upkeep
from ml_connector.sync import retention
from ml_connector.sync.models import Flow, Problem


def test_records_that_vanished_from_the_database_are_a_problem(workspace):  # R76
    with base_pair(workspace) as pair:
        pair.sync("suppliers")
        assert upkeep.check_records() == 0
        Flow.objects.of(workspace).filter(name="suppliers").update(records_ever=6)
        assert upkeep.check_records() == 1
    (problem,) = Problem.objects.of(workspace).filter(cause="records_missing")
    assert problem.text == "Records of bench.suppliers: 6 were staged, the states add up to 5."


def test_trails_are_signed(workspace):  # R67
    with base_pair(workspace) as pair:
        pair.sync("suppliers")
    upkeep.sign_trails()
    upkeep.sign_trails()
    assert Checkpoint.objects.of(workspace).count() == 1


class OneCheck(threading.Event):
    """A worker that is stopped after its first hour."""

    def __init__(self):
        super().__init__()
        self.waits = 0

    def wait(self, timeout=None):
        assert timeout == upkeep.CHECK_SECONDS
        self.waits += 1
        return self.waits > 1


def test_a_worker_that_is_started_anew_every_day_signs_and_removes(workspace):  # R67, R70
    with base_pair(workspace) as pair:
        pair.sync("suppliers")
        upkeep.keep_up(OneCheck())
        signed = Checkpoint.objects.of(workspace).get()
        retention.set_years(workspace, "test", trail=7)
        pair.later(days=8 * 366)
        upkeep.keep_up(OneCheck())
        assert Cut.objects.of(workspace).get().sequence == signed.sequence
        assert Checkpoint.objects.of(workspace).count() == 2
        assert verify(workspace).begins == signed.sequence + 1


def test_a_key_that_is_missing_keeps_nothing_else_from_being_checked(workspace, monkeypatch, caplog):
    with base_pair(workspace) as pair:
        pair.sync("suppliers")

    def missing():
        raise vault.KeyMissing("The key file is missing.")

    monkeypatch.setattr(vault, "signing_key", missing, raising=False)
    upkeep.keep_up(OneCheck())
    assert "The trails could not be signed: The key file is missing." in caplog.text


def test_sqlite_knows_how_many_rows_a_workspace_has(workspace):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL looks by itself")
    with base_pair(workspace) as pair:
        pair.sync("suppliers")
        upkeep.measure_indexes()
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(stat) FROM sqlite_stat1 WHERE tbl = 'sync_record'")
            (stat,) = cursor.fetchone()
    assert int(stat.split()[0]) > 0

"""What a worker sees to besides its jobs."""

from __future__ import annotations

import pytest
from django.db import connection
from tests.sync.pair import base_pair

from ml_connector.audit.models import Checkpoint
from ml_connector.jobs import upkeep
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

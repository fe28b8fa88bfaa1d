"""Health and metrics: what an operator's tools ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from ml_connector import clock
from ml_connector.sync.models import Connection, Flow, Integration, Problem, Record
from ml_connector.workspaces.models import Workspace


@pytest.fixture
def client(database: Path) -> Client:
    return Client(headers={"host": "localhost"})


@pytest.fixture
def flow(workspace: Workspace) -> Flow:
    erp, bill = (
        Connection.objects.create(workspace=workspace, name=name, system=system, credential=name)
        for name, system in (("erp", "syspro"), ("bill", "bill"))
    )
    integration = Integration.objects.create(
        workspace=workspace, name="payables", kind="syspro-bill", erp=erp, platform=bill
    )
    return Flow.objects.create(
        workspace=workspace, integration=integration, name="invoices", position=3, every=600, records_ever=2
    )


def test_a_process_that_answers_is_healthy(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_an_installation_without_a_worker_is_not_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "checks": {"database": "ok", "key": "ok", "worker": "none runs"},
    }


def test_tables_of_a_newer_release_are_not_ready(client: Client) -> None:
    MigrationRecorder(connection).record_applied("sync", "9999_of_tomorrow")
    assert client.get("/readyz").json()["checks"]["database"] == "its tables are newer"


def test_metrics_count_records_problems_and_health(client: Client, flow: Flow) -> None:
    now = clock.now()
    Record.objects.create(
        workspace=flow.workspace, flow=flow, key="a", hash=b"1", payload=b"{}", state="blocked", staged_at=now
    )
    Problem.objects.create(
        workspace=flow.workspace,
        integration=flow.integration,
        cause="unmapped_code",
        subject="gl_account:1",
        text="t",
        fix="f",
        blocks=True,
        opened_at=now,
    )
    lines = client.get("/metrics").content.decode().splitlines()
    labels = 'flow="invoices",integration="payables"'
    assert f'ml_connector_records{{{labels},state="blocked",workspace="acme"}} 1.0' in lines
    assert f'ml_connector_records_unaccounted{{{labels},workspace="acme"}} 1.0' in lines
    assert f'ml_connector_queue_age_seconds{{{labels},workspace="acme"}} 0.0' in lines
    assert f'ml_connector_found_only_by_sweep_total{{{labels},workspace="acme"}} 0.0' in lines
    assert 'ml_connector_open_problems{cause="unmapped_code",integration="payables",workspace="acme"} 1.0' in lines
    assert (
        'ml_connector_connection_health{connection="erp",health="unknown",system="syspro",workspace="acme"} 1.0'
        in lines
    )
    assert "ml_connector_workers 0.0" in lines


def test_nothing_but_reading_is_answered(client: Client) -> None:
    assert client.post("/metrics").status_code == 405

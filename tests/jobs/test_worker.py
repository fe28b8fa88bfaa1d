"""What a worker does with what is due."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from ml_connector import clock
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import Connection, Flow, Health, Run, RunKind, RunState

if TYPE_CHECKING:
    from conftest import House

flows = Flow.objects.across_workspaces
runs = Run.objects.across_workspaces


def test_what_is_due_is_run_and_then_due_at_its_next_slot(at_work: House) -> None:
    (flow,) = at_work.flow("due", every=600)
    schedule.wake([flow.pk], RunKind.PULL)
    at_work.wait(lambda: runs().filter(flow=flow, state=RunState.SUCCEEDED).exists() and not in_use(flow))
    flow.refresh_from_db()
    assert flow.next_pull_at == schedule.regular(flow, RunKind.PULL, clock.now())


@pytest.mark.skipif("config.getoption('--database') != 'sqlite'", reason="PostgreSQL allows many workers")
def test_a_second_worker_is_refused_in_words(at_work: House) -> None:
    first = at_work.processes[0]
    at_work.wait(workers_alive)
    assert f":{first.pid}:" in workers_alive()[0]
    second = at_work.worker()
    assert second.wait(10) == 1
    text = second.stderr.read() if second.stderr else ""
    assert f":{first.pid}:" in text
    assert "With SQLite there can be one" in text


def test_an_error_in_a_job_is_stored_and_the_worker_goes_on(at_work: House) -> None:
    (bad,) = at_work.flow("bad", fail=True)
    (good,) = at_work.flow("good")
    schedule.wake([bad.pk], RunKind.PULL)
    at_work.wait(lambda: runs().filter(flow=bad, state=RunState.FAILED).exists() and not in_use(bad))
    schedule.wake([good.pk], RunKind.PULL)
    at_work.wait(lambda: runs().filter(flow=good, state=RunState.SUCCEEDED).exists())
    assert at_work.processes[0].poll() is None
    failed = runs().filter(flow=bad).latest("pk")
    assert "RuntimeError" in failed.text
    bad.refresh_from_db()
    assert bad.next_pull_at is not None
    assert clock.now() < bad.next_pull_at + timedelta(seconds=10) < clock.now() + timedelta(minutes=1)


def test_a_wake_up_during_a_run_is_not_lost(at_work: House) -> None:  # R58
    (flow,) = at_work.flow("woken", seconds=1)
    schedule.wake([flow.pk], RunKind.PUSH)
    at_work.wait(lambda: at_work.events("begin", flow))
    schedule.wake([flow.pk], RunKind.PUSH)
    at_work.wait(lambda: len(at_work.events("end", flow)) == 2 and not in_use(flow))
    flow.refresh_from_db()
    assert flow.next_push_at is None


def test_flows_that_must_not_run_do_not(at_work: House) -> None:  # R61
    (paused,) = at_work.flow("paused")
    (open_circuit,) = at_work.flow("circuit")
    (throttled,) = at_work.flow("throttled")
    (runs_last,) = at_work.flow("fine")
    flows().filter(pk=paused.pk).update(paused=True)
    Connection.objects.across_workspaces().filter(name="circuit-erp").update(health=Health.CIRCUIT_OPEN)
    until = clock.now() + timedelta(hours=1)
    Connection.objects.across_workspaces().filter(name="throttled-erp").update(not_before=until)
    schedule.wake([paused.pk, open_circuit.pk, throttled.pk], RunKind.PULL)
    schedule.wake([runs_last.pk], RunKind.PULL)
    at_work.wait(lambda: at_work.events("end", runs_last))
    assert not [event for flow in (paused, open_circuit, throttled) for event in at_work.events(flow=flow)]
    throttled.refresh_from_db()
    assert throttled.next_pull_at == until


def test_what_the_engine_has_finished_is_deleted(at_work: House) -> None:
    flows = [at_work.flow(f"old-{number}")[0] for number in range(3)]
    schedule.wake([flow.pk for flow in flows], RunKind.PULL)
    at_work.wait(lambda: all(at_work.events("end", flow) for flow in flows))
    at_work.wait(lambda: not rows_of_the_engine(at_work))
    assert runs().filter(flow__in=flows, state=RunState.SUCCEEDED).count() == len(flows)


def rows_of_the_engine(house: House) -> int:
    count = "SELECT count(*) FROM {}workflow_status"
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(house.data / "engine.sqlite3")) as file:
            return int(file.execute(count.format("")).fetchone()[0])
    with connection.cursor() as cursor:
        cursor.execute(count.format("engine."))
        return int(cursor.fetchone()[0])


def in_use(flow: Flow) -> bool:
    sides = [flow.integration.erp_id, flow.integration.platform_id]
    return Connection.objects.across_workspaces().filter(pk__in=sides).exclude(lease_holder="").exists()

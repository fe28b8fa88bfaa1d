"""Workers that stop or are killed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from django.db import connection

from ml_connector import clock
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import HANDED_OVER, Connection, Flow, Run, RunKind, RunState

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import House

flows = Flow.objects.across_workspaces
runs = Run.objects.across_workspaces


def test_a_worker_that_is_told_to_stop_finishes_its_jobs(house: House) -> None:
    (flow,) = house.flow("a", seconds=1.5)
    schedule.wake([flow.pk], RunKind.PULL)
    process = house.worker()
    house.wait(lambda: house.events("begin"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert house.events("end")
    assert workers_alive() == []
    assert not Connection.objects.across_workspaces().exclude(lease_holder="").exists()


def test_without_the_engines_tables_no_work_is_lost(house: House) -> None:  # R9
    (busy,) = house.flow("busy", seconds=2)
    others = [house.flow(f"f{number}", seconds=0.1)[0] for number in range(4)]
    schedule.wake([busy.pk], RunKind.PULL)
    process = house.worker(concurrency=1)
    house.wait(lambda: house.events("begin"))
    schedule.wake([flow.pk for flow in others], RunKind.PUSH)
    house.wait(lambda: flows().filter(next_push_at__gt=clock.now()).count() > 0)
    process.kill()
    process.wait()
    lose_the_engines_tables(house.data)
    # What was on the queue is due again after HANDED_OVER; time is not waited for, it is set.
    handed_over = flows().filter(next_push_at__gt=clock.now())
    assert all(flow.next_push_at < clock.now() + HANDED_OVER for flow in handed_over)
    handed_over.update(next_push_at=clock.now())
    house.worker()
    house.wait(lambda: {event["flow"] for event in house.events("end")} == {busy.pk, *(one.pk for one in others)})
    assert runs().get(flow=busy, state=RunState.LOST).text


def lose_the_engines_tables(data: Path) -> None:
    for file in data.glob("engine.sqlite3*"):
        file.unlink()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA engine CASCADE")

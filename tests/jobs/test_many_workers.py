"""Several workers, on PostgreSQL."""

from __future__ import annotations

import signal
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import Run, RunKind, RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import House

pytestmark = pytest.mark.postgres

runs = Run.objects.across_workspaces


def test_two_workers_fire_each_schedule_once_and_use_a_connection_one_at_a_time(postgres: House) -> None:  # R7, R59
    flows = [flow for number in range(4) for flow in postgres.flow(f"i{number}", flows=3, seconds=0.3)]
    postgres.worker(concurrency=2)
    postgres.worker(concurrency=2)
    postgres.wait(lambda: len(workers_alive()) == 2)
    schedule.wake([flow.pk for flow in flows], RunKind.PULL)
    postgres.wait(lambda: len(postgres.events("end")) >= len(flows))
    time.sleep(1.5)
    begun = [event["flow"] for event in postgres.events("begin")]
    assert sorted(begun) == sorted(flow.pk for flow in flows)
    assert len({event["pid"] for event in postgres.events()}) == 2
    assert_one_at_a_time(postgres.events())


def test_the_survivor_finishes_what_a_killed_worker_had_begun(postgres: House) -> None:  # R9
    flows = [postgres.flow(f"i{number}", seconds=1)[0] for number in range(8)]
    victim = postgres.worker(concurrency=8)
    postgres.wait(lambda: len(workers_alive()) == 1)
    schedule.wake([flow.pk for flow in flows], RunKind.PULL)
    postgres.wait(lambda: len(postgres.events("begin")) == len(flows))
    victim.kill()
    postgres.worker(concurrency=8)
    seconds = postgres.wait(lambda: len({event["flow"] for event in postgres.events("end")}) == len(flows))
    print(f"{len(flows)} jobs of a killed worker finished after {seconds:.1f} s, with leases of 2 s")
    assert runs().filter(state=RunState.LOST).count() == len(flows) - len(postgres.events("end")) + len(flows)
    assert not runs().filter(state=RunState.LIVE).exists()


def test_a_worker_that_stood_still_stores_nothing_afterwards(postgres: House) -> None:  # R9
    careful, careless = postgres.flow("a", seconds=2)[0], postgres.flow("b", seconds=2, careful=False)[0]
    zombie = postgres.worker()
    postgres.wait(lambda: len(workers_alive()) == 1)
    schedule.wake([careful.pk, careless.pk], RunKind.PULL)
    postgres.wait(lambda: len(postgres.events("begin")) == 2)
    zombie.send_signal(signal.SIGSTOP)
    postgres.worker()
    postgres.wait(lambda: len(postgres.events("end")) == 2)
    zombie.send_signal(signal.SIGCONT)
    postgres.wait(lambda: postgres.events("fenced"))
    time.sleep(0.5)
    # The careful one stopped by itself; the careless one was refused. Neither stored a result.
    assert [event["flow"] for event in postgres.events("fenced")] == [careless.pk]
    assert {event["pid"] for event in postgres.events("end")}.isdisjoint({zombie.pid})
    assert sorted(runs().values_list("flow_id", "state")) == sorted(
        (flow.pk, state) for flow in (careful, careless) for state in (RunState.LOST, RunState.SUCCEEDED)
    )
    # And it is a worker again.
    schedule.wake([careful.pk], RunKind.PULL)
    postgres.wait(lambda: len(postgres.events("end")) == 3)


def test_one_workspaces_backlog_does_not_delay_another(postgres: House) -> None:  # R74
    noisy = [postgres.flow(f"n{number}", workspace="noisy", seconds=2)[0] for number in range(30)]
    (quiet,) = postgres.flow("quiet", workspace="quiet")
    schedule.wake([flow.pk for flow in noisy], RunKind.PULL)
    postgres.worker(concurrency=12)
    postgres.wait(lambda: len(postgres.events("begin")) >= 8)
    schedule.wake([quiet.pk], RunKind.PULL)
    seconds = postgres.wait(lambda: any(event["flow"] == quiet.pk for event in postgres.events("end")))
    assert seconds < 2
    assert len({event["flow"] for event in postgres.events("begin")} - {quiet.pk}) <= 16


def test_a_crash_of_the_database_under_load_loses_nothing(postgres: House, crash: Callable[[], None]) -> None:  # R9
    flows = [postgres.flow(f"i{number}", seconds=0.5, flows=2) for number in range(6)]
    ids = [flow.pk for pair in flows for flow in pair]
    postgres.worker()
    postgres.worker()
    postgres.wait(lambda: len(workers_alive()) == 2)
    schedule.wake(ids, RunKind.PULL)
    postgres.wait(lambda: len(postgres.events("begin")) >= 4)
    connection.close()
    crash()
    schedule.wake(ids, RunKind.PUSH)
    wanted = {(pk, kind) for pk in ids for kind in ("pull", "push")}
    postgres.wait(lambda: {(event["flow"], event["kind"]) for event in postgres.events("end")} == wanted, 60)
    postgres.wait(lambda: not runs().filter(state=RunState.LIVE).exists())
    assert all(process.poll() is None for process in postgres.processes)


def assert_one_at_a_time(events: list[dict[str, Any]]) -> None:
    for used in {event["connection"] for event in events}:
        of_one = sorted((event for event in events if event["connection"] == used), key=lambda event: event["t"])
        for before, after in pairwise(of_one):
            assert (before["event"], after["event"]) != ("begin", "begin"), (before, after)

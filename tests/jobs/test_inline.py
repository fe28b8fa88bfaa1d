"""A command as the worker of its own Flows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ml_connector import clock
from ml_connector.jobs import inline, schedule
from ml_connector.jobs.inline import run_until_idle
from ml_connector.jobs.job import Work
from ml_connector.jobs.takeover import take_over
from ml_connector.sync import leases
from ml_connector.sync.leases import Lease, LeaseTaken
from ml_connector.sync.models import PARK_AT, Connection, Flow, Run, RunKind, RunState

if TYPE_CHECKING:
    from conftest import House

PULL, PUSH = RunKind.PULL, RunKind.PUSH


class Recorder:
    """Work that writes down what it was asked, and does what a test wants of it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.parked: list[int] = []
        self.work = Work(self.execute, self.connection_for, lambda flow, kind: self.parked.append(flow.pk))

    def execute(self, flow: Flow, kind: RunKind, lease: Lease, job_id: str, seconds: float) -> None:
        lease.check()
        self.done.append((flow.name, kind.value))
        if flow.policies.get("fail"):
            raise RuntimeError("as told")
        if kind is PULL or (flow.policies.get("rest") and self.done.count((flow.name, "push")) < 3):
            schedule.wake([flow.pk], PUSH)

    def connection_for(self, flow: Flow, kind: RunKind) -> Connection:
        return flow.integration.platform if kind is PUSH else flow.integration.erp


def test_flows_run_in_their_order_until_nothing_is_due(house: House) -> None:
    flows = house.flow("a", flows=2, rest=True)
    ids = [flow.pk for flow in flows]
    schedule.wake(ids, PULL)
    recorder = Recorder()
    assert run_until_idle(reversed(ids), recorder.work) == 8
    assert recorder.done[:4] == [("a-0", "pull"), ("a-0", "push"), ("a-1", "pull"), ("a-1", "push")]
    assert recorder.done.count(("a-0", "push")) == 3
    assert not Connection.objects.across_workspaces().exclude(lease_holder="").exists()


def test_a_job_that_fails_is_not_repeated_at_once(house: House) -> None:
    (flow,) = house.flow("a", fail=True)
    schedule.wake([flow.pk], PULL)
    assert run_until_idle([flow.pk], Recorder().work) == 1
    run = Run.objects.across_workspaces().get()
    assert (run.state, run.flow_id) == (RunState.FAILED, flow.pk)
    flow.refresh_from_db()
    assert flow.next_pull_at is not None
    assert clock.now() < flow.next_pull_at < clock.now() + timedelta(seconds=10)


def die(flow: Flow) -> None:
    """Leaves behind what a process leaves that dies in a pull."""
    schedule.claim(flow.pk, PULL)
    dead = leases.acquire(flow.integration.erp_id, "dead")
    assert dead is not None
    made = {"flow": flow, "connection": flow.integration.erp, "kind": PULL, "started_at": clock.now()}
    Run.objects.create(workspace=flow.workspace, fence=dead.fence, **made)
    Connection.objects.across_workspaces().filter(pk=flow.integration.erp_id).update(
        lease_until=leases.DatabaseTime(-1)
    )


def test_what_a_dead_process_left_is_taken_over(house: House) -> None:  # R9
    (flow,) = house.flow("a")
    die(flow)
    recorder = Recorder()
    run_until_idle([flow.pk], recorder.work)
    assert recorder.done == [("a-0", "pull"), ("a-0", "push")]
    assert Run.objects.across_workspaces().get().state == RunState.LOST
    flow.refresh_from_db()
    assert flow.deaths == 1


def test_a_flow_whose_pulls_killed_five_workers_is_parked_although_its_pushes_succeed(house: House) -> None:  # R9
    (flow,) = house.flow("a")
    recorder = Recorder()
    for death in range(PARK_AT):
        assert recorder.parked == []
        die(flow)
        made = {"flow": flow, "connection": flow.integration.platform, "kind": PUSH, "fence": death}
        Run.objects.create(workspace=flow.workspace, started_at=clock.now(), state=RunState.SUCCEEDED, **made)
        take_over(recorder.work)
    assert recorder.parked == [flow.pk]
    assert run_until_idle([flow.pk], recorder.work) == 0
    Flow.objects.across_workspaces().update(deaths=0)
    assert run_until_idle([flow.pk], recorder.work) == 2


def test_a_connection_that_another_job_keeps_is_waited_for_and_then_named(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(inline, "ASK_SECONDS", 0.1)
    (flow,) = house.flow("a")
    schedule.wake([flow.pk], PULL)
    with leases.held(flow.integration.erp_id, "a ping"), pytest.raises(LeaseTaken, match="in use by a ping"):
        run_until_idle([flow.pk], Recorder().work)
    assert run_until_idle([flow.pk], Recorder().work) == 2


def test_paused_flows_are_left_out(house: House) -> None:
    (flow,) = house.flow("a")
    Flow.objects.across_workspaces().update(paused=True)
    schedule.wake([flow.pk], PULL)
    assert run_until_idle([flow.pk], Recorder().work) == 0

"""The three instants of a Flow's row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ml_connector import clock
from ml_connector.jobs import schedule
from ml_connector.sync.models import Flow, RunKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import House

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    clock.hold(NOON)
    yield
    clock.hold(None)


def next_push(flow: Flow) -> datetime | None:
    flow.refresh_from_db()
    return flow.next_push_at


def test_a_wake_up_never_makes_a_flow_due_later(house: House) -> None:
    (flow,) = house.flow("a")
    schedule.wake([flow.pk], RunKind.PUSH, NOON + timedelta(minutes=5))
    assert next_push(flow) == NOON + timedelta(minutes=5)
    schedule.wake([flow.pk], RunKind.PUSH)
    assert next_push(flow) == NOON
    schedule.wake([flow.pk], RunKind.PUSH, NOON + timedelta(minutes=1))
    assert next_push(flow) == NOON


def test_a_claim_answers_earlier_wake_ups_and_leaves_later_ones(house: House) -> None:  # R58
    (flow,) = house.flow("a")
    schedule.wake([flow.pk], RunKind.PUSH)
    schedule.claim(flow.pk, RunKind.PUSH)
    schedule.settle(flow, RunKind.PUSH)
    assert next_push(flow) is None
    schedule.claim(flow.pk, RunKind.PUSH)
    schedule.wake([flow.pk], RunKind.PUSH)
    schedule.settle(flow, RunKind.PUSH)
    assert next_push(flow) == NOON


def test_of_two_who_move_an_instant_one_succeeds(house: House) -> None:
    (flow,) = house.flow("a")
    schedule.wake([flow.pk], RunKind.PUSH)
    later = NOON + timedelta(seconds=10)
    assert [schedule.move(flow.pk, RunKind.PUSH, NOON, later) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("every", [60, 600, 86_400])
def test_regular_runs_keep_their_distance_whenever_the_last_one_ended(every: int) -> None:
    flow = Flow(pk=7, every=every)
    first = schedule.regular(flow, RunKind.PULL, NOON)
    assert first is not None
    near = timedelta(seconds=every // schedule.NEAR)
    assert NOON < first - near <= NOON + timedelta(seconds=every)
    assert schedule.regular(flow, RunKind.PULL, first - near - timedelta(seconds=1)) == first
    assert schedule.regular(flow, RunKind.PULL, first - timedelta(seconds=1)) == first + timedelta(seconds=every)
    assert schedule.regular(flow, RunKind.PULL, first) == first + timedelta(seconds=every)


def test_flows_are_spread_over_their_interval() -> None:
    slots = {schedule.regular(Flow(pk=pk, every=600), RunKind.PULL, NOON) for pk in range(600)}
    assert len(slots) > 300


def test_new_flows_are_scheduled_within_a_minute(house: House) -> None:
    flows = house.flow("a", every=86_400, flows=5)
    Flow.objects.across_workspaces().update(next_pull_at=None, next_sweep_at=None)
    schedule.adopt()
    rows = Flow.objects.across_workspaces().filter(pk__in=[flow.pk for flow in flows])
    assert all(NOON <= flow.next_pull_at < NOON + timedelta(minutes=1) for flow in rows if flow.next_pull_at)
    assert all(NOON < flow.next_sweep_at <= NOON + timedelta(days=1) for flow in rows if flow.next_sweep_at)
    assert len({flow.next_pull_at for flow in rows}) > 1


def test_of_very_many_new_flows_some_are_scheduled_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.flow("a", flows=5)
    Flow.objects.across_workspaces().update(next_pull_at=None, next_sweep_at=None)
    monkeypatch.setattr(schedule, "ADOPTED_AT_A_TIME", 3)
    without = []
    for _ in range(2):
        schedule.adopt()
        without.append(Flow.objects.across_workspaces().filter(next_pull_at=None).count())
    assert without == [2, 0]

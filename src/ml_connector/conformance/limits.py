"""Limits cost a document nothing, and signing in happens once (R59 to R61)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from ml_connector import vault
from ml_connector.conformance.bench import Bench
from ml_connector.conformance.declaration import Declaration, Limits
from ml_connector.sync.models import Health, Problem, Record, RunKind, RunState
from ml_connector.sync.pinging import ping_connection
from ml_connector.workspaces.models import Workspace

LATENCY = 0.02
"""Seconds that the stand-in takes: enough for requests to overlap."""

MANY = 40


class LimitsAndSessions:
    """The suite's part on what a vendor allows."""

    declaration: ClassVar[Declaration]

    def test_never_more_requests_at_a_time_than_allowed(
        self, workspace: Workspace, limits: Limits, record_property: Any
    ) -> None:  # R59
        with self._waiting(workspace, limits, record_property) as bench:
            bench.settle(limits.flow)
            assert max(bench.stand_ins[limits.side].summary()["max_in_flight"].values()) == limits.at_a_time

    @pytest.mark.parametrize("wait", [None, 30], ids=["without Retry-After", "with Retry-After"])
    def test_a_storm_of_throttling_uses_up_no_tries(
        self, workspace: Workspace, limits: Limits, wait: int | None, record_property: Any
    ) -> None:  # R59
        with self._waiting(workspace, limits, record_property) as bench:
            told = {} if wait is None else {"retry_after": wait}
            match = {**limits.match, "probability": 0.5}
            bench.stand_ins[limits.side].faults([{"match": match, "do": "throttle", **told}])
            for _ in range(200):
                bench.run(limits.flow, RunKind.PUSH)
                assert set(_unsettled(bench).values_list("tries", flat=True)) <= {0}
                assert not _causes(bench) & {"refused_by_target", "target_unavailable"}
                if not _unsettled(bench).exists():
                    break
                bench.later(minutes=61)

    def test_a_session_that_ends_under_parallel_requests_costs_one_sign_in(
        self, workspace: Workspace, limits: Limits, record_property: Any
    ) -> None:  # R60
        with self._waiting(workspace, limits, record_property) as bench:
            before = limits.sign_ins(bench)
            lost = {"match": {**limits.match, "nth": 5}, "do": "expire_session", "all": True}
            bench.stand_ins[limits.side].faults([lost])
            bench.settle(limits.flow)
            assert bench.stand_ins[limits.side].faults()[0]["fired"] == 1
            assert limits.sign_ins(bench) == before + 1

    def test_a_dead_credential_is_tried_once_and_work_resumes_after_repair(
        self, workspace: Workspace, limits: Limits, record_property: Any
    ) -> None:  # R61
        with self._waiting(workspace, limits, record_property) as bench:
            connection = bench.connection(limits.side)
            right = vault.get(bench.workspace, f"connection:{connection.name}", limits.password)
            vault.put(bench.workspace, f"connection:{connection.name}", limits.password, "wrong-Pw-1")
            bench.later(hours=2)
            before = limits.sign_ins(bench)
            for _ in range(5):
                assert bench.run(limits.flow, RunKind.PUSH).state == RunState.FAILED
                bench.later(minutes=10)
            assert limits.sign_ins(bench) <= before + 1
            refused = Problem.objects.of(bench.workspace).filter(cause="credentials_refused", state="open")
            assert refused.count() == 1
            connection.refresh_from_db()
            assert connection.health == Health.CIRCUIT_OPEN

            vault.put(bench.workspace, f"connection:{connection.name}", limits.password, right)
            assert all(step.ok is not False for step in ping_connection(connection, "clerk"))
            bench.settle(limits.flow)
            assert not refused.exists()

    @contextmanager
    def _waiting(self, workspace: Workspace, limits: Limits, record_property: Any) -> Iterator[Bench]:
        """Everything has arrived, and MANY documents wait."""
        record_property("declared", [self.declaration.name, limits.name])
        with self.declaration.open(workspace) as bench:
            bench.settle()
            bench.stand_ins[limits.side].options({"latency": LATENCY})
            limits.enter(bench, MANY)
            bench.run(limits.flow, RunKind.PULL)
            bench.stand_ins[limits.side].clear_requests()
            yield bench
            assert not _unsettled(bench).exists()
            bench.check_settled()


def _unsettled(bench: Bench) -> Any:
    return Record.objects.of(bench.workspace).filter(number__startswith="CAP-").exclude(state="confirmed")


def _causes(bench: Bench) -> set[str]:
    return {cause for cause, _ in bench.problems()}

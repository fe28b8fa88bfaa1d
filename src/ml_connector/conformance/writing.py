"""Writing under faults: every write call x every row of the matrix ends with one effect (R1 to R12, R59 to R63)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import pytest
from django.db import connections

from ml_connector.audit.models import AuditEntry
from ml_connector.conformance.bench import Bench
from ml_connector.conformance.declaration import Declaration, WriteCall
from ml_connector.conformance.faults import SETTLE_WAIT, Fault
from ml_connector.integrations.base import Side
from ml_connector.sync.leases import LeaseLost
from ml_connector.sync.models import Attempt
from ml_connector.workspaces.models import Workspace

LATE_SECONDS = 1.5
"""How late the first of two workers is: long enough for the second to take over."""

LATE = {"before": "commit", "after": "answer"}

OUTCOMES = {
    ("confirmed",): "done",
    ("unknown", "adopted"): "in doubt, found",
    ("unknown", "not_done", "confirmed"): "in doubt, not there, sent again",
    ("unknown", "confirmed"): "in doubt, found",
    ("not_done", "confirmed"): "known not done, sent again",
}
"""What a document's Attempts and searches came to, in the matrix's words."""


class Writing:
    """The writing half of the suite."""

    declaration: ClassVar[Declaration]

    def test_one_effect_whatever_happens(
        self, workspace: Workspace, call: WriteCall, fault: Fault, record_property: Any
    ) -> None:  # R1 to R6, R8, R12, R59 to R63
        record_property("declared", [self.declaration.name, call.name])
        record_property("fault", fault.name)
        with self._begun(workspace, call) as bench:
            stand_in = bench.stand_ins[call.side]
            held = bench.problems()
            before = _last_attempt(bench)
            stand_in.clear_requests()
            call.act(bench)
            stand_in.faults([{"match": dict(call.match), "times": 1, **fault.do}])
            if fault.lasts:
                bench.sync(*call.flows)
                time.sleep(fault.lasts)
            bench.settle(*call.flows)
            assert stand_in.faults()[0]["fired"] == 1, "the call was not made"
            self._one_effect(bench, call)
            assert bench.problems() <= held, "it takes a person to go on"
            told = _told(bench, since=before)
            record_property("outcome", ", or ".join(sorted(OUTCOMES.get(one, " > ".join(one)) for one in told)))
            if fault.committed:
                doubtful = not (fault.body_only and call.answers_nothing)
                assert all(one[0] == "unknown" for one in told) or not doubtful, "nobody was in doubt"
                assert _requests(bench, call) == 1, "it was sent again although it had been committed"
            self._only_declared_writes(bench)

    @pytest.mark.parametrize("late", ["before", "after"], ids=["its commit is late", "its answer is late"])
    def test_one_effect_when_two_workers_deliver_the_same(
        self, workspace: Workspace, call: WriteCall, late: str, record_property: Any
    ) -> None:  # R7, R9
        """The first waits for its answer, loses its lease to the second, and comes back."""
        record_property("declared", [self.declaration.name, call.name])
        record_property("fault", f"two workers deliver it, the first one's {LATE[late]} is late")
        with self._begun(workspace, call) as bench:
            stand_in = bench.stand_ins[call.side]
            call.act(bench)
            delay = {"do": "delay", "when": late, "seconds": LATE_SECONDS}
            stand_in.faults([{"match": dict(call.match), "times": 1, **delay}])
            lost: list[bool] = []

            def first() -> None:
                try:
                    bench.sync(*call.flows)
                except LeaseLost:
                    lost.append(True)
                finally:
                    connections.close_all()

            worker = threading.Thread(target=first)
            worker.start()
            deadline = time.monotonic() + 60
            while not stand_in.faults()[0]["fired"]:
                assert time.monotonic() < deadline, "the call was not made"
                time.sleep(0.01)
            bench.lease_lapses(call.side)
            bench.sync(*call.flows)
            worker.join()
            assert lost, "the first worker's late result was taken"
            bench.settle(*call.flows)
            self._one_effect(bench, call)
            record_property("outcome", "the late result fenced off")

    # --- what both have in common

    @contextmanager
    def _begun(self, workspace: Workspace, call: WriteCall) -> Iterator[Bench]:
        with (call.open or self.declaration.open)(workspace) as bench:
            bench.integration.policies = {**bench.integration.policies, "settle_wait": SETTLE_WAIT}
            bench.integration.save(update_fields=["policies"])
            if call.before is None:
                bench.settle(*call.flows)
            else:
                call.before(bench)
            assert len(call.there(bench)) == 0, "what the call is to bring about is there before it"
            yield bench

    def _one_effect(self, bench: Bench, call: WriteCall) -> None:
        bench.check_settled()
        assert len(call.there(bench)) == call.things

    def _only_declared_writes(self, bench: Bench) -> None:
        """A write call that the declaration forgot would be one that nobody tried."""
        for side in Side:
            for row in bench.stand_ins[side].requests():
                if row["write"] and not row["path"].endswith(self.declaration.undeclared):
                    calls = [call for call in self.declaration.writes if call.side is side]
                    assert any(_is(call, row) for call in calls), f"not declared: {row['method']} {row['path']}"


def _last_attempt(bench: Bench) -> int:
    return Attempt.objects.of(bench.workspace).order_by("-pk").values_list("pk", flat=True).first() or 0


def _told(bench: Bench, since: int) -> set[tuple[str, ...]]:
    """What the trail says became of each document that was written since: its Attempts' outcomes, in order. Those
    that were simply done are left out where another was not.

    Asserts that the trail has every Attempt's intent before its outcomes, and that the last one ended well (R2, R66).
    """
    attempts = dict(Attempt.objects.of(bench.workspace).filter(pk__gt=since).values_list("pk", "record_id"))
    stories: dict[int, list[str]] = {}
    intents: set[int] = set()
    rows = AuditEntry.objects.of(bench.workspace).filter(action__in=["intent", "outcome"]).order_by("sequence")
    for row in rows:
        detail = json.loads(row.detail)
        record = attempts.get(detail["attempt"])
        if record is None:
            continue
        if row.action == "intent":
            intents.add(detail["attempt"])
        else:
            assert detail["attempt"] in intents
            stories.setdefault(record, []).append(detail["outcome"])
    assert intents == set(attempts)
    assert all(story[-1] in {"confirmed", "adopted"} for story in stories.values())
    told = {tuple(story) for story in stories.values()}
    return told - {("confirmed",)} or told


def _requests(bench: Bench, call: WriteCall) -> int:
    """How often the call was made; a request that only asks whether it would be taken is none."""
    return sum(row["write"] and _is(call, row) for row in bench.stand_ins[call.side].requests())


def _is(call: WriteCall, row: Mapping[str, Any]) -> bool:
    path = str(call.match["path"]).lower()
    return row["method"] == call.match["method"] and fnmatchcase(row["path"].lower(), f"*{path}")

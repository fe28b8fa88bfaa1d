"""Reading: nothing that changed is missed, nothing is read twice into effect, no absence is invented (R13 to R20)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from django.db import connections

from ml_connector.conformance.bench import Bench
from ml_connector.conformance.declaration import Declaration, ReadCall
from ml_connector.sync.models import Problem, Record, RunKind, RunState
from ml_connector.workspaces.models import Workspace

PULL, PUSH, SWEEP = RunKind.PULL, RunKind.PUSH, RunKind.SWEEP

PAGE = 3
"""Rows a page in the tests of paging."""

FAILURES = ({"do": "status", "status": 503}, {"do": "truncate"}, {"do": "reset"})


class Reading:
    """The reading half of the suite."""

    declaration: ClassVar[Declaration]

    @pytest.mark.parametrize("beyond", range(PAGE), ids=["full last page", "one beyond", "one short"])
    def test_equal_stamps_across_pages_are_each_read_once(
        self, workspace: Workspace, read: ReadCall, beyond: int, record_property: Any
    ) -> None:  # R15, R16
        with self._open(workspace, read, record_property, page=PAGE) as bench:
            bench.run(read.flow, PULL)
            there = _numbers(bench, read)
            new = PAGE * 2 + (beyond - len(there)) % PAGE
            for number in range(new):
                read.enter(bench, f"PAG-{number:03}")
            run = bench.run(read.flow, PULL)
            assert (run.state, run.counts["new"]) == (RunState.SUCCEEDED, new)
            assert len(_numbers(bench, read)) == len(there) + new
            again = bench.run(read.flow, PULL)
            assert (again.counts["new"], again.counts["changed"]) == (0, 0)

    def test_rows_put_in_and_taken_out_between_pages_shift_nothing(
        self, workspace: Workspace, read: ReadCall, record_property: Any
    ) -> None:  # R16
        with self._open(workspace, read, record_property, page=PAGE) as bench:
            for number in range(PAGE * 4):
                read.enter(bench, f"MOV-{number:03}")
            stand_in = bench.stand_ins[bench.spec.flow(read.flow).source]
            stand_in.faults([{"match": {**read.match, "nth": 3}, "do": "delay", "seconds": 1}])
            reader = threading.Thread(target=_pulled, args=(bench, read))
            reader.start()
            deadline = time.monotonic() + 60
            while not stand_in.faults()[0]["fired"]:
                assert time.monotonic() < deadline, "it was read in fewer pages"
                time.sleep(0.01)
            read.remove(bench, "MOV-000")
            read.enter(bench, "MOV-000-B")
            reader.join()
            stayed = {f"MOV-{number:03}" for number in range(1, PAGE * 4)}
            assert stayed <= set(_numbers(bench, read)), "what was taken out shifted what came after it"
            bench.run(read.flow, PULL)
            numbers = _numbers(bench, read)
            assert "MOV-000-B" in numbers
            assert len(numbers) == len(set(numbers))

    @pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: str(failure["do"]))
    def test_the_cursor_is_never_ahead_of_what_is_stored(
        self, workspace: Workspace, read: ReadCall, failure: dict[str, Any], record_property: Any
    ) -> None:  # R15, R19
        with self._open(workspace, read, record_property, page=PAGE) as bench:
            for number in range(PAGE * 3):
                read.enter(bench, f"CUR-{number:03}")
            stand_in = bench.stand_ins[bench.spec.flow(read.flow).source]
            stand_in.faults([{"match": {**read.match, "nth": list(range(2, 60))}, **failure}])
            run = bench.run(read.flow, PULL)
            assert run.state == RunState.FAILED
            stored = _numbers(bench, read)
            bench.run(read.flow, PULL)
            assert set(stored) <= set(_numbers(bench, read))
            stand_in.faults([])
            bench.later(minutes=10)
            assert bench.run(read.flow, PULL).state == RunState.SUCCEEDED
            assert {f"CUR-{number:03}" for number in range(PAGE * 3)} <= set(_numbers(bench, read))

    def test_what_is_entered_with_an_old_date_is_read(
        self, workspace: Workspace, read: ReadCall, record_property: Any
    ) -> None:  # R13
        if read.enter_back_dated is None:
            pytest.skip("It has no date.")
        with self._open(workspace, read, record_property) as bench:
            bench.run(read.flow, PULL)
            bench.later(days=1)
            read.enter_back_dated(bench, "OLD-1")
            bench.run(read.flow, PULL)
            assert "OLD-1" in _numbers(bench, read)

    def test_an_edit_later_on_the_same_day_arrives_by_the_next_poll(
        self, workspace: Workspace, read: ReadCall, record_property: Any
    ) -> None:  # R14
        with self._open(workspace, read, record_property) as bench:
            read.enter(bench, "DAY-1")
            bench.settle(*_upto(bench, read))
            bench.later(hours=1)
            read.edit(bench, "DAY-1", 1)
            assert bench.run(read.flow, PULL).counts["changed"] == 1
            bench.settle(read.flow)
            assert read.edited(bench, "DAY-1", 1)

    def test_the_sweep_finds_what_the_cursor_missed(
        self, workspace: Workspace, read: ReadCall, record_property: Any
    ) -> None:  # R17
        with self._open(workspace, read, record_property) as bench:
            read.enter(bench, "SWP-1")
            bench.settle(*_upto(bench, read))
            bench.later(days=20)
            read.enter(bench, "SWP-2")
            bench.settle(read.flow)
            read.edit(bench, "SWP-1", 1)
            found = bench.run(read.flow, PULL).counts["changed"] + bench.run(read.flow, SWEEP).counts["changed"]
            assert found == 1
            bench.settle(read.flow)
            assert read.edited(bench, "SWP-1", 1)
            assert bench.run(read.flow, SWEEP).counts["changed"] == 0

    def test_absence_is_deletion_only_after_a_complete_sweep(
        self, workspace: Workspace, read: ReadCall, record_property: Any
    ) -> None:  # R18
        with self._open(workspace, read, record_property) as bench:
            read.enter(bench, "GON-1")
            bench.settle(*_upto(bench, read))
            put_back = read.remove(bench, "GON-1")
            bench.run(read.flow, PULL)
            assert _gone(bench) == []
            stand_in = bench.stand_ins[bench.spec.flow(read.flow).source]
            stand_in.faults([{"match": dict(read.match), "do": "truncate"}])
            assert bench.run(read.flow, SWEEP).state == RunState.FAILED
            assert _gone(bench) == []
            stand_in.faults([])
            bench.later(minutes=10)
            assert bench.run(read.flow, SWEEP).counts["missing"] == 1
            assert _gone(bench) == ["GON-1"]
            put_back()
            bench.run(read.flow, SWEEP)
            bench.settle(read.flow)
            assert _gone(bench) == []
            assert bench.record("GON-1").state == "confirmed"

    def test_a_field_that_is_gone_stops_the_flow_and_is_named(
        self, workspace: Workspace, read: ReadCall, record_property: Any
    ) -> None:  # R20
        with self._open(workspace, read, record_property) as bench:
            bench.settle(*_upto(bench, read))
            read.enter(bench, "SHP-1")
            field, undo = read.break_shape(bench)
            run = bench.run(read.flow, PULL)
            assert run.state == RunState.FAILED
            problem = Problem.objects.of(workspace).get(cause="source_shape_changed", state="open")
            assert field in problem.text
            assert "SHP-1" not in _numbers(bench, read)
            undo()
            bench.settle(read.flow)
            assert bench.record("SHP-1").state == "confirmed"
            assert not Problem.objects.of(workspace).filter(cause="source_shape_changed", state="open").exists()

    @contextmanager
    def _open(
        self, workspace: Workspace, read: ReadCall, record_property: Any, page: int | None = None
    ) -> Iterator[Bench]:
        record_property("declared", [self.declaration.name, read.name])
        with (read.open or self.declaration.open)(workspace) as bench:
            if page is not None:
                connection = bench.connection(bench.spec.flow(read.flow).source)
                connection.settings[read.page_size] = page
                connection.save(update_fields=["settings"])
            yield bench
            bench.check()


def _numbers(bench: Bench, read: ReadCall) -> list[str]:
    rows = Record.objects.of(bench.workspace).filter(flow__name=read.flow)
    return sorted(rows.values_list("number", flat=True))


def _pulled(bench: Bench, read: ReadCall) -> None:
    try:
        bench.run(read.flow, PULL)
    finally:
        connections.close_all()


def _gone(bench: Bench) -> list[str]:
    return list(Record.objects.of(bench.workspace).filter(gone=True).values_list("number", flat=True))


def _upto(bench: Bench, read: ReadCall) -> tuple[str, ...]:
    """The Flow and those that bring its parents."""
    return (*bench.spec.flow(read.flow).after, read.flow)

"""Kept tie-outs, and the packs of closed periods."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.jobs import tasks as doing
from ml_connector.sync import packs, problems, results, tasks
from ml_connector.sync.instant import one_instant
from ml_connector.sync.models import (
    Pack,
    Problem,
    ProblemRecord,
    Record,
    RunKind,
    StoredTieOut,
    Task,
    TaskKind,
    TieOutLine,
    TieOutRow,
)
from ml_connector.sync.queries import tie_out_page as pages
from ml_connector.sync.tieout import tie_out

NOVEMBER = "2026-11"


@pytest.fixture
def closed(delivered):
    """November is over: both sides were read in December, nothing having changed."""
    delivered.later(days=17)
    delivered.sync()
    return delivered


def held_by(problem: Problem) -> list[int]:
    rows = ProblemRecord.objects.of(problem.workspace_id).filter(problem=problem)
    return list(rows.values_list("record_id", flat=True))


def sweep(pair) -> None:
    for flow in ("invoices", "credit_notes"):
        pair.run(flow, RunKind.SWEEP)


def test_what_is_kept_says_the_same_as_the_comparison(delivered):
    found = tie_out(delivered.integration)
    stored = results.compute(delivered.integration)
    head = pages.head(stored)
    for total, kept in zip(found.totals, head.sums, strict=True):
        assert (total.source, total.linked, total.target, total.difference, total.unexplained) == (
            kept.source, kept.linked, kept.target, kept.difference, kept.unexplained,
        )  # fmt: skip
    rows = pages.suppliers(stored, show="all").rows
    assert [(r.supplier, r.source, r.linked, r.target) for r in rows] == [
        (r.supplier, r.source, r.linked, r.target) for r in found.rows
    ]
    lines = [line for row in found.rows for line in row.lines]
    kept_lines = pages.differences(stored).rows
    assert [(n.number, n.amount, n.reason, n.date, n.record) for n in kept_lines] == [
        (n.number, n.amount, n.reason, n.date, n.record) for n in lines
    ]
    assert lines and sum(n.amount for n in kept_lines) == sum(t.difference for t in found.totals)


def test_source_links_and_target_of_each_supplier(delivered):
    rows = {row.supplier: row for row in tie_out(delivered.integration).rows}
    electra = rows["ELC001"]
    held = sum(line.amount for line in electra.lines if line.reason == "blocked")
    assert held > 0 and electra.source - electra.linked == held, "what is held back is not linked"
    freight = rows["TRN004"]
    assert (freight.linked, freight.target) == (0, 0)


def test_only_the_newest_is_kept_and_packs_stay(closed):
    first = results.compute(closed.integration)
    pack = packs.freeze(closed.integration, NOVEMBER, "os:anna")
    second = results.compute(closed.integration)
    again = results.compute(closed.integration, NOVEMBER)
    kept = set(StoredTieOut.objects.of(closed.workspace).values_list("pk", flat=True))
    assert kept == {second.pk, again.pk, pack.tie_out_id}
    for model in (TieOutRow, TieOutLine):
        assert not model.objects.of(closed.workspace).filter(tie_out=first.pk).exists()
        assert model.objects.of(closed.workspace).filter(tie_out=pack.tie_out_id).exists()
    assert results.newest(closed.integration, NOVEMBER) == again, "a pack is never taken for the newest"


def test_the_csv_has_each_difference_once_and_runs_nothing(delivered):
    Record.objects.of(delivered.workspace).filter(number="TF-90").update(number="=1+1")
    stored = results.compute(delivered.integration)
    rows = list(csv.DictReader(io.StringIO("".join(pages.csv_lines(stored)))))
    lines = pages.differences(stored).rows
    assert sorted(row["amount"] for row in rows if row["reason"]) == sorted(str(line.amount) for line in lines)
    for total in pages.head(stored).sums:
        of = [row for row in rows if row["currency"] == total.currency and not row["only_in_target"]]
        assert sum(Decimal(row["source"] or 0) for row in of) == total.source
        assert sum(Decimal(row["amount"] or 0) for row in of) == total.difference
    assert "'=1+1" in {row["document"] for row in rows}


def test_a_pack_is_a_file_whose_hash_stands_in_the_trail(closed):  # R36
    pack = packs.freeze(closed.integration, NOVEMBER, "os:anna")
    content = packs.file_of(pack)
    entry = AuditEntry.objects.of(closed.workspace).get(action="freeze")
    told = json.loads(entry.detail)
    assert hashlib.sha256(content).hexdigest() == told["hash"] == pack.hash
    assert (entry.actor, entry.subject, told["period"]) == ("os:anna", f"pack:{pack.pk}", NOVEMBER)
    file = json.loads(content)
    assert (file["period"], file["frozen_by"], file["workspace"]) == (NOVEMBER, "os:anna", "acme")
    assert {row["supplier"] for row in file["rows"]} >= {"ELC001", "TRN004"}
    assert all(isinstance(row["source"], str) for row in file["rows"]), "money is text"
    assert verify(closed.workspace).holds


def test_a_pack_that_was_changed_in_the_database_is_not_given_out(closed):  # R36
    pack = packs.freeze(closed.integration, NOVEMBER, "os:anna")
    closed.later(hours=1)
    other = packs.freeze(closed.integration, NOVEMBER, "os:anna")
    Pack.objects.of(closed.workspace).filter(pk=pack.pk).update(content=other.content, hash=other.hash)
    pack.refresh_from_db()
    with pytest.raises(packs.PackDamaged, match="differs from the one in the trail"):
        packs.file_of(pack)


def test_a_period_that_is_not_over_is_not_frozen(delivered):  # R36
    with pytest.raises(packs.NotFrozen, match="2026-11-30"):
        packs.freeze(delivered.integration, NOVEMBER, "os:anna")
    with pytest.raises(packs.NotFrozen, match="Write the year and the month"):
        packs.freeze(delivered.integration, "November", "os:anna")
    delivered.later(days=17)
    with pytest.raises(packs.NotFrozen, match="before 2026-11 was over"):
        packs.freeze(delivered.integration, NOVEMBER, "os:anna")
    assert not Pack.objects.of(delivered.workspace).exists()


def test_a_later_change_in_a_frozen_period_is_a_problem_and_leaves_the_pack(closed):  # R36
    pack = packs.freeze(closed.integration, NOVEMBER, "os:anna")
    before = bytes(pack.content)
    record = closed.record("ELC-1002")
    Record.objects.of(closed.workspace).filter(pk=record.pk).update(hash=b"\0" * 32)
    sweep(closed)
    (problem,) = Problem.objects.of(closed.workspace).filter(cause="period_changed")
    assert not problem.blocks and NOVEMBER in problem.text and "frozen on 2026-12-03" in problem.text
    assert held_by(problem) == [record.pk]
    pack.refresh_from_db()
    assert bytes(pack.content) == before and packs.file_of(pack)
    assert packs.problems_of(pack) == [problem]
    # Once people have accepted it, the next change is a new Problem.
    problem.workspace = closed.workspace
    problems.solve(problem, "accept", "A late invoice.", "os:anna")
    Record.objects.of(closed.workspace).filter(pk=record.pk).update(hash=b"\1" * 32)
    sweep(closed)
    assert Problem.objects.of(closed.workspace).filter(cause="period_changed").count() == 2


def test_what_changes_while_a_period_is_being_frozen_is_noticed(closed, monkeypatch):  # R36
    read = packs.tie_out

    def and_then_a_change(*arguments, **more):
        found = read(*arguments, **more)
        Record.objects.of(closed.workspace).filter(number="ELC-1002").update(hash=b"\0" * 32)
        sweep(closed)
        return found

    monkeypatch.setattr(packs, "tie_out", and_then_a_change)
    pack = packs.freeze(closed.integration, NOVEMBER, "os:anna")
    assert Problem.objects.of(closed.workspace).filter(cause="period_changed").exists()
    assert packs.problems_of(pack), "the pack's page says so"


def test_a_freezing_that_fails_leaves_nothing(closed, monkeypatch):  # R36
    monkeypatch.setattr(packs, "_check_readings", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        packs.freeze(closed.integration, NOVEMBER, "os:anna")
    assert not StoredTieOut.objects.of(closed.workspace).filter(frozen=True).exists()


def test_what_is_read_again_unchanged_touches_no_period(closed):  # R36
    packs.freeze(closed.integration, NOVEMBER, "os:anna")
    sweep(closed)
    closed.sync()
    assert not Problem.objects.of(closed.workspace).filter(cause="period_changed").exists()


def test_what_vanishes_from_a_frozen_period_is_noticed(closed):  # R18, R36
    packs.freeze(closed.integration, NOVEMBER, "os:anna")
    record = closed.record("ELC-1001")
    Record.objects.of(closed.workspace).filter(pk=record.pk).update(key="ELC001/never-there")
    sweep(closed)
    (problem,) = Problem.objects.of(closed.workspace).filter(cause="period_changed")
    assert record.pk in held_by(problem)


def test_what_changed_since_is_listed_by_supplier(closed):  # R36
    pack = packs.freeze(closed.integration, NOVEMBER, "os:anna")
    assert packs.changes(pack, results.compute(closed.integration, NOVEMBER)) == []
    record = closed.record("ELC-1001")
    Record.objects.of(closed.workspace).filter(pk=record.pk).update(observed='{"open":"1000.00","paid":"620.00"}')
    (row,) = packs.changes(pack, results.compute(closed.integration, NOVEMBER))
    assert (row.supplier, row.source_then - row.source_now) == ("ELC001", 620_0000)
    assert row.target_then == row.target_now


# --- Tasks


def test_a_worker_does_what_was_asked_for_once(delivered):
    subject = tasks.about(delivered.integration)
    asked = tasks.ask(delivered.workspace, TaskKind.TIE_OUT, subject, "os:anna")
    assert tasks.ask(delivered.workspace, TaskKind.TIE_OUT, subject, "os:bert") == asked
    assert doing.do_next("a worker") is True
    assert doing.do_next("a worker") is False
    asked.refresh_from_db()
    assert asked.state == "done" and asked.result["tie_out"] == results.newest(delivered.integration).pk
    assert tasks.ask(delivered.workspace, TaskKind.TIE_OUT, subject, "os:bert") != asked


def test_a_task_whose_worker_died_is_done_by_another_and_given_up_in_the_end(delivered):
    asked = tasks.ask(delivered.workspace, TaskKind.TIE_OUT, tasks.about(delivered.integration), "os:anna")
    assert doing._claim("one that dies") == asked
    assert doing._claim("another") is None, "it is held"
    for _ in range(2):
        _let_lapse(asked)
        assert doing._claim("another") == asked
    _let_lapse(asked)
    assert doing._claim("the last") is None
    asked.refresh_from_db()
    assert asked.state == "failed" and "workers died" in asked.text


def test_a_late_worker_does_not_end_what_another_has_taken(delivered):
    asked = tasks.ask(delivered.workspace, TaskKind.TIE_OUT, tasks.about(delivered.integration), "os:anna")
    late = doing._claim("late")
    _let_lapse(asked)
    assert doing._claim("another") is not None
    doing._end(late, doing.TaskState.DONE)
    asked.refresh_from_db()
    assert asked.state == "running"


def test_a_period_that_cannot_be_frozen_says_why(delivered):
    subject = tasks.about(delivered.integration, NOVEMBER)
    asked = tasks.ask(delivered.workspace, TaskKind.FREEZE, subject, "person:1")
    doing.do_next("a worker")
    asked.refresh_from_db()
    assert asked.state == "failed" and "not over yet" in asked.text


def test_the_chain_is_verified_by_a_worker(delivered):  # R67
    asked = tasks.ask(delivered.workspace, TaskKind.VERIFY, f"workspace:{delivered.workspace.pk}", "person:1")
    entries = AuditEntry.objects.of(delivered.workspace).count()
    doing.do_next("a worker")
    asked.refresh_from_db()
    assert asked.result["holds"] is True and asked.result["entries"] == entries == asked.total
    assert AuditEntry.objects.of(delivered.workspace).get(action="verify").actor == "person:1"


def _let_lapse(task: Task) -> None:
    rows = Task.objects.of(task.workspace_id).filter(pk=task.pk)
    rows.update(held_until=datetime(2020, 1, 1, tzinfo=UTC))


def test_both_sides_are_read_as_of_one_instant(database, workspace):
    """Another connection writes meanwhile; the reader sees nothing of it, and the writer need not wait."""
    import threading

    from django.db import connection

    def write() -> None:
        type(workspace).objects.create(name="late", created_at=clock.now())
        connection.close()

    rows = type(workspace).objects
    with one_instant():
        before = rows.count()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(5)
        assert not writer.is_alive()
        assert rows.count() == before
    assert rows.count() == before + 1


def test_the_age_of_a_difference_counts_from_its_posting(delivered):
    stored = results.compute(delivered.integration)
    line = next(row for row in pages.differences(stored).rows if row.number == "TF-90")
    assert isinstance(line.date, date) and line.age == (stored.made_at.date() - line.date).days >= 0

"""The audit trail is kept for the years that were set, holds stop it, and what is left still proves itself (R70)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.db import connection

from ml_connector import audit, clock, vault
from ml_connector.audit import cutting
from ml_connector.audit.checkpoints import checkpoint
from ml_connector.audit.models import AuditEntry, Checkpoint, Cut
from ml_connector.audit.verify import verify
from ml_connector.jobs import upkeep
from ml_connector.sync import holds, packs, problems, retention, trail_retention
from ml_connector.sync.models import Approval, Problem, ProblemRecord, Record, RunKind
from ml_connector.sync.queries.problem_page import problem_view
from ml_connector.sync.queries.story import story
from ml_connector.sync.retention import FOR_EVER, YearsRefused
from ml_connector.sync.trail_retention import TrailBroken
from ml_connector.workspaces.models import Workspace

YEARS = timedelta(days=8 * 366)


def key():
    return vault.signing_key()


def public() -> str:
    return key().public_key().public_bytes_raw().hex()


@pytest.fixture
def old(delivered):
    """What was delivered is eight years old, the trail was signed then, and is kept for seven."""
    upkeep.sign_trails()
    retention.set_years(delivered.workspace, "test", trail=7)
    delivered.later(YEARS)
    return delivered


def entries(pair) -> int:
    return AuditEntry.objects.of(pair.workspace).count()


def test_the_trail_is_kept_for_ever_unless_years_are_set(delivered):  # R70
    upkeep.sign_trails()
    delivered.later(timedelta(days=90 * 366))
    before = entries(delivered)
    assert delivered.workspace.audit_years == FOR_EVER
    assert trail_retention.preview(delivered.workspace).removal.count == 0
    assert trail_retention.remove(delivered.workspace, "worker").count == 0
    assert entries(delivered) == before


def test_what_is_older_than_the_years_goes_and_the_rest_holds(old):  # R67, R70
    signed = Checkpoint.objects.of(old.workspace).get()
    foreseen = trail_retention.preview(old.workspace)
    assert foreseen.removal.count == signed.sequence > 50 and foreseen.held_by is None
    assert not Cut.objects.of(old.workspace).exists()
    removal = trail_retention.remove(old.workspace, "worker")
    assert (removal.count, removal.oldest, removal.newest) == (
        foreseen.removal.count,
        foreseen.removal.oldest,
        foreseen.removal.newest,
    )
    assert AuditEntry.objects.of(old.workspace).order_by("sequence")[0].sequence == signed.sequence + 1
    verdict = verify(old.workspace, public_key=public())
    assert verdict.holds and verdict.begins == signed.sequence + 1
    assert f"Entries 1 to {signed.sequence} were removed by retention" in verdict.text
    told = AuditEntry.objects.of(old.workspace).get(action="cut")
    assert told.actor == "worker" and msgspec.json.decode(told.detail)["years"] == 7
    assert trail_retention.preview(old.workspace).removal.count == 0
    assert trail_retention.remove(old.workspace, "worker").count == 0
    old.sync()
    assert verify(old.workspace, public_key=public()).holds


def test_nothing_younger_goes(old):  # R70
    retention.set_years(old.workspace, "test", trail=9)
    assert trail_retention.preview(old.workspace).removal.count == 0
    assert trail_retention.remove(old.workspace, "worker").count == 0
    assert not Cut.objects.of(old.workspace).exists()


def test_a_worker_cuts_and_signs_every_day(old):  # R67, R70
    signed = Checkpoint.objects.of(old.workspace).get()
    upkeep.remove_old()
    upkeep.sign_trails()
    assert Cut.objects.of(old.workspace).get().sequence == signed.sequence
    assert Checkpoint.objects.of(old.workspace).count() == 2
    assert verify(old.workspace, public_key=public()).holds


def test_a_long_trail_goes_in_parts(old, monkeypatch):  # R70
    monkeypatch.setattr(trail_retention, "AT_MOST", 10)
    monkeypatch.setattr(cutting, "PART", 7)
    first = Checkpoint.objects.of(old.workspace).get().sequence
    clock.hold(clock.now() - timedelta(days=366))
    for number in range(25):
        audit.note(old.workspace, "worker", "decision", f"record:{number}")
        if number % 4 == 0:
            checkpoint(old.workspace, key(), "worker")
    clock.hold(clock.now() + timedelta(days=10 * 366))
    foreseen = trail_retention.preview(old.workspace).removal
    removal = trail_retention.remove(old.workspace, "worker")
    cuts = list(Cut.objects.of(old.workspace).order_by("sequence"))
    assert cuts[0].sequence == first and len(cuts) > 3
    assert all(row.sequence - row.since <= 10 for row in cuts[1:])
    assert removal.count == foreseen.count == cuts[-1].sequence
    assert verify(old.workspace, public_key=public()).holds


# --- holds


def held_from(pair) -> int | None:
    return trail_retention.preview(pair.workspace).held_by


def test_a_hold_on_everything_keeps_the_whole_trail(old):  # R70
    hold = holds.hold_workspace(old.workspace, "Case 4711", "test")
    foreseen = trail_retention.preview(old.workspace)
    assert (foreseen.removal.count, foreseen.held_by) == (0, 1)
    assert foreseen.removal.held == Checkpoint.objects.of(old.workspace).order_by("sequence")[0].sequence
    assert trail_retention.remove(old.workspace, "worker").count == 0
    holds.lift(old.workspace, hold.pk, "over", "test")
    assert trail_retention.remove(old.workspace, "worker").count > 0


@pytest.mark.parametrize("on", ["record", "supplier"])
def test_a_hold_stops_the_removal_before_the_first_entry_it_covers(old, on):  # R70
    """Another checkpoint lies before the first entry about ELC-1001."""
    record = old.record("ELC-1001")
    if on == "record":
        holds.hold_record(old.workspace, record.pk, "Case 4711", "test")
    else:
        holds.hold_supplier(old.integration, "ELC001", "Case 4711", "test")
    rows = Record.objects.of(old.workspace).select_related("flow__integration")
    ids = [row.pk for row in rows if row == record or (on == "supplier" and holds.supplier_of(row) == "ELC001")]
    assert len(ids) == 1 if on == "record" else len(ids) > 2
    held = Problem.objects.of(old.workspace).filter(holds__record__in=ids).values_list("pk", flat=True)
    subjects = [f"record:{pk}" for pk in ids] + [f"problem:{pk}" for pk in held]
    about = AuditEntry.objects.of(old.workspace).filter(subject__in=subjects).order_by("sequence")
    first = about[0].sequence
    assert held_from(old) == first == trail_retention.first_held(old.workspace)
    foreseen = trail_retention.preview(old.workspace).removal
    assert foreseen.count == 0 and foreseen.held == Checkpoint.objects.of(old.workspace).get().sequence
    assert trail_retention.remove(old.workspace, "worker").count == 0
    assert about.count() == len(about) > 0


def test_a_hold_lets_go_what_lies_before_a_checkpoint_before_it(mapped):  # R70
    upkeep.sign_trails()
    before = Checkpoint.objects.of(mapped.workspace).get().sequence
    mapped.sync()
    upkeep.sign_trails()
    retention.set_years(mapped.workspace, "test", trail=7)
    mapped.later(YEARS)
    holds.hold_record(mapped.workspace, mapped.record("ELC-1001").pk, "Case 4711", "test")
    foreseen = trail_retention.preview(mapped.workspace)
    assert foreseen.removal.count == before and foreseen.removal.held > 0
    assert foreseen.held_by is not None and foreseen.held_by > before
    assert trail_retention.remove(mapped.workspace, "worker").count == before
    assert AuditEntry.objects.of(mapped.workspace).order_by("sequence")[0].sequence == before + 1
    assert verify(mapped.workspace, public_key=public()).holds


def test_the_entry_that_set_a_hold_stays_as_long_as_it_is_in_force(old):  # R70
    """Nothing about the record is left; the hold on it is."""
    trail_retention.remove(old.workspace, "worker")
    record = old.record("ELC-1001")
    hold = holds.hold_supplier(old.integration, "ELC001", "Case 4711", "test")
    checkpoint(old.workspace, key(), "worker")
    told = AuditEntry.objects.of(old.workspace).get(action="hold")
    old.later(YEARS)
    assert not AuditEntry.objects.of(old.workspace).filter(subject=f"record:{record.pk}").exists()
    assert held_from(old) == told.sequence
    holds.lift(old.workspace, hold.pk, "over", "test")
    assert held_from(old) is None and trail_retention.remove(old.workspace, "worker").count > 0


def test_problems_and_approvals_of_a_held_record_are_covered_too(delivered):  # R70
    held = ProblemRecord.objects.of(delivered.workspace).filter(problem__state="open")[0]
    problem = Problem.objects.of(delivered.workspace).get(pk=held.problem_id)
    problems.solve(problem, "write_off", "Not ours.", actor="test")
    asked = Approval.objects.of(delivered.workspace).get()
    holds.hold_record(delivered.workspace, held.record_id, "Case 4711", "test")
    seen = AuditEntry.objects.of(delivered.workspace).order_by("sequence")
    for subject in (f"record:{held.record_id}", f"problem:{problem.pk}", f"approval:{asked.pk}"):
        entry = seen.filter(subject=subject)[0].sequence
        found = trail_retention.first_held(delivered.workspace, entry - 1)
        assert found == entry, subject


def test_what_is_decided_while_it_is_verified_counts(old, monkeypatch):  # R70
    checked = cutting.check

    def hold_meanwhile(workspace, found, public_key):
        checked(workspace, found, public_key)
        holds.hold_workspace(workspace, "Case 4711", "test")

    monkeypatch.setattr(cutting, "check", hold_meanwhile)
    assert trail_retention.remove(old.workspace, "worker").count == 0
    assert not Cut.objects.of(old.workspace).exists()


def test_two_workers_that_cut_at_once_cut_once(old, monkeypatch):  # R70
    checked, removed = cutting.check, []

    def another_worker(workspace, found, public_key):
        checked(workspace, found, public_key)
        monkeypatch.setattr(cutting, "check", checked)
        removed.append(trail_retention.remove(workspace, "worker").count)

    monkeypatch.setattr(cutting, "check", another_worker)
    assert trail_retention.remove(old.workspace, "worker").count == 0
    assert removed == [Cut.objects.of(old.workspace).get().sequence]
    assert AuditEntry.objects.of(old.workspace).filter(action="cut").count() == 1
    assert verify(old.workspace, public_key=public()).holds


def test_longer_years_that_are_set_while_it_is_verified_count(old, monkeypatch):  # R70
    checked = cutting.check

    def longer_meanwhile(workspace, found, public_key):
        checked(workspace, found, public_key)
        retention.set_years(Workspace.objects.get(pk=workspace.pk), "test", trail=FOR_EVER)

    monkeypatch.setattr(cutting, "check", longer_meanwhile)
    assert trail_retention.remove(old.workspace, "worker").count == 0


# --- what is left


def test_a_broken_trail_is_not_cut(old, caplog):  # R67, R70
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER audit_auditentry_UPDATE")
        cursor.execute("UPDATE audit_auditentry SET actor = 'someone' WHERE sequence = 5")
    with pytest.raises(TrailBroken, match="Entry 5 was changed"):
        trail_retention.remove(old.workspace, "worker")
    with caplog.at_level(logging.ERROR):
        upkeep.remove_old()
    assert "Entry 5 was changed" in caplog.text
    assert not Cut.objects.of(old.workspace).exists()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_auditentry SET actor = 'worker' WHERE sequence = 5")


def test_a_record_whose_entries_went_says_so_and_is_not_sent_again(old):  # R70, R76
    record, problem = old.record("ELC-1001"), Problem.objects.of(old.workspace).first()
    before = story(old.workspace, record.pk)
    assert all(event.what != "removed by age" for event in before.events)
    bills = len(old.bills())
    trail_retention.remove(old.workspace, "worker")
    cut = Cut.objects.of(old.workspace).get()
    events = story(old.workspace, record.pk).events
    assert [event.what for event in events] == ["read", "removed by age"] and events[1].at == cut.newest
    assert problem_view(old.workspace, problem.pk).story[0].what == "what the trail told until then was removed by age"
    old.sync()
    for flow in ("suppliers", "invoices"):
        old.run(flow, RunKind.SWEEP)
        old.run(flow, RunKind.PUSH)
    assert len(old.bills()) == bills
    old.check()


def test_the_hash_of_a_pack_outlives_the_entry_that_froze_it(delivered):  # R36, R70
    clock.hold(datetime(2026, 12, 1, 9, tzinfo=UTC))
    delivered.later(timedelta(days=1))
    delivered.sync()
    pack = packs.freeze(delivered.integration, "2026-11", "test")
    content = packs.file_of(pack)
    upkeep.sign_trails()
    retention.set_years(delivered.workspace, "test", trail=7)
    for _ in range(2):
        delivered.later(YEARS)
        assert trail_retention.remove(delivered.workspace, "worker").count > 0
        upkeep.sign_trails()
        assert packs.file_of(pack) == content
        (told,) = AuditEntry.objects.of(delivered.workspace).filter(subject=f"pack:{pack.pk}")
        assert told.action == "pack_hash" and msgspec.json.decode(told.detail)["hash"] == pack.hash
    assert verify(delivered.workspace, public_key=public()).holds


# --- the setting


def test_the_trail_is_kept_as_long_as_what_it_proves(delivered):  # R70
    workspace = delivered.workspace
    for years in (6, 100, -1):
        with pytest.raises(YearsRefused):
            retention.set_years(workspace, "test", trail=years)
    retention.set_years(workspace, "test", trail=7)
    with pytest.raises(YearsRefused, match="kept for 10 years: keep it for 10 years or more, or for ever"):
        retention.set_years(workspace, "test", documents=10)
    workspace.refresh_from_db()
    assert retention.years_of(workspace) == {"documents": 7, "wire": 7, "audit": 7}
    retention.set_years(workspace, "test", documents=10, trail=12)
    retention.set_years(workspace, "test", trail=FOR_EVER)
    said = [
        msgspec.json.decode(entry.detail)
        for entry in AuditEntry.objects.of(workspace).filter(action="retention_set").order_by("sequence")
    ]
    assert [(one["was"]["audit"], one["now"]["audit"]) for one in said] == [(0, 7), (7, 12), (12, 0)]

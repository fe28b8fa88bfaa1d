"""What is older than it is kept is removed, and what was sent is never sent again (R70)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.domain.records import Invoice
from ml_connector.integrations.base import Side
from ml_connector.jobs import upkeep
from ml_connector.sync import holds, problems, retention
from ml_connector.sync.deliver import NOT_KEPT, last_sent
from ml_connector.sync.holds import HoldRefused
from ml_connector.sync.models import Attempt, Exchange, Link, Record, RunKind, State, TargetEntry
from ml_connector.sync.queries.record_page import record_view
from ml_connector.sync.replay import replay
from ml_connector.sync.retention import YearsRefused
from ml_connector.sync.tieout import tie_out
from ml_connector.workspaces.models import Workspace
from tests.sync import acts

YEARS = timedelta(days=8 * 366)


def pay(pair, number: str, amount: str) -> None:
    """The invoice is paid by a cheque in SYSPRO, which somebody has looked into."""
    supplier = acts.header(pair, number)["Supplier"]
    pair.syspro.edit(
        "actions", {"do": "manual_cheque", "supplier": supplier, "invoice": number, "amount": Decimal(amount)}
    )
    pair.sync()
    for problem in problems.Problem.objects.of(pair.workspace).filter(cause="paid_elsewhere", state="open"):
        if number in problem.text:
            problems.solve(problem, "accept", "Paid by cheque in both.", actor="test")


@pytest.fixture
def settled(delivered):
    """ELC-1001 is delivered, and paid in the source; its supplier's other documents are open."""
    gross = msgspec.json.decode(delivered.record("ELC-1001").observed)["open"]
    pay(delivered, "ELC-1001", gross)
    assert msgspec.json.decode(delivered.record("ELC-1001").observed)["open"] in {"0", "0.00"}
    return delivered


def sweep(pair) -> None:
    for flow in pair.flows:
        if flow.name in {"suppliers", "invoices", "credit_notes"}:
            pair.run(flow.name, RunKind.SWEEP)
            pair.run(flow.name, RunKind.PUSH)


def test_a_removed_document_is_never_sent_again(settled):  # R70, R76
    settled.later(YEARS)
    ever, links = Record.objects.of(settled.workspace).count(), Link.objects.of(settled.workspace).count()
    before = settled.record("ELC-1001")
    report = retention.remove(settled.workspace, "worker")
    record = settled.record("ELC-1001")
    assert report.documents.count >= 1 and record.erased_at == clock.now()
    kept = Invoice.from_payload(bytes(record.payload))
    assert kept.lines == () and kept.memo is None and kept.gross == Invoice.from_payload(bytes(before.payload)).gross
    assert (record.hash, record.sent_hash, record.state) == (before.hash, before.sent_hash, State.CONFIRMED)
    attempts = Attempt.objects.of(settled.workspace).filter(record=record)
    assert {bytes(row.request) for row in attempts} == {b""}
    assert all(len(bytes(row.request_hash)) == 32 for row in attempts)
    assert not Exchange.objects.of(settled.workspace).exists()
    entry = TargetEntry.objects.of(settled.workspace).get(key=attempts.first().target_key, type="invoice")
    assert Invoice.from_payload(bytes(entry.payload)).lines == ()
    writes = settled.writes(Side.PLATFORM)
    settled.sync()
    sweep(settled)
    assert settled.writes(Side.PLATFORM) == writes
    assert len(settled.bills("ELC-1001")) == 1
    record.refresh_from_db()
    assert record.erased_at is not None and record.state == State.CONFIRMED
    assert (Record.objects.of(settled.workspace).count(), Link.objects.of(settled.workspace).count()) == (ever, links)
    settled.check()


def test_what_is_open_or_young_or_in_trouble_stays(settled):  # R70
    settled.later(timedelta(days=6 * 366))
    assert retention.preview(settled.workspace).documents.count == 0
    settled.later(YEARS)
    retention.remove(settled.workspace, "worker")
    for record in Record.objects.of(settled.workspace).exclude(erased_at=None):
        assert record.state in retention.FINAL
    kept = settled.record("ELC-1004")
    assert msgspec.json.decode(kept.observed)["open"] != "0" and kept.erased_at is None
    blocked = Record.objects.of(settled.workspace).filter(state=State.BLOCKED)
    assert blocked.exists() and not blocked.exclude(erased_at=None).exists()
    suppliers = Record.objects.of(settled.workspace).filter(flow__name="suppliers")
    assert suppliers.exists() and not suppliers.exclude(erased_at=None).exists()


def test_a_removal_counts_from_the_last_change_of_the_document(settled):  # R70
    settled.later(timedelta(days=5 * 366))
    acts.correct(settled, "debit", "ELC-1001", "10.00")
    sweep(settled)
    assert settled.record("ELC-1001").renewed_at == clock.now()
    pay(settled, "ELC-1001", "10.00")
    settled.later(timedelta(days=4 * 366))
    assert settled.record("ELC-1001").staged_at < retention.years_ago(7)
    retention.remove(settled.workspace, "worker")
    assert settled.record("ELC-1001").erased_at is None
    settled.later(timedelta(days=4 * 366))
    retention.remove(settled.workspace, "worker")
    assert settled.record("ELC-1001").erased_at is not None


def test_what_is_removed_was_foreseen_and_stands_in_the_trail(settled):  # R70
    settled.later(YEARS)
    foreseen = retention.preview(settled.workspace)
    assert not Record.objects.of(settled.workspace).exclude(erased_at=None).exists()
    upkeep.remove_old()
    assert Record.objects.of(settled.workspace).exclude(erased_at=None).count() == foreseen.documents.count > 0
    entries = AuditEntry.objects.of(settled.workspace).filter(action="retention")
    noted = {(facts := msgspec.json.decode(row.detail))["what"]: facts for row in entries}
    assert noted["documents"]["count"] == foreseen.documents.count
    assert noted["wire"]["count"] == foreseen.wire.count > 0
    assert noted["documents"]["oldest"].startswith("2026-11")
    again = retention.remove(settled.workspace, "worker")
    assert (again.documents.count, again.wire.count) == (0, 0) and entries.count() == len(noted)


def test_another_version_from_the_source_brings_the_content_back(settled):  # R70
    settled.later(YEARS)
    retention.remove(settled.workspace, "worker")
    assert last_sent(settled.flow("invoices"), settled.record("ELC-1001")) == (NOT_KEPT,)
    acts.correct(settled, "debit", "ELC-1001", "10.00")
    sweep(settled)
    record = settled.record("ELC-1001")
    assert record.erased_at is None and Invoice.from_payload(bytes(record.payload)).lines
    assert len(settled.bills("ELC-1001")) == 1


def test_the_record_says_that_its_content_is_gone(settled):  # R70
    settled.later(YEARS)
    record = settled.record("ELC-1001")
    retention.remove(settled.workspace, "worker")
    view = record_view(settled.workspace, record.pk)
    assert view is not None and view.story.record.erased_at == clock.now()
    assert view.story.record.amount is not None and all(row.request == "" for row in view.attempts)
    Record.objects.of(settled.workspace).filter(pk=record.pk).update(state=State.WRITTEN_OFF)
    said = replay(settled.workspace, [record.pk], "test")[record.pk]
    assert "was removed on" in said and settled.record("ELC-1001").state == State.WRITTEN_OFF


def test_the_tie_out_says_the_same_before_and_after(settled):  # R70
    settled.later(YEARS)
    settled.sync()
    before = tie_out(settled.integration)
    assert retention.remove(settled.workspace, "worker").documents.count > 0
    after = tie_out(settled.integration)
    assert after.totals == before.totals and after.unexplained == before.unexplained


@pytest.mark.parametrize("on", ["record", "supplier", "workspace"])
def test_nothing_held_is_removed(settled, on):  # R70
    workspace = settled.workspace
    record = settled.record("ELC-1001")
    hold = {
        "record": lambda: holds.hold_record(workspace, record.pk, "Lawsuit 7", "test"),
        "supplier": lambda: holds.hold_supplier(settled.integration, "ELC001", "Lawsuit 7", "test"),
        "workspace": lambda: holds.hold_workspace(workspace, "Lawsuit 7", "test"),
    }[on]()
    assert [row.pk for row in holds.covering(record)] == [hold.pk]
    settled.later(YEARS)
    foreseen = retention.preview(workspace)
    retention.remove(workspace, "worker")
    assert foreseen.documents.held >= 1 and foreseen.wire.held >= 1
    assert settled.record("ELC-1001").erased_at is None
    assert Exchange.objects.of(workspace).filter(attempt__record=record).exists() or on != "workspace"
    assert {bytes(row.request) for row in Attempt.objects.of(workspace).filter(record=record)} != {b""}
    with pytest.raises(HoldRefused, match="needs a reason"):
        holds.lift(workspace, hold.pk, " ", "test")
    holds.lift(workspace, hold.pk, "Settled", "test")
    retention.remove(workspace, "worker")
    assert settled.record("ELC-1001").erased_at is not None
    actions = AuditEntry.objects.of(workspace).filter(action__in=["hold", "hold_lifted"]).order_by("sequence")
    assert [row.action for row in actions] == ["hold", "hold_lifted"] and "Lawsuit 7" in actions[0].detail


def test_holds_need_a_reason_and_something_to_be_on(delivered):  # R70
    record = delivered.record("ELC-1001")
    with pytest.raises(HoldRefused, match="needs a reason"):
        holds.hold_record(delivered.workspace, record.pk, "", "test")
    with pytest.raises(HoldRefused, match="no supplier with the key NOBODY"):
        holds.hold_supplier(delivered.integration, "NOBODY", "x", "test")
    with pytest.raises(HoldRefused, match="no record 999999"):
        holds.hold_record(delivered.workspace, 999999, "x", "test")
    first = holds.hold_workspace(delivered.workspace, "x", "test")
    with pytest.raises(HoldRefused, match=f"Hold {first.pk} is on the whole workspace already"):
        holds.hold_workspace(delivered.workspace, "y", "test")


def test_years_are_set_per_class_and_have_a_floor(delivered):  # R70
    workspace = delivered.workspace
    assert (workspace.document_years, workspace.wire_years) == (7, 7)
    for years in (0, -1, 100):
        with pytest.raises(YearsRefused):
            retention.set_years(workspace, "test", documents=years)
    retention.set_years(workspace, "test", wire=1)
    workspace.refresh_from_db()
    assert (workspace.document_years, workspace.wire_years) == (7, 1)
    delivered.later(timedelta(days=400))
    report = retention.remove(workspace, "worker")
    assert report.documents.count == 0 and report.wire.count > 0
    entry = AuditEntry.objects.of(workspace).get(action="retention_set")
    assert msgspec.json.decode(entry.detail) == {
        "was": {"documents": 7, "wire": 7, "audit": 0},
        "now": {"documents": 7, "wire": 1, "audit": 0},
    }


def test_a_leap_day_is_one_day_earlier_in_other_years():
    clock.hold(datetime(2028, 2, 29, 12, tzinfo=UTC))
    try:
        assert retention.years_ago(7) == datetime(2021, 2, 28, 12, tzinfo=UTC)
        assert retention.years_ago(4) == datetime(2024, 2, 29, 12, tzinfo=UTC)
    finally:
        clock.hold(None)


def test_a_payload_of_an_older_shape_is_removed_too(settled):  # R70
    settled.later(YEARS)
    old = b'{"number":"ELC-1001","memo":"secret plans"}'
    Record.objects.of(settled.workspace).filter(number="ELC-1001").update(payload=old)
    retention.remove(settled.workspace, "worker")
    record = settled.record("ELC-1001")
    assert record.erased_at is not None and b"secret" not in bytes(record.payload)


def test_what_fails_in_one_workspace_does_not_keep_anothers(settled, caplog):  # R70, R74
    broken = Workspace.objects.create(name="aaa", created_at=clock.now(), document_years=9000)
    settled.later(YEARS)
    upkeep.remove_old()
    assert f"workspace {broken.name} could not be removed" in caplog.text
    assert settled.record("ELC-1001").erased_at is not None

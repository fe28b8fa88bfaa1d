"""Lists and stories: what they say of Records, Problems and Flows, and that they stay within a Workspace."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ml_connector import clock
from ml_connector.domain.money import to_units
from ml_connector.sync import control, queries
from ml_connector.sync.models import (
    Connection,
    Flow,
    Health,
    Integration,
    Link,
    Problem,
    ProblemRecord,
    Record,
    RunKind,
    State,
)
from ml_connector.workspaces.models import Workspace


def pair(workspace: Workspace) -> Flow:
    """A Workspace's Integration with the Flow of its invoices."""
    erp, bill = (
        Connection.objects.create(workspace=workspace, name=name, system=system, credential=f"{workspace.name} {name}")
        for name, system in (("erp", "syspro"), ("bill", "bill"))
    )
    integration = Integration.objects.create(
        workspace=workspace, name="payables", kind="syspro-bill", erp=erp, platform=bill
    )
    return Flow.objects.create(
        workspace=workspace, integration=integration, name="invoices", position=3, every=600, cursor={"since": "x"}
    )


@pytest.fixture
def flow(workspace: Workspace) -> Flow:
    return pair(workspace)


def invoice(flow: Flow, number: str, amount: str = "10.00", **values: Any) -> Record:
    return Record.objects.create(
        **{
            "workspace": flow.workspace,
            "flow": flow,
            "key": f"SUP/{number}",
            "hash": b"h" * 32,
            "payload": b'{"number":"x","tax_id":"12-3456789","lines":[]}',
            "number": number,
            "natural_key": f"SUP|{number.replace('-', '')}|invoice",
            "amount": to_units(Decimal(amount)),
            "currency": "USD",
            "state": State.BLOCKED,
            "staged_at": clock.now(),
            **values,
        }
    )


def problem(flow: Flow, *records: Record, **values: Any) -> Problem:
    made = Problem.objects.create(
        **{
            "workspace": flow.workspace,
            "integration": flow.integration,
            "flow": flow,
            "cause": "unmapped_code",
            "subject": f"gl_account:{Problem.objects.across_workspaces().count()}",
            "text": "GL account 6120 has no BILL account.",
            "fix": "Map it.",
            "blocks": True,
            "opened_at": clock.now(),
            **values,
        }
    )
    for record in records:
        ProblemRecord.objects.create(workspace=flow.workspace, problem=made, record=record)
    return made


def test_a_problem_adds_up_what_it_holds_by_currency(flow: Flow) -> None:
    first = invoice(flow, "A-1", "100.25", due_date=date(2026, 12, 1))
    second = invoice(flow, "A-2", "0.75", due_date=date(2026, 11, 20))
    yen = invoice(flow, "A-3", "5000", currency="JPY")
    problem(flow, first, second, yen)
    (row,) = queries.problem_rows(flow.workspace)
    assert (row.records, row.amount) == (3, {"JPY": Decimal("5000"), "USD": Decimal("101.00")})
    assert row.earliest_due_date == date(2026, 11, 20)


def test_problems_that_hold_documents_come_first_and_by_what_is_due(flow: Flow) -> None:
    reports = problem(flow, blocks=False)
    late = problem(flow, invoice(flow, "A-1", due_date=date(2026, 12, 1)))
    early = problem(flow, invoice(flow, "A-2", due_date=date(2026, 11, 20)))
    assert [row.id for row in queries.problem_rows(flow.workspace)] == [early.pk, late.pk, reports.pk]


def test_solved_problems_are_listed_only_when_asked_for(flow: Flow) -> None:
    problem(flow, state="solved")
    assert queries.problem_rows(flow.workspace) == []
    assert len(queries.problem_rows(flow.workspace, state=None)) == 1


def test_a_record_names_the_problem_that_blocks_it_before_one_that_reports(flow: Flow) -> None:
    record = invoice(flow, "A-1")
    problem(flow, record, blocks=False, cause="near_duplicate")
    blocking = problem(flow, record)
    (row,) = queries.record_rows(flow.workspace)
    assert row.problem == blocking.pk
    assert [held.cause for held in row.problems] == ["unmapped_code", "near_duplicate"]


def test_a_record_names_its_key_in_the_target(flow: Flow) -> None:
    invoice(flow, "A-1", state=State.CONFIRMED)
    Link.objects.create(
        workspace=flow.workspace, integration=flow.integration, type="invoice", source_key="SUP/A-1",
        target_key="00n1", made_by="delivered", made_at=clock.now(),
    )  # fmt: skip
    (row,) = queries.record_rows(flow.workspace, search="00n1")
    assert (row.target_key, row.type) == ("00n1", "invoice")


def test_lists_are_read_in_batches_and_stop_at_a_limit(flow: Flow) -> None:
    for number in range(7):
        invoice(flow, f"A-{number}")
    assert [row.number for row in queries.record_rows(flow.workspace, limit=3)] == ["A-0", "A-1", "A-2"]
    assert len(list(queries.record_rows(flow.workspace))) == 7
    assert queries.count_records(flow.workspace, search="a-3") == 1


def test_another_workspace_is_never_seen(flow: Flow) -> None:
    other = pair(Workspace.objects.create(name="beta", created_at=clock.now()))
    record = invoice(other, "B-1")
    held = problem(other, record)
    assert list(queries.record_rows(flow.workspace)) == []
    assert queries.problem_rows(flow.workspace) == []
    assert queries.story(flow.workspace, record.pk) is None
    assert queries.one_problem(flow.workspace, held.pk) is None
    assert queries.status(flow.workspace, []).invariant.total == 0


def test_a_story_begins_with_the_reading_and_masks_the_tax_id(flow: Flow) -> None:
    told = queries.story(flow.workspace, invoice(flow, "A-1").pk)
    assert told is not None
    assert [event.what for event in told.events] == ["read"]
    assert told.source["tax_id"] == "(hidden)"


def test_the_invariant_names_the_flow_that_does_not_add_up(flow: Flow) -> None:
    invoice(flow, "A-1")
    flow.records_ever = 3
    flow.save()
    found = queries.status(flow.workspace, ["host:1"]).invariant
    assert (found.holds, found.ever_staged, found.total) == (False, 3, 1)
    assert found.text == "payables.invoices: 3 were staged, the states add up to 1."


def test_a_paused_flow_has_no_next_run(flow: Flow) -> None:
    flow.next_pull_at, flow.paused = clock.now(), True
    flow.save()
    (row,) = queries.status(flow.workspace, []).flows
    assert (row.next_run, row.paused, row.cursor) == (None, True, {"since": "x"})


# --- control


def test_waiting_for_a_worker_ends_with_the_runs_that_were_asked_for(flow: Flow) -> None:
    since = clock.now()
    assert control.unfinished([flow], [RunKind.PULL], since) == ["invoices"]
    Connection.objects.across_workspaces().filter(name="erp").update(health=Health.CIRCUIT_OPEN)
    assert control.unfinished([flow], [RunKind.PULL], since) == []


def test_reading_again_never_leaves_a_gap(flow: Flow) -> None:
    flow.last_success_at = clock.now() - timedelta(days=10)
    flow.save()
    control.read_again(flow, clock.now().date(), "os:test")
    assert flow.cursor == {"since": "x"}
    control.read_again(flow, clock.now().date() - timedelta(days=30), "os:test")
    assert flow.cursor is None
    assert flow.backfill_from == clock.now().date() - timedelta(days=30)


def test_work_that_waits_for_a_person_is_not_waited_for(flow: Flow) -> None:
    later = clock.now() + timedelta(minutes=5)
    invoice(flow, "A-1", state=State.IN_DOUBT, next_attempt_at=later)
    assert control.next_work([flow]) == later
    invoice(flow, "A-2", state=State.READY)
    due = control.next_work([flow])
    assert due is not None
    assert due <= clock.now()
    Connection.objects.across_workspaces().filter(name="bill").update(health=Health.CIRCUIT_OPEN)
    assert control.next_work([flow]) is None

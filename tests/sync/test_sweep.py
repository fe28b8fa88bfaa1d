"""The sweep, an empty source and a source of another shape (R17 to R20)."""

from __future__ import annotations

import pytest

from ml_connector.sync.models import Flow, Record, RunKind, RunState
from tests.sync.acts import causes, change, header, post, problem, remove, supplier, vendor
from tests.sync.pair import Pair

PULL, PUSH, SWEEP = RunKind.PULL, RunKind.PUSH, RunKind.SWEEP


def gone(pair: Pair) -> list[str]:
    return list(Record.objects.of(pair.workspace).filter(gone=True).values_list("number", flat=True))


def test_the_sweep_finds_an_edit_without_a_stamp(delivered):  # R17
    delivered.later(days=20)
    post(delivered, "DEC-1")
    delivered.sync("invoices")
    change(delivered, "ELC-1001", DueDate="2027-01-15")
    assert delivered.run("invoices", PULL).counts["changed"] == 0
    assert delivered.run("invoices", SWEEP).counts["changed"] == 1
    assert delivered.flow("invoices").found_only_by_sweep == 1
    delivered.run("invoices", PUSH)
    assert delivered.bills("ELC-1001")[0]["dueDate"] == "2027-01-15"
    assert delivered.run("invoices", SWEEP).counts["changed"] == 0


@pytest.mark.parametrize("what", [{"do": "status", "status": 500}, {"do": "truncate"}, {"do": "reset"}], ids=str)
def test_a_sweep_that_breaks_marks_nothing_gone(delivered, what):  # R18
    row = header(delivered, "ELC-1004")
    remove(delivered, "ApInvoice", row)
    delivered.syspro.faults([{"match": {"path": "*/apinvoice", "contains": "Supplier,Invoice,JournalDate&"}, **what}])
    run = delivered.run("invoices", SWEEP)
    assert run.state == RunState.FAILED
    assert delivered.syspro.faults()[0]["fired"] >= 1
    assert gone(delivered) == []
    assert "sweep_missing" not in causes(delivered)
    assert delivered.flow("invoices").last_swept_at is None


def test_a_complete_sweep_reports_what_is_gone_until_it_is_back(delivered):  # R18
    row = header(delivered, "ELC-1004")
    remove(delivered, "ApInvoice", row)
    assert delivered.run("invoices", SWEEP).counts["missing"] == 1
    assert gone(delivered) == ["ELC-1004"]
    reported = problem(delivered, "sweep_missing")
    assert "ELC-1004" in reported.text
    assert not reported.blocks
    assert delivered.record("ELC-1004").state == "confirmed"
    delivered.run("invoices", PUSH)
    assert delivered.bills("ELC-1004")[0]["archived"] is False

    delivered.syspro.edit("ApInvoice", row)
    delivered.run("invoices", SWEEP)
    delivered.run("invoices", PUSH)
    assert gone(delivered) == []
    assert "sweep_missing" not in causes(delivered)
    assert delivered.record("ELC-1004").state == "confirmed"


def test_an_unsent_document_that_is_gone_is_skipped(delivered):  # R18
    remove(delivered, "ApInvoice", header(delivered, "HU-2201"))
    delivered.run("invoices", SWEEP)
    assert delivered.record("HU-2201").state == "skipped"
    assert "unmapped_code" not in causes(delivered)


def test_a_supplier_that_is_gone_is_archived_where_the_policy_says_so_and_restored_when_it_is_back(mapped):  # R18, R46
    Flow.objects.of(mapped.workspace).filter(name="suppliers").update(policies={"supplier_gone": "archive"})
    row = next(row for row in mapped.syspro.state("ApSupplier") if row["Supplier"] == "PAK003")
    remove(mapped, "ApSupplier", row)
    mapped.sync("suppliers")
    assert vendor(mapped, "PAK003")["archived"] is False, "only a sweep says that something is gone"
    mapped.run("suppliers", SWEEP)
    mapped.run("suppliers", PUSH)
    assert vendor(mapped, "PAK003")["archived"] is True
    assert mapped.record("PAK003").state == "confirmed"

    mapped.syspro.edit("ApSupplier", row)
    mapped.sync("suppliers")
    assert vendor(mapped, "PAK003")["archived"] is False


@pytest.mark.parametrize(
    ("flow", "kind", "table"),
    [("suppliers", PULL, "ApSupplier"), ("invoices", SWEEP, "ApInvoice"), ("accounts", PULL, "GenMaster")],
)
def test_nothing_where_there_was_something_is_no_success(delivered, flow, kind, table):  # R19
    rows = delivered.syspro.state(table)
    for row in rows:
        remove(delivered, table, row)
    run = delivered.run(flow, kind)
    assert run.state == RunState.WITH_PROBLEMS
    assert flow in problem(delivered, "source_silent").subject
    assert gone(delivered) == []
    delivered.run(flow, PUSH)
    assert delivered.states("invoices", "credit_notes") == {"confirmed": 9, "blocked": 3}

    delivered.syspro.edit(table, rows)
    assert delivered.run(flow, kind).state == RunState.SUCCEEDED
    assert "source_silent" not in causes(delivered)


@pytest.mark.parametrize(
    "option",
    [{"rename": {"ApInvoice": {"DueDate": "PayBy"}}}, {"hide_columns": {"ApInvoice": ["DueDate"]}}],
    ids=["renamed", "hidden"],
)
@pytest.mark.parametrize("route", ["odata", "comfnd"])
def test_a_column_that_is_gone_stops_its_flow_and_no_other(delivered, option, route):  # R20
    if route == "comfnd":
        delivered.erp.settings["odata_root"] = ""
        delivered.erp.save(update_fields=["settings"])
    post(delivered, "NEXT-1")
    supplier(delivered, "PAK003", Telephone="+1 312 555 0177")
    before = delivered.syspro.options()
    delivered.syspro.options(option)
    runs = {(run.flow.name, run.kind): run for run in delivered.sync("suppliers", "invoices")}
    assert runs["invoices", PULL].state == RunState.FAILED
    stopped = problem(delivered, "source_shape_changed")
    assert "DueDate" in stopped.text
    assert stopped.detail["field"] == "ApInvoice.DueDate"
    assert not Record.objects.of(delivered.workspace).filter(number="NEXT-1").exists()
    assert runs["suppliers", PULL].state == RunState.SUCCEEDED
    assert vendor(delivered, "PAK003")["phone"] == "+1 312 555 0177"

    delivered.syspro.options({name: before[name] for name in option})
    delivered.sync("invoices")
    assert len(delivered.bills("NEXT-1")) == 1
    assert "source_shape_changed" not in causes(delivered)

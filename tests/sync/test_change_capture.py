"""Nothing that changed in the source is missed, and nothing is read twice into effect (R13 to R16)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector import audit
from ml_connector.sync import bulk, leases
from ml_connector.sync.models import Record, RunKind, RunState
from tests.sync.acts import change, header, post, remove
from tests.sync.pair import Pair, base_pair

PULL, PUSH = RunKind.PULL, RunKind.PUSH


def test_a_back_dated_invoice_is_picked_up(delivered):  # R13
    post(delivered, "OLD-1", date="2026-03-31")
    delivered.sync("invoices")
    (bill,) = delivered.bills("OLD-1")
    assert bill["invoice"]["invoiceDate"] == "2026-03-31"


def test_an_edit_later_on_the_same_day_is_picked_up_by_the_next_poll(delivered):  # R14
    post(delivered, "DAY-1")
    delivered.sync("invoices")
    delivered.later(hours=1)
    post(delivered, "DAY-2")
    change(delivered, "DAY-1", DueDate="2026-12-31")
    run = delivered.run("invoices", PULL)
    assert (run.counts["new"], run.counts["changed"]) == (1, 1)
    delivered.run("invoices", PUSH)
    assert delivered.bills("DAY-1")[0]["dueDate"] == "2026-12-31"
    assert len(delivered.bills("DAY-2")) == 1


def test_the_companys_day_counts_not_ours(delivered):  # R14
    delivered.later(hours=17)  # Monday 23:00 in Chicago, Tuesday 05:00 UTC
    post(delivered, "LATE-1")
    delivered.sync("invoices")
    delivered.later(minutes=30)
    post(delivered, "LATE-2")
    delivered.sync("invoices")
    assert len(delivered.bills("LATE-1")) == len(delivered.bills("LATE-2")) == 1


@pytest.fixture(params=[1, 3], ids=["pages of 1", "pages of 3"])
def paged(workspace, request):
    with base_pair(workspace, odata_page_size=request.param) as pair:
        pair.size = request.param
        yield pair


def numbers(pair: Pair) -> list[str]:
    rows = Record.objects.of(pair.workspace).filter(flow__name="invoices")
    return sorted(rows.values_list("number", flat=True))


def test_a_page_that_fails_keeps_what_came_before_and_moves_the_cursor_no_further(paged):  # R15, R19
    paged.syspro.faults([{"match": {"path": "*/apinvoice", "nth": list(range(2, 40))}, "do": "status", "status": 503}])
    run = paged.run("invoices", PULL)
    assert run.state == RunState.FAILED
    assert "503" in run.text
    assert len(numbers(paged)) == paged.size
    cursor = paged.flow("invoices").cursor
    assert cursor["after"], "it stands inside the scan"

    paged.run("invoices", PULL)
    assert paged.flow("invoices").cursor == cursor

    paged.syspro.faults([])
    run = paged.run("invoices", PULL)
    assert (run.state, run.counts["new"]) == (RunState.SUCCEEDED, 11 - paged.size)
    assert len(numbers(paged)) == len(set(numbers(paged))) == 11
    assert paged.adds_up()  # R76


def test_rows_put_in_and_taken_out_between_pages_shift_nothing(paged):  # R16
    for number in range(6):
        post(paged, f"SAME-{number}")
    wanted = {row["Invoice"] for row in paged.syspro.state("ApInvoice")}
    new = pages = 0
    while True:
        run = paged.run("invoices", PULL, seconds=0)
        new += run.counts["new"]
        pages += 1
        if pages == 1:
            remove(paged, "ApInvoice", header(paged, numbers(paged)[0]))
        if pages == 2:
            post(paged, "SAME-0-B")
        if not {"phase", "after"} & paged.flow("invoices").cursor.keys():
            break
        assert pages < 60
    assert set(numbers(paged)) == wanted | {"SAME-0-B"}
    assert new == len(numbers(paged))
    again = paged.run("invoices", PULL)
    assert (again.counts["new"], again.counts["changed"]) == (0, 0)


def test_pages_that_come_fast_share_a_transaction_and_each_has_its_entry(paged):  # R15, R66
    paged.run("invoices", PULL)
    entries = audit.models.AuditEntry.objects.of(paged.workspace).filter(
        action="read_batch", subject=f"flow:{paged.flow('invoices').pk}"
    )
    assert sum(json.loads(entry.detail)["new"] for entry in entries) == 11
    assert len(entries) >= 11 / paged.size
    assert len({entry.transaction for entry in entries}) == 1


def test_what_a_lost_lease_leaves_uncommitted_is_read_again(paged, monkeypatch):  # R9, R15
    stored = bulk.insert

    def second_page_too_late(*given: Any) -> None:
        if Record.objects.of(paged.workspace).filter(flow__name="invoices").exists():
            raise leases.LeaseLost("taken by another")
        stored(*given)

    monkeypatch.setattr(bulk, "insert", second_page_too_late)
    with pytest.raises(leases.LeaseLost):
        paged.run("invoices", PULL)
    assert numbers(paged) == []
    assert paged.flow("invoices").cursor is None

    monkeypatch.undo()
    paged.run("invoices", PULL)
    assert len(numbers(paged)) == 11

"""What a target remarks on a write that took effect: people are told, and nothing is held or sent again."""

from __future__ import annotations

from dataclasses import replace

from ml_connector.sync.models import Problem, Record
from ml_connector.systems.base import Remark
from ml_connector.systems.bill.bills import Bills
from tests.sync.acts import post


def test_a_remark_opens_a_problem_that_holds_nothing(delivered, monkeypatch):  # R2
    ref = Bills.ref

    def remarking(self, record, row, answer):
        made = ref(self, record, row, answer)
        return replace(
            made, remarks=(Remark("posted_not_in_ledger", f"{record.number} lacks its journal.", "Post it."),)
        )

    monkeypatch.setattr(Bills, "ref", remarking)
    post(delivered, "REM-1", "50.00")
    delivered.sync("invoices")
    delivered.sync("invoices")
    record = Record.objects.of(delivered.workspace).get(number="REM-1")
    (problem,) = Problem.objects.of(delivered.workspace).filter(cause="posted_not_in_ledger")
    assert (record.state, problem.blocks, problem.text) == ("confirmed", False, "REM-1 lacks its journal.")
    assert len(delivered.bills("REM-1")) == 1

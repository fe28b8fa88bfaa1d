"""Problems as the console lists them."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ml_connector.sync.models import Problem, ProblemState
from ml_connector.sync.queries.problems import ProblemRow, described_problems, problem_rows
from ml_connector.workspaces.models import Workspace

ENDED_SHOWN = 200
"""Problems that are over and still listed, the newest."""


@dataclass(frozen=True)
class ProblemList:
    rows: tuple[ProblemRow, ...]
    causes: dict[str, int]
    """Open Problems by cause, all of them."""
    records: int
    amount: dict[str, Decimal]
    earliest_due_date: date | None


def problem_list(workspace: Workspace, cause: str = "", *, open_only: bool = True) -> ProblemList:
    """What is open, most urgent first; with `open_only` False also the latest that are over, after them."""
    found = problem_rows(workspace)
    causes = collections.Counter(row.cause for row in found)
    rows = [row for row in found if not cause or row.cause == cause]
    blocking = [row for row in rows if row.blocks]
    amount: dict[str, Decimal] = {}
    for row in blocking:
        for currency, units in row.amount.items():
            amount[currency] = amount.get(currency, Decimal(0)) + units
    dues = [row.earliest_due_date for row in blocking if row.earliest_due_date]
    ended: list[ProblemRow] = []
    if not open_only:
        over = Problem.objects.of(workspace).exclude(state=ProblemState.OPEN).order_by("-ended_at")
        over = over.filter(cause=cause) if cause else over
        ended = described_problems(workspace, list(over.values_list("pk", flat=True)[:ENDED_SHOWN]))
        ended.sort(key=lambda row: row.ended_at or row.opened_at, reverse=True)
    return ProblemList(
        (*rows, *ended), dict(causes), sum(row.records for row in blocking), amount, min(dues, default=None)
    )

"""The list of Problems: each one cause, with what it holds back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Min, Sum
from django.utils import timezone

from ml_connector import clock
from ml_connector.domain.money import from_units
from ml_connector.sync.models import Problem, ProblemRecord, ProblemState
from ml_connector.sync.triage import asleep
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class ProblemRow:
    """One Problem."""

    id: int
    integration: str
    flow: str | None
    cause: str
    subject: str
    text: str
    fix: str
    blocks: bool
    """False: it only reports, its records stay confirmed."""
    state: str
    records: int
    amount: dict[str, Decimal]
    """Sum of what it holds, by currency."""
    earliest_due_date: date | None
    opened_at: datetime
    action: str
    reason: str
    ended_at: datetime | None
    ended_by: str
    owner: int | None
    """The person who sees to it."""
    snoozed_until: date | None
    """The day on which it comes back; None while it is awake."""


def problem_rows(workspace: Workspace, *, state: str | None = ProblemState.OPEN) -> list[ProblemRow]:
    """Those that hold documents first, by what is due first, snoozed ones after the others; None for every state."""
    rows = Problem.objects.of(workspace).select_related("integration", "flow")
    if state is not None:
        rows = rows.filter(state=state)
    problems = _described(workspace, list(rows.order_by("pk")))
    return sorted(problems, key=urgency)


def urgency(row: ProblemRow) -> tuple[bool, bool, date, int]:
    """What a list is sorted by."""
    return not row.blocks, row.snoozed_until is not None, row.earliest_due_date or date.max, row.id


def newest_problems(
    workspace: Workspace, *, state: str = "", cause: str = "", before: int | None = None, at_most: int
) -> list[ProblemRow]:
    """Problems before an id, the newest first: for programs, which page through them all."""
    wanted = {"state": state, "cause": cause, "pk__lt": before}
    rows = Problem.objects.of(workspace).filter(**{name: value for name, value in wanted.items() if value})
    return described_problems(workspace, list(rows.order_by("-pk").values_list("pk", flat=True)[:at_most]))[::-1]


def one_problem(workspace: Workspace, problem_id: int) -> ProblemRow | None:
    return next(iter(described_problems(workspace, [problem_id])), None)


def described_problems(workspace: Workspace, ids: Sequence[int]) -> list[ProblemRow]:
    rows = Problem.objects.of(workspace).select_related("integration", "flow").filter(pk__in=list(ids))
    return _described(workspace, list(rows.order_by("pk")))


def _described(workspace: Workspace, problems: list[Problem]) -> list[ProblemRow]:
    held = (
        ProblemRecord.objects.of(workspace)
        .filter(problem__in=[problem.pk for problem in problems])
        .values("problem_id", "record__currency")
        .annotate(records=Count("pk"), units=Sum("record__amount"), due=Min("record__due_date"))
        .order_by("record__currency")
    )
    counts: dict[int, int] = {}
    amounts: dict[int, dict[str, Decimal]] = {}
    due: dict[int, date] = {}
    for row in held:
        problem, currency = row["problem_id"], row["record__currency"]
        counts[problem] = counts.get(problem, 0) + row["records"]
        if row["units"] is not None and currency:
            amounts.setdefault(problem, {})[currency] = from_units(row["units"], currency)
        if row["due"] is not None:
            due[problem] = min(due.get(problem, date.max), row["due"])
    today = timezone.localdate(clock.now())
    return [
        ProblemRow(
            id=problem.pk,
            integration=problem.integration.name,
            flow=problem.flow.name if problem.flow else None,
            cause=problem.cause,
            subject=problem.subject,
            text=problem.text,
            fix=problem.fix,
            blocks=problem.blocks,
            state=problem.state,
            records=counts.get(problem.pk, 0),
            amount=amounts.get(problem.pk, {}),
            earliest_due_date=due.get(problem.pk),
            opened_at=problem.opened_at,
            action=problem.action,
            reason=problem.reason,
            ended_at=problem.ended_at,
            ended_by=problem.ended_by,
            owner=problem.owner_id,
            snoozed_until=asleep(problem, today, due.get(problem.pk)),
        )
        for problem in problems
    ]

"""problems, problem ID, problem retry, problem solve."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from ml_connector import clock
from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.groups import ShowsById
from ml_connector.cli.output import (
    JsonFlag,
    counted,
    money,
    print_json,
    say,
    table,
    wrong_usage,
)
from ml_connector.cli.records import record_table
from ml_connector.cli.syncing import finish, show_problem_texts, show_records
from ml_connector.jobs import schedule
from ml_connector.sync import control, queries
from ml_connector.sync import problems as deciding
from ml_connector.sync.models import Problem, ProblemState, RunKind
from ml_connector.sync.queries import plain
from ml_connector.workspaces.models import Workspace

ProblemId = Annotated[int, typer.Argument(metavar="ID", help="As `problems` lists it.")]

group = typer.Typer(cls=ShowsById, help="One Problem: show it (problem ID), retry it, or decide on it.")


def problems(
    *,
    all_states: Annotated[bool, typer.Option("--all", help="Also those that are solved or handled.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List open Problems: each is one cause, with the Records and money that it holds."""
    of = choose.workspace(workspace)
    rows = queries.problem_rows(of, state=None if all_states else ProblemState.OPEN)
    if as_json:
        print_json(rows)
    elif not rows:
        say("No open Problems.", "green")
    else:
        table(
            "",
            (">id", "cause", ">records", "amount", "earliest due", "what"),
            ((row.id, row.cause, row.records, money(row.amount), row.earliest_due_date, row.text) for row in rows),
        )
        say(f"{counted(len(rows), 'Problem')}. What to do: ml-connector problem ID", "dim")


@group.command("show", hidden=True)
def show(problem_id: ProblemId, *, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """One Problem: what happened, what it holds, what to do."""
    of = choose.workspace(workspace)
    row = queries.one_problem(of, problem_id)
    if row is None:
        _unknown(of, problem_id)
    held = list(queries.record_rows(of, problem=problem_id))
    if as_json:
        print_json({**plain(row), "held": held})
        return
    show_problem_texts([row])
    if row.state != ProblemState.OPEN:
        say(f"It is {row.state}: {row.action or 'the cause is gone'}{f' ({row.reason})' if row.reason else ''}.")
    if held:
        say("")
        record_table(held)


@group.command()
def retry(problem_id: ProblemId, *, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """Try again, now, what a Problem holds."""
    of = choose.workspace(workspace)
    problem = _open_problem(of, problem_id)
    started = clock.now()
    ids = [row.id for row in queries.record_rows(of, problem=problem_id)]
    said = _decide(problem, "retry", "")
    flows = control.flows_of_records(of, ids)
    schedule.wake([flow.pk for flow in flows], RunKind.PUSH)
    finish(flows, started, [RunKind.PUSH])
    show_records(of, ids, dict.fromkeys(ids, said), as_json=as_json)


@group.command()
def solve(
    problem_id: ProblemId,
    *,
    action: Annotated[str, typer.Option("--action", metavar="A", help=", ".join(deciding.ACTIONS))],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the audit trail.")] = "",
    evidence: Annotated[
        str,
        typer.Option(
            "--evidence",
            metavar="TEXT",
            help="For `release`: whom you called back, what was said. For `name`: the invoice.",
        ),
    ] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Decide on a Problem as a person, with a reason."""
    of = choose.workspace(workspace)
    say(_decide(_open_problem(of, problem_id), action, reason, evidence))


def _decide(problem: Problem, action: str, reason: str, evidence: str = "") -> str:
    try:
        return deciding.solve(problem, action, reason, choose.actor(), evidence)
    except deciding.DecisionRefused as refused:
        wrong_usage(str(refused))


def _open_problem(of: Workspace, problem_id: int) -> Problem:
    problem = Problem.objects.of(of).select_related("workspace", "integration").filter(pk=problem_id).first()
    return problem if problem is not None else _unknown(of, problem_id)


def _unknown(of: Workspace, problem_id: int) -> NoReturn:
    wrong_usage(f"There is no Problem {problem_id} in workspace {of.name}. `problems` lists them.")

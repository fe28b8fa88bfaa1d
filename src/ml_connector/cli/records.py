"""records, record, status: look, change nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import (
    WITH_PROBLEMS,
    JsonFlag,
    counted,
    money,
    print_json,
    print_json_list,
    say,
    shown,
    table,
    wrong_usage,
)
from ml_connector.cli.syncing import show_problem_texts
from ml_connector.integrations import INTEGRATIONS
from ml_connector.integrations.base import FlowKind
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync import queries
from ml_connector.sync.configfile import did_you_mean, interval_text
from ml_connector.sync.models import State
from ml_connector.sync.queries import RecordRow, RecordStory, Status

LIMIT = 200
"""Records that a person is shown unless told otherwise; a program gets all."""


def records(
    *,
    state: Annotated[str | None, typer.Option("--state", metavar="S", help="Only this state.")] = None,
    type_name: Annotated[
        str | None, typer.Option("--type", metavar="T", help="Only supplier, invoice, credit_note or payment.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Number, supplier, or key on either side.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List Records with their state, amount, and the Problem that holds them."""
    _check("--state", state, [known.value for known in State])
    _check("--type", type_name, _types())
    of = choose.workspace(workspace)
    if as_json:
        found = queries.record_rows(of, state=state, type_name=type_name, search=search, limit=limit)
        print_json_list(found)
        return
    rows = list(queries.record_rows(of, state=state, type_name=type_name, search=search, limit=limit or LIMIT))
    record_table(rows)
    total = queries.count_records(of, state=state, type_name=type_name, search=search)
    more = f" of {total:,}; narrow the list, or see more with --limit" if total > len(rows) else ""
    say(f"{counted(len(rows), 'record')}{more}.", "dim")


def record(
    record_id: Annotated[int, typer.Argument(metavar="ID", help="As `records` lists it.")],
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """The story of one Record: what was read, decided, sent and answered."""
    of = choose.workspace(workspace)
    found = queries.story(of, record_id)
    if found is None:
        wrong_usage(f"There is no record {record_id} in workspace {of.name}. `records` lists them.")
    if as_json:
        print_json(found)
    else:
        _show_story(found)


def status(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """Whether every Record is accounted for, and how Flows, Connections and workers are. Status 1 when not."""
    of = choose.workspace(workspace)
    found = queries.status(of, workers_alive())
    if as_json:
        print_json(found)
    else:
        _show_status(found)
    if not found.invariant.holds:
        raise typer.Exit(WITH_PROBLEMS)


def record_table(rows: list[RecordRow]) -> None:
    table(
        "",
        (">id", "type", "number", "state", ">amount", "cur", "due", "in the target", ">problem", "why"),
        (
            (
                row.id, row.type, row.number or row.key, row.shown_state, row.amount, row.currency, row.due_date,
                row.target_key, row.problem, ", ".join(p.cause for p in row.problems) or row.reason,
            )
            for row in rows
        ),
    )  # fmt: skip


def _show_story(found: RecordStory) -> None:
    row = found.record
    amount = f", {money({row.currency: row.amount})}" if row.amount is not None else ""
    say(f"{row.type} {row.number or row.key}{amount}: {row.shown_state}", "bold")
    say(f"{row.integration}.{row.flow}, key {row.key}, record {row.id}")
    if row.target_key:
        say(f"In the target as {row.target_key}.")
    if row.reason:
        say(f"Reason: {row.reason}")
    show_problem_texts(found.problems)
    say("")
    table("", ("when", "what", "details", "by"), ((e.at, e.what, e.text, e.actor) for e in found.events))
    if found.lines:
        say("")
        table("Lines as the source states them", (">line", "kind", "account", "cost center", ">amount"), found.lines)


def _show_status(found: Status) -> None:
    inv = found.invariant
    say(f"Workspace {found.workspace}", "bold")
    parts = " + ".join(f"{count:,} {state}" for state, count in inv.states.items() if count) or "0"
    if inv.holds:
        say(f"All {inv.ever_staged:,} records ever staged are accounted for: {parts}.", "green")
    else:
        say(f"{inv.ever_staged:,} records were ever staged, but there are {inv.total:,}: {parts}. {inv.text}", "red")
    say(f"{counted(found.open_problems, 'open Problem')}." if found.open_problems else "No open Problems.")
    workers = ", ".join(found.workers) or "none runs; sync, replay and problem retry do the work themselves"
    say(f"Workers: {workers}.\n")
    table(
        "",
        ("flow", ">records", "every", "last success", "next run", "read up to"),
        (
            (
                f"{f.integration}.{f.flow}", f.records, interval_text(f.every), f.last_success or "never",
                "paused" if f.paused else f.next_run, _cursor(f.cursor),
            )
            for f in found.flows
        ),
    )  # fmt: skip
    say("")
    table(
        "",
        ("connection", "system", "company", "health", "since", "text"),
        ((c.connection, c.system, c.company, c.health, c.since, c.text) for c in found.connections),
    )


def _cursor(cursor: dict[str, str] | None) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in (cursor or {}).items())


def _check(option: str, given: str | None, known: list[str]) -> None:
    if given is not None and given not in known:
        wrong_usage(f"{option} {given} is unknown.{did_you_mean(given, known)}")


def _types() -> list[str]:
    return sorted(
        {
            queries.record_type(flow)
            for spec in INTEGRATIONS.values()
            for flow in spec.flows
            if flow.kind is not FlowKind.REFERENCE
        }
    )

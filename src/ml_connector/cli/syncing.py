"""sync, replay, pause, resume: have the engine work now, or not."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Annotated

import typer

from ml_connector import clock
from ml_connector.cli import choose, previewing, work
from ml_connector.cli.choose import FlowOption, WorkspaceOption
from ml_connector.cli.output import (
    WITH_PROBLEMS,
    JsonFlag,
    counted,
    failed,
    money,
    print_json,
    say,
    showing,
    table,
    warn,
    wrong_usage,
)
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync import control, queries
from ml_connector.sync import replay as replaying
from ml_connector.sync.flows import spec_of
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.models import Flow, Integration, RunKind
from ml_connector.sync.queries import FlowOutcome, ProblemRow
from ml_connector.workspaces.models import Workspace

WAIT_SECONDS = 0.5
"""How often a command looks whether the worker is done."""

AT_MOST = 8
"""Problems that are told in full."""

_DOING = {RunKind.PULL: "reading", RunKind.SWEEP: "comparing the keys of", RunKind.PUSH: "writing"}

IntegrationName = Annotated[str, typer.Argument(metavar="INTEGRATION", help="Name of the Integration.")]


def sync(
    integration: IntegrationName,
    *,
    flow: FlowOption = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Read again from this date on (YYYY-MM-DD).")
    ] = None,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Go on until nothing is ready or in doubt.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written and held back.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Read and deliver now: one pull and one push per Flow. Status 1 while Problems are open."""
    of = choose.workspace(workspace)
    chosen = choose.integration(of, integration)
    if dry_run:
        if flow or since or until_idle:
            wrong_usage(
                "--dry-run looks at the whole Integration as it is: leave out --flow, --since and --until-idle."
            )
        previewing.show(chosen, as_json=as_json)
        return
    flows = choose.flows(chosen, flow)
    _refuse_paused(chosen, flows)
    started = clock.now()
    if since is not None:
        _read_again(flows, since)
    ids = [row.pk for row in flows]
    schedule.wake(ids, RunKind.PULL)
    schedule.wake(ids, RunKind.PUSH)
    finish(flows, started, until_idle=until_idle)
    report(chosen, flows, started, as_json=as_json)


def replay(
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Records, as `records` lists them.")],
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge Records again with today's mappings and send them where needed. Never makes a second document."""
    of = choose.workspace(workspace)
    started = clock.now()
    said = replaying.replay(of, ids, choose.actor())
    flows = control.flows_of_records(of, ids)
    schedule.wake([flow.pk for flow in flows], RunKind.PUSH)
    finish(flows, started, [RunKind.PUSH])
    show_records(of, ids, said, as_json=as_json)


def pause(integration: IntegrationName, *, flow: FlowOption = None, workspace: WorkspaceOption = None) -> None:
    """Start nothing more of an Integration, or of one Flow. What runs now ends by itself."""
    _set_paused(integration, flow, workspace, paused=True)


def resume(integration: IntegrationName, *, flow: FlowOption = None, workspace: WorkspaceOption = None) -> None:
    """Run an Integration or Flow again that was paused or parked. It is due at once."""
    _set_paused(integration, flow, workspace, paused=False)


def _set_paused(integration: str, flow: str | None, workspace: str | None, *, paused: bool) -> None:
    of = choose.workspace(workspace)
    chosen = choose.integration(of, integration)
    row = choose.flows(chosen, flow)[0] if flow else None
    name = f"{chosen.name}.{row.name}" if row else chosen.name
    word = "paused" if paused else "running"
    if not control.set_paused(row or chosen, choose.actor(), paused=paused):
        say(f"{name} is {word} already.")
        return
    if not paused:
        ids = [each.pk for each in ([row] if row else choose.flows(chosen))]
        schedule.wake(ids, RunKind.PULL)
        schedule.wake(ids, RunKind.PUSH)
    say(f"{name} is {word}.")


# --- shared with problem retry and the demo


def finish(
    flows: Sequence[Flow],
    started: datetime,
    kinds: Collection[RunKind] = (RunKind.PULL, RunKind.PUSH),
    *,
    until_idle: bool = False,
) -> None:
    """Waits until the Flows' jobs of these kinds, made due at `started`, are done: by the worker where one lives,
    else by this process."""
    try:
        while True:
            _once(flows, started, kinds)
            pause_for = _seconds_until_more(flows) if until_idle else None
            if pause_for is None:
                return
            with showing(f"waiting {pause_for:.0f} s: an answer was lost or a limit was hit"):
                time.sleep(pause_for)
            schedule.wake([flow.pk for flow in control.waiting(flows)], RunKind.PUSH)
    except LeaseTaken as taken:
        failed(f"{taken} It did not give it back in time. What is left is done by the worker, or by the next sync.")
    except KeyboardInterrupt:
        failed("Stopped. What was read and sent is stored; the next sync goes on from there.")


def _once(flows: Sequence[Flow], started: datetime, kinds: Collection[RunKind]) -> None:
    if not workers_alive():
        with showing("working") as status:
            work.run_here(
                flows, lambda flow, kind: status(f"{_DOING.get(kind, kind.value)} {spec_of(flow).label} ({flow.name})")
            )
        return
    with showing("waiting for the worker") as status:
        while (left := control.unfinished(flows, kinds, started)) and workers_alive():
            status(f"the worker is at it: {', '.join(left)}")
            time.sleep(WAIT_SECONDS)
    if left:
        _once(flows, started, kinds)


def _seconds_until_more(flows: Sequence[Flow]) -> float | None:
    """How long until something that is ready or in doubt may be tried again; None when nothing is, or when only a
    person can help."""
    due = control.next_work(flows)
    return None if due is None else max((due - clock.now()).total_seconds(), WAIT_SECONDS)


def report(integration: Integration, flows: Sequence[Flow], started: datetime, *, as_json: bool) -> None:
    """What each Flow read, wrote and held back since `started`; ends with status 1 while Problems are open or
    something is still on its way."""
    outcomes = queries.outcomes_since(flows, started)
    problems = [row for row in queries.problem_rows(integration.workspace) if row.integration == integration.name]
    names = {flow.name for flow in flows}
    problems = [row for row in problems if row.flow is None or row.flow in names]
    if as_json:
        print_json({"integration": integration.name, "flows": outcomes, "problems": problems})
    else:
        _show_outcomes(outcomes)
        if problems:
            say("")
            show_problem_texts(problems)
    if problems or any(outcome.failed or outcome.waiting for outcome in outcomes):
        raise typer.Exit(WITH_PROBLEMS)


def _show_outcomes(outcomes: Sequence[FlowOutcome]) -> None:
    table(
        "",
        ("flow", ">read", ">new", ">changed", ">confirmed", ">blocked", ">waiting", "sum confirmed", "sum blocked"),
        (
            (
                row.flow, row.read, row.new, row.changed, row.confirmed, row.blocked, row.waiting,
                money(row.amount_confirmed), money(row.amount_blocked),
            )
            for row in outcomes
        ),
    )  # fmt: skip
    for row in outcomes:
        if row.failed:
            warn(f"{row.flow}: {row.failed}")


def show_problem_texts(problems: Sequence[ProblemRow]) -> None:
    """The first Problems, each as a sentence, what it holds, and what to do."""
    for row in problems[:AT_MOST]:
        holds = f" It holds {counted(row.records, 'record')}" if row.blocks and row.records else ""
        sum_of = f" ({money(row.amount)})" if holds and row.amount else ""
        say(f"Problem {row.id}, {row.cause}: {row.text}{holds}{sum_of}{'.' if holds else ''}", "yellow")
        say(f"  {row.fix}")
    if len(problems) > AT_MOST:
        say(f"... and {len(problems) - AT_MOST} more: ml-connector problems", "dim")


def show_records(of: Workspace, ids: Sequence[int], said: dict[int, str], *, as_json: bool) -> None:
    """What became of Records; ends with status 1 where one is unknown or held."""
    rows = {row.id: row for row in queries.record_rows(of, ids=ids)}
    if as_json:
        print_json([{"id": i, "text": said.get(i, ""), "record": rows.get(i)} for i in ids])
    else:
        for i in ids:
            say(f"{i}: {said.get(i, '')}{f' Now: {rows[i].state}.' if i in rows else ''}")
        held = {row.problem for row in rows.values() if row.problem is not None}
        show_problem_texts([row for row in queries.problem_rows(of) if row.id in held])
    if len(rows) < len(set(ids)) or any(row.state == "blocked" for row in rows.values()):
        raise typer.Exit(WITH_PROBLEMS)


def _read_again(flows: Sequence[Flow], since: str) -> None:
    try:
        day = date.fromisoformat(since)
    except ValueError:
        wrong_usage(f"--since {since} is no date. Write it as 2026-11-01.")
    for flow in flows:
        control.read_again(flow, day, choose.actor())


def _refuse_paused(integration: Integration, flows: Sequence[Flow]) -> None:
    if integration.paused:
        failed(f"{integration.name} is paused. Resume it with: ml-connector resume {integration.name}")
    if flows and all(flow.paused for flow in flows):
        names = " and ".join(flow.name for flow in flows)
        failed(f"{names} is paused. Resume it with: ml-connector resume {integration.name} --flow {flows[0].name}")

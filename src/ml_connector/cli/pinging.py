"""ping: is a Connection's way into its System open, step by step, and what to fix where not."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import WITH_PROBLEMS, JsonFlag, console, failed, print_json, say
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.pinging import ping_connection
from ml_connector.systems.base import Step

_SIGNS = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("not tried", "dim")}


def ping(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the Connection.")],
    *,
    try_writing: Annotated[
        bool, typer.Option("--try-writing", help="Also test the right to write, by a change that changes nothing.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Test a Connection: reachable, signed in, company, rights, clock, limits. Says what to fix."""
    row = choose.connection(choose.workspace(workspace), connection)
    steps: list[Step] = []
    try:
        for step in ping_connection(row, choose.actor(), try_writing=try_writing):
            steps.append(step)
            if not as_json:
                show(step)
    except LeaseTaken as taken:
        failed(f"Connection {connection} is in use by {taken.holder}. Try again in a minute.")
    good = all(step.ok is not False for step in steps) and bool(steps)
    if as_json:
        print_json({"connection": connection, "ok": good, "steps": steps})
    elif good:
        say(f"Connection {connection} works.", "green")
    if not good:
        raise typer.Exit(WITH_PROBLEMS)


def show(step: Step) -> None:
    sign, style = _SIGNS[step.ok]
    line = Text(f"{sign:>9}  ", style=style)
    line.append(f"{step.name}: {step.text}", style="default")
    console().print(line, soft_wrap=True)
    if step.ok is False and step.fix:
        say(f"{'':>9}  {step.fix}", "yellow")

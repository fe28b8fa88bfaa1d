"""apply, export: configuration as code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ml_connector import audit
from ml_connector.cli import choose, installation
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import JsonFlag, counted, failed, print_json, say, wrong_usage
from ml_connector.sync import apply as applying
from ml_connector.sync import export as exporting
from ml_connector.sync.configfile import ConfigurationRefused


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file (YAML).")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make the installation as the file says: all of it or nothing. What the file leaves out stays as it is."""
    if not file.is_file():
        wrong_usage(f"{file} is no file.\nNothing was changed.")
    installation.use(may_set_up=True)
    try:
        plan = applying.apply(file, choose.actor(), dry_run=dry_run)
    except ConfigurationRefused as refused:
        wrong_usage(str(refused))
    if as_json:
        print_json(
            {"workspace": plan.workspace, "changed": not dry_run and bool(plan.changes), "changes": plan.changes}
        )
        return
    for change in plan.changes:
        say(f"{change.verb} {change.what}{f': {change.details}' if change.details else ''}")
    for warning in plan.warnings:
        say(warning, "yellow")
    if not plan.changes:
        say(f"Workspace {plan.workspace} is as {file} says. Nothing was changed.")
    elif dry_run:
        say(f"{counted(len(plan.changes), 'change')} would be made. Nothing was changed.", "bold")
    else:
        say(f"{counted(len(plan.changes), 'change')} made in workspace {plan.workspace}.", "bold")


def export(
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the configuration file of a Workspace, without its secrets; `apply` reads it again."""
    of = choose.workspace(workspace)
    text = exporting.export(of)
    audit.note(of, choose.actor(), "export", f"workspace:{of.pk}", what="configuration")
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        failed(f"{output} cannot be written ({error.strerror}).")
    say(f"Written to {output}.")

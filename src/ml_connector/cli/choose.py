"""What a command is about: the Workspace, an Integration, a Flow, a Connection; and who gives it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from typing import Annotated

import typer

from ml_connector.cli import installation
from ml_connector.cli.output import wrong_usage
from ml_connector.sync.configfile import did_you_mean
from ml_connector.sync.models import Connection, Flow, Integration
from ml_connector.workspaces.models import Workspace

WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace", envvar="ML_CONNECTOR_WORKSPACE", help="Which customer; needed where there are several."
    ),
]
IntegrationOption = Annotated[
    str | None, typer.Option("--integration", help="Which Integration; needed where there are several.")
]
FlowOption = Annotated[str | None, typer.Option("--flow", help="Only this Flow.")]


def actor() -> str:
    """The command line acts as the operating-system user, and is trusted like the host."""
    try:
        return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    except (OSError, KeyError):
        return "os:unknown"


def workspace(name: str | None, *, may_set_up: bool = False) -> Workspace:
    """The Workspace named, or the only one there is."""
    installation.use(may_set_up=may_set_up)
    rows = {row.name: row for row in Workspace.objects.order_by("name")}
    if name is not None:
        return rows[name] if name in rows else wrong_usage(_unknown("workspace", name, rows))
    if len(rows) == 1:
        return next(iter(rows.values()))
    if not rows:
        wrong_usage("There is no workspace yet. Set one up with: ml-connector apply FILE")
    return wrong_usage(f"There are several workspaces. Choose one with --workspace: {', '.join(rows)}.")


def integration(of: Workspace, name: str | None) -> Integration:
    """The Integration named, or the only one there is."""
    found = Integration.objects.of(of).select_related("workspace", "erp", "platform").order_by("name")
    rows = {row.name: row for row in found}
    if name is not None:
        return rows[name] if name in rows else wrong_usage(_unknown("Integration", name, rows))
    if len(rows) == 1:
        return next(iter(rows.values()))
    if not rows:
        wrong_usage(f"Workspace {of.name} has no Integration yet. Add one to the configuration file and apply it.")
    return wrong_usage(f"There are several Integrations. Choose one with --integration: {', '.join(rows)}.")


def connection(of: Workspace, name: str) -> Connection:
    rows = {row.name: row for row in Connection.objects.of(of).select_related("workspace")}
    return rows[name] if name in rows else wrong_usage(_unknown("Connection", name, rows))


def flows(of: Integration, name: str | None = None) -> list[Flow]:
    """The Integration's Flows in order, or the one named."""
    found = Flow.objects.of(of.workspace_id).filter(integration=of).order_by("position")
    rows = {row.name: row for row in found.select_related("workspace", "integration__erp", "integration__platform")}
    if name is None:
        return list(rows.values())
    return [rows[name]] if name in rows else wrong_usage(_unknown("Flow", name, rows))


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f'There is no {what} "{name}".{did_you_mean(name, set(known))}'

"""approval list, approve, refuse, withdraw: the second person, as an operating-system user."""

from __future__ import annotations

from typing import Annotated

import typer

from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import JsonFlag, print_json, say, table, wrong_usage
from ml_connector.sync import second_person
from ml_connector.sync.models import Approval
from ml_connector.sync.queries.approval_page import waiting_rows
from ml_connector.workspaces.models import Workspace

group = typer.Typer(help="What waits for a second person. Nobody approves what they asked for themselves.")

ApprovalId = Annotated[int, typer.Argument(metavar="ID", help="As `approval list` says.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the audit trail.")]


@group.command("list")
def list_(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """List the requests that wait, the oldest first."""
    rows = waiting_rows(choose.workspace(workspace))
    if as_json:
        print_json(rows)
    elif not rows:
        say("Nothing waits for a second person.", "green")
    else:
        columns = (">id", "kind", "asked for by", "at", "what", "reason")
        table("", columns, ((r.id, r.kind, r.asked_by, r.asked_at, r.title, r.reason) for r in rows))


@group.command()
def approve(approval_id: ApprovalId, *, reason: Reason, workspace: WorkspaceOption = None) -> None:
    """Agree, and have it done."""
    row = _row(choose.workspace(workspace), approval_id)
    try:
        say(second_person.approve(row, choose.actor(), reason), "green")
    except second_person.REFUSALS as refused:
        wrong_usage(f"{refused}\nNothing was changed.")


@group.command()
def refuse(approval_id: ApprovalId, *, reason: Reason, workspace: WorkspaceOption = None) -> None:
    """Refuse; nothing of it is done."""
    row = _row(choose.workspace(workspace), approval_id)
    try:
        second_person.refuse(row, choose.actor(), reason)
    except second_person.REFUSALS as refused:
        wrong_usage(f"{refused}\nNothing was changed.")
    say("Refused. Nothing of it is done.")


@group.command()
def withdraw(approval_id: ApprovalId, *, workspace: WorkspaceOption = None) -> None:
    """Take back what the same user asked for."""
    row = _row(choose.workspace(workspace), approval_id)
    try:
        second_person.withdraw(row, choose.actor())
    except second_person.REFUSALS as refused:
        wrong_usage(f"{refused}\nNothing was changed.")
    say("Withdrawn. Nothing of it is done.")


def _row(of: Workspace, key: int) -> Approval:
    row = Approval.objects.of(of).select_related("workspace").filter(pk=key).first()
    return row if row else wrong_usage(f"There is no request {key} in workspace {of.name}. `approval list` lists them.")

"""tokens make, list, revoke: how programs come in to the JSON API. For whoever has the host."""

from __future__ import annotations

from typing import Annotated

import typer

from ml_connector import clock, tokens
from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import JsonFlag, errors, print_json, say, table, wrong_usage
from ml_connector.tokens import AT_MOST_DAYS, DAYS, SCOPES, TokenRefused
from ml_connector.workspaces.models import ApiToken
from ml_connector.workspaces.roles import Permission

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the trail calls the program.")]

group = typer.Typer(help="Tokens by which programs use the JSON API.")


@group.command()
def make(
    name: Name,
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="S", help=f"May be given again. Of: {', '.join(SCOPES)}. Without: view."),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=AT_MOST_DAYS, help="How long it lasts.")
    ] = DAYS,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a token. It is printed once, alone on standard output, and never stored."""
    of = choose.workspace(workspace)
    try:
        text = tokens.make(of, name, scope or [Permission.VIEW.value], days, choose.actor())
    except TokenRefused as refused:
        wrong_usage(str(refused))
    typer.echo(text)
    errors().print(f"This is shown once. A program of {of.name} sends it as: Authorization: Bearer mlc_...")


@group.command("list")
def list_(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """List the tokens of a workspace."""
    rows = tokens.listed(choose.workspace(workspace))
    if as_json:
        print_json([
            {
                "name": row.name,
                "begins": f"mlc_{row.public}",
                "scopes": row.scopes,
                "state": _state(row),
                "expires_at": row.expires_at,
                "last_used_at": row.last_used_at,
            }
            for row in rows
        ])  # fmt: skip
    elif not rows:
        say("None yet. Make one with: ml-connector tokens make NAME --scope view")
    else:
        columns = ("name", "begins", "may", "state", "expires", "last used")
        cells = (
            (r.name, f"mlc_{r.public}", ", ".join(r.scopes), _state(r), r.expires_at, r.last_used_at or "never")
            for r in rows
        )
        table("", columns, cells)


@group.command()
def revoke(name: Name, *, workspace: WorkspaceOption = None) -> None:
    """End a token at once."""
    of = choose.workspace(workspace)
    try:
        tokens.revoke(of, name, choose.actor())
    except TokenRefused as refused:
        wrong_usage(str(refused))
    say(f"The token {name} is good for nothing any more.")


def _state(row: ApiToken) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "good" if row.good(clock.now()) else "expired"

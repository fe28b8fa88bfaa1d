"""people add, list, remove, reset, erase: who may sign in to the console. For whoever has the host."""

from __future__ import annotations

from typing import Annotated

import typer
from django.conf import settings

from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import JsonFlag, print_json, say, table, wrong_usage
from ml_connector.console import people as directory
from ml_connector.console.people import PeopleRefused
from ml_connector.workspaces.roles import Role

Email = Annotated[str, typer.Argument(metavar="ADDRESS", help="E-mail address that the person signs in with.")]

group = typer.Typer(help="Who may sign in to the console, and with which role.")

HERE = "http://127.0.0.1:8000"
"""Where `serve` listens unless told otherwise."""


@group.command("list")
def list_(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """List the people of a workspace."""
    rows = directory.members(choose.workspace(workspace))
    if as_json:
        print_json(rows)
    elif not rows:
        say("Nobody yet. `serve` prints the link by which the first owner comes in.")
    else:
        columns = ("address", "name", "role", "second factor", "last sign-in")
        table("", columns, ((r.email, r.name, r.role, r.second_factor, r.last_sign_in or "never") for r in rows))


@group.command()
def add(
    email: Email,
    *,
    role: Annotated[str, typer.Option("--role", metavar="R", help=", ".join(Role.values))] = Role.OPERATOR,
    workspace: WorkspaceOption = None,
) -> None:
    """Invite somebody, or give somebody who is there another role."""
    of = choose.workspace(workspace)
    try:
        code = directory.invite(of, email, role, choose.actor())
    except PeopleRefused as refused:
        wrong_usage(str(refused))
    if code:
        say(f"{email} comes in as {role} by this link. It works once, for 24 hours:\n{join_link(code)}")
    else:
        say(f"{email} is {role} of {of.name} now.")


@group.command()
def remove(email: Email, *, workspace: WorkspaceOption = None) -> None:
    """Take somebody out of a workspace. What they did stays in the trail."""
    of = choose.workspace(workspace)
    try:
        directory.remove(of, email, choose.actor())
    except PeopleRefused as refused:
        wrong_usage(str(refused))
    say(f"{email} is no longer in {of.name}.")


@group.command()
def reset(
    email: Email,
    *,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Also take the second factor away, for one who lost it.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a link by which somebody chooses a new password."""
    choose.workspace(workspace)
    try:
        code = directory.new_password_code(email, choose.actor(), without_second_factor=second_factor)
    except PeopleRefused as refused:
        wrong_usage(str(refused))
    say(f"{email} chooses a new password by this link. It works once, for 24 hours:\n{join_link(code)}")


@group.command()
def erase(email: Email, *, workspace: WorkspaceOption = None) -> None:
    """Erase all that is stored of a person, in every workspace. The trail keeps a number without a name."""
    choose.workspace(workspace)
    try:
        directory.erase(email, choose.actor())
    except PeopleRefused as refused:
        wrong_usage(str(refused))
    say(f"Everything that was stored of {email} is erased. Backups hold it until they are replaced.")


def join_link(code: str, base: str = "") -> str:
    """The code stands behind the #: browsers do not send that part, so no log ever holds it."""
    return f"{settings.PUBLIC_URL or base or HERE}/join#{code}"

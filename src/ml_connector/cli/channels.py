"""channel list, add, remove, test: where people are told of what happens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import JsonFlag, failed, print_json, say, table, wrong_usage
from ml_connector.messenger.address import KINDS
from ml_connector.messenger.outcome import Outcome
from ml_connector.sync.models import Channel
from ml_connector.sync.notify import channels, sending
from ml_connector.sync.notify.channels import OFFERED, ChannelRefused, Wish
from ml_connector.workspaces.models import Workspace

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the channel.")]

group = typer.Typer(help="Where people are told of Problems, outages, silence, and of what waits each morning.")


@group.command("list")
def list_(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """List the channels. Their addresses are sealed and never shown."""
    rows = channels.channel_rows(choose.workspace(workspace))
    if as_json:
        print_json(rows)
    elif not rows:
        say("Nobody is told of anything yet. Add a channel with: ml-connector channel add NAME")
    else:
        columns = ("channel", "kind", "is told of", "about", "last message", "trouble")
        table("", columns, (
            (r.name, r.kind, ", ".join(r.events), ", ".join(r.integration_names) or "all", r.last_sent_at or "none yet",
             r.trouble)
            for r in rows
        ))  # fmt: skip


@group.command()
def add(
    name: Name,
    *,
    kind: Annotated[str, typer.Option("--kind", metavar="K", help=", ".join(KINDS))],
    address_file: Annotated[
        Path | None, typer.Option("--address-file", metavar="FILE", help="File that holds the address, a secret.")
    ] = None,
    address_env: Annotated[
        str | None, typer.Option("--address-env", metavar="VARIABLE", help="Environment variable that holds it.")
    ] = None,
    tell: Annotated[
        list[str] | None, typer.Option("--tell", metavar="EVENT", help=f"{', '.join(OFFERED)}; may be repeated.")
    ] = None,
    integration: Annotated[
        list[str] | None, typer.Option("--integration", help="Only about this Integration; may be repeated.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Add a channel. What its address looks like: docs/operating.md, Notifications."""
    of = choose.workspace(workspace)
    unknown = sorted(set(tell or ()) - set(OFFERED))
    if unknown:
        wrong_usage(f"Nobody can be told of {unknown[0]!r}. Choose of: {', '.join(OFFERED)}.")
    chosen = [choose.integration(of, one).pk for one in integration or ()]
    wish = Wish(name, kind, _address(address_file, address_env), tell or OFFERED, chosen)
    try:
        channels.add(of, wish, choose.actor())
    except ChannelRefused as refused:
        wrong_usage(str(refused))
    say(f"Channel {name} was added. Test it with: ml-connector channel test {name}")


@group.command()
def remove(name: Name, *, workspace: WorkspaceOption = None) -> None:
    """Remove a channel. What was on its way to it is not sent any more."""
    channels.remove(_named(choose.workspace(workspace), name), choose.actor())
    say(f"Channel {name} was removed.")


@group.command()
def test(name: Name, *, workspace: WorkspaceOption = None) -> None:
    """Send a message to a channel now. Status 1 when it was not taken."""
    sent = sending.send_trial(_named(choose.workspace(workspace), name), choose.actor())
    if sent.outcome is not Outcome.SENT:
        failed(f"Channel {name} did not deliver. {sent.text}")
    say(f"Channel {name} works. {sent.text}", "green")


def _named(of: Workspace, name: str) -> Channel:
    row = Channel.objects.of(of).select_related("workspace").filter(name=name).first()
    return row or wrong_usage(f"There is no channel {name!r} in workspace {of.name}. See: ml-connector channel list")


def _address(file: Path | None, variable: str | None) -> str:
    """Never an argument: those are seen by everybody on the machine."""
    if (file is None) == (variable is None):
        wrong_usage("Give the address by --address-file FILE or by --address-env VARIABLE.")
    if variable is not None:
        return os.environ.get(variable) or wrong_usage(f"The environment variable {variable} is not set.")
    try:
        return Path(file or "").read_text().strip()
    except (OSError, UnicodeDecodeError):
        wrong_usage(f"The file {file} cannot be read.")

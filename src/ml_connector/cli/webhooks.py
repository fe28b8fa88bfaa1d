"""webhook status, list, replay, subscribe, rotate, remove: how systems tell us of changes."""

from __future__ import annotations

from typing import Annotated

import typer

from ml_connector import clock
from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import (
    WITH_PROBLEMS,
    JsonFlag,
    failed,
    print_json,
    say,
    showing,
    table,
    warn,
    wrong_usage,
)
from ml_connector.cli.syncing import finish
from ml_connector.integrations import SYSTEMS
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import process_name
from ml_connector.jobs.webhooks import check_now
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.models import Connection, ReceivedState, RunKind, Webhook, WebhookState
from ml_connector.sync.queries.webhook_page import EventRow, event_rows, webhook_rows
from ml_connector.sync.webhooks import keeping, receiving
from ml_connector.workspaces.models import Workspace

PATIENCE_SECONDS = 90.0
"""How long to wait for a job that uses the Connection."""

group = typer.Typer(help="Webhooks: events that systems send, and the subscriptions to them.")

ConnectionName = Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the Connection.")]


@group.command()
def status(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """Say of each Connection whether changes are announced, or found by polling only. Status 1 where one fails."""
    rows = webhook_rows(choose.workspace(workspace))
    if as_json:
        print_json(rows)
    elif not rows:
        say("No Flow of this workspace reads what a system could announce.")
    else:
        columns = ("connection", "state", ">events 24 h", "last event", ">refused", "key since", "text")
        cells = (
            (
                row.connection, "polling only" if row.state == WebhookState.NONE else row.state, row.events_of_day,
                row.last_event_at, row.refused, row.key_since, row.text,
            )
            for row in rows
        )  # fmt: skip
        table("", columns, cells)
    if any(row.state == WebhookState.FAILING for row in rows):
        raise typer.Exit(WITH_PROBLEMS)


@group.command("list")
def list_(
    *,
    connection: Annotated[str | None, typer.Option("--connection", help="Only of this Connection.")] = None,
    state: Annotated[ReceivedState | None, typer.Option("--state", help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many, the newest first.")] = 50,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List the events that were received, the newest first."""
    of = choose.workspace(workspace)
    name = choose.connection(of, connection).name if connection is not None else ""
    rows = event_rows(of, connection=name, state=state or "", at_most=limit)
    if as_json:
        print_json(rows)
    elif not rows:
        say("None. Whether any are to come says: ml-connector webhook status")
    else:
        _show(rows)


@group.command()
def replay(
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Events, as `webhook list` lists them.")],
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Read again, as it is now, what events are about, and deliver it where it changed."""
    of, started = choose.workspace(workspace), clock.now()
    flows, unknown = {}, []
    for event in ids:
        found = receiving.replay(of, event, choose.actor())
        if found is None:
            unknown.append(event)
        else:
            flows.update({flow.pk: flow for flow in found})
    chosen = [flow for one in {flow.integration.name: flow.integration for flow in flows.values()}.values()
              for flow in choose.flows(one) if flow.pk in flows]  # fmt: skip
    schedule.wake([flow.pk for flow in chosen], RunKind.PULL)
    finish(chosen, started, [RunKind.PULL])
    rows = event_rows(of, ids=ids, at_most=len(ids))
    if as_json:
        print_json(rows)
    elif rows:
        _show(rows)
    for event in unknown:
        warn(f"There is no event {event}.")
    if unknown or any(row.state == ReceivedState.WAITING for row in rows):
        raise typer.Exit(WITH_PROBLEMS)


@group.command()
def subscribe(connection: ConnectionName, *, workspace: WorkspaceOption = None) -> None:
    """Make or check a Connection's subscription now. A worker does so every hour by itself."""
    row = _row(choose.workspace(workspace), connection)
    keeping.ask(row, choose.actor(), wanted=True)
    _check(row, f"Connection {connection} has its webhook in force.")


@group.command()
def rotate(connection: ConnectionName, *, workspace: WorkspaceOption = None) -> None:
    """Put a new key in force. For an hour the one before is good as well."""
    row = _row(choose.workspace(workspace), connection)
    if not row.subscription:
        failed(f"Connection {connection} has no subscription, so no key. See: ml-connector webhook status")
    keeping.ask_new_key(row, choose.actor())
    _check(row, f"Connection {connection} has a new key in force.")


@group.command()
def remove(connection: ConnectionName, *, workspace: WorkspaceOption = None) -> None:
    """End a Connection's subscription, and forget its key and address. Changes are then found by polling only."""
    row = _row(choose.workspace(workspace), connection)
    keeping.ask(row, choose.actor(), wanted=False)
    if row.subscription and not keeping.address(row):
        failed(
            f"The subscription {row.subscription} of {connection} is not asked for any more, but"
            " ML_CONNECTOR_WEBHOOK_URL is not set: set it and give this again, or remove it in"
            f" {SYSTEMS[row.connection.system].label}."
        )
    _check(row, "", WebhookState.NONE)
    say(f"Connection {connection} has no subscription. Make one again with: webhook subscribe {connection}")


def _row(of: Workspace, name: str) -> Webhook:
    connection: Connection = choose.connection(of, name)
    system = SYSTEMS[connection.system]
    if system.webhooks is None:
        wrong_usage(f"{system.label} sends no webhooks.")
    rows = Webhook.objects.of(of).select_related("workspace", "connection__workspace")
    return rows.get(pk=keeping.row_of(connection).pk)


def _check(row: Webhook, good: str, wanted: WebhookState = WebhookState.ACTIVE) -> None:
    """Makes the check that is due, in this process."""
    if not keeping.idle(row):
        try:
            with showing(f"asking {SYSTEMS[row.connection.system].label}"):
                check_now(row, f"command {process_name()} webhook {row.pk}", PATIENCE_SECONDS)
        except LeaseTaken as taken:
            failed(f"Connection {row.connection.name} is in use by {taken.holder}. A worker does it as soon as it can.")
    row.refresh_from_db()
    if row.state != wanted:
        failed(row.text)
    if good:
        say(good)


def _show(rows: list[EventRow]) -> None:
    columns = (">id", "received", "connection", "event", "about", "state", "what came of it")
    table("", columns, ((r.id, r.received_at, r.connection, r.type, r.key, r.state, r.text) for r in rows))

"""Webhooks: how each Connection hears of changes, the events that came, and reading again what one is about."""

from __future__ import annotations

from django.http import Http404
from ninja import Router

from ml_connector.api.v1 import shapes
from ml_connector.api.v1.frame import Call, changes, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import EventReplayed, Id, Page, Text
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import ReceivedState, RunKind
from ml_connector.sync.queries.webhook_page import EventRow, event_rows, webhook_rows
from ml_connector.sync.webhooks import receiving
from ml_connector.workspaces.models import Workspace
from ml_connector.workspaces.roles import Permission

router = Router(tags=["Webhooks"])


@reads(router, "/webhooks", Page[shapes.Webhook])
def list_webhooks(request: Call, workspace: str, cursor: Cursor = "", limit: Limit = SIZE) -> object:
    """Each Connection whose System can announce what a Flow reads: whether it does, and what was refused."""
    pages = Pages(cursor, limit, "webhooks")
    return pages.slice(webhook_rows(request.workspace), lambda row: row.connection)


@reads(router, "/webhooks/events", Page[shapes.WebhookEvent])
def list_webhook_events(
    request: Call,
    workspace: str,
    connection: Text = "",
    state: ReceivedState | None = None,
    cursor: Cursor = "",
    limit: Limit = SIZE,
) -> object:
    """Events that were received, the newest first."""
    pages = Pages(cursor, limit, "webhook events", connection, state)
    rows = event_rows(
        request.workspace,
        before=pages.after_number(),
        connection=connection,
        state=state or "",
        at_most=pages.at_most,
    )
    return pages.page(rows, lambda row: row.id)


@reads(router, "/webhooks/events/{event}", shapes.WebhookEvent)
def show_webhook_event(request: Call, workspace: str, event: Id) -> object:
    """One event: what it is about, and what came of it."""
    return _one(request.workspace, event)


@changes(router, "/webhooks/events/{event}/replay", EventReplayed, Permission.RUN, status=202)
def replay_webhook_event(request: Call, workspace: str, event: Id) -> object:
    """Has what an event is about read again as it is now. Never makes a second document."""
    flows = receiving.replay(request.workspace, event, request.actor)
    if flows is None:
        raise Http404
    schedule.wake([flow.pk for flow in flows], RunKind.PULL)
    names = [f"{flow.integration.name}.{flow.name}" for flow in flows]
    return {"flows": names, "workers": len(workers_alive()), "event": _one(request.workspace, event)}


def _one(workspace: Workspace, event: int) -> EventRow:
    rows = event_rows(workspace, ids=[event], at_most=1)
    if not rows:
        raise Http404
    return rows[0]

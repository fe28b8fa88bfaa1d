"""Webhooks: the events that came, and what is asked of a Connection's subscription."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.integrations import SYSTEMS
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import Connection, ReceivedState, RunKind
from ml_connector.sync.queries.webhook_page import PAGE, event_rows, webhook_rows
from ml_connector.sync.webhooks import keeping, receiving
from ml_connector.workspaces.roles import Permission

ASKED = {
    "rotate": "A new key is asked of {label}. It is in force within a minute; the old one is good for another hour.",
    "subscribe": "The subscription at {label} is made or checked within a minute.",
    "remove": "The subscription at {label} is removed within a minute. Changes are then found by polling only.",
}


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    """The events, the newest first."""
    before, state = request.GET.get("before", ""), request.GET.get("state", "")
    connections = [row.connection for row in webhook_rows(request.workspace)]
    connection = request.GET.get("connection", "")
    chosen = connection if connection in connections else ""
    rows = event_rows(
        request.workspace,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        connection=chosen,
        state=state if state in ReceivedState.values else "",
        at_most=PAGE + 1,
    )
    context = {
        "rows": rows[:PAGE],
        "after": rows[PAGE - 1].id if len(rows) > PAGE else None,
        "first": not before,
        "connections": connections,
        "connection": chosen,
        "states": ReceivedState.values,
        "state": state,
    }
    return render(request, "console/connections/events.html", context)


@needs(Permission.RUN)
@require_POST
def replay(request: WorkspaceRequest, event: int) -> HttpResponse:
    """Has what an event is about read again as it is now."""
    flows = receiving.replay(request.workspace, event, request.actor)
    if flows is None:
        raise Http404
    schedule.wake([flow.pk for flow in flows], RunKind.PULL)
    if not flows:
        messages.success(request, f"Event {event}: no Flow reads what it is about, so it stays ignored.")
    elif any(flow.paused or flow.integration.paused for flow in flows):
        messages.success(request, f"Event {event} is read again when its Flow is resumed.")
    else:
        more = "" if workers_alive() else " But no worker runs."
        messages.success(request, f"What event {event} is about is read again now.{more}")
    return redirect("connection_events", workspace=request.workspace.name)


@needs(Permission.CONFIGURE)
@require_POST
def ask(request: WorkspaceRequest, connection: int) -> HttpResponse:
    """A new key, another subscription, or none: done by the worker, under the Connection's lease."""
    row = Connection.objects.of(request.workspace).select_related("workspace").filter(pk=connection).first()
    what = request.POST.get("what", "")
    if row is None or SYSTEMS[row.system].webhooks is None or what not in ASKED:
        raise Http404
    webhook = keeping.row_of(row)
    if what == "rotate":
        keeping.ask_new_key(webhook, request.actor)
    else:
        keeping.ask(webhook, request.actor, wanted=what == "subscribe")
    more = "" if workers_alive() else " But no worker runs."
    messages.success(request, ASKED[what].format(label=SYSTEMS[row.system].label) + more)
    return redirect("connections", workspace=request.workspace.name)

"""Connections: how they are, without what is secret, and their test, which runs beside the call."""

from __future__ import annotations

import threading

from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from ninja import Router

from ml_connector.api.v1 import shapes
from ml_connector.api.v1.frame import Call, changes, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import Id, Page
from ml_connector.sync import pings
from ml_connector.sync.models import Connection, Ping
from ml_connector.sync.queries.connection_page import ConnectionRow, connection_rows, one_connection
from ml_connector.workspaces.roles import Permission

router = Router(tags=["Connections"])


@reads(router, "/connections", Page[shapes.Connection])
def list_connections(request: Call, workspace: str, cursor: Cursor = "", limit: Limit = SIZE) -> object:
    """All Connections, by name."""
    pages = Pages(cursor, limit, "connections")
    page = pages.slice(connection_rows(request.workspace), lambda row: row.name)
    return {**page, "items": [_shown(row) for row in page["items"]]}


@reads(router, "/connections/{connection}", shapes.Connection)
def show_connection(request: Call, workspace: str, connection: Id) -> object:
    """One Connection: its health, its limits, its settings. What is sealed is only named."""
    found = one_connection(request.workspace, connection)
    if found is None:
        raise Http404
    return _shown(found)


@changes(router, "/connections/{connection}/pings", shapes.Ping, Permission.RUN, status=202)
def ping_connection(request: Call, response: HttpResponse, workspace: str, connection: Id) -> object:
    """Begins a test of the Connection. Its steps are found at the address in `Location` as they end."""
    rows = Connection.objects.of(request.workspace)
    row = rows.filter(pk=connection).first()
    if row is None:
        raise Http404
    ping = pings.begin(row, request.actor)
    response["Location"] = f"{reverse('api:list_connections', args=[workspace])}/{connection}/pings/{ping.pk}"
    transaction.on_commit(lambda: _begin(ping))
    return ping


@reads(router, "/connections/{connection}/pings/{ping}", shapes.Ping)
def show_ping(request: Call, workspace: str, connection: Id, ping: Id) -> object:
    """A test: each step that has ended, and what it came to."""
    found = Ping.objects.of(request.workspace).filter(connection=connection, pk=ping).first()
    if found is None:
        raise Http404
    return pings.seen(found)


def _begin(ping: Ping) -> None:
    name = f"ping {ping.pk}"
    threading.Thread(target=pings.execute, args=(ping.workspace_id, ping.pk), name=name, daemon=True).start()


def _shown(row: ConnectionRow) -> shapes.Connection:
    return shapes.Connection(
        id=row.id,
        name=row.name,
        system=row.system,
        label=row.label,
        company=row.company,
        health=row.health,
        text=row.text,
        health_at=row.health_at,
        waits_until=row.waits_until,
        in_use_by=row.in_use_by,
        used_this_hour=row.used_this_hour,
        integrations=list(row.integrations),
        last_ping=row.last_ping,
        settings=[shapes.Setting(name=name, value=value) for name, value in row.settings],
        credential_names=list(row.secrets),
    )

"""Connections: how they are, and their test, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection as database
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.models import Connection
from ml_connector.sync.pinging import ping_connection
from ml_connector.sync.queries.connection_page import connection_rows
from ml_connector.systems.base import Step
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    return render(request, "console/connections/page.html", {"rows": connection_rows(request.workspace)})


@needs(Permission.RUN)
@require_POST
def ping(request: WorkspaceRequest, connection: int) -> HttpResponseBase:
    """The steps of the test, each sent as it ends; a script of the page puts them there."""
    row = Connection.objects.of(request.workspace).select_related("workspace").filter(pk=connection).first()
    if row is None:
        raise Http404
    return StreamingHttpResponse(_steps(row, request.actor), headers={"X-Accel-Buffering": "no"})


def _steps(row: Connection, actor: str) -> Iterator[str]:
    good = True
    try:
        for step in ping_connection(row, actor):
            good = good and step.ok is not False
            yield _line(step)
        text = f"Connection {row.name} works." if good else "Correct what is said above, then test again."
    except LeaseTaken as taken:
        good, text = False, f"Connection {row.name} is in use by {taken.holder}. Try again in a minute."
    finally:
        database.close()
    yield render_to_string("console/connections/_verdict.html", {"good": good, "text": text})


def _line(step: Step) -> str:
    return render_to_string("console/connections/_step.html", {"step": step})

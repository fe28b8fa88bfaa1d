"""Connections: how they are, and their test, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.db import connection as database
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.integrations import SYSTEMS
from ml_connector.sync import second_person
from ml_connector.sync.approvals import second_person_of
from ml_connector.sync.connecting import CredentialShared
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.models import Approval, Connection
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


@needs(Permission.CONFIGURE)
def secrets(request: WorkspaceRequest, connection: int) -> HttpResponse:
    """New secrets of a Connection: in force at once, or when a second person has approved (R72). None is ever shown."""
    row = Connection.objects.of(request.workspace).select_related("workspace").filter(pk=connection).first()
    if row is None:
        raise Http404
    if request.method != "POST":
        return _secrets(request, row)
    names = [setting.name for setting in SYSTEMS[row.system].secrets()]
    # As they are typed: a blank at an end may belong to one.
    given = {name: request.POST[f"secret:{name}"] for name in names if request.POST.get(f"secret:{name}")}
    if not given:
        return _secrets(request, row, error="Type a new secret into one of the fields.", status=400)
    try:
        made = second_person.change_connection(row, {}, given, request.actor, request.POST.get("reason", ""))
    except CredentialShared as shared:
        return _secrets(request, row, error=str(shared), status=400)
    if isinstance(made, Approval):
        messages.success(request, "Asked for. It is used when a second person approves it; until then it lies sealed.")
        return redirect("approval", workspace=request.workspace.name, approval=made.pk)
    messages.success(
        request, f"{row.name} uses the new secret. Test it." if made else f"{row.name} has this secret already."
    )
    return redirect("connections", workspace=request.workspace.name)


def _secrets(request: WorkspaceRequest, row: Connection, *, error: str = "", status: int = 200) -> HttpResponse:
    context = {
        "connection": row,
        "fields": SYSTEMS[row.system].secrets(),
        "waits": second_person_of(request.workspace, request.actor) == "",
        "error": error,
        "given": request.POST,
    }
    return render(request, "console/connections/secrets.html", context, status=status)


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

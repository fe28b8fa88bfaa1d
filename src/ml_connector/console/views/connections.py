"""Connections: how they are, their settings and secrets, and their test, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db import connection as database
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_connector.console import forms
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.integrations import SYSTEMS
from ml_connector.sync import apply as applying
from ml_connector.sync import approvals, connecting, second_person
from ml_connector.sync.configfile import ConfigurationRefused, check
from ml_connector.sync.connecting import CredentialShared
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.models import Approval, Connection
from ml_connector.sync.pinging import ping_connection
from ml_connector.sync.queries.connection_page import connection_rows
from ml_connector.sync.queries.webhook_page import webhook_rows
from ml_connector.systems.base import Step
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    """`?test=ID` begins that Connection's test at once, where the person may."""
    context = {
        "rows": connection_rows(request.workspace),
        "hooks": {row.id: row for row in webhook_rows(request.workspace)},
        "test": request.GET.get("test", ""),
    }
    return render(request, "console/connections/page.html", context)


@needs(Permission.CONFIGURE)
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def edit(request: WorkspaceRequest, connection: int) -> HttpResponse:
    """The settings, by the same rules as a configuration file. Secrets are replaced apart, unless a setting that says
    where they go is changed: then they are typed again beside it (R65)."""
    row = _real(request, connection)
    system = SYSTEMS[row.system]
    bound = any(setting.binds_secrets for setting in system.settings())
    errors, others = dict[str, str](), list[str]()
    if request.method == "POST":
        settings = forms.content(system, request.POST, row.settings)
        try:
            return _changed(request, row, settings, forms.typed_secrets(system, request.POST) if bound else {})
        except ConfigurationRefused as refused:
            errors, others = forms.errors_by_field(refused.faults, row.name)
        except CredentialShared as shared:
            others = [str(shared)]
    posted = request.POST if request.method == "POST" else None
    context = {
        "row": row,
        "label": system.label,
        "waits": not approvals.second_person_of(request.workspace, request.actor),
        "groups": [
            *forms.groups(system.settings(), row.settings, (), posted, errors),
            *(forms.secrets_again(system, connecting.stored_secrets(row), errors) if bound else ()),
        ],
        "errors": errors,
        "others": others,
    }
    return render(request, "console/connections/edit.html", context, status=400 if errors or others else 200)


@needs(Permission.CONFIGURE)
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def secrets(request: WorkspaceRequest, connection: int) -> HttpResponse:
    """Replaces secrets. What is stored is never shown; an empty field keeps it."""
    row = _real(request, connection)
    system = SYSTEMS[row.system]
    errors, others = dict[str, str](), list[str]()
    if request.method == "POST":
        typed = forms.typed_secrets(system, request.POST)
        if not typed:
            others = ["Nothing was typed, so nothing was replaced."]
        elif request.POST.get("sure") != "yes":
            others = ["Say that you are sure. For safety, type the secrets again; nothing was replaced."]
        else:
            try:
                return _changed(request, row, {}, typed)
            except ConfigurationRefused as refused:
                errors, others = forms.errors_by_field(refused.faults, row.name)
            except CredentialShared as shared:
                others = [str(shared)]
    context = {
        "row": row,
        "label": system.label,
        "waits": not approvals.second_person_of(request.workspace, request.actor),
        "groups": forms.groups(system.secrets(), {}, connecting.stored_secrets(row), None, errors),
        "errors": errors,
        "others": others,
    }
    return render(request, "console/connections/secrets.html", context, status=400 if errors or others else 200)


def _changed(
    request: WorkspaceRequest, row: Connection, settings: dict[str, Any], secrets: dict[str, str]
) -> HttpResponse:
    """Judged as a configuration file that says the same, then in force, or asked for (R72).

    Raises ConfigurationRefused and CredentialShared.
    """
    content = {"workspace": request.workspace.name, "connections": {row.name: {"settings": settings}}}
    (given,) = check(content, {row.name: secrets}, applying.known).connections
    reason = request.POST.get("reason", "")
    made = second_person.change_connection(row, given.settings, given.secrets, request.actor, reason)
    if isinstance(made, Approval):
        messages.success(request, "Asked for. It takes effect when a second person approves it.")
        return redirect("approval", workspace=request.workspace.name, approval=made.pk)
    return _done(request, row, changed=bool(made))


def _done(request: WorkspaceRequest, row: Connection, *, changed: bool) -> HttpResponse:
    """Back to the list, where what was changed is tested at once."""
    if not changed:
        messages.success(request, f"{row.name} is as you said already. Nothing was changed.")
        return redirect("connections", workspace=request.workspace.name)
    messages.success(request, f"{row.name} is changed. It signs in anew; its test runs below.")
    return redirect(f"{reverse('connections', args=[request.workspace.name])}?test={row.pk}#connection-{row.pk}")


@needs(Permission.RUN)
@require_POST
def ping(request: WorkspaceRequest, connection: int) -> HttpResponseBase:
    """The steps of the test, each sent as it ends; a script of the page puts them there."""
    row = _connection(request, connection)
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


def _connection(request: WorkspaceRequest, connection: int) -> Connection:
    row = Connection.objects.of(request.workspace).select_related("workspace").filter(pk=connection).first()
    if row is None:
        raise Http404
    return row


def _real(request: WorkspaceRequest, connection: int) -> Connection:
    """One that may be changed: what leads to a stand-in is as the stand-in needs it."""
    row = _connection(request, connection)
    if row.stand_in:
        raise Http404
    return row

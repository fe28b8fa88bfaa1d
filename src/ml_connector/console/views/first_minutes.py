"""The way from nothing to the first Run, step by step. Each step may be left and gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db import connection as database
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ml_connector.console import forms, stand_ins
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.stand_ins import StandInFailed
from ml_connector.console.views import live_preview
from ml_connector.integrations import INTEGRATIONS
from ml_connector.integrations.base import IntegrationSpec, Side
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync import apply as applying
from ml_connector.sync import control, mappings, reference
from ml_connector.sync.configfile import ConfigurationRefused
from ml_connector.sync.configfile.values import NAME
from ml_connector.sync.flows import declaration
from ml_connector.sync.models import Connection, Flow, Integration, RunKind
from ml_connector.sync.queries.first_minutes import begun, connection_name, first_minutes, sides_of
from ml_connector.sync.suggestions import suggest
from ml_connector.workspaces.roles import Permission


@needs(Permission.CONFIGURE)
@require_http_methods(["GET", "POST"])
def choose(request: WorkspaceRequest) -> HttpResponse:
    """Which pair, and a name; or what was begun earlier."""
    if request.method == "GET":
        return _choice(request)
    kind, name = request.POST.get("kind", ""), request.POST.get("name", "").strip()
    if kind not in INTEGRATIONS:
        return _choice(request, error="Choose one of the pairs.", name=name)
    taken = Integration.objects.of(request.workspace).filter(name=name).exists()
    longest = max(len(connection_name(INTEGRATIONS[kind], name, side)) for side in Side)
    if not NAME.fullmatch(name) or longest >= 60:
        text = "Use letters, digits, - _ and . only, at most 50, beginning with a letter or digit."
        return _choice(request, error=text, name=name)
    if taken:
        return _choice(request, error=f"There is an integration {name} already. Choose another name.", name=name)
    return redirect("first_minutes_of", workspace=request.workspace.name, kind=kind, integration=name)


def _choice(request: WorkspaceRequest, *, error: str = "", name: str = "") -> HttpResponse:
    context = {
        "pairs": list(INTEGRATIONS.values()),
        "trials": [spec for spec in INTEGRATIONS.values() if stand_ins.offered(spec)],
        "begun": begun(request.workspace),
        "error": error,
        "name": name,
    }
    return render(request, "console/first_minutes/choose.html", context, status=400 if error else 200)


@needs(Permission.CONFIGURE)
@require_POST
def try_it(request: WorkspaceRequest) -> HttpResponse:
    """Starts stand-ins of a pair and fills in everything up to the test."""
    spec = INTEGRATIONS.get(request.POST.get("kind", ""))
    if spec is None or not stand_ins.offered(spec):
        raise Http404
    try:
        name = stand_ins.begin(request.workspace, spec, request.actor)
    except (StandInFailed, ConfigurationRefused) as reason:
        return _choice(request, error=str(reason))
    return redirect("first_minutes_of", workspace=request.workspace.name, kind=spec.kind, integration=name)


@needs(Permission.CONFIGURE)
@require_POST
def end_trial(request: WorkspaceRequest, kind: str, integration: str) -> HttpResponse:
    """Ends the stand-ins of a trial, with what they hold."""
    row = _integration(request, kind, integration)
    if not (row.erp.stand_in and row.platform.stand_in):
        raise Http404
    stand_ins.end(row, request.actor)
    messages.success(request, f"The stand-ins of {row.name} have ended, and {row.name} is paused.")
    return redirect("first_minutes_of", workspace=request.workspace.name, kind=kind, integration=integration)


@needs(Permission.CONFIGURE)
@require_safe
def show(request: WorkspaceRequest, kind: str, integration: str) -> HttpResponse:
    return render(request, "console/first_minutes/guide.html", _context(request, kind, integration))


@needs(Permission.CONFIGURE)
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def connect(request: WorkspaceRequest, kind: str, integration: str, side: str) -> HttpResponse:
    """The form of one System. When both Connections are there, the Integration is made, and waits."""
    spec = _spec(kind)
    if side not in set(Side) or not NAME.fullmatch(integration):
        raise Http404
    here = Side(side)
    system, rows = spec.system(here), sides_of(request.workspace, spec, integration)
    row, other = rows[here], rows[here.other]
    name = row.name if row is not None else connection_name(spec, integration, here)
    if row is not None and (request.method == "GET" or other is None):
        return redirect("connection_edit", workspace=request.workspace.name, connection=row.pk)
    errors, others = dict[str, str](), list[str]()
    existing = [name] if row is not None else _existing(request, system.name, other)
    if request.method == "POST":
        name = request.POST["existing"] if request.POST.get("existing") in existing else name
        content: dict[str, Any] = {"workspace": request.workspace.name}
        if name not in existing:
            settings = forms.content(system, request.POST, {})
            content["connections"] = {name: {"system": system.name, "settings": settings}}
        if other is not None:
            names = {here.value: name, here.other.value: other.name}
            content["integrations"] = {integration: {"kind": kind, **names, "paused": True}}
        secrets = {name: forms.typed_secrets(system, request.POST)} if name not in existing else {}
        try:
            applying.change(content, secrets, request.actor)
        except ConfigurationRefused as refused:
            errors, others = forms.errors_by_field(refused.faults, name)
        else:
            messages.success(
                request, f"{system.label} is {'used' if name in existing else 'stored'} as connection {name}."
            )
            return redirect("first_minutes_of", workspace=request.workspace.name, kind=kind, integration=integration)
    posted = request.POST if request.method == "POST" else None
    context = {
        "label": system.label,
        "connection": name,
        "existing": existing,
        "kind": kind,
        "integration": integration,
        "groups": forms.groups(system.form, {}, (), posted, errors),
        "errors": errors,
        "others": others,
    }
    return render(request, "console/first_minutes/connect.html", context, status=400 if errors or others else 200)


def _existing(request: WorkspaceRequest, system: str, other: Connection | None) -> list[str]:
    """Connections to a real system of this kind that could be used, once the other side is there."""
    if other is None:
        return []
    rows = Connection.objects.of(request.workspace).filter(system=system, stand_in="")
    return list(rows.order_by("name").values_list("name", flat=True))


@needs(Permission.RUN)
@require_POST
def read(request: WorkspaceRequest, kind: str, integration: str) -> HttpResponseBase:
    """Reads the code lists of both sides, each line sent as it is known."""
    row = _integration(request, kind, integration)
    return StreamingHttpResponse(_reading(row, request.actor), headers={"X-Accel-Buffering": "no"})


def _reading(row: Integration, actor: str) -> Iterator[str]:
    good = True
    try:
        for reading in reference.read_lists(row, actor):
            if reading.ok is not None:
                good = good and reading.ok
                yield render_to_string("console/first_minutes/_reading.html", {"reading": reading})
    finally:
        database.close()
    text = "Both sides' codes are read." if good else "Correct what is said above, then read again."
    yield render_to_string("console/first_minutes/_next.html", {"text": text, "good": good})


@needs(Permission.MAP)
@require_POST
def map_exact(request: WorkspaceRequest, kind: str, integration: str) -> HttpResponse:
    """Publishes the suggestions for codes that are written the same on both sides."""
    row, count = _integration(request, kind, integration), 0
    for spec in declaration(row).mappings:
        exact = {found.source: found.target for found in suggest(row, spec.name) if found.rule == 1}
        if exact:
            mappings.set_entries(row, spec.name, exact, request.actor, "Same code on both sides.")
            count += len(exact)
    messages.success(request, f"Published: {count} codes that are the same on both sides.")
    return redirect("first_minutes_of", workspace=request.workspace.name, kind=kind, integration=integration)


@needs(Permission.RUN)
@require_POST
def preview(request: WorkspaceRequest, kind: str, integration: str) -> HttpResponseBase:
    """What a sync would do, with what is being done as it goes."""
    row = _integration(request, kind, integration)
    lines = live_preview.lines(row, request.actor)
    return StreamingHttpResponse(lines, headers={"X-Accel-Buffering": "no"})


@needs(Permission.CONFIGURE)
@require_POST
def start(request: WorkspaceRequest, kind: str, integration: str) -> HttpResponse:
    """Lets the schedule run, beginning now."""
    row = _integration(request, kind, integration)
    control.set_paused(row, request.actor, paused=False)
    ids = list(Flow.objects.of(request.workspace).filter(integration=row).values_list("pk", flat=True))
    schedule.wake(ids, RunKind.PULL)
    schedule.wake(ids, RunKind.PUSH)
    text = "Its first run begins now." if workers_alive() else "But no worker runs, so nothing is read yet."
    messages.success(request, f"{row.name} is started. {text}")
    return redirect("home", workspace=request.workspace.name)


def _context(request: WorkspaceRequest, kind: str, integration: str) -> dict[str, object]:
    spec = _spec(kind)
    if not NAME.fullmatch(integration):
        raise Http404
    found = first_minutes(request.workspace, spec, integration)
    connections = [row for row in sides_of(request.workspace, spec, integration).values() if row is not None]
    return {
        "view": found,
        "spec": spec,
        "gone": found.stand_ins and not stand_ins.alive(connections),
        "offered": stand_ins.offered(spec),
        "workers": workers_alive(),
    }


def _spec(kind: str) -> IntegrationSpec:
    if kind not in INTEGRATIONS:
        raise Http404
    return INTEGRATIONS[kind]


def _integration(request: WorkspaceRequest, kind: str, name: str) -> Integration:
    rows = Integration.objects.of(request.workspace).select_related(
        "workspace", "erp__workspace", "platform__workspace"
    )
    row = rows.filter(name=name, kind=kind).first()
    if row is None:
        raise Http404
    return row

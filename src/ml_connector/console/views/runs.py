"""Runs and Flows: what was done, what is due, and steering it by hand."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync import control
from ml_connector.sync.models import Flow, Integration, RunKind
from ml_connector.sync.queries.run_page import run_page
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    found = run_page(request.workspace, workers_alive(), int(before) if before.isdecimal() else None)
    part = "console/runs/_runs.html" if request.htmx else "console/runs/page.html"
    return render(request, part, {"page": found, "first": not before})


@needs(Permission.RUN)
@require_POST
def start(request: WorkspaceRequest) -> HttpResponse:
    """Makes Flows due now; with a date, has them read everything from it on."""
    flows = _flows(request)
    since = request.POST.get("since", "")
    if since:
        try:
            day = date.fromisoformat(since)
        except ValueError:
            messages.error(request, f"{since} is no date. Nothing was started.")
            return redirect("runs", workspace=request.workspace.name)
        for flow in flows:
            control.read_again(flow, day, request.actor)
    ids = [flow.pk for flow in flows]
    schedule.wake(ids, RunKind.PULL)
    schedule.wake(ids, RunKind.PUSH)
    names = ", ".join(flow.name for flow in flows)
    messages.success(request, f"Due now: {names}." if workers_alive() else f"Due now: {names}. But no worker runs.")
    return redirect("runs", workspace=request.workspace.name)


@needs(Permission.RUN)
@require_POST
def pause(request: WorkspaceRequest) -> HttpResponse:
    """Pauses or resumes an Integration or one Flow. What is resumed is due at once."""
    paused = request.POST.get("paused") == "yes"
    flows = _flows(request)
    whole = "flow" not in request.POST
    row: Integration | Flow = flows[0].integration if whole else flows[0]
    if control.set_paused(row, request.actor, paused=paused) and not paused:
        schedule.wake([flow.pk for flow in flows], RunKind.PULL)
        schedule.wake([flow.pk for flow in flows], RunKind.PUSH)
    messages.success(request, f"{row.name} is {'paused' if paused else 'running'}.")
    return redirect("runs", workspace=request.workspace.name)


def _flows(request: WorkspaceRequest) -> list[Flow]:
    """The Flow that a form names, or all of the Integration that it names."""
    rows = Flow.objects.of(request.workspace).filter(integration__name=request.POST.get("integration", ""))
    if "flow" in request.POST:
        rows = rows.filter(name=request.POST["flow"])
    found = list(rows.select_related("workspace", "integration__workspace").order_by("position"))
    if not found:
        raise Http404
    return found

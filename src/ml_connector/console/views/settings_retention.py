"""Settings: for how long things are kept, and the legal holds."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.sync import holds, retention, second_person, trail_retention
from ml_connector.sync.holds import HoldRefused
from ml_connector.sync.models import Hold, HoldKind, Integration
from ml_connector.sync.retention import FOR_EVER, LEAST, MOST, YearsRefused
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest) -> HttpResponse:
    """What would go is counted only where it is asked for: it reads every old document."""
    wanted = request.GET.get("preview") == "yes"
    report = retention.preview(request.workspace) if wanted else None
    return _page(request, report=report, trail=trail_retention.preview(request.workspace) if wanted else None)


@needs(Permission.CONFIGURE)
@require_POST
def years(request: WorkspaceRequest) -> HttpResponse:
    documents, wire, trail = (request.POST.get(name, "") for name in ("documents", "wire", "audit"))
    if not all(text.isdecimal() and len(text) < 4 and int(text) for text in (documents, wire, trail or str(MOST))):
        return _page(request, error=f"Give whole years, from {LEAST} to {MOST}.", status=400)
    try:
        asked = second_person.set_years(
            request.workspace,
            request.actor,
            documents=int(documents),
            wire=int(wire),
            trail=int(trail) if trail else FOR_EVER,
        )
    except YearsRefused as refused:
        return _page(request, error=str(refused), status=400)
    if asked is not None:
        messages.success(request, "To keep something for a shorter time needs a second person. It waits for one.")
        return redirect("approval", workspace=request.workspace.name, approval=asked.pk)
    messages.success(request, "The years are set. What is older goes with the next daily removal.")
    return redirect("settings_retention", workspace=request.workspace.name)


@needs(Permission.CONFIGURE)
@require_POST
def hold(request: WorkspaceRequest) -> HttpResponse:
    try:
        row = _set(request)
    except HoldRefused as refused:
        return _page(request, error=str(refused), status=400)
    messages.success(request, f"Hold {row.pk} is on {row.label}: nothing of it is removed.")
    return redirect("settings_retention", workspace=request.workspace.name)


@needs(Permission.CONFIGURE)
@require_POST
def lift(request: WorkspaceRequest, hold: int) -> HttpResponse:
    try:
        row = holds.lift(request.workspace, hold, request.POST.get("reason", ""), request.actor)
    except HoldRefused as refused:
        return _page(request, error=str(refused), status=400)
    messages.success(request, f"Hold {row.pk} on {row.label} is lifted.")
    return redirect("settings_retention", workspace=request.workspace.name)


def _set(request: WorkspaceRequest) -> Hold:
    kind, on, reason = (request.POST.get(name, "").strip() for name in ("kind", "on", "reason"))
    if kind == HoldKind.WORKSPACE:
        return holds.hold_workspace(request.workspace, reason, request.actor)
    if kind == HoldKind.RECORD:
        if not on.isdecimal() or len(on) > 18:
            raise HoldRefused("Give the record by its number here, which its page says.")
        return holds.hold_record(request.workspace, int(on), reason, request.actor)
    if kind != HoldKind.SUPPLIER:
        raise HoldRefused("Choose what the hold is on.")
    rows = Integration.objects.of(request.workspace).select_related("workspace", "erp", "platform")
    integration = rows.filter(name=request.POST.get("integration", "")).first()
    if integration is None:
        raise HoldRefused("Choose the Integration that the supplier is of.")
    return holds.hold_supplier(integration, on, reason, request.actor)


def _given(request: WorkspaceRequest) -> dict[str, str]:
    """What the form of a hold begins with: a record's number from its page, or what was refused."""
    if "kind" in request.POST:
        return {name: request.POST.get(name, "")[:500] for name in ("kind", "on", "integration", "reason")}
    record = request.GET.get("record", "")[:18]
    return {"kind": "record", "on": record} if record else {}


def _page(
    request: WorkspaceRequest, *, error: str = "", report: Any = None, trail: Any = None, status: int = 200
) -> HttpResponse:
    rows = holds.in_force(request.workspace)
    request.workspace.refresh_from_db(fields=retention.YEARS)
    context = {
        "least": LEAST,
        "most": MOST,
        "report": report,
        "trail": trail,
        "holds": rows,
        "names": people.names_of(row.set_by for row in rows),
        "integrations": list(Integration.objects.of(request.workspace).order_by("name").values_list("name", flat=True)),
        "given": _given(request),
        "error": error,
    }
    return render(request, "console/settings/retention.html", context, status=status)

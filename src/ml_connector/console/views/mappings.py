"""Mappings: each a grid, what documents wait for first."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.sync import second_person
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.models import Approval, Integration
from ml_connector.sync.queries.mapping_page import mapping_list, mapping_view
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    return render(request, "console/mappings/list.html", {"rows": mapping_list(request.workspace)})


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest, integration: str, name: str) -> HttpResponse:
    return _page(request, integration, name)


@needs(Permission.MAP)
@require_POST
def publish(request: WorkspaceRequest, integration: str, name: str) -> HttpResponse:
    """Publishes one new version of what was changed in the grid: all of it or nothing."""
    row = integration_named(request, integration)
    before = _fields(request, "was:")
    changed = {code: value or None for code, value in _fields(request, "to:").items() if value != before.get(code, "")}
    if not changed:
        return _page(request, integration, name, error="Nothing was changed in the grid.", status=400)
    try:
        starts = date.fromisoformat(request.POST["from"]) if request.POST.get("from") else None
        made = second_person.publish_mapping(row, name, changed, request.actor, request.POST.get("reason", ""), starts)
    except MappingRefused as refused:
        return _page(request, integration, name, error=str(refused), status=400)
    except ValueError:
        return _page(request, integration, name, error=f"{request.POST['from']} is no date.", status=400)
    if isinstance(made, Approval):
        return asked_for(request, made)
    address = reverse("mapping", args=[request.workspace.name, integration, name])
    back = "&back=first" if request.GET.get("back") == "first" else ""
    return redirect(f"{address}?published={len(changed)}{back}")


def asked_for(request: WorkspaceRequest, approval: Approval) -> HttpResponse:
    """To the request that waits for a second person."""
    messages.success(request, "Asked for. It is published when a second person approves it.")
    return redirect("approval", workspace=request.workspace.name, approval=approval.pk)


def _page(
    request: WorkspaceRequest, integration: str, name: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    row = integration_named(request, integration)
    only = request.GET.get("only", "")
    page = request.GET.get("page", "")
    try:
        found = mapping_view(
            row, name, search=request.GET.get("q", ""), only=only, page=int(page) if page.isdecimal() else 1
        )
    except MappingRefused as refused:
        raise Http404 from refused
    published = request.GET.get("published", "")
    context = {
        "view": found,
        "only": only,
        "q": request.GET.get("q", ""),
        "error": error,
        "given": _fields(request, "to:"),
        "published": published if published.isdecimal() else "",
        "back": request.GET.get("back") == "first",
        "kind": row.kind,
    }
    return render(request, "console/mappings/page.html", context, status=status)


def _fields(request: WorkspaceRequest, begins: str) -> dict[str, str]:
    """The grid's fields of one kind, by code."""
    return {
        name.removeprefix(begins): str(value).strip() for name, value in request.POST.items() if name.startswith(begins)
    }


def integration_named(request: WorkspaceRequest, name: str) -> Integration:
    rows = Integration.objects.of(request.workspace).select_related("workspace", "erp", "platform")
    row = rows.filter(name=name).first()
    if row is None:
        raise Http404
    return row

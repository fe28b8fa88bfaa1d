"""A Mapping as a file, out and in, and its versions: compared, and an earlier one made the newest again."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_connector import audit, clock
from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.views.mappings import asked_for, integration_named
from ml_connector.sync import mapping_files, mapping_history, mappings
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.mapping_files import FileRefused
from ml_connector.sync.models import Approval, Integration
from ml_connector.sync.queries.mapping_page import readable, summary
from ml_connector.workspaces.roles import Permission

MOST = 1024 * 1024
"""Bytes of a file that are read."""
FAULTS_SHOWN = 100


@needs(Permission.VIEW)
@require_safe
def export(request: WorkspaceRequest, integration: str, name: str) -> HttpResponse:
    """The file that `mapping export` writes."""
    row = integration_named(request, integration)
    stream = io.StringIO(newline="")
    try:
        mapping_files.export_csv(row, name, stream)
    except MappingRefused as refused:
        raise Http404 from refused
    if request.method == "GET":
        audit.note(request.workspace, request.actor, "export", f"integration:{row.pk}", what=f"mapping {name}")
    answer = HttpResponse(stream.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer["content-disposition"] = f'attachment; filename="{row.name}-{name}.csv"'
    return answer


@needs(Permission.MAP)
@require_POST
def ask(request: WorkspaceRequest, integration: str, name: str) -> HttpResponse:
    """What a file would change, before anything happens."""
    _exists(request, integration, name)
    given = request.FILES.get("file")
    if given is None:
        return _import_page(request, integration, name, faults=["Choose a file. Nothing was changed."])
    if (given.size or 0) > MOST:
        text = f"The file has {given.size or 0:,} bytes; {MOST:,} are read. Split it: codes that it does not name stay."
        return _import_page(request, integration, name, faults=[text])
    return _preview(request, integration, name, given.read(), (given.name or "file")[:100])


@needs(Permission.MAP)
@require_POST
def publish(request: WorkspaceRequest, integration: str, name: str) -> HttpResponse:
    """Publishes the file that was looked at as one version; not where the Mapping changed meanwhile."""
    row = _exists(request, integration, name)
    content, file_name = request.POST.get("content", ""), request.POST.get("file_name", "file")[:100]
    newest = next((version.number for version in mappings.history(row, name)), 0)
    if request.POST.get("version") != str(newest):
        text = "Somebody published a version meanwhile. Look at the changes again, then publish them."
        return _preview(request, integration, name, content, file_name, faults=[text], status=409)
    try:
        starts = date.fromisoformat(request.POST["from"]) if request.POST.get("from") else clock.now().date()
        made = mapping_files.import_csv(
            row, name, content, file_name, request.actor, request.POST.get("reason", ""), starts
        )
    except (FileRefused, MappingRefused) as refused:
        return _import_page(request, integration, name, faults=str(refused).split("\n"))
    except ValueError:
        text = f"{request.POST['from']} is no date. Nothing was changed."
        return _preview(request, integration, name, content, file_name, faults=[text], status=400)
    if isinstance(made, Approval):
        return asked_for(request, made)
    messages.success(request, f"Version {made.number} is published. What waited is judged again at the next run.")
    return redirect(reverse("mapping", args=[request.workspace.name, integration, name]))


@needs(Permission.VIEW)
@require_safe
def versions(request: WorkspaceRequest, integration: str, name: str) -> HttpResponse:
    """The history, and the difference between two versions."""
    return _versions_page(request, integration, name)


@needs(Permission.MAP)
@require_POST
def restore(request: WorkspaceRequest, integration: str, name: str) -> HttpResponse:
    """Makes an earlier version the newest."""
    row = _exists(request, integration, name)
    number = request.POST.get("version", "")
    try:
        made = mapping_history.restore(row, name, int(number) if number.isdecimal() else -1, request.actor)
    except MappingRefused as refused:
        return _versions_page(request, integration, name, error=str(refused), status=400)
    if isinstance(made, Approval):
        return asked_for(request, made)
    messages.success(request, f"Version {number} is in force again, as version {made.number}.")
    return redirect(reverse("mapping_versions", args=[request.workspace.name, integration, name]))


def _preview(
    request: WorkspaceRequest,
    integration: str,
    name: str,
    content: str | bytes,
    file_name: str,
    *,
    faults: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    row = _exists(request, integration, name)
    try:
        text = mapping_files.decoded(content, file_name)
        found = mapping_files.preview_csv(row, name, text, file_name)
    except (FileRefused, MappingRefused) as refused:
        return _import_page(request, integration, name, faults=str(refused).split("\n"))
    changes = readable(row, name, found.changes)
    more = {"found": found, "changes": changes, "content": text, "file_name": file_name}
    return _import_page(request, integration, name, faults=faults or [], status=status, **more)


def _import_page(
    request: WorkspaceRequest, integration: str, name: str, *, faults: list[str], status: int = 400, **more: Any
) -> HttpResponse:
    context = {
        "summary": summary(_exists(request, integration, name), name),
        "faults": faults[:FAULTS_SHOWN],
        "more_faults": max(len(faults) - FAULTS_SHOWN, 0),
        "given": request.POST,
        **more,
    }
    return render(request, "console/mappings/import.html", context, status=status)


def _versions_page(
    request: WorkspaceRequest, integration: str, name: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    row = _exists(request, integration, name)
    rows = mappings.history(row, name)
    newest = rows[0].number if rows else 0
    later = _number(request, "to", newest)
    earlier = _number(request, "from", max(later - 1, 0))
    try:
        changes = readable(row, name, mapping_history.difference(row, name, earlier, later))
    except MappingRefused as refused:
        raise Http404 from refused
    context = {
        "summary": summary(row, name),
        "versions": rows,
        "names": people.names_of(version.published_by for version in rows),
        "earlier": earlier,
        "later": later,
        "newest": newest,
        "changes": changes,
        "error": error,
    }
    return render(request, "console/mappings/versions.html", context, status=status)


def _number(request: WorkspaceRequest, name: str, otherwise: int) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 9 else otherwise


def _exists(request: WorkspaceRequest, integration: str, name: str) -> Integration:
    """The Integration, where it has this Mapping."""
    row = integration_named(request, integration)
    try:
        mappings.spec_of(row, name)
    except MappingRefused as refused:
        raise Http404 from refused
    return row

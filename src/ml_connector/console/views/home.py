"""Is everything well?"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.queries import plain
from ml_connector.sync.queries.approval_page import waiting_for
from ml_connector.sync.queries.home import home
from ml_connector.workspaces.roles import Permission, may


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest) -> HttpResponse:
    found = home(request.workspace, workers_alive())
    part = "console/home/_content.html" if request.htmx else "console/home/page.html"
    approvals = 0
    if may(request.membership.role, Permission.APPROVE):
        approvals = waiting_for(request.workspace, request.actor)
    return render(request, part, {"home": found, "chart": plain(found.days), "approvals": approvals})

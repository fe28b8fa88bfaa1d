"""How far a Task is: a part of pages that asks again by itself."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import Task
from ml_connector.sync.tasks import TaskRow, shown
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest, task: int) -> HttpResponse:
    """The bar; when the Task has ended, the page around it comes anew."""
    found = Task.objects.of(request.workspace).filter(pk=task).first()
    if found is None:
        raise Http404
    now = row(found)
    if request.htmx and not now.under_way:
        return HttpResponseClientRefresh()
    return render(request, "console/tasks/_task.html", {"task": now})


def row(task: Task) -> TaskRow:
    return shown(task, worker=bool(workers_alive()))

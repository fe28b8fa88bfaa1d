"""Records: the list and its search, one of them, and its replay."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_connector import clock
from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.views import replaying
from ml_connector.sync import control
from ml_connector.sync import replay as replaying_records
from ml_connector.sync.models import State
from ml_connector.sync.queries.record_list import MATCHES, record_page
from ml_connector.sync.queries.record_page import record_view
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    found = record_page(
        request.workspace,
        search=request.GET.get("q", "").strip()[:120],
        state=state if state in State.values else "",
        type_name=request.GET.get("type", ""),
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    context = {
        "page": found,
        "q": request.GET.get("q", ""),
        "state": state,
        "type": request.GET.get("type", ""),
        "states": State.values,
        "first": not before,
        "matches": MATCHES,
    }
    part = "console/records/_list.html" if request.htmx else "console/records/list.html"
    return render(request, part, context)


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest, record: int) -> HttpResponse:
    return _page(request, record)


@needs(Permission.SOLVE)
@require_POST
def replay(request: WorkspaceRequest, record: int) -> HttpResponse:
    """Has the Record judged and, where needed, sent again; the page follows it."""
    if record_view(request.workspace, record) is None:
        raise Http404
    started = clock.now()
    said = replaying_records.replay(request.workspace, [record], request.actor)
    query = replaying.begin([record], control.flows_of_records(request.workspace, [record]), started)
    if not request.htmx:
        return redirect(f"{reverse('record', args=[request.workspace.name, record])}?{query}")
    request.GET = type(request.GET)(query)
    return _page(request, record, said=said.get(record, ""))


def _page(request: WorkspaceRequest, record: int, *, said: str = "") -> HttpResponse:
    found = record_view(request.workspace, record)
    if found is None:
        raise Http404
    context = {
        "view": found,
        "story": found.story,
        "record": found.story.record,
        "names": people.names_of(
            [*(event.actor for event in found.story.events), *(row.set_by for row in found.holds)]
        ),
        "replay": replaying.followed(request),
        "query": request.GET.urlencode(),
        "said": said,
    }
    part = "console/records/_record.html" if request.htmx else "console/records/page.html"
    return render(request, part, context)

"""Tie-out: do both sides agree on what is owed; and the packs of closed periods."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection as database
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from ml_connector import audit, clock
from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.views import tasks as following
from ml_connector.sync import packs, results, tasks
from ml_connector.sync.differences import Reason
from ml_connector.sync.models import Integration, Pack, StoredTieOut, TaskKind
from ml_connector.sync.queries import tie_out_page as pages
from ml_connector.sync.tieout import last_day
from ml_connector.workspaces.roles import Permission

STALE = timedelta(hours=24)
"""Older results are shown with a warning."""


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    rows = pages.integrations(request.workspace)
    if len(rows) == 1:
        return redirect("tie_out", workspace=request.workspace.name, integration=rows[0].name)
    return render(request, "console/tie_out/list.html", {"rows": rows})


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest, integration: str) -> HttpResponse:
    return _page(request, _integration(request, integration), request.GET.get("period", ""))


@needs(Permission.RUN)
@require_POST
def compute(request: WorkspaceRequest, integration: str) -> HttpResponse:
    """Has a worker compare both sides; the page shows how far it is."""
    return _asked(request, _integration(request, integration), TaskKind.TIE_OUT)


@needs(Permission.SOLVE)
@require_POST
def freeze(request: WorkspaceRequest, integration: str) -> HttpResponse:
    """Has a worker freeze a period that is over."""
    row = _integration(request, integration)
    try:
        packs.period_given(request.workspace, request.POST.get("period", ""))
    except packs.NotFrozen as refused:
        return _page(request, row, "", error=str(refused), status=400)
    return _asked(request, row, TaskKind.FREEZE)


@needs(Permission.VIEW)
@require_safe
def lines(request: WorkspaceRequest, result: int) -> HttpResponse:
    """Differences: of one supplier, of one reason, or all; each leads to its Record."""
    stored = _stored(request, result)
    if stored is None:
        return redirect("tie_outs", workspace=request.workspace.name)
    row, reason = _number(request.GET.get("row")), request.GET.get("reason", "")
    after = _number(request.GET.get("after")) or 0
    supplier = pages.supplier(stored, row) if row else None
    if row and supplier is None:
        raise Http404
    context = {
        "head": pages.head(stored),
        "supplier": supplier,
        "reason": reason,
        "reasons": [one.value for one in Reason],
        "page": pages.differences(stored, row=row, reason=reason, after=after),
        "pack": _pack_of(stored),
        "first": not after,
    }
    return render(request, "console/tie_out/lines.html", context)


@needs(Permission.VIEW)
@require_POST
def table(request: WorkspaceRequest, result: int) -> HttpResponseBase:
    """The kept tie-out as CSV. That it was taken out stands in the trail."""
    stored = _stored(request, result)
    if stored is None:
        return redirect("tie_outs", workspace=request.workspace.name)
    what = f"tie-out {stored.integration.name} {stored.period}".strip()
    audit.note(request.workspace, request.actor, "export", f"integration:{stored.integration_id}", what=what)
    name = f"tie-out-{stored.integration.name}-{stored.period or f'{stored.made_at:%Y-%m-%d}'}.csv"
    return StreamingHttpResponse(
        _and_close(pages.csv_lines(stored)), content_type="text/csv; charset=utf-8", headers=_attached(name)
    )


@needs(Permission.VIEW)
@require_safe
def pack(request: WorkspaceRequest, pack: int) -> HttpResponse:
    """A frozen pack as it stood, and what has changed since."""
    row = _pack(request, pack)
    now = results.newest(row.integration, row.period)
    later = now is not None and now.made_at > row.frozen_at
    context = {
        "pack": row,
        "head": pages.head(row.tie_out),
        "now": now if later else None,
        "changes": packs.changes(row, now) if later and now is not None else [],
        "at_most": packs.CHANGES,
        "problems": packs.problems_of(row),
        "newer": Pack.objects.of(request.workspace).filter(
            integration=row.integration_id, period=row.period, pk__gt=row.pk
        ).order_by("-pk").values_list("pk", flat=True).first(),
        "task": _task(request, row.integration, TaskKind.TIE_OUT, row.period),
        "names": people.names_of([row.frozen_by]),
        **_list_of_suppliers(request, row.tie_out),
    }  # fmt: skip
    return render(request, "console/tie_out/pack.html", context)


@needs(Permission.VIEW)
@require_POST
def pack_file(request: WorkspaceRequest, pack: int) -> HttpResponse:
    """The file of a pack, if it is still what was frozen."""
    row = _pack(request, pack)
    try:
        content = packs.file_of(row)
    except packs.PackDamaged as damaged:
        return render(request, "console/failure.html", {"title": "Not what was frozen", "text": damaged}, status=409)
    audit.note(request.workspace, request.actor, "export", f"pack:{row.pk}", what="pack", hash=row.hash)
    return HttpResponse(content, content_type="application/json", headers=_attached(packs.file_name(row)))


def _page(
    request: WorkspaceRequest, integration: Integration, period: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    if period and not _is_period(period):
        error, period, status = f"{period} is no period. Write the year and the month, for example 2026-10.", "", 400
    stored = results.newest(integration, period)
    context: dict[str, Any] = {
        "integration": integration.name,
        "period": period,
        "last_month": f"{(timezone.localdate(clock.now()).replace(day=1) - timedelta(days=1)):%Y-%m}",
        "this_month": f"{timezone.localdate(clock.now()):%Y-%m}",
        "head": pages.head(stored) if stored else None,
        "stale": stored is not None and clock.now() - stored.made_at > STALE,
        "packs": (found := packs.packs_of(request.workspace, integration)),
        "task": _task(request, integration, TaskKind.TIE_OUT, period),
        "freezing": _freezing(request, integration),
        "names": people.names_of(one.frozen_by for one in found),
        "error": error,
        **(_list_of_suppliers(request, stored) if stored else {}),
    }
    return render(request, "console/tie_out/page.html", context, status=status)


def _list_of_suppliers(request: WorkspaceRequest, stored: StoredTieOut) -> dict[str, Any]:
    shown, search = request.GET.get("show", "differences"), request.GET.get("q", "").strip()[:100]
    after = _number(request.GET.get("after")) or 0
    page = pages.suppliers(
        stored, show=shown, search=search, currency=request.GET.get("currency", "")[:10], after=after
    )
    return {"page": page, "show": shown, "shows": list(pages.SHOW), "q": search, "first": not after}


def _asked(request: WorkspaceRequest, integration: Integration, kind: TaskKind) -> HttpResponse:
    period = request.POST.get("period", "")
    if period and not _is_period(period):
        return _page(request, integration, period)
    tasks.ask(request.workspace, kind, tasks.about(integration, period), request.actor)
    back = request.POST.get("pack", "")
    if back.isdecimal():
        return redirect("pack", workspace=request.workspace.name, pack=int(back))
    address = reverse("tie_out", args=[request.workspace.name, integration.name])
    return redirect(f"{address}?period={period}" if period and kind is TaskKind.TIE_OUT else address)


def _task(request: WorkspaceRequest, integration: Integration, kind: TaskKind, period: str) -> tasks.TaskRow | None:
    """The Task that is under way, or the last one if it failed."""
    task = tasks.latest(request.workspace, kind, tasks.about(integration, period))
    return following.row(task) if task and task.state != "done" else None


def _freezing(request: WorkspaceRequest, integration: Integration) -> tasks.TaskRow | None:
    task = tasks.latest_of(request.workspace, TaskKind.FREEZE, f"{tasks.about(integration)} ")
    return following.row(task) if task and task.state != "done" else None


def _integration(request: WorkspaceRequest, name: str) -> Integration:
    row = Integration.objects.of(request.workspace).select_related("workspace").filter(name=name).first()
    if row is None:
        raise Http404
    return row


def _stored(request: WorkspaceRequest, key: int) -> StoredTieOut | None:
    """None where it was computed anew meanwhile."""
    return StoredTieOut.objects.of(request.workspace).select_related("integration").filter(pk=key).first()


def _pack(request: WorkspaceRequest, key: int) -> Pack:
    rows = Pack.objects.of(request.workspace).select_related("integration__workspace", "tie_out__integration")
    row = rows.filter(pk=key).first()
    if row is None:
        raise Http404
    return row


def _pack_of(stored: StoredTieOut) -> int | None:
    rows = Pack.objects.of(stored.workspace_id).filter(tie_out=stored)
    return rows.values_list("pk", flat=True).first()


def _is_period(text: str) -> bool:
    try:
        last_day(text)
    except ValueError:
        return False
    return True


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _and_close(lines: Any) -> Any:
    try:
        yield from lines
    finally:
        database.close()

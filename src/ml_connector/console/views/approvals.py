"""Approvals: what waits for a second person, and the word of one."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.sync import second_person
from ml_connector.sync.models import Approval
from ml_connector.sync.queries.approval_page import ApprovalRow, approval_page, approval_view
from ml_connector.workspaces.roles import Permission, may


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    found = approval_page(
        request.workspace,
        request.actor,
        may_approve=may(request.membership.role, Permission.APPROVE),
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    names = people.names_of(_actors([*found.for_me, *found.mine, *found.others, *found.decided]))
    return render(request, "console/approvals/list.html", {"page": found, "names": names, "first": not before})


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest, approval: int) -> HttpResponse:
    return _page(request, approval)


@needs(Permission.APPROVE)
@require_POST
def approve(request: WorkspaceRequest, approval: int) -> HttpResponse:
    row = _row(request, approval)
    return _decided(request, row, lambda reason: second_person.approve(row, request.actor, reason))


@needs(Permission.APPROVE)
@require_POST
def refuse(request: WorkspaceRequest, approval: int) -> HttpResponse:
    row = _row(request, approval)

    def decide(reason: str) -> str:
        second_person.refuse(row, request.actor, reason)
        return "Refused. Nothing of it is done."

    return _decided(request, row, decide)


@needs(Permission.VIEW)
@require_POST
def withdraw(request: WorkspaceRequest, approval: int) -> HttpResponse:
    """Taken back by who asked for it, whatever their role is by now."""
    row = _row(request, approval)

    def decide(reason: str) -> str:
        second_person.withdraw(row, request.actor, reason)
        return "Withdrawn. Nothing of it is done."

    return _decided(request, row, decide)


def _decided(request: WorkspaceRequest, row: Approval, decide: Callable[[str], str]) -> HttpResponse:
    try:
        said = decide(request.POST.get("reason", ""))
    except second_person.REFUSALS as refused:
        return _page(request, row.pk, error=str(refused), status=409)
    messages.success(request, said)
    return redirect("approval", workspace=request.workspace.name, approval=row.pk)


def _page(request: WorkspaceRequest, key: int, *, error: str = "", status: int = 200) -> HttpResponse:
    found = approval_view(request.workspace, key)
    if found is None:
        raise Http404
    context = {
        "view": found,
        "names": people.names_of(_actors([found.row])),
        "own": found.row.asked_by == request.actor,
        "error": error,
        "given": request.POST,
    }
    return render(request, "console/approvals/page.html", context, status=status)


def _row(request: WorkspaceRequest, key: int) -> Approval:
    row = Approval.objects.of(request.workspace).select_related("workspace").filter(pk=key).first()
    if row is None:
        raise Http404
    return row


def _actors(rows: list[ApprovalRow]) -> set[str]:
    return {actor for row in rows for actor in (row.asked_by, row.decided_by)}

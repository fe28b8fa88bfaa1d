"""Settings of a Workspace: its time zone, its people, and the tokens of programs."""

from __future__ import annotations

import zoneinfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_connector import audit, clock, tokens
from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.people import PeopleRefused
from ml_connector.tokens import TokenRefused
from ml_connector.workspaces.roles import MAY, Permission, Role

LASTING = (30, 90, 180, 366)
"""Days that the page offers for a token."""


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest) -> HttpResponse:
    return _page(request)


@needs(Permission.CONFIGURE)
@require_POST
def time_zone(request: WorkspaceRequest) -> HttpResponse:
    name = request.POST.get("time_zone", "")
    if name not in zoneinfo.available_timezones():
        return _page(request, error=f"{name} is no time zone. Choose one of the list.", status=400)
    with audit.recording(request.workspace, actor=request.actor) as trail:
        request.workspace.time_zone = name
        request.workspace.save(update_fields=["time_zone"])
        trail.add("config_change", f"workspace:{request.workspace.pk}", fields=["time_zone"])
    messages.success(request, f"Times are shown in {name} now.")
    return redirect("settings", workspace=request.workspace.name)


@needs(Permission.PEOPLE)
@require_POST
def invite(request: WorkspaceRequest) -> HttpResponse:
    """Only an owner makes owners. The link is shown once, to be handed over."""
    email, role = request.POST.get("email", ""), request.POST.get("role", "")
    if not _may_change(request, email, role):
        return _page(request, error="Only an owner makes, changes or removes owners.", status=403)
    try:
        code = people.invite(request.workspace, email, role, request.actor)
    except PeopleRefused as refused:
        return _page(request, error=str(refused), status=400)
    if not code:
        messages.success(request, f"{email} is {role} now.")
        return redirect("settings", workspace=request.workspace.name)
    return _page(request, link=f"{request.build_absolute_uri(reverse('join'))}#{code}", invited=email)


@needs(Permission.PEOPLE)
@require_POST
def remove(request: WorkspaceRequest) -> HttpResponse:
    email = request.POST.get("email", "")
    if not _may_change(request, email, ""):
        return _page(request, error="Only an owner makes, changes or removes owners.", status=403)
    try:
        people.remove(request.workspace, email, request.actor)
    except PeopleRefused as refused:
        return _page(request, error=str(refused), status=400)
    messages.success(request, f"{email} is no longer in this workspace.")
    return redirect("start")


@needs(Permission.CONFIGURE)
@require_POST
def make_token(request: WorkspaceRequest) -> HttpResponse:
    """The token is shown in this answer and never again."""
    name, days = request.POST.get("name", "").strip(), request.POST.get("days", "")
    try:
        text = tokens.make(
            request.workspace, name, request.POST.getlist("scope"), int(days) if days.isdecimal() else 0, request.actor
        )
    except TokenRefused as refused:
        return _page(request, error=str(refused), status=400)
    return _page(request, token=text, token_name=name)


@needs(Permission.CONFIGURE)
@require_POST
def revoke_token(request: WorkspaceRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        tokens.revoke(request.workspace, name, request.actor)
    except TokenRefused as refused:
        return _page(request, error=str(refused), status=400)
    messages.success(request, f"The token {name} is good for nothing any more.")
    return redirect("settings", workspace=request.workspace.name)


@needs(Permission.PEOPLE)
@require_POST
def reset(request: WorkspaceRequest) -> HttpResponse:
    """A link by which somebody chooses a new password, shown once, to be handed over."""
    email = request.POST.get("email", "")
    if not _may_change(request, email, ""):
        return _page(request, error="Only an owner makes a link for an owner.", status=403)
    lost = request.POST.get("second_factor") == "yes"
    try:
        code = people.reset_link(request.workspace, email, request.actor, without_second_factor=lost)
    except PeopleRefused as refused:
        return _page(request, error=str(refused), status=400)
    return _page(request, link=f"{request.build_absolute_uri(reverse('join'))}#{code}", invited=email)


def _may_change(request: WorkspaceRequest, email: str, role: str) -> bool:
    now = {row.email: row.role for row in people.members(request.workspace)}
    touches_owner = Role.OWNER in {role, now.get(email.strip().lower(), "")}
    return request.membership.role == Role.OWNER or not touches_owner


def _page(
    request: WorkspaceRequest,
    *,
    error: str = "",
    link: str = "",
    invited: str = "",
    token: str = "",
    token_name: str = "",
    status: int = 200,
) -> HttpResponse:
    programs = tokens.listed(request.workspace)
    context = {
        "tokens": [(row, row.good(clock.now())) for row in programs],
        "token": token,
        "token_name": token_name,
        "scopes": tokens.SCOPES,
        "lasting": LASTING,
        "names": people.names_of(row.made_by for row in programs),
        "members": people.members(request.workspace),
        "roles": Role.values,
        "table": [(permission, [permission in MAY[role] for role in Role]) for permission in Permission],
        "zones": sorted(zoneinfo.available_timezones()),
        "error": error,
        "link": link,
        "invited": invited,
    }
    return render(request, "console/settings/page.html", context, status=status)

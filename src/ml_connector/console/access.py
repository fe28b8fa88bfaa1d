"""Who may call a view: each says so itself, and a test walks all of them (R74).

@needs(Permission.SOLVE)                a member of the Workspace in the address whose role may do it
@signed_in                              anybody who is signed in
@public                                 anybody
"""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from ml_connector.workspaces.models import Membership, Person, Workspace
from ml_connector.workspaces.roles import Permission, may

P = ParamSpec("P")
PUBLIC, SIGNED_IN = "public", "signed in"


class PersonRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: Person
    htmx: HtmxDetails


class WorkspaceRequest(PersonRequest):
    """A request within a Workspace by one of its members."""

    workspace: Workspace
    membership: Membership

    @property
    def actor(self) -> str:
        return self.user.actor


View = Callable[Concatenate[WorkspaceRequest, P], HttpResponseBase]


def needs(permission: Permission) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """A stranger of the Workspace is answered like for one that does not exist; a member who may not, 403."""

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def checked(request: HttpRequest, workspace: str, **parts: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            rows = Membership.objects.across_workspaces().select_related("workspace")
            place = rows.filter(person_id=request.user.pk, workspace__name=workspace).first()
            if place is None:
                raise Http404
            if not may(place.role, permission):
                raise PermissionDenied(f"The role {place.role} may not do this.")
            request.workspace, request.membership = place.workspace, place  # type: ignore[attr-defined]
            request.actor = request.user.actor  # type: ignore[attr-defined]
            with timezone.override(zone_of(place.workspace)):
                response = view(cast(WorkspaceRequest, request), **parts)  # type: ignore[call-arg]
                # Rendered here, within the Workspace's time zone.
                return response.render() if hasattr(response, "render") else response

        checked.access = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @functools.wraps(view)
    def checked(request: HttpRequest, *arguments: Any, **parts: Any) -> HttpResponseBase:
        return view(request, *arguments, **parts) if request.user.is_authenticated else _to_sign_in(request)

    checked.access = SIGNED_IN  # type: ignore[attr-defined]
    return checked


def public(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @functools.wraps(view)
    def checked(request: HttpRequest, *arguments: Any, **parts: Any) -> HttpResponseBase:
        return view(request, *arguments, **parts)

    checked.access = PUBLIC  # type: ignore[attr-defined]
    return checked


def zone_of(workspace: Workspace) -> zoneinfo.ZoneInfo:
    """The zone that a Workspace's people are shown times in; UTC where its name is none of this machine's."""
    try:
        return zoneinfo.ZoneInfo(workspace.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """A part of a page that is asked for after the session has ended leads the whole page to the sign-in."""
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(reverse("account_login"))
    return redirect_to_login(request.get_full_path())

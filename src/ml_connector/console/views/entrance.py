"""The way in: which Workspace, and the one-time links."""

from __future__ import annotations

import zoneinfo

from allauth.core import ratelimit
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from ml_connector.console import people
from ml_connector.console.access import PersonRequest, public, signed_in
from ml_connector.console.people import Joining, PeopleRefused
from ml_connector.workspaces.models import Invitation, Membership, Workspace

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@signed_in
@require_safe
def start(request: PersonRequest) -> HttpResponse:
    """The person's only Workspace, or the choice among several."""
    rows = Membership.objects.across_workspaces().filter(person_id=request.user.pk).select_related("workspace")
    places = list(rows.order_by("workspace__name"))
    if len(places) == 1:
        return redirect("home", workspace=places[0].workspace.name)
    return render(request, "console/start.html", {"places": places})


@public
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """What a one-time link leads to. Its code stands behind the # of the address, which no server and no log sees; a
    script puts it into the form, or the person does."""
    if request.method == "GET":
        return _form(request, None, {}, "")
    if not ratelimit.consume(request, action="join"):
        return _form(request, None, {}, "Too many attempts. Wait a minute, then try again.", status=429)
    invitation = people.invitation_of(request.POST.get("code", "").strip())
    if invitation is None:
        return _form(
            request, None, {}, "This link is not good any more. Ask for a new one where you got it.", status=400
        )
    if "password" not in request.POST:
        return _form(request, invitation, _given(request), "")
    return _join(request, invitation)


def _join(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    values = _given(request)
    said = Joining(values["email"], values["name"], request.POST["password"], values["workspace"], values["time_zone"])
    if invitation.person is None and not said.name:
        return _form(request, invitation, values, "Say what you are called.", status=400)
    if said.password != request.POST.get("password_again"):
        return _form(request, invitation, values, "The two passwords are not the same.", status=400)
    try:
        person = people.join(values["code"], said)
    except (PeopleRefused, ValidationError) as refused:
        text = " ".join(refused.messages) if isinstance(refused, ValidationError) else str(refused)
        return _form(request, invitation, values, text, status=400)
    if invitation.person is not None:
        # A second factor is still asked for.
        return redirect("account_login")
    login(request, person, backend=_BACKEND)
    return redirect("start")


def _given(request: HttpRequest) -> dict[str, str]:
    given = {name: request.POST.get(name, "").strip() for name in ("code", "email", "name", "workspace", "time_zone")}
    return {**given, "time_zone": given["time_zone"] or "UTC"}


def _form(
    request: HttpRequest, invitation: Invitation | None, values: dict[str, str], error: str, *, status: int = 200
) -> HttpResponse:
    first = invitation is not None and invitation.workspace is None and invitation.person is None
    context = {
        "invitation": invitation,
        "first": first,
        "new_workspace": first and not Workspace.objects.exists(),
        "values": values,
        "error": error,
        "zones": sorted(zoneinfo.available_timezones()) if first else [],
    }
    return render(request, "console/join.html", context, status=status)

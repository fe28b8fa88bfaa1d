"""Settings: the channels by which people are told, each with its test."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.db import connection as database
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.messenger.address import KINDS
from ml_connector.messenger.outcome import Outcome
from ml_connector.sync.models import Channel, Integration
from ml_connector.sync.notify import channels, sending
from ml_connector.sync.notify.channels import ChannelRefused, Wish
from ml_connector.systems.base import Step
from ml_connector.workspaces.roles import Permission

KIND_NAMES = {"mail": "Mail", "slack": "Slack", "teams": "Microsoft Teams", "webhook": "Webhook"}
EVENT_NAMES = {
    "problem": "New Problems",
    "connection_down": "A Connection is down, and when it works again",
    "silence": "Silence: nothing comes, or a schedule did not run",
    "digest": "A daily digest at 7:00 of what waits",
}
FIXES = {
    Outcome.FAILED: "Messages are tried again by themselves. See that the other side is up.",
    Outcome.REFUSED: "Correct the address, or what is said above, then test again.",
    Outcome.UNKNOWN: "Look there whether it arrived.",
}


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest) -> HttpResponse:
    return _page(request)


@needs(Permission.CONFIGURE)
@sensitive_post_parameters("address")
@require_POST
def add(request: WorkspaceRequest) -> HttpResponse:
    try:
        wish = _wish(request)
        channels.add(request.workspace, wish, request.actor)
    except ChannelRefused as refused:
        return _page(request, error=str(refused), status=400)
    messages.success(request, f"Channel {wish.name} was added. Test it.")
    return redirect("settings_notifications", workspace=request.workspace.name)


@needs(Permission.CONFIGURE)
@sensitive_post_parameters("address")
@require_POST
def change(request: WorkspaceRequest, channel: int) -> HttpResponse:
    row = _channel(request, channel)
    try:
        channels.change(row, _wish(request), request.actor)
    except ChannelRefused as refused:
        return _page(request, error=str(refused), status=400)
    messages.success(request, f"Channel {row.name} was changed.")
    return redirect("settings_notifications", workspace=request.workspace.name)


@needs(Permission.CONFIGURE)
@require_POST
def remove(request: WorkspaceRequest, channel: int) -> HttpResponse:
    row = _channel(request, channel)
    channels.remove(row, request.actor)
    messages.success(request, f"Channel {row.name} was removed.")
    return redirect("settings_notifications", workspace=request.workspace.name)


@needs(Permission.CONFIGURE)
@require_POST
def test(request: WorkspaceRequest, channel: int) -> HttpResponseBase:
    """The steps of the test, each sent as it ends; a script of the page puts them there."""
    row = _channel(request, channel)
    return StreamingHttpResponse(_steps(row, request.actor), headers={"X-Accel-Buffering": "no"})


def _steps(row: Channel, actor: str) -> Iterator[str]:
    try:
        yield render_to_string("console/settings/_begun.html", {"text": "A message is on its way."})
        sent = sending.send_trial(row, actor)
    finally:
        database.close()
    good = sent.outcome is Outcome.SENT
    yield _line(Step("answer", ok=good, text=sent.text, fix="" if good else FIXES[sent.outcome]))
    text = f"Channel {row.name} works." if good else f"Channel {row.name} did not deliver."
    yield render_to_string("console/connections/_verdict.html", {"good": good, "text": text})


def _line(step: Step) -> str:
    return render_to_string("console/connections/_step.html", {"step": step})


def _channel(request: WorkspaceRequest, channel: int) -> Channel:
    row = Channel.objects.of(request.workspace).select_related("workspace").filter(pk=channel).first()
    if row is None:
        raise Http404
    return row


def _wish(request: WorkspaceRequest) -> Wish:
    """Raises ChannelRefused."""
    given = request.POST
    chosen = given.getlist("integrations")
    if not all(pk.isdecimal() and len(pk) < 16 for pk in chosen):
        raise ChannelRefused("One of the Integrations is gone. Load the page again and choose anew.")
    return Wish(
        given.get("name", "").strip(),
        given.get("kind", ""),
        given.get("address", ""),
        given.getlist("events"),
        [int(pk) for pk in chosen],
    )


def _page(request: WorkspaceRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    given = request.POST if error else {}
    context = {
        "channels": channels.channel_rows(request.workspace),
        "kinds": [(kind, KIND_NAMES[kind]) for kind in KINDS],
        "kind_names": KIND_NAMES,
        "events": [(event.value, EVENT_NAMES[event]) for event in channels.OFFERED],
        "event_names": EVENT_NAMES,
        "integrations": list(Integration.objects.of(request.workspace).order_by("name").values_list("pk", "name")),
        "sent": sending.recent(request.workspace),
        "error": error,
        # Never the address: it is a secret, and given anew.
        "given_name": given.get("name", ""),
        "given_kind": given.get("kind", ""),
    }
    return render(request, "console/settings/notifications.html", context, status=status)

"""Settings: the key that secrets are wrapped with, and its rotation."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.db import connection as database
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from ml_connector import vault
from ml_connector.console import keys
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.systems.base import Step
from ml_connector.workspaces.models import Workspace
from ml_connector.workspaces.roles import Permission


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest) -> HttpResponse:
    return render(request, "console/settings/keys.html", {"key": keys.state(request.workspace)})


@needs(Permission.CONFIGURE)
@require_POST
def rotate(request: WorkspaceRequest) -> HttpResponseBase:
    """The steps, each sent as it ends. Refused where other customers' secrets hang on the same key."""
    if Workspace.objects.exclude(pk=request.workspace.pk).exists():
        raise PermissionDenied("Several workspaces share the key: the host rotates it.")
    return StreamingHttpResponse(_steps(request.actor), headers={"X-Accel-Buffering": "no"})


def _steps(actor: str) -> Iterator[str]:
    begun = "A new key is made, and every secret is wrapped with it."
    yield render_to_string("console/settings/_begun.html", {"text": begun})
    try:
        done = keys.rotate(actor)
        step = Step("wrapped", ok=True, text=f"{done.secrets:,} secrets are wrapped with key {done.key_id}.")
        text = "Back up the key file now, apart from the database. Without it no secret can be read."
    except vault.VaultError as error:
        step = Step("not done", ok=False, text=str(error))
        text = "The secrets can be read as before."
    finally:
        database.close()
    yield _line(step)
    yield render_to_string("console/connections/_verdict.html", {"good": step.ok, "text": text})


def _line(step: Step) -> str:
    return render_to_string("console/connections/_step.html", {"step": step})

"""Audit: the trail to be looked through, verified and taken out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection as database
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from ml_connector import audit, clock, vault
from ml_connector.audit import export as exporting
from ml_connector.audit import reading
from ml_connector.audit.checkpoints import checkpoint
from ml_connector.audit.reading import EntryRow, Narrowing
from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.views import tasks as following
from ml_connector.sync import tasks
from ml_connector.sync.models import Record, TaskKind, TaskState
from ml_connector.workspaces.roles import Permission

RECORDS = 20
"""Records of one number whose entries are shown together."""


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    narrowing, said = _narrowing(request)
    before = _number(request.GET.get("before"))
    page = reading.trail_page(request.workspace, narrowing, before) if narrowing else None
    subject = f"workspace:{request.workspace.pk}"
    last = tasks.latest(request.workspace, TaskKind.VERIFY, subject, TaskState.DONE)
    newest = tasks.latest(request.workspace, TaskKind.VERIFY, subject)
    actors = reading.actors(request.workspace)
    context: dict[str, Any] = {
        "page": page,
        "said": said,
        "chain": reading.chain_state(request.workspace),
        "verified": last,
        "task": following.row(newest) if newest and newest.state != TaskState.DONE else None,
        "actions": reading.actions(request.workspace),
        "actors": actors,
        "names": people.names_of(actors),
        "numbers": _numbers(request, page.rows) if page else {},
        "chosen": request.GET,
        "narrowed_at_all": any(value for name, value in request.GET.items() if name != "before"),
        "first": before is None,
    }
    part = "console/audit/_list.html" if request.htmx else "console/audit/page.html"
    return render(request, part, context)


@needs(Permission.VIEW)
@require_POST
def verify(request: WorkspaceRequest) -> HttpResponse:
    """Has a worker check the whole chain; the page shows how far it is."""
    tasks.ask(request.workspace, TaskKind.VERIFY, f"workspace:{request.workspace.pk}", request.actor)
    return redirect("audit", workspace=request.workspace.name)


@needs(Permission.VIEW)
@require_POST
def export(request: WorkspaceRequest) -> HttpResponseBase:
    """The whole trail as the file that `offline_verify` checks. Its newest entry is signed before."""
    audit.note(request.workspace, request.actor, "export", f"workspace:{request.workspace.pk}", what="trail", since=0)
    checkpoint(request.workspace, vault.signing_key(), request.actor)
    name = f"trail-{request.workspace.name}-{clock.now():%Y-%m-%d}.jsonl"
    return StreamingHttpResponse(
        _and_close(exporting.lines(request.workspace)),
        content_type="application/x-ndjson; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _narrowing(request: WorkspaceRequest) -> tuple[Narrowing | None, str]:
    """What the form asks for; None and why, where nothing can fit."""
    given = request.GET
    try:
        since, until = (_day(given.get(name, "")) for name in ("from", "to"))
    except ValueError as error:
        return None, str(error)
    subjects: tuple[str, ...] = ()
    text = given.get("record", "").strip()[:100]
    if text:
        subjects = _subjects(request, text)
        if not subjects:
            return None, f"There is no record {text}. Give its number, or the number that it has here."
    run = given.get("run", "").strip()
    if run and _number(run) is None:
        return None, f"{run} is no run. Give its number."
    return Narrowing(
        since=_start(since) if since else None,
        until=_start(until + timedelta(days=1)) if until else None,
        actor=given.get("actor", "")[:100],
        action=given.get("action", "")[:30],
        subjects=subjects,
        run=_number(run),
    ), ""


def _subjects(request: WorkspaceRequest, text: str) -> tuple[str, ...]:
    """A document's number, the number of a Record here, or a subject as entries have it (`problem:7`)."""
    if ":" in text and text.partition(":")[0].isalpha():
        return (text,)
    rows = Record.objects.of(request.workspace)
    found = list(rows.filter(number=text).order_by("-pk").values_list("pk", flat=True)[:RECORDS])
    key = _number(text)
    if key is not None and rows.filter(pk=key).exists():
        found.append(key)
    return tuple(f"record:{one}" for one in dict.fromkeys(found))


def _numbers(request: WorkspaceRequest, rows: tuple[EntryRow, ...]) -> dict[str, str]:
    """What the Records on the page are called, by subject."""
    ids = {int(row.subject[7:]) for row in rows if row.subject.startswith("record:") and row.subject[7:].isdecimal()}
    found = Record.objects.of(request.workspace).filter(pk__in=ids).values_list("pk", "number", "key")
    return {f"record:{key}": number or source for key, number, source in found}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{text} is no date. Write it as 2026-10-31.") from None


def _start(day: date) -> datetime:
    """The day's beginning in the Workspace's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _and_close(lines: Iterator[str]) -> Iterator[str]:
    try:
        yield from lines
    finally:
        database.close()

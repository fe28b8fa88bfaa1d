"""From the outbox to Messages: what one Run caused makes one Message for each Channel that wants it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, transaction
from django.db.models import QuerySet

from ml_connector import clock
from ml_connector.integrations.base import FlowKind
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import (
    Channel,
    Event,
    Flow,
    Message,
    Notice,
    Problem,
    ProblemState,
    Run,
    RunKind,
    RunState,
)
from ml_connector.sync.notify import notices, wording
from ml_connector.sync.notify.wording import Words
from ml_connector.sync.queries import ProblemRow, problem_rows
from ml_connector.sync.queries.problems import described_problems
from ml_connector.workspaces.models import Workspace

LONGEST_WAIT = timedelta(minutes=5)
"""How long a Notice waits for its Run to end, so that what it causes besides is told with it."""
DIGEST_AT = time_of_day(7)
"""In the Workspace's zone."""
KEPT = timedelta(days=90)
"""How long what was told is remembered."""
AT_ONCE = 5000
"""Notices of one Workspace that are looked at together."""
_WRITTEN = ("created", "updated", "cancelled", "adopted", "confirmed")


def gather() -> int:
    """Makes Messages of what waits in the outbox of every Workspace; says how many."""
    waiting = Notice.objects.across_workspaces().filter(waiting=True)
    found = list(waiting.order_by().values_list("workspace_id", flat=True).distinct())
    return sum(_gather(row) for row in Workspace.objects.filter(pk__in=found))


def put_digests() -> None:
    """Puts the digest into the outbox of each Workspace that wants one and whose morning has come."""
    wanting = {
        row.workspace_id: row.created_at
        for row in Channel.objects.across_workspaces().order_by("-created_at")
        if Event.DIGEST in row.events
    }
    for workspace in Workspace.objects.filter(pk__in=wanting):
        today, begins = _morning(workspace)
        # A Channel that is added in the afternoon has its first digest on the next day.
        if clock.now() >= begins and wanting[workspace.pk] <= begins:
            notices.digest_due(workspace, today.isoformat())


def forget() -> None:
    """Deletes what was told long ago. What is still on its way is kept."""
    before = clock.now() - KEPT
    Message.objects.across_workspaces().filter(ended_at__lt=before).delete()
    Notice.objects.across_workspaces().filter(waiting=False, at__lt=before).delete()


def _gather(workspace: Workspace) -> int:
    with transaction.atomic():
        rows = [row for row in _locked(workspace) if not _still_coming(row)]
        problems = {row.id: row for row in described_problems(workspace, [n.problem_id for n in rows if n.problem_id])}
        made = 0
        for event in Event:
            of_event = [row for row in rows if row.event == event]
            if of_event:
                made += _tell(workspace, event, of_event, problems)
        Notice.objects.of(workspace).filter(pk__in=[row.pk for row in rows]).update(waiting=False)
    return made


def _locked(workspace: Workspace) -> list[Notice]:
    """What waits, kept from other workers until the transaction ends. On SQLite the transaction itself does that."""
    rows: QuerySet[Notice] = Notice.objects.of(workspace).filter(waiting=True).order_by("pk")
    if connection.vendor == "postgresql":
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows[:AT_ONCE])


def _still_coming(notice: Notice) -> bool:
    if notice.run_id is None or clock.now() - notice.at > LONGEST_WAIT:
        return False
    return Run.objects.of(notice.workspace_id).filter(pk=notice.run_id, state=RunState.LIVE).exists()


def _tell(workspace: Workspace, event: Event, rows: Sequence[Notice], problems: dict[int, ProblemRow]) -> int:
    if event is Event.DIGEST:
        return _tell_digests(workspace, rows)
    telling = [row for row in rows if row.problem_id in problems and _worth_telling(row, problems[row.problem_id])]
    made = 0
    for channel in notices.wanted(workspace.pk, event):
        mine = [row for row in telling if not channel.integrations or row.integration_id in channel.integrations]
        for words in _worded(workspace, event, [problems[row.problem_id] for row in mine if row.problem_id]):
            made += _put(channel, event, words)
    Notice.objects.of(workspace).filter(pk__in=[row.pk for row in telling]).update(told=True)
    return made


def _worth_telling(notice: Notice, problem: ProblemRow) -> bool:
    """Not what was over before it could be told; and of what is over only what was told."""
    if notice.event != Event.CONNECTION_UP:
        return problem.state == ProblemState.OPEN
    # Of several Integrations that use the Connection, the first one's Problem was told.
    outages = Problem.objects.of(notice.workspace_id).filter(
        subject=problem.subject, cause__in=notices.CONNECTION_CAUSES, ended_at__gte=problem.opened_at
    )
    downs = Notice.objects.of(notice.workspace_id).filter(event=Event.CONNECTION_DOWN, told=True)
    return downs.filter(problem_id__in=list(outages.values_list("pk", flat=True))).exists()


def _worded(workspace: Workspace, event: Event, rows: Sequence[ProblemRow]) -> list[Words]:
    if not rows:
        return []
    if event in {Event.CONNECTION_DOWN, Event.CONNECTION_UP}:
        return [wording.outage(workspace, event, rows)]
    put = wording.silence if event is Event.SILENCE else wording.problems
    names = sorted({row.integration for row in rows})
    return [put(workspace, name, [row for row in rows if row.integration == name]) for name in names]


def _tell_digests(workspace: Workspace, rows: Sequence[Notice]) -> int:
    """Only the newest, should the installation have stood still for days."""
    newest = max(rows, key=lambda row: row.subject)
    made = 0
    waiting = problem_rows(workspace)
    for channel in notices.wanted(workspace.pk, Event.DIGEST):
        mine = _of_integrations(workspace, channel, waiting)
        read, written = _done(workspace, channel)
        made += _put(channel, Event.DIGEST, wording.digest(workspace, newest.subject, mine, read, written))
    Notice.objects.of(workspace).filter(pk=newest.pk).update(told=True)
    return made


def _of_integrations(workspace: Workspace, channel: Channel, rows: Sequence[ProblemRow]) -> list[ProblemRow]:
    if not channel.integrations:
        return list(rows)
    flows = Flow.objects.of(workspace).filter(integration__in=channel.integrations)
    names = set(flows.values_list("integration__name", flat=True))
    return [row for row in rows if row.integration in names]


def _done(workspace: Workspace, channel: Channel) -> tuple[int, int]:
    """Documents read new or changed, and written, in the last 24 hours."""
    flows = Flow.objects.of(workspace).select_related("integration")
    if channel.integrations:
        flows = flows.filter(integration__in=channel.integrations)
    documents = [flow.pk for flow in flows if spec_of(flow).kind is FlowKind.DOCUMENTS]
    runs = Run.objects.of(workspace).filter(flow__in=documents, started_at__gte=clock.now() - timedelta(days=1))
    read = written = 0
    for kind, counts in runs.values_list("kind", "counts").iterator():
        if kind == RunKind.PUSH:
            written += sum(int(counts.get(name, 0)) for name in _WRITTEN)
        else:
            read += int(counts.get("new", 0)) + int(counts.get("changed", 0))
    return read, written


def _put(channel: Channel, event: Event, words: Words) -> int:
    now = clock.now()
    Message.objects.of(channel.workspace_id).create(
        workspace_id=channel.workspace_id, channel=channel, event=event, title=words.title, body=words.body,
        made_at=now, next_at=now,
    )  # fmt: skip
    return 1


def _morning(workspace: Workspace) -> tuple[date, datetime]:
    """Today in the Workspace's zone, and the instant at which its digest is due."""
    try:
        zone = ZoneInfo(workspace.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    today = clock.now().astimezone(zone).date()
    return today, datetime.combine(today, DIGEST_AT, zone)

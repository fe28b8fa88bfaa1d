"""Tasks: asking for slow work that a worker does, and seeing how far it is. Running them is `jobs.tasks`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from ml_connector import clock
from ml_connector.sync.models import Integration, Task, TaskKind, TaskState
from ml_connector.workspaces.models import Workspace

OPEN = (TaskState.WAITING, TaskState.RUNNING)


@dataclass(frozen=True)
class TaskRow:
    """A Task as its page shows it."""

    id: int
    kind: str
    state: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None
    done: int
    total: int
    text: str
    under_way: bool
    worker: bool
    """There is one that could do it."""

    @property
    def percent(self) -> int | None:
        """None where it is not known how much there is. The total is an estimate: never shown as done too early."""
        return min(self.done * 100 // self.total, 99) if self.total else None


def about(integration: Integration, period: str = "") -> str:
    """The subject of Tasks about an Integration's tie-out."""
    return f"integration:{integration.pk} {period}".strip()


def ask(workspace: Workspace, kind: TaskKind, subject: str, actor: str) -> Task:
    """Has a worker do it; gives the Task that is under way already, if there is one."""
    open_ones = Task.objects.of(workspace).filter(kind=kind, subject=subject, state__in=OPEN)
    found = open_ones.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Task.objects.create(
                workspace=workspace, kind=kind, subject=subject, asked_by=actor, asked_at=clock.now()
            )
    except IntegrityError:
        return open_ones.get()


def latest(workspace: Workspace, kind: TaskKind, subject: str, state: TaskState | None = None) -> Task | None:
    """The newest Task of a kind about a subject."""
    rows = Task.objects.of(workspace).filter(kind=kind, subject=subject)
    return (rows.filter(state=state) if state else rows).order_by("-pk").first()


def latest_of(workspace: Workspace, kind: TaskKind, begins: str) -> Task | None:
    """Likewise for all subjects that begin so."""
    rows = Task.objects.of(workspace).filter(kind=kind, subject__startswith=begins)
    return rows.order_by("-pk").first()


def shown(task: Task, *, worker: bool) -> TaskRow:
    return TaskRow(
        task.pk,
        task.kind,
        task.state,
        task.asked_by,
        task.asked_at,
        task.ended_at,
        task.done,
        task.total,
        task.text,
        task.state in OPEN,
        worker,
    )

"""Tasks in a worker: one at a time, in a thread of its own, beside the jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import Error, connection, transaction
from django.db.models import F, Q

from ml_connector import audit, clock, vault
from ml_connector.audit.cutting import removed_up_to
from ml_connector.audit.models import ChainHead
from ml_connector.audit.verify import verify
from ml_connector.sync import packs, results
from ml_connector.sync.leases import DatabaseTime
from ml_connector.sync.models import Integration, Task, TaskKind, TaskState
from ml_connector.sync.tasks import OPEN

ASK_SECONDS = 1.0
HOLD_SECONDS = 30
TELL_SECONDS = 1.0
"""How often a running Task says how far it is."""
TRIES = 3
"""Workers that may die over one Task before it is given up."""
KEPT = timedelta(days=30)

log = logging.getLogger(__name__)

Seen = Callable[[int], None]


class TaskRefused(Exception):
    """It cannot be done; the text says why. It is not tried again."""


def keep_doing_tasks(worker: str, stop: threading.Event) -> None:
    """Does what is asked for, until `stop` is set. To be run in a thread of its own."""
    while not stop.wait(ASK_SECONDS):
        try:
            while not stop.is_set() and do_next(worker):
                pass
        except Error as error:
            log.warning("Tasks cannot be looked for: %s", error)
            connection.close()
    connection.close()


def do_next(worker: str) -> bool:
    """Does the Task that waits longest; False where none does. What goes wrong in it is stored, not raised."""
    task = _claim(worker)
    if task is None:
        return False
    telling = _Telling(task)
    telling.start()
    try:
        result = DO[TaskKind(task.kind)](task, telling.seen)
        telling.end()
        _end(task, TaskState.DONE, result=result)
    except Error:
        # The database's: the Task stays as it is, and is begun anew when its hold has lapsed.
        log.exception("Task %s was broken off by the database.", task.pk)
        connection.close()
    except (TaskRefused, ValueError, vault.VaultError) as refused:
        telling.end()
        _end(task, TaskState.FAILED, text=str(refused))
    except Exception as error:
        log.exception("Task %s failed.", task.pk)
        telling.end()
        # Not the error's own text: nobody has looked through it for secrets.
        _end(task, TaskState.FAILED, text=f"An unexpected error ({type(error).__name__}); the log says more.")
    finally:
        telling.end()
    return True


def _claim(worker: str) -> Task | None:
    rows = Task.objects.across_workspaces()
    free = Q(state=TaskState.WAITING) | Q(state=TaskState.RUNNING, held_until__lte=DatabaseTime())
    for task in rows.filter(free).select_related("workspace").order_by("asked_at")[:20]:
        if task.tries >= TRIES:
            rows.filter(free, pk=task.pk).update(
                state=TaskState.FAILED,
                ended_at=clock.now(),
                text="Its workers died over it. Look into the log (memory is the usual reason), then ask again.",
            )
            continue
        mine = rows.filter(free, pk=task.pk, tries=task.tries).update(
            state=TaskState.RUNNING, holder=worker, held_until=DatabaseTime(HOLD_SECONDS), tries=F("tries") + 1, done=0
        )
        if mine:
            task.tries += 1
            return task
    return None


def _end(task: Task, state: TaskState, result: dict[str, Any] | None = None, text: str = "") -> None:
    """Says how it ended, if it is still this worker's, and forgets old ones."""
    now = clock.now()
    with transaction.atomic():
        mine = Task.objects.of(task.workspace_id).filter(pk=task.pk, state=TaskState.RUNNING, tries=task.tries)
        mine.update(state=state, ended_at=now, result=result or {}, text=text, held_until=None)
        old = Task.objects.of(task.workspace_id).filter(kind=task.kind, subject=task.subject, asked_at__lt=now - KEPT)
        old.exclude(state__in=OPEN).exclude(pk=task.pk).delete()


class _Telling(threading.Thread):
    """Keeps the hold and says how far the Task is, on a connection of its own: the Task's may be in the middle of
    reading everything as of one instant."""

    def __init__(self, task: Task) -> None:
        super().__init__(name="task-telling", daemon=True)
        self._task = task
        self._rows = 0
        self._over = threading.Event()

    def seen(self, rows: int) -> None:
        self._rows = rows

    def end(self) -> None:
        self._over.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        mine = Task.objects.of(self._task.workspace_id).filter(
            pk=self._task.pk, state=TaskState.RUNNING, tries=self._task.tries
        )
        try:
            while not self._over.wait(TELL_SECONDS):
                try:
                    mine.update(done=self._rows, held_until=DatabaseTime(HOLD_SECONDS))
                except Error as error:
                    log.warning("Task %s cannot say how far it is: %s", self._task.pk, error)
        finally:
            connection.close()


def _integration(task: Task) -> tuple[Integration, str]:
    """What a Task about a tie-out is about: `integration:7 2026-10`."""
    key, _, period = task.subject.removeprefix("integration:").partition(" ")
    rows = Integration.objects.of(task.workspace_id).select_related("workspace", "erp", "platform")
    return rows.get(pk=int(key)), period


def _total(task: Task, rows: int) -> None:
    Task.objects.of(task.workspace_id).filter(pk=task.pk).update(total=rows)


def _tie_out(task: Task, seen: Seen) -> dict[str, Any]:
    integration, period = _integration(task)
    _total(task, results.rows_to_read(integration))
    return {"tie_out": results.compute(integration, period, seen).pk}


def _freeze(task: Task, seen: Seen) -> dict[str, Any]:
    integration, period = _integration(task)
    _total(task, results.rows_to_read(integration))
    try:
        return {"pack": packs.freeze(integration, period, task.asked_by, seen).pk}
    except packs.NotFrozen as refused:
        raise TaskRefused(str(refused)) from refused


def _verify(task: Task, seen: Seen) -> dict[str, Any]:
    head = ChainHead.objects.of(task.workspace_id).values_list("sequence", flat=True).first() or 0
    _total(task, head - removed_up_to(task.workspace_id))
    public_key = vault.signing_key().public_key().public_bytes_raw().hex()
    verdict = verify(task.workspace, public_key=public_key, seen=seen)
    found: dict[str, Any] = {"holds": verdict.holds, "entries": verdict.entries, "bad": verdict.bad}
    audit.note(task.workspace, task.asked_by, "verify", f"workspace:{task.workspace_id}", **found)
    return {**found, "text": verdict.text}


DO: dict[TaskKind, Callable[[Task, Seen], dict[str, Any]]] = {
    TaskKind.TIE_OUT: _tie_out,
    TaskKind.FREEZE: _freeze,
    TaskKind.VERIFY: _verify,
}

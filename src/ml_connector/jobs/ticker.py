"""The ticker of a worker: hands what is due to the queue.

Every worker has one; of several that see the same Flow due, the one that moves its instant hands it over. The queue
is kept short: what waits, waits in our rows, where one Workspace's backlog does not stand in another's way (R74).
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from ml_connector import clock
from ml_connector.jobs import schedule
from ml_connector.jobs.engine import Engine, Item
from ml_connector.jobs.job import ASK_AGAIN, Work, closed_until
from ml_connector.jobs.takeover import take_over
from ml_connector.sync import leases
from ml_connector.sync.models import HANDED_OVER, PARK_AT, Connection, Flow, RunKind

TICK_SECONDS = 0.5
TAKE_OVER_SECONDS = 2.0
PER_WORKSPACE = 8
"""Connections of one Workspace that are in use at a time."""
LOOK_AT = 50
"""Due Flows of one Workspace that are looked at in one tick, longest due first."""
LOOK_AT_ALL = 200
LOOK_AT_PER_THREAD = 16
"""Due Flows that are looked at in one tick: more than there can be running, whose Connections are in use."""
UNHELD_SECONDS = 10.0
"""A job that the engine believes running, but that has held no lease for this long, does not run."""

QUEUED_PER_THREAD = 4
"""Enough that no thread waits for the next look at the schedule when jobs are short."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Due:
    """A Flow that is due, and where its job would work."""

    flow: Flow
    kind: RunKind
    at: datetime
    connection: Connection

    @property
    def job_id(self) -> str:
        """The same for everyone who sees this Flow due at this instant, so that the queue takes it once."""
        return f"{self.kind.value}-{self.flow.pk}-{self.at:%Y%m%dT%H%M%S%f}"


class Ticker:
    """Looks at the schedule when told to; keeps what it saw last time."""

    def __init__(self, work: Work, engine: Engine, concurrency: int) -> None:
        self._work = work
        self._engine = engine
        self._queue_length = QUEUED_PER_THREAD * concurrency
        self._look_at = max(LOOK_AT_ALL, LOOK_AT_PER_THREAD * concurrency)
        self._next_take_over = 0.0
        self._unheld: dict[str, float] = {}

    def tick(self) -> None:
        """One look. Raises what the database raises; the next look goes on from the rows as they are."""
        # Our own database first: it says at once when it is away, while the engine waits for it, longer each time.
        holders = _holders()
        items = self._engine.items()
        if time.monotonic() >= self._next_take_over:
            self._next_take_over = time.monotonic() + TAKE_OVER_SECONDS
            schedule.adopt()
            self._engine.forget(take_over(self._work))
            self._engine.forget(self._dead(items, holders))
        for due in self._mine(self._runnable(items, holders)):
            self._engine.enqueue(due.job_id, due.flow.pk, due.kind.value, due.connection.pk)

    def _runnable(self, items: list[Item], holders: dict[int, str]) -> list[Due]:
        """What is due and can be worked on: one job per Connection, a few per Workspace."""
        busy = {item.connection_id for item in items} | holders.keys()
        in_use = Counter(
            Connection.objects.across_workspaces().filter(pk__in=busy).values_list("workspace_id", flat=True)
        )
        room = self._queue_length - sum(not item.running for item in items)
        chosen: list[Due] = []
        for due in self._due():
            if len(chosen) >= room:
                break
            if due.connection.pk not in busy and in_use[due.flow.workspace_id] < PER_WORKSPACE:
                busy.add(due.connection.pk)
                in_use[due.flow.workspace_id] += 1
                chosen.append(due)
        return chosen

    def _due(self) -> Iterator[Due]:
        """Flows that are due on Connections that may be used now, each Workspace's longest due first. Those whose
        Connection may not be used are put off, so that they do not fill the view."""
        now = clock.now()
        for flow, kind, at in _due_rows(now, self._look_at):
            try:
                connection = self._work.connection_for(flow, kind)
            except Exception:
                log.exception("Flow %s cannot be run.", flow.pk)
                schedule.move(flow.pk, kind, at, now + ASK_AGAIN)
                continue
            until = closed_until(connection, now)
            if until:
                schedule.move(flow.pk, kind, at, until)
            else:
                yield Due(flow, kind, at, connection)

    def _mine(self, chosen: list[Due]) -> list[Due]:
        """Of what was chosen, what no other ticker has taken."""
        ahead = clock.now() + HANDED_OVER
        with transaction.atomic():
            # In the same order everywhere, so that two tickers do not wait for each other.
            ordered = sorted(chosen, key=lambda due: due.flow.pk)
            return [due for due in ordered if schedule.move(due.flow.pk, due.kind, due.at, ahead)]

    def _dead(self, items: Iterable[Item], holders: dict[int, str]) -> list[str]:
        """Jobs that the engine believes running although they have held no lease for a while. Their worker died
        before it took one, or after it gave it back; or another has the Connection."""
        unheld = [
            item.id for item in items if item.running and not holders.get(item.connection_id, "").endswith(item.id)
        ]
        now = time.monotonic()
        self._unheld = {job_id: self._unheld.get(job_id, now) for job_id in unheld}
        return [job_id for job_id, since in self._unheld.items() if now - since >= UNHELD_SECONDS]


def _due_rows(now: datetime, at_most: int) -> list[tuple[Flow, RunKind, datetime]]:
    rows: list[tuple[int, datetime, Flow, RunKind]] = []
    for kind, column in schedule.COLUMNS.items():
        rank = Window(RowNumber(), partition_by=F("workspace_id"), order_by=F(column).asc())
        due = (
            Flow.objects.across_workspaces()
            .filter(**{f"{column}__lte": now}, paused=False, integration__paused=False, deaths__lt=PARK_AT)
            .annotate(rank=rank)
            .filter(rank__lte=LOOK_AT)
            .select_related("integration__erp", "integration__platform")
            .order_by("rank", column)[:at_most]
        )
        rows += [(flow.rank, getattr(flow, column), flow, kind) for flow in due]
    # Each Workspace's first before anyone's second; among equals by chance, so that tickers do not choose the same.
    rows.sort(key=lambda row: (row[0], random.random()))  # noqa: S311
    return [(flow, kind, at) for _rank, at, flow, kind in rows]


def _holders() -> dict[int, str]:
    """Who holds which Connection now."""
    rows = Connection.objects.across_workspaces().filter(leases.IN_FORCE)
    return dict(rows.values_list("pk", "lease_holder"))

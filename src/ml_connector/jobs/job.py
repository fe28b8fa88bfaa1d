"""One job: takes its Connection's lease, lets the engine work for a while, and says when the Flow is due next."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import connection, connections, transaction

from ml_connector import clock
from ml_connector.jobs import history, schedule
from ml_connector.sync import backoff
from ml_connector.sync.leases import Lease, LeaseLost, LeaseTaken, held
from ml_connector.sync.models import Connection, Flow, Health, Run, RunKind, RunState

JOB_SECONDS = 60.0
"""What one job may take before the next Flow of the same Connection has its turn."""
ASK_AGAIN = timedelta(seconds=60)
"""How soon a Flow is looked at again whose Connection waits for a person."""

RELATED = ("workspace", "integration__erp__workspace", "integration__platform__workspace")
"""What every job of a Flow looks at."""

log = logging.getLogger(__name__)


class Execute(Protocol):
    """Does the work of one job for at most about `seconds`, under the lease, and stores a Run under `job_id`.

    Where work is left, it makes the Flow due again, at once or later, but never later than it is due already.
    """

    def __call__(self, flow: Flow, kind: RunKind, lease: Lease, job_id: str, seconds: float) -> object: ...


@dataclass(frozen=True)
class Work:
    """What jobs are about. Given from outside: this package knows when, where and how often, but not what."""

    execute: Execute
    connection_for: Callable[[Flow, RunKind], Connection]
    """The one Connection that a job of this kind speaks to."""
    park: Callable[[Flow, RunKind], None]
    """Tells people that a Flow is no longer run because its jobs kill their workers. Called again should it go on."""


def closed_until(connection: Connection, now: datetime) -> datetime | None:
    """Until when a Connection must not be used, or to be asked about again; None: it may be used."""
    if connection.health == Health.CIRCUIT_OPEN:
        return now + ASK_AGAIN
    if connection.not_before and connection.not_before > now:
        return connection.not_before
    return None


def perform(work: Work, flow: Flow, kind: RunKind, job_id: str, holder: str) -> None:
    """Runs one job in this thread. What goes wrong in the work is stored and retried later, not raised.

    Raises LeaseTaken when the Connection is in use, and LeaseLost when it was lost on the way.
    """
    with held(work.connection_for(flow, kind).pk, holder) as lease:
        schedule.claim(flow.pk, kind)
        try:
            work.execute(flow, kind, lease, job_id, JOB_SECONDS)
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("Job %s failed.", job_id)
            _failed(flow, kind, lease, job_id, error)
        with transaction.atomic():
            lease.confirm()
            schedule.settle(flow, kind)
            if flow.deaths:
                Flow.objects.of(flow.workspace_id).filter(pk=flow.pk).update(deaths=history.deaths(flow))


def run(work: Work, worker: str, job_id: str, flow_id: int, kind: RunKind) -> None:
    """A worker's job, from the queue. Lets no exception out; gives its thread's database connection back."""
    try:
        flow = Flow.objects.across_workspaces().select_related(*RELATED).get(pk=flow_id)
        try:
            perform(work, flow, kind, job_id, f"{worker} {job_id}")
        except LeaseTaken:
            # The ticker hands it over again as soon as the Connection is free.
            schedule.wake([flow_id], kind)
        except LeaseLost:
            log.warning("Job %s lost its Connection and ends; the Flow is due again.", job_id)
            _end_runs(flow, job_id, "The Connection's lease could not be renewed; another run goes on.")
    except Exception:
        # Nothing is lost: a claim without a lease is found and made due again.
        log.exception("Job %s ended without a trace.", job_id)
    finally:
        connections.close_all()


def _failed(flow: Flow, kind: RunKind, lease: Lease, job_id: str, error: Exception) -> None:
    # The error may have been the database's; a broken connection is replaced.
    connection.close_if_unusable_or_obsolete()
    # Not the error's own text: nobody has looked through it for secrets.
    text = f"Stopped by an unexpected error ({type(error).__name__}; the log says more). It is tried again later."
    if not _end_runs(flow, job_id, text):
        Run.objects.create(
            workspace_id=flow.workspace_id,
            flow=flow,
            connection_id=lease.connection_id,
            kind=kind,
            state=RunState.FAILED,
            job=job_id,
            fence=lease.fence,
            started_at=clock.now(),
            ended_at=clock.now(),
            text=text,
        )
    wait = backoff.after(history.in_a_row(flow, kind, RunState.FAILED))
    schedule.wake([flow.pk], kind, clock.now() + timedelta(seconds=wait))


def _end_runs(flow: Flow, job_id: str, text: str) -> int:
    live = Run.objects.of(flow.workspace_id).filter(flow=flow, job=job_id, state=RunState.LIVE)
    return live.update(state=RunState.FAILED, ended_at=clock.now(), text=text)

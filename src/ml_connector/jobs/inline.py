"""Jobs without a worker: a command is the worker for its own Flows until nothing of theirs is due."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ml_connector import clock
from ml_connector.jobs import schedule
from ml_connector.jobs.job import Work, closed_until, perform
from ml_connector.jobs.presence import process_name
from ml_connector.jobs.takeover import take_over
from ml_connector.sync.leases import LeaseLost, LeaseTaken
from ml_connector.sync.models import PARK_AT, Flow, RunKind

PATIENCE_SECONDS = 90.0
"""How long to wait for a Connection that another job holds."""
ASK_SECONDS = 0.5


def run_until_idle(flow_ids: Iterable[int], work: Work) -> int:
    """Runs what is due of these Flows in this thread, in their order, each first pulled, then pushed, again and again
    until nothing more is due now. Says how many jobs that took.

    Paused and parked Flows are left out, and those whose Connection must not be used now. A job that fails is not
    repeated here: its Run says why, and its Flow is due later. Raises LeaseTaken when another job does not give a
    Connection back.
    """
    take_over(work)
    ids, jobs = list(flow_ids), 0
    while True:
        before = jobs
        for flow_id in _in_order(ids):
            for kind in schedule.COLUMNS:
                jobs += _run(work, flow_id, kind)
        if jobs == before:
            return jobs


def _in_order(flow_ids: list[int]) -> list[int]:
    rows = Flow.objects.across_workspaces().filter(pk__in=flow_ids)
    return list(rows.order_by("integration_id", "position").values_list("pk", flat=True))


def _run(work: Work, flow_id: int, kind: RunKind) -> bool:
    """Runs one job if it is due. Waits for its Connection."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        flow = _due(work, flow_id, kind)
        if flow is None:
            return False
        job_id = f"{kind.value}-{flow.pk}-{clock.now():%Y%m%dT%H%M%S%f}"
        try:
            perform(work, flow, kind, job_id, f"command {process_name()} {job_id}")
        except LeaseTaken:
            if time.monotonic() > give_up:
                raise
            time.sleep(ASK_SECONDS)
        except LeaseLost:
            # The machine slept, or the database was away: whoever took the Connection goes on.
            return True
        else:
            return True


def _due(work: Work, flow_id: int, kind: RunKind) -> Flow | None:
    now = clock.now()
    rows = Flow.objects.across_workspaces().select_related("integration__erp", "integration__platform")
    due = rows.filter(**{f"{schedule.COLUMNS[kind]}__lte": now}, paused=False, integration__paused=False)
    flow = due.filter(pk=flow_id, deaths__lt=PARK_AT).first()
    return flow if flow and not closed_until(work.connection_for(flow, kind), now) else None

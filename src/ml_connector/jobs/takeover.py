"""What dead workers left behind. Nobody leads: whoever looks first, does it.

A worker that dies, hangs or loses the database stops renewing its lease. Half a minute later the Connection is free,
and what its job was about becomes due again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import transaction

from ml_connector import clock
from ml_connector.jobs import history, schedule
from ml_connector.jobs.job import Work
from ml_connector.sync import leases
from ml_connector.sync.models import PARK_AT, Connection, Flow, Run, RunKind, RunState

log = logging.getLogger(__name__)


def take_over(work: Work) -> list[str]:
    """Marks the Runs of dead workers lost, makes their Flows due, and gives back the ids of the jobs that died."""
    died = [run.job for run in list(leases.lapsed().select_related("flow__integration")) if _lose(work, run)]
    for kind, flow in _claimed_without_lease(work):
        schedule.move(flow.pk, kind, schedule.CLAIMED, clock.now())
    return died


def _lose(work: Work, run: Run) -> bool:
    with transaction.atomic():
        leases.revoke(run.connection_id)
        text = "Its worker died or lost the Connection; another run goes on."
        if not leases.lapsed().filter(pk=run.pk).update(state=RunState.LOST, ended_at=clock.now(), text=text):
            return False
        deaths = history.deaths(run.flow)
        Flow.objects.of(run.workspace_id).filter(pk=run.flow_id).update(deaths=deaths)
    log.warning("Job %s died (%s in a row).", run.job, deaths)
    if deaths >= PARK_AT:
        work.park(run.flow, RunKind(run.kind))
    return True


def _claimed_without_lease(work: Work) -> Iterable[tuple[RunKind, Flow]]:
    # Claims are read before leases: one that ends in between looks dead, but then `move` finds it gone.
    claimed = [
        (kind, flow)
        for kind, column in schedule.COLUMNS.items()
        for flow in Flow.objects.across_workspaces()
        .filter(**{column: schedule.CLAIMED})
        .select_related("integration__erp", "integration__platform")
    ]
    in_use = set(Connection.objects.across_workspaces().filter(leases.IN_FORCE).values_list("pk", flat=True))
    return [(kind, flow) for kind, flow in claimed if work.connection_for(flow, kind).pk not in in_use]

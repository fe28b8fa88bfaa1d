"""When a Flow is due: three instants in its row, one per kind of job.

One row is the schedule, the retry, the wake-up by a webhook and the pause. Each instant is in one of these states:

- in the past: due. The ticker hands the job to the queue and moves the instant a little ahead (`HANDED_OVER`),
  so that a job that the queue loses is due again by itself;
- CLAIMED: a job runs. Whoever wants another run meanwhile sets an earlier instant, and the end of the job leaves
  that alone: a wake-up is never lost. CLAIMED without a lease in force means that its worker died;
- in the future: the next regular run, or the retry;
- None: not scheduled yet (pull, sweep), or nothing to push.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ml_connector import clock
from ml_connector.sync.models import Flow, RunKind

COLUMNS = {RunKind.PULL: "next_pull_at", RunKind.PUSH: "next_push_at", RunKind.SWEEP: "next_sweep_at"}
"""The kinds that are scheduled, in the order in which they are run."""

CLAIMED = datetime(9000, 1, 1, tzinfo=UTC)
SWEEP_SECONDS = 24 * 60 * 60
FIRST_RUN_SECONDS = 60
"""The first pulls of Flows that were set up together are spread over this time."""
ADOPTED_AT_A_TIME = 1000
NEAR = 4
"""Of the slots of a pull, one less than this part of the interval away is left out: what was run out of turn is not
run again at once."""


def wake(flow_ids: Iterable[int], kind: RunKind, at: datetime | None = None) -> None:
    """Makes Flows due now, or at an instant, unless they are due earlier anyway. For webhooks, commands, retries.
    A run that is under way does not count: another one follows it."""
    column, instant = COLUMNS[kind], at or clock.now()
    later = Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__gt": instant})
    Flow.objects.across_workspaces().filter(later, pk__in=list(flow_ids)).update(**{column: instant})


def move(flow_id: int, kind: RunKind, seen: datetime, to: datetime | None) -> bool:
    """Sets the instant if it is still the one that was seen; says whether it was. Of several who try, one succeeds."""
    column = COLUMNS[kind]
    rows = Flow.objects.across_workspaces().filter(**{"pk": flow_id, column: seen})
    return bool(rows.update(**{column: to}))


def claim(flow_id: int, kind: RunKind) -> None:
    """Marks that a job begins to read now. It answers every wake-up before this instant, and none after."""
    Flow.objects.across_workspaces().filter(pk=flow_id).update(**{COLUMNS[kind]: CLAIMED})


def settle(flow: Flow, kind: RunKind) -> None:
    """Ends a claim with the next regular run, unless somebody set another instant meanwhile."""
    move(flow.pk, kind, CLAIMED, regular(flow, kind, clock.now()))


def regular(flow: Flow, kind: RunKind, now: datetime) -> datetime | None:
    """The next regular run after one that ends `now`: a slot of the Flow's own, by hash, so that Flows stay spread and
    do not drift. None for pushes: they run when there is something to push."""
    if kind is RunKind.PUSH:
        return None
    every, near = (SWEEP_SECONDS, 0) if kind is RunKind.SWEEP else (flow.every, flow.every // NEAR)
    offset = _spread(flow.pk, kind) % every
    slots = (int(now.timestamp()) + near - offset) // every + 1
    return datetime.fromtimestamp(slots * every + offset, UTC)


def adopt() -> None:
    """Schedules the first pull and sweep of Flows that have none; of very many only some, so that what is due need
    not wait."""
    now = clock.now()
    for kind in (RunKind.PULL, RunKind.SWEEP):
        column = COLUMNS[kind]
        with transaction.atomic():
            unscheduled = Flow.objects.across_workspaces().filter(**{f"{column}__isnull": True}, paused=False)
            flows = list(unscheduled.only("every").select_for_update(skip_locked=True)[:ADOPTED_AT_A_TIME])
            for flow in flows:
                setattr(flow, column, _first(flow, kind, now))
            Flow.objects.across_workspaces().bulk_update(flows, [column], batch_size=100)


def _first(flow: Flow, kind: RunKind, now: datetime) -> datetime | None:
    if kind is RunKind.SWEEP:
        return regular(flow, kind, now)
    return now + timedelta(seconds=_spread(flow.pk, kind) % min(flow.every, FIRST_RUN_SECONDS))


def _spread(flow_id: int, kind: RunKind) -> int:
    return zlib.crc32(f"{kind.value} {flow_id}".encode())

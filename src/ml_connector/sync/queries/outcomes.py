"""What Flows did since an instant: read, delivered, held back, and the money in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from ml_connector.domain.money import from_units
from ml_connector.sync.models import Attempt, Flow, Outcome, Record, Run, RunKind, RunState, State

_WRITTEN = (Outcome.CONFIRMED, Outcome.ADOPTED)
_ON_THE_WAY = (State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT)


@dataclass(frozen=True)
class FlowOutcome:
    """One Flow's work since an instant, and what it still holds."""

    flow: str
    read: int
    new: int
    changed: int
    confirmed: int
    """Records that a write or a search confirmed since then."""
    blocked: int
    """Records that a Problem holds now."""
    waiting: int
    """Records on their way now: staged, ready, in flight or in doubt."""
    skipped: int
    amount_confirmed: dict[str, Decimal]
    amount_blocked: dict[str, Decimal]
    failed: str
    """Why its latest Run of a kind failed, or an empty text."""


def outcomes_since(flows: Sequence[Flow], since: datetime) -> list[FlowOutcome]:
    return [_outcome(flow, since) for flow in flows]


def _outcome(flow: Flow, since: datetime) -> FlowOutcome:
    runs = list(Run.objects.of(flow.workspace_id).filter(flow=flow, started_at__gte=since).order_by("started_at"))
    pulls = [run for run in runs if run.kind in {RunKind.PULL, RunKind.SWEEP}]
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow)
    written = Attempt.objects.of(flow.workspace_id).filter(
        record__flow=flow, outcome__in=_WRITTEN, answered_at__gte=since
    )
    confirmed = rows.filter(Q(pk__in=written.values("record_id")), state=State.CONFIRMED)
    blocked = rows.filter(state=State.BLOCKED)
    latest = {run.kind: run for run in runs}
    return FlowOutcome(
        flow=flow.name,
        read=_sum(pulls, "read"),
        new=_sum(pulls, "new"),
        changed=_sum(pulls, "changed"),
        confirmed=confirmed.count(),
        blocked=blocked.count(),
        waiting=rows.filter(state__in=_ON_THE_WAY).count(),
        skipped=rows.filter(state=State.SKIPPED).count(),
        amount_confirmed=_amounts(confirmed),
        amount_blocked=_amounts(blocked),
        failed=" ".join(run.text for run in latest.values() if run.state == RunState.FAILED),
    )


def _sum(runs: Sequence[Run], name: str) -> int:
    return sum(int(run.counts.get(name, 0)) for run in runs)


def _amounts(rows: QuerySet[Record]) -> dict[str, Decimal]:
    sums = rows.exclude(amount=None).values_list("currency").annotate(units=Sum("amount")).order_by("currency")
    return {currency: from_units(units, currency) for currency, units in sums}

"""What the job engine is told to do: the engine's Runs, and whom to tell when a Flow's jobs kill their workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ml_connector import audit
from ml_connector.integrations.base import FlowKind
from ml_connector.jobs.inline import run_until_idle
from ml_connector.jobs.job import Work
from ml_connector.sync import problems, runs
from ml_connector.sync.flows import connection_for, spec_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Flow, RunKind
from ml_connector.sync.problems import Cause

NOT_SWEPT = frozenset({FlowKind.REFERENCE, FlowKind.OBSERVED, FlowKind.PROPOSED})

Told = Callable[[Flow, RunKind], None]
"""Is told what begins now, to show it."""


def work(told: Told | None = None) -> Work:
    """What jobs are about. Code lists are read whole anyway; payments that are only looked at, and vendors
    whose changes are only proposed, need no sweep."""

    def execute(flow: Flow, kind: RunKind, lease: Lease, job_id: str, seconds: float) -> object:
        if kind is RunKind.SWEEP and spec_of(flow).kind in NOT_SWEPT:
            return None
        if told is not None:
            told(flow, kind)
        return runs.execute(flow, kind, lease, job_id, seconds)

    return Work(execute, connection_for, park)


def run_here(flows: Sequence[Flow], told: Told | None = None) -> int:
    """Runs what is due of these Flows in this process; says how many jobs that took."""
    return run_until_idle([flow.pk for flow in flows], work(told))


def park(flow: Flow, kind: RunKind) -> None:
    """Opens the Problem that says why a Flow is no longer run."""
    cause = Cause(
        "flow_parked",
        f"flow:{flow.name}",
        f"The {spec_of(flow).label} are no longer run: five workers in a row died while they did a {kind.value}.",
        "Look for the reason in the workers' log (memory is the usual one), then:"
        f" ml-connector resume {flow.integration.name} --flow {flow.name}",
        blocks=False,
    )
    with audit.recording(flow.workspace, actor="worker") as trail:
        problems.open_problem(trail, flow.integration, cause, flow)

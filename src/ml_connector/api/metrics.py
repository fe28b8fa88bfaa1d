"""What is measured, over all Workspaces. Labels are names from the configuration and nothing of a record."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ml_connector import clock
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import Connection, Flow, Health, Problem, ProblemState, Record, State

FLOW = ("workspace", "integration", "flow")


class Installation(Collector):
    """Counts when it is asked."""

    def collect(self) -> Iterable[Metric]:
        flows = list(Flow.objects.across_workspaces().select_related("workspace", "integration").order_by("pk"))
        yield from _records(flows)
        yield _queue_age(flows)
        yield _found_only_by_sweep(flows)
        yield _problems()
        yield _health()
        yield GaugeMetricFamily("ml_connector_workers", "Workers that run now.", value=len(workers_alive()))


def _names(flow: Flow) -> list[str]:
    return [flow.workspace.name, flow.integration.name, flow.name]


def _records(flows: list[Flow]) -> Iterable[Metric]:
    found = {
        (row["flow_id"], row["state"]): row["count"]
        for row in Record.objects.across_workspaces().values("flow_id", "state").annotate(count=Count("pk"))
    }
    states = GaugeMetricFamily("ml_connector_records", "Records by state.", labels=(*FLOW, "state"))
    difference = GaugeMetricFamily(
        "ml_connector_records_unaccounted", "Records ever staged less the sum of the states; must be 0.", labels=FLOW
    )
    for flow in flows:
        counts = {state.value: found.get((flow.pk, state.value), 0) for state in State}
        for state, count in counts.items():
            states.add_metric([*_names(flow), state], count)
        difference.add_metric(_names(flow), flow.records_ever - sum(counts.values()))
    yield states
    yield difference


def _queue_age(flows: list[Flow]) -> Metric:
    """0 for a Flow that is not due, or paused."""
    now = clock.now()
    age = GaugeMetricFamily("ml_connector_queue_age_seconds", "How long a Flow has been due.", labels=FLOW)
    for flow in flows:
        due = [at for at in (flow.next_pull_at, flow.next_push_at, flow.next_sweep_at) if at is not None and at < now]
        paused = flow.paused or flow.integration.paused
        age.add_metric(_names(flow), 0 if paused or not due else (now - min(due)).total_seconds())
    return age


def _found_only_by_sweep(flows: list[Flow]) -> Metric:
    found = CounterMetricFamily(
        "ml_connector_found_only_by_sweep", "Records that polling missed and a sweep found.", labels=FLOW
    )
    for flow in flows:
        found.add_metric(_names(flow), flow.found_only_by_sweep)
    return found


def _problems() -> Metric:
    problems = GaugeMetricFamily(
        "ml_connector_open_problems", "Open Problems.", labels=("workspace", "integration", "cause")
    )
    rows = Problem.objects.across_workspaces().filter(state=ProblemState.OPEN)
    names = ("workspace__name", "integration__name", "cause")
    for row in rows.values(*names).annotate(count=Count("pk")).order_by(*names):
        problems.add_metric([row[name] for name in names], row["count"])
    return problems


def _health() -> Metric:
    health = GaugeMetricFamily(
        "ml_connector_connection_health",
        "1 for the health that a Connection has.",
        labels=("workspace", "connection", "system", "health"),
    )
    for row in Connection.objects.across_workspaces().select_related("workspace").order_by("pk"):
        for value in Health.values:
            health.add_metric([row.workspace.name, row.name, row.system, value], int(row.health == value))
    return health

"""What is measured, over all Workspaces. Labels are names from the configuration and nothing of a record."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ml_connector import clock, vault
from ml_connector.integrations import SYSTEMS
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.connections import counted_as
from ml_connector.sync.models import (
    Allowance,
    Connection,
    Flow,
    Health,
    Problem,
    ProblemState,
    Record,
    State,
    Webhook,
)

FLOW = ("workspace", "integration", "flow")
CONNECTION = ("workspace", "connection", "system")
HOUR = 3600


class Installation(Collector):
    """Counts when it is asked."""

    def collect(self) -> Iterable[Metric]:
        flows = list(Flow.objects.across_workspaces().select_related("workspace", "integration").order_by("pk"))
        yield from _records(flows)
        yield _queue_age(flows)
        yield _lateness(flows)
        yield _found_only_by_sweep(flows)
        yield _problems()
        connections = list(Connection.objects.across_workspaces().select_related("workspace").order_by("pk"))
        yield _health(connections)
        yield _logins(connections)
        yield from _vendor_calls(connections)
        yield _webhooks_refused()
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


def _lateness(flows: list[Flow]) -> Metric:
    """0 for a Flow that is in time, paused, or was never run to its end: that one has a queue age."""
    now = clock.now()
    late = GaugeMetricFamily(
        "ml_connector_lateness_seconds",
        "By how much the last good run of a Flow is older than its interval.",
        labels=FLOW,
    )
    for flow in flows:
        paused = flow.paused or flow.integration.paused
        last = now if paused or flow.last_success_at is None else flow.last_success_at
        late.add_metric(_names(flow), max(0.0, (now - last).total_seconds() - flow.every))
    return late


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


def _health(connections: list[Connection]) -> Metric:
    health = GaugeMetricFamily(
        "ml_connector_connection_health", "1 for the health that a Connection has.", labels=(*CONNECTION, "health")
    )
    for row in connections:
        for value in Health.values:
            health.add_metric([*_of(row), value], int(row.health == value))
    return health


def _of(row: Connection) -> list[str]:
    return [row.workspace.name, row.name, row.system]


def _logins(connections: list[Connection]) -> Metric:
    logins = CounterMetricFamily(
        "ml_connector_logins",
        "Log-ins to a system; a change of its settings or secrets counts as one.",
        labels=CONNECTION,
    )
    for row in connections:
        logins.add_metric(_of(row), row.session_serial)
    return logins


_counted: dict[int, tuple[str, str]] = {}
"""Of a Connection: its credential as last seen, and what its uses are counted under. So secrets are opened once, and
not each time that somebody asks for figures."""


def _vendor_calls(connections: list[Connection]) -> Iterable[Metric]:
    """Of Systems that limit them by the hour. Connections that share a developer key have the same figures."""
    labels = (*CONNECTION, "allowance")
    used = GaugeMetricFamily(
        "ml_connector_vendor_calls",
        "Used of what a vendor allows in this hour; up to 100 of those that run are counted ahead.",
        labels=labels,
    )
    limit = GaugeMetricFamily("ml_connector_vendor_calls_limit", "What a vendor allows in an hour.", labels=labels)
    now = int(clock.now().timestamp())
    rows = Allowance.objects.filter(window=now - now % HOUR).values_list("fingerprint", "allowance", "used")
    counts = {(fingerprint, allowance): count for fingerprint, allowance, count in rows}
    for row in connections:
        system = SYSTEMS.get(row.system)
        for allowance, allowed in system.per_hour.items() if system else ():
            limit.add_metric([*_of(row), allowance], allowed)
            used.add_metric([*_of(row), allowance], counts.get((_key(row), allowance), 0) if counts else 0)
    yield used
    yield limit


def _key(row: Connection) -> str:
    known = _counted.get(row.pk)
    if known is None or known[0] != row.credential:
        try:
            known = _counted[row.pk] = (row.credential, counted_as(row))
        except (vault.VaultError, KeyError):
            # Without its secrets it has called nobody.
            return ""
    return known[1]


def _webhooks_refused() -> Metric:
    refused = CounterMetricFamily(
        "ml_connector_webhook_refused", "Requests to a webhook that were not genuine.", labels=CONNECTION
    )
    rows = Webhook.objects.across_workspaces().select_related("connection__workspace").order_by("pk")
    for webhook in rows:
        refused.add_metric(_of(webhook.connection), webhook.refused)
    return refused

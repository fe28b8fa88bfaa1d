"""Figures of an installation at work, and the dashboard and alert rules that are made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from ml_connector import clock
from ml_connector.sync.connections import uses_this_hour
from ml_connector.sync.models import Allowance, Connection, Flow, Webhook
from tests.causes import causes
from tests.sync.pair import Pair

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy/grafana/ml-connector.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
NAME = re.compile(r"\bml_connector_\w+")
SELECTOR = re.compile(r"(ml_connector_\w+)\{([^}]*)\}")

WANTED = {
    "queue age": "ml_connector_queue_age_seconds",
    "lateness": "ml_connector_lateness_seconds",
    "records by state": "ml_connector_records",
    "found only by sweep": "ml_connector_found_only_by_sweep_total",
    "vendor calls": "ml_connector_vendor_calls",
    "their limits": "ml_connector_vendor_calls_limit",
    "log-ins": "ml_connector_logins_total",
    "webhook refusals": "ml_connector_webhook_refused_total",
    "silence": "ml_connector_open_problems",
    "sums of records": "ml_connector_records_unaccounted",
    "health": "ml_connector_connection_health",
    "workers": "ml_connector_workers",
}


def figures() -> dict[str, list[tuple[dict[str, str], float]]]:
    """What /metrics says: by name, labels and value of each sample."""
    text = Client(headers={"host": "localhost"}).get("/metrics").content.decode()
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def of(name: str, **labels: str) -> float:
    return next(value for found, value in figures()[name] if labels.items() <= found.items())


@pytest.fixture
def webhook(pair: Pair) -> Webhook:
    return Webhook.objects.create(
        workspace=pair.workspace, connection=connection(pair, "bill"), path="x", next_check_at=clock.now(), refused=7
    )


def connection(pair: Pair, system: str) -> Connection:
    return Connection.objects.of(pair.workspace).get(system=system)


def test_calls_of_a_vendor_are_told_against_its_limits(pair: Pair) -> None:  # R59
    used = uses_this_hour(connection(pair, "bill"))
    assert used["request"] > 0
    assert of("ml_connector_vendor_calls", system="bill", allowance="request") == used["request"]
    assert of("ml_connector_vendor_calls_limit", system="bill", allowance="request") == 20_000
    assert of("ml_connector_vendor_calls", system="bill", allowance="login") == used["login"] == 1
    assert of("ml_connector_vendor_calls_limit", system="bill", allowance="login") == 200
    Allowance.objects.all().update(window=0)
    assert of("ml_connector_vendor_calls", system="bill", allowance="request") == 0


def test_log_ins_are_counted(pair: Pair) -> None:
    before = of("ml_connector_logins_total", system="bill")
    assert before == connection(pair, "bill").session_serial
    pair.bill.faults([{"match": {"path": "*/v3/*", "nth": 1}, "do": "expire_session", "all": True}])
    pair.sync()
    assert of("ml_connector_logins_total", system="bill") == before + 1


def test_refused_webhooks_are_counted(webhook: Webhook) -> None:  # R57
    assert of("ml_connector_webhook_refused_total", system="bill") == 7


def test_a_flow_is_late_when_its_last_good_run_is_older_than_its_interval(pair: Pair) -> None:
    flow = Flow.objects.of(pair.workspace).get(name="invoices")
    clock.hold(clock.now())
    rows = Flow.objects.of(pair.workspace).filter(pk=flow.pk)
    rows.update(last_success_at=clock.now() - timedelta(seconds=flow.every))
    assert of("ml_connector_lateness_seconds", flow="invoices") == 0
    rows.update(last_success_at=clock.now() - timedelta(seconds=flow.every + 90))
    assert of("ml_connector_lateness_seconds", flow="invoices") == 90
    rows.update(paused=True)
    assert of("ml_connector_lateness_seconds", flow="invoices") == 0


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of both files, with where it stands."""
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    board = json.loads(DASHBOARD.read_text())
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_the_examples_ask_for_figures_that_are_there(pair: Pair, webhook: Webhook) -> None:
    there = figures()
    for where, text in expressions():
        assert NAME.findall(text), f"{where} asks for nothing"
        for name in NAME.findall(text):
            assert name in there, f"{where}: /metrics has no {name}"
        for name, inside in SELECTOR.findall(text):
            for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside):
                assert label in there[name][0][0], f"{where}: {name} has no label {label}"


def test_every_figure_is_there_and_on_the_dashboard(pair: Pair, webhook: Webhook) -> None:
    there = figures()
    shown = {name for text in DASHBOARD.read_text().split() for name in NAME.findall(text)}
    watched = {name for _, text in expressions() for name in NAME.findall(text)}
    for what, name in WANTED.items():
        assert name in there, what
        assert name in shown, f"The dashboard does not show {what}"
        assert name in watched, what
    assert set(there) <= {*WANTED.values()}, "A new figure: name it in WANTED, and show it."


def test_causes_that_alerts_name_can_be_opened() -> None:
    named = {cause for text in re.findall(r'cause=~"([^"]+)"', ALERTS.read_text()) for cause in text.split("|")}
    assert named
    assert named <= causes()


def test_alerts_say_what_to_do() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    labels = re.compile(r"{{ \$labels\.(\w+) }}")
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert all(rule["annotations"].values())
        told: set[Any] = set(labels.findall(" ".join(rule["annotations"].values())))
        assert told <= {"workspace", "integration", "flow", "connection", "system", "health", "cause", "allowance"}


def test_the_dashboard_is_whole() -> None:
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}", "It names a data source of some installation"

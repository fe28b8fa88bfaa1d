"""apply and export: all or nothing, nothing by omission, no secret in any output."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ml_connector.audit.models import AuditEntry
from ml_connector.sandbox import Running
from ml_connector.sync.models import Connection, Flow, Integration
from ml_connector.workspaces.models import Workspace
from tests.cli.conftest import Run, Write


def test_applying_makes_everything_and_says_what(run: Run, write: Write, configuration: dict[str, Any]) -> None:
    said = run("apply", write(configuration))
    assert said.status == 0
    assert said.out.splitlines() == [
        "create workspace acme",
        "create connection erp to SYSPRO",
        "create connection bill to BILL",
        "create integration payables (SYSPRO -> BILL)",
        "create flow payables.accounts: every 1h",
        "create flow payables.departments: every 1h",
        "create flow payables.suppliers: every 15m",
        "create flow payables.invoices: every 10m",
        "create flow payables.credit_notes: every 10m",
        "create flow payables.settled_in_syspro: every 1h",
        "change mapping payables.country: version 1",
        "11 changes made in workspace acme.",
    ]


def test_applying_twice_changes_nothing_and_says_so(applied: Run) -> None:
    before = AuditEntry.objects.across_workspaces().count()
    said = applied("apply", "acme.yaml")
    assert (said.status, said.out) == (0, "Workspace acme is as acme.yaml says. Nothing was changed.\n")
    assert AuditEntry.objects.across_workspaces().count() == before


def test_a_dry_run_says_the_same_and_changes_nothing(run: Run, write: Write, configuration: dict[str, Any]) -> None:
    said = run("apply", write(configuration), "--dry-run")
    assert said.status == 0
    assert said.out.splitlines()[-1] == "11 changes would be made. Nothing was changed."
    assert not Workspace.objects.exists()


def test_what_the_file_leaves_out_stays(applied: Run, write: Write) -> None:
    said = applied("apply", write({"workspace": "acme"}))
    assert "Nothing was changed." in said.out
    assert Connection.objects.across_workspaces().count() == 2
    assert Integration.objects.across_workspaces().count() == 1


def test_a_change_names_its_fields_in_plan_and_trail(applied: Run, write: Write, configuration: dict[str, Any]) -> None:
    configuration["connections"]["erp"]["settings"]["odata_page_size"] = 500
    configuration["integrations"]["payables"]["flows"] = {"invoices": {"every": "20m", "paused": True}}
    Path("erp-operator_password").write_text("another-password")
    said = applied("apply", write(configuration))
    assert said.out.splitlines() == [
        "change connection erp: settings.odata_page_size, secrets.operator_password",
        "change flow payables.invoices: paused, every",
        "2 changes made in workspace acme.",
    ]
    entries = list(AuditEntry.objects.across_workspaces().order_by("sequence"))[-2:]
    assert [entry.action for entry in entries] == ["config_change", "config_change"]
    assert "secrets.operator_password" in entries[0].detail
    assert "another-password" not in entries[0].detail
    flow = Flow.objects.across_workspaces().get(name="invoices")
    assert (flow.every, flow.paused) == (1200, True)


def test_one_fault_keeps_everything_from_being_changed(run: Run, write: Write, configuration: dict[str, Any]) -> None:
    configuration["integrations"]["payables"]["flows"] = {"invoices": {"every": "0m"}}
    said = run("apply", write(configuration))
    assert said.status == 2
    assert said.err.splitlines()[-1] == "Nothing was changed."
    assert not Workspace.objects.exists()


def test_a_file_that_is_not_there_is_wrong_usage(run: Run) -> None:
    said = run("apply", "nowhere.yaml")
    assert (said.status, said.err) == (2, "nowhere.yaml is no file.\nNothing was changed.\n")


def test_two_connections_with_one_credential_are_refused(run: Run, write: Write, configuration: dict[str, Any]) -> None:
    configuration["connections"]["again"] = copy.deepcopy(configuration["connections"]["erp"])
    said = run("apply", write(configuration))
    assert said.status == 2
    fault, last = said.err.splitlines()
    assert fault.endswith(
        "connections.again signs in with the same credential as connection erp of workspace acme; its vendor counts the"
        " two as one user. Give it a user of its own."
    )
    assert last == "Nothing was changed."


def test_a_mapping_to_an_account_that_is_not_there_names_the_line(
    applied: Run, write: Write, configuration: dict[str, Any]
) -> None:
    applied("sync", "payables", "--flow", "accounts")
    Path("accounts.csv").write_text("source,target\n10-6100,10-6100\n10-6999,10-6999\n")
    configuration["integrations"]["payables"]["mappings"]["gl_account"] = {"file": "accounts.csv"}
    said = applied("apply", write(configuration))
    assert said.status == 2
    assert said.err.splitlines() == [
        "accounts.csv:3: integrations.payables.mappings.gl_account: BILL has no GL account '10-6999' that 10-6999 could"
        " be mapped to. Check the spelling, or create it there and read the list again.",
        "Nothing was changed.",
    ]


def test_an_export_can_be_applied_again_and_changes_nothing(decided: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    text = decided("export").out
    exported = yaml.safe_load(text)
    assert exported["integrations"]["payables"]["mappings"]["gl_account"]["entries"]["10-6100"] == "10-6100"
    for name in ("operator_password", "odata_password"):
        place = exported["connections"]["erp"]["secrets"][name]["env"]
        monkeypatch.setenv(place, Path(f"erp-{name}").read_text())
    monkeypatch.setenv("BILL_PASSWORD", Path("bill-password").read_text())
    monkeypatch.setenv("BILL_DEVKEY", Path("bill-devKey").read_text())
    Path("again.yaml").write_text(text)
    said = decided("apply", "again.yaml")
    assert said.err == ""
    assert "Nothing was changed." in said.out


def test_an_export_holds_no_secret(applied: Run) -> None:
    text = applied("export").out
    for name in ("erp-operator_password", "erp-odata_password", "bill-password", "bill-devKey"):
        assert Path(name).read_text() not in text


def test_a_table_may_be_given_before_any_code_was_read(
    run: Run, write: Write, configuration: dict[str, Any], stand_ins: dict[str, Running]
) -> None:
    Path("accounts.csv").write_text(
        "source,target\n10-6200,10-6200\n10-6300,10-6300\n10-6100,10-6100\n10-2250,10-2250\n"
    )
    configuration["integrations"]["payables"]["mappings"]["gl_account"] = {"file": "accounts.csv"}
    said = run("apply", write(configuration))
    assert said.status == 0
    assert "The codes of gl_account were not read yet: each is judged before a document is sent." in said.out
    run("sync", "payables")
    run("sync", "payables")
    rows = run("records", "--type", "invoice", "--state", "confirmed", "--json").json
    assert {row["number"] for row in rows} >= {"ELC-1001", "ELC-1002", "PK-500", "NK-77"}
    assert {line["amount"] for bill in stand_ins["bill"].state("bills") for line in bill["billLineItems"]}


BASWARE = {
    "system": "basware",
    "settings": {
        "region": "EU",
        "environment": "test",
        "client_id": "client-1",
        "company_map": {"RIL": "100/FINANCE"},
        "source_system": "SYSPRO",
    },
    "secrets": {"client_secret": {"env": "BASWARE_SECRET"}},
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"environment": "production"}, "another environment"),
        ({"region": "US", "hosts": {"US test": "https://test-api.us.basware.com"}}, "another region"),
        ({"base_url": "https://gateway.acme.test/basware"}, "another base_url"),
    ],
)
def test_secrets_of_one_region_are_given_again_for_another(
    run: Run, write: Write, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], said: str
) -> None:  # R65
    monkeypatch.setenv("BASWARE_SECRET", "of-the-eu")
    given: dict[str, Any] = {"workspace": "acme", "connections": {"basware": copy.deepcopy(BASWARE)}}
    assert run("apply", write(given)).status == 0
    basware = given["connections"]["basware"]
    secrets = basware.pop("secrets")
    basware["settings"] |= {"page_size": 100}
    assert run("apply", write(given)).status == 0, "what the secrets are for is as it was"
    basware["settings"] |= changed
    refused = run("apply", write(given))
    assert refused.status != 0
    assert f"connections.basware.secrets.client_secret: it was stored for {said}" in refused.err
    row = Connection.objects.across_workspaces().get(name="basware")
    assert row.settings["environment"] == "test" and "base_url" not in row.settings
    assert run("apply", write({**given, "connections": {"basware": {**basware, "secrets": secrets}}})).status == 0
    row.refresh_from_db()
    assert changed.items() <= row.settings.items()

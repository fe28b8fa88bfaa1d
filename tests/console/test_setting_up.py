"""Connections by forms: the same rules as a file, in place, and secrets that only go in."""

from __future__ import annotations

import json

import pytest
import yaml
from django.db import connection as database

from ml_connector import vault
from ml_connector.audit.models import AuditEntry
from ml_connector.console import forms
from ml_connector.integrations import SYSTEMS
from ml_connector.sync import apply as applying
from ml_connector.sync.configfile import ConfigurationRefused
from ml_connector.sync.models import Approval, Connection, Flow, Integration, Record
from ml_connector.sync.queries.first_minutes import first_minutes, spec_for
from ml_connector.workspaces.models import Membership

GUIDE = "/w/acme/first-minutes/syspro-bill/payables"
SYSPRO = {
    "enet_rest_base": "http://127.0.0.1:9/SYSPROWCFService/Rest",
    "operator": "MLCONN",
    "operator_password": "s3cret-operator",
    "company_id": "001",
    "company_time_zone": "America/Chicago",
}
BILL = {
    "environment": "sandbox",
    "username": "ap@acme.test",
    "password": "s3cret-password",
    "organizationId": "00802ABCDEFGHIJKLMNO",
    "devKey": "s3cret-key",
    "base_url": "http://127.0.0.1:9/connect",
    "attach_approvers": "yes",
    "send_duplicate_guard": "yes",
}


@pytest.fixture
def made(workspace, people, sign_in):
    """Both Connections of `payables`, by the forms of the first minutes."""
    client = sign_in("administrator")
    for side, values in (("erp", SYSPRO), ("platform", BILL)):
        answer = client.post(f"{GUIDE}/connect/{side}", values)
        assert answer.status_code == 302, answer.content.decode()
    return client


def connection(workspace, name: str) -> Connection:
    return Connection.objects.of(workspace).select_related("workspace").get(name=f"payables-{name}")


def changes(workspace, row: Connection) -> list[tuple[str, str]]:
    rows = AuditEntry.objects.of(workspace).filter(action="config_change", subject=f"connection:{row.pk}")
    return list(rows.order_by("sequence").values_list("actor", "detail"))


def test_two_forms_make_an_integration_that_waits(workspace, people, made):
    row = Integration.objects.of(workspace).get(name="payables")
    assert row.paused and row.erp.name == "payables-syspro" and row.platform.name == "payables-bill"
    assert Flow.objects.of(workspace).filter(integration=row).count() == 6
    assert row.erp.settings == {name: value for name, value in SYSPRO.items() if name != "operator_password"}
    assert vault.get(workspace, "connection:payables-bill", "devKey") == "s3cret-key"
    actor, detail = changes(workspace, row.platform)[0]
    assert actor == people["administrator"].actor
    assert '"secrets.devKey"' in detail and "s3cret" not in detail
    assert not Record.objects.of(workspace).exists()


def test_how_far_it_is_is_told_from_what_is_stored(workspace, people, sign_in):
    client, spec = sign_in("owner"), spec_for("syspro-bill")
    assert first_minutes(workspace, spec, "payables").now == "connect"
    assert client.post(f"{GUIDE}/connect/erp", SYSPRO).status_code == 302
    text = client.get("/w/acme/first-minutes").content.decode()
    assert "only payables-syspro is there so far" in text
    assert client.post(f"{GUIDE}/connect/platform", BILL).status_code == 302
    found = first_minutes(workspace, spec, "payables")
    assert (found.now, found.done, found.started) == ("test", frozenset({"connect"}), False)
    assert "not started yet" in client.get("/w/acme/first-minutes").content.decode()
    Connection.objects.of(workspace).update(health="ok")
    assert first_minutes(workspace, spec, "payables").now == "read"
    assert client.post(f"{GUIDE}/start").status_code == 302
    found = first_minutes(workspace, spec, "payables")
    assert found.started and not Integration.objects.of(workspace).get(name="payables").paused
    flow = Flow.objects.of(workspace).get(name="invoices")
    assert flow.next_pull_at is not None and flow.next_push_at is not None


def test_what_is_missing_or_wrong_is_said_at_its_field_and_nothing_is_stored(workspace, people, sign_in):
    client = sign_in("owner")
    wrong = {**SYSPRO, "operator": "", "odata_page_size": "many", "read_route": "no pair", "company_time_zone": "X/Y"}
    answer = client.post(f"{GUIDE}/connect/erp", wrong)
    text = answer.content.decode()
    assert answer.status_code == 400
    for name, said in (
        ("operator", "This is missing."),
        ("odata_page_size", "Must be a whole number, not &quot;many&quot;."),
        ("read_route", "Must hold names and values"),
    ):
        assert f'id="field-{name}-error" role="alert">{said}' in text, name
    assert 'value="many"' in text and "s3cret" not in text
    sense = client.post(f"{GUIDE}/connect/erp", {**SYSPRO, "company_time_zone": "X/Y"}).content.decode()
    assert "is no IANA time zone" in sense
    assert not Connection.objects.of(workspace).exists()
    assert not AuditEntry.objects.of(workspace).filter(action="config_change").exists()


def test_a_form_is_refused_with_the_words_of_a_file(workspace, tmp_path, monkeypatch):
    """One way of changing the configuration, not two."""
    monkeypatch.setenv("PASSWORD", "s3cret-operator")
    settings = {"operator": "M", "company_id": "1", "odata_page_size": "many", "odata_date_style": "roman"}
    content = {"workspace": "acme", "connections": {"erp": {"system": "syspro", "settings": settings}}}
    with pytest.raises(ConfigurationRefused) as by_form:
        applying.change(content, {"erp": {"operator_password": "s3cret-operator"}}, "test")
    content["connections"]["erp"]["secrets"] = {"operator_password": {"env": "PASSWORD"}}
    file = tmp_path / "acme.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigurationRefused) as by_file:
        applying.apply(file, "test")
    assert {fault.text for fault in by_form.value.faults} == {fault.text for fault in by_file.value.faults}
    assert len(by_form.value.faults) == 4
    assert all(fault.path.startswith("connections.erp.settings.") for fault in by_form.value.faults)


def test_a_setting_is_changed_and_put_back_to_its_default(workspace, people, made):
    Membership.objects.of(workspace).exclude(person=people["administrator"]).delete()
    row = connection(workspace, "syspro")
    values = {setting.name: forms.shown(setting, row.settings.get(setting.name, setting.default))
              for setting in SYSTEMS["syspro"].settings()}  # fmt: skip
    path = f"/w/acme/connections/{row.pk}/edit"
    assert made.post(path, values).status_code == 302
    assert len(changes(workspace, row)) == 1, "what is the same is no change"
    answer = made.post(path, {**values, "journal_overlap_days": "9", "currency_codes": "$: USD\n€: EUR"})
    assert answer.status_code == 302 and f"test={row.pk}" in answer["Location"]
    row.refresh_from_db()
    assert row.settings["journal_overlap_days"] == 9
    assert row.settings["currency_codes"] == {"$": "USD", "€": "EUR"}
    assert '"settings.currency_codes","settings.journal_overlap_days"' in changes(workspace, row)[-1][1]
    assert "$: USD" in made.get(path).content.decode()
    assert made.post(path, values).status_code == 302
    row.refresh_from_db()
    assert "journal_overlap_days" not in row.settings
    assert made.post(path, {**values, "company_id": ""}).status_code == 400
    row.refresh_from_db()
    assert row.settings["company_id"] == "001"


def test_a_secret_goes_in_and_never_out(workspace, people, made):  # R71, R72
    Membership.objects.of(workspace).exclude(person=people["administrator"]).delete()
    row = connection(workspace, "bill")
    path = f"/w/acme/connections/{row.pk}/secrets"
    pages = [made.get(path), made.get(f"/w/acme/connections/{row.pk}/edit"), made.get("/w/acme/connections")]
    pages += [made.get(GUIDE), made.post(path, {"password": "n3w-password"})]
    assert pages[-1].status_code == 400, "not without saying that one is sure"
    assert not [page for page in pages if "s3cret" in page.content.decode() or "n3w" in page.content.decode()]
    assert "Leave empty to keep it" in pages[0].content.decode()
    assert vault.get(workspace, f"connection:{row.name}", "password") == "s3cret-password"
    assert made.post(path, {"sure": "yes"}).status_code == 400
    answer = made.post(path, {"password": "n3w-password", "devKey": "", "sure": "yes"})
    assert answer.status_code == 302 and f"test={row.pk}" in answer["Location"]
    assert vault.get(workspace, f"connection:{row.name}", "password") == "n3w-password"
    assert vault.get(workspace, f"connection:{row.name}", "devKey") == "s3cret-key"
    actor, detail = changes(workspace, row)[-1]
    assert actor == people["administrator"].actor
    assert json.loads(detail) == {"fields": ["secrets.password"], "second_person": "nobody else may approve"}
    row.refresh_from_db()
    assert row.health == "unknown"


@pytest.mark.parametrize(
    ("page", "typed", "field"),
    [
        ("secrets", {"password": "n3w-password", "sure": "yes"}, "secrets.password"),
        ("edit", {"base_url": "https://elsewhere.example/connect"}, "settings.base_url"),
    ],
)
def test_other_secrets_and_settings_wait_for_another(workspace, people, made, sign_in, page, typed, field):  # R72
    row = connection(workspace, "bill")
    before = dict(row.settings), vault.get(workspace, f"connection:{row.name}", "password")
    values = {setting.name: forms.shown(setting, row.settings.get(setting.name, setting.default))
              for setting in SYSTEMS["bill"].settings()} if page == "edit" else {}  # fmt: skip
    answer = made.post(f"/w/acme/connections/{row.pk}/{page}", {**values, **typed})
    asked = Approval.objects.of(workspace).get(kind="credentials")
    assert answer["Location"] == f"/w/acme/approvals/{asked.pk}"
    row.refresh_from_db()
    assert (dict(row.settings), vault.get(workspace, f"connection:{row.name}", "password")) == before
    shown = made.get("/w/acme/connections").content.decode()
    assert "Waits for a second person" in shown and "n3w" not in shown
    assert made.post(f"/w/acme/approvals/{asked.pk}/approve", {"reason": "it is right"}).status_code == 403
    approver = sign_in("approver")
    assert approver.post(f"/w/acme/approvals/{asked.pk}/approve", {"reason": "it is right"}).status_code == 302
    row.refresh_from_db()
    assert (dict(row.settings), vault.get(workspace, f"connection:{row.name}", "password")) != before
    actor, detail = changes(workspace, row)[-1]
    assert field in json.loads(detail)["fields"]
    assert people["approver"].actor in (actor, json.loads(detail)["second_person"])
    assert "Waits for a second person" not in made.get("/w/acme/connections").content.decode()


def test_two_connections_with_one_credential_are_refused(workspace, people, made):
    other = "/w/acme/first-minutes/syspro-bill/second"
    answer = made.post(f"{other}/connect/erp", SYSPRO)
    assert answer.status_code == 400
    assert "signs in with the same credential as connection payables-syspro" in answer.content.decode()
    assert Connection.objects.of(workspace).count() == 2


def test_a_connection_that_is_there_is_used_for_another_integration(workspace, people, made):
    second = "/w/acme/first-minutes/syspro-bill/second"
    assert "Use a connection" not in made.get(f"{second}/connect/erp").content.decode()
    other = {**BILL, "organizationId": "00802ABCDEFGHIJKLMN2"}
    assert made.post(f"{second}/connect/platform", other).status_code == 302
    assert "payables-syspro" in made.get(f"{second}/connect/erp").content.decode()
    assert made.post(f"{second}/connect/erp", {"existing": "payables-syspro"}).status_code == 302
    row = Integration.objects.of(workspace).select_related("erp", "platform").get(name="second")
    assert (row.erp.name, row.platform.name, row.paused) == ("payables-syspro", "second-bill", True)
    assert len(changes(workspace, row.erp)) == 1, "it was not changed for it"


def test_two_connections_that_a_file_made_are_joined(workspace, people, sign_in):
    plain = {
        system: {name: given[name] for name in given.keys() & {setting.name for setting in SYSTEMS[system].settings()}}
        for system, given in (("syspro", SYSPRO), ("bill", {**BILL, "attach_approvers": True}))
    }
    del plain["bill"]["send_duplicate_guard"]
    made = {f"payables-{system}": {"system": system, "settings": values} for system, values in plain.items()}
    content = {"workspace": "acme", "connections": made}
    secrets = {"payables-syspro": {"operator_password": "x"}, "payables-bill": {"password": "x", "devKey": "y"}}
    applying.change(content, secrets, "test")
    client = sign_in("owner")
    assert "Join the two as payables" in client.get(GUIDE).content.decode()
    assert client.post(f"{GUIDE}/connect/erp", {"existing": "payables-syspro"}).status_code == 302
    assert Integration.objects.of(workspace).get(name="payables").paused
    assert "Join the two" not in client.get(GUIDE).content.decode()


def test_names_are_lasting_and_therefore_checked(workspace, people, made):
    for name in ("payables", "no name", "x" * 60, "", "-a"):
        answer = made.post("/w/acme/first-minutes", {"kind": "syspro-bill", "name": name})
        assert answer.status_code == 400, name
    answer = made.post("/w/acme/first-minutes", {"kind": "syspro-bill", "name": "second"})
    assert answer["Location"] == "/w/acme/first-minutes/syspro-bill/second"
    assert made.get("/w/acme/first-minutes/syspro-bill/no%20name").status_code == 404
    assert made.get("/w/acme/first-minutes/other/second").status_code == 404


def test_a_connection_to_a_stand_in_is_left_as_the_stand_in_needs_it(workspace, people, made):
    row = connection(workspace, "bill")
    row.stand_in = "0" * 32
    row.save()
    for page in ("edit", "secrets"):
        assert made.get(f"/w/acme/connections/{row.pk}/{page}").status_code == 404
    assert "This is a stand-in" in made.get("/w/acme/connections").content.decode()


def test_a_trial_is_offered_only_where_serve_keeps_its_stand_ins(workspace, people, sign_in, monkeypatch):
    client = sign_in("owner")
    assert "Try it on the stand-ins" not in client.get("/w/acme/first-minutes").content.decode()
    assert client.post("/w/acme/first-minutes/try", {"kind": "syspro-bill"}).status_code == 404
    monkeypatch.setenv("ML_CONNECTOR_STAND_INS", "1")
    if database.vendor == "postgresql":
        assert "Try it on the stand-ins" not in client.get("/w/acme/first-minutes").content.decode()
        return
    assert "Try it on the stand-ins" in client.get("/w/acme/first-minutes").content.decode()
    assert sign_in("operator").post("/w/acme/first-minutes/try", {"kind": "syspro-bill"}).status_code == 403


def test_every_setting_has_a_label_and_says_where_it_is_found():
    for system in SYSTEMS.values():
        labels = [setting.label for setting in system.form]
        assert all(labels) and len(set(labels)) == len(labels), system.name
        assert all(len(setting.help) > 20 for setting in system.form), system.name
        first = [setting for setting in system.form if not setting.group]
        assert all(setting in first for setting in system.form if setting.required), system.name


def test_secrets_of_one_region_are_typed_again_for_another(workspace, people, made):  # R65
    Membership.objects.of(workspace).exclude(person=people["administrator"]).delete()
    basware = {
        "region": "EU", "environment": "test", "client_id": "client-1", "company_map": "RIL: 100/FINANCE",
        "source_system": "SYSPRO", "client_secret": "s3cret-of-the-eu",
    }  # fmt: skip
    guide = "/w/acme/first-minutes/syspro-basware/matching"
    assert made.post(f"{guide}/connect/platform", basware).status_code == 302
    row = Connection.objects.of(workspace).get(name="matching-basware")
    values = {setting.name: forms.shown(setting, row.settings.get(setting.name, setting.default))
              for setting in SYSTEMS["basware"].settings()}  # fmt: skip
    path = f"/w/acme/connections/{row.pk}/edit"
    assert "s3cret" not in made.get(path).content.decode()
    assert made.post(path, {**values, "page_size": "100"}).status_code == 302
    row.refresh_from_db()
    for changed in ({"environment": "production"}, {"base_url": "https://gateway.acme.test"}):
        refused = made.post(path, {**values, "page_size": "100", **changed})
        assert refused.status_code == 400
        assert f"It was stored for another {next(iter(changed))}" in refused.content.decode()
        assert 'id="field-client_secret"' in refused.content.decode()
        before = dict(row.settings)
        row.refresh_from_db()
        assert row.settings == before
    answer = made.post(path, {**values, "environment": "production", "client_secret": "n3w-of-production"})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.settings["environment"] == "production"
    assert vault.get(workspace, "connection:matching-basware", "client_secret") == "n3w-of-production"
    assert json.loads(changes(workspace, row)[-1][1])["fields"][-1] == "secrets.client_secret"

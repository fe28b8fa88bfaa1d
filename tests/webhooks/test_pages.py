"""The console's pages, the command line and the API about webhooks."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import Client
from typer.testing import CliRunner

from ml_connector import clock
from ml_connector.cli.app import app
from ml_connector.sync import retention
from ml_connector.sync.models import EventReading, Hold, ReceivedEvent, Webhook
from ml_connector.sync.queries.run_page import flow_rows
from ml_connector.sync.queries.webhook_page import webhook_rows
from ml_connector.sync.webhooks import keeping
from tests.api.conftest import program
from tests.console.conftest import person

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def browse(house):
    """A browser in which somebody of a role is signed in."""

    def give(role: str) -> Client:
        client = Client(headers={"host": "localhost"})
        client.force_login(person(f"{role}@acme.test", house.workspace, role), backend=BACKEND)
        return client

    return give


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    def give(*arguments: str):
        result = CliRunner().invoke(app, ["webhook", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return give


def text_of(client: Client, path: str) -> str:
    answer = client.get(f"/w/acme/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_public_address_every_page_says_polling_only(house, browse, run):  # R58
    client = browse("owner")
    assert "Polling only" in text_of(client, "connections")
    assert "ML_CONNECTOR_WEBHOOK_URL is not set" in text_of(client, "connections")
    assert "polling only" in text_of(client, "runs")
    assert [row.heard for row in flow_rows(house.workspace) if row.name == "payments"] == ["polling only"]
    assert [row.heard for row in flow_rows(house.workspace) if row.name == "invoices"] == [""]
    guide = text_of(client, "first-minutes/sapb1-bill/bench")
    assert "Polling only: BILL is asked for vendors in BILL and payments every 15 min." in guide
    said = run("status")
    assert (said.exit_code, "polling only" in said.stdout) == (0, True)
    assert "rotate" not in text_of(client, "connections").lower()


def test_the_connection_says_how_its_webhook_is(sender, browse):  # R57
    house, client = sender.house, browse("owner")
    house.pay()
    house.wait(1)
    sender.send(sender.body(), "bm8=")
    text = text_of(client, "connections")
    for said in ("In force", "1 within 24 hours", "Refused as not genuine", "Key in force since", "Rotate the key"):
        assert said in text
    assert "webhook" in text_of(client, "runs")
    assert "BILL announces vendors in BILL and payments by webhook" in text_of(client, "first-minutes/sapb1-bill/bench")
    assert house.webhook.path not in text and house.key not in text  # R71


def test_who_may_not_configure_gets_no_button_and_is_refused(subscribed, browse):  # R74
    client = browse("operator")
    assert "Rotate the key" not in text_of(client, "connections")
    assert client.post(f"/w/acme/connections/{subscribed.platform.pk}/webhook", {"what": "rotate"}).status_code == 403
    assert not subscribed.webhook.new_key_wanted


def test_a_key_is_rotated_from_the_page(subscribed, browse):  # R57
    client, old = browse("administrator"), subscribed.key
    address = f"/w/acme/connections/{subscribed.platform.pk}/webhook"
    answer = client.post(address, {"what": "rotate"}, follow=True)
    assert "A new key is asked of BILL" in answer.content.decode()
    assert "a new one is asked for" in answer.content.decode()
    assert subscribed.webhook.next_check_at == clock.now()
    subscribed.look()
    assert subscribed.key != old
    assert "the one before is good until" in text_of(client, "connections")
    assert client.post(address, {"what": "nonsense"}).status_code == 404
    erp = f"/w/acme/connections/{subscribed.erp.pk}/webhook"
    assert client.post(erp, {"what": "rotate"}).status_code == 404


def test_a_webhook_is_removed_and_wanted_again_from_the_page(subscribed, browse):
    client = browse("owner")
    address = f"/w/acme/connections/{subscribed.platform.pk}/webhook"
    client.post(address, {"what": "remove"})
    subscribed.look()
    text = text_of(client, "connections")
    assert "removed by a person" in text and "Subscribe again" in text
    client.post(address, {"what": "subscribe"})
    assert subscribed.look().state == "active"


def test_the_list_of_events_leads_to_records_and_reads_again(sender, browse):  # R58
    house, client = sender.house, browse("operator")
    assert "No events yet" in text_of(client, "connections/events")
    house.pay()
    house.wait(1)
    sender.send(sender.body("e2", "bill", "00n01X"))
    house.pull()
    (record,) = [row.pk for row in house.on_its_way()]
    text = text_of(client, "connections/events")
    assert f"/w/acme/records/{record}" in text
    assert "No Flow reads invoices from BILL." in text and "Read as it is now." in text
    assert "payment.updated" not in text_of(client, "connections/events?state=ignored")
    assert "Nothing fits" in text_of(client, "connections/events?state=waiting")
    event = house.events()[0]
    answer = client.post(f"/w/acme/connections/events/{event.pk}/replay", follow=True)
    assert "is read again now. But no worker runs." in answer.content.decode()
    assert house.events()[0].state == "waiting"
    ignored = client.post(f"/w/acme/connections/events/{house.events()[1].pk}/replay", follow=True)
    assert "so it stays ignored" in ignored.content.decode()


def test_an_auditor_sees_events_and_replays_none(sender, browse):  # R74
    sender.send(sender.body())
    client = browse("auditor")
    assert "Replay" not in text_of(client, "connections/events")
    event = sender.house.events()[0].pk
    assert client.post(f"/w/acme/connections/events/{event}/replay").status_code == 403


def test_pages_of_events(sender, browse):
    for number in range(60):
        sender.send(sender.body(f"e{number}", "vendor", "00901X"))
    client = browse("auditor")
    first = text_of(client, "connections/events")
    assert first.count('<th scope="row"') == 50 and "Older" in first
    assert text_of(client, f"connections/events?before={sender.house.events()[10].pk}").count('<th scope="row"') == 10
    assert client.get("/w/acme/connections/events?before=99999999999999999999999&state=x").status_code == 200


def test_the_command_line_lists_replays_rotates_and_removes(sender, run):  # R57, R58
    house = sender.house
    payment = house.pay()
    house.wait(1)
    listed = run("list", "--json")
    (row,) = json.loads(listed.stdout)
    assert (row["key"], row["state"]) == (payment, "waiting")
    replayed = run("replay", str(row["id"]))
    assert replayed.exit_code == 0, replayed.output
    assert house.read() == {payment: "cleared"}
    assert run("replay", "999999").exit_code == 1
    assert payment in run("list", "--state", "processed").stdout
    assert run("list", "--connection", "plattform").exit_code == 2
    old = house.key
    assert "new key in force" in run("rotate", "platform").stdout
    assert house.key != old and house.key not in run("status").output
    assert json.loads(run("status", "--json").stdout)[0]["state"] == "active"
    assert "has no subscription" in run("remove", "platform").stdout
    assert house.bill.state("subscriptions") == []
    assert run("rotate", "platform").exit_code == 1
    assert "in force" in run("subscribe", "platform").stdout
    assert run("rotate", "erp").exit_code == 2


def test_the_command_says_why_there_is_none(house, run):
    said = run("subscribe", "platform")
    assert said.exit_code == 1 and "ML_CONNECTOR_WEBHOOK_URL is not set" in said.stderr


def test_removing_without_a_public_address_says_what_is_left(subscribed, run, monkeypatch):
    monkeypatch.setattr(settings, "WEBHOOK_URL", "")
    said = run("remove", "platform")
    assert said.exit_code == 1 and subscribed.subscription["id"] in said.stderr
    assert not subscribed.webhook.wanted


def test_a_program_sees_and_replays_events(sender):
    house = sender.house
    robot = program(house.workspace, "view", "run", name="robot")
    house.pay()
    house.wait(1)
    (hook,) = robot.get("/webhooks").body["items"]
    assert (hook["connection"], hook["state"], hook["events_of_day"]) == ("platform", "active", 1)
    (event,) = robot.get("/webhooks/events", state="waiting").body["items"]
    assert robot.get(f"/webhooks/events/{event['id']}").body == event
    house.pull()
    said = robot.post(f"/webhooks/events/{event['id']}/replay")
    assert (said.status, said.body["flows"], said.body["event"]["state"]) == (202, ["bench.payments"], "waiting")
    assert house.webhook.path not in str(hook)  # R71


def test_old_events_are_removed_unless_something_keeps_them(sender):  # R70
    house = sender.house
    house.pay()
    house.wait(1)
    sender.send(sender.body("e2", "bill", "00n01X"))
    house.pull()
    sender.send(sender.body("waits"))
    ReceivedEvent.objects.of(house.workspace).update(received_at=clock.now().replace(year=2010))
    sender.send(sender.body("young", "bill", "00n01X"))
    hold = Hold.objects.create(
        workspace=house.workspace, kind="workspace", reason="case", set_by="t", set_at=clock.now()
    )  # fmt: skip
    found = retention.preview(house.workspace)
    assert (found.events.count, found.events.held) == (0, 2)
    retention.remove(house.workspace, "test")
    assert len(house.events()) == 4
    Hold.objects.of(house.workspace).filter(pk=hold.pk).update(lifted_at=clock.now())
    assert retention.preview(house.workspace).events.count == 2
    assert retention.remove(house.workspace, "test").events.count == 2
    assert [event.event_id for event in house.events()] == ["waits", "young"]
    assert EventReading.objects.of(house.workspace).count() == 1


def test_a_connection_of_which_nothing_could_be_announced_is_not_shown(house):
    names = [row.connection for row in webhook_rows(house.workspace)]
    assert names == ["platform"]
    assert Webhook.objects.of(house.workspace).count() == 0
    keeping.row_of(house.erp)
    assert [row.connection for row in webhook_rows(house.workspace)] == ["platform"]

"""What people decide in the pages: the engine does it, the trail names them by id, and the page follows it."""

from __future__ import annotations

import json

import pytest

from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.sync.models import Link, MappingVersion, Problem, Record
from ml_connector.workspaces.models import Membership
from tests.sync.pair import base_pair


def entries(pair, action: str) -> list[tuple[str, dict]]:
    rows = AuditEntry.objects.of(pair.workspace).filter(action=action).order_by("sequence")
    return [(row.actor, json.loads(row.detail)) for row in rows]


@pytest.fixture
def nobody_else_approves(pair, people):
    """Besides the operator there are people, but none who could be the second person."""
    others = Membership.objects.of(pair.workspace).exclude(person=people["operator"])
    others.update(role="auditor")


@pytest.mark.usefixtures("nobody_else_approves")
def test_a_code_is_mapped_in_place_and_what_waited_follows(pair, people, sign_in):  # R49, R69
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    client, path = sign_in("operator"), f"/w/acme/problems/{problem.pk}"
    text = client.get(path).content.decode()
    assert "Map the code" in text and "10-6999" in text
    answer = client.post(f"{path}/map", {"target": "10-6100"})
    assert answer.status_code == 302 and "since=" in answer.headers["location"]
    version = MappingVersion.objects.of(pair.workspace).order_by("-pk").first()
    actor = people["operator"].actor
    assert version.published_by == actor
    assert entries(pair, "mapping_change")[-1][0] == actor
    pair.sync()
    problem.refresh_from_db()
    assert problem.state == "solved"
    assert pair.record("HU-2201").state == "confirmed"
    shown = client.get(answer.headers["location"]).content.decode()
    assert "Confirmed" in shown and "hx-trigger" not in shown.split('id="problem"')[1].split(">")[0]
    assert verify(pair.workspace).holds


def test_a_code_that_cannot_be_used_changes_nothing(pair, sign_in):
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    before = MappingVersion.objects.of(pair.workspace).count()
    for target in ("", "no such account"):
        answer = sign_in("operator").post(f"/w/acme/problems/{problem.pk}/map", {"target": target})
        assert answer.status_code == 400 and "Nothing was changed" in answer.content.decode()
    assert MappingVersion.objects.of(pair.workspace).count() == before


def test_a_decision_needs_its_reason(pair, sign_in):
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    answer = sign_in("operator").post(f"/w/acme/problems/{problem.pk}/decide", {"action": "skip", "reason": " "})
    assert answer.status_code == 400 and "needs a reason" in answer.content.decode()
    problem.refresh_from_db()
    assert problem.state == "open"


def test_what_is_skipped_says_why_and_who(pair, people, sign_in):
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    values = {"action": "skip", "reason": "<b>Paid by card</b>"}
    assert sign_in("operator").post(f"/w/acme/problems/{problem.pk}/decide", values).status_code == 302
    problem.refresh_from_db()
    assert (problem.state, problem.ended_by) == ("handled", people["operator"].actor)
    text = sign_in("auditor").get(f"/w/acme/problems/{problem.pk}").content.decode()
    assert "&lt;b&gt;Paid by card" in text and "<b>Paid" not in text
    assert "Operator" in text, "people are called by name on the page, and only there"


def test_a_write_off_waits_for_a_second_person_with_the_right(pair, people, sign_in):  # R41, R72, R73
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    path = f"/w/acme/problems/{problem.pk}"
    values = {"action": "write_off", "reason": "The supplier is gone."}
    owner, operator, approver = sign_in("owner"), sign_in("operator"), sign_in("approver")
    assert owner.post(f"{path}/decide", values).status_code == 302
    problem.refresh_from_db()
    assert problem.state == "open"
    # Neither the asker, nor another operator by asking again, nor one without the right is the second person.
    assert owner.post(f"{path}/approve", {"reason": "Yes."}).status_code == 409
    assert operator.post(f"{path}/decide", values).status_code == 409
    assert operator.post(f"{path}/approve", {"reason": "Yes."}).status_code == 403
    problem.refresh_from_db()
    assert problem.state == "open"
    assert "Waits for a second person" in approver.get(path).content.decode()
    assert approver.post(f"{path}/approve", {"reason": ""}).status_code == 400
    assert approver.post(f"{path}/approve", {"reason": "Agreed."}).status_code == 302
    problem.refresh_from_db()
    assert (problem.state, problem.ended_by) == ("handled", people["approver"].actor)
    assert pair.record("HU-2201").state == "written_off"
    assert [actor for actor, _ in entries(pair, "override")] == [people["owner"].actor, people["approver"].actor]


def test_a_supplier_is_linked_in_place(workspace, people, sign_in):  # R46
    with base_pair(workspace) as pair:
        pair.map_accounts()
        pair.sync("suppliers")
        problem = Problem.objects.of(workspace).get(cause="supplier_ambiguous")
        client, path = sign_in("operator"), f"/w/acme/problems/{problem.pk}"
        text = client.get(path).content.decode()
        assert "Is it the same supplier?" in text and "Hydra Utilities, Inc." in text
        vendor = problem.detail["target_key"]
        assert client.post(f"{path}/link", {"target": "nobody"}).status_code == 400
        assert client.post(f"{path}/link", {"target": vendor}).status_code == 302
        link = Link.objects.of(workspace).get(source_key="HYD005")
        assert (link.target_key, link.made_by) == (vendor, people["operator"].actor)


def test_a_part_of_the_page_follows_the_replay_without_a_reload(pair, sign_in):
    record = Record.objects.of(pair.workspace).get(number="HU-2201")
    client = sign_in("operator")
    answer = client.post(f"/w/acme/records/{record.pk}/replay", headers={"hx-request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200 and text.strip().startswith('<div id="record"') and "<html" not in text
    assert entries(pair, "replay")[-1][0].startswith("person:")


def test_flows_are_paused_and_made_due_by_a_person(pair, people, sign_in):
    client = sign_in("operator")
    flow = {"integration": "bench", "flow": "invoices"}
    assert client.post("/w/acme/runs/pause", {**flow, "paused": "yes"}).status_code == 302
    assert pair.flow("invoices").paused
    assert client.post("/w/acme/runs/pause", {**flow, "paused": "no"}).status_code == 302
    assert not pair.flow("invoices").paused
    assert [actor for actor, _ in entries(pair, "config_change")][-2:] == [people["operator"].actor] * 2
    assert client.post("/w/acme/runs/start", {**flow, "since": "2026-02-30"}).status_code == 302
    assert pair.flow("invoices").backfill_from is None
    assert client.post("/w/acme/runs/start", {**flow, "since": "2026-01-01"}).status_code == 302
    assert pair.flow("invoices").backfill_from.isoformat() == "2026-01-01"


def test_a_connection_is_tested_step_by_step(pair, sign_in):
    answer = sign_in("operator").post(f"/w/acme/connections/{pair.erp.pk}/ping")
    steps = [part.decode() for part in answer.streaming_content]
    assert len(steps) > 3 and all("<li" in step for step in steps)
    assert "works." in steps[-1]
    assert entries(pair, "ping")[-1][0].startswith("person:")


@pytest.mark.usefixtures("nobody_else_approves")
def test_a_grid_publishes_one_version_of_what_was_changed(pair, people, sign_in):  # R48
    client, path = sign_in("operator"), "/w/acme/mappings/bench/gl_account"
    before = MappingVersion.objects.of(pair.workspace).filter(mapping__name="gl_account").count()
    same = {"to:10-6100": "10-6100", "was:10-6100": "10-6100"}
    assert client.post(f"{path}/publish", same).status_code == 400
    values = {**same, "to:10-6999": "10-6100", "was:10-6999": "", "reason": "Until there is an account."}
    assert client.post(f"{path}/publish", values).status_code == 302
    version = MappingVersion.objects.of(pair.workspace).filter(mapping__name="gl_account").order_by("-number").first()
    assert version.number == before + 1 and version.reason == "Until there is an account."
    assert entries(pair, "mapping_change")[-1][1]["codes"] == ["10-6999"]
    text = client.get(f"{path}/versions").content.decode()
    assert "Until there is an account." in text and "Operator" in text


def followed(client, pair, number: str) -> str:
    """The part of a Record's page that follows a replay begun now."""
    record = pair.record(number)
    address = client.post(f"/w/acme/records/{record.pk}/replay").headers["location"]
    return client.get(address, headers={"hx-request": "true"}).content.decode()


def test_a_replay_is_followed_although_no_worker_is_there_for_a_moment(pair, sign_in, monkeypatch):
    from ml_connector.console.views import replaying

    client = sign_in("operator")
    for workers, seconds in (([], 5), (["w"], 1)):
        monkeypatch.setattr(replaying, "workers_alive", lambda found=workers: found)
        text = followed(client, pair, "HU-2201")
        assert f'hx-trigger="every {seconds}s"' in text
        assert ("no worker runs" in text) is (not workers)


def test_a_replay_is_followed_while_a_connection_waits_and_not_while_a_person_is_waited_for(pair, sign_in, monkeypatch):
    from datetime import timedelta

    from ml_connector import clock
    from ml_connector.console.views import replaying

    monkeypatch.setattr(replaying, "workers_alive", lambda: ["w"])
    client = sign_in("operator")
    pair.platform.not_before = clock.now() + timedelta(minutes=5)
    pair.platform.save()
    text = followed(client, pair, "HU-2201")
    assert 'hx-trigger="every 5s"' in text and "not called before" in text
    pair.platform.not_before = None
    pair.platform.save()
    flow = pair.flow("invoices")
    flow.paused = True
    flow.save()
    assert "hx-trigger" not in followed(client, pair, "HU-2201").split(">")[0]


def test_what_is_only_asked_for_is_not_followed(pair, sign_in):  # R72
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    values = {"action": "write_off", "reason": "Gone."}
    answer = sign_in("owner").post(f"/w/acme/problems/{problem.pk}/decide", values)
    assert answer.headers["location"] == f"/w/acme/problems/{problem.pk}"

"""What programs can do: the same as people in the console, told in the same words."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from ml_connector import clock
from ml_connector.jobs import upkeep
from ml_connector.sync import approvals, mappings, problems, retention, second_person, trail_retention
from ml_connector.sync.models import Approval, Flow, Ping, Problem, Record, TargetEntry
from ml_connector.workspaces.models import ApiToken
from tests.api.conftest import program


def open_problem(pair, cause):
    return Problem.objects.of(pair.workspace).get(cause=cause, state="open")


def test_a_code_is_mapped_and_what_waited_is_sent(pair, robot):
    problem = open_problem(pair, "unmapped_code")
    shown = robot.get(f"/problems/{problem.pk}").body
    code = shown["mapping"]["code"]
    held = robot.all(f"/problems/{problem.pk}/records")
    assert len(held) == shown["problem"]["records"] > 0
    assert {row["state"] for row in held} == {"blocked"}
    from ml_connector.sync.models import CodeListEntry

    usable = CodeListEntry.objects.of(pair.workspace).filter(
        connection=pair.platform, list="gl_account", type="expense", gone=False, postable=True
    )
    target = usable.order_by("code")[0]
    said = robot.post(f"/problems/{problem.pk}/map", {"target": target.number})
    assert said.status == 200, said
    assert said.body["text"] == f"{code} is mapped to {target.number}."
    pair.sync()
    assert robot.get(f"/problems/{problem.pk}").body["problem"]["state"] == "solved"
    assert {robot.get(f"/records/{row['id']}").body["record"]["state"] for row in held} == {"confirmed"}
    again = robot.post(f"/problems/{problem.pk}/map", {"target": target.number})
    assert again.status == 409 and "solved already" in again.body["detail"]


def test_a_problem_of_another_kind_is_neither_mapped_nor_linked(pair, robot):
    other = Problem.objects.of(pair.workspace).filter(state="open").exclude(cause="unmapped_code")[0]
    for way in ("map", "link"):
        said = robot.post(f"/problems/{other.pk}/{way}", {"target": "6100"})
        assert said.status == 409, (way, other.cause, said)
        assert said.body["fix"] == other.fix


def test_a_supplier_is_linked(workspace):
    from tests.sync.pair import base_pair

    robot = program(workspace, "view", "solve")
    with base_pair(workspace) as pair:
        pair.map_accounts()
        pair.sync("suppliers")
        problem = open_problem(pair, "supplier_ambiguous")
        likely = robot.get(f"/problems/{problem.pk}").body["link"]["suggestion"]["key"]
        assert TargetEntry.objects.of(workspace).filter(key=likely).exists()
        refused = robot.post(f"/problems/{problem.pk}/link", {"target": "nobody"})
        assert refused.status == 409 and "nobody" in refused.body["detail"]
        assert robot.post(f"/problems/{problem.pk}/link", {"target": likely}).status == 200
        pair.sync("suppliers")
        assert robot.get(f"/problems/{problem.pk}").body["problem"]["state"] == "solved"


def test_a_decision_is_carried_out_or_refused_in_words(pair, robot):
    problem = open_problem(pair, "unmapped_code")
    path = f"/problems/{problem.pk}/decide"
    assert {one["name"] for one in robot.get(f"/problems/{problem.pk}").body["actions"]} >= {"retry", "skip"}
    assert "needs a reason" in robot.post(path, {"action": "skip"}).body["detail"]
    assert "is no action" in robot.post(path, {"action": "dance"}).body["detail"]
    said = robot.post(path, {"action": "skip", "reason": "a test"})
    assert said.status == 200 and said.body["problem"]["state"] == "handled"
    assert said.body["problem"]["ended_by"] == "token:robot"
    assert said.body["waits_for_second_person"] is False


def test_a_record_is_found_and_told_with_its_story(pair, robot):
    found = robot.get("/records", q="ELC-1001").body["items"]
    assert [row["number"] for row in found] == ["ELC-1001"]
    amount = found[0]["amount"]
    assert isinstance(amount, str) and "." in amount
    detail = robot.get(f"/records/{found[0]['id']}").body
    assert detail["events"][0]["what"] == "read"
    assert detail["attempts"][0]["outcome"] == "confirmed"
    assert any(field["field"] == "number" and field["source"] == "ELC-1001" for field in detail["fields"])
    said = robot.post(f"/records/{found[0]['id']}/replay")
    assert said.status == 200 and "in the target already" in said.body["text"]


def test_lists_are_narrowed(pair, robot):
    held = robot.all("/records", state="blocked")
    assert held and {row["state"] for row in held} == {"blocked"}
    assert len(held) == Record.objects.of(pair.workspace).filter(state="blocked").count()
    assert {row["type"] for row in robot.all("/records", type="supplier")} == {"supplier"}
    assert {row["cause"] for row in robot.all("/problems", cause="unmapped_code")} == {"unmapped_code"}
    assert robot.all("/problems", state="handled") == []
    runs = robot.all("/runs", flow="suppliers", integration="bench")
    assert runs and {row["flow"] for row in runs} == {"suppliers"}
    assert robot.get(f"/runs/{runs[0]['id']}").body == runs[0]
    assert robot.all("/runs", state="live") == []
    wrong = robot.get("/records", state="lost")
    assert wrong.status == 422 and wrong.body["errors"][0]["where"] == "query.state"


def test_a_version_is_published_on_the_one_that_it_was_made_on(pair, robot):
    path = f"/mappings/{pair.integration.name}/gl_account"
    shown = robot.get(path)
    etag, entries = shown.headers["etag"], robot.all(f"{path}/entries")
    assert etag == f'"{shown.body["version"]}"'
    mapped = next(row for row in entries if row["target"])
    out = {"entries": {mapped["source"]: None}, "reason": "a test"}
    assert robot.post(f"{path}/versions", out).status == 428
    assert robot.post(f"{path}/versions", out, If_Match="*").status == 428
    made = robot.post(f"{path}/versions", out, If_Match=etag)
    assert made.status == 201 and made.headers["etag"] == f'"{made.body["version"]["number"]}"' != etag
    assert made.body["version"]["published_by"] == "token:robot" and not made.body["waits_for_second_person"]
    assert mapped["source"] not in mappings.mapped(pair.integration, "gl_account")
    back = {"entries": {mapped["source"]: mapped["target"]}}
    moved = robot.post(f"{path}/versions", back, If_Match=etag)
    assert moved.status == 412 and "is at version" in moved.body["detail"]
    assert mapped["source"] not in mappings.mapped(pair.integration, "gl_account")
    assert robot.post(f"{path}/versions", back, If_Match=made.headers["etag"]).status == 201
    assert [row["number"] for row in robot.all(f"{path}/versions", limit=1)] == sorted(
        (version.number for version in mappings.history(pair.integration, "gl_account")), reverse=True
    )


def test_a_version_waits_for_a_second_person_where_there_is_one(pair, workspace, robot):  # R72
    from tests.console.conftest import person

    path = f"/mappings/{pair.integration.name}/gl_account"
    etag = robot.get(path).headers["etag"]
    mapped = next(row["source"] for row in robot.all(f"{path}/entries") if row["target"])
    maker, approver = (person(f"{name}@acme.test", workspace, role="approver") for name in ("maker", "second"))
    ApiToken.objects.of(workspace).update(made_by=maker.actor)
    asked = robot.post(f"{path}/versions", {"entries": {mapped: None}}, If_Match=etag)
    assert asked.status == 201 and asked.body == {"version": None, "waits_for_second_person": True}
    assert robot.get(path).headers["etag"] == etag
    row = Approval.objects.of(workspace).get(kind="mapping")
    with pytest.raises(approvals.NotDecided, match="You made the token"):
        second_person.approve(row, maker.actor, "agreed")
    second_person.approve(row, approver.actor, "agreed")
    assert mapped not in mappings.mapped(pair.integration, "gl_account")


def test_all_faulty_entries_are_named_and_nothing_is_published(pair, robot):
    path = f"/mappings/{pair.integration.name}/gl_account"
    etag = robot.get(path).headers["etag"]
    source = next(row["source"] for row in robot.all(f"{path}/entries"))
    said = robot.post(f"{path}/versions", {"entries": {source: "no-such", "nor-this": "x"}}, If_Match=etag)
    assert said.status == 422
    assert {one["where"] for one in said.body["errors"]} == {f"body.entries.{source}", "body.entries.nor-this"}
    assert robot.get(path).headers["etag"] == etag
    assert robot.post(f"{path}/versions", {"entries": {}}, If_Match=etag).status == 422
    assert robot.get("/mappings/bench/nothing").status == 404


def test_of_two_who_publish_at_once_one_is_told(pair, robot):
    from django.db import connections

    path = f"/mappings/{pair.integration.name}/gl_account"
    etag = robot.get(path).headers["etag"]
    mapped = [row["source"] for row in robot.all(f"{path}/entries") if row["target"]]
    said = []

    def publish(source):
        said.append(robot.post(f"{path}/versions", {"entries": {source: None}}, If_Match=etag).status)
        connections["default"].close()

    threads = [threading.Thread(target=publish, args=[source]) for source in mapped[:3]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(said) == [201, 412, 412]


def test_flows_are_steered(pair, workspace, robot):
    flow = Flow.objects.of(workspace).get(name="invoices")
    paused = robot.post("/runs/pause", {"integration": "bench", "flow": "invoices"})
    assert paused.status == 200 and paused.body["text"] == "Paused: invoices. But no worker runs."
    assert robot.post("/runs/pause", {"integration": "bench", "flow": "invoices"}).body["text"].startswith("Paused al")
    assert robot.post("/runs", {"integration": "bench", "flow": "invoices"}).status == 409
    assert robot.post("/runs/resume", {"integration": "bench", "flow": "invoices"}).status == 200
    flow.refresh_from_db()
    assert flow.paused is False and flow.next_pull_at <= clock.now()
    Flow.objects.of(workspace).update(next_pull_at=None, next_push_at=None)
    said = robot.post("/runs", {"integration": "bench"})
    assert said.status == 202 and set(said.body["flows"]) == {row.name for row in Flow.objects.of(workspace)}
    assert not Flow.objects.of(workspace).filter(next_pull_at=None).exists()
    assert (
        robot.post("/runs/backfill", {"integration": "bench", "flow": "invoices", "since": "2026-01-02"}).status == 202
    )
    flow.refresh_from_db()
    assert flow.backfill_from == date(2026, 1, 2)
    assert robot.post("/runs/backfill", {"integration": "bench", "since": "soon"}).status == 422


def test_a_connection_is_tested_beside_the_call_step_by_step(pair, workspace, robot):
    begun = robot.post(f"/connections/{pair.erp.pk}/pings")
    assert begun.status == 202 and begun.body["state"] in {"running", "good"}
    address = begun.headers["location"]
    for thread in threading.enumerate():
        if thread.name.startswith("ping "):
            thread.join(60)
    ended = robot.ask("GET", address)
    assert ended.status == 200 and ended.body["state"] == "good", ended
    assert len(ended.body["steps"]) > 3 and all(step["ok"] is not False for step in ended.body["steps"])
    assert ended.body["text"] == f"Connection {pair.erp.name} works."
    assert robot.get(f"/connections/{pair.platform.pk}/pings/{begun.body['id']}").status == 404


def test_a_connection_that_is_in_use_or_under_test_is_not_tested(pair, workspace, robot):
    from ml_connector.sync.leases import held

    path = f"/connections/{pair.erp.pk}/pings"
    with held(pair.erp.pk, "somebody else"):
        begun = robot.post(path)
        for thread in threading.enumerate():
            if thread.name.startswith("ping "):
                thread.join(60)
        ended = robot.ask("GET", begun.headers["location"]).body
    assert ended["state"] == "failed" and "in use by somebody else" in ended["text"]
    now = clock.now()
    live = Ping.objects.create(workspace=workspace, connection=pair.erp, asked_by="t", started_at=now, said_at=now)
    assert robot.post(path).status == 409
    live.said_at = now - (now - now.replace(year=now.year - 1))
    live.save()
    assert robot.get(f"{path}/{live.pk}").body["state"] == "lost"


def test_states_add_up_and_both_sides_tie_out(pair, workspace, robot):  # R76
    status = robot.get("/status").body
    assert status["invariant"]["holds"] is True
    integration = robot.get("/integrations/bench").body
    assert robot.get("/integrations").body["items"] == [integration]
    assert all(sum(flow["states"].values()) == flow["records"] for flow in integration["flows"])
    assert sum(flow["records"] for flow in integration["flows"]) == status["invariant"]["ever_staged"]
    whole = robot.get("/integrations/bench/tie-out").body
    rows = robot.all("/integrations/bench/tie-out/rows", limit=2)
    assert len(rows) == whole["suppliers"] > 2
    assert robot.get("/integrations/bench/tie-out", period="2026-13").status == 422
    from ml_connector.sync.tieout import tie_out

    found = tie_out(pair.integration)
    assert {(row["supplier"], row["currency"]): row["difference"] for row in rows} == {
        (row.supplier, row.currency): str(row.difference) for row in found.rows
    }
    assert whole["unexplained"] == {name: str(amount) for name, amount in found.unexplained.items()}


def test_the_trail_is_checked(pair, robot):  # R67
    said = robot.get("/audit/verification").body
    assert said["holds"] is True and said["entries"] > 10 and said["begins"] == 1


def test_a_trail_that_was_cut_is_given_from_its_beginning(pair, robot):  # R67, R70
    upkeep.sign_trails()
    retention.set_years(pair.workspace, "test", trail=7)
    later = clock.now() + timedelta(days=8 * 366)
    clock.hold(later)
    ApiToken.objects.of(pair.workspace).update(expires_at=later + timedelta(days=1))
    whole = robot.all("/audit")
    count = trail_retention.remove(pair.workspace, "worker").count
    assert count > 10
    left = robot.all("/audit")
    assert left[0]["sequence"] == count + 1 and [row["action"] for row in left[-1:]] == ["cut"]
    assert left[:-1] == whole[count:]
    assert robot.get("/audit", since=5, limit=1).body["items"] == left[:1]
    said = robot.get("/audit/verification").body
    assert said["holds"] is True and said["begins"] == count + 1
    assert f"Entries 1 to {count} were removed by retention" in said["text"]


@pytest.mark.parametrize("field", ["unknown", "Action"])
def test_a_field_that_is_not_described_is_refused(pair, robot, field):
    problem = open_problem(pair, "unmapped_code")
    said = robot.post(f"/problems/{problem.pk}/decide", {"action": "retry", field: 1})
    assert said.status == 422
    assert said.body["errors"] == [{"where": f"body.{field}", "text": "Extra inputs are not permitted"}]
    query = robot.get("/problems", **{field: 1})
    assert query.status == 422 and query.body["errors"][0]["where"] == f"query.{field}"
    problem.refresh_from_db()
    assert problem.state == "open"


def test_what_fails_halfway_changes_nothing(pair, workspace, robot, monkeypatch):
    record = next(row for row in Record.objects.of(workspace) if row.state == "blocked")
    from ml_connector.api.v1 import records

    def broken(*_arguments):
        raise RuntimeError("token=mlc_0123456789abcdef0123")

    monkeypatch.setattr(records.schedule, "wake", broken)
    said = robot.post(f"/records/{record.pk}/replay")
    assert said.status == 500 and "mlc_0123" not in str(said) and "taken back" in said.body["detail"]
    assert Record.objects.of(workspace).get(pk=record.pk).state == "blocked"
    assert problems.holding([record]) == {record.pk}

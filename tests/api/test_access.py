"""Who may call what: every operation of the document, with every scope, and as a stranger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver

from ml_connector import clock, tokens
from ml_connector.api.v1.document import PREFIX, document
from ml_connector.audit.models import AuditEntry
from ml_connector.sync.models import Problem, Record
from ml_connector.tokens import SCOPES, TokenRefused
from ml_connector.workspaces.models import ApiToken
from ml_connector.workspaces.roles import Permission
from tests.api.conftest import Program, operations, parts_of, program

OPERATIONS = operations()


def ask(caller, operation, parts):
    headers = {"If-Match": '"99"'} if operation.id == "publishMapping" else {}
    return caller.ask(operation.method, operation.address(parts), body=operation.body, headers=headers)


def test_the_document_names_every_address():  # R74
    routes = [
        pattern
        for resolver in get_resolver().url_patterns
        for found in resolver.url_patterns
        if str(found.pattern) == "api/v1/"
        for pattern in found.url_patterns
    ]
    described = {path.removeprefix(f"{PREFIX}/") for path in document()["paths"]}
    found = {
        str(route.pattern).replace("<int:", "<").replace("<", "{").replace(">", "}")
        for route in routes
        if str(route.pattern) not in {"openapi.json", ""}
    }
    assert found == described
    assert len(OPERATIONS) >= 30
    assert all(operation.path.startswith(f"{PREFIX}/w/{{workspace}}/") for operation in OPERATIONS)


@pytest.mark.parametrize("scope", [scope.value for scope in SCOPES])
def test_each_scope_gets_in_where_the_document_says(pair, workspace, scope):  # R74
    caller, parts = program(workspace, scope), parts_of(pair)
    for operation in OPERATIONS:
        said = ask(caller, operation, parts)
        assert (said.status == 403) == (operation.scope != scope), f"{scope} at {operation.id}: {said}"
        assert said.status not in {401, 404, 405, 500}, f"{operation.id}: {said}"
        if said.status == 403:
            assert said.body["type"] == "urn:ml-connector:failure:scope"
            assert operation.scope in said.body["detail"]


def test_a_stranger_cannot_tell_a_workspace_from_one_that_is_not_there(pair, stranger):  # R74
    there, nowhere = parts_of(pair), parts_of(pair, "nowhere")
    for operation in OPERATIONS:
        one, two = ask(stranger, operation, there), ask(stranger, operation, nowhere)
        assert (one.status, two.status) == (401, 401), operation.id
        assert one.body["detail"].replace("acme", "nowhere") == two.body["detail"]
        assert set(one.headers) == set(two.headers)


def test_things_of_another_workspace_are_not_found_in_ones_own(pair, stranger):  # R74
    records, problems = (list(model.objects.of(pair.workspace).order_by("pk").values()) for model in (Record, Problem))
    parts = parts_of(pair, "other")
    for operation in OPERATIONS:
        said = ask(stranger, operation, parts)
        if operation.of_a_thing or operation.changes:
            assert said.status == 404, f"{operation.id}: {said}"
        elif "items" in said.body and operation.id != "listAuditEntries":
            assert said.body["items"] == [], operation.id
    assert "ELC" not in str(stranger.get("/audit").body)
    assert list(Record.objects.of(pair.workspace).order_by("pk").values()) == records
    assert list(Problem.objects.of(pair.workspace).order_by("pk").values()) == problems


def test_nobody_gets_in_without_a_good_token(pair, workspace, robot):  # R74
    parts = parts_of(pair)
    expired = program(workspace, "view", name="expired")
    ApiToken.objects.of(workspace).filter(name="expired").update(expires_at=clock.now() - timedelta(seconds=1))
    revoked = program(workspace, "view", name="revoked")
    tokens.revoke(workspace, "revoked", "person:1")
    altered = Program("acme", robot.token[:20] + ("x" if robot.token[20] != "x" else "y") + robot.token[21:])
    known = robot.token[:12] + program(workspace, "view").token[12:]
    for caller, said_of_it in (
        (Program("acme", ""), "carries no token"),
        (Program("acme", "mlc_nonsense"), "no token of a workspace"),
        (altered, "no token of a workspace"),
        (Program("acme", known), "no token of a workspace"),
        (expired, "expired on"),
        (revoked, "was revoked"),
    ):
        for operation in OPERATIONS:
            said = ask(caller, operation, parts)
            assert said.status == 401, operation.id
            assert said_of_it in said.body["detail"]
            assert said.headers["www-authenticate"].startswith("Bearer")
            assert caller.token == "" or caller.token not in str(said)


def test_a_session_of_the_console_is_no_token(pair):  # R74
    from tests.console.conftest import person

    client = Client(headers={"host": "localhost"})
    client.force_login(
        person("o@acme.test", pair.workspace), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert client.get("/w/acme/").status_code == 200
    assert client.get(f"{PREFIX}/w/acme/status").status_code == 401


def test_a_token_is_never_the_second_person(pair, workspace, robot):  # R41, R72
    record = pair.record("ELC-1001")
    problem = Problem.objects.create(
        workspace=workspace, integration=pair.integration, cause="duplicate_invoice", subject="x", text="t", fix="f",
        blocks=True, opened_at=clock.now(),
    )  # fmt: skip
    from ml_connector.sync import approvals, problems
    from ml_connector.sync.models import Approval

    problems.solve(problem, "override", "it is another one", "person:1")
    said = robot.post(f"/problems/{problem.pk}/decide", {"action": "override", "reason": "fine"})
    assert said.status == 409 and "second person" in said.body["detail"]
    with pytest.raises(problems.DecisionRefused, match="A program cannot be the second person"):
        problems.solve(problem, "override", "fine", "token:robot")
    problem.refresh_from_db()
    waiting = approvals.waiting_about(workspace, f"problem:{problem.pk}")
    assert (problem.state, [row.asked_by for row in waiting]) == ("open", ["person:1"])
    for action in ("write_off", "override"):
        Approval.objects.of(workspace).delete()
        asked = robot.post(f"/problems/{problem.pk}/decide", {"action": action, "reason": "r"})
        assert asked.status == 200 and asked.body["waits_for_second_person"] is True
        again = program(workspace, "solve", name=f"second-{action.replace('_', '-')}")
        assert again.post(f"/problems/{problem.pk}/decide", {"action": action, "reason": "r"}).status == 409
    assert pair.record("ELC-1001").state == record.state


def test_whoever_made_the_token_that_asked_is_no_second_person(pair, workspace, robot):  # R41, R72
    from ml_connector.sync import problems

    problem = Problem.objects.of(workspace).filter(state="open", blocks=True)[0]
    asked = robot.post(f"/problems/{problem.pk}/decide", {"action": "write_off", "reason": "r"})
    assert asked.body["waits_for_second_person"] is True
    problem.refresh_from_db()
    with pytest.raises(problems.DecisionRefused, match="You made the token"):
        problems.solve(problem, "write_off", "r", ApiToken.objects.of(workspace).get(name="robot").made_by)
    problem.refresh_from_db()
    assert problem.state == "open"
    problems.solve(problem, "write_off", "r", "person:2")
    assert Problem.objects.of(workspace).get(pk=problem.pk).state == "handled"


@pytest.mark.parametrize("permission", sorted(set(Permission) - set(SCOPES)))
def test_no_token_can_be_allowed_what_is_a_persons(workspace, permission):  # R72
    with pytest.raises(TokenRefused, match="cannot be allowed"):
        tokens.make(workspace, "greedy", ["view", permission], 30, "person:1")
    assert permission not in {operation.scope for operation in OPERATIONS}


def test_what_a_token_changes_stands_in_the_trail_with_its_name(pair, workspace, robot):  # R66
    record = next(row for row in Record.objects.of(workspace) if row.state == "blocked")
    assert robot.post(f"/records/{record.pk}/replay").status == 200
    assert actions(workspace) == [
        ("replay", f"record:{record.pk}"),
        ("api_call", f"token:{ApiToken.objects.of(workspace).get(name='robot').pk}"),
    ]
    assert robot.post("/runs", {"integration": "bench"}).status == 202
    assert [action for action, _ in actions(workspace)] == ["replay", "api_call", "api_call"]
    assert robot.post("/runs", {"integration": "nothing"}).status == 404
    assert robot.get("/records").status == 200
    assert len(actions(workspace)) == 3


def actions(workspace):
    entries = AuditEntry.objects.of(workspace).filter(actor="token:robot").order_by("sequence")
    return list(entries.values_list("action", "subject"))

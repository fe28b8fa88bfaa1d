"""Whatever is sent is answered in the API's own form, and never as an error of ours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from ml_connector.tokens import PER_MINUTE
from ml_connector.workspaces.models import ApiToken
from tests.api.conftest import operations, parts_of

OPERATIONS = operations()
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda parts: some.lists(parts, max_size=3) | some.dictionaries(some.text(max_size=10), parts, max_size=3),
    max_leaves=6,
)
NAMES = some.sampled_from(
    ["action", "reason", "target", "entries", "effective_from", "integration", "flow", "since", "cursor", "limit", "q",
     "state", "type", "period", "subject"]
)  # fmt: skip
BODIES = some.dictionaries(NAMES, VALUES, max_size=4) | VALUES
QUERIES = some.dictionaries(NAMES, some.text(max_size=20), max_size=3)
ODD = some.text(min_size=1, max_size=12).filter(lambda text: text not in {".", ".."}) | some.integers().map(str)


def check(said):
    assert said.status < 500, said
    if said.status >= 400:
        assert said.headers["content-type"] == "application/problem+json", said
        assert {"type", "title", "status", "detail", "instance"} <= set(said.body)
        assert said.body["status"] == said.status


def test_nothing_that_is_sent_is_an_error_of_ours(pair, workspace, robot):
    from urllib.parse import quote

    parts = parts_of(pair)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(operation=some.sampled_from(OPERATIONS), body=BODIES, query=QUERIES, odd=ODD, replaced=some.booleans())
    def sent(operation, body, query, odd, replaced):
        ApiToken.objects.of(workspace).update(used=0)
        found = {name: quote(odd.encode("utf-8", "replace"), safe="") for name in parts} if replaced else {}
        headers = {"If-Match": '"1"'} if operation.id == "publishMapping" else {}
        address = operation.address({**parts, **found, "workspace": "acme"})
        check(robot.ask(operation.method, address, body=body if operation.changes else None, headers=headers,
                        query={name: value.encode("utf-8", "replace") for name, value in query.items()}))  # fmt: skip

    sent()
    assert PER_MINUTE > 150


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"\xff\xfe", b"null", b"[]", b'"text"', b"{}" * 2, b"[" * 100_000, b'{"action": "\\ud800"}',
        b'{"action": "\\u0000"}', b'{"action": NaN}', b'{"action": 1e999}',
    ],
    ids=range(11),
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(pair, robot, body):
    said = robot.post(f"/problems/{parts_of(pair)['problem']}/decide", body)
    assert said.status in {400, 422}, said
    check(said)


def test_a_body_that_is_too_large_is_refused(pair, robot):
    said = robot.post("/runs", {"integration": "x" * 3_000_000})
    assert said.status == 413
    check(said)


def test_a_body_of_another_kind_is_refused(pair, robot):
    answer = robot._client.post(
        "/api/v1/w/acme/runs", {"integration": "bench"}, headers={"authorization": f"Bearer {robot.token}"}
    )
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_address_that_is_not_there_is_answered_in_the_same_form(robot, method):
    for address in (
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1/w/acme",
        "/api/v1/w/acme/nothing",
        "/api/v1/w/acme/records/",
    ):
        said = robot.ask(method, address)
        assert said.status == 404, address
        check(said)


def test_a_method_that_is_not_known_is_answered_in_the_same_form(robot):
    said = robot.ask("DELETE", "/api/v1/w/acme/records")
    assert said.status == 405 and said.headers["allow"] == "GET"
    check(said)
    assert robot.ask("GET", "/api/v1/w/acme/runs/pause").status == 405


@pytest.mark.parametrize("workspace_name", ["%00", "a%00b", "..%2f", "%F0%9F%98%80", "x" * 500])
def test_an_odd_workspace_is_none(robot, workspace_name):
    said = robot.ask("GET", f"/api/v1/w/{workspace_name}/records")
    assert said.status in {401, 404}
    check(said)


def test_every_answer_carries_the_headers_of_the_console(robot):
    headers = robot.get("/status").headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers

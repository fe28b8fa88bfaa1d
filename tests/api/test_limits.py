"""How much a token may ask, over all processes, and requests that come twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import timedelta

from django.db import connections

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.sync.models import Ping
from ml_connector.tokens import PER_MINUTE
from ml_connector.workspaces.models import ApiToken, KeptAnswer
from tests.api.conftest import program

ASKING = """
import os, sys, json
from collections import Counter
from datetime import datetime
os.environ["DJANGO_SETTINGS_MODULE"] = "ml_connector.settings"
import django
django.setup()
from django.test import Client
from ml_connector import clock
clock.hold(datetime.fromisoformat(sys.argv[2]))
client = Client(headers={"host": "localhost", "authorization": "Bearer " + sys.argv[1]})
told = Counter(client.get("/api/v1/w/acme/connections").status_code for _ in range(int(sys.argv[3])))
print(json.dumps(told))
"""


def test_two_processes_share_one_limit(workspace, robot):  # R74
    at = clock.now().replace(second=20).isoformat()
    each = PER_MINUTE * 2 // 3
    command = [sys.executable, "-c", ASKING, robot.token, at, str(each)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    told = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert sum(one.get("200", 0) for one in told) == PER_MINUTE
    assert sum(one.get("429", 0) for one in told) == 2 * each - PER_MINUTE


def test_headers_tell_what_is_left_and_when_to_go_on(workspace, robot):
    at = clock.now().replace(second=15, microsecond=0)
    clock.hold(at)
    first = robot.get("/status")
    assert first.headers["ratelimit-limit"] == str(PER_MINUTE)
    assert first.headers["ratelimit-policy"] == f"{PER_MINUTE};w=60"
    assert first.headers["ratelimit-remaining"] == str(PER_MINUTE - 1)
    assert first.headers["ratelimit-reset"] == "45"
    assert "retry-after" not in first.headers
    ApiToken.objects.of(workspace).filter(name="robot").update(used=PER_MINUTE)
    last = robot.get("/status")
    assert (last.status, last.headers["retry-after"], last.headers["ratelimit-remaining"]) == (429, "45", "0")
    assert last.headers["content-type"] == "application/problem+json"
    assert "Wait 45 seconds" in last.body["fix"]
    assert program(workspace, "view").get("/status").status == 200, "another token has its own limit"
    clock.hold(at - timedelta(minutes=1))
    assert robot.get("/status").status == 429, "a machine whose clock is behind opens no new minute"
    clock.hold(at + timedelta(minutes=1))
    assert robot.get("/status").headers["ratelimit-remaining"] == str(PER_MINUTE - 1)


def test_a_refused_request_tells_the_limit_too(workspace):
    said = program(workspace, "solve").get("/records")
    assert said.status == 403 and said.headers["ratelimit-remaining"] == str(PER_MINUTE - 1)


def test_a_request_that_comes_twice_is_done_once(pair, workspace, robot):
    path = f"/connections/{pair.erp.pk}/pings"
    first = robot.post(path, Idempotency_Key="a-1")
    for thread in threading.enumerate():
        if thread.name.startswith("ping "):
            thread.join(30)
    again = robot.post(path, Idempotency_Key="a-1")
    assert (first.status, again.status) == (202, 202)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    assert Ping.objects.of(workspace).count() == 1
    assert AuditEntry.objects.of(workspace).filter(action="api_call").count() == 1
    assert robot.post(path, Idempotency_Key="a-2").body["id"] != first.body["id"]


def test_a_key_is_good_for_one_request_of_one_token(pair, workspace, robot):
    assert robot.post("/runs", {"integration": "bench"}, Idempotency_Key="k").status == 202
    other = robot.post("/runs", {"integration": "bench", "flow": "invoices"}, Idempotency_Key="k")
    assert other.status == 422 and "another request" in other.body["detail"]
    said = program(workspace, "run").post("/runs", {"integration": "bench"}, Idempotency_Key="k")
    assert said.status == 202 and "idempotency-replayed" not in said.headers
    for key in ("x" * 201, "späť", "a\tb"):
        assert robot.post("/runs", {"integration": "bench"}, Idempotency_Key=key).status == 400


def test_a_key_is_kept_for_a_day_and_a_failure_never(pair, workspace, robot):
    assert robot.post("/runs", {"integration": "nothing"}, Idempotency_Key="k").status == 404
    assert not KeptAnswer.objects.of(workspace).exists()
    assert robot.post("/runs", {"integration": "bench"}, Idempotency_Key="k").status == 202
    now = clock.now()
    clock.hold(now + timedelta(hours=23, minutes=59))
    assert "idempotency-replayed" in robot.post("/runs", {"integration": "bench"}, Idempotency_Key="k").headers
    clock.hold(now + timedelta(hours=24, minutes=1))
    assert "idempotency-replayed" not in robot.post("/runs", {"integration": "bench"}, Idempotency_Key="k").headers
    assert KeptAnswer.objects.of(workspace).count() == 1


def test_of_two_at_once_with_one_key_one_is_done(pair, workspace, robot):
    said = []

    def ask():
        said.append(robot.post("/runs/pause", {"integration": "bench"}, Idempotency_Key="once"))
        connections["default"].close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [one.status for one in said] == [200] * 4
    assert len({json.dumps(one.body) for one in said}) == 1
    assert sum("idempotency-replayed" not in one.headers for one in said) == 1
    assert AuditEntry.objects.of(workspace).filter(action="api_call").count() == 1

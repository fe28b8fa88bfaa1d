from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.models import QuerySet

from ml_connector import clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.redaction import redacted
from ml_connector.sync import sessions
from ml_connector.sync.leases import DatabaseTime
from ml_connector.sync.models import Connection, Health
from ml_connector.sync.sessions import SharedSession
from ml_connector.systems.base import AuthFailed, Transient
from ml_connector.workspaces.models import Workspace

IDLE = timedelta(minutes=30)
NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


@pytest.fixture
def connection(workspace: Workspace) -> Connection:
    return Connection.objects.create(workspace=workspace, name="bill", system="bill", credential="c")


class Vendor:
    """Signs in; knows how often."""

    def __init__(self, seconds: float = 0) -> None:
        self.logins = 0
        self.seconds = seconds

    def __call__(self) -> str:
        self.logins += 1
        time.sleep(self.seconds)
        return f"session-{os.getpid()}-{self.logins}"


def never() -> str:
    raise AssertionError("signed in although nothing should")


def refused() -> str:
    raise AuthFailed("The password top-secret-1 is wrong.")


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """What each thread's call came to; their database connections stay theirs to close."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        results.append(connections["default"].connection is None)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [closed for closed in results if closed is False] == []
    return [result for result in results if result is not True]


def actions(connection: Connection) -> list[str]:
    rows = AuditEntry.objects.of(connection.workspace).filter(subject=f"connection:{connection.pk}")
    return list(rows.order_by("sequence").values_list("action", flat=True))


def test_a_session_is_kept_sealed_for_the_next_job(connection: Connection) -> None:
    vendor = Vendor()
    first = SharedSession(connection, IDLE)
    assert first.current() is None
    session = first.renew(None, vendor)
    assert SharedSession(connection, IDLE).current() == session == first.current()
    connection.refresh_from_db()
    assert (vendor.logins, connection.session_serial, connection.login_holder) == (1, 1, "")
    assert actions(connection) == ["login"]
    assert redacted(f"refused for {session}") == "refused for ***"  # R71


def test_a_session_that_was_idle_too_long_is_not_given(connection: Connection) -> None:
    clock.hold(NOON)
    session = SharedSession(connection, IDLE)
    session.renew(None, lambda: "old-session")
    clock.hold(NOON + IDLE + timedelta(seconds=1))
    assert session.current() is None
    connection.refresh_from_db()
    later = SharedSession(connection, IDLE)
    assert later.current() is None
    assert later.renew(None, lambda: "new-session") == "new-session"


def test_use_keeps_a_session_alive_and_is_noted_at_most_every_thirty_seconds(
    connection: Connection, django_assert_num_queries: Any
) -> None:
    clock.hold(NOON)
    session = SharedSession(connection, IDLE)
    session.renew(None, lambda: "a-session")
    with django_assert_num_queries(0):
        session.used()
    clock.hold(NOON + timedelta(seconds=31))
    with django_assert_num_queries(1):
        session.used()
        session.used()
    connection.refresh_from_db()
    assert connection.session_used_at == NOON + timedelta(seconds=31)


def test_a_use_that_cannot_be_noted_costs_no_answer(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any, **__: Any) -> int:
        raise OperationalError("database is locked")

    session = SharedSession(connection, IDLE)
    monkeypatch.setattr(QuerySet, "update", locked)
    session.used()


def test_many_threads_sign_in_once(connection: Connection) -> None:  # R60
    vendor = Vendor(0.2)
    session = SharedSession(connection, IDLE)
    found = in_threads(8, lambda: session.renew(None, vendor))
    assert (len(found), len(set(found)), vendor.logins) == (8, 1, 1)


def test_jobs_of_one_process_sign_in_once(connection: Connection) -> None:  # R60
    vendor = Vendor(0.2)
    found = in_threads(4, lambda: _renewed_in_own_job(connection, vendor))
    assert (len(set(found)), vendor.logins) == (1, 1)


def _renewed_in_own_job(connection: Connection, vendor: Vendor) -> str:
    try:
        return SharedSession(connection, IDLE).renew(None, vendor)
    finally:
        connections.close_all()


SCRIPT = """
import sys, time
import django
django.setup()
from datetime import timedelta
from ml_connector.sync.models import Connection
from ml_connector.sync.sessions import SharedSession

def sign_in():
    with open(sys.argv[1], "a") as log:
        log.write("login\\n")
    time.sleep(0.3)
    return "fresh-session"

row = Connection.objects.across_workspaces().select_related("workspace").get()
session = SharedSession(row, timedelta(minutes=30))
assert session.current() == "stale-session", session.current()
print("ready", flush=True)
input()
print(session.renew("stale-session", sign_in), flush=True)
"""


def test_many_processes_renew_once(connection: Connection, tmp_path: Path) -> None:  # R60
    SharedSession(connection, IDLE).renew(None, lambda: "stale-session")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "ml_connector.settings", "PYTHONPATH": ":".join(sys.path)}
    log = tmp_path / "logins"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(log)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == ["fresh-session\n"] * 4
    assert log.read_text() == "login\n"


def test_the_stale_session_is_replaced_and_a_newer_one_is_used(connection: Connection) -> None:
    mine, theirs = SharedSession(connection, IDLE), SharedSession(connection, IDLE)
    mine.renew(None, lambda: "first-session")
    assert theirs.renew("first-session", lambda: "second-session") == "second-session"
    assert mine.current() == "first-session"
    assert mine.renew("first-session", never) == "second-session"
    assert mine.renew("second-session", lambda: "third-session") == "third-session"


def test_a_claim_of_a_dead_process_lapses(connection: Connection) -> None:
    rows = Connection.objects.of(connection.workspace)
    rows.update(login_holder="dead", login_until=DatabaseTime(1))
    begun = time.monotonic()
    assert SharedSession(connection, IDLE).renew(None, lambda: "a-session") == "a-session"
    assert 0.5 < time.monotonic() - begun < 10


def test_waiting_for_a_claim_ends(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PATIENCE_SECONDS", 0.2)
    Connection.objects.of(connection.workspace).update(login_holder="alive", login_until=DatabaseTime(60))
    with pytest.raises(Transient, match="signing in to bill"):
        SharedSession(connection, IDLE).renew(None, never)


def test_a_log_in_that_outlived_its_claim_is_not_stored(connection: Connection) -> None:
    rows = Connection.objects.of(connection.workspace)

    def slow() -> str:
        rows.update(login_holder="another")
        return "late-session"

    with pytest.raises(Transient, match="took too long"):
        SharedSession(connection, IDLE).renew(None, slow)
    assert vault.get_all(connection.workspace, "connection:bill") == {}
    assert rows.get().login_holder == "another"


def test_a_log_in_that_fails_for_a_moment_keeps_the_session_and_frees_the_claim(connection: Connection) -> None:  # R60
    session = SharedSession(connection, IDLE)
    session.renew(None, lambda: "a-session")

    def unreachable() -> str:
        raise Transient("no answer")

    with pytest.raises(Transient):
        session.renew("a-session", unreachable)
    assert SharedSession(connection, IDLE).current() == "a-session"
    assert session.renew("a-session", lambda: "b-session") == "b-session"


def test_refused_credentials_open_the_circuit_once(connection: Connection) -> None:  # R61
    vault.put(connection.workspace, "connection:bill", "password", "top-secret-1")
    attempts = []

    def sign_in() -> str:
        attempts.append(1)
        return refused()

    session = SharedSession(connection, IDLE)
    found = in_threads(6, lambda: session.renew(None, sign_in))
    assert [type(error) for error in found] == [AuthFailed] * 6
    with pytest.raises(AuthFailed, match="until they are corrected"):
        SharedSession(connection, IDLE).renew(None, sign_in)
    assert len(attempts) == 1
    assert actions(connection) == ["circuit_opened"]
    connection.refresh_from_db()
    assert connection.health == Health.CIRCUIT_OPEN
    assert connection.health_text == "The password *** is wrong."  # R71


def test_a_person_s_test_may_sign_in_while_the_circuit_is_open(connection: Connection) -> None:
    with pytest.raises(AuthFailed):
        SharedSession(connection, IDLE).renew(None, refused)
    assert SharedSession(connection, IDLE, probing=True).renew(None, lambda: "a-session") == "a-session"


def test_a_refused_renewal_looks_for_a_newer_session_first(connection: Connection) -> None:  # R60
    def refused_because_another_renewed() -> str:
        vault.put(connection.workspace, "connection:bill", "session", "their-session")
        Connection.objects.of(connection.workspace).update(session_used_at=clock.now())
        return refused()

    session = SharedSession(connection, IDLE)
    assert session.renew(None, refused_because_another_renewed) == "their-session"
    connection.refresh_from_db()
    assert connection.health == Health.UNKNOWN

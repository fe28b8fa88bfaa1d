"""The worker's thread that tells people."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import OperationalError
from tests.notify.conftest import hook, tell

from ml_connector import audit, clock
from ml_connector.jobs import notifying
from ml_connector.sync import problems
from ml_connector.sync.models import Connection, Integration, Message
from ml_connector.sync.problems import Cause

__all__ = ["hook", "tell"]


@pytest.fixture
def integration(workspace) -> Integration:
    made = [
        Connection.objects.create(workspace=workspace, name=name, system=name, credential=name)
        for name in ("syspro", "bill")
    ]
    return Integration.objects.create(
        workspace=workspace, name="payables", kind="syspro-bill", erp=made[0], platform=made[1]
    )


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch, database):
    """The thread, looking often; ended and waited for."""
    monkeypatch.setattr(notifying, "LOOK_SECONDS", 0.1)
    stop = threading.Event()
    thread = threading.Thread(target=notifying.keep_telling, args=(stop,))

    def start() -> threading.Thread:
        thread.start()
        return thread

    yield start
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def opened(workspace, integration) -> None:
    with audit.recording(workspace, actor="worker") as trail:
        problems.open_problem(trail, integration, Cause("unmapped_code", "a", "b", "c"))


def sent(workspace) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if Message.objects.of(workspace).filter(state="sent").exists():
            return True
        time.sleep(0.1)
    return False


def test_what_waits_is_told_by_the_worker(workspace, integration, hook, tell, telling):
    tell("problem")
    opened(workspace, integration)
    telling()
    assert sent(workspace)
    assert [row["title"] for row in hook.seen] == ["[ml-connector acme] 1 new Problem in payables"]


def test_a_database_that_is_away_for_a_while_is_waited_for(workspace, integration, hook, tell, telling, monkeypatch):
    tell("problem")
    opened(workspace, integration)
    gather, failed = notifying.gather.gather, []

    def away() -> int:
        if len(failed) < 3:
            failed.append(clock.now())
            raise OperationalError("away")
        return gather()

    monkeypatch.setattr(notifying.gather, "gather", away)
    telling()
    assert sent(workspace)
    assert len(failed) == 3


def test_the_minutes_checks_are_made(workspace, integration, hook, tell, telling, monkeypatch):  # R19
    made: list[str] = []
    for module, name in (
        (notifying.silence, "check_schedules"),
        (notifying.silence, "check_quiet"),
        (notifying.gather, "put_digests"),
        (notifying.gather, "forget"),
    ):
        monkeypatch.setattr(module, name, lambda name=name: made.append(name))
    monkeypatch.setattr(notifying, "LOOKS_PER_MINUTE", 2)
    telling()
    time.sleep(1.5)
    assert made.count("check_schedules") >= 2
    assert made.count("put_digests") >= 2
    assert (made.count("check_quiet"), made.count("forget")) == (1, 1), "those of a day, once at the start"

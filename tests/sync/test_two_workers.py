"""Two workers on PostgreSQL, one killed with its Run in the middle: the other finishes (R7, R9)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.db import connection

from ml_connector.jobs import schedule
from ml_connector.sync.models import Attempt, Connection, Link, Outcome, Record, RunKind, State
from tests.sync.pair import seeded_pair

ON_ITS_WAY = [State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT]


@pytest.fixture
def pair(workspace):
    if connection.vendor != "postgresql":
        pytest.skip("Several workers need PostgreSQL: pytest --database postgres")
    with seeded_pair(workspace, invoices=1200, latency=0.03) as made:
        yield made


def worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ml_connector", "worker", "--concurrency", "4"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_until(true, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.2)


def test_the_survivor_finishes_and_every_document_is_one(pair):  # R7, R9
    workers = [worker(), worker()]
    try:
        ids = [flow.pk for flow in pair.flows]
        schedule.wake(ids, RunKind.PULL)
        wait_until(lambda: len(pair.bills()) > 20, 90, "no bills came")
        holder = Connection.objects.of(pair.workspace).get(name="platform").lease_holder
        victim = next((one for one in workers if str(one.pid) in holder), workers[0])
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        waiting = Record.objects.of(pair.workspace).filter(state__in=ON_ITS_WAY)
        arrived = Record.objects.of(pair.workspace).filter(flow__name="invoices", state=State.CONFIRMED)
        wait_until(lambda: arrived.count() > 200 and not waiting.exists(), 150, "the survivor did not finish")
    finally:
        for process in workers:
            process.terminate()
        for process in workers:
            process.wait(30)
    numbers = Counter((bill["vendorId"], bill["invoice"]["invoiceNumber"]) for bill in pair.bills())
    assert numbers.most_common(1)[0][1] == 1
    links = Link.objects.of(pair.workspace).filter(type="invoice").values_list("target_key", flat=True)
    assert set(links) == {bill["id"] for bill in pair.bills()}
    assert not Attempt.objects.of(pair.workspace).filter(outcome__in=[Outcome.PENDING, Outcome.UNKNOWN]).exists()
    assert pair.bill.summary()["max_in_flight"]
    assert max(pair.bill.summary()["max_in_flight"].values()) <= 3  # R59
    assert pair.adds_up()

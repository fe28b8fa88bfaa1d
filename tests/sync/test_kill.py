"""kill -9 at random moments of a 500-invoice run: nothing lost, nothing twice, nothing done by hand (R9)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from ml_connector.sync.models import Attempt, Connection, Link, Outcome, Record, Run, RunState, State
from tests.sync.pair import Pair, seeded_pair

KILLS = 8


@pytest.fixture
def pair(workspace):
    """A seeded distributor with some 500 open invoices; time is real, because another process does the work."""
    with seeded_pair(workspace, invoices=2400, latency=0.005) as made:
        yield made


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ml_connector", "sync", "bench", "--until-idle"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def half_a_minute_passes(pair: Pair) -> None:
    """The dead process's lease lapses. Its Flows do not count as dying in a row, which would park them."""
    Connection.objects.of(pair.workspace).update(lease_until=None)
    Run.objects.of(pair.workspace).filter(state=RunState.LOST).update(state=RunState.FAILED)


def test_kills_at_random_moments_leave_one_document_each(pair):  # R9, R76
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    interrupted = 0
    for _ in range(KILLS):
        process = start()
        try:
            process.wait(rng.uniform(1.0, 4.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            interrupted += 1
        half_a_minute_passes(pair)
    assert interrupted >= 3, "the run must be long enough to be killed in its middle"

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        process = start()
        said, _ = process.communicate(timeout=120)
        assert process.returncode in {0, 1}, said.decode()[-3000:]
        waiting = Record.objects.of(pair.workspace).filter(
            state__in=[State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT]
        )
        if not waiting.exists():
            break
        half_a_minute_passes(pair)
    assert not waiting.exists(), list(waiting.values_list("number", "state", "reason")[:10])

    numbers = Counter((bill["vendorId"], bill["invoice"]["invoiceNumber"]) for bill in pair.bills())
    assert [number for number, count in numbers.items() if count > 1] == []
    codes = Counter(vendor.get("shortName") for vendor in pair.bill.state("vendors"))
    assert [code for code, count in codes.items() if count > 1] == []
    linked = set(Link.objects.of(pair.workspace).filter(type="invoice").values_list("target_key", flat=True))
    assert linked == {bill["id"] for bill in pair.bills()}
    confirmed = Record.objects.of(pair.workspace).filter(flow__name="invoices", state=State.CONFIRMED).count()
    assert confirmed == len(linked) > 400
    assert not Attempt.objects.of(pair.workspace).filter(outcome__in=[Outcome.PENDING, Outcome.UNKNOWN]).exists()
    assert pair.adds_up()

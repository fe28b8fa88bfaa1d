from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connections

from ml_connector import clock
from ml_connector.sync.budget import AT_ONCE, CountedBudget
from ml_connector.sync.models import Allowance
from ml_connector.systems.base import Throttled

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
HOUR = 3600


@pytest.fixture(autouse=True)
def noon(database: Path) -> None:
    clock.hold(NOON)


def used() -> int:
    return sum(Allowance.objects.values_list("used", flat=True))


def spent(budget: CountedBudget, limit: int, times: int) -> int:
    """How many of so many uses were allowed."""
    allowed = 0
    for _ in range(times):
        try:
            budget.spend("request", limit, HOUR)
        except Throttled:
            continue
        allowed += 1
    return allowed


def test_a_small_limit_is_counted_exactly() -> None:  # R59
    one, other = CountedBudget("key"), CountedBudget("key")
    assert spent(one, 5, 3) == 3
    assert used() == 3
    assert spent(other, 5, 3) == 2


def test_throttled_says_when_the_window_ends() -> None:
    clock.hold(NOON + timedelta(minutes=50))
    budget = CountedBudget("key")
    assert spent(budget, 2, 2) == 2
    with pytest.raises(Throttled, match="All 2 of this hour are used up") as error:
        budget.spend("request", 2, HOUR)
    assert error.value.retry_after == 600
    clock.hold(NOON + timedelta(minutes=60))
    budget.spend("request", 2, HOUR)


def test_a_large_limit_is_never_exceeded_over_all_takers() -> None:  # R59
    budgets = [CountedBudget("key") for _ in range(7)]
    allowed = sum(spent(budget, 1000, 150) for budget in budgets)
    assert 1000 - 7 * AT_ONCE <= allowed <= 1000
    for budget in budgets:
        budget.give_back()
    assert used() == allowed


def test_uses_of_a_large_limit_seldom_cost_a_query(django_assert_max_num_queries: object) -> None:
    budget = CountedBudget("key")
    budget.spend("request", 20_000, HOUR)
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        for _ in range(AT_ONCE - 1):
            budget.spend("request", 20_000, HOUR)


def test_what_was_not_spent_is_given_back() -> None:
    budget = CountedBudget("key")
    budget.spend("request", 20_000, HOUR)
    assert used() == AT_ONCE
    budget.give_back()
    assert used() == 1
    budget.give_back()
    assert used() == 1


def test_keys_and_allowances_do_not_share() -> None:  # R74
    for fingerprint in ("key", "other"):
        for allowance in ("login", "request"):
            CountedBudget(fingerprint).spend(allowance, 1, HOUR)
    with pytest.raises(Throttled):
        CountedBudget("key").spend("login", 1, HOUR)


def test_old_windows_are_forgotten() -> None:
    CountedBudget("key").spend("login", 5, HOUR)
    clock.hold(NOON + timedelta(days=8))
    CountedBudget("key").spend("login", 5, HOUR)
    assert Allowance.objects.count() == 1


def test_threads_spend_exactly_and_leave_no_database_connection_open() -> None:
    budget = CountedBudget("key")
    allowed: list[int] = []
    closed: list[bool] = []

    def work() -> None:
        allowed.append(spent(budget, 50, 20))
        closed.append(connections["default"].connection is None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 50
    assert closed == [True] * 4


SCRIPT = """
import django
django.setup()
from ml_connector.sync.budget import CountedBudget
from ml_connector.systems.base import Throttled
budget, allowed = CountedBudget("key"), 0
input()
for _ in range(40):
    try:
        budget.spend("login", 100, 10**9)
        allowed += 1
    except Throttled:
        pass
print(allowed, flush=True)
"""


def test_processes_together_never_exceed_the_limit() -> None:  # R59
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "ml_connector.settings", "PYTHONPATH": ":".join(sys.path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert sum(int(process.communicate()[0]) for process in processes) == 100

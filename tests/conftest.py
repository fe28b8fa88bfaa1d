"""What holds for all tests."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is; speed has its benchmarks.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Tests make many objects and keep few: garbage need not be looked for at every 700 of them.
gc.set_threshold(20_000, 20, 50)

LONG = (
    "conformance/test_crash",
    "conformance/test_model",
    "conformance/test_storm",
    "console/test_browser",
    "console/test_first_minutes",
    "webhooks/test_served",
    "cli/test_processes",
    "jobs/test_death",
    "jobs/test_many_workers",
    "notify/test_notices",
)
"""Files whose tests take long because they wait for processes and browsers."""

SAMPLED = ("conformance/test_syspro_bill",)
"""Files of which a fixed sample is tried without --every-cell. `./run conformance` tries all of it."""

THOROUGH = (
    "cli/test_processes",
    "conformance/test_handover.py::test_each_document",
    "conformance/test_model",
    "conformance/test_procurify_syspro",
    "conformance/test_sapb1_bill",
    "conformance/test_storm.py::test_writes",
    "conformance/test_syspro_basware",
    "console/test_first_minutes_sapb1",
    "console/test_retention_pages",
    "sync/test_retention",
    "sync/test_trail_retention",
)
"""What takes long and changes seldom: tried with --every-cell (`EVERY_TEST=1 ./run test`) and by the commands that make
the figures of docs/exactly-once.md and docs/conformance.md."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if any(name in item.nodeid for name in SAMPLED):
        item.add_marker(pytest.mark.sample_only)
    if any(name in item.nodeid for name in THOROUGH):
        item.add_marker(pytest.mark.every_cell)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, each begins with some that take long, so that none ends with them."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes == 1:
        return
    long = [item for item in items if any(name in item.nodeid for name in LONG)]
    short = [item for item in items if not any(name in item.nodeid for name in LONG)]
    share = -(-len(items) // processes)
    items.clear()
    for number in range(processes):
        first = long[number::processes]
        items += first + short[: share - len(first)]
        del short[: share - len(first)]
    items += short

"""kill -9 of the product's processes, at every point that matters and at random moments: nothing lost, nothing twice,
nothing done by hand. A thousand of them: `python -m ml_connector.conformance.crash`."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from ml_connector.conformance.crash import processes, story
from ml_connector.conformance.crash.points import BY_NAME, OPERATIONS, POINTS, Moment, Point, PointGone, lay
from ml_connector.conformance.crash.scene import MOMENT, Tally
from tests.conformance.syspro_bill_crash import SYSPRO_BILL

GROUPS = {
    **{kind: [point for point in POINTS if point.name.startswith(kind)] for kind in OPERATIONS},
    "worker": [point for point in POINTS if point.worker],
    "other": [point for point in POINTS if not point.worker and not point.name.startswith(OPERATIONS)],
}
ON_POSTGRES = [BY_NAME[name] for name in ("create answered", "update outcome uncommitted", "dequeue after")]


@pytest.fixture
def seed():
    chosen = random.randrange(10**6)
    print(f"seed {chosen}")
    return chosen


def nothing_is_wrong(tally: Tally) -> bool:
    assert tally.told == []
    return tally.deliveries > 100


@pytest.mark.parametrize("group", GROUPS)
def test_death_at_each_point_leaves_one_document_each(databases, database, seed, group):  # R1, R2, R3, R9, R15, R76
    if connection.vendor == "postgresql":
        pytest.skip("one process: every point is tried on SQLite")
    tally = Tally()
    missed = story.chosen_kills(
        SYSPRO_BILL, databases, "sqlite", processes.forked, database, chosen=GROUPS[group], seed=seed, tally=tally
    )
    assert missed == []
    assert tally.kills.keys() >= {point.name for point in GROUPS[group]}
    assert nothing_is_wrong(tally)


def test_death_at_random_moments_leaves_one_document_each(databases, database, seed):  # R9, R76
    if connection.vendor == "postgresql":
        pytest.skip("one process: see the three workers")
    tally = Tally()
    story.random_kills(SYSPRO_BILL, databases, "sqlite", processes.fresh, database, kills=12, seed=seed, tally=tally)
    assert tally.kills[MOMENT] >= 1
    assert nothing_is_wrong(tally)


def test_of_three_workers_one_after_the_other_dies(databases, database, seed):  # R7, R9, R76
    if connection.vendor != "postgresql":
        pytest.skip("several workers need PostgreSQL: pytest --database postgres")
    tally = Tally()
    missed = story.chosen_kills(
        SYSPRO_BILL, databases, "postgres", processes.fresh, database, chosen=ON_POSTGRES, seed=seed, tally=tally
    )
    assert missed == []
    story.random_kills(SYSPRO_BILL, databases, "postgres", processes.forked, database, kills=4, seed=seed, tally=tally)
    assert nothing_is_wrong(tally)


def test_a_point_whose_function_is_gone_says_so():
    gone = Point("nowhere", "ml_connector.sync.deliver:Delivery.no_longer", Moment.BEFORE, "")
    with pytest.raises(PointGone, match=r"nowhere: ml_connector\.sync\.deliver:Delivery\.no_longer"):
        lay(gone, 1, lambda: None)

"""Documents that are handed over while processes die and answers get lost: each posted once, each answered once.

A thousand of them, from the root of the project:
`python -m ml_connector.conformance.handover tests.conformance.syspro_basware_handover:SYSPRO_BASWARE`.
"""

from __future__ import annotations

import random

import pytest
from django.db import connection

from ml_connector.conformance.crash import processes
from ml_connector.conformance.crash.points import TRANSFERS, lay
from ml_connector.conformance.crash.scene import Tally
from ml_connector.conformance.handover import hand_over
from tests.conformance.syspro_basware_handover import SYSPRO_BASWARE

DOCUMENTS = 40
KILLS = 6


def test_each_document_is_posted_once_and_answered_once(databases, database):  # R1, R2, R3, R9, R12, R76
    if connection.vendor == "postgresql":
        pytest.skip("one process: tried on SQLite")
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    tally = Tally()
    met = hand_over(
        SYSPRO_BASWARE, databases, processes.forked, database, documents=DOCUMENTS, kills=KILLS, seed=seed, tally=tally
    )
    print(tally.kills, met, *tally.told, sep="\n")
    assert tally.told == []
    assert tally.deliveries == DOCUMENTS
    assert tally.kills.total() >= 1


@pytest.mark.parametrize("point", TRANSFERS, ids=lambda point: point.name)
def test_each_point_of_the_handover_is_where_it_says(point, monkeypatch):
    module, _, path = point.where.partition(":")
    owner, name = path.split(".")
    target = getattr(__import__(module, fromlist=[owner]), owner)
    monkeypatch.setattr(target, name, getattr(target, name))
    lay(point, 1, lambda: None)
    assert getattr(target, name).__wrapped__ is not None

"""Pairs made ready for a scenario. When its test ends, each is asked for what holds at any time."""

from __future__ import annotations

import pytest

from ml_connector.audit.verify import verify
from tests.sync.pair import base_pair


@pytest.fixture
def empty(workspace):
    """Nothing read yet."""
    with base_pair(workspace) as pair:
        yield pair
        assert pair.adds_up()  # R76
        assert verify(workspace).holds  # R66, R67


@pytest.fixture
def mapped(empty):
    """Suppliers read, accounts and cost centers mapped, Hydra linked; no document read."""
    empty.map_accounts()
    empty.link_hydra()
    return empty


@pytest.fixture
def delivered(mapped):
    """The base set delivered once: nine documents confirmed, three held."""
    mapped.sync()
    return mapped

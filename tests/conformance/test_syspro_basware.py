"""SYSPRO -> Basware passes the conformance suite: all of it by `./run conformance`, a sample elsewhere."""

from __future__ import annotations

import pytest

from ml_connector.conformance.suite import suite
from tests.conformance.syspro_basware import SYSPRO_BASWARE

TestSysproBasware = suite(SYSPRO_BASWARE)
pytestmark = pytest.mark.sample_only

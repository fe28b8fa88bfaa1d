"""SAP Business One <-> BILL passes the conformance suite: all of it by `./run conformance`, a sample elsewhere."""

from __future__ import annotations

import pytest

from ml_connector.conformance.suite import suite
from tests.conformance.sapb1_bill import SAPB1_BILL

TestSapB1Bill = suite(SAPB1_BILL)
pytestmark = pytest.mark.sample_only

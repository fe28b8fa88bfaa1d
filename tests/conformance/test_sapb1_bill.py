"""SAP Business One <-> BILL passes the conformance suite."""

from __future__ import annotations

from ml_connector.conformance.suite import suite
from tests.conformance.sapb1_bill import SAPB1_BILL

TestSapB1Bill = suite(SAPB1_BILL)

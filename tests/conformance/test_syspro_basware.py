"""SYSPRO -> Basware passes the conformance suite."""

from __future__ import annotations

from ml_connector.conformance.suite import suite
from tests.conformance.syspro_basware import SYSPRO_BASWARE

TestSysproBasware = suite(SYSPRO_BASWARE)

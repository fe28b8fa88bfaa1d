"""Procurify -> SYSPRO passes the conformance suite."""

from __future__ import annotations

from ml_connector.conformance.suite import suite
from tests.conformance.procurify_syspro import PROCURIFY_SYSPRO

TestProcurifySyspro = suite(PROCURIFY_SYSPRO)

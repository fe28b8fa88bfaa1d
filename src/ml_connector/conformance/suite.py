"""All parts of the suite as one class of tests."""

from __future__ import annotations

import pytest

from ml_connector.conformance.declaration import Declaration
from ml_connector.conformance.faults import MATRIX
from ml_connector.conformance.hygiene import Hygiene
from ml_connector.conformance.limits import LimitsAndSessions
from ml_connector.conformance.reading import Reading
from ml_connector.conformance.writing import Writing


class Suite(Reading, Writing, LimitsAndSessions, Hygiene):
    """What `suite` fills with a Declaration."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        wanted = set(metafunc.fixturenames)
        if {"call", "fault"} <= wanted:
            metafunc.parametrize(("call", "fault"), _cells(self.declaration))
        elif "call" in wanted:
            metafunc.parametrize("call", [pytest.param(one, id=one.name) for one in self.declaration.writes])
        if "read" in wanted:
            metafunc.parametrize("read", _reads(self.declaration))
        if "limits" in wanted:
            metafunc.parametrize("limits", [pytest.param(one, id=one.name) for one in self.declaration.limits])


def suite(declaration: Declaration) -> type[Suite]:
    """A class of tests for pytest to collect, under a name that begins with Test."""
    return type("Conformance", (Suite,), {"declaration": declaration})


def _reads(declaration: Declaration) -> list[object]:
    """Every way of reading. PostgreSQL is tried with the first of each Flow, unless every cell is asked for."""
    first = {read.flow: read.name for read in reversed(declaration.reads)}
    return [
        pytest.param(read, id=read.name, marks=() if first[read.flow] == read.name else pytest.mark.outside_sample)
        for read in declaration.reads
    ]


def _cells(declaration: Declaration) -> list[object]:
    """Every write call under every fault. Those outside the sample are left out on PostgreSQL, unless every cell is
    asked for."""
    return [
        pytest.param(
            call, fault, id=f"{call.name}: {fault.name}", marks=() if fault.sample else pytest.mark.outside_sample
        )
        for call in declaration.writes
        for fault in MATRIX
    ]

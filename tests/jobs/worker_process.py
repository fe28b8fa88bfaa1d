"""A worker with work that only writes down what it does, as a process that a test can kill.

    python worker_process.py LOG CONCURRENCY

The Flow's policies say what its jobs do: `seconds` to work, `fail` to raise, `careful` (the default) to
check the lease on the way. Each line of LOG is one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import timedelta
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "ml_connector.settings"
django.setup()

from django.db import transaction  # noqa: E402

from ml_connector import clock  # noqa: E402
from ml_connector.jobs import presence, retention, worker  # noqa: E402
from ml_connector.jobs.job import Work  # noqa: E402
from ml_connector.sync import leases  # noqa: E402
from ml_connector.sync.leases import Lease, LeaseLost  # noqa: E402
from ml_connector.sync.models import Connection, Flow, Run, RunKind, RunState  # noqa: E402

leases.LEASE_SECONDS = int(os.environ.get("TEST_LEASE_SECONDS", leases.LEASE_SECONDS))
leases.RENEW_SECONDS = float(os.environ.get("TEST_RENEW_SECONDS", leases.RENEW_SECONDS))  # type: ignore[assignment]
leases.SELF_FENCE_SECONDS = float(  # type: ignore[assignment]
    os.environ.get("TEST_SELF_FENCE_SECONDS", leases.SELF_FENCE_SECONDS)
)
if "TEST_RETENTION_SECONDS" in os.environ:
    retention.AGE = timedelta(seconds=float(os.environ["TEST_RETENTION_SECONDS"]))
    retention.EVERY_SECONDS = 0.5


def write(log: str, **event: Any) -> None:
    line = json.dumps({"t": time.time(), "pid": os.getpid(), **event}) + "\n"
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


def work(log: str) -> Work:
    def execute(flow: Flow, kind: RunKind, lease: Lease, job_id: str, seconds: float) -> Run:
        about = {"flow": flow.pk, "kind": kind.value, "connection": lease.connection_id, "job": job_id}
        run = Run.objects.create(
            workspace_id=flow.workspace_id,
            flow=flow,
            connection_id=lease.connection_id,
            kind=kind,
            job=job_id,
            fence=lease.fence,
            started_at=clock.now(),
        )
        write(log, event="begin", **about)
        if flow.policies.get("fail"):
            raise RuntimeError("as told")
        end = time.monotonic() + flow.policies.get("seconds", 0)
        while time.monotonic() < end:
            time.sleep(0.05)
            if flow.policies.get("careful", True):
                lease.check()
        try:
            with transaction.atomic():
                lease.confirm()
                run.state, run.ended_at = RunState.SUCCEEDED, clock.now()
                run.save()
        except LeaseLost:
            write(log, event="fenced", **about)
            raise
        write(log, event="end", **about)
        return run

    def connection_for(flow: Flow, kind: RunKind) -> Connection:
        return flow.integration.platform if kind is RunKind.PUSH else flow.integration.erp

    def park(flow: Flow, kind: RunKind) -> None:
        write(log, event="parked", flow=flow.pk, kind=kind.value)

    return Work(execute, connection_for, park)


if __name__ == "__main__":
    stop = worker.stop_on_signals()
    try:
        worker.run_worker(work(sys.argv[1]), int(sys.argv[2]), stop)
    except presence.WorkerRunning as refused:
        sys.exit(str(refused))

"""Thousands of Integrations whose invoices are looked at every five minutes, and nothing has changed.

Each Integration has a Workspace, Connections and secrets of its own; all speak to the same two stand-ins, which have
to be served by the same machine. Workers are the product's own processes: two on PostgreSQL, one on SQLite. Flows
are spread over the five minutes by the product's own rule. After a minute in which the workers get going, every Run
is looked at that was due within the next five: how long after it was due it began. CPU is counted over the same five
minutes, for the workers, the database and the stand-ins apart.

The other Flows of the Integrations are paused: what they cost at their own cadence follows from the Runs an hour.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from benchmarks import installation
from benchmarks.figures import Figure, report

INTEGRATIONS = 5_000
EVERY = 300
WARM_UP = 60
LATE = 10.0
WORKERS = {"postgresql": 2, "sqlite": 1}
CONCURRENCY = 8


def prepare(count: int) -> None:
    """Makes the Integrations, each with an operator of its own, and lets each read its invoices once."""
    installation.create()
    from ml_connector.sync import flows, leases, runs
    from ml_connector.sync.models import Flow, Integration, RunKind

    ready = installation.stand_ins()["erp"]
    operators = [f"BENCH{number}" for number in range(1, count)]
    rows = [{"OperatorCode": operator, "Password": ready["secrets"]["operator_password"]} for operator in operators]
    request = urllib.request.Request(f"{ready['control']}/state/operators", json.dumps(rows).encode(), method="POST")
    with urllib.request.urlopen(request):
        pass
    for operator in operators:
        installation.set_up(operator.lower(), operator=operator)
    for integration in Integration.objects.across_workspaces():
        flow = flows.flow_named(integration, "invoices")
        with leases.held(integration.erp_id, f"bench {integration.pk}") as lease:
            runs.execute(flow, RunKind.PULL, lease)
    schedule = Flow.objects.across_workspaces()
    schedule.exclude(name="invoices").update(paused=True)
    # What was read is left staged: delivering it is another measurement.
    schedule.update(every=EVERY, next_push_at=None)


def main(count: int) -> None:
    installation.start_django()
    from django.db import connection

    from ml_connector.jobs import schedule
    from ml_connector.sync.models import Flow, RunKind

    now = datetime.now(UTC)
    far = now + timedelta(days=1)
    flows = list(Flow.objects.across_workspaces().filter(name="invoices"))
    for flow in flows:
        flow.next_pull_at = schedule.regular(flow, RunKind.PULL, now)
    Flow.objects.across_workspaces().update(next_pull_at=far, next_sweep_at=far)
    Flow.objects.across_workspaces().bulk_update(flows, ["next_pull_at"], batch_size=500)
    connection.close()
    with _workers(WORKERS[connection.vendor]) as workers:
        time.sleep(WARM_UP)
        begun, before = datetime.now(UTC), _cpu_of(workers)
        time.sleep(EVERY)
        ended, after = datetime.now(UTC), _cpu_of(workers)
        # What was due at the end of the five minutes may begin late.
        time.sleep(2 * LATE)
        memory = max(_peak_megabytes(worker) for worker in workers)
    lateness, failed, overdue = _begun(begun, ended)
    spent = {name: (after[name] - before[name]) / EVERY for name in after}
    percentiles = quantiles(lateness, n=100)
    report(
        Figure(
            f"{count:,} Integrations every {EVERY // 60} minutes: Runs that were due",
            f"{len(lateness):,}, {len(lateness) / EVERY:.1f} a second; {failed} failed, {overdue} had not begun",
            "all",
            not failed and not overdue and len(lateness) >= count * 0.98,
        ),
        Figure(
            "  began after they were due",
            f"{median(lateness):.2f} s (p50), {percentiles[98]:.2f} s (p99), {max(lateness):.2f} s (latest)",
            f"p99 {LATE:.0f} s",
            percentiles[98] < LATE,
        ),
        Figure("  cores busy", ", ".join(f"{name} {share:.2f}" for name, share in spent.items())),
        Figure("  memory of a worker", f"{memory:.0f} MB"),
    )


@contextmanager
def _workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [sys.executable, "-m", "ml_connector", "worker", "--concurrency", str(CONCURRENCY)]
    workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait(120)


def _peak_megabytes(worker: subprocess.Popen[bytes]) -> float:
    """The most memory that a worker ever had resident. Raises where it has ended."""
    for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"worker {worker.pid} ended with {worker.poll()}")


def _begun(since: datetime, until: datetime) -> tuple[list[float], int, int]:
    """Seconds by which the Runs that were due in this time began late; how many failed; how many have not begun."""
    from ml_connector.sync.models import Flow, Run, RunState

    lateness, failed = [], 0
    for job, started, state in Run.objects.across_workspaces().values_list("job", "started_at", "state"):
        if not job:
            continue
        due = datetime.strptime(job.rpartition("-")[2], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        if since <= due < until:
            lateness.append((started - due).total_seconds())
            failed += state == RunState.FAILED
    overdue = Flow.objects.across_workspaces().filter(next_pull_at__lt=until, paused=False)
    return lateness, failed, overdue.count()


def _cpu_of(workers: list[subprocess.Popen[bytes]]) -> dict[str, float]:
    """CPU seconds so far of the workers, the database server and the stand-ins."""
    spent = {"workers": sum(_cpu(worker.pid) for worker in workers)}
    spent["stand-ins"] = sum(_cpu(pid) for pid in _children(os.getppid()) if pid != os.getpid())
    server = _server()
    if server:
        # Sessions that have ended count with the server, which has waited for them.
        spent["database"] = _cpu(server, ended_children=True) + sum(_cpu(pid) for pid in _children(server))
    return spent


def _server() -> int | None:
    """The process of the database server, where there is one and it runs here."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = cursor.fetchone()[0]
        stat = _stat(session)
    connection.close()
    return int(stat[1]) if stat else None


def _children(parent: int) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if (stat := _stat(pid)) and int(stat[1]) == parent]


def _cpu(pid: int, *, ended_children: bool = False) -> float:
    stat = _stat(pid)
    ticks = sum(int(word) for word in stat[11 : 15 if ended_children else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """What stands behind the name in /proc/PID/stat; nothing where the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]))

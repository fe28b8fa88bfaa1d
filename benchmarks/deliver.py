"""Deliver 2,000 bills, three requests at a time, to a stand-in that takes 50 ms for every answer.

Measured is one whole push of the Flow `invoices`, from sign-in to the end: what is staged is resolved and checked,
each first create is searched for in the target's list, the intent is committed before its request, the outcome and
the Link after it, all with the trail; then the target is listed again. `steady` sends one by one, as every push after
the first does; `first` is a first load, in batches. The possible rate is three requests in 50 ms, 60 a second. Calls
are what the stand-in was asked during the push, all included.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from datetime import datetime
from typing import Any

from benchmarks import installation
from benchmarks.figures import Figure, Meter, report

BILLS = 2_000
LATENCY = 0.05
AT_A_TIME = 3
SHARE = 0.95
CALLS = {"steady": 1.25, "first": 0.25}


def prepare(mode: str) -> None:
    """Codes mapped, vendors made, invoices staged; for `steady` a push has ended before."""
    installation.create()
    from ml_connector.sync.models import RunKind

    for flow in ("accounts", "departments", "suppliers"):
        installation.run(flow, RunKind.PULL)
        installation.run(flow, RunKind.PUSH)
    if mode == "steady":
        installation.run("invoices", RunKind.PUSH)
    installation.run("invoices", RunKind.PULL)


def main(mode: str) -> None:
    installation.start_django()
    from ml_connector.sync.models import RunKind

    before = len(requests())
    meter = Meter()
    run = installation.run("invoices", RunKind.PUSH)
    cpu, wall = meter.cpu(), meter.wall()
    asked = requests()[before:]
    created = run.counts["created"]
    calls = len(asked) / created
    limit = CALLS[mode]
    figures = [
        Figure(
            f"deliver {created:,} bills, " + ("one by one" if mode == "steady" else "first load"),
            f"{created / wall:.1f} a second ({wall:.1f} s, {cpu / created * 1000:.1f} ms CPU each)",
        ),
        Figure("  calls a bill", f"{calls:.2f}", str(limit), calls <= limit),
    ]
    if mode == "steady":
        possible = AT_A_TIME / LATENCY
        share = created / wall / possible
        figures.insert(1, Figure("  of the possible rate", f"{share:.0%}", f"{SHARE:.0%}", share >= SHARE))
        rate, answer = sending(asked)
        figures.insert(
            2,
            Figure(
                "  while it sends",
                f"{rate:.1f} a second, {rate / possible:.0%}; {rate * answer / AT_A_TIME:.0%} of what answers that"
                f" really took {answer * 1000:.1f} ms allow",
            ),
        )
    report(*figures)


def sending(asked: list[dict[str, Any]]) -> tuple[float, float]:
    """Creates a second from the first request to the last answer, and how long an answer took, in seconds."""
    creates = [row for row in asked if row["method"] == "POST" and row["path"].endswith("/v3/bills")]
    begun = [datetime.fromisoformat(row["started"]).timestamp() for row in creates]
    ended = max(start + row["seconds"] for start, row in zip(begun, creates, strict=True))
    return len(creates) / (ended - min(begun)), sum(row["seconds"] for row in creates) / len(creates)


def requests() -> list[dict[str, Any]]:
    """What the BILL stand-in was asked so far."""
    with urllib.request.urlopen(installation.stand_ins()["bill"]["control"] + "requests") as answer:
        rows: list[dict[str, Any]] = json.load(answer)
    return rows


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2])
    else:
        main(sys.argv[1])

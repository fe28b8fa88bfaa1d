"""Deliver 2,000 bills, three requests at a time, to a stand-in that takes 50 ms for every answer.

Measured is one whole push of the Flow `invoices`, from sign-in to the end: what is staged is resolved and checked,
each first create is searched for in the target's list, the intent is committed before its request, the outcome and
the Link after it, all with the trail; then the target is listed again. `steady` sends one by one, as every push after
the first does; `first` is a first load, in batches. The possible rate is three requests in 50 ms, 60 a second; what
the answers allow is three requests in the time that an answer really took. Calls are what the stand-in was asked
during the push, all included.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from dataclasses import dataclass
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
    load = os.getloadavg()[0]
    started, meter = time.time(), Meter()
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
        sent = sending(asked)
        figures[2:2] = [
            Figure(
                "  of what the answers allow",
                f"{created / wall / sent.allowed:.0%} (answers took {sent.answer * 1000:.1f} ms; load {load:.1f})",
            ),
            Figure(
                "  while it sends",
                f"{sent.rate:.1f} a second, {sent.rate / possible:.0%}; {sent.rate / sent.allowed:.0%} of what the"
                " answers allow",
            ),
            Figure(
                "  before the first request, after the last answer",
                f"{sent.begun - started:.1f} s, {started + wall - sent.ended:.1f} s",
            ),
        ]
    report(*figures)


@dataclass(frozen=True)
class Sending:
    """From the first create that left to the last answer; instants in seconds since the epoch."""

    begun: float
    ended: float
    rate: float
    """Creates a second."""
    answer: float
    """Seconds that an answer took, on average."""

    @property
    def allowed(self) -> float:
        """Creates a second at such answers, were there never a request too few under way."""
        return AT_A_TIME / self.answer


def sending(asked: list[dict[str, Any]]) -> Sending:
    creates = [row for row in asked if row["method"] == "POST" and row["path"].endswith("/v3/bills")]
    begun = [datetime.fromisoformat(row["started"]).timestamp() for row in creates]
    first, last = min(begun), max(start + row["seconds"] for start, row in zip(begun, creates, strict=True))
    answer = sum(row["seconds"] for row in creates) / len(creates)
    return Sending(first, last, len(creates) / (last - first), answer)


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

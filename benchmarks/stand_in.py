"""A stand-in as a process of its own, so that its CPU and memory do not count.

    python -m benchmarks.stand_in syspro 100000     invoices, none of them paid, credited or adjusted yet
    python -m benchmarks.stand_in bill 0.05         seconds that every answer takes

The first line on standard output is that of `ml-connector sandbox`.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from typing import Any

import ml_connector.sandbox
from ml_connector.sandbox import company

SEED = 1


def main(system: str, value: str) -> None:
    """Runs until it is told to stop."""
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    options = {"invoices": int(value)} if system == "syspro" else {"latency": float(value), "requests_per_hour": 10**6}
    with ml_connector.sandbox.start(system, seed=SEED, options=options) as running:
        if system == "syspro":
            running.edit("ApInvoice", list(untouched(int(value))))
        ready = {"ready": True, "settings": running.settings, "secrets": running.secrets, "control": running.control}
        print(json.dumps(ready), flush=True)
        signal.sigwait(signals)


def untouched(count: int) -> Iterator[dict[str, Any]]:
    """What makes every invoice as open as on the day it was booked: a first load takes open invoices only."""
    for invoice in company.invoices(SEED, count):
        if invoice.payments or invoice.credits:
            yield {
                "Supplier": invoice.supplier,
                "Invoice": invoice.number,
                "NextPaymEntry": 1,
                "MthInvBal1": invoice.gross,
                "TotalAdjustments": 0,
            }


if __name__ == "__main__":
    main(*sys.argv[1:])

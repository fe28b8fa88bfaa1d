"""Read and stage 100,000 SYSPRO invoices: one pull of the Flow `invoices` into an empty installation.

Counted is the CPU of the reading process over the whole Run, from its start (secrets unsealed, signed in, company
confirmed) to its end: every page of ApInvoice, ApJnlSummary and ApJnlDistrib asked for over HTTP, decoded, made into
invoices with their coded lines, hashed, and committed with the cursor and the trail. All settings are the product's
own. The data is the stand-in's distributor: 2.2 ledger rows an invoice, a fifth of the invoices in a foreign currency
and restated, nothing paid yet. Then each amount that was stored is compared with the one that was booked.

The second figure answers the same requests from memory: what our own work costs without HTTP.
"""

from __future__ import annotations

import os
import pickle
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks import installation
from benchmarks.figures import Figure, Meter, peak_megabytes, report, resident_megabytes

INVOICES = 100_000
PER_CPU_SECOND = 70_000
MEGABYTES = 60
ANSWERS = "answers"


def prepare(invoices: int) -> None:
    installation.create()
    from ml_connector.sync import runs  # noqa: F401 compiled before it is measured


def main(invoices: int) -> None:
    installation.start_django()
    from ml_connector.sync.models import RunKind

    meter = Meter()
    run = installation.run("invoices", RunKind.PULL)
    cpu, wall = meter.cpu(), meter.wall()
    peak, own = peak_megabytes(), resident_megabytes("RssAnon")
    assert run.counts["new"] == invoices, run.counts
    rate, wrong = invoices / cpu, differing(invoices)
    report(
        Figure(
            f"read and stage {invoices:,} invoices",
            f"{rate:,.0f} a CPU second ({cpu:.2f} s CPU, {wall:.1f} s)",
            f"{PER_CPU_SECOND:,}",
            rate >= PER_CPU_SECOND,
        ),
        Figure("  its memory", f"{peak:.0f} MB at most, {own:.0f} MB its own", f"{MEGABYTES} MB", peak <= MEGABYTES),
        Figure("  amounts not as booked", str(wrong), "0", wrong == 0),
    )


def differing(invoices: int) -> int:
    """How many stored invoices have a gross amount, a sum of lines or an amount column that was not booked."""
    from benchmarks.stand_in import SEED
    from ml_connector.domain.money import rounded, to_units
    from ml_connector.domain.records import decode
    from ml_connector.sandbox import company
    from ml_connector.sync.models import Record
    from ml_connector.systems.syspro.keys import invoice_key

    booked = {invoice_key(one.supplier, one.number): one.gross for one in company.invoices(SEED, invoices)}
    wrong = 0
    rows = Record.objects.across_workspaces().filter(flow__name="invoices")
    for key, amount, payload in rows.values_list("key", "amount", "payload").iterator():
        invoice = decode("invoice", bytes(payload))
        lines = sum((line.amount for line in invoice.lines), Decimal(0))
        exact = booked.pop(key) == invoice.gross == lines == rounded(lines, invoice.currency)
        wrong += not (exact and to_units(invoice.gross) == amount)
    return wrong + len(booked)


def record() -> None:
    """One Run that keeps the answers."""
    installation.start_django()
    from ml_connector.sync.models import RunKind
    from ml_connector.systems.transport.http import Http

    kept: dict[Any, Any] = {}
    ordinary = Http.read

    def read(self: Any, method: str, url: str, **rest: Any) -> Any:
        answer = kept[_question(method, url, rest)] = ordinary(self, method, url, **rest)
        return answer

    Http.read = read  # type: ignore[method-assign]
    installation.run("invoices", RunKind.PULL)
    _answers().write_bytes(pickle.dumps(kept))


def replay(invoices: int) -> None:
    """One Run with the answers that were kept."""
    installation.start_django()
    from ml_connector.sync.models import RunKind
    from ml_connector.systems.transport.http import Http

    kept = pickle.loads(_answers().read_bytes())
    Http.read = lambda _self, method, url, **rest: kept[_question(method, url, rest)]  # type: ignore[method-assign]
    meter = Meter()
    run = installation.run("invoices", RunKind.PULL)
    cpu = meter.cpu()
    assert run.counts["new"] == invoices, run.counts
    report(Figure("  the same, answers from memory", f"{invoices / cpu:,.0f} a CPU second ({cpu:.2f} s CPU)"))


def _answers() -> Path:
    return Path(os.environ["ML_CONNECTOR_DATA"]) / ANSWERS


def _question(method: str, url: str, rest: dict[str, Any]) -> tuple[str, ...]:
    return (method, url, str(rest.get("params")), str(rest.get("content")))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", count]:
            prepare(int(count))
        case ["record"]:
            record()
        case ["replay", count]:
            replay(int(count))
        case [count]:
            main(int(count))

"""Memory while 1,000,000 Records are staged, compared with the first 10,000.

The pages are made in memory and not read, so that only staging is seen: 1,000 invoices of two lines a page, as many
pages a transaction as a pull takes, with cursor and trail.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from benchmarks import installation
from benchmarks.figures import Figure, Meter, report, resident_megabytes

FEW, MANY = 10_000, 1_000_000
PAGE = 1_000
SETTLED = 100_000
GROWTH = 0.05
"""What counts as flat."""


def prepare() -> None:
    installation.create()


def main(many: int) -> None:
    installation.start_django()
    from ml_connector import clock
    from ml_connector.sync.models import Run, RunKind
    from ml_connector.sync.stage import gathered, stage

    memory: dict[int, float] = {}
    with installation.leased("invoices", RunKind.PULL) as (flow, lease):
        run = Run.objects.create(
            workspace=flow.workspace,
            flow=flow,
            connection=flow.integration.erp,
            kind=RunKind.PULL,
            fence=lease.fence,
            started_at=clock.now(),
        )
        meter = Meter()
        done = 0
        for group in gathered(pages(many)):
            stage(flow, group, run, lease)
            done += sum(len(page.rows) for page in group)
            memory[done] = resident_megabytes()
        cpu = meter.cpu()
    few, most = memory[FEW], max(memory.values())
    settled = max(size for count, size in memory.items() if count <= SETTLED)
    growth = most / settled - 1
    report(
        Figure(
            f"memory from {FEW:,} to {many:,} staged",
            f"{few:.0f} MB at {FEW:,}, {settled:.0f} MB up to {SETTLED:,}, {most:.0f} MB up to {many:,}",
            f"+{GROWTH:.0%} from {SETTLED:,} on",
            growth <= GROWTH,
        ),
        Figure("  staging alone", f"{many / cpu:,.0f} a CPU second over all {many:,}"),
    )


def pages(count: int) -> Iterator[Any]:
    from ml_connector.domain.records import Invoice, InvoiceLine
    from ml_connector.systems.base import Item, Page

    def item(number: int) -> Item[Invoice]:
        supplier, gross = f"SUP{number * 7919 % 5000:04}", Decimal(number % 100_000 + 100).scaleb(-2)
        part = gross / 2
        lines = (
            InvoiceLine(line_key="1", amount=part.quantize(Decimal("0.01")), account="10-6400", cost_center="WH1"),
            InvoiceLine(line_key="2", amount=gross - part.quantize(Decimal("0.01")), account="10-6410"),
        )
        day = date(2026, 1 + number % 12, 1 + number % 28)
        invoice = Invoice(
            number=f"INV-{number}", supplier=supplier, date=day, due_date=day, currency="USD", gross=gross, net=gross,
            lines=lines,
        )  # fmt: skip
        return Item(f"{supplier}/INV-{number}", invoice, None, None, {"open": str(gross), "paid": "0"})

    for start in range(0, count, PAGE):
        yield Page([item(number) for number in range(start, start + PAGE)], {"after": str(start)}, "0" * 64)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare()
    else:
        main(int(sys.argv[1]))

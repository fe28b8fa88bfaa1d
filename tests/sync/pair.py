"""SYSPRO -> BILL on the stand-ins: real sockets, a real database, the engine run flow by flow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ml_connector.sandbox
from ml_connector.conformance.bench import Bench, clocks_at
from ml_connector.integrations.base import Side
from ml_connector.sandbox import Running
from ml_connector.sync import links, mappings, suggestions
from ml_connector.workspaces.models import Workspace

DATA = Path(ml_connector.sandbox.__file__).parent / "data"
MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
"""06:00 in the company's time zone."""


class Pair(Bench):
    """A bench whose two sides are SYSPRO and BILL."""

    def __init__(
        self, syspro: Running, bill: Running, workspace: Workspace, settings: dict[str, Any] | None = None
    ) -> None:
        stand_ins = {Side.ERP: syspro, Side.PLATFORM: bill}
        super().__init__(workspace, "syspro-bill", stand_ins, {Side.ERP: settings or {}})
        self.syspro, self.bill = syspro, bill

    def map_accounts(self) -> None:
        """Every account and cost center that has the same number on both sides."""
        self.sync("accounts", "departments")
        for name in ("gl_account", "cost_center"):
            found = [s for s in suggestions.suggest(self.integration, name) if s.rule == 1]
            mappings.set_entries(self.integration, name, {s.source: s.target for s in found}, actor="test")

    def link_hydra(self) -> None:
        self.sync("suppliers")
        record = self.record("HYD005")
        vendor = next(row for row in self.bill.state("vendors") if row["name"].startswith("Hydra"))
        links.accept(record, vendor["id"], actor="test")

    def bills(self, number: str | None = None) -> list[dict[str, Any]]:
        rows = self.bill.state("bills")
        return [row for row in rows if number in {None, row["invoice"]["invoiceNumber"]}]


@contextmanager
def base_pair(workspace: Workspace, **settings: Any) -> Iterator[Pair]:
    """The base set of documents on both sides, at Monday 06:00."""
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("syspro", "bill")
    }
    for row in load["bill"]["vendors"]:
        row |= {"createdTime": MONDAY.isoformat(), "updatedTime": MONDAY.isoformat()}
    with (
        ml_connector.sandbox.start("syspro", seed=1, data=load["syspro"]) as syspro,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"]) as bill,
        clocks_at(MONDAY, {Side.ERP: syspro, Side.PLATFORM: bill}),
    ):
        yield Pair(syspro, bill, workspace, settings)


@contextmanager
def seeded_pair(workspace: Workspace, invoices: int, latency: float, **settings: Any) -> Iterator[Pair]:
    """A seeded distributor whose codes are mapped. Time is real, because other processes do the work."""
    with (
        ml_connector.sandbox.start("syspro", seed=3, options={"invoices": invoices}) as syspro,
        ml_connector.sandbox.start("bill", seed=3, options={"latency": latency}) as bill,
    ):
        pair = Pair(syspro, bill, workspace, settings)
        pair.integration.policies = {"settle_wait": 1, "auto_map_exact": True}
        pair.integration.save()
        pair.sync("accounts", "departments")
        yield pair

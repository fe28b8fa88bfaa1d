"""SYSPRO -> BILL on the stand-ins: real sockets, a real database, the engine run flow by flow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import ml_connector.sandbox
from ml_connector import audit, clock, vault
from ml_connector.integrations import SYSTEMS
from ml_connector.integrations.syspro_bill import SYSPRO_BILL
from ml_connector.sync import flows, leases, links, mappings, runs, suggestions
from ml_connector.sync.connections import credential_fingerprint
from ml_connector.sync.models import (
    Connection,
    Flow,
    Integration,
    Problem,
    ProblemRecord,
    Record,
    Run,
    RunKind,
    State,
)
from ml_connector.workspaces.models import Workspace

DATA = Path(ml_connector.sandbox.__file__).parent / "data"
MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
"""06:00 in the company's time zone."""


class Pair:
    """One Integration between two stand-ins."""

    def __init__(self, syspro: Any, bill: Any, workspace: Workspace, settings: dict[str, Any] | None = None) -> None:
        self.syspro, self.bill, self.workspace = syspro, bill, workspace
        self.erp = self._connection("erp", "syspro", syspro, settings or {})
        self.platform = self._connection("bill", "bill", bill, {})
        self.integration = Integration.objects.create(
            workspace=workspace, name="payables", kind="syspro-bill", erp=self.erp, platform=self.platform
        )
        self.flows = [
            Flow.objects.create(
                workspace=workspace, integration=self.integration, name=spec.name, position=position, every=spec.every
            )
            for position, spec in enumerate(SYSPRO_BILL.flows)
        ]

    def _connection(self, name: str, system: str, stand_in: Any, settings: dict[str, Any]) -> Connection:
        values = {**stand_in.settings, **settings}
        row = Connection.objects.create(
            workspace=self.workspace,
            name=name,
            system=system,
            settings=values,
            credential=credential_fingerprint(SYSTEMS[system], values, stand_in.secrets),
        )
        for field, value in stand_in.secrets.items():
            vault.put(self.workspace, f"connection:{name}", field, value)
        return row

    # --- doing

    def flow(self, name: str) -> Flow:
        return flows.flow_named(self.integration, name)

    def run(self, name: str, kind: RunKind, seconds: float = 60) -> Run:
        flow = self.flow(name)
        with leases.held(flows.connection_for(flow, kind).pk, f"test {name} {kind}") as lease:
            return runs.execute(flow, kind, lease, seconds=seconds)

    def sync(self, *names: str) -> list[Run]:
        """One pull and one push per Flow, in order."""
        done = []
        for flow in self.flows:
            if not names or flow.name in names:
                done += [self.run(flow.name, RunKind.PULL), self.run(flow.name, RunKind.PUSH)]
        return done

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

    def later(self, **span: float) -> None:
        """Moves the clocks of all three on."""
        now = clock.now() + timedelta(**span)
        clock.hold(now)
        for stand_in in (self.syspro, self.bill):
            stand_in.clock(now=now.isoformat(), running=False)

    # --- looking

    def record(self, number: str) -> Record:
        return Record.objects.of(self.workspace).get(number=number)

    def states(self, *flow_names: str) -> dict[str, int]:
        rows = Record.objects.of(self.workspace).filter(flow__name__in=flow_names)
        counts: dict[str, int] = {}
        for state in rows.values_list("state", flat=True):
            counts[state] = counts.get(state, 0) + 1
        return counts

    def problems(self) -> set[tuple[str, str]]:
        """Open Problems as (cause, number or subject)."""
        held: dict[Problem, list[str]] = {row: [] for row in Problem.objects.of(self.workspace).filter(state="open")}
        for row in (
            ProblemRecord.objects.of(self.workspace).filter(problem__in=held).select_related("problem", "record")
        ):
            held[row.problem].append(row.record.number)
        return {(problem.cause, ", ".join(sorted(numbers)) or problem.subject) for problem, numbers in held.items()}

    def bills(self, number: str | None = None) -> list[dict[str, Any]]:
        rows = self.bill.state("bills")
        return [row for row in rows if number in {None, row["invoice"]["invoiceNumber"]}]

    def story(self, number: str) -> list[str]:
        """The actions of the trail about one Record, in order."""
        record = self.record(number)
        rows = audit.models.AuditEntry.objects.of(self.workspace).filter(subject=f"record:{record.pk}")
        return list(rows.order_by("sequence").values_list("action", flat=True))

    def writes(self) -> int:
        return sum(1 for row in self.bill.requests() if row["method"] in {"POST", "PATCH", "PUT"}
                   and not row["path"].endswith(("/login", "/logout")))  # fmt: skip

    def adds_up(self) -> bool:
        """R76: everything ever staged is in exactly one state."""
        ever = sum(Flow.objects.of(self.workspace).values_list("records_ever", flat=True))
        return ever == Record.objects.of(self.workspace).count() and set(
            Record.objects.of(self.workspace).values_list("state", flat=True)
        ) <= set(State.values)


@contextmanager
def base_pair(workspace: Workspace, **settings: Any) -> Iterator[Pair]:
    """The base set of documents on both sides, at Monday 06:00."""
    clock.hold(MONDAY)
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("syspro", "bill")
    }
    for row in load["bill"]["vendors"]:
        row |= {"createdTime": MONDAY.isoformat(), "updatedTime": MONDAY.isoformat()}
    with (
        ml_connector.sandbox.start("syspro", seed=1, data=load["syspro"]) as syspro,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"]) as bill,
    ):
        for stand_in in (syspro, bill):
            stand_in.clock(now=MONDAY.isoformat(), running=False)
        try:
            yield Pair(syspro, bill, workspace, settings)
        finally:
            clock.hold(None)


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

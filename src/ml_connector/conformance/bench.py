"""A bench: one Integration between two stand-ins, on real sockets and a real database, run Flow by Flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from ml_connector import audit, clock, vault
from ml_connector.audit.verify import verify
from ml_connector.integrations import INTEGRATIONS, SYSTEMS
from ml_connector.integrations.base import Side
from ml_connector.sandbox import Running
from ml_connector.sync import flows, leases, runs
from ml_connector.sync.connections import credential_fingerprint
from ml_connector.sync.models import (
    Attempt,
    Connection,
    Flow,
    Integration,
    Link,
    Outcome,
    Problem,
    ProblemRecord,
    Record,
    Run,
    RunKind,
    State,
)
from ml_connector.sync.models.records import OPEN_OUTCOMES
from ml_connector.workspaces.models import Workspace

ON_ITS_WAY = (State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT)

STEP = timedelta(minutes=5)
"""How far time moves between two rounds of `settle`."""


class Bench:
    """What a test of the suite works on. Nothing in it knows what the two systems are."""

    def __init__(
        self,
        workspace: Workspace,
        kind: str,
        stand_ins: Mapping[Side, Running],
        settings: Mapping[Side, Mapping[str, Any]] | None = None,
    ) -> None:
        """`settings` replace those of a stand-in's ready line."""
        self.workspace = workspace
        self.stand_ins = stand_ins
        self.spec = INTEGRATIONS[kind]
        connections = {side: self._connection(side, (settings or {}).get(side, {})) for side in Side}
        self.erp, self.platform = connections[Side.ERP], connections[Side.PLATFORM]
        self.integration = Integration.objects.create(
            workspace=workspace, name="bench", kind=kind, erp=self.erp, platform=self.platform
        )
        self.flows = [
            Flow.objects.create(
                workspace=workspace, integration=self.integration, name=spec.name, position=position, every=spec.every
            )
            for position, spec in enumerate(self.spec.flows)
        ]

    def _connection(self, side: Side, settings: Mapping[str, Any]) -> Connection:
        system, stand_in = self.spec.system(side), self.stand_ins[side]
        values = {**stand_in.settings, **settings}
        row = Connection.objects.create(
            workspace=self.workspace,
            name=side.value,
            system=system.name,
            settings=values,
            credential=credential_fingerprint(SYSTEMS[system.name], values, stand_in.secrets),
        )
        for field, value in stand_in.secrets.items():
            vault.put(self.workspace, f"connection:{row.name}", field, value)
        return row

    # --- doing

    def flow(self, name: str) -> Flow:
        return flows.flow_named(self.integration, name)

    def run(self, name: str, kind: RunKind, seconds: float = 60) -> Run:
        """One Run of a Flow, under its Connection's lease."""
        flow = self.flow(name)
        with leases.held(flows.connection_for(flow, kind).pk, f"bench {name} {kind}") as lease:
            return runs.execute(flow, kind, lease, seconds=seconds)

    def sync(self, *names: str) -> list[Run]:
        """One pull and one push per Flow, in order."""
        done = []
        for flow in self.flows:
            if not names or flow.name in names:
                done += [self.run(flow.name, RunKind.PULL), self.run(flow.name, RunKind.PUSH)]
        return done

    def settle(self, *names: str, rounds: int = 8) -> None:
        """Syncs until nothing is on its way; time passes between, nobody does anything.

        Raises AssertionError, naming what is left, when that is not reached.
        """
        for _ in range(rounds):
            self.sync(*names)
            self.later(STEP)
            if not self.on_its_way().exists():
                return
        raise AssertionError(f"still on its way: {list(self.on_its_way().values_list('number', 'state', 'reason'))}")

    def later(self, span: timedelta | None = None, **parts: float) -> None:
        """Moves the clocks of all three on. `parts` are those of a timedelta."""
        now = clock.now() + (span or timedelta(**parts))
        clock.hold(now)
        for stand_in in self.stand_ins.values():
            stand_in.clock(now=now.isoformat(), running=False)

    def connection(self, side: Side) -> Connection:
        return self.erp if side is Side.ERP else self.platform

    def lease_lapses(self, side: Side) -> None:
        """What half a minute without a sign of life does: whoever holds the Connection of a side may be followed."""
        Connection.objects.of(self.workspace).filter(pk=self.connection(side).pk).update(lease_until=None)
        leases.revoke(self.connection(side).pk)

    # --- looking

    def on_its_way(self) -> Any:
        return Record.objects.of(self.workspace).filter(state__in=ON_ITS_WAY)

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

    def story(self, number: str) -> list[str]:
        """The actions of the trail about one Record, in order."""
        record = self.record(number)
        rows = audit.models.AuditEntry.objects.of(self.workspace).filter(subject=f"record:{record.pk}")
        return list(rows.order_by("sequence").values_list("action", flat=True))

    def writes(self, side: Side) -> int:
        """Requests that wrote in the system of this side."""
        return sum(1 for row in self.stand_ins[side].requests() if row["write"])

    # --- what holds at any time

    def adds_up(self) -> bool:
        """R76: everything ever staged is in exactly one state."""
        ever = sum(Flow.objects.of(self.workspace).values_list("records_ever", flat=True))
        return ever == Record.objects.of(self.workspace).count() and set(
            Record.objects.of(self.workspace).values_list("state", flat=True)
        ) <= set(State.values)

    def check(self) -> None:
        """Asserts what must hold after any story: the states add up (R76), one Link for a key (R6), the trail's chain
        is whole (R66)."""
        assert self.adds_up()
        links = list(Link.objects.of(self.workspace).values_list("type", "source_key", "target_key"))
        assert (
            len({(kind, key) for kind, key, _ in links}) == len({(kind, key) for kind, _, key in links}) == len(links)
        )
        assert verify(self.workspace).holds

    def check_settled(self) -> None:
        """Asserts besides that no write is still open, and that what was written has its Link (R2)."""
        self.check()
        written = Attempt.objects.of(self.workspace).filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED])
        linked = Link.objects.of(self.workspace).values_list("target_key", flat=True)
        assert set(written.values_list("target_key", flat=True)) <= set(linked)
        assert not Attempt.objects.of(self.workspace).filter(outcome__in=OPEN_OUTCOMES).exists()


@contextmanager
def clocks_at(now: datetime, stand_ins: Mapping[Side, Running]) -> Iterator[None]:
    """Holds our clock and those of the stand-ins at an instant; lets ours go at the end."""
    clock.hold(now)
    for stand_in in stand_ins.values():
        stand_in.clock(now=now.isoformat(), running=False)
    try:
        yield
    finally:
        clock.hold(None)

"""A model-based test: people, faults, deaths and time act in any order, and a simple model says what must hold.

    Machine = machine(Play(open=..., model=..., acts={...}, faults=(...)))
    run_state_machine_as_test(lambda: Machine(enter), settings=...)

The machine runs the engine by hand and by its own schedule, kills it at any statement, arms faults, loses the
schedule, and has people solve, skip, write off and replay. What people do in the two systems, and what must be in
the target for it, the author of a pair says: `Play` and `Model`. After each step the invariants hold; at the end
everything is put right, and the target must be as the model says.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from django.conf import settings
from django.db import connection, connections
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ml_connector import clock
from ml_connector.cli import work
from ml_connector.conformance.bench import Bench
from ml_connector.conformance.databases import Enter, use
from ml_connector.conformance.faults import MATRIX
from ml_connector.integrations.base import FlowKind, Side
from ml_connector.jobs import schedule
from ml_connector.sync import problems
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import Connection, Flow, Problem, ProblemState, Record, RunKind, State
from ml_connector.sync.replay import replay
from ml_connector.workspaces.models import Workspace

T = TypeVar("T")

SPANS = {
    "a minute": timedelta(minutes=1),
    "three minutes": timedelta(minutes=3),
    "a quarter of an hour": timedelta(minutes=16),
    "an hour": timedelta(hours=1),
    "a night": timedelta(hours=14),
}
READING: tuple[Mapping[str, Any], ...] = (
    {"do": "reset"},
    {"do": "status", "status": 500},
    {"do": "status", "status": 503},
    {"do": "truncate"},
    {"do": "garble"},
    {"do": "empty"},
    {"do": "throttle", "retry_after": 2},
    {"do": "expire_session"},
    {"do": "delay", "seconds": 0.05},
)
"""What can become of a request that reads; one that writes meets the matrix."""
MOMENT = timedelta(seconds=1)
"""No two things happen at the same instant."""
DAYS = 8
"""Rounds of five minutes in which everything must come to rest."""
RUN = (RunKind.PUSH, RunKind.PULL, RunKind.SWEEP)
THEN = ("", "", "pulls", "pushes", "syncs", "sweeps")
"""What the engine does right after an act of people; mostly the next act would come too late or too early for it."""
NUMBER = st.integers(min_value=0, max_value=19)
"""Chooses one of what there is."""


class Model(Protocol):
    """What must be in the target, given what people did. Knows the two systems; the machine does not."""

    def read(self, flow: str, kind: RunKind) -> None:
        """A Run of a Flow has ended, well or not."""

    def decided(self, problem: Problem, action: str, records: Sequence[Record]) -> None:
        """A person has handled a Problem that held these Records."""

    def replayed(self, record: Record) -> None:
        """A person has a Record judged again."""

    def check(self) -> None:
        """Asserts what holds at any time."""

    def put_right(self) -> None:
        """People undo what holds documents back: codes are mapped, holds lifted."""

    def check_at_rest(self, *, asked: bool) -> None:
        """Asserts that the target is what it must be; what waits, waits for a reason that the model knows.

        `asked`: people have had everything tried again that was held.
        """


@dataclass(frozen=True)
class Act:
    """Something that people do in one of the two systems, or to the codes: a rule of the machine."""

    do: Callable[..., None]
    """Gets the model, and what was drawn."""
    drawn: Mapping[str, st.SearchStrategy[Any]] = field(default_factory=dict)
    may: Callable[[Any], bool] | None = None
    """Whether it can be done now; None: always. Depends on what people did alone: how far the engine has come
    differs by threads from one trial of the same story to the next."""


@dataclass(frozen=True)
class Play:
    """One pair, as the machine needs it."""

    open: Callable[[Workspace], AbstractContextManager[Bench]]
    """Starts both stand-ins, codes mapped, clocks held, nothing delivered."""
    model: Callable[[Any], Model]
    """The model of what `open` gave."""
    acts: Mapping[str, Act]
    requests: Sequence[tuple[Side, Mapping[str, Any]]]
    """Kinds of requests that meet faults, as a fault's `match` says it."""


class Killed(BaseException):
    """The process is dead."""


@contextmanager
def dying(statement: int) -> Iterator[None]:
    """This process dies before its n-th statement: from then on it stores nothing and hears nothing.

    Requests whose intent was committed still leave: nobody knows whether they did before the process died.
    """
    count = 0

    def execute(run: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        nonlocal count
        count += 1
        if count >= statement:
            raise Killed
        return run(sql, parameters, many, context)

    with connection.execute_wrapper(execute):
        yield


class Story(RuleBasedStateMachine):
    """One example: an installation, its two stand-ins, and the model. Its rules are what happens to every pair;
    `machine` adds those that the author of a pair gives."""

    play: ClassVar[Play]

    def __init__(self, enter: Enter) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.armed: dict[Side, list[dict[str, Any]]] = {side: [] for side in Side}
        try:
            self._open(enter)
        except BaseException:
            self.stack.close()
            raise

    def _open(self, enter: Enter) -> None:
        home = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="ml-connector-model-")))
        before = settings.DATA
        self.stack.callback(setattr, settings, "DATA", before)
        use(enter(home))
        self.stack.callback(connections.close_all)
        workspace = Workspace.objects.create(name="acme", created_at=clock.now())
        self.bench = self.stack.enter_context(self.play.open(workspace))
        self.model = self.play.model(self.bench)
        self.flows = [flow.name for flow in self.bench.flows if spec_of(flow).kind is not FlowKind.REFERENCE]
        schedule.adopt()

    # --- the engine

    @rule(flow=NUMBER, kind=st.sampled_from(RUN))
    def runs(self, flow: int, kind: RunKind) -> None:
        """One Run of a Flow."""
        self._run(chosen(self.flows, flow), kind)

    @rule()
    def pulls(self) -> None:
        """Every Flow is pulled."""
        for name in self.flows:
            self._run(name, RunKind.PULL)

    @rule()
    def pushes(self) -> None:
        """Every Flow is pushed."""
        for name in self.flows:
            self._run(name, RunKind.PUSH)

    @rule()
    def sweeps(self) -> None:
        """Every Flow is swept."""
        for name in self.flows:
            self._run(name, RunKind.SWEEP)

    @rule()
    def syncs(self) -> None:
        """Every Flow is pulled, then pushed."""
        for name in self.flows:
            self._run(name, RunKind.PULL)
            self._run(name, RunKind.PUSH)

    def _run(self, name: str, kind: RunKind) -> None:
        kind = self._fitting(name, kind)
        self.bench.run(name, kind)
        self.model.read(name, kind)

    @rule()
    def does_what_is_due(self) -> None:
        """The jobs that the schedule wants now."""
        self._what_is_due()

    def _what_is_due(self) -> None:
        work.run_here(self.bench.flows)
        for name in self.flows:
            self.model.read(name, RunKind.PULL)

    @rule(flow=NUMBER, kind=st.sampled_from(RUN), statement=st.integers(1, 90))
    def dies(self, flow: int, kind: RunKind, statement: int) -> None:
        """The process dies in the middle of a Run. Half a minute later another one may go on."""
        name = chosen(self.flows, flow)
        with suppress(Killed), dying(statement):
            self.bench.run(name, self._fitting(name, kind))
        self._restarts()
        self.model.read(name, kind)

    def _fitting(self, name: str, kind: RunKind) -> RunKind:
        """Only documents are swept; anything else is pulled."""
        documents = spec_of(self.bench.flow(name)).kind is FlowKind.DOCUMENTS
        return kind if documents or kind is not RunKind.SWEEP else RunKind.PULL

    @rule()
    def restarts(self) -> None:
        self._restarts()

    def _restarts(self) -> None:
        """Nothing that a process keeps in memory survives; leases and claims to sign in lapse."""
        connections.close_all()
        for side in Side:
            self.bench.lease_lapses(side)
        Connection.objects.of(self.bench.workspace).update(login_holder="", login_until=None)

    @rule()
    def loses_the_schedule(self) -> None:
        """When what is due is lost, and made anew."""
        Flow.objects.of(self.bench.workspace).update(next_pull_at=None, next_push_at=None, next_sweep_at=None)
        self._reschedules()

    def _reschedules(self) -> None:
        """What an operator does who does not know what is due: everything is."""
        schedule.adopt()
        for kind in schedule.COLUMNS:
            schedule.wake([flow.pk for flow in self.bench.flows], kind)

    @rule(span=st.sampled_from(list(SPANS)))
    def passes(self, span: str) -> None:
        """Time."""
        self.bench.later(SPANS[span])

    # --- faults

    @rule(request=NUMBER, fault=st.integers(0, 59))
    def goes_wrong(self, request: int, fault: int) -> None:
        """The next request of a kind meets a fault."""
        side, match = chosen(self.play.requests, request)
        do = chosen(READING, fault) if match["method"] == "GET" else chosen(MATRIX, fault).do
        self._arm(side, {"match": dict(match), "times": 1, **do})

    @rule(side=st.sampled_from(Side))
    def loses_sessions(self, side: Side) -> None:
        """The next request finds its session ended."""
        self._arm(side, {"match": {"path": "*"}, "times": 1, "do": "expire_session"})

    def _arm(self, side: Side, fault: dict[str, Any]) -> None:
        stand_in = self.bench.stand_ins[side]
        waiting = [mine for mine, row in zip(self.armed[side], stand_in.faults(), strict=True) if not row["fired"]]
        self.armed[side] = [*waiting, fault]
        stand_in.faults(self.armed[side])

    # --- people

    @rule(problem=NUMBER, action=st.sampled_from(["retry", "retry", "skip", "write_off"]))
    def solves(self, problem: int, action: str) -> None:
        """A person handles an open Problem; a second one agrees where that is asked."""
        there = self._open_problems()
        if there:
            self._solve(chosen(there, problem), action)

    def _open_problems(self) -> list[Problem]:
        rows = Problem.objects.of(self.bench.workspace).filter(state=ProblemState.OPEN, blocks=True)
        return list(rows.order_by("pk"))

    def _solve(self, problem: Problem, action: str) -> None:
        held = list(Record.objects.of(self.bench.workspace).filter(problems__problem=problem, state=State.BLOCKED))
        for person in ("anna", "bert") if action in problems.NEEDS_SECOND_PERSON else ("anna",):
            problem.refresh_from_db()
            problems.solve(problem, action, "so it was decided", person)
        self.model.decided(problem, action, held)

    @rule(record=st.integers(0, 199))
    def replays(self, record: int) -> None:
        """A person has any Record judged again, twice (R10)."""
        rows = list(Record.objects.of(self.bench.workspace).order_by("pk"))
        if not rows:
            return
        row = chosen(rows, record)
        replay(self.bench.workspace, [row.pk, row.pk], "anna")
        row.refresh_from_db()
        if row.state == State.STAGED:
            self.model.replayed(row)

    # --- what holds

    @invariant()
    def holds(self) -> None:
        self.bench.check()
        self.model.check()
        self.bench.later(MOMENT)

    def teardown(self) -> None:
        try:
            self._ends()
        finally:
            self.stack.close()

    def _ends(self) -> None:
        """No fault any more, everything put right: by its own schedule the engine comes to where it must."""
        for side, stand_in in self.bench.stand_ins.items():
            self.armed[side] = []
            stand_in.faults([])
        Flow.objects.of(self.bench.workspace).update(deaths=0)
        self.model.put_right()
        for kind in (RunKind.PULL, RunKind.SWEEP):
            schedule.wake([flow.pk for flow in self.bench.flows], kind)
        self._comes_to_rest()
        self.model.check_at_rest(asked=False)
        asked = self._open_problems()
        for problem in asked:
            self._solve(problem, "retry")
        if asked:
            self._comes_to_rest()
            self.model.check_at_rest(asked=True)

    def _comes_to_rest(self) -> None:
        self.bench.later(timedelta(minutes=31))
        for _ in range(DAYS):
            self._what_is_due()
            self.holds()
            if not self.bench.on_its_way().exists():
                break
            self.bench.later(timedelta(minutes=5))
        else:
            left = list(self.bench.on_its_way().values_list("number", "state", "reason"))
            raise AssertionError(f"still on its way: {left}")
        self.bench.check_settled()


def machine(play: Play) -> type[Story]:
    """The machine of a pair, to be made with what enters a database."""
    return type("Machine", (Story,), {"play": play, **{name: _rule(name, act) for name, act in play.acts.items()}})


def _rule(name: str, act: Act) -> Any:
    @functools.wraps(act.do)
    def do(self: Story, then: str, **drawn: Any) -> None:
        act.do(self.model, **drawn)
        if then:
            getattr(self, then)()

    do.__name__ = name
    drawn: dict[str, Any] = {**act.drawn, "then": st.sampled_from(THEN)}
    as_rule: Any = rule(**drawn)
    made, may = as_rule(do), act.may
    return made if may is None else precondition(lambda self: may(self.model))(made)


def chosen(of: Sequence[T], number: int) -> T:
    """One of what there is, by any number."""
    return of[number % len(of)]

"""The points at which a process is killed: calls of the product's functions, wrapped when the process starts.

The product knows nothing of them. A point names the function that it wraps; where that function is no longer there,
laying the trap fails and says which.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any

DURING_SECONDS = 0.01
"""How long after a call began a process is killed DURING it."""


class Moment(StrEnum):
    """When, as a call passes."""

    BEFORE = "before"
    """As it begins."""
    DURING = "during"
    """A hundredth of a second after it began: a request is on its way."""
    UNCOMMITTED = "uncommitted"
    """Before a transaction of ours that was written in the call is committed: all of it rolls back."""
    COMMITTED = "committed"
    """After that commit, and before anything else."""
    AFTER = "after"
    """As it ends well."""


@dataclass(frozen=True)
class Point:
    """One place where a process can be killed."""

    name: str
    where: str
    """The function, as `module:function` or `module:Class.function`."""
    moment: Moment
    says: str
    """What has happened by then, and what has not."""
    only: Callable[..., bool] = lambda *_args, **_more: True
    """Which calls count, by their arguments."""
    needs: str = ""
    """The edit without which it is not passed; empty where any will do. `batch` needs a first load."""
    worker: bool = False
    """Only a worker passes it, a command does not."""
    after: str = ""
    """The point at which another process must have been killed before, or this one is not passed."""


class PointGone(Exception):
    """The function of a point is no longer where the point looks for it."""


def lay(point: Point, nth: int, die: Callable[[], None]) -> None:
    """Wraps the function of a point in this process, so that `die` is called when it is passed for the nth time.

    Raises PointGone.
    """
    owner, name, function = _found(point)
    trap = _Trap(nth, die)
    within = threading.local()

    @wraps(function)
    def wrapped(*args: Any, **more: Any) -> Any:
        if not point.only(*args, **more):
            return function(*args, **more)
        if point.moment is Moment.BEFORE:
            trap.passed()
        elif point.moment is Moment.DURING:
            threading.Timer(DURING_SECONDS, trap.passed).start()
        within.depth = getattr(within, "depth", 0) + 1
        try:
            answer = function(*args, **more)
        finally:
            within.depth -= 1
        if point.moment is Moment.AFTER:
            trap.passed()
        return answer

    setattr(owner, name, wrapped)
    if point.moment in {Moment.UNCOMMITTED, Moment.COMMITTED}:
        _lay_at_commits(point.moment, trap, within)


def _lay_at_commits(moment: Moment, trap: _Trap, within: threading.local) -> None:
    from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: PLC0415 - needs settings

    commit = BaseDatabaseWrapper.commit

    def watched(self: BaseDatabaseWrapper) -> None:
        inside = getattr(within, "depth", 0) > 0
        if inside and moment is Moment.UNCOMMITTED:
            trap.passed()
        commit(self)
        if inside and moment is Moment.COMMITTED:
            trap.passed()

    BaseDatabaseWrapper.commit = watched  # type: ignore[method-assign]


class _Trap:
    def __init__(self, nth: int, die: Callable[[], None]) -> None:
        self._left = nth
        self._die = die
        self._lock = threading.Lock()

    def passed(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._die()


def _found(point: Point) -> tuple[Any, str, Callable[..., Any]]:
    module, _, path = point.where.partition(":")
    *outer, name = path.split(".")
    try:
        owner: Any = importlib.import_module(module)
        for part in outer:
            owner = vars(owner)[part]
        function = vars(owner)[name]
    except (ImportError, KeyError) as error:
        raise PointGone(
            f"Crash point {point.name}: {point.where} is no longer there. Point it at what took its place."
        ) from error
    if not callable(function):
        raise PointGone(f"Crash point {point.name}: {point.where} is no function any more.")
    return owner, name, function


# --- the points


OPERATIONS = ("batch", "create", "update", "cancel")
ANSWERED = "create answered"
"""Whoever is killed here leaves a write behind whose outcome nobody knows."""


def _kind(tasks: Sequence[Any]) -> str:
    return "batch" if len(tasks) > 1 else str(tasks[0].operation)


def _writes() -> list[Point]:
    deliver = "ml_connector.sync.deliver:Delivery."
    points = []
    for kind in OPERATIONS:

        def intending(_self: Any, requests: Sequence[Sequence[Any]], kind: str = kind) -> bool:
            return any(_kind(tasks) == kind for tasks in requests)

        def sending(_self: Any, tasks: Sequence[Any], kind: str = kind) -> bool:
            return _kind(tasks) == kind

        def storing(_self: Any, answered: Sequence[tuple[Sequence[Any], Any]], kind: str = kind) -> bool:
            return any(_kind(tasks) == kind for tasks, _ in answered)

        points += [
            Point(f"{kind} before intent", f"{deliver}_intend", Moment.BEFORE,
                  "resolved and searched for; nothing of the write is stored", intending, kind),
            Point(f"{kind} intent uncommitted", f"{deliver}_intend", Moment.UNCOMMITTED,
                  "the intent is written, its transaction still open", intending, kind),
            Point(f"{kind} intent committed", f"{deliver}_intend", Moment.COMMITTED,
                  "the intent is committed, the request has not left", intending, kind),
            Point(f"{kind} before request", f"{deliver}_send", Moment.BEFORE,
                  "in the thread that is about to send", sending, kind),
            Point(f"{kind} during request", f"{deliver}_send", Moment.DURING,
                  "the request is on its way, its answer is not", sending, kind),
            Point(f"{kind} answered", f"{deliver}_send", Moment.AFTER,
                  "the target has answered; its answer is known to this process only", sending, kind),
            Point(f"{kind} before outcome", f"{deliver}_store", Moment.BEFORE,
                  "the answer is in the thread that stores, nothing of it is stored", storing, kind),
            Point(f"{kind} outcome uncommitted", f"{deliver}_store", Moment.UNCOMMITTED,
                  "outcome and Link are written, their transaction still open", storing, kind),
            Point(f"{kind} outcome committed", f"{deliver}_store", Moment.COMMITTED,
                  "outcome and Link are committed", storing, kind),
        ]  # fmt: skip
    return points


def _around(name: str, where: str, moments: str, says: str, **more: Any) -> list[Point]:
    return [Point(f"{name} {moment}", where, Moment(moment), says, **more) for moment in moments.split()]


SYNC, JOBS, DBOS = "ml_connector.sync.", "ml_connector.jobs.", "dbos._sys_db:SystemDatabase."

POINTS = (
    *_writes(),
    *_around("link", f"{SYNC}outcomes:link", "before after", "inside the outcome's transaction", needs="create"),
    *_around("page", f"{SYNC}pull:stage", "before uncommitted committed", "pages of the source, their cursor",
             needs="create", only=lambda _flow, pages, *_args, **_more: any(page.rows for page in pages)),
    *_around("codes", f"{SYNC}push:read_codes", "uncommitted committed", "the target's codes, read by a push"),
    *_around("listing", f"{SYNC}listing:refresh", "uncommitted committed", "the target's list, as read"),
    *_around("resolve", f"{SYNC}push:resolve_part", "uncommitted committed", "staged Records become ready",
             needs="create"),
    *_around("recover", f"{SYNC}settle:recover", "before uncommitted committed", "an orphaned write is put in doubt",
             after=ANSWERED, only=lambda flow, *_args: flow.name != "suppliers"),
    *_around("settle", f"{SYNC}settle:settle", "before uncommitted committed", "a write in doubt is searched for",
             after=ANSWERED),
    *_around("run ends", f"{SYNC}runs:_ended", "before uncommitted committed", "a Run's state is stored"),
    *_around("due again", f"{SYNC}runs:_due_again", "before after", "when the Flow is due next"),
    *_around("lease taken", f"{SYNC}leases:acquire", "uncommitted committed", "a Connection is taken"),
    *_around("lease released", f"{SYNC}leases:release", "before after", "a Connection is given back"),
    *_around("claim", f"{JOBS}schedule:claim", "after", "a Flow's job is claimed, no Run says so yet"),
    *_around("claim ends", f"{JOBS}schedule:settle", "before after", "the claim's end, in its transaction"),
    *_around("take-over", f"{JOBS}takeover:_lose", "uncommitted committed", "a dead process's Run is marked lost",
             after=ANSWERED),
    *_around("tick", f"{JOBS}ticker:Ticker._mine", "uncommitted committed", "due Flows are moved ahead, not queued yet",
             worker=True, only=lambda _self, chosen: bool(chosen)),
    *_around("enqueue", f"{DBOS}init_workflow", "before after", "the engine's row of a job", worker=True),
    *_around("dequeue", f"{DBOS}start_queued_partitioned_workflows", "before after",
             "the engine marks jobs as this worker's", worker=True),
    *_around("job ends", f"{DBOS}update_workflow_outcome", "before after", "the engine marks a job as finished",
             worker=True),
    *_around("engine commit", "sqlalchemy.engine.default:DefaultDialect.do_commit", "before after",
             "any commit of the engine's", worker=True),
)  # fmt: skip
"""All points, in the order in which a first load passes them."""

TRANSFERS = (
    *_around("claims", f"{SYNC}claiming:Claiming._intended", "uncommitted committed", "intents of claims"),
    *_around(
        "claim request", f"{SYNC}claiming:Claiming._ask", "before during after", "a source is asked for a document"
    ),
    *_around("claims outcome", f"{SYNC}claiming:Claiming._store", "uncommitted committed", "what came of claims"),
    *_around("answers", f"{SYNC}answering:Answering._intended", "uncommitted committed", "answers with their keys"),
    *_around("answer request", f"{SYNC}answering:Answering._ask", "before during after", "a source is told"),
    *_around("answers outcome", f"{SYNC}answering:Answering._store", "uncommitted committed", "what came of answers"),
)
"""Only a Flow whose source hands documents over passes these."""

BY_NAME = {point.name: point for point in (*POINTS, *TRANSFERS)}

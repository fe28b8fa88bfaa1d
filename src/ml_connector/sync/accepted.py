"""Accepted is not done: what a target took to decide later is asked for until it is decided (R12).

The Record stays in flight and its Attempt pending, with the handle that asks. Until the decision there is no Link, so
what depends on the Record waits; a newer version from the source is sent after it, not beside it.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from django.db.models import QuerySet

from ml_connector import audit, clock
from ml_connector.domain.records import decode
from ml_connector.sync import outcomes, problems, settle
from ml_connector.sync.flows import declaration, spec_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Attempt, Flow, Outcome, Record, Run, State
from ml_connector.sync.outcomes import Done
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import (
    Asynchronous,
    AuthFailed,
    CameToNothing,
    Conflict,
    NotFound,
    Ref,
    Refused,
    Remark,
    SystemFailure,
    Throttled,
    Transient,
)

log = logging.getLogger(__name__)

FIRST_ASKED = timedelta(seconds=10)
"""After it was accepted."""
SHORTEST, LONGEST = timedelta(minutes=2), timedelta(hours=1)
"""Between two times of asking: as long as it has waited already."""
TOO_LONG = timedelta(hours=24)
"""After this people are told. It is asked for all the same."""
NOT_DECIDED = "not_decided"
"""The cause of the Problem that tells them. It holds nothing back."""
TOGETHER = 30
"""Records that are asked for, and stored, together."""


def noted(trail: audit.Trail, record: Record, attempt: Attempt, handle: str) -> None:
    """The target accepted an Attempt and decides later. To be called in the transaction that stores its answer."""
    attempt.handle, attempt.accepted_at = handle, clock.now()
    attempt.save(update_fields=["handle", "accepted_at"])
    record.next_attempt_at = attempt.accepted_at + FIRST_ASKED
    record.save(update_fields=["next_attempt_at"])
    trail.add(
        "accepted",
        f"record:{record.pk}",
        source_version=bytes(attempt.source_hash).hex(),
        attempt=attempt.pk,
        operation=attempt.operation,
        handle=handle,
    )


def undecided(flow: Flow) -> QuerySet[Record]:
    """The Records of a Flow that the target has accepted and not decided on."""
    rows = Record.objects.of(flow.workspace_id)
    return rows.filter(flow=flow, state=State.IN_FLIGHT, next_attempt_at__isnull=False)


def pending(record: Record) -> Attempt | None:
    """The Attempt that the target accepted and has not decided on."""
    rows = Attempt.objects.of(record.workspace_id).filter(record=record, outcome=Outcome.PENDING)
    return rows.exclude(handle="").order_by("-pk").first()


def ask(
    flow: Flow, run: Run, target: Any, parallel: int, lease: Lease, deadline: float, counts: dict[str, Any]
) -> SystemFailure | None:
    """Asks for the decisions that are due, and stores them. Gives what keeps the target from answering, if something
    does. Raises LeaseLost."""
    if not isinstance(target, Asynchronous):
        return None
    asking = _Asking(flow, run, target, lease, counts)
    due = undecided(flow).filter(next_attempt_at__lte=clock.now()).order_by("next_attempt_at", "pk")
    with ThreadPoolExecutor(parallel, thread_name_prefix="ask") as pool:
        while asking.stopped_by is None and time.monotonic() < deadline and (part := list(due[:TOGETHER])):
            asked = [_Asked(record, pending(record)) for record in part]
            asking.store(list(pool.map(asking.hear, asked)))
    return asking.stopped_by


def _too_late(flow: Flow, day: date) -> Cause:
    """What people are told of that which was accepted on a day, with the first of it."""
    start = datetime.combine(day, time_of_day.min, UTC)
    rows = Attempt.objects.of(flow.workspace_id).filter(record__flow=flow, outcome=Outcome.PENDING)
    waiting = rows.filter(accepted_at__gte=start, accepted_at__lt=start + timedelta(days=1)).exclude(handle="")
    first = waiting.select_related("record").order_by("accepted_at", "pk")[0]
    accepted_at = first.accepted_at or start
    label, what = declaration(flow.integration).system(spec_of(flow).target).label, spec_of(flow).label
    return Cause(
        NOT_DECIDED,
        f"{flow.name}:{day}",
        f"{label} accepted {what} on {day} and has not decided on them yet. The first is"
        f" {first.record.number or first.record.key}, accepted at {accepted_at:%H:%M} UTC as request {first.handle}.",
        f"Look the requests up in {label}, or ask its support what became of them; each record's page names its own."
        " They are asked for every hour all the same. Retry to stop waiting: they are then searched for there, and sent"
        " again where they are not found.",
        blocks=False,
    )


@dataclass
class _Asked:
    """A Record that is asked for, and what was heard."""

    record: Record
    attempt: Attempt | None
    sent: Any = None
    answer: Ref | Exception | None = None


@dataclass
class _Asking:
    flow: Flow
    run: Run
    target: Asynchronous[Any]
    lease: Lease
    counts: dict[str, Any]
    unanswered: int = 0
    """Failures in a row: of some, the Connection is the cause and not the Record."""
    stopped_by: SystemFailure | None = None
    late: dict[date, Cause] = field(default_factory=dict)

    def hear(self, asked: _Asked) -> _Asked:
        """Runs in a thread. Never touches the database."""
        if asked.attempt is None:
            return asked
        try:
            asked.sent = decode(spec_of(self.flow).record_type, bytes(asked.attempt.request))
            asked.answer = self.target.outcome(asked.attempt.handle, asked.sent, asked.attempt.mark)
        except Exception as failure:
            asked.answer = failure
        return asked

    def store(self, part: list[_Asked]) -> None:
        """Commits what was heard of some Records, in one transaction that also holds their Links."""
        with audit.recording(self.flow.workspace, actor="worker", run=self.run.pk) as trail:
            self.lease.confirm()
            done: list[Done] = []
            remarks: list[tuple[Record, Remark]] = []
            for asked in part:
                if isinstance(asked.answer, Ref):
                    done += self._taken(trail, asked, asked.answer)
                    remarks += [(asked.record, remark) for remark in asked.answer.remarks]
                else:
                    self._not_taken(trail, asked)
            if done:
                outcomes.confirmed(trail, self.flow, done)
            for record, remark in remarks:
                outcomes.remarked(trail, self.flow, record, remark)

    def _taken(self, trail: audit.Trail, asked: _Asked, ref: Ref) -> list[Done]:
        assert asked.attempt is not None
        self.unanswered = 0
        self._decided(trail, asked)
        done = settle.answered(trail, self.flow, asked.record, asked.attempt, asked.sent, ref, self.target)
        self._count(settle.DID[asked.attempt.operation] if done else "blocked")
        return [done] if done else []

    def _not_taken(self, trail: audit.Trail, asked: _Asked) -> None:
        """One kind of answer, one reaction; of what keeps the target from answering, nothing is stored."""
        record, attempt, answer = asked.record, asked.attempt, asked.answer
        if attempt is None:
            self._without_attempt(trail, record)
            return
        match answer:
            case None:
                self.unanswered = 0
                self._wait(trail, record, attempt)
            case Refused() | NotFound() | Conflict():
                self.unanswered = 0
                self._decided(trail, asked)
                refusal = answer if isinstance(answer, Refused) else Refused("changed_in_target", str(answer))
                outcomes.refused(trail, self.flow, record, attempt, refusal)
                self._count("blocked")
            case CameToNothing():
                self.unanswered = 0
                self._decided(trail, asked)
                outcomes.not_done(trail, record, attempt, str(answer), failed=True)
                self._count("failed")
            case Throttled() | AuthFailed():
                self.stopped_by = self.stopped_by or answer
            case Transient():
                self.unanswered += 1
                if self.unanswered >= settle.IN_A_ROW:
                    self.stopped_by = self.stopped_by or answer
                else:
                    self._wait(trail, record, attempt)
            case SystemFailure():
                self.stopped_by = self.stopped_by or answer
            case Exception():
                log.error("Asking for an outcome ended in an error of ours.", exc_info=answer)
                self._wait(trail, record, attempt)
                self._count("failed")

    def _wait(self, trail: audit.Trail, record: Record, attempt: Attempt) -> None:
        """Not decided: asked for again, less and less often; people are told of what takes too long."""
        accepted_at = attempt.accepted_at or attempt.started_at
        waited = clock.now() - accepted_at
        record.next_attempt_at = clock.now() + min(max(waited, SHORTEST), LONGEST)
        record.save(update_fields=["next_attempt_at"])
        if waited < TOO_LONG:
            return
        if problems.decided(record, NOT_DECIDED, since=accepted_at) == "retry":
            outcomes.in_doubt(trail, self.flow, record, attempt, "Accepted, and given up waiting for the decision.")
            self._count("in_doubt")
            return
        problems.report(trail, self.flow, record, self._late(accepted_at.date()))

    def _late(self, day: date) -> Cause:
        """What was accepted on a day and is not decided: one Problem, however much it is."""
        if day not in self.late:
            self.late[day] = _too_late(self.flow, day)
        return self.late[day]

    def _decided(self, trail: audit.Trail, asked: _Asked) -> None:
        assert asked.attempt is not None
        accepted_at = asked.attempt.accepted_at
        if accepted_at is not None and clock.now() - accepted_at >= TOO_LONG:
            problems.no_longer(trail, asked.record, NOT_DECIDED)

    def _without_attempt(self, trail: audit.Trail, record: Record) -> None:
        record.state, record.next_attempt_at = State.IN_DOUBT, None
        record.save(update_fields=["state", "next_attempt_at"])
        trail.add("decision", f"record:{record.pk}", state=State.IN_DOUBT.value, reason="no handle to ask by")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

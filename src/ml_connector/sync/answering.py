"""Answering: a source is told what became of the documents that it handed over.

Only what is certain is told: a document that is posted, as a success with its voucher; one that a person left out, or
that waits for people and is to be given back by the Flow's policy, as a failure. One that is on its way or in doubt is
not answered, so no document is called failed that was posted after all. The whole answer is committed with its key
before it is sent; of one whose receipt was lost the source is asked first whether it holds it (R1, R3).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from ml_connector import audit, clock
from ml_connector.redaction import redacted
from ml_connector.sync import problems, telling, transfers
from ml_connector.sync.flows import policy, spec_of
from ml_connector.sync.leases import Lease, LeaseLost, NotSent
from ml_connector.sync.models import (
    Answered,
    Attempt,
    Claimed,
    Flow,
    Link,
    Operation,
    Outcome,
    Problem,
    ProblemState,
    Record,
    Run,
    State,
    Transfer,
)
from ml_connector.sync.problems import Cause
from ml_connector.sync.taking_over import ANSWER_FAILED, ELSEWHERE
from ml_connector.systems.base import (
    Answer,
    AuthFailed,
    CameToNothing,
    HandsOver,
    OutcomeUnknown,
    SystemFailure,
    Throttled,
    Transient,
)

log = logging.getLogger(__name__)

TOGETHER = 20
PATIENCE = 3
"""Requests in a row that come to nothing until people are told."""
LEFT_OUT = (State.SKIPPED, State.WRITTEN_OFF)

ANSWER, ALL = "answer", "*"
ONLY_BY_PEOPLE = frozenset({ELSEWHERE, "bank_change", "collision"})
"""Causes that are never answered by themselves: the document is not ours to answer, the reason is not for everybody's
eyes, or something that may be the document is in the target."""
TEXT_MAX = 1000
LOOKED_AT = timedelta(hours=1)
"""How often a document that waits for people is looked at, whether it is to be given back."""

_GIVEN = object()


@dataclass(frozen=True)
class Asking:
    """One answer on its way."""

    transfer: Transfer
    answer: Answer
    looked_up: bool
    again: bool


class Policy:
    """What is done with a document that waits for people."""

    def __init__(self, flow: Flow) -> None:
        self.hours = int(policy(flow, "hold_hours"))
        self.by_cause: dict[str, str] = policy(flow, "on_problem") or {}

    def answers_at_once(self, held: Sequence[Problem]) -> bool:
        """Whether each of the causes is one for the people of the source."""
        return all(self._chosen(problem) == ANSWER for problem in held)

    def _chosen(self, problem: Problem) -> str:
        finer = f"{problem.cause}:{problem.detail.get('mapping', '')}"
        return next((self.by_cause[name] for name in (finer, problem.cause, ALL) if name in self.by_cause), "hold")

    def answered_at(self, transfer: Transfer, held: Sequence[Problem]) -> datetime | None:
        """When the failure is told; None where only people decide that."""
        if not held or any(problem.cause in ONLY_BY_PEOPLE for problem in held):
            return None
        since = max([transfer.claimed_at or clock.now(), max(problem.opened_at for problem in held)])
        if self.answers_at_once(held):
            return since
        return since + timedelta(hours=self.hours) if self.hours else None


@dataclass
class Answering:
    """Answers what is decided in one Flow, in one Run."""

    flow: Flow
    source: HandsOver
    parallel: int
    run: Run
    lease: Lease
    deadline: float
    answered: int = 0
    stopped_by: SystemFailure | None = None

    def __post_init__(self) -> None:
        self.policy = Policy(self.flow)

    def answer(self) -> None:
        """Until nothing is to be told, the time is over, or the source stops us. Raises LeaseLost."""
        for asked in (self._ask_again, self._intended, self._polled):
            while time.monotonic() < self.deadline and self.stopped_by is None:
                part = asked()
                if not part:
                    break
                self._store(transfers.heard(self.parallel, part, self._ask))

    # --- what to tell

    def _ask_again(self) -> list[Asking]:
        """Answers whose receipt was lost, or that the source could not take at the time."""
        with self._recording() as trail:
            self.lease.confirm()
            asked = []
            for row in transfers.due(self.flow, answer=Answered.ASKED)[:TOGETHER]:
                again = transfers.settled(self.flow, row)
                asked.append(Asking(row, _answer(row), looked_up=True, again=again))
                if again:
                    self._note_intent(trail, row)
        return asked

    def _polled(self) -> list[Asking]:
        rows = transfers.due(self.flow, answer=Answered.ACCEPTED)[:TOGETHER]
        return [Asking(row, _answer(row), looked_up=False, again=False) for row in rows]

    def _intended(self) -> list[Asking]:
        """Commits the next new answers, with all that they say (R1)."""
        with self._recording() as trail:
            self.lease.confirm()
            rows = list(_to_be_answered(self.flow).select_for_update(of=("self",))[:TOGETHER])
            rows += _to_be_given_back(self.flow, self.policy, TOGETHER - len(rows))
            return [asking for row in rows if (asking := self._intend(trail, row)) is not None]

    def _intend(self, trail: audit.Trail, transfer: Transfer) -> Asking | None:
        record = Record.objects.of(self.flow.workspace_id).select_for_update(of=("self",)).get(pk=transfer.record_id)
        record.flow = self.flow
        transfer.record = record
        answer = self._content(record)
        if answer is None:
            return None
        if not answer.success and _was_posted(record):
            transfer.success, transfer.answer = False, Answered.REFUSED
            transfer.error = f"{transfers.target_label(self.flow)} may hold it, so it is not told that it failed."
            transfer.save(update_fields=["success", "answer", "error"])
            problems.report(trail, self.flow, record, self._told(transfer))
            return None
        if record.state == State.BLOCKED:
            problems.let_go(trail, record)
            record.state, record.next_attempt_at = State.SKIPPED, None
            record.reason = transfers.given_back(self.flow, answer.text)
            record.save(update_fields=["state", "reason", "next_attempt_at"])
            trail.add("skip", f"record:{record.pk}", reason=f"given back to {transfers.source_label(self.flow)}")
        transfer.success, transfer.text, transfer.vouchers = answer.success, answer.text, list(answer.vouchers)
        transfer.code = self.source.answer_code(record.key, transfer.cycle, answer)
        transfer.answer = Answered.ASKED
        self._note_intent(trail, transfer)
        return Asking(transfer, answer, looked_up=False, again=True)

    def _note_intent(self, trail: audit.Trail, transfer: Transfer) -> None:
        transfer.asked_at, transfer.run, transfer.fence = clock.now(), self.run, self.lease.fence
        transfer.save()
        trail.add(
            "answer",
            f"record:{transfer.record_id}",
            cycle=transfer.cycle,
            outcome="asked",
            success=transfer.success,
            code=transfer.code,
            vouchers=transfer.vouchers,
        )

    def _content(self, record: Record) -> Answer | None:
        """None where it has changed meanwhile, and there is nothing certain to tell."""
        target, on = transfers.target_label(self.flow), clock.now().date()
        if record.state == State.CONFIRMED:
            vouchers = tuple(_vouchers(record))
            shown = f" as {vouchers[0]}" if vouchers else ""
            return Answer(success=True, text=f"Posted in {target}{shown}.", vouchers=vouchers, on=on)
        if record.state in LEFT_OUT:
            return Answer(success=False, text=f"Not posted in {target}: {record.reason}"[:TEXT_MAX], on=on)
        if record.state == State.BLOCKED:
            text = " ".join(problem.text for problem in _holding(record))
            return Answer(success=False, text=text[:TEXT_MAX], on=on)
        return None

    # --- telling

    def _ask(self, asking: Asking) -> object:
        """Runs in a thread. A handle, _GIVEN, or None: a request of ours is not heard yet, and may still be."""
        self.lease.check()
        transfer, answer = asking.transfer, asking.answer
        key = transfer.record.key
        handle = transfer.handle
        if transfer.answer == Answered.ASKED:
            if asking.looked_up:
                if self.source.answered(key, transfer.cycle, answer):
                    return _GIVEN
                if not asking.again:
                    return None
            try:
                accepted = self.source.answer(key, transfer.cycle, answer)
            except NotSent:
                return _GIVEN
            if accepted is None:
                return _GIVEN
            handle = accepted.handle
            try:
                taken = self.source.answer_taken(key, handle, answer)
            except (Transient, Throttled):
                taken = False  # it is asked for later
        else:
            taken = self.source.answer_taken(key, handle, answer)
        return _GIVEN if taken else handle

    def _store(self, told: Sequence[tuple[Asking, object]]) -> None:
        with self._recording() as trail:
            self.lease.confirm()
            for asking, result in told:
                transfer = asking.transfer
                if isinstance(result, LeaseLost):
                    raise result
                if isinstance(result, Exception):
                    self._failed(trail, asking, result)
                elif result is _GIVEN:
                    self._given(trail, transfer)
                elif result is None:
                    transfer.next_at = transfers.counts_from(self.flow, transfer)
                else:
                    transfer.answer, transfer.handle = Answered.ACCEPTED, str(result)
                    transfers.put_off(transfer, "")
                transfer.save()

    def _given(self, trail: audit.Trail, transfer: Transfer) -> None:
        transfer.answer, transfer.answered_at = Answered.GIVEN, clock.now()
        transfer.tries, transfer.next_at, transfer.error = 0, None, ""
        self.answered += 1
        trail.add("answer", f"record:{transfer.record_id}", cycle=transfer.cycle, outcome="given", code=transfer.code)
        problems.end_problem(trail, self.flow.integration, ANSWER_FAILED, subject=transfer.record.key)
        problems.recheck(self.flow.integration, (telling.CAUSE,), [telling.subject(self.flow, transfer.record.key)])

    def _failed(self, trail: audit.Trail, asking: Asking, error: Exception) -> None:
        """One class of error, one reaction (R63)."""
        transfer, text = asking.transfer, redacted(str(error))
        match error:
            case OutcomeUnknown():
                transfers.put_off(transfer, text)
                self.stopped_by = error.then
            case Throttled() | AuthFailed():
                transfers.put_off(transfer, text, wait=getattr(error, "retry_after", 0) or 0, failed=False)
                self._not_heard(asking)
                self.stopped_by = error
            case Transient() if not isinstance(error, CameToNothing):
                transfers.put_off(transfer, text)
                self._not_heard(asking)
                self.stopped_by = error
            case SystemFailure():
                transfer.answer, transfer.error = Answered.REFUSED, text
                trail.add("answer", f"record:{transfer.record_id}", cycle=transfer.cycle, outcome="refused")
            case _:
                log.error("An answer ended in an error of ours.", exc_info=error, extra={"flow": self.flow.pk})
                transfers.put_off(transfer, f"An error of ours: {type(error).__name__}")
        if transfer.answer == Answered.REFUSED or transfer.tries >= PATIENCE:
            problems.report(trail, self.flow, transfer.record, self._told(transfer))

    @staticmethod
    def _not_heard(asking: Asking) -> None:
        """It was known not to be taken, so that it may go again at once; not where an earlier one is still open."""
        if not asking.looked_up or asking.again:
            asking.transfer.asked_at = None

    def _told(self, transfer: Transfer) -> Cause:
        source, target, record = transfers.source_label(self.flow), transfers.target_label(self.flow), transfer.record
        voucher = f" as {transfer.vouchers[0]}" if transfer.vouchers else ""
        became = f"is posted in {target}{voucher}" if transfer.success else f"was not posted in {target}"
        refused = transfer.answer == Answered.REFUSED
        return Cause(
            ANSWER_FAILED,
            record.key,
            f"Invoice {record.number} {became}, and {source} has not taken that for an answer: {transfer.error}",
            f"See in {source} how the invoice stands there. Retry sends the answer again; accept this with a reason"
            " where it was told in another way."
            if refused
            else "The answer is sent again by itself.",
            blocks=False,
        )

    def _recording(self) -> AbstractContextManager[audit.Trail]:
        return audit.recording(self.flow.workspace, actor="worker", run=self.run.pk)


def next_due(flow: Flow) -> datetime | None:
    """When a claim or an answer of a Flow is next to be asked for; None where nothing is open."""
    if not spec_of(flow).handed_over:
        return None
    if _to_be_answered(flow).exists():
        return clock.now()
    waits = Q(claim__in=transfers.OUTSTANDING) | Q(answer__in=[Answered.ASKED, Answered.ACCEPTED])
    held = Q(claim=Claimed.OURS, answer=Answered.NOT_YET, record__state=State.BLOCKED)
    rows = Transfer.objects.of(flow.workspace_id).filter(waits | held, flow=flow, current=True)
    if rows.filter(next_at=None).exists():
        return clock.now()
    return rows.order_by("next_at").values_list("next_at", flat=True).first()


def _unanswered(flow: Flow) -> QuerySet[Transfer]:
    rows = Transfer.objects.of(flow.workspace_id).select_related("record").order_by("pk")
    return rows.filter(flow=flow, current=True, claim=Claimed.OURS, answer=Answered.NOT_YET)


def _to_be_answered(flow: Flow) -> QuerySet[Transfer]:
    """Those whose Record has come to its end."""
    return _unanswered(flow).filter(record__state__in=[State.CONFIRMED, *LEFT_OUT])


def _to_be_given_back(flow: Flow, chosen: Policy, most: int) -> list[Transfer]:
    """Those that have waited for people for as long as the policy says; the others are looked at again later."""
    now, found = clock.now(), list[Transfer]()
    rows = _unanswered(flow).filter(Q(next_at=None) | Q(next_at__lte=now), record__state=State.BLOCKED)
    for transfer in rows.select_for_update(of=("self",)):
        at = chosen.answered_at(transfer, _holding(transfer.record))
        if at is not None and at <= now:
            found.append(transfer)
            if len(found) == most:
                break
        else:
            transfer.next_at = min(at or now + LOOKED_AT, now + LOOKED_AT)
            transfer.save(update_fields=["next_at"])
    return found


def _holding(record: Record) -> list[Problem]:
    """The open Problems that hold a Record."""
    rows = Problem.objects.of(record.workspace_id).filter(holds__record=record, state=ProblemState.OPEN, blocks=True)
    return list(rows.order_by("pk"))


def _was_posted(record: Record) -> bool:
    """Whether something that was sent for the Record is, or was, in the target."""
    rows = Attempt.objects.of(record.workspace_id).filter(record=record, operation=Operation.CREATE)
    return rows.exclude(outcome__in=[Outcome.REFUSED, Outcome.NOT_DONE]).exists()


def _vouchers(record: Record) -> list[str]:
    links = Link.objects.of(record.workspace_id).filter(
        integration=record.flow.integration, type=spec_of(record.flow).link_type, source_key=record.key
    )
    return links.values_list("vouchers", flat=True).first() or []


def _answer(transfer: Transfer) -> Answer:
    """As it was committed."""
    on = (transfer.asked_at or clock.now()).date()
    return Answer(bool(transfer.success), transfer.text, tuple(transfer.vouchers), on)

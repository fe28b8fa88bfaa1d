"""Claiming: documents that a source offers are made ours, before they are sent on.

The intent is committed, then the request leaves, then its outcome is committed (R1, R2). Of a request whose answer was
lost the source is asked first whether it was heard (R3).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ml_connector import audit, clock
from ml_connector.redaction import redacted
from ml_connector.sync import problems, transfers
from ml_connector.sync.leases import Lease, LeaseLost, NotSent
from ml_connector.sync.models import Answered, Claimed, Flow, Run, Transfer
from ml_connector.sync.problems import Cause
from ml_connector.sync.taking_over import CLAIM_FAILED
from ml_connector.systems.base import (
    AuthFailed,
    Claim,
    HandsOver,
    OutcomeUnknown,
    SystemFailure,
    Throttled,
    Transient,
)

log = logging.getLogger(__name__)

TOGETHER = 20
"""Claims that are committed and asked for together."""
HELD_BACK = object()
"""What came of a claim in a preview."""
PATIENCE = 3
"""Requests in a row that come to nothing until people are told."""


@dataclass(frozen=True)
class Asking:
    """One claim on its way."""

    transfer: Transfer
    looked_up: bool
    """An earlier request may have been heard."""
    again: bool
    """It is sent where the source has not heard it."""


@dataclass
class Claiming:
    """Claims what waits in one Flow's source, in one Run."""

    flow: Flow
    source: HandsOver
    parallel: int
    run: Run
    lease: Lease
    deadline: float
    claimed: int = 0
    stopped_by: SystemFailure | None = None

    def claim(self) -> None:
        """Until nothing waits, the time is over, or the source stops us. Raises LeaseLost."""
        while time.monotonic() < self.deadline and self.stopped_by is None:
            part = self._intended()
            if not part:
                return
            self._store(transfers.heard(self.parallel, part, self._ask))

    def _intended(self) -> list[Asking]:
        """Commits the intents of the next claims (R1)."""
        now = clock.now()
        with audit.recording(self.flow.workspace, actor="worker", run=self.run.pk) as trail:
            self.lease.confirm()
            rows = list(transfers.due(self.flow, claim__in=transfers.OUTSTANDING)[:TOGETHER])
            asked = []
            for row in rows:
                looked_up, again = row.claim == Claimed.ASKED, transfers.settled(self.flow, row)
                asked.append(Asking(row, looked_up, again or not looked_up))
                if looked_up and not again:
                    continue
                row.claim, row.asked_at = Claimed.ASKED, now
                row.run, row.fence = self.run, self.lease.fence
                row.save(update_fields=["claim", "asked_at", "run", "fence"])
                trail.add("claim", f"record:{row.record_id}", cycle=row.cycle, outcome="asked")
        return asked

    def _ask(self, asking: Asking) -> object:
        """Runs in a thread. A Claim; None: a request of ours is not heard yet, and may still be; HELD_BACK."""
        self.lease.check()
        key = asking.transfer.record.key
        if asking.looked_up:
            found = self.source.claimed(key)
            if found is not None or not asking.again:
                return found
        try:
            return self.source.claim(key)
        except NotSent:
            return HELD_BACK

    def _store(self, answered: Sequence[tuple[Asking, object]]) -> None:
        with audit.recording(self.flow.workspace, actor="worker", run=self.run.pk) as trail:
            self.lease.confirm()
            for asking, result in answered:
                if isinstance(result, LeaseLost):
                    raise result
                if isinstance(result, Exception):
                    self._failed(trail, asking, result)
                elif result is None:
                    asking.transfer.next_at = transfers.counts_from(self.flow, asking.transfer)
                elif isinstance(result, Claim):
                    self._decided(trail, asking, result)
                else:
                    # A preview goes on as if it were granted, and has nothing to answer.
                    asking.transfer.claim, asking.transfer.answer = Claimed.OURS, Answered.NOT_NEEDED
                asking.transfer.save(
                    update_fields=["claim", "answer", "claimed_at", "asked_at", "tries", "next_at", "error"]
                )

    def _decided(self, trail: audit.Trail, asking: Asking, result: Claim) -> None:
        transfer = asking.transfer
        ours = result is Claim.OURS or (result is Claim.BEFORE and asking.looked_up)
        transfer.claim = Claimed.OURS if ours else Claimed.ELSEWHERE
        transfer.claimed_at = clock.now() if ours else None
        transfer.tries, transfer.next_at, transfer.asked_at, transfer.error = 0, None, None, ""
        self.claimed += 1
        outcome = str(result) if ours else "elsewhere"
        trail.add("claim", f"record:{transfer.record_id}", cycle=transfer.cycle, outcome=outcome)
        problems.end_problem(trail, self.flow.integration, CLAIM_FAILED, subject=transfer.record.key)

    def _failed(self, trail: audit.Trail, asking: Asking, error: Exception) -> None:
        """One class of error, one reaction (R63)."""
        transfer, text = asking.transfer, redacted(str(error))
        match error:
            case OutcomeUnknown():
                transfers.put_off(transfer, text)
                self.stopped_by = error.then
            case Throttled() | AuthFailed():
                transfers.put_off(transfer, text, wait=getattr(error, "retry_after", 0) or 0, failed=False)
                transfer.asked_at = None
                self.stopped_by = error
            case Transient():
                transfers.put_off(transfer, text)
                transfer.asked_at = None
                self.stopped_by = error
            case SystemFailure():
                transfers.put_off(transfer, text)
                transfer.asked_at = None
            case _:
                log.error("A claim ended in an error of ours.", exc_info=error, extra={"flow": self.flow.pk})
                transfers.put_off(transfer, f"An error of ours: {type(error).__name__}")
        if transfer.tries >= PATIENCE:
            problems.report(trail, self.flow, transfer.record, self._told(transfer))

    def _told(self, transfer: Transfer) -> Cause:
        source = transfers.source_label(self.flow)
        return Cause(
            CLAIM_FAILED,
            transfer.record.key,
            f"Invoice {transfer.record.number} could not be taken over from {source}. It answers: {transfer.error}"
            " Nothing was posted.",
            f"It is tried again by itself. Look in {source} for why it cannot be taken over.",
            blocks=False,
        )

"""What people decide about Transfers: a document that somebody claimed is ours; what came to nothing is tried again."""

from __future__ import annotations

from collections.abc import Sequence

from ml_connector import audit, clock
from ml_connector.sync.models import Answered, Claimed, Flow, Record, Transfer

ELSEWHERE = "claimed_elsewhere"
"""Cause of what holds a document that is not ours."""
TAKE_OVER = "take_over"
"""The action by which a person makes it ours."""
CLAIM_FAILED, ANSWER_FAILED = "claim_failed", "answer_failed"
"""Causes of what only reports: the source could not be asked for a document, or told of it."""


def decided(trail: audit.Trail, cause: str, action: str, records: Sequence[Record]) -> None:
    """Carries out what a person's decision means for the Transfers of these Records."""
    if action == TAKE_OVER:
        _take_over(trail, records)
    elif action == "retry" and cause in {CLAIM_FAILED, ANSWER_FAILED}:
        _ask_again(trail, records)


def _take_over(trail: audit.Trail, records: Sequence[Record]) -> None:
    for transfer in _current(records):
        if transfer.claim == Claimed.ELSEWHERE:
            transfer.claim, transfer.claimed_at = Claimed.OURS, clock.now()
            transfer.save(update_fields=["claim", "claimed_at"])
            trail.add("claim", f"record:{transfer.record_id}", cycle=transfer.cycle, outcome=TAKE_OVER)


def _ask_again(trail: audit.Trail, records: Sequence[Record]) -> None:
    for transfer in _current(records):
        if transfer.answer == Answered.REFUSED:
            # One that was never sent is made anew.
            transfer.answer = Answered.ASKED if transfer.code else Answered.NOT_YET
            transfer.success = transfer.success if transfer.code else None
        transfer.tries, transfer.next_at = 0, None
        transfer.save(update_fields=["answer", "success", "tries", "next_at"])
        trail.add("answer", f"record:{transfer.record_id}", cycle=transfer.cycle, outcome="to be tried again")
    flows = {record.flow_id for record in records}
    if flows:
        Flow.objects.of(records[0].workspace_id).filter(pk__in=flows).update(next_pull_at=clock.now())


def _current(records: Sequence[Record]) -> list[Transfer]:
    """Locked."""
    if not records:
        return []
    rows = Transfer.objects.of(records[0].workspace_id).select_for_update()
    return list(rows.filter(record__in=records, current=True))

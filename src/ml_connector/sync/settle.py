"""Settle: what became of a write whose answer was lost.

A create is searched for, by mark first, then by natural key, and compared (R3 to R6). An update and a cancel are
settled by reading the target again. 'Not found' counts only after the target's settling time (R4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_connector import audit, clock
from ml_connector.domain.records import CODE_TYPES, Invoice, decode
from ml_connector.sync import cycles, outcomes, problems
from ml_connector.sync.flows import declaration, spec_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Attempt, Flow, Link, Operation, Outcome, Record, Run, State
from ml_connector.sync.models.records import OPEN_OUTCOMES
from ml_connector.sync.outcomes import Done
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import Asynchronous, DocumentState, Found, Ref, Refused, Target

DRAFTED = "draft_left_behind"
"""The code of a search that found a draft in place of the document: it was not posted, and is not on its way."""
MASTER_DATA = frozenset({"supplier", *CODE_TYPES})
IN_A_ROW = 3
"""Look-ups of so many Records, one after the other, that came to nothing: it is the Connection, not the Record."""
DID: Mapping[str, str] = {Operation.CREATE: "created", Operation.UPDATE: "updated", Operation.CANCEL: "cancelled"}
"""How a Run counts what an Attempt did."""
STILL_IN_DOUBT = "not found yet; it may still be on its way"


def recover(flow: Flow, run: Run, lease: Lease) -> int:
    """Puts in doubt what a dead Run left in flight. Says how many.

    We hold the target Connection's lease, so no other process has a request of this Flow under way: a pending
    Attempt of another Run is an orphan.
    """
    orphans = (
        Attempt.objects.of(flow.workspace_id)
        .filter(record__flow=flow, outcome=Outcome.PENDING, handle="")
        .exclude(run=run)
        .select_related("record")
    )
    count = 0
    for attempt in list(orphans):
        with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
            lease.confirm()
            outcomes.in_doubt(trail, flow, attempt.record, attempt, "The process ended before the answer was stored.")
        count += 1
    return count


def answered(
    trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, sent: Any, ref: Ref, target: Any
) -> Done | None:
    """What an Attempt led to when the target names the document. None where that holds another amount than was sent:
    then the Record is held, and all of it is stored."""
    cancelled = attempt.operation == Operation.CANCEL
    if cancelled or not isinstance(sent, Invoice) or ref.amount in {None, sent.gross}:
        return Done(record, attempt, ref.key, ref.lines, ref.vouchers)
    outcomes.close(trail, attempt, Outcome.CONFIRMED, target_key=ref.key)
    problems.hold(trail, flow, record, [collision(flow, record, sent, [Found(ref.key, sent)], target)])
    return None


def settle(flow: Flow, record: Record, target: Target[Any], run: Run, lease: Lease) -> None:
    """Asks the target what became of the last write of a Record in doubt. Raises what the target raises."""
    attempt = (
        Attempt.objects.of(flow.workspace_id).filter(record=record, outcome__in=OPEN_OUTCOMES).order_by("-pk").first()
    )
    if attempt is None:
        with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
            record.state = State.STAGED
            record.save(update_fields=["state"])
            trail.add("decision", f"record:{record.pk}", state=State.STAGED.value, reason="no open attempt")
        return
    sent = decode(spec_of(flow).record_type, bytes(attempt.request))
    if attempt.operation == Operation.CREATE:
        _settle_create(flow, record, attempt, sent, target, run, lease)
    else:
        _settle_change(flow, record, attempt, sent, target, run, lease)


def _settle_create(
    flow: Flow, record: Record, attempt: Attempt, sent: Any, target: Target[Any], run: Run, lease: Lease
) -> None:
    try:
        hits = target.find(sent, attempt.mark)
    except Refused as refused:
        if refused.code != DRAFTED:
            raise
        with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
            lease.confirm()
            outcomes.refused(trail, flow, record, attempt, refused)
        return
    found = unlinked(flow, record, hits, attempt.mark)
    agreeing = [hit for hit in found if not target.identity_differences(sent, hit.record)]
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        marked = any(hit.mark == attempt.mark for hit in found)
        by = {"by": "mark" if marked else "number"} if found else {}
        trail.add("search", f"record:{record.pk}", mark=attempt.mark, hits=[hit.key for hit in found], **by)
        cancelled = len(agreeing) == 1 and agreeing[0].state is DocumentState.ARCHIVED and cycles.cycles(flow)
        if cancelled:
            outcomes.found_cancelled(trail, flow, record, attempt, agreeing[0].key)
        elif len(agreeing) == 1 and _to_be_updated(flow, attempt, sent, agreeing[0], target):
            _take_over(trail, flow, record, attempt, agreeing[0])
        elif len(agreeing) == 1:
            hit = agreeing[0]
            outcomes.confirmed(trail, flow, [Done(record, attempt, hit.key, hit.lines, hit.vouchers)], found=True)
        elif found:
            outcomes.close(trail, attempt, Outcome.NOT_DONE, text="Another document is in its place.")
            problems.hold(trail, flow, record, [collision(flow, record, sent, found, target)])
        else:
            _not_there(trail, flow, record, attempt)


def _to_be_updated(flow: Flow, attempt: Attempt, sent: Any, hit: Found[Any], target: Target[Any]) -> bool:
    """Whether what was found is master data that others made, with other values than ours: the source owns them."""
    ours = hit.mark == attempt.mark
    return spec_of(flow).record_type in MASTER_DATA and not ours and bool(target.differences(sent, hit.record))


def _take_over(trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt, hit: Found[Any]) -> None:
    """Links what others made, and has it updated."""
    outcomes.link(trail, flow, record, hit.key, hit.lines, made_by="found")
    text = "Found there under a key of others, with other values: it is updated."
    outcomes.close(trail, attempt, Outcome.NOT_DONE, target_key=hit.key, text=text)
    record.state, record.next_attempt_at = State.STAGED, None
    record.save(update_fields=["state", "next_attempt_at"])
    trail.add("decision", f"record:{record.pk}", state=State.STAGED.value, reason="found, to be updated")


def _settle_change(
    flow: Flow, record: Record, attempt: Attempt, sent: Any, target: Target[Any], run: Run, lease: Lease
) -> None:
    now_there = _there(attempt, sent, target)
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        trail.add("search", f"record:{record.pk}", target_key=attempt.target_key, found=now_there is not None)
        if now_there is not None and _took_effect(attempt, sent, now_there, target):
            outcomes.confirmed(trail, flow, [Done(record, attempt, now_there.key, now_there.lines)], found=True)
        else:
            _not_there(trail, flow, record, attempt)


def _there(attempt: Attempt, sent: Any, target: Target[Any]) -> Found[Any] | None:
    """The object as the target has it. One that decides later may hold what it has not decided to take: only its
    search says what it took (R12)."""
    if not isinstance(target, Asynchronous):
        return target.get(attempt.target_key)
    return next((hit for hit in target.find(sent, attempt.mark) if hit.key == attempt.target_key), None)


def _took_effect(attempt: Attempt, sent: Any, now_there: Found[Any], target: Target[Any]) -> bool:
    archived = now_there.state is DocumentState.ARCHIVED
    if attempt.operation == Operation.CANCEL:
        return archived
    return not archived and not target.differences(sent, now_there.record)


def _not_there(trail: audit.Trail, flow: Flow, record: Record, attempt: Attempt) -> None:
    counts_from = (attempt.answered_at or attempt.started_at) + outcomes.settle_wait(flow)
    if clock.now() < counts_from:
        record.next_attempt_at = counts_from
        record.save(update_fields=["next_attempt_at"])
        trail.add("decision", f"record:{record.pk}", state=State.IN_DOUBT.value, reason=STILL_IN_DOUBT)
    else:
        outcomes.not_done(trail, record, attempt, "Searched for after the settling time and not found.")


def unlinked(flow: Flow, record: Record, found: list[Found[Any]], mark: str) -> list[Found[Any]]:
    """The hits that are not linked to another Record: two true numbers can share a normalised form.

    One that people archived is no hit, unless it bears our own mark: then it is this very document.
    """
    links = Link.objects.of(flow.workspace_id).filter(integration=flow.integration, type=spec_of(flow).link_type)
    taken = set(
        links.filter(target_key__in=[hit.key for hit in found])
        .exclude(source_key=record.key)
        .values_list("target_key", flat=True)
    )
    alive = [hit for hit in found if hit.state is not DocumentState.ARCHIVED or hit.mark == mark]
    return [hit for hit in alive if hit.key not in taken]


def collision(flow: Flow, record: Record, sent: Any, found: list[Found[Any]], target: Target[Any]) -> Cause:
    """One agreeing hit is adopted; anything else is for a human (R5)."""
    label = declaration(flow.integration).system(spec_of(flow).target).label
    hit = found[0]
    fields = target.identity_differences(sent, hit.record)
    what = f"differs in {', '.join(fields)}" if fields else f"is there {len(found)} times"
    return Cause(
        "collision",
        problems.subject_of(flow, record),
        f"{record.number} is in {label} already ({hit.key}), not linked to us, and {what}.",
        f"If it is the same document, correct or archive the one in {label}, then retry; otherwise skip this one.",
        detail={"target_key": hit.key, "fields": fields},
    )

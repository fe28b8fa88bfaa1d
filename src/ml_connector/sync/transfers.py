"""Transfers: documents that their source hands over (systems.base.HandsOver).

    stored, and its Transfer opened  ->  claimed  ->  resolved and delivered  ->  answered  ->  perhaps offered again

Claims and answers are requests of the source's own jobs (sync.claiming, sync.answering); pushes of the target. What
the two must not do to each other is settled by the Transfer's row, which both lock: a document is sent on only while it
is ours and not answered, and answered as failed only while it is not on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet

from ml_connector import audit, clock
from ml_connector.domain.records import Invoice, InvoiceStatus, decode
from ml_connector.sync import bulk
from ml_connector.sync.backoff import after
from ml_connector.sync.flows import declaration, policy, spec_of
from ml_connector.sync.models import Answered, Claimed, Flow, Link, Record, Transfer
from ml_connector.sync.problems import Cause
from ml_connector.sync.resolved import Held, Skip
from ml_connector.sync.taking_over import ELSEWHERE, TAKE_OVER

OUTSTANDING = (Claimed.WANTED, Claimed.ASKED)
"""Claims of which it is not known yet whose the document is."""
_PART = 500
_OFFERED = "offered"

T = TypeVar("T")
Heard = TypeVar("Heard")


def source_label(flow: Flow) -> str:
    return declaration(flow.integration).system(spec_of(flow).source).label


def target_label(flow: Flow) -> str:
    return declaration(flow.integration).system(spec_of(flow).target).label


# --- staging


def open_offered(trail: audit.Trail, flow: Flow, rows: Sequence[bulk.New]) -> None:
    """Opens the Transfers of what has just been staged, in the same transaction: so nothing is resolved without."""
    if not spec_of(flow).handed_over:
        return
    observed = {row[0]: row[5] for row in rows}
    keys = list(observed)
    for start in range(0, len(keys), _PART):
        records = list(Record.objects.of(flow.workspace_id).filter(flow=flow, key__in=keys[start : start + _PART]))
        held = Transfer.objects.of(flow.workspace_id).select_for_update().filter(record__in=records, current=True)
        current = {transfer.record_id: transfer for transfer in held}
        for record in records:
            facts = msgspec.json.decode(observed[record.key], type=dict[str, str]) if observed[record.key] else {}
            _open_one(trail, flow, record, current.get(record.pk), facts)


def _open_one(
    trail: audit.Trail, flow: Flow, record: Record, current: Transfer | None, observed: dict[str, str]
) -> None:
    if _OFFERED in observed:
        cycle = int(observed[_OFFERED])
        if current is None or current.cycle < cycle:
            _open(trail, flow, record, current, cycle, Claimed.WANTED)
        elif current.cycle == cycle and current.answer in {Answered.NOT_YET, Answered.NOT_NEEDED}:
            _offered_again(current)
    elif _withdrawn(record):
        if current is None:
            _open(trail, flow, record, None, 1, Claimed.NOT_NEEDED)
        elif current.answer == Answered.NOT_YET:
            current.answer = Answered.NOT_NEEDED
            current.claim = Claimed.NOT_NEEDED if current.claim in OUTSTANDING else current.claim
            current.save(update_fields=["answer", "claim"])
    elif current is None:
        # Taken over, and not by us as far as we know.
        _open(trail, flow, record, None, int(observed.get("cycle", "1")), Claimed.ELSEWHERE)


def _open(trail: audit.Trail, flow: Flow, record: Record, before: Transfer | None, cycle: int, claim: Claimed) -> None:
    if before is not None:
        before.current = False
        before.save(update_fields=["current"])
    answer = Answered.NOT_NEEDED if claim is Claimed.NOT_NEEDED else Answered.NOT_YET
    Transfer.objects.create(
        workspace_id=flow.workspace_id, flow=flow, record=record, cycle=cycle, claim=claim, answer=answer
    )
    trail.add("offer", f"record:{record.pk}", cycle=cycle, claim=str(claim))


def _offered_again(current: Transfer) -> None:
    """It waits in the cycle in which we thought it to be claimed: that is looked up, and claimed where it is so."""
    if current.claim in OUTSTANDING:
        return
    current.claim = Claimed.ASKED if current.claim == Claimed.OURS else Claimed.WANTED
    current.answer, current.next_at, current.asked_at = Answered.NOT_YET, None, None
    current.save(update_fields=["claim", "answer", "next_at", "asked_at"])


def _withdrawn(record: Record) -> bool:
    value = decode(spec_of(record.flow).record_type, bytes(record.payload))
    return isinstance(value, Invoice) and value.status is InvoiceStatus.VOIDED


# --- delivering


def deliverable(flow: Flow, rows: QuerySet[Record]) -> QuerySet[Record]:
    """Of these Records of the Flow those whose claim is decided; all of them where nothing is claimed."""
    if not spec_of(flow).handed_over:
        return rows
    decided_ = Transfer.objects.of(flow.workspace_id).filter(record=OuterRef("pk"), current=True)
    return rows.filter(Exists(decided_.exclude(claim__in=OUTSTANDING)))


class Standing:
    """Where documents of a Flow stand in their transfer, for resolving them."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.handed_over = spec_of(flow).handed_over
        self._current: dict[int, Transfer] = {}

    def look_up(self, records: Sequence[Record]) -> None:
        if self.handed_over:
            rows = Transfer.objects.of(self.flow.workspace_id).filter(record__in=records, current=True)
            self._current = {transfer.record_id: transfer for transfer in rows}

    def keeps(self, record: Record, link: Link | None) -> Held | Skip | None:
        """What keeps a document from being resolved any further; None where nothing does."""
        if not self.handed_over or link is not None:
            return None
        transfer = self._current.get(record.pk)
        if transfer is None or transfer.claim == Claimed.ELSEWHERE:
            return Held((self._elsewhere(record),))
        if transfer.success is False:
            return Skip(given_back(self.flow, transfer.text))
        return None

    def _elsewhere(self, record: Record) -> Cause:
        source, target = source_label(self.flow), target_label(self.flow)
        facts = msgspec.json.decode(record.observed, type=dict[str, str]) if record.observed else {}
        return Cause(
            ELSEWHERE,
            record.key,
            f"Invoice {record.number} was taken over from {source} by somebody else, or by this installation before its"
            f" database was restored: its status there is {facts.get('status', 'not known')}. Nothing was posted.",
            f"Look it up in {target}. If it is not there and nobody else posts it, take it over (action {TAKE_OVER});"
            " what is found there is linked and not posted again. Else skip it with a reason.",
            detail={"status": facts.get("status", "")},
        )


def given_back(flow: Flow, text: str) -> str:
    """Reason of a document that was answered as failed."""
    return f"Given back to {source_label(flow)}, and follows when it is transferred again: {text}"


def still_ours(flow: Flow, records: Collection[int]) -> set[int]:
    """Ids of those Records that may be sent on now. Until the transaction's end nobody answers them."""
    rows = Transfer.objects.of(flow.workspace_id).select_for_update().filter(record__in=list(records), current=True)
    ours = rows.filter(claim=Claimed.OURS).exclude(success=False)
    return set(ours.values_list("record_id", flat=True))


# --- asking


def due(flow: Flow, **which: Any) -> QuerySet[Transfer]:
    """Current Transfers of a Flow that may be asked about now."""
    soon = Q(next_at__isnull=True) | Q(next_at__lte=clock.now())
    rows = Transfer.objects.of(flow.workspace_id).filter(soon, flow=flow, current=True, **which)
    return rows.select_related("record").order_by("pk")


def settled(flow: Flow, transfer: Transfer) -> bool:
    """Whether 'not there' counts for a request of which we do not know whether it was heard (R4)."""
    return transfer.asked_at is None or clock.now() >= counts_from(flow, transfer)


def counts_from(flow: Flow, transfer: Transfer) -> datetime:
    """From when 'not there' counts."""
    wait = timedelta(seconds=int(policy(flow, "settle_wait")))
    return (transfer.asked_at or clock.now()) + wait


def put_off(transfer: Transfer, text: str, *, wait: float = 0, failed: bool = True) -> None:
    """It came to nothing this time. A throttle does not count as a try (R59)."""
    transfer.tries += failed
    transfer.next_at = clock.now() + timedelta(seconds=wait or after(max(transfer.tries, 1)))
    transfer.error = text


def heard(parallel: int, asked: Sequence[T], ask: Callable[[T], Heard]) -> list[tuple[T, Heard | Exception]]:
    """What came of asking for each, in their order. The threads never touch the database."""

    def answer(one: T) -> Heard | Exception:
        try:
            return ask(one)
        except Exception as error:
            return error

    with ThreadPoolExecutor(parallel, thread_name_prefix="transfer") as pool:
        return list(zip(asked, pool.map(answer, asked), strict=True))

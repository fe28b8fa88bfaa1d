"""Deliver: the intent is committed, then the request leaves, then the outcome is committed (R1, R2).

Threads only speak to the target and hand back what they heard; this thread alone writes to the database. Intents
are committed a little ahead of the requests, so that the target is kept at the limit that it allows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from ml_connector import audit, clock
from ml_connector.domain.numbers import mark
from ml_connector.domain.orders import OrderStatus
from ml_connector.domain.records import Invoice, InvoiceStatus, Payment, PurchaseOrder, Supplier, content_hash, decode
from ml_connector.sync import accepted, listing, outcomes, problems, rounding, settle, transfers, wire
from ml_connector.sync.flows import spec_of, target_of
from ml_connector.sync.leases import Lease, LeaseLost, NotSent
from ml_connector.sync.models import Attempt, Flow, Link, Operation, Outcome, Record, Run, State
from ml_connector.sync.outcomes import Done
from ml_connector.sync.paying import TAKEN_BACK
from ml_connector.sync.proposing import Echoes, Proposing
from ml_connector.sync.resolve import Resolver
from ml_connector.sync.resolved import Gone, Held, Resolved, Skip
from ml_connector.sync.telling import Telling
from ml_connector.systems.base import (
    Accepted,
    AuthFailed,
    Batched,
    Conflict,
    DocumentState,
    Foresees,
    Found,
    NotFound,
    OutcomeUnknown,
    Ref,
    Refused,
    Remark,
    SystemFailure,
    Target,
    Throttled,
    Transient,
)
from ml_connector.systems.transport.wire import Heard, listening

log = logging.getLogger(__name__)

AHEAD = 4
"""Intents committed ahead, as a multiple of the target's limit of requests at a time; none ahead of batches."""

LOOKED_UP = 30
"""Records that are resolved and searched for together, while those ahead of them are under way."""


NOT_KEPT = object()
"""In place of what the target was last sent: it was removed by age or on request."""


class EditedOnBothSides(Conflict):
    """People changed owned fields in the target since our last write, to other values than ours; or, where that write
    is no longer kept, may have done so."""

    def __init__(self, fields: list[str], *, known: bool = True) -> None:
        super().__init__(f"edited in the target too: {', '.join(fields)}")
        self.fields = fields
        self.known = known


class NotSearched(Transient):
    """The target could not say whether it has this one record: it waits, and others go on."""


@dataclass
class Task:
    """One Record on its way: what is to be done, and the Attempt that stands for it."""

    record: Record
    resolved: Resolved
    operation: Operation
    mark: str
    before: tuple[Any, ...] = ()
    """What the target was last sent, and what it took of that, for an update: to see whether people edited it there
    since (R45). NOT_KEPT is among it where that is no longer known."""
    attempt: Attempt | None = None
    heard: list[Heard] = field(default_factory=list)
    """What went over the wire for it; of a batch the first task has it."""


@dataclass
class Delivery:
    """Delivers one Flow's ready Records in one Run."""

    flow: Flow
    target: Target[Any]
    parallel: int
    run: Run
    lease: Lease
    resolver: Resolver
    staged: Iterator[list[tuple[Record, Resolved]]]
    """Gives, a part at a time, what has just become ready; asked when nothing else is left to send."""
    listed: bool
    batches: bool
    deadline: float
    counts: dict[str, int] = field(default_factory=dict)
    stopped_by: SystemFailure | None = None
    """What ended the Run early: a throttle, refused credentials, a target that does not answer."""
    unsearched: int = 0
    """Searches in a row that came to nothing."""
    taken: frozenset[str] = frozenset()
    """Keys in the target that are linked: what a search finds there is another Record's. Of a target that cannot be
    listed; those that were linked when the Run began to deliver."""

    def deliver(self) -> None:
        """Until nothing is ready, the time is over, or the target stops us. Raises LeaseLost."""
        if not self.listed:
            links = Link.objects.of(self.flow.workspace_id).filter(integration=self.flow.integration)
            links = links.filter(type=spec_of(self.flow).link_type)
            self.taken = frozenset(links.values_list("target_key", flat=True))
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="deliver") as pool:
            under_way: dict[Future[list[Ref | Accepted | None]], list[Task]] = {}
            tasks = self._tasks()
            more = True
            try:
                while more or under_way:
                    # Intents are committed for some requests together, while there are others to be sent.
                    most, together = (self.parallel, 1) if self.batches else (self.parallel * AHEAD, self.parallel)
                    while more and most - len(under_way) >= together:
                        group = self._take(tasks, most - len(under_way))
                        more = bool(group)
                        for requests in self._intend(group):
                            under_way[pool.submit(self._send, requests)] = requests
                    if not under_way:
                        continue
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    self._store([(under_way.pop(future), future) for future in done])
                    if self.stopped_by is not None:
                        more = False
                        for future in under_way:
                            future.cancel()
            except LeaseLost:
                for future in under_way:
                    future.cancel()
                raise

    # --- what to do

    def _tasks(self) -> Iterator[Task]:
        """What can go, resolved right before (R49), in the order in which it was staged; the rest is put aside."""
        parts = self._resolved()
        while not self._over() and (part := next(parts, None)) is not None:
            tasks = [task for record, resolved in part if (task := self._task(record, resolved)) is not None]
            hits = self._hits(tasks)
            for task in tasks:
                if self._over():
                    return
                found = hits.get(task.mark)
                wanted = self._searched(task, found) if found else task
                if wanted is not None:
                    yield wanted

    def _over(self) -> bool:
        return time.monotonic() >= self.deadline or self.stopped_by is not None

    def _resolved(self) -> Iterator[list[tuple[Record, Resolved]]]:
        """What was ready before, resolved once more, then what becomes ready now."""
        last = 0
        while rows := list(self._ready().filter(pk__gt=last).order_by("pk")[:LOOKED_UP]):
            last = rows[-1].pk
            self.resolver.look_up(rows)
            judged = [(record, self.resolver.resolve(record)) for record in rows]
            for record, result in judged:
                if not isinstance(result, Resolved):
                    self._put_aside(record, result)
            yield [(record, result) for record, result in judged if isinstance(result, Resolved)]
        yield from self.staged

    def _ready(self) -> Any:
        due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=clock.now())
        rows = Record.objects.of(self.flow.workspace_id).filter(due, flow=self.flow, state=State.READY)
        return transfers.deliverable(self.flow, rows)

    def _task(self, record: Record, resolved: Resolved) -> Task | None:
        """Decides between create, update and cancel; None where the target has it so already."""
        voided = _taken_back(resolved.record)
        task = Task(record, resolved, Operation.CREATE, self._mark(record, resolved.record))
        if resolved.link is None:
            return task
        if record.gone:
            task.operation = Operation.CANCEL
            return task
        if record.sent_hash is not None and bytes(record.sent_hash) == bytes(record.hash):
            self._nothing_to_do(record)
            return None
        if not voided and self._came_from_there(record, resolved):
            self._has_it_already(task)
            return None
        cancels = voided and not Telling.applies(self.flow)
        task.operation = Operation.CANCEL if cancels else Operation.UPDATE
        task.before = () if cancels else last_sent(self.flow, record)
        return task

    def _came_from_there(self, record: Record, resolved: Resolved) -> bool:
        """Whether all that changed in the source is what the target's people had proposed to it."""
        if not isinstance(resolved.record, Supplier) or resolved.link is None or Proposing.applies(self.flow):
            return False
        rows = Attempt.objects.of(self.flow.workspace_id).filter(record=record).exclude(request=b"").order_by("-pk")
        last = rows.filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED]).first()
        if last is None:
            return False
        sent, read = decode("supplier", bytes(last.request)), decode("supplier", bytes(record.payload))
        return self._echoes.only(sent, read, resolved.record, resolved.link, last)

    @cached_property
    def _echoes(self) -> Echoes:
        return Echoes(self.flow)

    def _hits(self, tasks: Sequence[Task]) -> dict[str, list[Found[Any]]]:
        """By mark, what the target's list has in the place of those that are to be created."""
        if not self.listed:
            return {}
        created = {task.mark: task.resolved.record for task in tasks if task.operation is Operation.CREATE}
        return listing.hits(self.flow, created)

    def _mark(self, record: Record, value: Any) -> str:
        flow = self.flow
        cycle = value.cycle if isinstance(value, Payment) else 1
        if spec_of(flow).marked_by_key:
            return record.key if cycle == 1 else f"{record.key}/{cycle}"
        kind = value.kind.value if isinstance(value, Invoice) else spec_of(flow).record_type
        return mark(flow.workspace.name, flow.integration.name, flow.name, record.key, kind, cycle)

    def _searched(self, task: Task, hits: list[Found[Any]]) -> Task | None:
        """A create whose document is in the target already is adopted or held; never sent twice (R5, R40)."""
        record = task.record
        found = settle.unlinked(self.flow, record, hits, task.mark)
        if not found:
            return task
        agreeing = [hit for hit in found if not self.target.identity_differences(task.resolved.record, hit.record)]
        with self._recording() as trail:
            self.lease.confirm()
            if len(agreeing) != 1:
                cause = settle.collision(self.flow, record, task.resolved.record, found, self.target)
                problems.hold(trail, self.flow, record, [cause])
                self._count("blocked")
                return None
            hit = agreeing[0]
            task.resolved = Resolved(
                task.resolved.record,
                outcomes.link(trail, self.flow, record, hit.key, hit.lines, made_by="found", vouchers=hit.vouchers),
                task.resolved.mapping_versions,
                rounding=task.resolved.rounding,
            )
            archived = hit.state is DocumentState.ARCHIVED
            if archived or not self.target.differences(task.resolved.record, hit.record):
                rounding.note(trail, record, task.resolved.rounding)
                outcomes.settle_records(trail, [(record, bytes(record.hash))])
                self._count("found")
                return None
        task.operation = Operation.UPDATE
        return task

    def _put_aside(self, record: Record, held: Held | Skip | Gone) -> None:
        with self._recording() as trail:
            self.lease.confirm()
            put_aside(trail, self.flow, record, held)
        self._count("blocked" if isinstance(held, Held) else "gone" if isinstance(held, Gone) else "skipped")

    def _nothing_to_do(self, record: Record) -> None:
        with self._recording() as trail:
            self.lease.confirm()
            outcomes.settle_records(trail, [(record, bytes(record.hash))])

    def _has_it_already(self, task: Task) -> None:
        """Nothing is sent; that the target holds this version is stored as if it had been found there."""
        with self._recording() as trail:
            self.lease.confirm()
            task.operation = Operation.UPDATE
            attempt = self._attempt_of(task, clock.now())
            attempt.outcome = Outcome.ADOPTED
            attempt.save(force_insert=True)
            text = "It was proposed from there, and the target has it already: nothing was sent."
            outcomes.close(trail, attempt, Outcome.ADOPTED, text=text)
            outcomes.settle_records(trail, [(task.record, bytes(task.record.hash))])
        self._count("found")

    # --- intent, request, outcome

    def _take(self, tasks: Iterator[Task], most: int) -> list[list[Task]]:
        """The next requests: one Record each, or a batch of creates where the target takes batches."""
        requests: list[list[Task]] = []
        batch: list[Task] = []
        for task in tasks:
            if self.batches and task.operation is Operation.CREATE and isinstance(self.target, Batched):
                batch.append(task)
                if len(batch) == self.target.batch_size:
                    requests.append(batch)
                    batch = []
            else:
                requests.append([task])
            if len(requests) >= most:
                break
        return [*requests, batch] if batch else requests

    def _intend(self, requests: list[list[Task]]) -> list[list[Task]]:
        """Commits the intents of these requests (R1). A natural key that is on its way already waits (R7)."""
        with self._recording() as trail:
            self.lease.confirm()
            linked = self._linked_meanwhile(requests)
            wanted = [task for tasks in requests for task in tasks if task.record.key not in linked]
            wanted = self._still_ours(wanted)
            self._attempt(wanted)
            self._take_turns([task.record.pk for task in wanted if task.attempt is None])
            intended = [task for task in wanted if task.attempt is not None]
            records = Record.objects.of(self.flow.workspace_id).filter(pk__in=[task.record.pk for task in intended])
            records.update(state=State.IN_FLIGHT, next_attempt_at=None)
            for task in intended:
                assert task.attempt is not None
                task.record.state, task.record.next_attempt_at = State.IN_FLIGHT, None
                trail.add(
                    "intent",
                    f"record:{task.record.pk}",
                    source_version=bytes(task.record.hash).hex(),
                    attempt=task.attempt.pk,
                    operation=str(task.operation),
                    mark=task.mark,
                    request=bytes(task.attempt.request_hash).hex(),
                    mappings=task.resolved.mapping_versions,
                )
                if task.operation is not Operation.CANCEL:
                    rounding.note(trail, task.record, task.resolved.rounding)
        going = [[task for task in tasks if task.attempt is not None] for tasks in requests]
        return [tasks for tasks in going if tasks]

    def _still_ours(self, tasks: list[Task]) -> list[Task]:
        """Those whose source has not been told meanwhile that they failed. The others are judged again."""
        if not spec_of(self.flow).handed_over:
            return tasks
        created = [task.record.pk for task in tasks if task.operation is Operation.CREATE]
        lost = set(created) - transfers.still_ours(self.flow, created)
        Record.objects.of(self.flow.workspace_id).filter(pk__in=lost).update(state=State.STAGED)
        return [task for task in tasks if task.record.pk not in lost]

    def _take_turns(self, records: list[int]) -> None:
        """Payments that wait for another one of their document are looked at again when that may be decided."""
        if records and Telling.applies(self.flow):
            rows = Record.objects.of(self.flow.workspace_id).filter(pk__in=records)
            rows.update(next_attempt_at=clock.now() + accepted.FIRST_ASKED)

    def _linked_meanwhile(self, requests: list[list[Task]]) -> set[str]:
        """Keys of what a person has linked since it was looked up: it is no create any more."""
        keys = [task.record.key for tasks in requests for task in tasks if task.operation is Operation.CREATE]
        rows = Link.objects.of(self.flow.workspace_id).filter(
            integration=self.flow.integration, type=spec_of(self.flow).link_type, source_key__in=keys
        )
        return set(rows.values_list("source_key", flat=True))

    def _attempt(self, tasks: Sequence[Task]) -> None:
        """Stores the Attempts; a task whose natural key is on its way already is left without one."""
        now = clock.now()
        rows = [self._attempt_of(task, now) for task in tasks]
        try:
            with transaction.atomic():
                Attempt.objects.bulk_create(rows)
        except IntegrityError:
            stored = [_stored(row) for row in rows]
        else:
            stored = [True] * len(rows)
        for task, row, taken in zip(tasks, rows, stored, strict=True):
            task.attempt = row if taken else None

    def _attempt_of(self, task: Task, now: datetime) -> Attempt:
        payload = task.resolved.payload
        link = task.resolved.link
        return Attempt(
            workspace_id=self.flow.workspace_id,
            record=task.record,
            run=self.run,
            target=target_of(self.flow),
            fence=self.lease.fence,
            operation=task.operation,
            natural_key=f"{spec_of(self.flow).link_type}|{self._natural_key(task)}"[:200],
            mark=task.mark,
            source_hash=bytes(task.record.hash),
            request=payload,
            request_hash=content_hash(payload),
            mapping_versions=task.resolved.mapping_versions,
            codes=task.resolved.codes,
            started_at=now,
            target_key=link.target_key if link else "",
        )

    def _natural_key(self, task: Task) -> str:
        """Of what has no natural key, nothing but its mark tells one from another. Of a document's payments one is
        told at a time: each adds to the one before."""
        record = task.resolved.record
        if isinstance(record, Payment) and Telling.applies(self.flow):
            return record.allocations[0].invoice
        return listing.natural_key(record) or task.mark

    def _send(self, tasks: list[Task]) -> list[Ref | Accepted | None]:
        """Runs in a thread: one request, nothing else. Never touches the database.

        A preview goes on as if the request had left and been granted.
        """
        self.lease.check()
        try:
            with listening() as tasks[0].heard:
                return self._request(tasks)
        except NotSent:
            return [self._foreseen(task) for task in tasks]

    def _foreseen(self, task: Task) -> Ref:
        """What the target would have answered in a preview; what it would have created goes by its mark."""
        if task.resolved.link is not None:
            return Ref(task.resolved.link.target_key, tuple(task.resolved.link.lines))
        if isinstance(self.target, Foresees):
            self.target.foresee(task.mark, task.resolved.record)
        return Ref(task.mark)

    def _request(self, tasks: list[Task]) -> list[Ref | Accepted | None]:
        if len(tasks) > 1:
            assert isinstance(self.target, Batched)
            return list(self.target.create_batch([(task.resolved.record, task.mark) for task in tasks]))
        task = tasks[0]
        record, link = task.resolved.record, task.resolved.link
        if task.operation is Operation.CREATE:
            if not self.listed:
                return [self._search_and_create(task)]
            return [self.target.create(record, task.mark)]
        assert link is not None
        ref = Ref(link.target_key, tuple(link.lines))
        if task.operation is Operation.CANCEL:
            return [self.target.cancel(ref, "voided in the source") or ref]
        if task.before:
            self._refuse_conflict(task, link.target_key)
        return [self.target.update(ref, record, task.mark)]

    def _refuse_conflict(self, task: Task, target_key: str) -> None:
        """A field that people changed in the target since our last write is never overwritten by accident (R45)."""
        there = self.target.get(target_key)
        if there is None:
            raise NotFound(f"{task.record.number}: {target_key} is no longer in the target.")
        fields = set(self.target.differences(task.resolved.record, there.record))
        known = NOT_KEPT not in task.before
        for sent in task.before if known else ():
            fields &= set(self.target.differences(sent, there.record))
        if fields:
            raise EditedOnBothSides(sorted(fields), known=known)

    def _search_and_create(self, task: Task) -> Ref | Accepted | None:
        """For a target that cannot be listed: one look-up by number, then the create. None: something is there."""
        try:
            found = self.target.find(task.resolved.record, task.mark)
        except Transient as failure:
            raise NotSearched(str(failure)) from failure
        if any(hit.key not in self.taken for hit in found):
            return None
        return self.target.create(task.resolved.record, task.mark)

    def _store(self, answered: list[tuple[list[Task], Future[list[Ref | Accepted | None]]]]) -> None:
        """Commits what was heard, each request in the transaction that also holds its Links."""
        with self._recording() as trail:
            self.lease.confirm()
            done: list[Done] = []
            remarks: list[tuple[Record, Remark]] = []
            for tasks, future in answered:
                wire.keep([task.attempt for task in tasks if task.attempt is not None], tasks[0].heard)
                try:
                    answers: Sequence[Ref | Accepted | None] = future.result()
                except (SystemFailure, LeaseLost, CancelledError) as error:
                    self._failed(trail, tasks, error)
                    continue
                except Exception as error:
                    log.exception("A write ended in an error of ours.", extra={"flow": self.flow.pk})
                    self._failed(trail, tasks, error)
                    continue
                self.unsearched = 0
                for task, answer in zip(tasks, answers, strict=True):
                    done += self._answered(trail, task, answer)
                    remarks += [(task.record, remark) for remark in answer.remarks] if isinstance(answer, Ref) else []
            if done:
                outcomes.confirmed(trail, self.flow, done)
            for record, remark in remarks:
                outcomes.remarked(trail, self.flow, record, remark)

    def _answered(self, trail: audit.Trail, task: Task, answer: Ref | Accepted | None) -> list[Done]:
        """Stores what an answer means, but for what it confirms: that is given back, to be stored together."""
        attempt, record = task.attempt, task.record
        assert attempt is not None
        if isinstance(answer, Accepted):
            accepted.noted(trail, record, attempt, answer.handle)
            self._count("accepted")
        elif answer is None:
            outcomes.in_doubt(trail, self.flow, record, attempt, "Something with its number is in the target.")
        else:
            done = settle.answered(trail, self.flow, record, attempt, task.resolved.record, answer, self.target)
            self._count(settle.DID[attempt.operation] if done else "blocked")
            return [done] if done else []
        return []

    def _failed(self, trail: audit.Trail, tasks: list[Task], error: BaseException) -> None:
        """One class of error, one reaction (R63)."""
        alone = len(tasks) == 1
        for task in tasks:
            attempt, record = task.attempt, task.record
            assert attempt is not None
            match error:
                case Refused() if alone:
                    outcomes.refused(trail, self.flow, record, attempt, error)
                    self._count("blocked")
                case Refused():
                    outcomes.not_done(trail, record, attempt, f"The batch was refused: {error}")
                case OutcomeUnknown():
                    outcomes.in_doubt(trail, self.flow, record, attempt, str(error))
                    self._count("in_doubt")
                case EditedOnBothSides():
                    outcomes.conflict(trail, self.flow, record, attempt, error.fields, known=error.known)
                    self._count("blocked")
                case NotFound() | Conflict():
                    refusal = Refused("changed_in_target", str(error))
                    outcomes.refused(trail, self.flow, record, attempt, refusal)
                    self._count("blocked")
                case Throttled():
                    outcomes.not_done(trail, record, attempt, str(error), wait=error.retry_after or 0)
                case Transient():
                    outcomes.not_done(trail, record, attempt, str(error), failed=True)
                    self._count("failed")
                case SystemFailure() | LeaseLost() | CancelledError():
                    outcomes.not_done(trail, record, attempt, "It was not sent.")
                case _:
                    outcomes.in_doubt(trail, self.flow, record, attempt, f"An error of ours: {type(error).__name__}")
                    self._count("failed")
        if isinstance(error, Refused) and not alone:
            self.batches = False
        self._stop(error)

    def _stop(self, error: BaseException) -> None:
        """Ends the Run where the Connection is the cause; of searches that came to nothing, several in a row say so."""
        self.unsearched = self.unsearched + 1 if isinstance(error, NotSearched) else 0
        if 0 < self.unsearched < settle.IN_A_ROW:
            return
        stops = error.then if isinstance(error, OutcomeUnknown) else error
        if isinstance(stops, (Throttled, Transient, AuthFailed)) and self.stopped_by is None:
            self.stopped_by = stops

    def _recording(self) -> Any:
        return audit.recording(self.flow.workspace, actor="worker", run=self.run.pk)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _taken_back(record: Any) -> bool:
    """Whether the source no longer stands by what it once sent."""
    if isinstance(record, Payment):
        return record.status in TAKEN_BACK
    if isinstance(record, PurchaseOrder):
        return record.status is OrderStatus.CANCELLED
    return isinstance(record, Invoice) and record.status is InvoiceStatus.VOIDED


def _stored(attempt: Attempt) -> bool:
    try:
        with transaction.atomic():
            attempt.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def last_sent(flow: Flow, record: Record) -> tuple[Any, ...]:
    """The record that the target last took, and after it the one that it last accepted, which it may hold as well;
    NOT_KEPT in place of one whose content was removed. Nothing where it took none, or where a person said to overwrite
    since."""
    rows = Attempt.objects.of(flow.workspace_id).filter(record=record).order_by("-pk")
    attempt = rows.filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED]).first()
    if attempt is None or problems.decided(record, "conflict", since=attempt.answered_at) == "retry":
        return ()
    later = rows.filter(pk__gt=attempt.pk).exclude(handle="").first()
    return tuple(
        decode(spec_of(flow).record_type, bytes(one.request)) if one.request else NOT_KEPT
        for one in (attempt, later)
        if one is not None
    )


def put_aside(trail: audit.Trail, flow: Flow, record: Record, held: Held | Skip | Gone) -> None:
    """Blocks or skips a Record that cannot, or shall not, travel."""
    if isinstance(held, Gone):
        outcomes.left_alone(trail, flow, record)
        return
    if isinstance(held, Held):
        problems.hold(trail, flow, record, held.causes)
        return
    if (record.state, record.reason) == (State.SKIPPED, held.reason):
        return
    problems.let_go(trail, record)
    record.state, record.reason, record.next_attempt_at = State.SKIPPED, held.reason, None
    record.save(update_fields=["state", "reason", "next_attempt_at"])
    trail.add("skip", f"record:{record.pk}", source_version=bytes(record.hash).hex(), reason=held.reason)

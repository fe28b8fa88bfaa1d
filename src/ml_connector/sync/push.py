"""Push: recover, settle what is in doubt, resolve what is staged, deliver what is ready."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Q

from ml_connector import audit, clock
from ml_connector.domain.money import Money, from_units, to_units
from ml_connector.integrations.base import FlowKind
from ml_connector.sync import (
    accepted,
    balances,
    clearing,
    cycles,
    listing,
    outcomes,
    problems,
    read_back,
    settle,
    telling,
    transfers,
)
from ml_connector.sync.deliver import LOOKED_UP, Delivery, put_aside
from ml_connector.sync.flows import declaration, document_flows, spec_of, target_of, target_policy
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import (
    DONE,
    Flow,
    Link,
    Listing,
    ProblemState,
    Record,
    Run,
    RunKind,
    State,
    TargetEntry,
)
from ml_connector.sync.postings import BY_US, OwnPostings
from ml_connector.sync.problems import SETTLED_BY_ITSELF, Cause
from ml_connector.sync.pull import read_codes
from ml_connector.sync.resolve import LIKE_ITS_INVOICE, Resolver
from ml_connector.sync.resolved import Gone, Held, Resolved
from ml_connector.systems.base import (
    Asynchronous,
    AuthFailed,
    Client,
    Listed,
    SystemFailure,
    Target,
    Throttled,
    Transient,
)

CODES_FRESH = timedelta(minutes=15)
"""A target's code list older than this is read again before documents are checked against it."""

BATCH_FROM = 20
"""New records from which a first load is sent in batches."""


def codes(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Reads the target's side of a code list, whole."""
    return read_codes(flow, run, client, lease, source_side=False)


def documents(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Brings everything that can travel into the target, in order: parents are earlier Flows."""
    target = client.target(spec_of(flow).record_type, target_policy(flow))
    counts: dict[str, Any] = {"recovered": settle.recover(flow, run, lease)}
    now = time.monotonic()
    stopped = accepted.ask(flow, run, target, client.parallel, lease, now + (deadline - now) / 2, counts)
    listed = isinstance(target, Listed)
    if stopped is None:
        _fresh_codes(flow, run, client, lease)
    if stopped is None and isinstance(target, Listed):
        counts["listed"] = listing.refresh(flow, target, run, lease)
    stopped = stopped or _settle_all(flow, run, target, lease, deadline, counts)
    if telling.Telling.applies(flow):
        telling.judge_again(flow, run, lease)
    resolver = Resolver(flow)
    staged = resolve_all(flow, run, resolver, lease, counts)
    first_load = not _pushed_before(flow, run)
    more = True
    while more and stopped is None and time.monotonic() < deadline:
        batches = first_load and _ready_or_staged(flow).count() >= BATCH_FROM
        delivery = Delivery(
            flow, target, client.parallel, run, lease, resolver, staged, listed=listed, batches=batches,
            deadline=deadline,
        )  # fmt: skip
        delivery.deliver()
        for name, count in delivery.counts.items():
            counts[name] = counts.get(name, 0) + count
        stopped = delivery.stopped_by
        more = bool(delivery.counts) or delivery.batches is not batches
        first_load = first_load and delivery.batches
    # Where the target stopped us, what waits for people is shown to them all the same.
    while time.monotonic() < deadline and next(staged, None) is not None:
        continue
    in_time = time.monotonic() < deadline
    wrote = any(counts.get(name) for name in ("created", "updated", "cancelled"))
    if wrote and in_time and stopped is None and isinstance(target, Listed):
        listing.refresh(flow, target, run, lease)
    if cycles.cycles(flow):
        counts["read_back"] = read_back.invoices(flow, run, client, lease)
    if wrote and spec_of(flow).kind is FlowKind.PROPOSED:
        counts["read_back"] = read_back.suppliers(flow, run, client, lease)
    if wrote and stopped is None and spec_of(flow).record_type == "payment":
        clearing.read(target_of(flow), client)
    counts["unfinished"] = (_due(flow, State.READY) if in_time else _ready_or_staged(flow)).exists()
    if isinstance(target, Asynchronous):
        counts["waiting"] = accepted.undecided(flow).count()
    if stopped is not None:
        counts["stopped_by"] = stopped
    return counts


def _pushed_before(flow: Flow, run: Run) -> bool:
    """Whether a push of the Flow has ever come to its end: until then its documents are a first load."""
    rows = Run.objects.of(flow.workspace_id).filter(flow=flow, kind=RunKind.PUSH, counts__unfinished=False)
    return rows.exclude(pk=run.pk).filter(state__in=DONE).exists()


def _due(flow: Flow, state: State) -> Any:
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=clock.now())
    rows = Record.objects.of(flow.workspace_id).filter(due, flow=flow, state=state)
    return rows if state is State.IN_DOUBT else transfers.deliverable(flow, rows)


def _ready_or_staged(flow: Flow) -> Any:
    return _due(flow, State.READY) | _due(flow, State.STAGED)


def _settle_all(
    flow: Flow, run: Run, target: Target[Any], lease: Lease, deadline: float, counts: dict[str, Any]
) -> SystemFailure | None:
    """Looks for what is in doubt. Gives what keeps the target from answering, if something does: an answer that cannot
    be had for one Record only puts that one off."""
    unanswered = 0
    for record in list(_due(flow, State.IN_DOUBT).order_by("pk")):
        if time.monotonic() >= deadline:
            break
        try:
            settle.settle(flow, record, target, run, lease)
        except (Throttled, AuthFailed) as failure:
            return failure
        except Transient as failure:
            unanswered += 1
            if unanswered >= settle.IN_A_ROW:
                return failure
            with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
                lease.confirm()
                outcomes.put_off(trail, record, str(failure))
        else:
            unanswered = 0
        counts["settled"] = counts.get("settled", 0) + (record.state != State.IN_DOUBT)
        counts["in_doubt"] = counts.get("in_doubt", 0) + (record.state == State.IN_DOUBT)
    return None


def resolve_all(
    flow: Flow, run: Run, resolver: Resolver, lease: Lease, counts: dict[str, Any]
) -> Iterator[list[tuple[Record, Resolved]]]:
    """Resolves what is staged, then judges again what is held by causes that can go by themselves, and what was left
    out with the invoice that it corrects (R49, R56).

    A part is resolved and stored when it is asked for, and gives what of it is ready now: so the first request need
    not wait for the last Record.
    """
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow)
    refused = Q(problems__problem__state=ProblemState.OPEN) & ~Q(problems__problem__cause__in=SETTLED_BY_ITSELF)
    held = rows.filter(state=State.BLOCKED).exclude(pk__in=rows.filter(refused, state=State.BLOCKED).values("pk"))
    left_out = rows.filter(state=State.SKIPPED, erased_at=None, reason__contains=LIKE_ITS_INVOICE)
    for every in (rows.filter(state=State.STAGED), held, left_out):
        chosen, last = transfers.deliverable(flow, every), 0
        while part := list(chosen.filter(pk__gt=last).order_by("pk")[:LOOKED_UP]):
            last = part[-1].pk
            yield resolve_part(flow, run, resolver, lease, part, counts)


def resolve_part(
    flow: Flow, run: Run, resolver: Resolver, lease: Lease, part: list[Record], counts: dict[str, Any]
) -> list[tuple[Record, Resolved]]:
    """Those of the part that are ready now, and stored as such; what becomes of the others is stored too."""
    ready = []
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        resolver.look_up(part)
        held = problems.holding(part)
        for record in part:
            resolved = _resolve_one(trail, flow, record, resolver, held, counts)
            if resolved is not None:
                record.state, record.next_attempt_at, record.reason = State.READY, None, ""
                ready.append((record, resolved))
        Record.objects.of(flow.workspace_id).filter(pk__in=[record.pk for record, _ in ready]).update(
            state=State.READY, next_attempt_at=None, reason=""
        )
    return ready


def _resolve_one(
    trail: audit.Trail, flow: Flow, record: Record, resolver: Resolver, held: set[int], counts: dict[str, Any]
) -> Resolved | None:
    """What the Record is resolved to, which is left to be stored as ready; anything else is stored here."""
    result = resolver.resolve(record)
    if isinstance(result, Resolved):
        if record.pk in held:
            problems.let_go(trail, record)
        trail.add(
            "decision",
            f"record:{record.pk}",
            source_version=bytes(record.hash).hex(),
            state=State.READY.value,
            mappings=result.mapping_versions,
        )
        for warning in result.warnings:
            problems.warn(trail, flow, record, warning)
        return result
    was = record.state, record.reason
    put_aside(trail, flow, record, result)
    if isinstance(result, Held) and was != (record.state, record.reason):
        # What it has taken off its invoice was not known to be a credit until now.
        corrected = [cause.subject for cause in result.causes if cause.cause == "credit_without_invoice"]
        problems.recheck(flow.integration, ("paid_elsewhere",), corrected)
    name = "gone" if isinstance(result, Gone) else "skipped" if record.state == State.SKIPPED else "blocked"
    counts[name] = counts.get(name, 0) + (was != (record.state, record.reason))
    return None


def _fresh_codes(flow: Flow, run: Run, client: Client, lease: Lease) -> None:
    """Reads the target's code lists again where they are older than documents may rely on (R49)."""
    target = target_of(flow)
    if spec_of(flow).record_type != "invoice":
        return
    reference = Flow.objects.of(flow.workspace_id).filter(
        integration=flow.integration,
        name__in=[spec.name for spec in declaration(flow.integration).flows if spec.kind is FlowKind.REFERENCE],
    )
    for other in reference.select_related("integration", "workspace"):
        rows = Listing.objects.of(flow.workspace_id).filter(connection=target, type=spec_of(other).record_type)
        if not rows.filter(complete_at__gt=clock.now() - CODES_FRESH).exists():
            read_codes(other, run, client, lease, source_side=False)


# --- what happened to documents in the source


def observed(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Payments made in the source against bills that the target would pay again (paid_elsewhere).

    A payment that the target made too, or has scheduled, is its own booking in the source and no Problem; so is one
    that we posted there ourselves.
    """
    counts: dict[str, Any] = {}
    own = OwnPostings(flow)
    for parent in document_flows(flow.integration, "invoice"):
        target = client.target(spec_of(parent).record_type, target_policy(parent))
        if isinstance(target, Listed):
            counts["listed"] = listing.refresh(parent, target, run, lease)
        _paid_elsewhere(parent, run, lease, counts, own)
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        counts["blocked"] = counts.get("blocked", 0) + own.notice_cancelled(trail)
        for record in Record.objects.of(flow.workspace_id).filter(flow=flow, state=State.STAGED):
            record.state = State.SKIPPED
            record.reason = BY_US if own.made(record.key) else "Compared with the target, not sent."
            record.save(update_fields=["state", "reason"])
            trail.add("skip", f"record:{record.pk}", reason=record.reason)
    return counts


def _paid_elsewhere(flow: Flow, run: Run, lease: Lease, counts: dict[str, Any], own: OwnPostings) -> None:
    links = dict(
        Link.objects.of(flow.workspace_id)
        .filter(integration=flow.integration, type=spec_of(flow).link_type)
        .values_list("source_key", "target_key")
    )
    entries = {
        entry.key: entry
        for entry in TargetEntry.objects.of(flow.workspace_id).filter(
            connection=target_of(flow), type=spec_of(flow).link_type
        )
    }
    label = declaration(flow.integration).system(spec_of(flow).target).label
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow, state=State.CONFIRMED, observed__contains='"paid"')
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        for record in rows.select_related("flow"):
            entry = entries.get(links.get(record.key, ""))
            if entry is None or entry.state == "archived" or record.amount is None:
                continue
            there = record.amount - (entry.open or 0) if entry.state != "scheduled" else record.amount
            paid = to_units(balances.paid_in_source(record, from_units(there, record.currency)))
            if paid > there:  # a payment that the target has voided since may still be on its way back
                there = max(there, own.settled(record.key))
            if paid <= there:
                problems.end_problem(trail, flow.integration, "paid_elsewhere", subject=record.key)
                continue
            missing = Money(from_units(paid - there, record.currency), record.currency)
            problems.report(
                trail,
                flow,
                record,
                Cause(
                    "paid_elsewhere",
                    record.key,
                    f"Invoice {record.number} was paid in the source with {missing} that {label} does not know of.",
                    f"Record it in {label} as paid outside, or it may be paid twice.",
                    blocks=False,
                    detail={"paid": str(missing.amount)},
                ),
            )
            counts["blocked"] = counts.get("blocked", 0) + 1

"""Pull: read a source and stage what changed; read its code lists; sweep its keys."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from ml_connector import audit, clock
from ml_connector.sync import answering, bulk, clearing, closing, outcomes, problems, suggestions
from ml_connector.sync import codes as code_lists
from ml_connector.sync.claiming import Claiming
from ml_connector.sync.flows import archives_what_is_gone, source_of, source_policy, spec_of, target_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Flow, Link, Listing, Record, Run, State
from ml_connector.sync.problems import Cause
from ml_connector.sync.resolve import NO_LONGER_THERE
from ml_connector.sync.stage import Staged, gathered, mark_gone, stage
from ml_connector.sync.webhooks.reading import read_announced
from ml_connector.systems.base import Client, HandsOver, Source, Swept


def changes(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Stages what webhooks announced, then what may have changed since the cursor, some pages at a time.

    Of a source that hands over: before that, what became of its documents is answered; after it, what it offers is
    claimed.
    """
    source = client.source(spec_of(flow).record_type, source_policy(flow))
    if spec_of(flow).handed_over:
        return _handed_over(flow, run, client, source, lease, deadline)
    return _changes(flow, run, source, lease, deadline)


def _handed_over(
    flow: Flow, run: Run, client: Client, source: Source[Any], lease: Lease, deadline: float
) -> dict[str, Any]:
    assert isinstance(source, HandsOver), f"{flow.name}: its source hands nothing over."
    telling = answering.Answering(flow, source, client.parallel, run, lease, deadline)
    telling.answer()
    told = {"answered": telling.answered}
    if telling.stopped_by is not None:
        return {**told, "stopped_by": telling.stopped_by}
    counts = {**_changes(flow, run, source, lease, deadline), **told}
    claiming = Claiming(flow, source, client.parallel, run, lease, deadline)
    claiming.claim()
    counts["claimed"] = claiming.claimed
    if claiming.stopped_by is not None:
        counts["stopped_by"] = claiming.stopped_by
    return counts


def _changes(flow: Flow, run: Run, source: Source[Any], lease: Lease, deadline: float) -> dict[str, Any]:
    announced, events = read_announced(flow, run, source, lease, deadline)
    staged = Staged()
    unfinished, whole = False, True
    for pages in gathered(source.changes(flow.cursor), deadline):
        staged.add(stage(flow, pages, run, lease))
        whole = whole and all(page.cursor is None for page in pages)
        if time.monotonic() > deadline and pages[-1].cursor is not None:
            unfinished = True
            break
    if not unfinished and flow.backfill_from is not None:
        flow.backfill_from = None
        flow.save(update_fields=["backfill_from"])
    counts = {
        "events": events,
        "read": announced.read + staged.read,
        "new": announced.new + staged.new,
        "changed": announced.changed + staged.changed,
        "unfinished": unfinished,
    }
    # A queue is often empty.
    silent = whole and not staged.read and not spec_of(flow).handed_over and _known(flow).exists()
    _silence(flow, run, silent=silent)
    return {**counts, "failed": 1} if silent else counts


def codes(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Reads the source's side of a code list, whole; with the accounts, the clearing account's balance."""
    counts = read_codes(flow, run, client, lease, source_side=True)
    if spec_of(flow).record_type == "gl_account":
        clearing.read(source_of(flow), client)
    return counts


def read_codes(flow: Flow, run: Run, client: Client, lease: Lease, *, source_side: bool) -> dict[str, Any]:
    """Reads one side's code list and stores it. An empty list where there was one changes nothing (R19)."""
    connection = source_of(flow) if source_side else target_of(flow)
    source = client.source(spec_of(flow).record_type, source_policy(flow) if source_side else {})
    records, digests = [], []
    for page in source.changes(None):
        records += [item.record for item in page.items]
        digests.append(page.digest)
    known = len(code_lists.code_index(connection, spec_of(flow).record_type))
    silent = not records and known > 0
    _silence(flow, run, silent=silent)
    if silent:
        return {"read": 0, "failed": 1}
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        stored = code_lists.store_codes(trail, connection, spec_of(flow).record_type, records, complete=True)
        trail.add("read_batch", f"connection:{connection.pk}", list=spec_of(flow).record_type, read=len(records),
                  digests=digests)  # fmt: skip
        Listing.objects.of(flow.workspace_id).update_or_create(
            connection=connection, type=spec_of(flow).record_type,
            defaults={"workspace_id": flow.workspace_id, "complete_at": clock.now()},
        )  # fmt: skip
    if spec_of(flow).mapping:
        suggestions.map_exact(flow.integration, spec_of(flow).mapping)
    return {"read": len(records), **stored}


def sweep(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Finds what the cursor missed, and what is gone: only a complete sweep says so (R17, R18)."""
    source = client.source(spec_of(flow).record_type, source_policy(flow))
    staged = Staged()
    if isinstance(source, Swept):
        for pages in gathered(source.sweep()):
            staged.add(stage(flow, pages, run, lease, keep_cursor=True))
    seen = list(source.keys())
    counts: dict[str, Any] = {"read": staged.read, "new": staged.new, "changed": staged.changed, "keys": len(seen)}
    silent = not seen and _known(flow).exists()
    _silence(flow, run, silent=silent)
    if silent:
        return {**counts, "failed": 1}
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        missing = mark_gone(flow, seen, run, lease)
        for record in missing:
            _gone(trail, flow, record)
        closing.notice_gone(trail, flow, missing)
        _back(trail, flow, seen)
    flow.last_swept_at = clock.now()
    flow.save(update_fields=["last_swept_at"])
    return {**counts, "missing": len(missing)}


def _known(flow: Flow) -> QuerySet[Record]:
    return Record.objects.of(flow.workspace_id).filter(flow=flow, gone=False)


def _gone(trail: audit.Trail, flow: Flow, record: Record) -> None:
    """A key that vanished from the source: a Problem where the target holds it, a skip where it never travelled."""
    linked = Link.objects.of(flow.workspace_id).filter(
        integration=flow.integration, type=spec_of(flow).link_type, source_key=record.key
    )
    if not linked.exists():
        if record.state in {State.STAGED, State.READY, State.BLOCKED}:
            problems.let_go(trail, record)
            record.state, record.reason = State.SKIPPED, NO_LONGER_THERE
            record.save(update_fields=["state", "reason"])
            trail.add("skip", f"record:{record.pk}", reason=record.reason)
        return
    archives = archives_what_is_gone(flow)
    if record.state in (bulk.READ_AGAIN if archives else {State.READY, State.BLOCKED}):
        record.state = State.STAGED
        record.save(update_fields=["state"])
    if not archives:
        outcomes.report_gone(trail, flow, record)


def _back(trail: audit.Trail, flow: Flow, seen: Iterable[str]) -> None:
    """Keys that were missing and are there again: nothing is to be said of them any more."""
    present = set(seen)
    for problem in problems.reported(flow, "sweep_missing"):
        if problem.subject in present:
            problems.end_problem(trail, flow.integration, "sweep_missing", subject=problem.subject)


def _silence(flow: Flow, run: Run, *, silent: bool) -> None:
    """Nothing where there always was something is a warning, never a success (R19)."""
    subject = f"flow:{flow.name}"
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        if not silent:
            problems.end_problem(trail, flow.integration, "source_silent", subject=subject)
            return
        problems.open_problem(
            trail,
            flow.integration,
            Cause(
                "source_silent",
                subject,
                f"The source gave no {spec_of(flow).label} at all, although it had some before.",
                "Check the rights of the Connection's user and its filter settings. Nothing was taken as deleted.",
                blocks=False,
            ),
            flow,
        )

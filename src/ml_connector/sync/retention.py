"""Retention: what is older than its class is kept is removed, unless a hold covers it (R70).

Of a document goes its content: what it said, what was sent for it, what the target showed of it. Its row stays with
key, hashes, state, amounts and Link, so that it is never sent again and everything still adds up (R76). What goes of
the audit trail is in `trail_retention`; the years of all classes are set here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import msgspec
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from ml_connector import audit, clock
from ml_connector.domain.keeping import bare
from ml_connector.domain.records import CODE_TYPES, Supplier, decode
from ml_connector.sync import holds
from ml_connector.sync.flows import spec_of, target_of
from ml_connector.sync.models import (
    Attempt,
    Exchange,
    Flow,
    Link,
    ProblemRecord,
    ProblemState,
    ReceivedEvent,
    ReceivedState,
    Record,
    State,
    TargetEntry,
)
from ml_connector.sync.models.records import OPEN_OUTCOMES
from ml_connector.workspaces.models import Workspace

LEAST, MOST = 1, 99
"""Years that may be set."""
FOR_EVER = 0
"""Stands for the years of a trail that nothing is removed from."""
YEARS = ["document_years", "wire_years", "audit_years"]
"""The fields of a Workspace that hold them."""
FINAL = (State.CONFIRMED, State.SKIPPED, State.WRITTEN_OFF)
"""States of Records whose content may be removed: nothing more is to be done with them."""
M = TypeVar("M", Record, Exchange, ReceivedEvent)

_BATCH = 200
"""Rows of one transaction."""


class YearsRefused(ValueError):
    """The years cannot be set so. The text says why; nothing was changed."""


@dataclass
class Removal:
    """What of one class was, or would be, removed."""

    count: int = 0
    held: int = 0
    """Old enough, but covered by a hold."""
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, at: datetime) -> None:
        self.count += 1
        self.oldest = min(self.oldest or at, at)
        self.newest = max(self.newest or at, at)

    def join(self, other: Removal) -> None:
        self.count += other.count
        self.held += other.held
        for at in (other.oldest, other.newest):
            if at is not None:
                self.oldest, self.newest = min(self.oldest or at, at), max(self.newest or at, at)


@dataclass(frozen=True)
class Report:
    """What a Workspace's removal came to, or would come to."""

    documents: Removal
    wire: Removal
    events: Removal
    """What webhooks announced. Kept as long as requests."""


def years_of(workspace: Workspace) -> dict[str, int]:
    """For how many years each class is kept; FOR_EVER for a trail that nothing is removed from."""
    return {"documents": workspace.document_years, "wire": workspace.wire_years, "audit": workspace.audit_years}


def checked(
    workspace: Workspace, documents: int | None = None, wire: int | None = None, trail: int | None = None
) -> dict[str, int]:
    """The years of each class that would be in force. None: as it is. Raises YearsRefused."""
    given = {"documents": documents, "wire": wire, "audit": trail}
    wanted = {name: years if (new := given[name]) is None else new for name, years in years_of(workspace).items()}
    for name, years in wanted.items():
        if not LEAST <= years <= MOST and (name, years) != ("audit", FOR_EVER):
            raise YearsRefused(f"{years} is no number of years to keep something. Give one from {LEAST} to {MOST}.")
    longest = max(wanted["documents"], wanted["wire"])
    if wanted["audit"] != FOR_EVER and wanted["audit"] < longest:
        raise YearsRefused(
            f"The audit trail proves what was done with documents and requests, which are kept for {longest} years:"
            f" keep it for {longest} years or more, or for ever."
        )
    return wanted


def set_years(
    workspace: Workspace,
    actor: str,
    *,
    documents: int | None = None,
    wire: int | None = None,
    trail: int | None = None,
    second_person: str = "",
) -> None:
    """Sets for how many whole years the classes are kept; None leaves one as it is. Raises YearsRefused.

    `trail`: of the audit trail, which may be kept FOR_EVER. `second_person`: who agreed, or why nobody had to.
    """
    with audit.recording(workspace, actor=actor) as entries:
        holds.lock(workspace)
        workspace.refresh_from_db(fields=YEARS)
        was, now = years_of(workspace), checked(workspace, documents, wire, trail)
        if was == now:
            return
        workspace.document_years, workspace.wire_years = now["documents"], now["wire"]
        workspace.audit_years = now["audit"]
        workspace.save(update_fields=YEARS)
        agreed = {"second_person": second_person} if second_person else {}
        entries.add("retention_set", f"workspace:{workspace.pk}", was=was, now=now, **agreed)


def years_ago(years: int) -> datetime:
    """The same day and time so many years before now; 28 February where that year has no 29th."""
    now = clock.now()
    try:
        return now.replace(year=now.year - years)
    except ValueError:
        return now.replace(year=now.year - years, day=28)


def preview(workspace: Workspace) -> Report:
    """What `remove` would remove now. Changes nothing."""
    report = Report(Removal(), Removal(), Removal())
    held = holds.held(workspace)
    for part in _parts(old_records(workspace)):
        _sorted_out(part, held, report.documents)
    for exchanges in _parts(old_exchanges(workspace)):
        _sorted_exchanges(exchanges, held, report.wire)
    for events in _parts(old_events(workspace)):
        _sorted_events(events, held, report.events)
    return report


def remove(workspace: Workspace, actor: str) -> Report:
    """Removes what is old enough, a part at a time, each in a transaction with its entry in the trail."""
    report = Report(Removal(), Removal(), Removal())

    def documents(last: int, held: holds.Held, removal: Removal) -> Sequence[Record]:
        rows = list(old_records(workspace).filter(pk__gt=last).select_for_update(of=("self",))[:_BATCH])
        empty(_sorted_out(rows, held, removal))
        return rows

    def wire(last: int, held: holds.Held, removal: Removal) -> Sequence[Exchange]:
        rows = list(old_exchanges(workspace).filter(pk__gt=last)[:_BATCH])
        chosen = _sorted_exchanges(rows, held, removal)
        Exchange.objects.of(workspace).filter(pk__in=[row.pk for row in chosen]).delete()
        return rows

    def events(last: int, held: holds.Held, removal: Removal) -> Sequence[ReceivedEvent]:
        rows = list(old_events(workspace).filter(pk__gt=last)[:_BATCH])
        chosen = _sorted_events(rows, held, removal)
        ReceivedEvent.objects.of(workspace).filter(pk__in=[row.pk for row in chosen]).delete()
        return rows

    _in_parts(workspace, actor, "documents", report.documents, documents)
    _in_parts(workspace, actor, "wire", report.wire, wire)
    _in_parts(workspace, actor, "events", report.events, events)
    return report


def _in_parts(
    workspace: Workspace,
    actor: str,
    name: str,
    total: Removal,
    part: Callable[[int, holds.Held, Removal], Sequence[Model]],
) -> None:
    """`part` removes what comes after an id, under the holds in force, and says what it looked at."""
    last = 0
    while True:
        with audit.recording(workspace, actor=actor) as trail:
            held, removal = _begin(workspace), Removal()
            rows = part(last, held, removal)
            _note(trail, workspace, name, removal)
        total.join(removal)
        if not rows:
            return
        last = rows[-1].pk


def old_records(workspace: Workspace) -> QuerySet[Record]:
    """Records in a final state that nothing happened to for so long, by id. Suppliers and codes are working data:
    theirs only once they are gone from the source."""
    before = years_ago(workspace.document_years)
    attempts = Attempt.objects.of(workspace).filter(record=OuterRef("pk"))
    busy = attempts.filter(Q(outcome__in=OPEN_OUTCOMES) | Q(started_at__gte=before) | Q(answered_at__gte=before))
    troubled = ProblemRecord.objects.of(workspace).filter(record=OuterRef("pk"), problem__state=ProblemState.OPEN)
    flows = Flow.objects.of(workspace).select_related("integration")
    working = [flow.pk for flow in flows if spec_of(flow).record_type in {"supplier", *CODE_TYPES}]
    return (
        Record.objects.of(workspace)
        .filter(Q(renewed_at=None) | Q(renewed_at__lt=before), state__in=FINAL, erased_at=None, staged_at__lt=before)
        .exclude(Q(flow__in=working) & Q(gone=False))
        .exclude(Exists(busy))
        .exclude(Exists(troubled))
        .select_related("flow__integration__erp", "flow__integration__platform")
        .order_by("pk")
    )


def old_exchanges(workspace: Workspace) -> QuerySet[Exchange]:
    """What went over the wire so long ago, by id. What is in doubt may still be looked into."""
    return (
        Exchange.objects.of(workspace)
        .filter(at__lt=years_ago(workspace.wire_years))
        .exclude(attempt__outcome__in=OPEN_OUTCOMES)
        .select_related("attempt__record__flow__integration")
        .order_by("pk")
    )


def old_events(workspace: Workspace) -> QuerySet[ReceivedEvent]:
    """Events that were received so long ago, by id. What still waits to be read stays."""
    rows = ReceivedEvent.objects.of(workspace).filter(received_at__lt=years_ago(workspace.wire_years))
    return rows.exclude(state=ReceivedState.WAITING).order_by("pk")


def empty(records: Sequence[Record]) -> None:
    """Removes the content of Records: their own, that of what was sent for them, and of what the target showed of them.
    To be called in the transaction that notes it."""
    if not records:
        return
    workspace, now = records[0].workspace_id, clock.now()
    for record in records:
        record.payload = _bared(spec_of(record.flow).record_type, record.key, bytes(record.payload))
        record.erased_at = now
    Record.objects.of(workspace).bulk_update(records, ["payload", "erased_at"])
    Attempt.objects.of(workspace).filter(record__in=records).update(request=b"", error_text="")
    entries = entries_of(records)
    for entry in entries:
        kind = entry.type if entry.type in {"supplier", "payment"} else "invoice"
        entry.payload = _bared(kind, entry.key, bytes(entry.payload))
    TargetEntry.objects.of(workspace).bulk_update(entries, ["payload"])


def entries_of(records: Iterable[Record]) -> list[TargetEntry]:
    """What the target was last seen to hold of these Records."""
    keys: dict[tuple[int, int, str], list[str]] = {}
    workspace = 0
    for record in records:
        flow, workspace = record.flow, record.workspace_id
        keys.setdefault((flow.integration_id, target_of(flow).pk, spec_of(flow).link_type), []).append(record.key)
    found: list[TargetEntry] = []
    for (integration, connection, kind), wanted in keys.items():
        links = Link.objects.of(workspace).filter(integration=integration, type=kind, source_key__in=wanted)
        rows = TargetEntry.objects.of(workspace).filter(connection=connection, type=kind)
        found += rows.filter(key__in=links.values("target_key"))
    return found


def _bared(record_type: str, key: str, payload: bytes) -> bytes:
    """What stays of a payload. Of one that an older release wrote in another shape only what its columns say too."""
    try:
        return bytes(bare(decode(record_type, payload)).payload())
    except msgspec.ValidationError:
        return bytes(Supplier(code=key, name="").payload()) if record_type == "supplier" else b"{}"


def _begin(workspace: Workspace) -> holds.Held:
    holds.lock(workspace)
    workspace.refresh_from_db(fields=YEARS)
    return holds.held(workspace)


def _parts(rows: QuerySet[M]) -> Iterator[list[M]]:
    last = 0
    while part := list(rows.filter(pk__gt=last)[:_BATCH]):
        last = part[-1].pk
        yield part


def _sorted_out(rows: Iterable[Record], held: holds.Held, removal: Removal) -> list[Record]:
    going = []
    for record in rows:
        if _open_in_source(record):
            continue
        if held.covers(record):
            removal.held += 1
            continue
        removal.add(record.renewed_at or record.staged_at)
        going.append(record)
    return going


def _sorted_exchanges(rows: Iterable[Exchange], held: holds.Held, removal: Removal) -> list[Exchange]:
    """A request that several Records went in is kept while one of them is held."""
    found = list(rows)
    going = []
    mates: dict[int, list[Record]] = {}
    if found and (held.suppliers or held.records):
        together = Attempt.objects.of(found[0].workspace_id)
        ids = [row.attempt_id for row in found]
        for attempt in together.filter(sent_with__in=ids).select_related("record__flow__integration"):
            mates.setdefault(attempt.sent_with_id or 0, []).append(attempt.record)
    for row in found:
        records = [row.attempt.record, *mates.get(row.attempt_id, ())]
        if any(held.covers(record) for record in records):
            removal.held += 1
        else:
            removal.add(row.at)
            going.append(row)
    return going


def _sorted_events(rows: Iterable[ReceivedEvent], held: holds.Held, removal: Removal) -> list[ReceivedEvent]:
    """An event names nobody, so only a hold on everything keeps it."""
    going = []
    for row in rows:
        if held.everything:
            removal.held += 1
        else:
            removal.add(row.received_at)
            going.append(row)
    return going


def _open_in_source(record: Record) -> bool:
    """Something is left to pay, as the source said last: such a document is not settled, however old it is."""
    if record.gone or not record.observed:
        return False
    left = msgspec.json.decode(record.observed, type=dict[str, str]).get("open")
    return left is not None and Decimal(left) != 0


def _note(trail: audit.Trail, workspace: Workspace, what: str, removal: Removal) -> None:
    if removal.count:
        trail.add(
            "retention", f"workspace:{workspace.pk}", what=what, count=removal.count,
            oldest=f"{removal.oldest:%Y-%m-%d}", newest=f"{removal.newest:%Y-%m-%d}",
        )  # fmt: skip

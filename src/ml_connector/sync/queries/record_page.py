"""One Record as the console shows it: its story, and what both sides hold, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ml_connector.integrations.base import Side
from ml_connector.redaction import HIDDEN, is_secret_name, redacted
from ml_connector.sync.flows import declaration, source_of, spec_of, target_of
from ml_connector.sync.holds import covering
from ml_connector.sync.models import Attempt, Exchange, Hold, Link, Outcome, Record, State, TargetEntry
from ml_connector.sync.queries.records import ACCEPTED
from ml_connector.sync.queries.story import MASKED, Event, RecordStory, story
from ml_connector.sync.replay import REPLAYABLE
from ml_connector.systems.weblinks import page_address
from ml_connector.workspaces.models import Workspace

_OWN_KEYS = ("line_key", "net")
"""Each side counts its lines in its own way; a platform without taxes and freight of its own states gross as net."""
ON_ITS_WAY = frozenset({State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT})


@dataclass(frozen=True)
class Compared:
    """One field of a document, as each place states it; None where it says nothing."""

    field: str
    source: str | None
    sent: str | None
    target: str | None
    differs: bool
    """The target holds something else than what was sent."""
    replaced: bool
    """It was sent as something else than the source states: a mapped code, a linked key."""


@dataclass(frozen=True)
class AttemptRow:
    """One write request."""

    id: int
    operation: str
    outcome: str
    started_at: datetime
    answered_at: datetime | None
    accepted_at: datetime | None
    """When the target took it to decide later; None where it decides at once."""
    handle: str
    """What it is asked for by."""
    mark: str
    target_key: str
    error: str
    request: str
    """The record that was sent, as indented JSON, without what is secret; empty where it is no longer kept."""
    mapping_versions: dict[str, int]
    exchanges: tuple[Exchange, ...]
    """As they went over the wire, without what is secret; none where they are no longer kept."""
    together: bool
    """It went in one request with others."""


@dataclass(frozen=True)
class RecordView:
    """Everything of a Record's page."""

    story: RecordStory
    supplier: str
    source_label: str
    target_label: str
    fields: tuple[Compared, ...]
    listed_at: datetime | None
    """When the target was last read; None where it was not."""
    attempts: tuple[AttemptRow, ...]
    """The newest first."""
    events: tuple[Event, ...]
    """The story, with what was read since and what was read back."""
    source_address: str
    """Of its page in the source's web application; empty where that is not known."""
    target_address: str
    replayable: bool
    on_its_way: bool
    holds: tuple[Hold, ...]
    """The legal holds that keep it from being removed."""


def record_view(workspace: Workspace, record_id: int) -> RecordView | None:
    """None where the Workspace has no such Record."""
    told = story(workspace, record_id)
    if told is None:
        return None
    rows = Record.objects.of(workspace).select_related("flow__integration__erp", "flow__integration__platform")
    record = rows.get(pk=record_id)
    spec, page = spec_of(record.flow), declaration(record.flow.integration)
    attempts = list(Attempt.objects.of(workspace).filter(record=record).order_by("-pk"))
    sent = next((row for row in attempts if row.outcome in {Outcome.CONFIRMED, Outcome.ADOPTED}), None)
    sent = sent or next(iter(attempts), None)
    held = None
    if told.record.target_key:
        entries = TargetEntry.objects.of(workspace).filter(connection=target_of(record.flow), type=spec.link_type)
        held = entries.filter(key=told.record.target_key).first()
    source = flat(msgspec.json.decode(bytes(record.payload)))
    fields = _compared(source, _payload(sent.request if sent else None), _payload(held.payload if held else None))
    exchanges = _exchanges(workspace, attempts)
    differing = [row.field for row in fields if row.differs]
    known_by = (spec.link_type or spec.record_type, record.number)
    target_key = told.record.target_key or ""
    return RecordView(
        told,
        _supplier(record, source),
        page.system(spec.source).label,
        page.system(spec.target).label,
        fields,
        held.seen_at if held else None,
        tuple(_attempt(row, exchanges) for row in attempts),
        (
            *told.events,
            *(
                [_read_back(held, page.system(spec.target).label, differing, known=bool(sent and sent.request))]
                if held
                else []
            ),
        ),
        page_address(source_of(record.flow).settings, known_by[0], record.key, known_by[1]),
        page_address(target_of(record.flow).settings, known_by[0], target_key, known_by[1]),
        record.state in REPLAYABLE and record.erased_at is None,
        record.state in ON_ITS_WAY and told.record.shown_state != ACCEPTED,
        tuple(covering(record)),
    )


def _supplier(record: Record, source: dict[str, str]) -> str:
    """The supplier as people know it: of what the platform made, the source of suppliers says who it is."""
    key = source.get("supplier", "")
    if not key or spec_of(record.flow).source is Side.ERP:
        return key
    linked = Link.objects.of(record.workspace_id).filter(
        integration=record.flow.integration, type="supplier", target_key=key
    )
    return linked.values_list("source_key", flat=True).first() or key


def flat(value: Any, name: str = "") -> dict[str, str]:
    """A record's fields by path (`lines 2 amount`), without what is secret or personal (R71)."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, part in value.items():
            if key in MASKED or is_secret_name(key):
                found[f"{name} {key}".strip()] = HIDDEN
            else:
                found |= flat(part, f"{name} {key}".strip())
        return found
    if isinstance(value, list):
        return {path: text for i, part in enumerate(value, 1) for path, text in flat(part, f"{name} {i}").items()}
    if value is None:
        return {}
    return {name: redacted(("yes" if value else "no") if isinstance(value, bool) else str(value))}


def _payload(content: Any) -> dict[str, str]:
    return flat(msgspec.json.decode(bytes(content))) if content else {}


def _compared(source: dict[str, str], sent: dict[str, str], target: dict[str, str]) -> tuple[Compared, ...]:
    names = dict.fromkeys((*source, *sent, *target))
    return tuple(
        Compared(
            name,
            source.get(name),
            sent.get(name),
            target.get(name),
            differs=name in sent and name in target and sent[name] != target[name] and not name.endswith(_OWN_KEYS),
            replaced=name in sent and name in source and sent[name] != source[name],
        )
        for name in names
    )


def _exchanges(workspace: Workspace, attempts: Sequence[Attempt]) -> dict[int, list[Exchange]]:
    """By the Attempt that they are stored with."""
    found: dict[int, list[Exchange]] = {}
    wanted = [row.sent_with_id or row.pk for row in attempts]
    for exchange in Exchange.objects.of(workspace).filter(attempt__in=wanted).order_by("pk"):
        found.setdefault(exchange.attempt_id, []).append(exchange)
    return found


def _read_back(held: TargetEntry, label: str, differing: Sequence[str], *, known: bool) -> Event:
    """`known`: what was sent is still kept, so that it can be compared."""
    if not known:
        return Event(held.seen_at, "read back", f"{label} has it as {held.key}", "worker", None)
    says = f"differs in {', '.join(differing)}" if differing else "agrees with what was sent"
    return Event(held.seen_at, "read back", f"{label} has it as {held.key}: {says}", "worker", None)


def _attempt(row: Attempt, exchanges: Mapping[int, Sequence[Exchange]]) -> AttemptRow:
    return AttemptRow(
        row.pk,
        row.operation,
        ACCEPTED if row.outcome == Outcome.PENDING and row.handle else row.outcome,
        row.started_at,
        row.answered_at,
        row.accepted_at,
        row.handle,
        row.mark,
        row.target_key,
        f"{row.error_code}: {row.error_text}" if row.error_code and row.error_text else row.error_text,
        _shown(bytes(row.request)),
        dict(row.mapping_versions),
        tuple(exchanges.get(row.sent_with_id or row.pk, ())),
        row.sent_with_id is not None,
    )


def _shown(content: bytes) -> str:
    if not content:
        return ""
    value = _masked(msgspec.json.decode(content))
    return redacted(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: HIDDEN if key in MASKED or is_secret_name(key) else _masked(part) for key, part in value.items()}
    return [_masked(part) for part in value] if isinstance(value, list) else value

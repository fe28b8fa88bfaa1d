"""What is answered and what is taken. Money is text, exact; instants are UTC; a field that is not named is refused.

Only what stands here leaves: a field that a query gains is not told to programs by itself (R71).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from ninja import Path
from pydantic import BaseModel, ConfigDict, StringConstraints

T = TypeVar("T")

Id = Annotated[int, Path(ge=1, lt=2**63)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Page(Answer, Generic[T]):
    items: list[T]
    next: str | None
    """Cursor of the next page; null on the last one."""


# --- Problems


class Problem(Answer):
    id: int
    integration: str
    flow: str | None
    cause: str
    subject: str
    """The code, the supplier or the document that makes it one Problem."""
    text: str
    """What happened, to which document."""
    fix: str
    """What to do."""
    blocks: bool
    """False: it only reports, and its records stay confirmed."""
    state: str
    """open, solved (the cause is gone), handled (a person or program decided)."""
    records: int
    amount: dict[str, Decimal]
    """Sum of what it holds, by currency."""
    earliest_due_date: date | None
    opened_at: datetime
    action: str
    reason: str
    ended_at: datetime | None
    ended_by: str


class Action(Answer):
    name: str
    text: str
    needs_reason: bool
    needs_second: bool
    """It is only asked for here; a second person approves it in the console."""


class Choice(Answer):
    key: str
    text: str


class MappingFix(Answer):
    mapping: str
    code: str
    code_name: str
    mapped_to: str
    """What it is mapped to now, where that cannot be used."""
    suggestion: Choice | None
    why: str
    """Why that is suggested."""


class LinkFix(Answer):
    record: int
    suggestion: Choice | None
    vendor: str
    """Key of the target's supplier that the Problem is about; then one of the source's is to be named."""


class Told(Answer):
    at: datetime
    what: str
    actor: str
    reason: str


class Asked(Answer):
    kind: str
    title: str
    asked_by: str
    asked_at: datetime
    reason: str


class ProblemDetail(Answer):
    problem: Problem
    mapping: MappingFix | None
    """The Problem ends when this code is mapped."""
    link: LinkFix | None
    """The Problem ends when this supplier is linked."""
    actions: list[Action]
    asked: Asked | None
    """What waits for a second person."""
    story: list[Told]


class Decision(Body):
    action: Name
    """One of `actions` of the Problem."""
    reason: Text = ""
    evidence: Text = ""
    """For `release`: whom one called back, on which number known before, and what was said."""


class Target(Body):
    target: Code
    """Code, number or key of the other side."""


class Decided(Answer):
    text: str
    """What was done, in words."""
    waits_for_second_person: bool
    """Nothing happened yet: a person has to approve it in the console."""
    problem: Problem


# --- Records


class Holding(Answer):
    id: int
    cause: str
    blocks: bool


class Record(Answer):
    id: int
    integration: str
    flow: str
    type: str
    key: str
    """Of the source."""
    number: str
    state: str
    amount: Decimal | None
    currency: str
    due_date: date | None
    target_key: str | None
    problems: list[Holding]
    """The open ones."""
    reason: str
    """Why it is skipped or written off."""
    next_attempt_at: datetime | None
    gone: bool
    """The source no longer has it."""


class Event(Answer):
    at: datetime
    what: str
    text: str
    actor: str
    run: int | None


class Compared(Answer):
    field: str
    source: str | None
    sent: str | None
    target: str | None
    differs: bool


class Attempt(Answer):
    id: int
    operation: str
    outcome: str
    started_at: datetime
    answered_at: datetime | None
    mark: str
    target_key: str
    error: str
    mapping_versions: dict[str, int]


class RecordDetail(Answer):
    record: Record
    supplier: str
    events: list[Event]
    """Its story, oldest first."""
    fields: list[Compared]
    """The document as each side holds it."""
    attempts: list[Attempt]
    """Write requests, the newest first."""
    replayable: bool


class Replayed(Answer):
    text: str
    record: Record


# --- Mappings and code lists


class Mapping(Answer):
    integration: str
    name: str
    label: str
    mapped: int
    unmapped: int
    faults: int
    waiting: int
    """Records that wait for codes of it."""
    version: int
    """0 while nothing was published. The ETag of this resource."""
    published_at: datetime | None


class Entry(Answer):
    source: str
    source_number: str
    source_name: str
    target: str | None
    target_number: str
    target_name: str
    fault: str | None
    waiting: int


class Version(Answer):
    number: int
    effective_from: date
    published_at: datetime
    published_by: str
    reason: str


class Published(Answer):
    version: Version | None
    """None where it waits."""
    waits_for_second_person: bool
    """Nothing happened yet: a person has to approve it in the console."""


class Publication(Body):
    entries: dict[Code, Code | None]
    """Source codes with their target's code or number; null takes an entry out. What is not named stays."""
    reason: Text = ""
    effective_from: date | None = None
    """Today where it is left out."""


class CodeList(Answer):
    connection: str
    list: str
    codes: int
    gone: int
    changed_at: datetime


class ListedCode(Answer):
    code: str
    number: str
    name: str
    type: str
    fault: str | None
    gone: bool


# --- Runs, Flows, Integrations


class Run(Answer):
    id: int
    integration: str
    flow: str
    label: str
    kind: str
    state: str
    connection: str
    started_at: datetime
    seconds: float | None
    """null while it runs."""
    counts: dict[str, int]
    text: str


class Flow(Answer):
    name: str
    label: str
    every: int
    """Seconds between two readings."""
    records: int
    """Ever staged."""
    states: dict[str, int]
    """Records by state; they add up to `records`."""
    paused: bool
    parked: bool
    running: bool
    last_success: datetime | None
    next_run: datetime | None
    backfill_from: date | None


class Integration(Answer):
    name: str
    label: str
    condition: str
    why: str
    problems: int
    records: int
    last_success: datetime | None
    next_run: datetime | None
    flows: list[Flow]


class Invariant(Answer):
    ever_staged: int
    total: int
    states: dict[str, int]
    holds: bool
    text: str


class Status(Answer):
    workspace: str
    invariant: Invariant
    """Everything ever staged is in exactly one state."""
    open_problems: int
    workers: int
    """Processes that do the work; with none nothing is read or written."""


class Which(Body):
    integration: Name
    flow: Name | None = None
    """All Flows of the Integration where it is left out."""


class Backfill(Which):
    since: date
    """Everything is read again from this day on."""


class Started(Answer):
    flows: list[str]
    """The Flows that this was about."""
    workers: int
    text: str


# --- Connections


class Setting(Answer):
    name: str
    value: str


class Connection(Answer):
    id: int
    name: str
    system: str
    label: str
    company: str
    health: str
    text: str
    health_at: datetime | None
    waits_until: datetime | None
    in_use_by: str
    used_this_hour: dict[str, int]
    integrations: list[str]
    last_ping: datetime | None
    settings: list[Setting]
    credential_names: list[str]
    """What is sealed for it; the values never leave."""


class Step(Answer):
    name: str
    ok: bool | None
    """null: not tried."""
    text: str
    fix: str


class Ping(Answer):
    id: int
    state: str
    """running, good, failed, lost."""
    steps: list[Step]
    text: str
    asked_by: str
    started_at: datetime
    said_at: datetime


# --- Webhooks


class Webhook(Answer):
    id: int
    """Of the connection."""
    connection: str
    label: str
    state: str
    """active, failing, none (changes are found by polling only)."""
    text: str
    """Why it is not active, or what was done to it last."""
    wanted: bool
    """false: a person removed it."""
    checked_at: datetime | None
    last_event_at: datetime | None
    events_of_day: int
    """Received within the last 24 hours."""
    refused: int
    """Requests that were not genuine."""
    refused_at: datetime | None
    key_since: datetime | None
    old_key_until: datetime | None
    """The key before the last change is good until then."""
    new_key_asked: bool


class WebhookEvent(Answer):
    id: int
    connection: str
    event: str
    """The vendor's id of it."""
    type: str
    """In the vendor's words."""
    record_type: str
    key: str
    """What it is about, as the vendor calls it."""
    happened_at: datetime | None
    received_at: datetime
    via: str
    """webhook, or history: from the vendor's list, because no notification had arrived."""
    state: str
    """waiting, processed, ignored."""
    text: str
    """Why it was ignored, or what came of it."""
    done_at: datetime | None
    records: list[int]
    """The records of what it is about."""


class EventReplayed(Answer):
    flows: list[str]
    """Those that read what it is about; due now."""
    workers: int
    event: WebhookEvent


# --- Tie-out and the trail


class TieOutLine(Answer):
    reason: str
    amount: Decimal
    number: str
    text: str
    record: int | None
    problem: int | None


class TieOutRow(Answer):
    supplier: str
    name: str
    currency: str
    source: Decimal
    target: Decimal
    difference: Decimal
    unexplained: Decimal
    lines: list[TieOutLine]


class TieOutTotal(Answer):
    currency: str
    source: Decimal
    target: Decimal
    difference: Decimal
    unexplained: Decimal
    by_reason: dict[str, Decimal]


class TieOut(Answer):
    integration: str
    source: str
    target: str
    made_at: datetime
    period: str | None
    source_read_at: datetime | None
    target_read_at: datetime | None
    totals: list[TieOutTotal]
    unexplained: dict[str, Decimal]
    """By currency; empty when both sides tie out."""
    suppliers: int
    """Rows of the tie-out."""


class AuditEntry(Answer):
    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    run: int | None
    transaction: str
    source_version: str
    detail: dict[str, Any]
    hash: str
    """SHA-256, hex, over the entry before and this one."""


class Verdict(Answer):
    holds: bool
    entries: int
    text: str
    bad: int | None
    """Sequence of the first entry that is wrong or missing."""
    begins: int
    """The trail's first entry; those before it were removed by retention, which is signed. 1: none was."""

"""Records, the Attempts to write them, and the Links that came of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ml_connector.sync.models.configuration import Connection, Flow, Integration
from ml_connector.sync.models.runs import Run
from ml_connector.workspaces.models import Workspace, WorkspaceModel


class State(models.TextChoices):
    """A Record is in exactly one of these, and they add up (R76)."""

    STAGED = "staged"
    READY = "ready"
    IN_FLIGHT = "in_flight"
    IN_DOUBT = "in_doubt"
    CONFIRMED = "confirmed"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    WRITTEN_OFF = "written_off"


class Record(WorkspaceModel):
    """One source document in one Flow, in its newest version."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=120)
    hash = models.BinaryField(max_length=32)
    """SHA-256 of `payload`, as it was read."""
    payload = models.BinaryField()
    """Canonical JSON of the record (see domain.records)."""
    version = models.CharField(max_length=64, blank=True)
    changed_at = models.DateTimeField(null=True)
    observed = models.TextField(blank=True)
    """JSON of what the source states besides: open, paid. Not part of the hash."""
    invalid = models.TextField(blank=True)
    """`cause: text` where the source's row cannot be a document."""
    gone = models.BooleanField(default=False)
    """A complete sweep no longer found the key (R18)."""

    number = models.CharField(max_length=100, blank=True)
    natural_key = models.CharField(max_length=160, blank=True)
    """Supplier, normalised number and kind: what a document is known by on both sides (R38)."""
    amount = models.BigIntegerField(null=True)
    """Gross in 1/10,000 of `currency`."""
    currency = models.CharField(max_length=3, blank=True)
    due_date = models.DateField(null=True)

    state = models.CharField(max_length=11, choices=State.choices, default=State.STAGED)
    next_attempt_at = models.DateTimeField(null=True)
    """Not to be sent, searched for or asked about before this instant; None = at once. Of a Record in flight, only
    one that the target has accepted and still has to decide on has any."""
    tries = models.PositiveIntegerField(default=0)
    """Transient failures in a row."""
    reason = models.TextField(blank=True)
    """Why it is skipped or written off."""
    sent_hash = models.BinaryField(max_length=32, null=True)
    """Hash of the version that the target is known to hold."""
    staged_at = models.DateTimeField()
    renewed_at = models.DateTimeField(null=True)
    """When another version or balance was last stored; None while it is the first."""
    erased_at = models.DateTimeField(null=True)
    """When its content was removed (R69, R70). `payload` is then what `domain.keeping.bare` leaves; `hash` stays that
    of the whole, so that the same document is known again. A newer version from the source sets it back to None."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "flow", "key"], name="record_key"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="record_state"),
        ]
        indexes = [
            models.Index(fields=["flow", "state"], name="record_work"),
            models.Index(
                fields=["flow", "next_attempt_at"],
                name="record_undecided",
                condition=Q(state="in_flight", next_attempt_at__isnull=False),
            ),
            models.Index(fields=["workspace", "natural_key"], name="record_natural", condition=~Q(natural_key="")),
            models.Index(fields=["workspace", "number"], name="record_number"),
            models.Index(fields=["workspace", "amount"], name="record_amount", condition=Q(amount__isnull=False)),
            models.Index(fields=["workspace", "due_date"], name="record_due", condition=Q(due_date__isnull=False)),
        ]


class Operation(models.TextChoices):
    CREATE = "create"
    UPDATE = "update"
    CANCEL = "cancel"


class Outcome(models.TextChoices):
    PENDING = "pending"
    """Intent committed; the request may or may not have left. With a handle: accepted, and not decided yet."""
    UNKNOWN = "unknown"
    """The answer was lost, or the process died."""
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    NOT_DONE = "not_done"
    """Known not to have happened: never sent, refused before handling, or searched for and not found."""
    ADOPTED = "adopted"
    """Found in the target, compared, linked."""


OPEN_OUTCOMES = (Outcome.PENDING, Outcome.UNKNOWN)


class Attempt(WorkspaceModel):
    """One write request: its intent, committed before it leaves (R1), and its outcome."""

    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="attempts")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    target = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    fence = models.BigIntegerField()
    operation = models.CharField(max_length=6, choices=Operation.choices)
    natural_key = models.CharField(max_length=200)
    """In the target's terms; one open Attempt per natural key and target (R7)."""
    mark = models.CharField(max_length=40)
    source_hash = models.BinaryField(max_length=32)
    request = models.BinaryField()
    """The resolved record that is sent, as canonical JSON; empty once it was removed (R69, R70)."""
    request_hash = models.BinaryField(max_length=32)
    mapping_versions = models.JSONField(default=dict)
    codes = models.JSONField(default=dict)
    """The source's codes that it was mapped by, by Mapping."""
    sent_with = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    """The Attempt whose Exchanges are also this one's, where several Records went in one request."""
    started_at = models.DateTimeField()

    outcome = models.CharField(max_length=9, choices=Outcome.choices, default=Outcome.PENDING)
    answered_at = models.DateTimeField(null=True)
    handle = models.CharField(max_length=200, blank=True)
    """What asks for the decision of a target that accepted the request to decide later (R12)."""
    accepted_at = models.DateTimeField(null=True)
    target_key = models.CharField(max_length=200, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "target", "natural_key"],
                condition=Q(outcome__in=[outcome.value for outcome in OPEN_OUTCOMES]),
                name="attempt_one_open",
            )
        ]


class Exchange(WorkspaceModel):
    """One request of an Attempt and its answer as they went over the wire, without what is secret (R71)."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="exchanges")
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    request = models.TextField()
    status = models.PositiveIntegerField(null=True)
    """None where no whole answer came."""
    answer = models.TextField()
    milliseconds = models.PositiveIntegerField()
    at = models.DateTimeField(db_index=True)


class Link(WorkspaceModel):
    """Source key <-> target key of the same thing."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=20)
    """supplier, invoice, credit_note, payment: documents of one type share a key space on each side."""
    source_key = models.CharField(max_length=120)
    target_key = models.CharField(max_length=200)
    lines = models.JSONField(default=list)
    """The target's line ids, in the order of the source's lines."""
    vouchers = models.JSONField(default=list)
    """The target's own numbers of what was booked, which the source is told."""
    made_by = models.CharField(max_length=60)
    """delivered, found, or the person who linked the two."""
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "integration", "type", "source_key"], name="link_source"),
            models.UniqueConstraint(fields=["workspace", "integration", "type", "target_key"], name="link_target"),
        ]

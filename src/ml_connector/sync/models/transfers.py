"""Transfers: documents that their source hands over, cycle by cycle (systems.base.HandsOver)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ml_connector.sync.models.configuration import Flow
from ml_connector.sync.models.records import Record
from ml_connector.sync.models.runs import Run
from ml_connector.workspaces.models import WorkspaceModel


class Claimed(models.TextChoices):
    """How far the claim of a document is."""

    WANTED = "wanted"
    """Stored, and not asked for yet."""
    ASKED = "asked"
    """Intent committed: the request may or may not have left, or its answer was lost."""
    OURS = "ours"
    ELSEWHERE = "elsewhere"
    """Somebody else claimed it, or we did and a restored database does not know."""
    NOT_NEEDED = "not_needed"
    """The source took the document back before."""


class Answered(models.TextChoices):
    """How far the answer to a document is."""

    NOT_YET = "not_yet"
    ASKED = "asked"
    """Intent committed, with all that it says: the request may or may not have left, or its receipt was lost."""
    ACCEPTED = "accepted"
    """The source took the request and has still to decide."""
    GIVEN = "given"
    REFUSED = "refused"
    """The source does not take it; people look into it."""
    NOT_NEEDED = "not_needed"
    """The source took the document back, and wants none."""


class Transfer(WorkspaceModel):
    """One cycle in which a source offered a document: how it was claimed, and what it was answered."""

    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="+", db_index=False)
    """The Record's, so that what is to be done is found without it."""
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="transfers")
    cycle = models.PositiveIntegerField()
    current = models.BooleanField(default=True)
    """It is the Record's newest."""

    claim = models.CharField(max_length=10, choices=Claimed.choices, default=Claimed.WANTED)
    claimed_at = models.DateTimeField(null=True)
    """When it was known to be ours."""

    answer = models.CharField(max_length=10, choices=Answered.choices, default=Answered.NOT_YET)
    success = models.BooleanField(null=True)
    text = models.TextField(blank=True)
    """What people read in the source."""
    vouchers = models.JSONField(default=list)
    code = models.CharField(max_length=60, blank=True)
    """What the answer is known by in the source; stored before it is sent (R1)."""
    handle = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True)
    """When it was known to be given."""

    asked_at = models.DateTimeField(null=True)
    """When the last request that may have been heard was intended; None: the last was known not to be."""
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    """Which intended it."""
    fence = models.BigIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    """Requests in a row that came to nothing."""
    next_at = models.DateTimeField(null=True)
    """Nothing is asked before this instant; None = at once."""
    error = models.TextField(blank=True)
    """What came of the last request, where it was nothing good."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "record", "cycle"], name="transfer_cycle"),
            models.UniqueConstraint(fields=["workspace", "record"], condition=Q(current=True), name="transfer_current"),
        ]
        indexes = [
            models.Index(
                fields=["flow", "next_at"],
                name="transfer_open",
                condition=Q(current=True, answer__in=["not_yet", "asked", "accepted"]),
            )
        ]

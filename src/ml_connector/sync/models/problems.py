"""Problems: one cause that holds Records back, or a divergence that waits for a person."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Flow, Integration
from ml_connector.sync.models.records import Record
from ml_connector.workspaces.models import Person, WorkspaceModel


class ProblemState(models.TextChoices):
    OPEN = "open"
    SOLVED = "solved"
    """The cause is gone."""
    HANDLED = "handled"
    """A person decided, with a reason."""


class Problem(WorkspaceModel):
    """One cause. `subject` makes it one: the account, the supplier, or the document it is about."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="+")
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, null=True, related_name="+")
    cause = models.CharField(max_length=30)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    """What happened, to which document, in plain words."""
    fix = models.TextField()
    """What to do."""
    detail = models.JSONField(default=dict)
    blocks = models.BooleanField()
    """False: it only reports; the Records stay confirmed and the divergence stays open."""
    state = models.CharField(max_length=7, choices=ProblemState.choices, default=ProblemState.OPEN)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=100, blank=True)
    action = models.CharField(max_length=30, blank=True)
    reason = models.TextField(blank=True)
    owner = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    """Who sees to it; nobody's while None."""
    snoozed_until = models.DateField(null=True)
    """The day on which it comes back by itself."""
    snoozed_due = models.DateField(null=True)
    """The earliest due date that it held when it was snoozed: an earlier one brings it back at once."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "integration", "cause", "subject"],
                condition=models.Q(state="open"),
                name="problem_one_open",
            )
        ]


class ProblemRecord(WorkspaceModel):
    """A Record that a Problem holds back or reports on."""

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="holds")
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="problems")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "problem", "record"], name="problem_record")]


class ProblemComment(WorkspaceModel):
    """What a person wrote about a Problem. Nothing changes or deletes one; the trail holds the hash of its text, so
    that the text can be erased with the person (R69)."""

    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField()
    author = models.CharField(max_length=100)
    """As the trail calls them."""
    at = models.DateTimeField()

"""Connections, Integrations and Flows: what an installation is told to do."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from ml_connector.workspaces.models import WorkspaceModel

PARK_AT = 5
"""A Flow whose jobs killed their workers this often in a row is parked: not run any more until people look at it."""


HANDED_OVER = timedelta(seconds=10)
"""How far ahead a due instant is moved when the job is handed to the queue: one that the queue loses is due again then.
One that it has is not handed over again, however long it waits."""


class Health(models.TextChoices):
    UNKNOWN = "unknown"
    OK = "ok"
    FAILING = "failing"
    CIRCUIT_OPEN = "circuit_open"
    """Credentials were refused: nothing is tried until a person changes them or asks for a retry (R61)."""


class Connection(WorkspaceModel):
    """One workspace's way into one System. Its secrets lie in the vault under its name."""

    name = models.CharField(max_length=60)
    system = models.CharField(max_length=20)
    settings = models.JSONField(default=dict)
    credential = models.CharField(max_length=64, unique=True)
    """Fingerprint of what the vendor limits. Unique over all Workspaces: a credential is never shared."""
    identity = models.CharField(max_length=300, blank=True)
    """Company that was first confirmed; another one is refused (R51)."""
    identity_text = models.CharField(max_length=300, blank=True)
    identity_serial = models.BigIntegerField(null=True)
    """The session under which the company was last confirmed; a session leads to one company only."""

    stand_in = models.CharField(max_length=40, blank=True)
    """Which stand-in it leads to, where it leads to one of ours for a trial; empty for a real system."""

    health = models.CharField(max_length=12, choices=Health.choices, default=Health.UNKNOWN)
    health_text = models.TextField(blank=True)
    health_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    """No job before this instant: the vendor throttled us or did not answer."""
    failures = models.PositiveIntegerField(default=0)
    """Transient failures in a row; sets the length of the next wait."""

    lease_holder = models.CharField(max_length=80, blank=True)
    lease_fence = models.BigIntegerField(default=0)
    """Rises with each new holder; a late result under an older number is refused (R9)."""
    lease_until = models.DateTimeField(null=True)
    """By the database's clock."""

    session_serial = models.BigIntegerField(default=0)
    """Rises with each log-in; the session itself is sealed in the vault."""
    session_used_at = models.DateTimeField(null=True)
    login_holder = models.CharField(max_length=40, blank=True)
    """Who is signing in just now, so that nobody else does (R60)."""
    login_until = models.DateTimeField(null=True)
    """By the database's clock; after it the claim is void, because its holder has died."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="connection_name")]


class Allowance(models.Model):
    """Uses of a counted limit of a developer key, over all Workspaces that share the key (R59)."""

    fingerprint = models.CharField(max_length=64)
    allowance = models.CharField(max_length=30)
    window = models.BigIntegerField()
    """Start of the window, seconds since 1970, a multiple of its length."""
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fingerprint", "allowance", "window"], name="allowance_row")]


class Integration(WorkspaceModel):
    """A pair of Connections with the Flows between them."""

    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    erp = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    platform = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    policies = models.JSONField(default=dict)
    paused = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="integration_name")]


class Flow(WorkspaceModel):
    """One record type in one direction. What it is stands in `ml_connector.integrations`; this row says when
    it runs and how far it has come."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="flows")
    name = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()
    every = models.PositiveIntegerField()
    """Seconds between two pulls."""
    policies = models.JSONField(default=dict)
    paused = models.BooleanField(default=False)

    cursor = models.JSONField(null=True)
    backfill_from = models.DateField(null=True)
    records_ever = models.BigIntegerField(default=0)
    """Records ever staged, counted where they are staged; R76 compares it with the rows there are."""

    next_pull_at = models.DateTimeField(null=True)
    next_push_at = models.DateTimeField(null=True)
    next_sweep_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_swept_at = models.DateTimeField(null=True)
    found_only_by_sweep = models.BigIntegerField(default=0)
    deaths = models.PositiveSmallIntegerField(default=0)
    """Workers that died in a row while running a job of this Flow; at PARK_AT it is parked with a Problem."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "integration", "name"], name="flow_name")]
        indexes = [
            # What is paused stays due for as long as it is, and would be looked through at every tick.
            models.Index(fields=["next_pull_at"], name="flow_to_pull", condition=models.Q(paused=False)),
            models.Index(fields=["next_push_at"], name="flow_to_push", condition=models.Q(paused=False)),
            models.Index(fields=["next_sweep_at"], name="flow_to_sweep", condition=models.Q(paused=False)),
        ]

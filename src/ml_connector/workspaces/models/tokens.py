"""Tokens of programs that use the JSON API, and the answers that are kept for requests that come twice."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from ml_connector.workspaces.models.tenancy import WorkspaceModel

PROGRAM = "token:"
"""How the actors begin that are programs."""


class ApiToken(WorkspaceModel):
    """A program's way into one Workspace. The token itself is shown once and never stored."""

    name = models.CharField(max_length=50)
    """Never given to another one, also after it was revoked: the trail names the program by it."""
    public = models.CharField(max_length=8)
    """The part of the token that it is known by, in lists and in a leak."""
    hash = models.BinaryField(max_length=32)
    """SHA-256 of the whole token."""
    scopes = models.JSONField(default=list)
    """Values of `roles.Permission`."""
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=100)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    minute = models.BigIntegerField(default=0)
    """Minute, since 1970, that `used` counts requests of."""
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="token_name"),
            models.UniqueConstraint(fields=["workspace", "public"], name="token_public"),
        ]

    @property
    def actor(self) -> str:
        """What the audit trail calls the program."""
        return f"{PROGRAM}{self.name}"

    def good(self, now: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > now


class KeptAnswer(WorkspaceModel):
    """What a request with an Idempotency-Key was answered; written in the transaction of what it did."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "token", "key"], name="kept_answer")]

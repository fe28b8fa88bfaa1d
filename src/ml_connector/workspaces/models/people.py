"""People, their places in Workspaces, and the one-time links by which they come in."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from ml_connector.workspaces.models.tenancy import Workspace, WorkspaceModel
from ml_connector.workspaces.roles import Role


class People(BaseUserManager["Person"]):
    def get_by_natural_key(self, email: str | None) -> Person:
        return self.get(email__iexact=email)


class Person(AbstractBaseUser):
    """Somebody who signs in. The trail names people by `actor`, never by name or address (R69)."""

    email = models.EmailField(unique=True)
    """Lower case: an address belongs to one person however it is written."""
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    single_sign_on_at = models.DateTimeField(null=True)
    """When they last came in by single sign-on; None: never."""

    objects = People()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def actor(self) -> str:
        """What the audit trail calls this person."""
        return f"{ACTOR}{self.pk}"


ACTOR = "person:"
"""How the actors begin that are people of the console."""


class Membership(WorkspaceModel):
    """A person's place in a Workspace."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=13, choices=Role.choices)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "person"], name="membership_one"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
        ]


class Invitation(models.Model):
    """A one-time link: to be the installation's first owner, to join a Workspace, or to choose a new password.

    Only the hash of its code is stored.
    """

    code_hash = models.BinaryField(max_length=32, unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="+")
    """None for the first owner, and for a new password."""
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="+")
    """Who chooses a new password."""
    email = models.EmailField(blank=True)
    """Who is invited; the first owner says it themselves."""
    role = models.CharField(max_length=13, choices=Role.choices, blank=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class RateLimitRow(models.Model):
    """A row of Django's cache table: counts attempts to sign in over all processes."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "workspaces_cache"

"""What each role may do: the one table that every view and call is checked against (R74)."""

from __future__ import annotations

from django.db import models


class Permission(models.TextChoices):
    VIEW = "view"
    """See everything of the Workspace: Records, Problems, the trail."""
    SOLVE = "solve"
    """Decide on Problems, replay Records, link suppliers. An override or write-off it only asks for."""
    MAP = "map"
    """Publish Mappings."""
    RUN = "run"
    """Run now, pause, resume, read again, test Connections."""
    APPROVE = "approve"
    """Be the second person (R41, R72)."""
    CONFIGURE = "configure"
    """Connections, credentials and settings."""
    PEOPLE = "people"
    """Invite people, give them roles, take them out."""


class Role(models.TextChoices):
    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"


_WORK = {Permission.VIEW, Permission.SOLVE, Permission.MAP, Permission.RUN}

MAY: dict[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMINISTRATOR: frozenset(_WORK | {Permission.CONFIGURE, Permission.PEOPLE}),
    Role.OPERATOR: frozenset(_WORK),
    Role.APPROVER: frozenset({Permission.VIEW, Permission.APPROVE}),
    Role.AUDITOR: frozenset({Permission.VIEW}),
}


def may(role: str, permission: Permission) -> bool:
    """False also for a role that this release does not know."""
    return permission in MAY.get(role, frozenset())

"""Workspaces, and the people who work in them."""

from ml_connector.workspaces.models.people import Invitation, Membership, Person, RateLimitRow
from ml_connector.workspaces.models.tenancy import (
    Workspace,
    WorkspaceManager,
    WorkspaceModel,
    WorkspaceRequired,
)
from ml_connector.workspaces.models.tokens import ApiToken, KeptAnswer

__all__ = [
    "ApiToken",
    "Invitation",
    "KeptAnswer",
    "Membership",
    "Person",
    "RateLimitRow",
    "Workspace",
    "WorkspaceManager",
    "WorkspaceModel",
    "WorkspaceRequired",
]

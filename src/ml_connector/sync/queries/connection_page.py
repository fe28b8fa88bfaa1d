"""Connections as the console shows them: do they work, who uses them, what do they have left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ml_connector import clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.integrations import SYSTEMS
from ml_connector.redaction import redacted
from ml_connector.sync import approvals
from ml_connector.sync.connections import uses_this_hour
from ml_connector.sync.models import Connection, Integration
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class ConnectionRow:
    """One Connection."""

    id: int
    name: str
    system: str
    label: str
    company: str
    stand_in: bool
    asked: int | None
    """The Approval that a change of it waits for."""
    health: str
    text: str
    health_at: datetime | None
    waits_until: datetime | None
    """The vendor throttled us, or did not answer."""
    in_use_by: str
    session_used_at: datetime | None
    used_this_hour: dict[str, int]
    """Of each limit that the vendor counts."""
    integrations: tuple[str, ...]
    last_ping: datetime | None
    settings: tuple[tuple[str, str], ...]
    """By the labels of the System's form; secrets are only named."""
    secrets: tuple[str, ...]


def connection_rows(workspace: Workspace) -> list[ConnectionRow]:
    return [_row(row) for row in Connection.objects.of(workspace).select_related("workspace").order_by("name")]


def one_connection(workspace: Workspace, connection_id: int) -> ConnectionRow | None:
    row = Connection.objects.of(workspace).select_related("workspace").filter(pk=connection_id).first()
    return _row(row) if row else None


def _row(row: Connection) -> ConnectionRow:
    system = SYSTEMS[row.system]
    now = clock.now()
    integrations = Integration.objects.of(row.workspace_id)
    names = {one.name for one in integrations.filter(erp=row)} | {one.name for one in integrations.filter(platform=row)}
    pings = AuditEntry.objects.of(row.workspace_id).filter(subject=f"connection:{row.pk}", action="ping")
    secret = {setting.name for setting in system.settings() if setting.secret}
    return ConnectionRow(
        row.pk,
        row.name,
        row.system,
        system.label,
        row.identity_text,
        bool(row.stand_in),
        approvals.waiting_about(row.workspace_id, f"connection:{row.pk}").values_list("pk", flat=True).first(),
        row.health,
        redacted(row.health_text),
        row.health_at,
        row.not_before if row.not_before and row.not_before > now else None,
        row.lease_holder if row.lease_until and row.lease_until > now else "",
        row.session_used_at,
        _used(row),
        tuple(sorted(names)),
        pings.order_by("-sequence").values_list("at", flat=True).first(),
        tuple((name, redacted(str(value))) for name, value in sorted(row.settings.items()) if name not in secret),
        tuple(sorted(secret)),
    )


def _used(row: Connection) -> dict[str, int]:
    """None where the settings or secrets by which the vendor counts are not there yet."""
    try:
        return uses_this_hour(row)
    except (vault.VaultError, KeyError):
        return {}

"""Code lists as last read from each Connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from ml_connector.sync.codes import fault
from ml_connector.sync.models import CodeListEntry, Connection
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class CodeListRow:
    """One list of one Connection."""

    connection: str
    list: str
    codes: int
    """Without those that are gone."""
    gone: int
    changed_at: datetime
    """When a reading last found something new or changed in it."""


@dataclass(frozen=True)
class CodeRow:
    """One code."""

    code: str
    number: str
    """What people know it by."""
    name: str
    type: str
    fault: str | None
    """Why nothing can be posted to it, as a sentence."""
    gone: bool


def code_lists(workspace: Workspace) -> list[CodeListRow]:
    rows = (
        CodeListEntry.objects.of(workspace)
        .values("connection__name", "list")
        .annotate(codes=Count("pk", filter=Q(gone=False)), lost=Count("pk", filter=Q(gone=True)), seen=Max("seen_at"))
        .order_by("connection__name", "list")
    )
    return [CodeListRow(row["connection__name"], row["list"], row["codes"], row["lost"], row["seen"]) for row in rows]


def code_rows(connection: Connection, list_name: str, *, after: str = "", at_most: int) -> Sequence[CodeRow]:
    """Codes behind a code, in their order, also those that are gone."""
    rows = CodeListEntry.objects.of(connection.workspace_id).filter(connection=connection, list=list_name)
    found = rows.filter(code__gt=after).order_by("code")[:at_most]
    return [CodeRow(row.code, row.number, row.name, row.type, fault(row), row.gone) for row in found]

"""The audit trail: page through it, and check it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from ninja import Query, Router

from ml_connector import vault
from ml_connector.api.v1 import shapes
from ml_connector.api.v1.frame import Call, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import Page, Text
from ml_connector.audit.cutting import kept
from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.redaction import redacted

router = Router(tags=["Audit"])


@reads(router, "/audit", Page[shapes.AuditEntry])
def list_audit_entries(
    request: Call,
    workspace: str,
    since: Annotated[int, Query(ge=0, lt=2**63, description="Only entries behind this sequence.")] = 0,
    subject: Text = "",
    cursor: Cursor = "",
    limit: Limit = SIZE,
) -> object:
    """The trail, oldest first. Whoever keeps a copy goes on with `since` at the last sequence that it has. Entries that
    retention removed are not there: `begins` of the verification says where the trail begins."""
    pages = Pages(cursor, limit, "audit", since, subject)
    rows = kept(request.workspace).filter(sequence__gt=max(since, pages.after_number() or 0))
    rows = rows.filter(subject=subject) if subject else rows
    page = pages.page(list(rows.order_by("sequence")[: pages.at_most]), lambda row: row.sequence)
    return {**page, "items": [_shown(row) for row in page["items"]]}


@reads(router, "/audit/verification", shapes.Verdict)
def verify_audit_trail(request: Call, workspace: str) -> object:
    """Walks the whole trail: was anything changed, removed, re-ordered or cut off. Takes longer the longer it is."""
    return verify(request.workspace, None, vault.signing_key().public_key().public_bytes_raw().hex())


def _shown(row: AuditEntry) -> shapes.AuditEntry:
    return shapes.AuditEntry(
        sequence=row.sequence,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        run=row.run,
        transaction=row.transaction,
        source_version=row.source_version,
        detail=_told(msgspec.json.decode(row.detail)),
        hash=bytes(row.hash).hex(),
    )


def _told(value: Any) -> Any:
    """What people typed as a reason may hold what should not be told."""
    if isinstance(value, dict):
        return {name: _told(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_told(part) for part in value]
    return redacted(value) if isinstance(value, str) else value

"""Approvals as the console shows them: what waits, for whom, and what approving one would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ml_connector.sync import mappings
from ml_connector.sync.codes import CodeIndex
from ml_connector.sync.flows import declaration
from ml_connector.sync.models import Approval, ApprovalKind, ApprovalState, Connection, Integration
from ml_connector.sync.queries.problems import ProblemRow, one_problem
from ml_connector.workspaces.models import Workspace

PAGE = 50


@dataclass(frozen=True)
class ApprovalRow:
    """One request."""

    id: int
    kind: str
    title: str
    subject: str
    state: str
    asked_by: str
    asked_at: datetime
    reason: str
    evidence: str
    decided_by: str
    decided_at: datetime | None
    decision_reason: str


@dataclass(frozen=True)
class Proposed:
    """One value that would change."""

    name: str
    now: str
    then: str
    secret: bool = False


@dataclass(frozen=True)
class ApprovalView:
    """One request with what it would do."""

    row: ApprovalRow
    values: tuple[Proposed, ...]
    problem: ProblemRow | None
    connection: str
    integration: str
    mapping: str
    mapping_label: str
    starts: str
    """Day from which a Mapping's version would be in force; empty: when it is approved."""


@dataclass(frozen=True)
class ApprovalPage:
    for_me: tuple[ApprovalRow, ...]
    """Others asked for it, and this person may approve."""
    mine: tuple[ApprovalRow, ...]
    """This person asked for it; it waits for somebody else."""
    others: tuple[ApprovalRow, ...]
    """It waits, and this person may not approve."""
    decided: tuple[ApprovalRow, ...]
    """The latest, newest first."""
    after: int | None


def approval_page(workspace: Workspace, actor: str, *, may_approve: bool, before: int | None = None) -> ApprovalPage:
    """What waits, and one page of what is over, `before` an id."""
    waiting = waiting_rows(workspace)
    mine = tuple(row for row in waiting if row.asked_by == actor)
    others = tuple(row for row in waiting if row.asked_by != actor)
    over = Approval.objects.of(workspace).exclude(state=ApprovalState.WAITING).order_by("-pk")
    if before is not None:
        over = over.filter(pk__lt=before)
    found = list(over[: PAGE + 1])
    return ApprovalPage(
        others if may_approve else (),
        mine,
        () if may_approve else others,
        tuple(approval_row(row) for row in found[:PAGE]),
        found[PAGE - 1].pk if len(found) > PAGE else None,
    )


def waiting_rows(workspace: Workspace) -> tuple[ApprovalRow, ...]:
    """All that is not decided, the oldest first."""
    rows = Approval.objects.of(workspace).filter(state=ApprovalState.WAITING).order_by("pk")
    return tuple(approval_row(row) for row in rows)


def waiting_for(workspace: Workspace, actor: str) -> int:
    """How many requests somebody who may approve could decide on."""
    rows = Approval.objects.of(workspace).filter(state=ApprovalState.WAITING)
    return rows.exclude(asked_by=actor).count()


def approval_view(workspace: Workspace, key: int) -> ApprovalView | None:
    """None where the Workspace has no such request."""
    row = Approval.objects.of(workspace).filter(pk=key).first()
    if row is None:
        return None
    problem, connection, integration = None, "", None
    values: tuple[Proposed, ...] = ()
    if row.kind == ApprovalKind.CREDENTIALS:
        connection, values = _connection(row)
    elif row.kind == ApprovalKind.MAPPING:
        rows = Integration.objects.of(workspace).select_related("erp", "platform")
        integration = rows.filter(pk=row.detail["integration"]).first()
        values = _codes(integration, row) if integration else ()
    elif row.kind == ApprovalKind.RETENTION:
        was = row.detail["was"]
        values = tuple(Proposed(name, _years(was[name]), _years(row.detail[name])) for name in was)
    else:
        problem = one_problem(workspace, int(row.subject.removeprefix("problem:")))
    name = row.detail.get("mapping", "")
    spec = declaration(integration).mapping(name) if integration else None
    return ApprovalView(
        approval_row(row),
        values,
        problem,
        connection,
        integration.name if integration else "",
        name,
        spec.label if spec else name,
        row.detail.get("from") or "",
    )


def approval_row(row: Approval) -> ApprovalRow:
    return ApprovalRow(
        row.pk, row.kind, row.title, row.subject, row.state, row.asked_by, row.asked_at, row.reason, row.evidence,
        row.decided_by, row.decided_at, row.decision_reason,
    )  # fmt: skip


def _years(years: int) -> str:
    return f"{years} years" if years else "for ever"


def _connection(row: Approval) -> tuple[str, tuple[Proposed, ...]]:
    """Settings with their values; of secrets only which ones, as the title says them."""
    rows = Connection.objects.of(row.workspace_id).filter(pk=int(row.subject.removeprefix("connection:")))
    connection = rows.first()
    if connection is None:
        return "", ()
    settings = tuple(
        Proposed(name, _text(connection.settings.get(name)), _text(value))
        for name, value in sorted(row.detail["settings"].items())
    )
    secrets = tuple(Proposed(name, "", "", secret=True) for name in row.detail["secrets"])
    return connection.name, settings + secrets


def _codes(integration: Integration, row: Approval) -> tuple[Proposed, ...]:
    """Codes as people know them."""
    spec = mappings.spec_of(integration, row.detail["mapping"])
    lists = mappings.code_lists(integration, spec)
    ours, theirs = lists[spec.source], lists[spec.source.other]
    was, entries = row.detail["was"], row.detail["entries"]
    return tuple(
        Proposed(_named(ours, code), _named(theirs, was[code]), _named(theirs, entries[code]))
        for code in sorted(entries)
    )


def _named(codes: CodeIndex, code: str | None) -> str:
    entry = codes.get(code) if code else None
    return f"{entry.number} {entry.name}".strip() if entry else code or ""


def _text(value: object) -> str:
    return "" if value is None else str(value)

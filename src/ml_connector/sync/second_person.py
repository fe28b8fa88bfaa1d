"""What waits for a second person, and what happens when one agrees (R41, R72).

An override, a write-off, the release of a bank change and a proposed tax id always wait. Mappings and credentials wait
once somebody else in the Workspace may approve; before that they take effect at once, and the trail says so. So they do
for the command line, `apply` included: it is the host's own hand, and the trail names the host in place of the second
person.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ml_connector import audit, clock, vault
from ml_connector.sync import approvals, connecting, mappings, problems, retention
from ml_connector.sync.approvals import NotDecided
from ml_connector.sync.flows import declaration
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.models import (
    Approval,
    ApprovalKind,
    ApprovalState,
    Connection,
    Integration,
    MappingVersion,
    Problem,
)
from ml_connector.workspaces.models import Workspace


def publish_mapping(
    integration: Integration,
    name: str,
    entries: Mapping[str, str | None],
    actor: str,
    reason: str = "",
    effective_from: date | None = None,
    *,
    after: int | None = None,
) -> MappingVersion | Approval:
    """Publishes changes of a Mapping, or asks for it. `after`: the version that they were made on.

    Raises MappingRefused and MappingMoved before anything is asked.
    """
    why_not = approvals.second_person_of(integration.workspace, actor)
    if why_not:
        return mappings.set_entries(
            integration, name, entries, actor, reason, effective_from, after=after, second_person=why_not
        )
    mappings.must_be_latest(integration, name, after)
    checked = mappings.check(integration, name, entries)
    was = mappings.mapped(integration, name)
    changed = {source: target for source, target in checked.entries.items() if was.get(source) != target}
    if not changed:
        return mappings.set_entries(integration, name, entries, actor, reason, effective_from)
    label = mappings.spec_of(integration, name).label
    codes = ", ".join(sorted(changed)[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    return approvals.ask(
        integration.workspace,
        ApprovalKind.MAPPING,
        f"mapping:{integration.pk} {name}",
        f"Publish {label} of {integration.name}: {codes}",
        actor,
        reason=reason,
        detail={
            "integration": integration.pk,
            "mapping": name,
            "entries": changed,
            "was": {source: was.get(source) for source in changed},
            "from": effective_from.isoformat() if effective_from else None,
        },
    )


def change_connection(
    row: Connection, settings: Mapping[str, Any], secrets: Mapping[str, str], actor: str, reason: str = ""
) -> list[str] | Approval:
    """Puts new settings and secrets of a Connection in force, or asks for it; gives the names of what changed.

    Settings must be valid for the System already. Raises CredentialShared.
    """
    connecting.check_credential(row, settings, secrets)
    why_not = approvals.second_person_of(row.workspace, actor)
    fields = connecting.changed_fields(row, settings, secrets)
    if why_not or not fields:
        with audit.recording(row.workspace, actor=actor) as trail:
            return connecting.change(trail, row, settings, secrets, why_not)
    return approvals.ask(
        row.workspace,
        ApprovalKind.CREDENTIALS,
        f"connection:{row.pk}",
        f"Change connection {row.name}: {', '.join(fields)}",
        actor,
        reason=reason,
        detail={
            "settings": {name: settings[name] for name in settings if f"settings.{name}" in fields},
            "secrets": [name for name in sorted(secrets) if f"secrets.{name}" in fields],
        },
        secrets={name: value for name, value in secrets.items() if f"secrets.{name}" in fields},
    )


def set_years(
    workspace: Workspace,
    actor: str,
    *,
    documents: int | None = None,
    wire: int | None = None,
    trail: int | None = None,
) -> Approval | None:
    """Sets for how many years the classes are kept; to keep something for a shorter time, asks for it, because what is
    removed does not come back. Raises YearsRefused."""
    workspace.refresh_from_db(fields=retention.YEARS)
    was, now = retention.years_of(workspace), retention.checked(workspace, documents, wire, trail)
    shorter = any((now[name] or math.inf) < (years or math.inf) for name, years in was.items())
    why_not = approvals.second_person_of(workspace, actor) if shorter else ""
    if why_not or not shorter:
        retention.set_years(workspace, actor, documents=documents, wire=wire, trail=trail, second_person=why_not)
        return None
    kept = f"{now['audit']} years" if now["audit"] else "ever"
    return approvals.ask(
        workspace,
        ApprovalKind.RETENTION,
        f"workspace:{workspace.pk} retention",
        f"Keep documents for {now['documents']} years, requests and answers for {now['wire']}, the trail for {kept}",
        actor,
        detail={**now, "was": was},
    )


def approve(row: Approval, actor: str, reason: str) -> str:
    """The second person's word: what was asked for is done, in the same transaction. Says what happened.

    Raises NotDecided, MappingRefused, DecisionRefused, CredentialShared and YearsRefused; then it waits on.
    """
    if row.asked_by == actor:
        raise NotDecided("You asked for it: somebody else must approve it.")
    row.refresh_from_db(fields=["state"])
    if row.state != ApprovalState.WAITING:
        raise NotDecided(f"It is {row.state} already.")
    return _DO[ApprovalKind(row.kind)](row, actor, reason)


def refuse(row: Approval, actor: str, reason: str) -> None:
    """Nothing of it is done. Raises NotDecided."""
    with audit.recording(row.workspace, actor=actor) as trail:
        approvals.settle(trail, row, actor, ApprovalState.REFUSED, reason)


def withdraw(row: Approval, actor: str, reason: str = "") -> None:
    """Taken back by who asked for it. Raises NotDecided."""
    with audit.recording(row.workspace, actor=actor) as trail:
        approvals.settle(trail, row, actor, ApprovalState.WITHDRAWN, reason)


def _problem(row: Approval, actor: str, reason: str) -> str:
    problem = Problem.objects.of(row.workspace_id).select_related("workspace", "integration").get(
        pk=int(row.subject.removeprefix("problem:"))
    )  # fmt: skip
    return problems.solve(problem, row.kind, reason, actor)


def _mapping(row: Approval, actor: str, reason: str) -> str:
    integration = Integration.objects.of(row.workspace_id).select_related("workspace", "erp", "platform").get(
        pk=row.detail["integration"]
    )  # fmt: skip
    name, was = row.detail["mapping"], row.detail["was"]
    now = mappings.mapped(integration, name)
    moved = sorted(source for source in row.detail["entries"] if now.get(source) != was.get(source))
    if moved:
        raise NotDecided(
            f"Meanwhile another version was published: {', '.join(moved)} is mapped to"
            f" {now.get(moved[0]) or 'nothing'} now. Refuse this request; who asked can ask again."
        )
    starts = date.fromisoformat(row.detail["from"]) if row.detail["from"] else clock.now().date()
    with audit.recording(row.workspace, actor=actor) as trail:
        approvals.settle(trail, row, actor, ApprovalState.APPROVED, reason)
        version = mappings.set_entries(
            integration, name, row.detail["entries"], row.asked_by, row.reason, starts, second_person=actor
        )
    label = declaration(integration).mapping(name)
    return f"{label.label if label else name} version {version.number} is published. What waited follows by itself."


def _credentials(row: Approval, actor: str, reason: str) -> str:
    connection = Connection.objects.of(row.workspace_id).select_related("workspace").get(
        pk=int(row.subject.removeprefix("connection:"))
    )  # fmt: skip
    secrets = vault.get_all(row.workspace, approvals.sealed_under(row))
    with audit.recording(row.workspace, actor=actor) as trail:
        approvals.settle(trail, row, actor, ApprovalState.APPROVED, reason)
        connecting.change(trail, connection, row.detail["settings"], secrets, f"{row.asked_by}, {actor}")
    return f"Connection {connection.name} uses it from now on. Test it: Connections, Test it."


def _retention(row: Approval, actor: str, reason: str) -> str:
    with audit.recording(row.workspace, actor=actor) as trail:
        approvals.settle(trail, row, actor, ApprovalState.APPROVED, reason)
        retention.set_years(
            row.workspace,
            row.asked_by,
            documents=row.detail["documents"],
            wire=row.detail["wire"],
            trail=row.detail.get("audit"),
            second_person=actor,
        )
    return "The years are set. What is older goes with the next daily removal."


_DO: dict[ApprovalKind, Callable[[Approval, str, str], str]] = {
    ApprovalKind.OVERRIDE: _problem,
    ApprovalKind.WRITE_OFF: _problem,
    ApprovalKind.RELEASE: _problem,
    ApprovalKind.APPLY: _problem,
    ApprovalKind.MAPPING: _mapping,
    ApprovalKind.CREDENTIALS: _credentials,
    ApprovalKind.RETENTION: _retention,
}

REFUSALS = (
    NotDecided,
    MappingRefused,
    problems.DecisionRefused,
    connecting.CredentialShared,
    retention.YearsRefused,
)
"""What approving may raise: its text is for the person who tried."""

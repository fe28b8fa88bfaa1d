"""Approvals: requests that wait for a second person (R41, R72). What approving one does is `second_person`.

Every request, and how it ended, is in the trail. Nobody approves their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from ml_connector import audit, clock, vault
from ml_connector.redaction import redacted
from ml_connector.sync.models import Approval, ApprovalKind, ApprovalState
from ml_connector.vault.models import Secret
from ml_connector.workspaces.models import ApiToken, Membership, Workspace
from ml_connector.workspaces.models.tokens import PROGRAM
from ml_connector.workspaces.roles import MAY, Permission

HOST = "host"
"""Stands in the trail for the second person where the command line did it: it is trusted like the host."""
ALONE = "nobody else may approve"
"""Likewise where the Workspace has nobody else who could."""
SEVERAL = frozenset({ApprovalKind.MAPPING})
"""Kinds of which several may wait about one subject, because each is about other codes."""


class NotDecided(Exception):
    """The request cannot be decided so. The text says why; nothing was changed."""


def host_of(actor: str) -> str:
    """HOST for the command line; empty for everybody else."""
    return HOST if actor.startswith("os:") else ""


def second_person_of(workspace: Workspace, actor: str) -> str:
    """Why an actor's change needs no second person: HOST or ALONE; empty where it has to wait for one."""
    return host_of(actor) or ("" if others_who_approve(workspace, actor) else ALONE)


def others_who_approve(workspace: Workspace, actor: str) -> int:
    """How many people besides `actor` may approve in this Workspace. Who made a program does not count as another."""
    roles = [role for role, permissions in MAY.items() if Permission.APPROVE in permissions]
    places = Membership.objects.of(workspace).filter(role__in=roles, person__is_active=True).select_related("person")
    themselves = {actor, _maker_of(workspace, actor)}
    return sum(place.person.actor not in themselves for place in places)


def ask(
    workspace: Workspace,
    kind: ApprovalKind,
    subject: str,
    title: str,
    actor: str,
    *,
    reason: str = "",
    evidence: str = "",
    detail: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Approval:
    """Stores a request; what waited about the same subject lapses. `secrets` are sealed until it is decided."""
    with audit.recording(workspace, actor=actor) as trail:
        if kind not in SEVERAL:
            lapse(trail, waiting_about(workspace, subject).exclude(kind__in=SEVERAL))
        row = Approval.objects.create(
            workspace=workspace,
            kind=kind,
            subject=subject,
            title=redacted(title)[:300],
            detail=dict(detail or {}),
            asked_by=actor,
            asked_at=clock.now(),
            reason=reason.strip(),
            evidence=evidence.strip(),
        )
        for field, value in (secrets or {}).items():
            vault.put(workspace, sealed_under(row), field, value)
        trail.add(
            "approval_asked", f"approval:{row.pk}", kind=kind.value, about=subject, reason=reason.strip(),
            **_evidence(row),
        )  # fmt: skip
    return row


def settle(trail: audit.Trail, row: Approval, actor: str, state: ApprovalState, reason: str) -> None:
    """Ends a request. Raises NotDecided where it was decided meanwhile, or by whom it must not be."""
    if state is ApprovalState.APPROVED:
        _must_be_another(row, actor)
    if state is ApprovalState.WITHDRAWN and row.asked_by != actor:
        raise NotDecided("Only who asked for it withdraws it. You can refuse it.")
    if state is not ApprovalState.WITHDRAWN and not reason.strip():
        raise NotDecided("It needs a reason: it goes into the audit trail.")
    waiting = Approval.objects.of(row.workspace_id).filter(pk=row.pk, state=ApprovalState.WAITING)
    now = clock.now()
    if not waiting.update(state=state, decided_by=actor, decided_at=now, decision_reason=reason.strip()):
        row.refresh_from_db()
        raise NotDecided(f"It is {row.state} already.")
    row.state, row.decided_by, row.decided_at, row.decision_reason = state, actor, now, reason.strip()
    _unseal(row)
    trail.add(
        "approval", f"approval:{row.pk}", kind=row.kind, about=row.subject, state=state.value, reason=reason.strip()
    )


def _must_be_another(row: Approval, actor: str) -> None:
    """A program is no second person, nor is whoever made the program that asked. Raises NotDecided."""
    if actor.startswith(PROGRAM):
        raise NotDecided("A program cannot be the second person: somebody has to approve it in the console.")
    if row.asked_by == actor:
        raise NotDecided("You asked for it: somebody else must approve it.")
    if actor == _maker_of(row.workspace, row.asked_by):
        raise NotDecided("You made the token that asked for it: somebody else must approve it.")


def _maker_of(workspace: Workspace, actor: str) -> str | None:
    """Who made a program's token; None for people."""
    if not actor.startswith(PROGRAM):
        return None
    made = ApiToken.objects.of(workspace).filter(name=actor.removeprefix(PROGRAM))
    return made.values_list("made_by", flat=True).first()


def lapse(trail: audit.Trail, rows: Iterable[Approval]) -> None:
    """Ends requests whose subject is over, or that another one replaces."""
    for row in rows:
        waiting = Approval.objects.of(row.workspace_id).filter(pk=row.pk, state=ApprovalState.WAITING)
        if waiting.update(state=ApprovalState.LAPSED, decided_at=clock.now()):
            _unseal(row)
            trail.add("approval", f"approval:{row.pk}", kind=row.kind, about=row.subject, state="lapsed")


def waiting_about(workspace: Workspace | int, subject: str) -> QuerySet[Approval]:
    """The requests about a subject that are not decided."""
    return Approval.objects.of(workspace).filter(subject=subject, state=ApprovalState.WAITING)


def sealed_under(row: Approval) -> str:
    """Owner, in the vault, of the secrets that a request brings."""
    return f"approval:{row.pk}"


def _unseal(row: Approval) -> None:
    Secret.objects.of(row.workspace_id).filter(owner=sealed_under(row)).delete()


def _evidence(row: Approval) -> dict[str, str]:
    """The trail proves what evidence was given without holding it (R69)."""
    return {"evidence": hashlib.sha256(row.evidence.encode()).hexdigest()} if row.evidence else {}

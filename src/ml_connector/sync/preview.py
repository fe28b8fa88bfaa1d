"""Preview: what the next sync of an Integration would do, without doing it.

The engine itself runs: it reads both systems, stages, resolves, checks and delivers. But it works on shadow tables,
which are gone afterwards, and each request that would change something is held back at the place where the right to
write is asked for, after the adapter has judged and built it. So a preview counts as a sync does, and cannot write.
What only the target can say in its answer, a refusal above all, it cannot foresee.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.db import connection as database

from ml_connector import audit, clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.integrations.base import FlowKind
from ml_connector.redaction import redacted
from ml_connector.sync import runs
from ml_connector.sync.connections import confirm_identity, opened
from ml_connector.sync.flows import connection_for, declaration, spec_of
from ml_connector.sync.leases import Lease, NotSent, held
from ml_connector.sync.models import Connection, Flow, Integration, Run, RunKind, RunState
from ml_connector.sync.queries.foreseen import FlowForeseen, before, foreseen
from ml_connector.sync.shadow import shadowed
from ml_connector.systems.base import Client, SystemFailure

ROUNDS = 10
"""How often what becomes ready by others is looked for; the engine is idle long before."""
_OF_THE_WORLD = ("login", "circuit_opened")

Told = Callable[[str], None]
"""Is told what begins now, as a sentence."""


class PreviewFailed(Exception):
    """The preview could not be made to its end; the text says why, and what to do. Nothing was written or stored."""


class Stopped(Exception):
    """Whoever asked for the preview does not want it any more."""


@dataclass(frozen=True)
class Preview:
    """What a sync would come to now."""

    integration: str
    erp: str
    """What people call it."""
    platform: str
    flows: tuple[FlowForeseen, ...]
    warnings: tuple[str, ...]
    """Where a reading was not what it should be (R19)."""


def preview(integration: Integration, actor: str, told: Told = lambda _: None) -> Preview:
    """Both Connections are held meanwhile, so jobs of theirs wait. The trail says that it was made, and nothing else.

    `told` is called in another thread, and may raise Stopped. Raises PreviewFailed, LeaseTaken, LeaseLost, Stopped.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="preview") as own_thread:
        return own_thread.submit(_preview, integration, actor, told).result()


def _preview(integration: Integration, actor: str, told: Told) -> Preview:
    rows = Flow.objects.of(integration.workspace_id).filter(integration=integration).order_by("position")
    flows = list(
        rows.select_related("workspace", "integration__workspace", "integration__erp", "integration__platform")
    )
    happened: list[tuple[str, str]] = []
    try:
        with ExitStack() as stack:
            sides = {side.pk: _Side(side) for side in (integration.erp, integration.platform)}
            for pk in sorted(sides):
                told(f"Signing in to {sides[pk].connection.name}.")
                sides[pk].enter(stack, f"preview {actor[:30]} {socket.gethostname()[:16]}:{os.getpid()}:{pk}")
            stack.enter_context(shadowed(integration.workspace))
            try:
                found = _rehearse(integration, flows, sides, told)
            finally:
                happened = _outside(integration)
        _note(integration, actor, found)
    except (SystemFailure, vault.VaultError) as failure:
        raise PreviewFailed(f"{redacted(str(failure))} Nothing was written.") from None
    finally:
        with audit.recording(integration.workspace, actor="worker") as trail:
            for action, subject in happened:
                trail.add(action, subject)
        database.close()
    return found


@dataclass
class _Side:
    """One Connection of the two, opened for looking only."""

    connection: Connection
    lease: Lease | None = None
    client: Client | None = None

    def enter(self, stack: ExitStack, holder: str) -> None:
        self.lease = stack.enter_context(held(self.connection.pk, holder[:80]))
        self.client = stack.enter_context(opened(self.connection, self.lease, may_write=_refuse))
        confirm_identity(self.connection, self.client)


def _refuse() -> None:
    raise NotSent


def _rehearse(integration: Integration, flows: Sequence[Flow], sides: Mapping[int, _Side], told: Told) -> Preview:
    """On shadow tables: one pull and one push per Flow, then pushes until nothing more becomes ready."""
    since = before(integration.workspace, flows)
    read: dict[str, int] = {}
    warnings: list[str] = []
    for flow in flows:
        label, names = spec_of(flow).label, {kind: connection_for(flow, kind).name for kind in RunKind}
        told(f"Reading {label} from {names[RunKind.PULL]}.")
        counts = _run(flow, RunKind.PULL, sides)
        read[flow.name] = int(counts.get("new", 0)) + int(counts.get("changed", 0))
        if counts.get("failed"):
            warnings.append(f"{names[RunKind.PULL]} gave no {label} at all, although it had some before.")
        reference = spec_of(flow).kind is FlowKind.REFERENCE
        told(f"Reading {label} from {names[RunKind.PUSH]}." if reference else f"Judging {label}.")
        _run(flow, RunKind.PUSH, sides)
    documents = [flow for flow in flows if spec_of(flow).kind is FlowKind.DOCUMENTS]
    for _ in range(ROUNDS):
        moved = [_moved(_run(flow, RunKind.PUSH, sides)) for flow in documents]
        if not any(moved):
            break
    page = declaration(integration)
    return Preview(
        integration.name,
        page.erp.label,
        page.written_to,
        tuple(foreseen(flow, since, read[flow.name]) for flow in documents),
        tuple(warnings),
    )


def _run(flow: Flow, kind: RunKind, sides: Mapping[int, _Side]) -> dict[str, Any]:
    """One Run of a Flow as `runs` makes it, but for schedule and health. Raises SystemFailure."""
    where = connection_for(flow, kind)
    side = sides[where.pk]
    assert side.lease is not None and side.client is not None
    run = Run.objects.create(
        workspace_id=flow.workspace_id, flow=flow, connection=where, kind=kind, fence=side.lease.fence,
        started_at=clock.now(),
    )  # fmt: skip
    counts = runs.body(flow, kind)(flow, run, side.client, side.lease, math.inf)
    stopped = counts.pop("stopped_by", None)
    if stopped is not None:
        raise stopped
    run.counts, run.state, run.ended_at = counts, RunState.SUCCEEDED, clock.now()
    run.save(update_fields=["counts", "state", "ended_at"])
    return counts


def _moved(counts: Mapping[str, Any]) -> bool:
    return any(counts.get(name) for name in ("created", "updated", "cancelled", "found", "settled"))


def _outside(integration: Integration) -> list[tuple[str, str]]:
    """What happened outside meanwhile and stands in the shadow of the trail: it belongs into the real one."""
    rows = AuditEntry.objects.of(integration.workspace_id).filter(action__in=_OF_THE_WORLD).order_by("sequence")
    return list(rows.values_list("action", "subject"))


def _note(integration: Integration, actor: str, found: Preview) -> None:
    """Into the trail: that people looked, and what they saw."""
    counts = {
        flow.flow: {"create": flow.created.records, "update": flow.updated.records, "cancel": flow.cancelled.records,
                    "found": flow.found.records, "skip": flow.skipped.records, "block": flow.blocked.records}
        for flow in found.flows
    }  # fmt: skip
    audit.note(integration.workspace, actor, "preview", f"integration:{integration.pk}", counts=counts)

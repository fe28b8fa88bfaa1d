"""Reading the code lists of both sides at once, outside of the schedule: before an Integration is started."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from ml_connector.integrations.base import FlowKind
from ml_connector.sync import runs
from ml_connector.sync.flows import connection_for, spec_of
from ml_connector.sync.leases import LeaseLost, LeaseTaken, held
from ml_connector.sync.models import DONE, Flow, Integration, RunKind

READING_SECONDS = 600


@dataclass(frozen=True)
class Reading:
    """One list of one side: about to be read (None), read, or not."""

    label: str
    connection: str
    ok: bool | None
    text: str


def read_lists(integration: Integration, actor: str) -> Iterator[Reading]:
    """Reads each list, as an ordinary Run. One that fails says why, and the next is read all the same."""
    rows = Flow.objects.of(integration.workspace_id).filter(integration=integration).order_by("position")
    for flow in rows.select_related("workspace", "integration__workspace", "integration__erp", "integration__platform"):
        if spec_of(flow).kind is FlowKind.REFERENCE:
            for kind in (RunKind.PULL, RunKind.PUSH):
                yield from _read(flow, kind, actor)


def _read(flow: Flow, kind: RunKind, actor: str) -> Iterator[Reading]:
    connection, label = connection_for(flow, kind), spec_of(flow).label
    yield Reading(label, connection.name, None, "being read")
    try:
        with held(connection.pk, f"reading {actor[:30]} {socket.gethostname()[:16]}:{os.getpid()}:{flow.pk}") as lease:
            run = runs.execute(flow, kind, lease, seconds=READING_SECONDS)
    except (LeaseTaken, LeaseLost) as taken:
        yield Reading(label, connection.name, ok=False, text=f"{taken} Try again in a minute.")
        return
    good = run.state in DONE and not run.counts.get("failed")
    text = f"{run.counts.get('read', 0):,} codes" if good else run.text or "It gave no codes, although it had some."
    yield Reading(label, connection.name, good, text)

"""What the latest Runs of a Flow say about its next one."""

from __future__ import annotations

from itertools import takewhile

from ml_connector.jobs.schedule import COLUMNS
from ml_connector.sync.models import Flow, Run, RunKind, RunState

LOOK_BACK = 12


def in_a_row(flow: Flow, kind: RunKind, state: RunState) -> int:
    """How many of the latest ended Runs of this kind, looking at a dozen, ended in `state` one after the other."""
    ended = Run.objects.of(flow.workspace_id).filter(flow=flow, kind=kind).exclude(state=RunState.LIVE)
    states = ended.order_by("-started_at", "-pk").values_list("state", flat=True)[:LOOK_BACK]
    return len(list(takewhile(lambda ended_in: ended_in == state, states)))


def deaths(flow: Flow) -> int:
    """Workers in a row that died in a job of this Flow. Counted per kind, so that pushes that succeed do not hide a
    pull that kills its worker each time."""
    return max(in_a_row(flow, kind, RunState.LOST) for kind in COLUMNS)

"""Following what a decision let go, without a reload: the address says since when, and which Records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlencode

from ml_connector import clock
from ml_connector.console.access import WorkspaceRequest
from ml_connector.jobs import schedule
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync.models import Flow, RunKind
from ml_connector.sync.queries.problem_page import SHOWN, Replay, replay_of


def begin(ids: Sequence[int], flows: Iterable[Flow], since: datetime) -> str:
    """Makes the writes due now; gives the query by which the page follows them."""
    schedule.wake([flow.pk for flow in flows], RunKind.PUSH)
    return urlencode({"since": since.isoformat(), "records": ",".join(map(str, ids[:SHOWN]))})


def followed(request: WorkspaceRequest) -> Replay | None:
    """What the address of a page follows; None where it follows nothing."""
    try:
        since = datetime.fromisoformat(request.GET["since"])
        ids = [int(part) for part in request.GET.get("records", "").split(",") if part]
    except (KeyError, ValueError):
        return None
    if since.tzinfo is None:
        return None
    # Another host's clock may be a little ahead of ours.
    return replay_of(request.workspace, ids, min(since, clock.now()), workers_alive())

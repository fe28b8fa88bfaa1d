"""What a pull does about webhooks: of everything that was announced it reads what there is now, and stages that.

What an event itself says is never used. So it does not matter in which order events come, how often, or how late: the
newest version is staged once, and older ones change nothing (R55, R58).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef

from ml_connector import audit, clock
from ml_connector.redaction import redacted
from ml_connector.sync.flows import spec_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import EventReading, Flow, ReceivedEvent, ReceivedState, Run
from ml_connector.sync.stage import Staged, encoded, stage
from ml_connector.systems.base import Conflict, Item, NotFound, Page, Refused, Source

AT_ONCE = 100
"""Events that are answered by one transaction."""


def read_announced(flow: Flow, run: Run, source: Source[Any], lease: Lease, deadline: float) -> tuple[Staged, int]:
    """Stages what waiting events are about, until none waits or the time is up; says how many events that answered.

    Raises what the source raises, but for refusals of one object: those are left to the poll. What was not answered
    waits for the next pull.
    """
    total, answered, last = Staged(), 0, 0
    rows = EventReading.objects.of(flow.workspace_id).filter(flow=flow, done_at=None).select_related("event")
    while part := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = part[-1].pk
        told: dict[str, str] = {}
        items: list[Item[Any]] = []
        for key in dict.fromkeys(reading.event.key for reading in part):
            item, text = _now(source, key)
            told[key] = text
            if item is not None:
                items.append(item)
        total.add(_staged(flow, run, lease, part, items, told))
        answered += len(part)
        if time.monotonic() > deadline:
            break
    return total, answered


def _now(source: Source[Any], key: str) -> tuple[Item[Any] | None, str]:
    """The object as it is, and what to say of its event."""
    try:
        item = source.get(key)
    except (Refused, NotFound, Conflict) as refused:
        # One object that cannot be shown must not keep the others from being read.
        return None, f"It could not be read: {redacted(str(refused))} It is left to polling."
    if item is None:
        return None, "It is no longer there, or does not belong to the Flow. The next comparison of keys decides."
    return item, "Read as it is now."


def _staged(
    flow: Flow,
    run: Run,
    lease: Lease,
    readings: Sequence[EventReading],
    items: Sequence[Item[Any]],
    told: dict[str, str],
) -> Staged:
    # Without a cursor: what was announced says nothing about what else has changed.
    page = Page(items, None, digest="")
    return stage(flow, [encoded(page)], run, lease, then=lambda trail: _done(trail, flow, readings, told))


def _done(trail: audit.Trail, flow: Flow, readings: Sequence[EventReading], told: dict[str, str]) -> None:
    now = clock.now()
    workspace = flow.workspace_id
    EventReading.objects.of(workspace).filter(pk__in=[reading.pk for reading in readings]).update(done_at=now)
    label = spec_of(flow).label
    events = {reading.event_id: reading.event for reading in readings}
    for event in events.values():
        event.text = f"{event.text}\n{flow.integration.name}, {label}: {told[event.key]}".strip()
    ReceivedEvent.objects.of(workspace).bulk_update(events.values(), ["text"])
    waits = EventReading.objects.of(workspace).filter(event=OuterRef("pk"), done_at=None)
    over = ReceivedEvent.objects.of(workspace).filter(pk__in=events).exclude(Exists(waits))
    over.update(state=ReceivedState.PROCESSED, done_at=now)
    trail.add("announced", f"flow:{flow.pk}", events=sorted(events))

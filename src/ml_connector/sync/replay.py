"""Replay: have Records judged and, where needed, sent again. Never a second document (R10).

A replay only puts a Record back to `staged`; what follows is the ordinary way with its search before create. One that
the target has accepted and not decided on is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ml_connector import audit, clock
from ml_connector.sync.models import Flow, Record, State
from ml_connector.workspaces.models import Workspace

REPLAYABLE = frozenset({State.BLOCKED, State.WRITTEN_OFF, State.SKIPPED, State.READY, State.STAGED})


def replay(workspace: Workspace, record_ids: Sequence[int], actor: str) -> dict[int, str]:
    """What each Record's replay came to, in words. Current mappings apply (R48)."""
    said: dict[int, str] = {}
    rows = {row.pk: row for row in Record.objects.of(workspace).filter(pk__in=record_ids).select_related("flow")}
    with audit.recording(workspace, actor=actor) as trail:
        for record_id in record_ids:
            record = rows.get(record_id)
            if record is None:
                said[record_id] = f"There is no record {record_id} in workspace {workspace.name}."
            elif record.erased_at is not None:
                said[record_id] = (
                    f"The content of {record.number or record.key} was removed on {record.erased_at:%Y-%m-%d}: there is"
                    " nothing to send. Change it in the source, and it is read anew."
                )
            elif record.state == State.CONFIRMED:
                said[record_id] = f"{record.number} is in the target already; nothing to do."
            elif record.state == State.IN_FLIGHT and record.next_attempt_at is not None:
                record.next_attempt_at = clock.now()
                record.save(update_fields=["next_attempt_at"])
                trail.add("replay", f"record:{record.pk}", was=record.state)
                said[record_id] = (
                    f"{record.number} was accepted, and the target has not decided on it yet. It is asked for now;"
                    " nothing is sent beside it."
                )
            elif record.state not in REPLAYABLE:
                said[record_id] = f"{record.number} is {record.state}: what became of it is being found out."
            else:
                judge_again(trail, record)
                said[record_id] = f"{record.number} is judged again with the mappings of today."
        flows = {row.flow_id for row in rows.values()}
        Flow.objects.of(workspace).filter(pk__in=flows).update(next_push_at=clock.now())
    return said


def judge_again(trail: audit.Trail, record: Record) -> None:
    """Puts a Record back to where it was read: the next push judges it with the mappings of today."""
    was = record.state
    record.state, record.reason, record.tries, record.next_attempt_at = State.STAGED, "", 0, None
    record.save(update_fields=["state", "reason", "tries", "next_attempt_at"])
    trail.add("replay", f"record:{record.pk}", was=was)

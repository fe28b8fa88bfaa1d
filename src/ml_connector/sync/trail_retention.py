"""Retention of the audit trail: its oldest entries are removed up to a signed checkpoint (R70).

The trail is cut from its beginning only, or its chain could not be followed. So it stops before the first entry that a
legal hold covers, however many old ones come after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from django.db.models import Min

from ml_connector import audit, vault
from ml_connector.audit import cutting
from ml_connector.audit.models import AuditEntry
from ml_connector.audit.offline_verify import Broken
from ml_connector.sync import holds, packs, retention
from ml_connector.sync.models import Approval, Hold, ProblemRecord
from ml_connector.sync.retention import FOR_EVER, Removal
from ml_connector.workspaces.models import Workspace

AT_MOST = 100_000
"""Entries that are verified, signed and removed at a time: what was done stays done when a worker ends meanwhile."""
_BATCH = 400
"""Records that one query looks for."""


class TrailBroken(Exception):
    """Nothing of the trail was removed, because what was to go is not what was written. The text says where."""


@dataclass(frozen=True)
class Foreseen:
    """What would go of the trail."""

    removal: Removal = field(default_factory=Removal)
    held_by: int | None = None
    """The first entry that a hold covers, where it keeps older entries than would go without it."""


def preview(workspace: Workspace) -> Foreseen:
    """What `remove` would remove now. Changes nothing, and verifies nothing."""
    workspace.refresh_from_db(fields=retention.YEARS)
    if workspace.audit_years == FOR_EVER:
        return Foreseen()
    before = retention.years_ago(workspace.audit_years)
    old = cutting.stretch(workspace, before)
    if old is None:
        return Foreseen()
    held = first_held(workspace, old.since)
    going = cutting.stretch(workspace, before, held)
    removal = Removal(going.entries, 0, going.oldest, going.newest) if going else Removal()
    removal.held = old.entries - removal.count
    return Foreseen(removal, held if removal.held else None)


def remove(workspace: Workspace, actor: str) -> Removal:
    """Removes what is old enough, AT_MOST entries at a time. Raises TrailBroken."""
    cutting.remove_rows(workspace)
    removal = Removal()
    while (part := _cut(workspace, actor)) is not None:
        cutting.remove_rows(workspace)
        removal.join(Removal(part.entries, 0, part.oldest, part.newest))
    return removal


def first_held(workspace: Workspace, since: int = 0) -> int | None:
    """The first entry behind `since` that a hold in force covers: about a held Record, a Problem that holds it or
    an approval of that, or about the hold itself. None where there is none."""
    if holds.held(workspace).everything:
        return since + 1
    entries = AuditEntry.objects.of(workspace).filter(sequence__gt=since)
    found = [_tells_of(hold, since) for hold in holds.in_force(workspace)]
    found += [
        entries.filter(subject__in=subjects).aggregate(first=Min("sequence"))["first"]
        for subjects in _subjects(workspace)
    ]
    return min((sequence for sequence in found if sequence is not None), default=None)


def _cut(workspace: Workspace, actor: str) -> cutting.Stretch | None:
    """Signs one part away; None where there is nothing to go, or no longer."""
    workspace.refresh_from_db(fields=retention.YEARS)
    if workspace.audit_years == FOR_EVER:
        return None
    years, key = workspace.audit_years, vault.signing_key()
    before = retention.years_ago(years)
    old = cutting.stretch(workspace, before, at_most=AT_MOST)
    found = cutting.stretch(workspace, before, first_held(workspace, old.since), AT_MOST) if old else None
    if found is None:
        return None
    try:
        cutting.check(workspace, found, key.public_key().public_bytes_raw().hex())
    except Broken as broken:
        raise TrailBroken(
            f"Nothing was removed from the audit trail of workspace {workspace.name}: {broken} Look into it first:"
            " ml-connector audit verify"
        ) from broken
    with audit.recording(workspace, actor=actor) as trail:
        # Reading the part took a while: what was decided meanwhile counts.
        holds.lock(workspace)
        workspace.refresh_from_db(fields=retention.YEARS)
        held = first_held(workspace, found.since)
        others = cutting.removed_up_to(workspace) != found.since
        if others or workspace.audit_years != years or (held is not None and held <= found.up_to):
            return None
        cutting.cut(trail, workspace, found, years, key)
        packs.say_again(trail, workspace, found.since, found.up_to)
    return found


def _subjects(workspace: Workspace) -> Iterator[list[str]]:
    """What entries about held Records are about, some hundreds at a time."""
    records = list(holds.covered(workspace))
    for start in range(0, len(records), _BATCH):
        part = records[start : start + _BATCH]
        problems = ProblemRecord.objects.of(workspace).filter(record__in=part).values_list("problem", flat=True)
        about = [f"problem:{problem}" for problem in set(problems)]
        asked = Approval.objects.of(workspace).filter(subject__in=about).values_list("pk", flat=True)
        yield [f"record:{record}" for record in part]
        yield about + [f"approval:{approval}" for approval in asked]


def _tells_of(hold: Hold, since: int) -> int | None:
    """The entry with which the hold was set."""
    told = AuditEntry.objects.of(hold.workspace_id).filter(action="hold", sequence__gt=since)
    for sequence, detail in told.order_by("sequence").values_list("sequence", "detail"):
        if msgspec.json.decode(detail)["hold"] == hold.pk:
            return sequence
    return None

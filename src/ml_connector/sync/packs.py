"""Packs: the tie-out of a closed period, frozen as it stood (R36).

A pack is a file, its hash, and the rows behind its page. None of them is ever changed; the trail holds the hash. What
happens to the period's documents afterwards opens a Problem (`closing`).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection
from django.db.models import Count

from ml_connector import audit, clock
from ml_connector.audit.models import AuditEntry
from ml_connector.sync import results
from ml_connector.sync.closing import CAUSE
from ml_connector.sync.models import Integration, Pack, Problem, StoredTieOut
from ml_connector.sync.tieout import TieOut, last_day, tie_out
from ml_connector.workspaces.models import Workspace

FORMAT = "ml-connector-tie-out-1"
"""First line of the file says so; a program that reads it checks it."""
UNFINISHED = timedelta(hours=1)
"""Freezing that takes longer has died."""
CHANGES = 200
"""Changed rows that are listed."""
TELLING = ("freeze", "pack_hash")
"""Entries of the trail that hold a pack's hash: the one of its freezing, and what `say_again` puts in its place."""


class NotFrozen(ValueError):
    """The period cannot be frozen. The text says why and what to do."""


class PackDamaged(Exception):
    """What is stored is not what was frozen."""


@dataclass(frozen=True)
class ChangedRow:
    """A supplier in a currency that stands otherwise than when the period was frozen. Units of 1/10,000."""

    supplier: str
    name: str
    currency: str
    source_then: int
    source_now: int
    target_then: int
    target_now: int


def period_given(workspace: Workspace, text: str) -> str:
    """The period as YYYY-MM. Raises NotFrozen for one that is none, or that is not over yet."""
    try:
        last = last_day(text)
    except ValueError as error:
        raise NotFrozen(str(error)) from None
    today = clock.now().astimezone(ZoneInfo(workspace.time_zone)).date()
    if today <= last:
        raise NotFrozen(f"{text} is not over yet: its last day is {last.isoformat()}. Freeze it after that.")
    return f"{last:%Y-%m}"


def freeze(integration: Integration, period: str, actor: str, seen: Callable[[int], None] | None = None) -> Pack:
    """Compares both sides as last read, up to the period's last day, and stores the result for good.

    Raises NotFrozen for a period that is not over or a side that was never read completely, and ValueError where
    there is nothing to tie out.
    """
    period = period_given(integration.workspace, period)
    _forget_unfinished(integration, period)
    # Before anything is read: what changes from here on is noticed.
    stored = results.begin(integration, period, frozen=True)
    try:
        return _filled(stored, integration, actor, seen)
    except Exception:
        results.forget(integration.workspace_id, [stored.pk])
        raise


def _filled(stored: StoredTieOut, integration: Integration, actor: str, seen: Callable[[int], None] | None) -> Pack:
    started = monotonic()
    found = tie_out(integration, stored.period, seen=seen)
    _check_readings(found, integration.workspace)
    results.fill(stored, found, monotonic() - started)
    frozen_at = clock.now()
    head = {"format": FORMAT, "workspace": integration.workspace.name, "frozen_at": frozen_at, "frozen_by": actor}
    content = msgspec.json.format(msgspec.json.encode({**head, **found.to_json()}), indent=1) + b"\n"
    digest = hashlib.sha256(content).hexdigest()
    with audit.recording(integration.workspace, actor=actor) as trail:
        pack = Pack.objects.create(
            workspace_id=integration.workspace_id,
            integration=integration,
            tie_out=stored,
            period=stored.period,
            frozen_at=frozen_at,
            frozen_by=actor,
            content=zlib.compress(content, 6),
            hash=digest,
        )
        trail.add("freeze", f"pack:{pack.pk}", integration=integration.pk, period=stored.period, hash=digest)
    return pack


def _check_readings(found: TieOut, workspace: Workspace) -> None:
    """Raises NotFrozen where a side was not read since the period's end."""
    for label, read_at in ((found.source, found.source_read_at), (found.target, found.target_read_at)):
        if read_at is None:
            raise NotFrozen(f"{label} was never read completely, so there is nothing to freeze. Run a sync first.")
        if read_at.astimezone(ZoneInfo(workspace.time_zone)).date() <= last_day(found.period or ""):
            raise NotFrozen(
                f"{label} was last read before {found.period} was over. Run a sync, then freeze it: what was posted"
                " since would be missing."
            )


def _forget_unfinished(integration: Integration, period: str) -> None:
    """What a worker that died left of freezing this period."""
    rows = StoredTieOut.objects.of(integration.workspace_id).filter(
        integration=integration, period=period, frozen=True, made_at__lt=clock.now() - UNFINISHED
    )
    left = rows.exclude(pk__in=Pack.objects.of(integration.workspace_id).values("tie_out"))
    results.forget(integration.workspace_id, list(left.values_list("pk", flat=True)))


def file_of(pack: Pack) -> bytes:
    """The file as it was frozen. Raises PackDamaged where it does not have the hash that the trail holds."""
    content = zlib.decompress(bytes(pack.content))
    told_by = AuditEntry.objects.of(pack.workspace_id).filter(subject=f"pack:{pack.pk}", action__in=TELLING)
    entry = told_by.order_by("sequence").first()
    told = msgspec.json.decode(entry.detail)["hash"] if entry else ""
    if hashlib.sha256(content).hexdigest() != told:
        raise PackDamaged(
            f"Pack {pack.pk} ({pack.period}) is not what was frozen: its hash differs from the one in the trail. Take"
            " it from a backup, and find out who changed the database."
        )
    return content


def say_again(trail: audit.Trail, workspace: Workspace, since: int, up_to: int) -> None:
    """To be called where the trail's entries behind `since`, up to this one, go: packs stay, and so do their hashes."""
    rows = AuditEntry.objects.of(workspace).filter(action__in=TELLING, sequence__gt=since)
    later = set(rows.filter(sequence__gt=up_to).values_list("subject", flat=True))
    for entry in rows.filter(sequence__lte=up_to).exclude(subject__in=later).order_by("sequence"):
        trail.add("pack_hash", entry.subject, **{"was": entry.sequence, **msgspec.json.decode(entry.detail)})


def file_name(pack: Pack) -> str:
    return f"tie-out-{pack.integration.name}-{pack.period}-pack-{pack.pk}.json"


def packs_of(workspace: Workspace, integration: Integration | None = None) -> list[Pack]:
    """The packs of a Workspace or of one Integration, the newest first; without their content."""
    rows = Pack.objects.of(workspace).select_related("integration", "tie_out").defer("content")
    return list((rows.filter(integration=integration) if integration else rows).order_by("-pk"))


def problems_of(pack: Pack) -> list[Problem]:
    """What was reported of the period's documents since they were read for the pack, the newest first."""
    rows = Problem.objects.of(pack.workspace_id).filter(
        integration=pack.integration_id,
        cause=CAUSE,
        subject=f"period:{pack.period}",
        opened_at__gte=pack.tie_out.made_at,
    )
    return list(rows.annotate(records=Count("holds")).order_by("-pk")[:20])


def changes(pack: Pack, now: StoredTieOut) -> list[ChangedRow]:
    """What stands otherwise in a later tie-out of the same period, the first CHANGES of it, by supplier.

    Balances of a closed period move on: its documents are paid and credited. What was entered or amended in it
    afterwards has its Problem besides.
    """
    with connection.cursor() as cursor:
        parts = {"workspace": pack.workspace_id, "then": pack.tie_out_id, "now": now.pk, "limit": CHANGES}
        cursor.execute(_CHANGES, parts)
        return [ChangedRow(*row) for row in cursor.fetchall()]


_CHANGES = """
    SELECT frozen.supplier, COALESCE(later.name, frozen.name), frozen.currency,
           frozen.source, COALESCE(later.source, 0), frozen.target, COALESCE(later.target, 0)
      FROM sync_tieoutrow frozen
 LEFT JOIN sync_tieoutrow later
        ON later.workspace_id = frozen.workspace_id AND later.tie_out_id = %(now)s
       AND later.only_in_target = frozen.only_in_target
       AND later.supplier = frozen.supplier AND later.currency = frozen.currency
     WHERE frozen.workspace_id = %(workspace)s AND frozen.tie_out_id = %(then)s AND NOT frozen.only_in_target
       AND (later.id IS NULL OR frozen.source <> later.source OR frozen.target <> later.target
            OR frozen.unexplained <> later.unexplained OR frozen.differences <> later.differences)
 UNION ALL
    SELECT later.supplier, later.name, later.currency, 0, later.source, 0, later.target
      FROM sync_tieoutrow later
 LEFT JOIN sync_tieoutrow frozen
        ON frozen.workspace_id = later.workspace_id AND frozen.tie_out_id = %(then)s
       AND frozen.only_in_target = later.only_in_target
       AND frozen.supplier = later.supplier AND frozen.currency = later.currency
     WHERE later.workspace_id = %(workspace)s AND later.tie_out_id = %(now)s AND NOT later.only_in_target
       AND frozen.id IS NULL
  ORDER BY 1, 3
     LIMIT %(limit)s
"""
"""Both ways, because a supplier may be on one side of time only."""

"""Computed tie-outs, kept: comparing a million documents takes minutes, looking at the result must not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from ml_connector import clock
from ml_connector.domain.money import to_units
from ml_connector.sync.books import rows_to_read
from ml_connector.sync.models import Integration, StoredTieOut, TieOutLine, TieOutRow
from ml_connector.sync.tieout import Line, Row, TieOut, tie_out

__all__ = ["begin", "compute", "fill", "forget", "keep", "newest", "rows_to_read"]

_BATCH = 200


def compute(integration: Integration, period: str = "", seen: Callable[[int], None] | None = None) -> StoredTieOut:
    """Compares both sides as last read and keeps the result in place of the one before. Raises ValueError."""
    started = time.monotonic()
    found = tie_out(integration, period or None, seen=seen)
    seconds = time.monotonic() - started
    before = [row.pk for row in _kept(integration, period)]
    stored = keep(integration, found, seconds)
    forget(integration.workspace_id, before)
    return stored


def newest(integration: Integration, period: str = "") -> StoredTieOut | None:
    """The last one computed for a period; packs do not count."""
    return _kept(integration, period).filter(complete=True).order_by("-pk").first()


def keep(integration: Integration, found: TieOut, seconds: float) -> StoredTieOut:
    """Stores a tie-out with its rows and lines."""
    return fill(begin(integration, found.period or ""), found, seconds)


def begin(integration: Integration, period: str, *, frozen: bool = False) -> StoredTieOut:
    """An empty one. `frozen`: for a pack; from now on changes in the period are noticed."""
    return StoredTieOut.objects.create(
        workspace_id=integration.workspace_id,
        integration=integration,
        period=period,
        made_at=clock.now(),
        frozen=frozen,
    )


def fill(stored: StoredTieOut, found: TieOut, seconds: float) -> StoredTieOut:
    """Puts rows and lines into it, in the order in which the tie-out has them.

    Each part is a transaction of its own: what jobs have to store does not wait for all of it.
    """
    every = [*((row, False) for row in found.rows), *((row, True) for row in found.only_in_target)]
    for start in range(0, len(every), _BATCH):
        with transaction.atomic():
            _keep_part(stored, every[start : start + _BATCH])
    stored.made_at, stored.seconds = min(stored.made_at, found.made_at), seconds
    stored.source_label, stored.target_label = found.source, found.target
    stored.source_read_at, stored.target_read_at = found.source_read_at, found.target_read_at
    stored.totals = found.to_json()["totals"]
    stored.clearing = found.clearing.to_json() if found.clearing else None
    stored.suppliers = len(found.rows)
    stored.differences = sum(len(row.lines) for row in found.rows)
    stored.complete = True
    stored.save()
    return stored


def _keep_part(stored: StoredTieOut, part: Sequence[tuple[Row, bool]]) -> None:
    rows = TieOutRow.objects.bulk_create(
        [_row(stored, row, only_in_target=stranger) for row, stranger in part], batch_size=80
    )
    lines = [_line(stored, row, line) for (given, _), row in zip(part, rows, strict=True) for line in given.lines]
    TieOutLine.objects.bulk_create(lines, batch_size=80)


def _kept(integration: Integration, period: str) -> QuerySet[StoredTieOut]:
    """Those that belong to no pack; what a worker that died left unfinished is among them."""
    rows = StoredTieOut.objects.of(integration.workspace_id)
    return rows.filter(integration=integration, period=period, frozen=False)


def forget(workspace: int, stored: list[int]) -> None:
    """Deletes tie-outs that belong to no pack. Table by table, so that each is one statement."""
    TieOutLine.objects.of(workspace).filter(tie_out__in=stored)._raw_delete("default")
    TieOutRow.objects.of(workspace).filter(tie_out__in=stored)._raw_delete("default")
    StoredTieOut.objects.of(workspace).filter(pk__in=stored).delete()


def _row(stored: StoredTieOut, row: Row, *, only_in_target: bool) -> TieOutRow:
    return TieOutRow(
        workspace_id=stored.workspace_id,
        tie_out=stored,
        supplier=row.supplier[:200],
        name=row.name[:200],
        currency=row.currency,
        source=to_units(row.source),
        linked=to_units(row.linked),
        target=to_units(row.target),
        unexplained=to_units(row.unexplained),
        differences=len(row.lines),
        only_in_target=only_in_target,
    )


def _line(stored: StoredTieOut, row: TieOutRow, line: Line) -> TieOutLine:
    return TieOutLine(
        workspace_id=stored.workspace_id,
        tie_out=stored,
        row=row,
        reason=line.reason.value,
        amount=to_units(line.amount),
        number=line.number[:200],
        text=line.text,
        date=line.date,
        record=line.record,
        source_key=line.source_key[:200],
        target_key=line.target_key[:200],
        problem=line.problem,
    )

"""What each code of a Mapping is used by: Records that the target holds and that were sent with it.

Counted when a write is confirmed, so that a page need not look through every Record. A newer version of a Record
that carries other codes moves it from one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from ml_connector import clock
from ml_connector.sync.models import Attempt, Integration, MappingUse, Operation, Outcome

_COUNT = """
    INSERT INTO sync_mappinguse (workspace_id, integration_id, name, source, records, last_used_at)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (workspace_id, integration_id, name, source)
    DO UPDATE SET records = sync_mappinguse.records + excluded.records, last_used_at = excluded.last_used_at
"""
_TAKE = """
    UPDATE sync_mappinguse SET records = records - 1
     WHERE workspace_id = %s AND integration_id = %s AND name = %s AND source = %s
"""


@dataclass(frozen=True)
class Use:
    """How a code is used."""

    records: int
    last: datetime


def count(integration: Integration, attempt: Attempt) -> None:
    """Notes the codes of an Attempt that the target took. To be called in the transaction of its outcome."""
    if attempt.operation == Operation.CANCEL:
        return
    before = _codes(_previous(attempt)) if attempt.operation == Operation.UPDATE else set()
    now = _codes(attempt.codes)
    same = (integration.workspace_id, integration.pk)
    at = connection.ops.adapt_datetimefield_value(clock.now())
    with connection.cursor() as cursor:
        # In one order everywhere, so that two transactions do not wait for each other.
        if now:
            cursor.executemany(_COUNT, [(*same, *code, int(code not in before), at) for code in sorted(now)])
        if before - now:
            cursor.executemany(_TAKE, [(*same, *code) for code in sorted(before - now)])


def uses(integration: Integration, name: str) -> dict[str, Use]:
    """By source code."""
    rows = MappingUse.objects.of(integration.workspace_id).filter(integration=integration, name=name)
    return {row.source: Use(row.records, row.last_used_at) for row in rows}


def _previous(attempt: Attempt) -> dict[str, list[str]]:
    rows = Attempt.objects.of(attempt.workspace_id).filter(record=attempt.record_id, pk__lt=attempt.pk)
    taken = rows.filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED]).exclude(operation=Operation.CANCEL)
    return taken.order_by("-pk").values_list("codes", flat=True).first() or {}


def _codes(codes: dict[str, list[str]]) -> set[tuple[str, str]]:
    return {(name, source[:100]) for name, sources in codes.items() for source in sources}

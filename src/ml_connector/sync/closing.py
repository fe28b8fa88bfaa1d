"""What happens to documents of a period after its tie-out was frozen: a Problem says so, the pack stays (R36)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import msgspec

from ml_connector import audit
from ml_connector.domain.records import PaymentStatus
from ml_connector.integrations.base import FlowKind
from ml_connector.sync import problems
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import Flow, ProblemRecord, Record, StoredTieOut
from ml_connector.sync.problems import Cause

CAUSE = "period_changed"

UNPOSTED = frozenset({PaymentStatus.PENDING, PaymentStatus.IN_FLIGHT, PaymentStatus.ISSUED, PaymentStatus.UNKNOWN})

Months = Mapping[str, str]
"""Keys of Records to the months (YYYY-MM) in which they are posted."""


class _Dates(msgspec.Struct):
    posting_date: date | None = None
    date: date | None = None
    status: str = ""


_DATES = msgspec.json.Decoder(_Dates)


def closed_periods(flow: Flow) -> frozenset[str]:
    """The frozen months of the Flow's Integration, and those being frozen; mostly none, and then nothing else here is
    asked for."""
    spec = spec_of(flow)
    if spec.record_type not in {"invoice", "payment"} or spec.kind is not FlowKind.DOCUMENTS:
        return frozenset()
    rows = StoredTieOut.objects.of(flow.workspace_id).filter(integration=flow.integration_id, frozen=True)
    return frozenset(rows.values_list("period", flat=True))


def months_stored(flow: Flow, keys: Collection[str]) -> dict[str, str]:
    """In which months Records are posted, as they are stored now."""
    found: dict[str, str] = {}
    wanted = list(keys)
    for start in range(0, len(wanted), 500):
        rows = Record.objects.of(flow.workspace_id).filter(flow=flow, key__in=wanted[start : start + 500])
        for key, payload in rows.values_list("key", "payload"):
            found[key] = month_of(bytes(payload))
    return found


def notice(trail: audit.Trail, flow: Flow, closed: Collection[str], before: Months, after: Months) -> None:
    """Reports the documents that were, or now are, posted in a frozen month."""
    touched: dict[str, set[str]] = {}
    for months in (before, after):
        for key, month in months.items():
            if month in closed:
                touched.setdefault(month, set()).add(key)
    for month, keys in sorted(touched.items()):
        _report(trail, flow, month, keys)


def notice_gone(trail: audit.Trail, flow: Flow, records: Iterable[Record]) -> None:
    """Likewise for what a sweep no longer found."""
    closed = closed_periods(flow)
    keys = [record.key for record in records] if closed else []
    if keys:
        notice(trail, flow, closed, months_stored(flow, keys), {})


def month_of(payload: bytes | bytearray) -> str:
    """The month in which a document is posted, by its canonical JSON; empty for a payment not to be posted yet."""
    try:
        dates = _DATES.decode(payload)
    except msgspec.ValidationError:
        return ""
    if dates.status in UNPOSTED:
        return ""
    day = dates.posting_date or dates.date
    return f"{day:%Y-%m}" if day else ""


def _report(trail: audit.Trail, flow: Flow, month: str, keys: Collection[str]) -> None:
    """One Problem for a month, with all its documents; a new one once people have accepted the one before."""
    frozen = StoredTieOut.objects.of(flow.workspace_id).filter(integration=flow.integration_id, frozen=True)
    stored = frozen.filter(period=month).latest("pk")
    problem = problems.open_problem(
        trail,
        flow.integration,
        Cause(
            CAUSE,
            f"period:{month}",
            f"Documents posted in {month} were entered, changed or removed in the source after the tie-out of that"
            f" month was frozen on {stored.made_at:%Y-%m-%d}. The pack stays as it is.",
            "Compare the pack with the tie-out of today. Post the change in an open period, or freeze the month once"
            " more; then accept.",
            blocks=False,
        ),
        flow,
    )
    wanted = sorted(keys)
    for start in range(0, len(wanted), 500):
        rows = Record.objects.of(flow.workspace_id).filter(flow=flow, key__in=wanted[start : start + 500])
        known = ProblemRecord.objects.of(flow.workspace_id).filter(problem=problem).values("record")
        ProblemRecord.objects.bulk_create(
            ProblemRecord(workspace_id=flow.workspace_id, problem=problem, record=record)
            for record in rows.exclude(pk__in=known).only("pk")
        )

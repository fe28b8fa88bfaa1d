"""Both sides' suppliers aligned: which of the target's suppliers no supplier of the source is (R46).

Suppliers are written one way. One that people entered in the target alone is reported, once each, with the supplier
that it resembles; the report ends by itself when the two are linked or when it is archived there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ml_connector import audit
from ml_connector.domain.numbers import normalised_code
from ml_connector.domain.records import Supplier, decode
from ml_connector.sync import links, problems, pull
from ml_connector.sync.flows import declaration, document_flows, spec_of
from ml_connector.sync.leases import Lease
from ml_connector.sync.links import UNKNOWN_VENDOR, LinkSuggestion, SupplierIndex, unknown_vendor
from ml_connector.sync.models import DONE, Flow, Link, Problem, ProblemState, Record, Run, RunKind, State
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import Client

COMPARED = "Compared, not written."


def read(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Stages what may have changed since the cursor, and compares it."""
    counts = pull.changes(flow, run, client, lease, deadline)
    return {**counts, **compare(flow, run, client, lease, deadline)}


def compare(flow: Flow, run: Run, client: Client, lease: Lease, deadline: float) -> dict[str, Any]:
    """Reports the target's suppliers that are nobody's, as far as both sides were read, and takes back what is no
    longer true. Asks nobody."""
    with audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
        lease.confirm()
        for record in Record.objects.of(flow.workspace_id).filter(flow=flow, state=State.STAGED):
            record.state, record.reason = State.SKIPPED, COMPARED
            record.save(update_fields=["state", "reason"])
            trail.add("skip", f"record:{record.pk}", reason=record.reason)
        sources = document_flows(flow.integration, "supplier")
        if not sources or not _delivered(sources[0]):
            return {}
        return {"reported": _report(trail, flow, sources[0])}


@dataclass(frozen=True)
class _Ours:
    """The source's suppliers, as they can be told by what the other side has."""

    index: SupplierIndex
    by_code: dict[str, str]
    names: dict[str, str]
    linked: dict[str, str]
    """Source keys to target keys."""
    undecided: frozenset[str]
    """Keys of those that are on their way, or for which a person is asked already which of the target's they are."""


def _delivered(suppliers: Flow) -> bool:
    """Whether the source's suppliers were read, and sent after that: before, each vendor would be nobody's."""
    ended = Run.objects.of(suppliers.workspace_id).filter(flow=suppliers, state__in=DONE, counts__unfinished=False)
    read_first = ended.filter(kind=RunKind.PULL).order_by("pk").values_list("pk", flat=True).first()
    return read_first is not None and ended.filter(kind=RunKind.PUSH, pk__gt=read_first).exists()


def _report(trail: audit.Trail, flow: Flow, suppliers: Flow) -> int:
    ours = _ours(suppliers)
    taken = set(ours.linked.values())
    count = 0
    open_ = set(
        Problem.objects.of(flow.workspace_id)
        .filter(integration=flow.integration, cause=UNKNOWN_VENDOR, state=ProblemState.OPEN)
        .values_list("subject", flat=True)
    )
    for record in Record.objects.of(flow.workspace_id).filter(flow=flow).select_related("flow").iterator():
        subject = unknown_vendor(record.key)
        known = record.key in taken or record.gone or _archived(record)
        cause = None if known or record.erased_at else _cause(flow, record, ours)
        if cause is not None:
            problems.report(trail, flow, record, cause)
            count += 1
        elif subject in open_:
            problems.end_problem(trail, flow.integration, UNKNOWN_VENDOR, subject=subject)
    return count


def _ours(suppliers: Flow) -> _Ours:
    integration = suppliers.integration
    known = dict(_suppliers(suppliers))
    linked = Link.objects.of(integration.workspace_id).filter(integration=integration, type="supplier")
    asked = Problem.objects.of(integration.workspace_id).filter(
        integration=integration, cause=links.CAUSE, state=ProblemState.OPEN
    )
    moving = Record.objects.of(integration.workspace_id).filter(
        flow=suppliers, state__in=[State.STAGED, State.READY, State.IN_FLIGHT, State.IN_DOUBT]
    )
    return _Ours(
        SupplierIndex(known.items()),
        {normalised_code(supplier.code): key for key, supplier in known.items()},
        {key: supplier.name for key, supplier in known.items()},
        dict(linked.values_list("source_key", "target_key")),
        frozenset([*asked.values_list("subject", flat=True), *moving.values_list("key", flat=True)]),
    )


def _suppliers(suppliers: Flow) -> Iterator[tuple[str, Supplier]]:
    rows = Record.objects.of(suppliers.workspace_id).filter(flow=suppliers, gone=False, invalid="", erased_at=None)
    for key, payload in rows.values_list("key", "payload").iterator():
        yield key, decode("supplier", bytes(payload))


def _cause(flow: Flow, record: Record, ours: _Ours) -> Cause | None:
    """What to say of one of the target's suppliers that is not linked; None where it is being seen to already."""
    vendor = decode("supplier", bytes(record.payload))
    coded = ours.by_code.get(normalised_code(vendor.short_name)) if vendor.short_name else None
    like = ours.index.resembling(vendor)
    free = [key for key in (coded, like.target_key if like else None) if key and key not in ours.linked]
    if coded in free or any(key in ours.undecided for key in free):
        return None
    page = declaration(flow.integration)
    here, there = page.system(spec_of(flow).source).label, page.system(spec_of(flow).target).label
    text = f"{vendor.name} in {here} (vendor {record.key}) is no supplier of {there}."
    alike = _alike(ours, coded, like, there)
    fix = (
        f"Enter it in {there} if you owe it money, link it to the supplier that it is, or archive it in {here}. If it"
        f" is to stay in {here} only, mark this as handled."
    )
    detail = {"target_key": record.key, **({"source_key": free[0]} if free else {})}
    return Cause(
        UNKNOWN_VENDOR, unknown_vendor(record.key), f"{text} {alike}".strip(), fix, blocks=False, detail=detail
    )


def _alike(ours: _Ours, coded: str | None, like: LinkSuggestion | None, there: str) -> str:
    key, why = (coded, "same code") if coded else (like.target_key, like.why) if like else (None, "")
    if key is None:
        return ""
    named = f"It resembles supplier {key} ({ours.names[key]}; {why})"
    linked = ours.linked.get(key)
    return f"{named}, which is vendor {linked}: one of the two may be entered twice." if linked else f"{named}."


def _archived(record: Record) -> bool:
    return "archived" in msgspec.json.decode(record.observed) if record.observed else False

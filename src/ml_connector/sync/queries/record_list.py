"""Records as the console lists them: newest first, page by page, found by what people know of a document.

Each part of a search is answered by an index, so a page costs the same with a million Records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from django.db.models import QuerySet

from ml_connector.domain.money import NotAnAmount, to_units
from ml_connector.domain.numbers import normalised
from ml_connector.integrations.base import FlowKind
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import Flow, Link, Record, State
from ml_connector.sync.queries.records import RecordRow, record_rows, record_type
from ml_connector.workspaces.models import Workspace

PAGE = 50
_AMOUNT = re.compile(r"[A-Z]{0,3}\s*([\d,]+(?:\.\d{1,4})?)\s*[A-Z]{0,3}")
MATCHES = 1_000
"""Matches of one way to find something that are looked at; whoever gets so many types more."""
_SUPPLIERS_READ = 20_000
"""Suppliers whose names are looked through."""
_SUPPLIERS_FOUND = 20
"""Suppliers of a name whose documents are found."""
_HIGHEST = "\U0010ffff"


@dataclass(frozen=True)
class RecordPage:
    """One page of a list of Records."""

    rows: tuple[RecordRow, ...]
    after: int | None
    """Where the next page goes on; None on the last one."""
    types: tuple[str, ...]
    """What the list can be narrowed to."""
    cut: bool
    """More match than are looked at: the list is not all of them."""


class _Name(msgspec.Struct):
    name: str = ""
    code: str = ""


def record_page(
    workspace: Workspace,
    *,
    search: str = "",
    state: str = "",
    type_name: str = "",
    before: int | None = None,
    size: int = PAGE,
) -> RecordPage:
    """At most `size` Records before an id, newest first. `search`: a number or its beginning, a supplier's code or
    name, a key of either side, an amount, a due date."""
    flows = list(Flow.objects.of(workspace).select_related("integration").order_by("position"))
    types = tuple(
        dict.fromkeys(record_type(spec_of(flow)) for flow in flows if spec_of(flow).kind is not FlowKind.REFERENCE)
    )
    flows = [flow for flow in flows if not type_name or record_type(spec_of(flow)) == type_name]
    cut = False
    if search.strip():
        ids, cut = _found(workspace, flows, search.strip(), state, before, size)
    else:
        ids = _newest(workspace, flows, state, before, size)
    page = ids[:size]
    rows = {row.id: row for row in record_rows(workspace, ids=page)}
    return RecordPage(
        tuple(rows[key] for key in page if key in rows), page[-1] if len(ids) > size and page else None, types, cut
    )


def _newest(workspace: Workspace, flows: Sequence[Flow], state: str, before: int | None, size: int) -> list[int]:
    """Asked for per Flow and state, because that is what there is an index for; merged here."""
    found: list[int] = []
    for flow in flows:
        for one in [state] if state else State.values:
            found += _ids(Record.objects.of(workspace).filter(flow=flow, state=one), before, size)
    return sorted(found, reverse=True)[: size + 1]


def _found(
    workspace: Workspace, flows: Sequence[Flow], text: str, state: str, before: int | None, size: int
) -> tuple[list[int], bool]:
    """Of each way to find something the first matches in the order of its index; all of them together by age. And
    whether there are more than those."""
    narrowing: dict[str, Any] = {"state": state} if state else {}
    if len(flows) < Flow.objects.of(workspace).count():
        narrowing["flow__in"] = [flow.pk for flow in flows]
    found: set[int] = set()
    cut = False
    for rows, order in _ways(workspace, flows, text):
        part = list(rows.filter(**narrowing).order_by(f"-{order}").values_list("pk", flat=True)[: MATCHES + 1])
        cut = cut or len(part) > MATCHES
        found.update(part[:MATCHES])
    return sorted((key for key in found if before is None or key < before), reverse=True)[: size + 1], cut


def _ways(workspace: Workspace, flows: Sequence[Flow], text: str) -> Iterable[tuple[QuerySet[Record], str]]:
    """What is asked for, and the column in whose order an index answers it."""
    rows = Record.objects.of(workspace)
    # Named as the index names its condition, so that it is used.
    documents = rows.exclude(natural_key="")
    suppliers = _suppliers_named(workspace, text)
    form = normalised(text)
    for spelling in {text, text.upper(), form} - {""}:
        yield _beginning(rows, "number", spelling), "number"
    for code in {text, text.upper(), *(code for _, code in suppliers)}:
        yield _beginning(documents, "natural_key", f"{code}|"), "natural_key"
    for flow in flows:
        for spelling in {text, text.upper()}:
            yield _beginning(rows.filter(flow=flow), "key", spelling), "key"
    yield rows.filter(pk__in=[key for key, _ in suppliers]), "pk"
    for flow in flows:
        links = Link.objects.of(workspace).filter(integration=flow.integration_id, type=spec_of(flow).link_type)
        keys = list(links.filter(target_key=text).values_list("source_key", flat=True))
        if keys:
            yield rows.filter(flow=flow, key__in=keys), "key"
    units, day = _units(text), _day(text)
    if units is not None:
        yield rows.filter(amount=units), "pk"
    if day is not None:
        yield rows.filter(due_date=day), "pk"


def _ids(rows: QuerySet[Record], before: int | None, size: int) -> list[int]:
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[: size + 1])


def _beginning(rows: QuerySet[Record], column: str, text: str) -> QuerySet[Record]:
    """A range, which an index answers on both databases; LIKE it would not."""
    return rows.filter(**{f"{column}__gte": text, f"{column}__lt": text + _HIGHEST})


def _suppliers_named(workspace: Workspace, text: str) -> list[tuple[int, str]]:
    """Records of suppliers whose name contains the text, with their codes."""
    wanted = text.casefold()
    if len(wanted) < 3:
        return []
    flows = Flow.objects.of(workspace).select_related("integration")
    of = [flow for flow in flows if spec_of(flow).record_type == "supplier"]
    rows = Record.objects.of(workspace).filter(flow__in=of).order_by()
    found = []
    for key, payload in rows.values_list("pk", "payload")[:_SUPPLIERS_READ].iterator():
        supplier = msgspec.json.decode(bytes(payload), type=_Name)
        if wanted in supplier.name.casefold():
            found.append((key, supplier.code))
            if len(found) == _SUPPLIERS_FOUND:
                break
    return found


def _units(text: str) -> int | None:
    """The amount that a text states, as it is stored."""
    match = _AMOUNT.fullmatch(text.upper())
    if match is None:
        return None
    try:
        return to_units(Decimal(match[1].replace(",", "")))
    except (InvalidOperation, NotAnAmount):
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

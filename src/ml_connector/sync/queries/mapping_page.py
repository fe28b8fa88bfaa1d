"""Mappings as the console shows them: a grid with suggestions, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ml_connector.integrations.base import MappingSpec
from ml_connector.sync import mappings
from ml_connector.sync.codes import CodeIndex, fault, shown
from ml_connector.sync.flows import declaration
from ml_connector.sync.mapping_history import Change
from ml_connector.sync.mappings import EntryView
from ml_connector.sync.models import Integration
from ml_connector.sync.queries.problem_page import OFFERED, Choice
from ml_connector.sync.suggestions import Suggestion, suggest
from ml_connector.workspaces.models import Workspace

PAGE = 50


@dataclass(frozen=True)
class MappingRow:
    """One Mapping of an Integration."""

    integration: str
    name: str
    label: str
    source_label: str
    target_label: str
    mapped: int
    unmapped: int
    faults: int
    """Entries whose codes were closed, deleted or retyped."""
    waiting: int
    """Records that wait for codes of it."""
    version: int
    published_at: datetime | None


@dataclass(frozen=True)
class GridRow:
    """One code with what it is mapped to, and what it could be mapped to."""

    entry: EntryView
    suggestion: Suggestion | None


@dataclass(frozen=True)
class MappingView:
    """One page of a Mapping's grid."""

    summary: MappingRow
    rows: tuple[GridRow, ...]
    found: int
    """Codes that match what is looked for."""
    page: int
    pages: int
    choices: tuple[Choice, ...]


def mapping_list(workspace: Workspace) -> list[MappingRow]:
    rows = Integration.objects.of(workspace).select_related("erp", "platform").order_by("name")
    return [_summary(row, spec, mappings.entries(row, spec.name)) for row in rows for spec in declaration(row).mappings]


def mapping_row(integration: Integration, name: str) -> MappingRow:
    """One Mapping. Raises MappingRefused for one that the Integration does not have."""
    return _summary(integration, mappings.spec_of(integration, name), mappings.entries(integration, name))


def mapping_view(
    integration: Integration, name: str, *, search: str = "", only: str = "", page: int = 1
) -> MappingView:
    """The codes of a Mapping that match. `only`: unmapped, suggested or faults. Raises MappingRefused for a Mapping
    that the Integration does not have."""
    spec = mappings.spec_of(integration, name)
    lists = mappings.code_lists(integration, spec)
    entries = mappings.entries(integration, name, lists)
    found = [entry for entry in entries if _matches(entry, search.strip().casefold()) and _wanted(entry, only)]
    if only == "suggested":
        having = {one.source for one in suggest(integration, name, {entry.source for entry in found}, lists)}
        found = [entry for entry in found if entry.source in having]
    pages = max(-(-len(found) // PAGE), 1)
    page = min(max(page, 1), pages)
    listed = found[(page - 1) * PAGE : page * PAGE]
    suggestions = {one.source: one for one in suggest(integration, name, {entry.source for entry in listed}, lists)}
    offered = lists[spec.source.other].present()
    return MappingView(
        _summary(integration, spec, entries),
        tuple(GridRow(entry, suggestions.get(entry.source)) for entry in listed),
        len(found),
        page,
        pages,
        tuple(Choice(entry.number, entry.name) for entry in offered[:OFFERED] if fault(entry) is None),
    )


def summary(integration: Integration, name: str) -> MappingRow:
    """Raises MappingRefused for a Mapping that the Integration does not have."""
    return _summary(integration, mappings.spec_of(integration, name), mappings.entries(integration, name))


def _summary(integration: Integration, spec: MappingSpec, entries: Sequence[EntryView]) -> MappingRow:
    page = declaration(integration)
    versions = mappings.history(integration, spec.name)
    mapped = sum(1 for entry in entries if entry.target is not None)
    return MappingRow(
        integration.name,
        spec.name,
        spec.label,
        page.system(spec.source).label,
        page.system(spec.source.other).label,
        mapped,
        len(entries) - mapped,
        sum(1 for entry in entries if entry.fault or entry.advice),
        sum(entry.waiting for entry in entries),
        versions[0].number if versions else 0,
        versions[0].published_at if versions else None,
    )


def _matches(entry: EntryView, text: str) -> bool:
    fields = (entry.source, entry.source_number, entry.source_name, entry.target_number, entry.target_name)
    return not text or any(text in field.casefold() for field in fields)


def _wanted(entry: EntryView, only: str) -> bool:
    if only in {"unmapped", "suggested"}:
        return entry.target is None
    return bool(entry.fault or entry.advice) if only == "faults" else True


def readable(integration: Integration, name: str, changes: Iterable[Change]) -> list[Change]:
    """The changes with what people know the codes by: number and name, where a list has them."""
    spec = mappings.spec_of(integration, name)
    lists = mappings.code_lists(integration, spec)
    ours, theirs = lists[spec.source], lists[spec.source.other]

    def told(codes: CodeIndex, code: str | None) -> str | None:
        entry = codes.named(code) if code is not None else None
        return shown(entry) if entry is not None else code

    return [
        Change(told(ours, change.source) or "", told(theirs, change.before), told(theirs, change.after))
        for change in changes
    ]

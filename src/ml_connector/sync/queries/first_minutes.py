"""How far the setting up of an Integration has come. Told from what is stored; nothing remembers a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings as installation

from ml_connector.audit.models import AuditEntry
from ml_connector.integrations import INTEGRATIONS
from ml_connector.integrations.base import FlowKind, IntegrationSpec, Side
from ml_connector.sync.models import CodeListEntry, Connection, Flow, Health, Integration, Listing
from ml_connector.sync.queries.mapping_page import MappingRow, mapping_list
from ml_connector.sync.queries.webhook_page import announcements
from ml_connector.sync.suggestions import suggest
from ml_connector.workspaces.models import Workspace

STEPS = ("connect", "test", "read", "map", "preview", "start")


@dataclass(frozen=True)
class SideView:
    """One of the two systems."""

    side: Side
    label: str
    id: int | None
    """Of the Connection; None while there is none."""
    connection: str
    """Its name, or the name that it will have."""
    health: str
    health_text: str
    company: str


@dataclass(frozen=True)
class ListView:
    """One code list of one side."""

    label: str
    connection: str
    codes: int
    read_at: datetime | None


@dataclass(frozen=True)
class MappingState:
    """One Mapping that has code lists on both sides."""

    row: MappingRow
    exact: int
    """Codes that are not mapped and are written the same on both sides."""
    suggested: int
    """All suggestions for codes that are not mapped."""


@dataclass(frozen=True)
class FirstMinutes:
    """One Integration on its way to its first Run."""

    kind: str
    label: str
    name: str
    id: int | None
    sides: tuple[SideView, ...]
    lists: tuple[ListView, ...]
    mappings: tuple[MappingState, ...]
    previewed_at: datetime | None
    started: bool
    """It has run, or may run."""
    paused: bool
    done: frozenset[str]
    now: str
    """The first step that is not done; empty when all are."""
    stand_ins: bool
    announced: tuple[str, ...]
    """How changes are heard of where a system can announce them, as sentences."""

    @property
    def connected(self) -> bool:
        """Both Connections are stored."""
        return all(side.id is not None for side in self.sides)

    @property
    def exact(self) -> int:
        """Codes that are written the same on both sides and are not mapped."""
        return sum(state.exact for state in self.mappings)


@dataclass(frozen=True)
class Begun:
    """Something that can be gone on with."""

    kind: str
    label: str
    name: str
    what: str


def spec_for(kind: str) -> IntegrationSpec | None:
    return INTEGRATIONS.get(kind)


def connection_name(spec: IntegrationSpec, name: str, side: Side) -> str:
    """What the Connection of a side is called that was made for an Integration of this name."""
    return f"{name}-{spec.system(side).name}"[:60]


def sides_of(workspace: Workspace, spec: IntegrationSpec, name: str) -> dict[Side, Connection | None]:
    """The Connections of an Integration, or those that were made for it already."""
    row = _integration(workspace, spec, name)
    if row is not None:
        return {Side.ERP: row.erp, Side.PLATFORM: row.platform}
    rows = Connection.objects.of(workspace).select_related("workspace")
    return {
        side: rows.filter(name=connection_name(spec, name, side), system=spec.system(side).name).first()
        for side in Side
    }


def begun(workspace: Workspace) -> list[Begun]:
    """What was begun and never started: Integrations that wait, and Connections that were made for one."""
    integrations = list(Integration.objects.of(workspace).select_related("erp", "platform").order_by("name"))
    found = [
        Begun(row.kind, INTEGRATIONS[row.kind].label, row.name, "not started yet")
        for row in integrations
        if row.kind in INTEGRATIONS and row.paused and not _has_run(row)
    ]
    used = {pk for row in integrations for pk in (row.erp_id, row.platform_id)}
    lone = Connection.objects.of(workspace).exclude(pk__in=used).order_by("name").values_list("name", "system")
    for name, system in lone:
        for spec in INTEGRATIONS.values():
            given = name.removesuffix(f"-{system}")
            if system in {spec.erp.name, spec.platform.name} and given not in {"", name}:
                found.append(Begun(spec.kind, spec.label, given, f"only {name} is there so far"))
    return found


def first_minutes(workspace: Workspace, spec: IntegrationSpec, name: str) -> FirstMinutes:
    row = _integration(workspace, spec, name)
    connections = sides_of(workspace, spec, name)
    sides = tuple(_side(spec, name, side, connections[side]) for side in Side)
    lists = _lists(spec, connections)
    states = _mappings(workspace, row) if row is not None and all(one.read_at for one in lists) else ()
    looks = AuditEntry.objects.of(workspace).filter(subject=f"integration:{row.pk}", action="preview") if row else None
    previewed = looks.order_by("-sequence").values_list("at", flat=True).first() if looks is not None else None
    started = row is not None and (not row.paused or _has_run(row))
    reached = {
        "connect": row is not None,
        "test": all(side.health == Health.OK for side in sides),
        "read": row is not None and all(one.read_at for one in lists),
        "map": bool(states) and all(state.row.version or not state.row.unmapped for state in states),
        "preview": previewed is not None,
        "start": started,
    }
    return FirstMinutes(
        spec.kind,
        spec.label,
        name,
        row.pk if row else None,
        sides,
        lists,
        states,
        previewed,
        started,
        bool(row and row.paused),
        frozenset(step for step, done in reached.items() if done),
        next((step for step in STEPS if not reached[step]), ""),
        all(connection is not None and bool(connection.stand_in) for connection in connections.values()),
        tuple(announcements(spec, reached=bool(installation.WEBHOOK_URL))),
    )


def _integration(workspace: Workspace, spec: IntegrationSpec, name: str) -> Integration | None:
    rows = Integration.objects.of(workspace).select_related("workspace", "erp__workspace", "platform__workspace")
    return rows.filter(name=name, kind=spec.kind).first()


def _has_run(row: Integration) -> bool:
    """Whether documents were ever read: code lists alone are read before the start."""
    flows = Flow.objects.of(row.workspace_id).filter(integration=row)
    reference = [flow.name for flow in INTEGRATIONS[row.kind].flows if flow.kind is FlowKind.REFERENCE]
    return flows.exclude(name__in=reference).filter(last_success_at__isnull=False).exists()


def _side(spec: IntegrationSpec, name: str, side: Side, row: Connection | None) -> SideView:
    if row is None:
        return SideView(side, spec.system(side).label, None, connection_name(spec, name, side), "", "", "")
    return SideView(side, spec.system(side).label, row.pk, row.name, row.health, row.health_text, row.identity_text)


def _lists(spec: IntegrationSpec, connections: dict[Side, Connection | None]) -> tuple[ListView, ...]:
    found = []
    for flow in spec.flows:
        for side in Side if flow.kind is FlowKind.REFERENCE else ():
            row = connections[side]
            if row is None:
                found.append(ListView(flow.label, connection_name(spec, "", side), 0, None))
                continue
            codes = CodeListEntry.objects.of(row.workspace_id).filter(connection=row, list=flow.record_type, gone=False)
            listing = Listing.objects.of(row.workspace_id).filter(connection=row, type=flow.record_type)
            at = listing.values_list("complete_at", flat=True).first()
            found.append(ListView(flow.label, row.name, codes.count(), at))
    return tuple(found)


def _mappings(workspace: Workspace, row: Integration) -> tuple[MappingState, ...]:
    listed = {spec.name for spec in INTEGRATIONS[row.kind].mappings if spec.list}
    rows: Sequence[MappingRow] = [one for one in mapping_list(workspace) if one.integration == row.name]
    found = []
    for one in rows:
        if one.name in listed:
            suggestions = suggest(row, one.name)
            exact = sum(1 for suggestion in suggestions if suggestion.rule == 1)
            found.append(MappingState(one, exact, len(suggestions)))
    return tuple(found)

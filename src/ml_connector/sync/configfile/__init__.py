"""The configuration file: read, checked as a whole, and given as plain values.

    workspace: acme
    connections:
      erp:  {system: syspro, settings: {...}, secrets: {operator_password: {env: SYSPRO_PASSWORD}}}
      bill: {system: bill, settings: {...}, secrets: {password: {file: bill-password}}}
    integrations:
      payables: {kind: syspro-bill, erp: erp, platform: bill, flows: {invoices: {every: 10m}}}

What the file leaves out stays as it is, so a Connection may be used that only the database knows, and a secret
that is stored already may be left out. An empty value (`~`) puts a setting or policy back to its default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ml_connector.integrations import INTEGRATIONS, SYSTEMS
from ml_connector.integrations.base import FlowSpec, IntegrationSpec, Side
from ml_connector.sync.configfile import needs, tables, values
from ml_connector.sync.configfile.tree import ConfigurationRefused, Entry, Fault, Faults, did_you_mean, load
from ml_connector.sync.configfile.values import interval_text
from ml_connector.systems.base import System

__all__ = [
    "Configuration",
    "ConfigurationRefused",
    "ConnectionPlan",
    "Fault",
    "Faults",
    "FlowPlan",
    "IntegrationPlan",
    "Known",
    "KnownConnection",
    "KnownIntegration",
    "MappingPlan",
    "check",
    "did_you_mean",
    "interval_text",
    "read",
]


@dataclass(frozen=True)
class ConnectionPlan:
    name: str
    line: int
    system: System
    settings: dict[str, Any]
    """What the file gives; None puts a setting back to its default."""
    secrets: dict[str, str]


@dataclass(frozen=True)
class FlowPlan:
    name: str
    every: int | None
    """Seconds; None leaves it as it is."""
    paused: bool | None
    policies: dict[str, Any]


@dataclass(frozen=True)
class MappingPlan:
    name: str
    line: int
    entries: dict[str, str | None]
    """None takes an entry out."""
    places: dict[str, tuple[str, int]]
    """File and line of each entry."""


@dataclass(frozen=True)
class IntegrationPlan:
    name: str
    line: int
    spec: IntegrationSpec
    erp: str
    platform: str
    paused: bool | None
    policies: dict[str, Any]
    flows: tuple[FlowPlan, ...]
    mappings: tuple[MappingPlan, ...]


@dataclass(frozen=True)
class Configuration:
    """A file without faults of its own."""

    file: str
    workspace: str
    connections: tuple[ConnectionPlan, ...]
    integrations: tuple[IntegrationPlan, ...]


@dataclass(frozen=True)
class KnownConnection:
    """A Connection that is stored already."""

    system: str
    settings: Mapping[str, Any]
    secrets: frozenset[str]
    """Names only."""


@dataclass(frozen=True)
class KnownIntegration:
    kind: str
    erp: str
    platform: str
    policies: Mapping[str, Any] = field(default_factory=dict)
    flows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Policies by Flow."""


@dataclass(frozen=True)
class Known:
    """What the database holds of the file's Workspace."""

    connections: Mapping[str, KnownConnection] = field(default_factory=dict)
    integrations: Mapping[str, KnownIntegration] = field(default_factory=dict)


def read(path: Path, known: Callable[[str], Known]) -> Configuration:
    """The file's content. `known` tells what is stored of the Workspace that the file names.

    Raises ConfigurationRefused with everything that is wrong, line by line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationRefused([Fault(str(path), 1, f"the file cannot be read ({error.strerror}).")]) from None
    except UnicodeDecodeError:
        raise ConfigurationRefused([Fault(str(path), 1, "the file is no text in UTF-8.")]) from None
    return _read(text, path, known, {})


def check(
    content: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]], known: Callable[[str], Known]
) -> Configuration:
    """What a page's form says, read and checked as a file that says the same.

    `content` is such a file as values; `secrets`, by Connection, are those that a person typed. Raises
    ConfigurationRefused; the faults name the values by their paths.
    """
    return _read(yaml.safe_dump(content, allow_unicode=True), Path(FORM), known, secrets)


FORM = "form"
"""What stands for the file's name where a page's form is read."""

Typed = Mapping[str, Mapping[str, str]]
"""Secrets that a person typed, by Connection."""


def _read(text: str, path: Path, known: Callable[[str], Known], typed: Typed) -> Configuration:
    root, faults = load(text, str(path))
    result = _configuration(root, path, known, typed) if root is not None else None
    if faults.found or result is None:
        raise ConfigurationRefused(faults.found)
    return result


def _configuration(root: Entry, path: Path, known: Callable[[str], Known], typed: Typed) -> Configuration | None:
    top = root.table({"workspace", "connections", "integrations"})
    workspace = None
    if "workspace" in top:
        workspace = values.name(top["workspace"], top["workspace"].raw or "")
    elif not root.faults.found:
        root.faults.add(root.line, "workspace is missing. Name the customer whose systems these are.")
    stored = known(workspace) if workspace else Known()
    connections = _connections(top.get("connections"), path.parent, stored, typed)
    systems = {name: entry.system for name, entry in stored.connections.items()}
    systems.update({plan.name: plan.system.name for plan in connections})
    declared = _names(top.get("connections"))
    integrations = _integrations(top.get("integrations"), path.parent, stored, systems, declared)
    if workspace is None:
        return None
    return Configuration(str(path), workspace, connections, integrations)


def _connections(entry: Entry | None, folder: Path, stored: Known, typed: Typed) -> tuple[ConnectionPlan, ...]:
    plans = []
    for name, value in (entry.table() if entry else {}).items():
        values.name(value, name)
        plan = _connection(name, value, folder, stored.connections.get(name), typed.get(name, {}))
        if plan is not None:
            plans.append(plan)
    return tuple(plans)


def _connection(
    name: str, entry: Entry, folder: Path, stored: KnownConnection | None, typed: Mapping[str, str]
) -> ConnectionPlan | None:
    parts = entry.table({"system", "settings", "secrets"})
    system_name = parts["system"].text() if "system" in parts else stored.system if stored else None
    if system_name is None:
        if "system" not in parts:
            entry.fault(f"names no system. Write system: and one of {', '.join(sorted(SYSTEMS))}.")
        return None
    system = SYSTEMS.get(system_name)
    if system is None:
        parts["system"].problem(f'there is no system "{system_name}".{did_you_mean(system_name, SYSTEMS)}')
        return None
    if stored and stored.system != system_name:
        parts["system"].fault(
            f"was {stored.system} and cannot become {system_name}. Add a Connection under another name."
        )
        return None
    faults = len(entry.faults.found)
    settings = values.settings(parts["settings"], system.form) if "settings" in parts else {}
    secrets = values.secrets(parts["secrets"], system.form, folder) if "secrets" in parts else {}
    effective = {**(stored.settings if stored else {}), **settings}
    faulty = _names(parts.get("settings")) - settings.keys()
    present = {key for key, value in effective.items() if value not in (None, "")} | faulty
    values.missing(entry, present, system.settings(), "settings")
    given = _names(parts.get("secrets")) | typed.keys()
    values.missing(entry, given | (stored.secrets if stored else set()), system.secrets(), "secrets")
    if stored:
        values.given_again(entry, stored.settings, effective, stored.secrets - given, system)
    if len(entry.faults.found) == faults:
        values.sense(entry, system, effective)
    return ConnectionPlan(name, entry.line, system, settings, {**secrets, **typed})


def _names(entry: Entry | None) -> set[str]:
    return set(entry.table()) if entry else set()


def _integrations(
    entry: Entry | None, folder: Path, stored: Known, systems: Mapping[str, str], declared: set[str]
) -> tuple[IntegrationPlan, ...]:
    plans = []
    for name, value in (entry.table() if entry else {}).items():
        values.name(value, name)
        plan = _integration(name, value, folder, stored.integrations.get(name), systems, declared)
        if plan is not None:
            plans.append(plan)
    return tuple(plans)


_PARTS = ("kind", "erp", "platform", "paused", "policies", "flows", "mappings")


def _integration(
    name: str,
    entry: Entry,
    folder: Path,
    stored: KnownIntegration | None,
    systems: Mapping[str, str],
    declared: set[str],
) -> IntegrationPlan | None:
    parts = entry.table(_PARTS)
    kind = parts["kind"].text() if "kind" in parts else stored.kind if stored else None
    if kind is None:
        if "kind" not in parts:
            entry.fault(f"names no kind. Write kind: and one of {', '.join(sorted(INTEGRATIONS))}.")
        return None
    spec = INTEGRATIONS.get(kind)
    if spec is None:
        parts["kind"].problem(f'there is no kind "{kind}".{did_you_mean(kind, INTEGRATIONS)}')
        return None
    if stored and stored.kind != kind:
        parts["kind"].fault(f"was {stored.kind} and cannot become {kind}. Add an Integration under another name.")
        return None
    sides = {side: _side(entry, parts, side, spec, stored, systems, declared) for side in Side}
    paused = parts["paused"].boolean() if "paused" in parts else None
    declared_policies = (*spec.policies, *(setting for flow in spec.flows for setting in flow.policies))
    policies = values.settings(parts["policies"], declared_policies) if "policies" in parts else {}
    flow_entries = parts["flows"].table(spec.flow_names) if "flows" in parts else {}
    flows = tuple(_flow(value, spec.flow(flow)) for flow, value in flow_entries.items())
    own = needs.Level(stored.policies if stored else {}, policies, parts.get("policies"))
    needs.check(entry, spec, own, _levels(spec, stored, flow_entries, flows))
    mapping_names = [mapping.name for mapping in spec.mappings]
    mappings = tuple(
        _mapping(mapping, value, folder)
        for mapping, value in (parts["mappings"].table(mapping_names) if "mappings" in parts else {}).items()
    )
    return IntegrationPlan(
        name, entry.line, spec, sides[Side.ERP], sides[Side.PLATFORM], paused, policies, flows, mappings
    )


def _levels(
    spec: IntegrationSpec, stored: KnownIntegration | None, entries: Mapping[str, Entry], flows: Sequence[FlowPlan]
) -> dict[str, needs.Level]:
    before = stored.flows if stored else {}
    given = {flow.name: flow.policies for flow in flows}
    places = {name: entry.table().get("policies") for name, entry in entries.items()}
    return {name: needs.Level(before.get(name, {}), given.get(name, {}), places.get(name)) for name in spec.flow_names}


def _side(
    entry: Entry,
    parts: Mapping[str, Entry],
    side: Side,
    spec: IntegrationSpec,
    stored: KnownIntegration | None,
    systems: Mapping[str, str],
    declared: set[str],
) -> str:
    before = getattr(stored, side) if stored else ""
    if side not in parts:
        if not before:
            entry.fault(f"names no {side}. Write {side}: and the name of a Connection to {spec.system(side).label}.")
        return before
    part = parts[side]
    chosen = part.text() or ""
    wanted = spec.system(side)
    if before and chosen != before:
        part.fault(
            f"was {before} and cannot become {chosen}: what was delivered belongs to it."
            " Add an Integration under another name."
        )
    elif chosen not in systems and chosen not in declared:
        part.problem(f'there is no Connection "{chosen}".{did_you_mean(chosen, systems)}')
    elif chosen in systems and systems[chosen] != wanted.name:
        other = SYSTEMS[systems[chosen]].label
        part.fault(f"is {chosen}, a Connection to {other}; {spec.kind} needs one to {wanted.label} here.")
    return chosen


def _mapping(name: str, entry: Entry, folder: Path) -> MappingPlan:
    table = tables.code_table(entry, folder)
    return MappingPlan(name, entry.line, table.entries, table.places)


def _flow(entry: Entry, spec: FlowSpec) -> FlowPlan:
    parts = entry.table({"every", "paused", "policies"})
    return FlowPlan(
        spec.name,
        values.interval(parts["every"]) if "every" in parts else None,
        parts["paused"].boolean() if "paused" in parts else None,
        values.settings(parts["policies"], spec.policies) if "policies" in parts else {},
    )

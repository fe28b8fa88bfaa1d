"""Apply: the database as the configuration file says. All of it in one transaction, or nothing.

Nothing is deleted by omission: what the file leaves out stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from ml_connector import audit, clock, vault
from ml_connector.integrations.base import FlowSpec
from ml_connector.sync import connecting, mappings
from ml_connector.sync.approvals import host_of
from ml_connector.sync.configfile import (
    Configuration,
    ConfigurationRefused,
    ConnectionPlan,
    Fault,
    FlowPlan,
    IntegrationPlan,
    Known,
    KnownConnection,
    KnownIntegration,
    MappingPlan,
    check,
    interval_text,
    read,
)
from ml_connector.sync.connections import credential_fingerprint
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.models import Connection, Flow, Integration
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class Change:
    """One object that was made or changed."""

    verb: str
    """create or change."""
    what: str
    details: str = ""
    """Names of what changed; never the value of a secret."""


@dataclass
class Plan:
    """What an application of the file does, or would do."""

    workspace: str
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def note(self, verb: str, what: str, details: str = "") -> None:
        self.changes.append(Change(verb, what, details))


def apply(path: Path, actor: str, *, dry_run: bool = False) -> Plan:
    """Applies a file; gives what changed. With `dry_run` everything is tried and taken back.

    Raises ConfigurationRefused with every fault; then nothing was changed.
    """
    return _applied(read(path, known), actor, dry_run=dry_run)


def change(content: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]], actor: str) -> Plan:
    """Applies what a page's form says: a file as values, and by Connection the secrets that a person typed.

    Raises ConfigurationRefused, whose faults name the values by path; then nothing was changed.
    """
    return _applied(check(content, secrets, known), actor)


def _applied(configuration: Configuration, actor: str, *, dry_run: bool = False) -> Plan:
    plan = Plan(configuration.workspace)
    with transaction.atomic():
        _apply(configuration, plan, actor)
        transaction.set_rollback(dry_run)
    return plan


def known(workspace_name: str) -> Known:
    """What is stored of a Workspace: the file is checked against it."""
    workspace = Workspace.objects.filter(name=workspace_name).first()
    if workspace is None:
        return Known()
    connections = {
        row.name: KnownConnection(row.system, row.settings, frozenset(connecting.stored_secrets(row)))
        for row in Connection.objects.of(workspace).select_related("workspace")
    }
    integrations = {
        row.name: KnownIntegration(row.kind, row.erp.name, row.platform.name, row.policies, _flow_policies(row))
        for row in Integration.objects.of(workspace).select_related("erp", "platform")
    }
    return Known(connections, integrations)


def _flow_policies(integration: Integration) -> dict[str, dict[str, Any]]:
    rows = Flow.objects.of(integration.workspace_id).filter(integration=integration)
    return {row.name: row.policies for row in rows}


def _apply(configuration: Configuration, plan: Plan, actor: str) -> None:
    workspace, made = Workspace.objects.get_or_create(
        name=configuration.workspace, defaults={"created_at": clock.now()}
    )
    faults: list[Fault] = []
    with audit.recording(workspace, actor=actor) as trail:
        if made:
            plan.note("create", f"workspace {workspace.name}")
            trail.add("config_change", f"workspace:{workspace.pk}", fields=["name"])
        for connection in configuration.connections:
            faults += _connection(workspace, configuration, connection, plan, trail, actor)
        if faults:
            raise ConfigurationRefused(faults)
        for integration in configuration.integrations:
            faults += _integration(workspace, integration, plan, trail, actor)
        if faults:
            raise ConfigurationRefused(faults)


# --- connections


def _connection(
    workspace: Workspace,
    configuration: Configuration,
    given: ConnectionPlan,
    plan: Plan,
    trail: audit.Trail,
    actor: str,
) -> list[Fault]:
    row = Connection.objects.of(workspace).select_related("workspace").filter(name=given.name).first()
    settings = connecting.merged(row.settings if row else {}, given.settings)
    before = connecting.stored_secrets(row) if row else {}
    secrets = {**before, **given.secrets}
    credential = credential_fingerprint(given.system, settings, secrets)
    shared = _shared_with(row, credential)
    if shared is not None:
        text = (
            f"connections.{given.name} signs in with the same credential as {shared}; its vendor counts the two as one"
            f" user. Give it a user of its own."
        )
        return [Fault(configuration.file, given.line, text)]
    fields = [f"settings.{name}" for name in _changed(row.settings if row else {}, settings)]
    changed_secrets = [name for name, value in given.secrets.items() if before.get(name) != value]
    fields += [f"secrets.{name}" for name in sorted(changed_secrets)]
    if row is None:
        row = Connection.objects.create(
            workspace=workspace, name=given.name, system=given.system.name, settings=settings, credential=credential
        )
        plan.note("create", f"connection {given.name} to {given.system.label}")
    elif fields:
        connecting.change(trail, row, given.settings, given.secrets, host_of(actor))
        plan.note("change", f"connection {given.name}", ", ".join(fields))
        return []
    else:
        return []
    for name in changed_secrets:
        vault.put(workspace, connecting.owner(row), name, given.secrets[name])
    trail.add("config_change", f"connection:{row.pk}", fields=fields, second_person=host_of(actor))
    return []


def _shared_with(row: Connection | None, credential: str) -> str | None:
    """What another Connection with this credential is called; only its Workspace where that is another one."""
    others = Connection.objects.across_workspaces().filter(credential=credential)
    other = others.select_related("workspace").first()
    if other is None or (row is not None and other.pk == row.pk):
        return None
    return f"connection {other.name} of workspace {other.workspace.name}"


# --- integrations, flows, mappings


def _integration(
    workspace: Workspace, given: IntegrationPlan, plan: Plan, trail: audit.Trail, actor: str
) -> list[Fault]:
    rows = {row.name: row for row in Connection.objects.of(workspace)}
    row = (
        Integration.objects.of(workspace).select_related("workspace", "erp", "platform").filter(name=given.name).first()
    )
    if row is None:
        row = Integration.objects.create(
            workspace=workspace,
            name=given.name,
            kind=given.spec.kind,
            erp=rows[given.erp],
            platform=rows[given.platform],
            policies=connecting.merged({}, given.policies),
            paused=bool(given.paused),
        )
        plan.note("create", f"integration {given.name} ({given.spec.label})")
        trail.add("config_change", f"integration:{row.pk}", fields=["kind", "erp", "platform", "policies"])
    else:
        name = f"integration {given.name}"
        _update(row, name, plan, trail, paused=given.paused, policies=given.policies, others={})
    given_flows = {flow.name: flow for flow in given.flows}
    for position, spec in enumerate(given.spec.flows):
        _flow(row, spec, position, given_flows.get(spec.name), plan, trail)
    return [fault for mapping in given.mappings for fault in _mapping(row, mapping, plan, actor)]


def _flow(
    integration: Integration,
    spec: FlowSpec,
    position: int,
    given: FlowPlan | None,
    plan: Plan,
    trail: audit.Trail,
) -> None:
    """Every Flow that the kind has gets its row, named in the file or not. The workers spread the first runs."""
    row = Flow.objects.of(integration.workspace_id).filter(integration=integration, name=spec.name).first()
    every = given.every if given else None
    name = f"flow {integration.name}.{spec.name}"
    if row is None:
        row = Flow.objects.create(
            workspace=integration.workspace,
            integration=integration,
            name=spec.name,
            position=position,
            every=every or spec.every,
            policies=connecting.merged({}, given.policies if given else {}),
            paused=bool(given and given.paused),
        )
        plan.note("create", name, f"every {interval_text(row.every)}")
        trail.add("config_change", f"flow:{row.pk}", fields=["every", "policies", "paused"])
        return
    others: dict[str, Any] = {"position": position}
    if every is not None:
        others["every"] = every
    paused, policies = (given.paused, given.policies) if given else (None, {})
    _update(row, name, plan, trail, paused=paused, policies=policies, others=others)


def _update(
    row: Integration | Flow,
    name: str,
    plan: Plan,
    trail: audit.Trail,
    *,
    paused: bool | None,
    policies: Mapping[str, Any],
    others: Mapping[str, Any],
) -> None:
    merged = connecting.merged(row.policies, policies)
    fields = [f"policies.{key}" for key in _changed(row.policies, merged)]
    row.policies = merged
    if paused is not None and paused != row.paused:
        row.paused = paused
        fields.append("paused")
    for key, value in others.items():
        if getattr(row, key) != value:
            setattr(row, key, value)
            fields.append(key)
    if fields:
        row.save()
        plan.note("change", name, ", ".join(fields))
        kind = "flow" if isinstance(row, Flow) else "integration"
        trail.add("config_change", f"{kind}:{row.pk}", fields=fields)


def _mapping(integration: Integration, given: MappingPlan, plan: Plan, actor: str) -> Iterator[Fault]:
    """Publishes what differs, as one version; its faults are those of the lines that say so."""
    if not given.entries:
        return
    before = {version.number for version in mappings.history(integration, given.name)}
    try:
        checked = mappings.check(integration, given.name, given.entries, before_reading=True)
        version = mappings.set_entries(
            integration, given.name, given.entries, actor, "Applied from the configuration.", before_reading=True
        )
    except MappingRefused as refused:
        for fault in refused.faults:
            file, line = given.places.get(fault.source, next(iter(given.places.values())))
            yield Fault(file, line, f"integrations.{integration.name}.mappings.{given.name}: {fault.text}")
        return
    if version.number not in before:
        plan.note("change", f"mapping {integration.name}.{given.name}", f"version {version.number}")
        plan.warnings.extend(checked.warnings)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))

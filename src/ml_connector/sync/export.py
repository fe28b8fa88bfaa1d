"""Export: the configuration file of a Workspace, without its secrets."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import yaml

from ml_connector.integrations import SYSTEMS
from ml_connector.sync import mappings
from ml_connector.sync.configfile import interval_text
from ml_connector.sync.connecting import stored_secrets
from ml_connector.sync.flows import declaration
from ml_connector.sync.models import Connection, Flow, Integration
from ml_connector.workspaces.models import Workspace

_HEADER = "# Secrets are not part of this file: set the environment variables that it names, or write {file: PATH}.\n"


def export(workspace: Workspace) -> str:
    """YAML that `apply` reads again. Secrets are named as environment variables that must be set then."""
    integrations = Integration.objects.of(workspace).select_related("workspace", "erp", "platform").order_by("name")
    connections = Connection.objects.of(workspace).select_related("workspace").order_by("pk")
    content: dict[str, Any] = {
        "workspace": workspace.name,
        "connections": {row.name: _connection(row) for row in connections},
        "integrations": {row.name: _integration(row) for row in integrations},
    }
    return _HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _connection(row: Connection) -> dict[str, Any]:
    stored = stored_secrets(row)
    secrets = {
        setting.name: {"env": _variable(row.name, setting.name)}
        for setting in SYSTEMS[row.system].secrets()
        if stored.get(setting.name)
    }
    return {"system": row.system, "settings": dict(row.settings), "secrets": secrets}


def _integration(row: Integration) -> dict[str, Any]:
    values: dict[str, Any] = {"kind": row.kind, "erp": row.erp.name, "platform": row.platform.name}
    if row.paused:
        values["paused"] = True
    if row.policies:
        values["policies"] = dict(row.policies)
    flows = Flow.objects.of(row.workspace_id).filter(integration=row).order_by("position")
    values["flows"] = {flow.name: _flow(flow) for flow in flows}
    entries = {spec.name: _entries(row, spec.name) for spec in declaration(row).mappings}
    given = {name: {"entries": table} for name, table in entries.items() if table}
    return {**values, "mappings": given} if given else values


def _flow(row: Flow) -> dict[str, Any]:
    values: dict[str, Any] = {"every": interval_text(row.every)}
    if row.paused:
        values["paused"] = True
    if row.policies:
        values["policies"] = dict(row.policies)
    return values


def _entries(integration: Integration, name: str) -> dict[str, str]:
    """Targets by the number that people know them by, where that is clear; else by their code."""
    views = [view for view in mappings.entries(integration, name) if view.target is not None]
    codes = {(view.target_number, view.target) for view in views}
    having = Counter(number for number, _ in codes)
    shared = {number for number, count in having.items() if count > 1}
    return {
        view.source: view.target_number
        if view.fault is None and view.target_number not in shared
        else view.target or ""
        for view in sorted(views, key=lambda view: view.source)
    }


def _variable(connection: str, secret: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", f"{connection}_{secret}".upper())

"""What a Flow's row means: its declaration, its two Connections, its policies."""

from __future__ import annotations

from typing import Any

from ml_connector.integrations import INTEGRATIONS
from ml_connector.integrations.base import FlowKind, FlowSpec, IntegrationSpec, Side
from ml_connector.sync.models import Connection, Flow, Integration, RunKind


def declaration(integration: Integration) -> IntegrationSpec:
    """The page of this pair. Raises KeyError for a kind that this release does not ship."""
    return INTEGRATIONS[integration.kind]


def archives_what_is_gone(flow: Flow) -> bool:
    """Whether what vanished from the source is archived in the target; else it is only reported (R18)."""
    declared = {setting.name for setting in spec_of(flow).policies}
    return "supplier_gone" in declared and bool(policy(flow, "supplier_gone") == "archive")


def spec_of(flow: Flow) -> FlowSpec:
    return declaration(flow.integration).flow(flow.name)


def side(integration: Integration, which: Side) -> Connection:
    return integration.erp if which is Side.ERP else integration.platform


def source_of(flow: Flow) -> Connection:
    return side(flow.integration, spec_of(flow).source)


def target_of(flow: Flow) -> Connection:
    return side(flow.integration, spec_of(flow).target)


def connection_for(flow: Flow, kind: RunKind) -> Connection:
    """The one Connection that a job of this kind speaks to."""
    reads = kind in {RunKind.PULL, RunKind.SWEEP} or spec_of(flow).kind is FlowKind.COMPARED
    return source_of(flow) if reads else target_of(flow)


def policy(flow: Flow, name: str) -> Any:
    """The Flow's own value, else the Integration's, else the declared default. Raises KeyError if undeclared."""
    for values in (flow.policies, flow.integration.policies):
        if name in values:
            return values[name]
    declared = {setting.name: setting for setting in (*spec_of(flow).policies, *declaration(flow.integration).policies)}
    return declared[name].default


def source_policy(flow: Flow) -> dict[str, Any]:
    """What the source is told: which records of its type belong to this Flow, from when on, and for which company of
    the other side."""
    values: dict[str, Any] = {"company": target_of(flow).settings.get("company_id", ""), **spec_of(flow).reads}
    for setting in spec_of(flow).policies:
        value = policy(flow, setting.name)
        if value is not None:
            values[setting.name] = value
    if flow.backfill_from:
        values["from_date"] = flow.backfill_from.isoformat()
    return values


def target_policy(flow: Flow) -> dict[str, Any]:
    """What the target is told: the kind of document, the Flow's policies, how the source is called in texts, and which
    of its companies it is."""
    company = source_of(flow).settings.get("company_id", "")
    label = declaration(flow.integration).system(spec_of(flow).source).label
    chosen = {setting.name: policy(flow, setting.name) for setting in spec_of(flow).policies}
    return {
        **{name: value for name, value in chosen.items() if value is not None},
        **spec_of(flow).reads,
        "company": company,
        "source_label": f"{label} {company}".strip(),
    }


def flow_named(integration: Integration, name: str) -> Flow:
    """Raises Flow.DoesNotExist."""
    return (
        Flow.objects.of(integration.workspace_id).select_related("integration").get(integration=integration, name=name)
    )


def document_flows(integration: Integration, link_type: str | None = None) -> list[Flow]:
    """The Flows that write records of a link type, in order; all of them for None."""
    rows = (
        Flow.objects.of(integration.workspace_id)
        .select_related("integration", "integration__erp", "integration__platform", "workspace")
        .filter(integration=integration)
        .order_by("position")
    )
    return [
        flow
        for flow in rows
        if spec_of(flow).kind is FlowKind.DOCUMENTS and link_type in {None, spec_of(flow).link_type}
    ]

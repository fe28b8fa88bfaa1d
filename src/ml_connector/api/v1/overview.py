"""How all is: do the states add up, how is each Integration, do both sides agree on what is owed."""

from __future__ import annotations

from typing import Annotated

from django.http import Http404
from ninja import Query, Router

from ml_connector.api.v1 import shapes
from ml_connector.api.v1.failures import Failure
from ml_connector.api.v1.frame import Call, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import Name, Page
from ml_connector.jobs.presence import workers_alive
from ml_connector.sync import tieout
from ml_connector.sync.models import Integration, State
from ml_connector.sync.queries.home import IntegrationCard, home
from ml_connector.sync.queries.run_page import FlowRow, flow_rows
from ml_connector.sync.queries.status import states_by_flow, status
from ml_connector.workspaces.models import Workspace

router = Router(tags=["Overview"])

Period = Annotated[
    str, Query(pattern=r"^(\d{4}-\d{2})?$", description="YYYY-MM: leaves out what was posted after this month.")
]


@reads(router, "/status", shapes.Status)
def show_status(request: Call, workspace: str) -> object:
    """Whether everything ever staged is accounted for, and whether somebody works."""
    found = status(request.workspace, workers_alive())
    return {
        "workspace": found.workspace,
        "invariant": found.invariant,
        "open_problems": found.open_problems,
        "workers": len(found.workers),
    }


@reads(router, "/integrations", Page[shapes.Integration])
def list_integrations(request: Call, workspace: str, cursor: Cursor = "", limit: Limit = SIZE) -> object:
    """Each Integration with its Flows, their health, and their Records by state."""
    pages = Pages(cursor, limit, "integrations")
    return pages.slice(_integrations(request.workspace), lambda row: row.name)


@reads(router, "/integrations/{integration}", shapes.Integration)
def show_integration(request: Call, workspace: str, integration: Name) -> object:
    """One Integration with its Flows."""
    found = next((row for row in _integrations(request.workspace) if row.name == integration), None)
    if found is None:
        raise Http404
    return found


@reads(router, "/integrations/{integration}/tie-out", shapes.TieOut)
def show_tie_out(request: Call, workspace: str, integration: Name, period: Period = "") -> object:
    """The open balances of both sides by currency, as last read, and how much of the difference is explained."""
    found = _tie_out(request, integration, period)
    return {
        "integration": found.integration,
        "source": found.source,
        "target": found.target,
        "made_at": found.made_at,
        "period": found.period,
        "source_read_at": found.source_read_at,
        "target_read_at": found.target_read_at,
        "totals": found.totals,
        "unexplained": found.unexplained,
        "suppliers": len(found.rows),
    }


@reads(router, "/integrations/{integration}/tie-out/rows", Page[shapes.TieOutRow])
def list_tie_out_rows(
    request: Call, workspace: str, integration: Name, period: Period = "", cursor: Cursor = "", limit: Limit = SIZE
) -> object:
    """The same by supplier and currency, each difference with its reason."""
    pages = Pages(cursor, limit, "tie-out", integration, period)
    return pages.slice(_tie_out(request, integration, period).rows, lambda row: f"{row.supplier} {row.currency}")


def _integrations(workspace: Workspace) -> list[shapes.Integration]:
    flows: dict[str, list[shapes.Flow]] = {}
    states = states_by_flow(workspace)
    for flow in flow_rows(workspace):
        flows.setdefault(flow.integration, []).append(_flow(flow, states.get(flow.id, {})))
    return [_integration(card, flows.get(card.name, [])) for card in home(workspace, workers_alive()).integrations]


def _integration(card: IntegrationCard, flows: list[shapes.Flow]) -> shapes.Integration:
    return shapes.Integration(
        name=card.name,
        label=card.label,
        condition=card.condition,
        why=card.why,
        problems=card.problems,
        records=card.records,
        last_success=card.last_success,
        next_run=card.next_run,
        flows=flows,
    )


def _flow(row: FlowRow, states: dict[str, int]) -> shapes.Flow:
    return shapes.Flow(
        name=row.name,
        label=row.label,
        every=row.every,
        records=row.records,
        states={state.value: states.get(state.value, 0) for state in State},
        paused=row.paused,
        parked=row.parked,
        running=row.running,
        last_success=row.last_success,
        next_run=row.next_run,
        backfill_from=row.backfill_from,
    )


def _tie_out(request: Call, name: str, period: str) -> tieout.TieOut:
    rows = Integration.objects.of(request.workspace).select_related("workspace", "erp", "platform")
    row = rows.filter(name=name).first()
    if row is None:
        raise Http404
    try:
        return tieout.tie_out(row, period or None)
    except ValueError as refused:
        errors = [{"where": "query.period", "text": str(refused)}]
        raise Failure("fields", str(refused), "Write a month as 2026-11.", errors) from None

"""Two Flows that move the same things both ways: what is linked for one is linked for the other, at once.

So neither makes in the other system what came from there. Links of both lie in key spaces of their own: those of a
Flow lead from its source's keys to its target's.
"""

from __future__ import annotations

from ml_connector import audit, clock
from ml_connector.integrations.base import FlowSpec
from ml_connector.sync import problems
from ml_connector.sync.flows import declaration, flow_named, spec_of
from ml_connector.sync.models import DONE, Flow, Integration, Link, Record, Run, RunKind, State

CAUSE = "supplier_ambiguous"


def mirror(integration: Integration, spec: FlowSpec) -> Flow | None:
    """The Flow that moves a Flow's things the other way."""
    return flow_named(integration, spec.mirrors) if spec.mirrors else None


def link_back(trail: audit.Trail, integration: Integration, link: Link) -> None:
    """Links for the other way what was just linked for one, and has it judged again there. To be called in the
    transaction that makes the Link. One of the two that is linked otherwise already stays so."""
    spec = next((each for each in declaration(integration).flows if each.link_type == link.type and each.mirrors), None)
    other = mirror(integration, spec) if spec is not None else None
    if other is None:
        return
    theirs = Link.objects.of(integration.workspace_id).filter(integration=integration, type=spec_of(other).link_type)
    if theirs.filter(source_key=link.target_key).exists() or theirs.filter(target_key=link.source_key).exists():
        return
    Link.objects.create(
        workspace_id=integration.workspace_id,
        integration=integration,
        type=spec_of(other).link_type,
        source_key=link.target_key,
        target_key=link.source_key,
        made_by=link.made_by,
        made_at=clock.now(),
    )
    rows = Record.objects.of(integration.workspace_id).filter(flow=other, key=link.target_key)
    for record in rows:
        trail.add("link", f"record:{record.pk}", target_key=link.source_key, made_by="mirrored")
    rows.filter(state=State.SKIPPED).update(state=State.STAGED)
    problems.recheck(integration, [CAUSE], [link.target_key])


def was_read(flow: Flow) -> bool:
    """Whether a Flow has ever read its source to the end."""
    rows = Run.objects.of(flow.workspace_id).filter(flow=flow, kind=RunKind.PULL, state__in=DONE)
    return rows.filter(counts__unfinished=False).exists()

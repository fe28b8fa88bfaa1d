"""One Problem as the console shows it: what happened, what it holds, and how it can be ended here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from django.db.models import QuerySet

from ml_connector.audit.cutting import kept, last_cut
from ml_connector.audit.models import AuditEntry
from ml_connector.integrations.base import Side
from ml_connector.sync import approvals, control, mappings, mirroring
from ml_connector.sync.codes import fault
from ml_connector.sync.flows import declaration, document_flows, spec_of, target_of
from ml_connector.sync.links import CAUSE as SUPPLIER_AMBIGUOUS
from ml_connector.sync.links import UNKNOWN_VENDOR
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.models import (
    Flow,
    Link,
    Problem,
    ProblemComment,
    ProblemState,
    Record,
    RunKind,
    State,
    TargetEntry,
)
from ml_connector.sync.problems import (
    ACTIONS,
    APPLY,
    NAMED,
    NEEDS_EVIDENCE,
    RETRIED_THOUGH_REPORTED,
    fits,
    needs_second_person,
    unfit,
)
from ml_connector.sync.queries.approval_page import ApprovalRow, approval_row
from ml_connector.sync.queries.problems import ProblemRow, one_problem
from ml_connector.sync.queries.record_page import ON_ITS_WAY, flat
from ml_connector.sync.queries.records import ACCEPTED, RecordRow, record_rows
from ml_connector.sync.suggestions import suggest
from ml_connector.workspaces.models import Workspace

SHOWN = 50
"""Records of a Problem that its page lists, and whose replay it follows."""
ENDED = frozenset({State.CONFIRMED, State.SKIPPED, State.WRITTEN_OFF})
OFFERED = 2_000
"""Codes or suppliers of the other side that a field offers while one types."""


@dataclass(frozen=True)
class Choice:
    """Something of the other side that can be chosen."""

    key: str
    text: str


@dataclass(frozen=True)
class MappingFix:
    """The Problem ends when a code is mapped."""

    mapping: str
    label: str
    code: str
    code_name: str
    source_label: str
    target_label: str
    mapped_to: str
    """What it is mapped to now, where that cannot be used."""
    suggestion: Choice | None
    why: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class LinkFix:
    """The Problem ends when a person says which of the other side's suppliers this one is."""

    record: int
    ours: dict[str, str]
    theirs: dict[str, str]
    """The one that it resembles."""
    suggestion: Choice | None
    source_label: str
    target_label: str
    choices: tuple[Choice, ...]
    vendor: str = ""
    """Key of the target's supplier that the Problem is about; then one of the source's is chosen."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what is shown of the two."""
        return tuple(self.ours or self.theirs)

    @property
    def asked_of(self) -> str:
        """The system whose supplier is to be chosen."""
        return self.source_label if self.vendor else self.target_label


@dataclass(frozen=True)
class Action:
    """A decision that this Problem allows."""

    name: str
    text: str
    needs_reason: bool
    needs_second: bool
    needs_evidence: bool


@dataclass(frozen=True)
class Told:
    """One thing that happened to the Problem."""

    at: datetime
    what: str
    actor: str
    reason: str


@dataclass(frozen=True)
class Replay:
    """How far the Records have come that a decision let go."""

    rows: tuple[RecordRow, ...]
    under_way: bool
    """Something is still to happen by itself: the page goes on asking."""
    worker: bool
    """There is one that could do it."""
    waits_until: datetime | None
    """A Connection must not be called before: a limit of its vendor, or a pause after failures."""
    stopped: tuple[str, ...]
    """Flows that nothing happens to until a person acts: paused, parked, credentials refused."""

    @property
    def seconds(self) -> int:
        """How often the page asks."""
        return 1 if self.worker and self.waits_until is None else 5


@dataclass(frozen=True)
class ProblemView:
    """Everything of a Problem's page."""

    problem: ProblemRow
    held: tuple[RecordRow, ...]
    left: int
    """Records that it holds besides those listed."""
    mapping: MappingFix | None
    link: LinkFix | None
    actions: tuple[Action, ...]
    asked: ApprovalRow | None
    """What waits for a second person."""
    story: tuple[Told, ...]
    comments: tuple[ProblemComment, ...]

    @property
    def releases(self) -> bool:
        """Whether the decision rests on a call back."""
        return any(action.needs_evidence for action in self.actions)

    @property
    def names(self) -> bool:
        """Whether it can be decided by naming an invoice."""
        return any(action.name == "name" for action in self.actions)


def problem_view(workspace: Workspace, problem_id: int) -> ProblemView | None:
    """None where the Workspace has no such Problem."""
    row = one_problem(workspace, problem_id)
    if row is None:
        return None
    problem = Problem.objects.of(workspace).select_related(
        "workspace", "integration__erp", "integration__platform", "integration__workspace"
    ).get(pk=problem_id)  # fmt: skip
    held = tuple(islice(record_rows(workspace, problem=problem_id, limit=SHOWN), SHOWN))
    is_open = problem.state == ProblemState.OPEN
    return ProblemView(
        row,
        held,
        max(row.records - len(held), 0),
        _mapping(problem) if is_open else None,
        _link(problem) if is_open else None,
        _actions(problem) if is_open else (),
        _asked(problem) if is_open else None,
        _story(workspace, problem),
        tuple(ProblemComment.objects.of(workspace).filter(problem=problem).order_by("pk")),
    )


def replay_of(workspace: Workspace, ids: Sequence[int], since: datetime, workers: Sequence[str]) -> Replay:
    """Where these Records are now, and whether the push that was made due at `since` is still to end.

    A worker that is away for a moment, and a Connection that waits, end nothing: both come back by themselves.
    """
    rows = tuple(record_rows(workspace, ids=list(ids)[:SHOWN]))
    flows = control.flows_of_records(workspace, [row.id for row in rows])
    stopped = {flow.name for flow in flows if control.needs_person(flow, RunKind.PUSH)}
    moving = any(row.state in ON_ITS_WAY and row.shown_state != ACCEPTED and row.flow not in stopped for row in rows)
    instants = [at for flow in flows if flow.name not in stopped and (at := control.waits_until(flow, RunKind.PUSH))]
    # Of more Records than are listed, some may still be held when these are through.
    left = len(rows) == SHOWN or any(row.state not in ENDED for row in rows)
    under_way = moving or (left and (bool(instants) or bool(control.unfinished(flows, [RunKind.PUSH], since))))
    return Replay(rows, under_way, bool(workers), max(instants, default=None), tuple(sorted(stopped)))


def _mapping(problem: Problem) -> MappingFix | None:
    name, _, code = problem.subject.partition(":")
    spec = declaration(problem.integration).mapping(name)
    if problem.cause not in mappings.CAUSES or spec is None or not code:
        return None
    lists = mappings.code_lists(problem.integration, spec)
    ours = lists[spec.source].get(code)
    theirs = [entry for entry in lists[spec.source.other].present() if fault(entry) is None]
    page = declaration(problem.integration)
    try:
        found = next(iter(suggest(problem.integration, name, [code], lists)), None)
    except MappingRefused:
        found = None
    return MappingFix(
        name,
        spec.label,
        code,
        ours.name if ours else "",
        page.system(spec.source).label,
        page.system(spec.source.other).label,
        mappings.mapped(problem.integration, name).get(code, ""),
        Choice(found.number, found.name) if found else None,
        found.why if found else "",
        tuple(Choice(entry.number, entry.name) for entry in theirs[:OFFERED]),
    )


def _link(problem: Problem) -> LinkFix | None:
    if problem.cause == UNKNOWN_VENDOR and not problem.blocks:
        return _vendor(problem)
    if problem.cause != SUPPLIER_AMBIGUOUS:
        return None
    flows = {flow.pk: flow for flow in document_flows(problem.integration) if spec_of(flow).record_type == "supplier"}
    held = Record.objects.of(problem.workspace_id).filter(flow__in=list(flows), problems__problem=problem)
    record = held.filter(key=problem.subject).first()
    if record is None:
        return None
    flow = flows[record.flow_id]
    listed = _suppliers_there(flow)
    choices = tuple(
        Choice(key, flat(msgspec.json.decode(bytes(payload))).get("name", ""))
        for key, payload in listed.order_by("key").values_list("key", "payload")[:OFFERED]
    )
    likely = problem.detail.get("target_key", "")
    payload = listed.filter(key=likely).values_list("payload", flat=True).first()
    theirs = flat(msgspec.json.decode(bytes(payload))) if payload else {}
    page, spec = declaration(problem.integration), spec_of(flow)
    return LinkFix(
        record.pk,
        flat(msgspec.json.decode(bytes(record.payload))),
        theirs,
        Choice(likely, theirs.get("name", "")) if payload else None,
        page.system(spec.source).label,
        page.system(spec.target).label,
        choices,
    )


def _suppliers_there(flow: Flow) -> QuerySet[Any]:
    """The target's suppliers, with keys and payloads: as it was listed, else as they are read for the other way."""
    other = mirroring.mirror(flow.integration, spec_of(flow))
    if other is None:
        return TargetEntry.objects.of(flow.workspace_id).filter(connection=target_of(flow), type="supplier")
    linked = Link.objects.of(flow.workspace_id).filter(integration=flow.integration, type=spec_of(other).link_type)
    rows = Record.objects.of(flow.workspace_id).filter(flow=other, gone=False, erased_at=None, invalid="")
    return rows.exclude(key__in=linked.values("source_key"))


def _vendor(problem: Problem) -> LinkFix | None:
    """One of the target's suppliers: which of the source's is it?"""
    about = Record.objects.of(problem.workspace_id).filter(problems__problem=problem).first()
    if about is None:
        return None
    flows = document_flows(problem.integration, "supplier")
    linked = Link.objects.of(problem.workspace_id).filter(integration=problem.integration, type="supplier")
    rows = Record.objects.of(problem.workspace_id).filter(flow__in=[flow.pk for flow in flows], gone=False)
    free = rows.exclude(key__in=linked.values("source_key")).order_by("key")
    suppliers = {key: flat(msgspec.json.decode(bytes(payload))) for key, payload in
                 free.values_list("key", "payload")[:OFFERED]}  # fmt: skip
    if not suppliers:
        return None
    likely = problem.detail.get("source_key", "")
    ours = suppliers.get(likely, {})
    page = declaration(problem.integration)
    return LinkFix(
        about.pk,
        ours,
        flat(msgspec.json.decode(bytes(about.payload))),
        Choice(likely, ours.get("name", "")) if ours else None,
        page.system(Side.ERP).label,
        page.system(Side.PLATFORM).label,
        tuple(Choice(key, fields.get("name", "")) for key, fields in suppliers.items()),
        vendor=about.key,
    )


def _asked(problem: Problem) -> ApprovalRow | None:
    """A decision that was asked for, or a mapping of its code."""
    found = approvals.waiting_about(problem.workspace_id, f"problem:{problem.pk}").first()
    name, _, code = problem.subject.partition(":")
    if found is None and problem.cause in mappings.CAUSES:
        rows = approvals.waiting_about(problem.workspace_id, f"mapping:{problem.integration_id} {name}")
        found = next((row for row in rows if code in row.detail["entries"]), None)
    return approval_row(found) if found else None


def _actions(problem: Problem) -> tuple[Action, ...]:
    return tuple(
        Action(name, text, name != "retry", needs_second_person(problem.cause, name), name in NEEDS_EVIDENCE)
        for name, text in ACTIONS.items()
        if fits(problem.cause, name) and _offered(problem, name)
    )


def _offered(problem: Problem, action: str) -> bool:
    """What holds nothing back can be accepted, and little else."""
    if action == APPLY:
        return not unfit(problem, action)
    if action == "name":
        return NAMED in problem.detail
    if action == "retry" and problem.cause in RETRIED_THOUGH_REPORTED:
        return True
    return (action == "accept") is not problem.blocks


def _story(workspace: Workspace, problem: Problem) -> tuple[Told, ...]:
    entries = kept(workspace).filter(subject=f"problem:{problem.pk}").order_by("sequence")
    cut = last_cut(workspace)
    removed: tuple[Told, ...] = ()
    if cut is not None and problem.opened_at <= cut.newest:
        removed = (Told(cut.newest, "what the trail told until then was removed by age", cut.actor, ""),)
    return (*removed, *(_told(entry) for entry in entries))


def _told(entry: AuditEntry) -> Told:
    facts: dict[str, Any] = msgspec.json.decode(entry.detail)
    words = {
        "problem_opened": "opened",
        "problem_solved": "solved: the cause is gone",
        "problem_commented": "commented",
        "problem_assigned": "given to somebody" if facts.get("owner") else "given back: nobody's",
        "problem_snoozed": f"snoozed until {facts['until']}" if facts.get("until") else "woken",
    }
    what = words.get(entry.action, entry.action.replace("_", " "))
    if facts.get("asked_for"):
        what = f"asked for: {ACTIONS.get(facts['asked_for'], facts['asked_for'])}"
    elif facts.get("action"):
        what = f"decided: {ACTIONS.get(facts['action'], facts['action'])}"
    return Told(entry.at, what, entry.actor, str(facts.get("reason", "")))


def flows_held(workspace: Workspace, problem_id: int) -> tuple[list[int], list[Flow]]:
    """The first Records that a Problem holds, to be followed, and the Flows to be woken for all of them."""
    ids = [row.id for row in record_rows(workspace, problem=problem_id, limit=SHOWN)]
    flows = Flow.objects.of(workspace).filter(
        pk__in=Record.objects.of(workspace).filter(problems__problem=problem_id).values("flow_id")
    )
    return ids, list(flows)

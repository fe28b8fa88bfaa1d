"""Problems: opening, holding Records, solving, and letting go.

A Problem is one cause, not one failure. A Record can be held by several; it is free when none is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from ml_connector import audit, clock
from ml_connector.domain.records import CODE_TYPES
from ml_connector.redaction import redacted
from ml_connector.sync import approvals, taking_over
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import (
    ApprovalKind,
    ApprovalState,
    Flow,
    Integration,
    Problem,
    ProblemRecord,
    ProblemState,
    Record,
    State,
)
from ml_connector.sync.notify import notices


@dataclass(frozen=True)
class Cause:
    """Why a Record cannot travel, or what people must know of it."""

    cause: str
    subject: str
    """What makes it one Problem: the code, the supplier, the document."""
    text: str
    fix: str
    blocks: bool = True
    detail: dict[str, Any] = field(default_factory=dict)


SETTLED_BY_ITSELF = frozenset(
    {
        "unmapped_code",
        "code_not_postable",
        "code_taken",
        "supplier_missing",
        "supplier_on_hold",
        "invoice_on_hold",
        "supplier_ambiguous",
        "parent_not_confirmed",
        "credit_without_invoice",
        "duplicate_invoice",
        "totals_differ",
        "currency_not_allowed",
        "amount_too_large",
        "paid_elsewhere",
        "bank_change",
        "payment_unmatched",
        "payment_failed",
        "unknown_status",
        "claimed_elsewhere",
    }
)
"""Causes that are judged again, from our own data, before each push. What a target refused is not: it is sent
again only when the source changed or a person asks for it (R63)."""


def subject_of(flow: Flow, record: Record) -> str:
    """What a Problem about this one Record is about. Codes of different kinds may be written alike."""
    record_type = spec_of(flow).record_type
    return f"{record_type}:{record.key}" if record_type in CODE_TYPES else record.key


def hold(trail: audit.Trail, flow: Flow, record: Record, causes: Sequence[Cause]) -> None:
    """Blocks a Record by exactly these causes, opening the Problems that are not open yet."""
    problems = [open_problem(trail, flow.integration, cause, flow) for cause in causes]
    changed = _attach(trail, record, problems)
    if record.state != State.BLOCKED:
        record.state = State.BLOCKED
        record.next_attempt_at = None
        record.save(update_fields=["state", "next_attempt_at"])
    elif not changed:
        return
    trail.add(
        "decision",
        f"record:{record.pk}",
        source_version=bytes(record.hash).hex(),
        state=State.BLOCKED.value,
        problems=[problem.pk for problem in problems],
    )


def holding(records: Sequence[Record]) -> set[int]:
    """Which of these Records, by id, an open Problem blocks."""
    if not records:
        return set()
    rows = ProblemRecord.objects.of(records[0].workspace_id).filter(
        record__in=records, problem__state=ProblemState.OPEN, problem__blocks=True
    )
    return set(rows.values_list("record_id", flat=True))


def let_go(trail: audit.Trail, record: Record) -> None:
    """Detaches a Record from the Problems that block it; a Problem that holds nothing more is solved."""
    _attach(trail, record, [])


def report(trail: audit.Trail, flow: Flow, record: Record, cause: Cause) -> None:
    """Opens a Problem that only reports; the Record keeps its state. What a person has accepted is not reported
    again while it says the same."""
    accepted = Problem.objects.of(record.workspace_id).filter(
        integration=flow.integration, cause=cause.cause, subject=cause.subject[:200], state=ProblemState.HANDLED
    )
    if cause.cause not in PROPOSALS and accepted.filter(text=redacted(cause.text)).exists():
        return
    problem = open_problem(trail, flow.integration, cause, flow)
    _, new = ProblemRecord.objects.of(record.workspace_id).get_or_create(
        problem=problem, record=record, defaults={"workspace_id": record.workspace_id}
    )
    if new:
        _wake(trail, problem)


def no_longer(trail: audit.Trail, record: Record, cause: str) -> None:
    """Takes a Record out of the open Problem of a cause that reports on it; one about nothing more is solved."""
    rows = ProblemRecord.objects.of(record.workspace_id)
    found = rows.filter(record=record, problem__cause=cause, problem__state=ProblemState.OPEN, problem__blocks=False)
    for row in found.select_related("problem"):
        row.delete()
        if not rows.filter(problem=row.problem_id).exists():
            _solve(trail, row.problem)


def warn(trail: audit.Trail, flow: Flow, record: Record, cause: Cause) -> None:
    """Reports a Record together with the others that `detail["records"]` names."""
    for row in Record.objects.of(record.workspace_id).filter(pk__in=cause.detail["records"]):
        report(trail, flow, row, cause)


def open_problem(trail: audit.Trail, integration: Integration, cause: Cause, flow: Flow | None = None) -> Problem:
    """The open Problem of this cause and subject, brought up to date where its text is another one now."""
    rows = Problem.objects.of(integration.workspace_id)
    text, fix = redacted(cause.text), redacted(cause.fix)
    problem, made = rows.get_or_create(
        integration=integration,
        cause=cause.cause,
        subject=cause.subject[:200],
        state=ProblemState.OPEN,
        defaults={
            "workspace_id": integration.workspace_id,
            "flow": flow,
            "text": text,
            "fix": fix,
            "detail": cause.detail,
            "blocks": cause.blocks,
            "opened_at": clock.now(),
        },
    )
    if made:
        trail.add("problem_opened", f"problem:{problem.pk}", cause=cause.cause)
        notices.problem_opened(trail, problem)
        return problem
    if problem.text != text:
        problem.text, problem.fix, problem.detail = text, fix, cause.detail
        problem.save(update_fields=["text", "fix", "detail"])
    return problem


def end_problem(trail: audit.Trail, integration: Integration, cause: str, subject: str | None = None) -> None:
    """Solves the open Problems of a cause (and subject) because the cause is gone."""
    rows = Problem.objects.of(integration.workspace_id).filter(
        integration=integration, cause=cause, state=ProblemState.OPEN
    )
    for problem in rows if subject is None else rows.filter(subject=subject[:200]):
        _solve(trail, problem)


def end_problems(trail: audit.Trail, integration: Integration, over: Collection[tuple[str, str]]) -> None:
    """Solves the open Problems of these causes and subjects because the causes are gone."""
    rows = Problem.objects.of(integration.workspace_id).filter(
        integration=integration,
        cause__in=[cause for cause, _ in over],
        subject__in=[subject[:200] for _, subject in over],
        state=ProblemState.OPEN,
    )
    for problem in rows:
        if (problem.cause, problem.subject) in over:
            _solve(trail, problem)


def reported(flow: Flow, cause: str) -> list[Problem]:
    """The open Problems of a cause that report on Records of a Flow."""
    rows = Problem.objects.of(flow.workspace_id).filter(cause=cause, state=ProblemState.OPEN)
    return list(rows.filter(holds__record__flow=flow).distinct())


def recheck(integration: Integration, causes: Collection[str], subjects: Iterable[str] | None = None) -> int:
    """Has the next push judge again the Records that these Problems hold; says how many. Sends nothing itself."""
    found = Problem.objects.of(integration.workspace_id).filter(
        integration=integration, cause__in=list(causes), state=ProblemState.OPEN
    )
    if subjects is not None:
        found = found.filter(subject__in=[subject[:200] for subject in subjects])
    causing = list(found.values_list("pk", flat=True))
    if not causing:
        return 0
    held = Record.objects.of(integration.workspace_id).filter(state=State.BLOCKED, problems__problem__in=causing)
    flows = set(held.values_list("flow_id", flat=True))
    count = held.distinct().count()
    if flows:
        Flow.objects.of(integration.workspace_id).filter(pk__in=flows).update(next_push_at=clock.now())
    return count


class DecisionRefused(Exception):
    """A person's decision that this Problem does not allow. The text says why and what can be done."""


TERMS_PROPOSED, TAX_ID_PROPOSED = "terms_proposed", "tax_id_proposed"
PROPOSALS = frozenset({TERMS_PROPOSED, TAX_ID_PROPOSED})
"""Causes of what the target's people changed in fields that the source owns: applied to the source, or left."""
APPLY = "apply"
"""The action by which a person applies a proposal."""

ONLY_BY_RELEASE = frozenset({"bank_change"})
"""Causes that end by the word of two people and by nothing else, also when they hold nothing any more (R53)."""

ACTIONS: dict[str, str] = {
    "retry": "try again what it holds",
    "skip": "do not send what it holds; each document says why",
    "accept": "the difference is known and stays; nothing is sent",
    "create": "make a new supplier in the target although a similar one exists",
    "override": "send although it looks like a duplicate (needs a second person)",
    "write_off": "give up what it holds (needs a second person)",
    "release": "the supplier was called back and confirms the change (needs a second person)",
    "take_over": "it was looked up in the target, and nobody else posts it: it is ours",
    "apply": "write the proposed value to where suppliers come from (a tax id needs a second person)",
    "name": "book it on the invoice that you name",
}
ONLY_FOR = {
    "create": {"supplier_ambiguous"},
    "override": {"duplicate_invoice"},
    "release": ONLY_BY_RELEASE,
    "take_over": {"claimed_elsewhere"},
    "apply": PROPOSALS,
    "name": {"credit_without_invoice"},
}
NAMED = "named"
"""In the detail of a Problem that can be decided by naming what a document corrects: its key in the target, as a person
named it; empty until then."""
RETRIED_THOUGH_REPORTED = frozenset({"not_decided"})
"""Causes that hold nothing back, and whose records can be tried again all the same."""
NEEDS_SECOND_PERSON = frozenset({"override", "write_off", "release"})
NEEDS_EVIDENCE = frozenset({"release"})
AGREED_BY_TWO = frozenset({(TAX_ID_PROPOSED, APPLY)})
"""Causes and actions that besides need a second person."""
EVIDENCE_MIN = 10
"""Characters: less cannot say whom one called and what was said."""


def solve(problem: Problem, action: str, reason: str, actor: str, evidence: str = "") -> str:
    """Carries out a person's decision; gives back what happened, in words.

    An override, a write-off and a release wait for a second person (R41, R53, R72): the first call asks, a call by
    another person does it. Who asks for a release gives `evidence`: whom they called, on which number, and what was
    said; who names an invoice gives its key in the target. Raises DecisionRefused.
    """
    objection = unfit(problem, action)
    if objection:
        raise DecisionRefused(objection)
    if action != "retry" and not reason.strip():
        raise DecisionRefused(f"{action!r} needs a reason: it goes into the audit trail.")
    if action == "name" and not evidence.strip():
        raise DecisionRefused("Name the invoice by its key in the target, as the page of a Record shows it.")
    with audit.recording(problem.workspace, actor=actor) as trail:
        if needs_second_person(problem.cause, action):
            asked = approvals.waiting_about(problem.workspace_id, f"problem:{problem.pk}").filter(kind=action).first()
            if asked is None or asked.asked_by == actor:
                if action in NEEDS_EVIDENCE and len(evidence.strip()) < EVIDENCE_MIN:
                    raise DecisionRefused(
                        "Say whom you called back, on which number you knew before, and what was said: that is the"
                        " evidence that the release rests on."
                    )
                _ask(problem, action, reason, actor, evidence)
                trail.add("override", f"problem:{problem.pk}", asked_for=action, reason=reason)
                return f"Asked for. A second person must do the same before anything happens ({action})."
            try:
                approvals.settle(trail, asked, actor, ApprovalState.APPROVED, reason)
            except approvals.NotDecided as refused:
                raise DecisionRefused(str(refused)) from refused
        if action == "name":
            problem.detail = {**problem.detail, NAMED: evidence.strip()[:200]}
        return _carry_out(trail, problem, action, reason, actor)


def _ask(problem: Problem, action: str, reason: str, actor: str, evidence: str) -> None:
    approvals.ask(
        problem.workspace,
        ApprovalKind(action),
        f"problem:{problem.pk}",
        f"{ACTIONS[action].partition(' (')[0].capitalize()}: {problem.text}",
        actor,
        reason=reason,
        evidence=redacted(evidence),
        detail={"problem": problem.pk},
    )


def needs_second_person(cause: str, action: str) -> bool:
    """Whether a decision on Problems of this cause is only asked for by the first who takes it."""
    return action in NEEDS_SECOND_PERSON or (cause, action) in AGREED_BY_TWO


def unfit(problem: Problem, action: str) -> str:
    """Why a decision does not fit a Problem, as a sentence; empty where it does."""
    if action not in ACTIONS:
        return f"{action!r} is no action. Choose one of: {', '.join(ACTIONS)}."
    if problem.state != ProblemState.OPEN:
        return f"Problem {problem.pk} is {problem.state} already."
    if not fits(problem.cause, action):
        return f"{action!r} does not fit a Problem of the kind {problem.cause}."
    if action in {APPLY, "name"}:
        return _not_in_detail(problem, action)
    if action == "accept" and problem.blocks:
        return f"Problem {problem.pk} holds documents back; accepting it would lose them. Use retry, skip or write_off."
    return ""


def _not_in_detail(problem: Problem, action: str) -> str:
    """Why this one Problem of its cause does not allow an action."""
    if action == APPLY and not problem.detail.get("known"):
        return "There is no such code where suppliers come from. Enter it there, or map it; then it can be applied."
    if action == "name" and NAMED not in problem.detail:
        return f"Problem {problem.pk} says which invoice it is about: it follows by itself when that is there."
    return ""


def fits(cause: str, action: str) -> bool:
    """Whether a decision makes sense for Problems of this cause."""
    return cause in ONLY_FOR.get(action, {cause}) and (action == "release" or cause not in ONLY_BY_RELEASE)


def _carry_out(trail: audit.Trail, problem: Problem, action: str, reason: str, actor: str) -> str:
    records = list(Record.objects.of(problem.workspace_id).filter(problems__problem=problem).select_related("flow"))
    state = {"skip": State.SKIPPED, "write_off": State.WRITTEN_OFF}.get(action, State.STAGED)
    problem.state, problem.action, problem.reason = ProblemState.HANDLED, action, reason
    problem.ended_at, problem.ended_by = clock.now(), actor
    problem.save()
    _no_longer_asked(trail, problem)
    trail.add("override", f"problem:{problem.pk}", action=action, reason=reason, records=len(records))
    for record in records:
        if action == APPLY:
            write_soon(trail, record)
        if action == "retry" and record.state == State.IN_FLIGHT and record.next_attempt_at is not None:
            record.next_attempt_at = clock.now()  # accepted and not decided: asked for now, and then given up
            record.save(update_fields=["next_attempt_at"])
        if record.state != State.BLOCKED:
            continue
        if state is not State.STAGED:
            let_go(trail, record)
        record.state, record.reason, record.tries = state, reason if state is not State.STAGED else "", 0
        record.save(update_fields=["state", "reason", "tries"])
        trail.add("decision", f"record:{record.pk}", state=state.value, reason=reason)
    taking_over.decided(trail, problem.cause, action, records)
    flows = {record.flow_id for record in records}
    Flow.objects.of(problem.workspace_id).filter(pk__in=flows).update(next_push_at=clock.now())
    return f"{len(records)} document(s): {ACTIONS[action]}."


def write_soon(trail: audit.Trail, record: Record) -> None:
    """Has the next push write what was agreed on, unless something of the Record is under way: then the next read of
    its source does."""
    if record.state not in {State.STAGED, State.SKIPPED, State.CONFIRMED}:
        return
    record.state, record.sent_hash, record.reason = State.STAGED, None, ""
    record.save(update_fields=["state", "sent_hash", "reason"])
    trail.add("decision", f"record:{record.pk}", source_version=bytes(record.hash).hex(), state=record.state)
    Flow.objects.of(record.workspace_id).filter(pk=record.flow_id).update(next_push_at=clock.now())


def decided(record: Record, cause: str, since: datetime | None = None) -> str:
    """The action that a person took on the latest handled Problem of this cause that held the Record, or ''."""
    rows = Problem.objects.of(record.workspace_id).filter(holds__record=record, cause=cause, state=ProblemState.HANDLED)
    if since is not None:
        rows = rows.filter(ended_at__gt=since)
    handled = rows.order_by("-ended_at").first()
    return handled.action if handled else ""


def _attach(trail: audit.Trail, record: Record, problems: Sequence[Problem]) -> bool:
    """Makes these the open Problems that block the Record, and solves those that it was the last to need.

    False when they were just these already.
    """
    wanted = {problem.pk for problem in problems}
    rows = ProblemRecord.objects.of(record.workspace_id).filter(
        record=record, problem__state=ProblemState.OPEN, problem__blocks=True
    )
    held = {row.problem_id: row for row in rows.select_related("problem")}
    if wanted == held.keys():
        return False
    with transaction.atomic():
        for problem_id, row in held.items():
            if problem_id not in wanted:
                row.delete()
                ends = row.problem.cause not in ONLY_BY_RELEASE
                if ends and not ProblemRecord.objects.of(record.workspace_id).filter(problem_id=problem_id).exists():
                    _solve(trail, row.problem)
        ProblemRecord.objects.bulk_create(
            ProblemRecord(workspace_id=record.workspace_id, problem_id=problem_id, record=record)
            for problem_id in wanted - held.keys()
        )
        for problem in problems:
            if problem.pk not in held:
                _wake(trail, problem)
    return True


def _wake(trail: audit.Trail, problem: Problem) -> None:
    """A snoozed Problem that gets another document comes back at once."""
    if problem.snoozed_until is None:
        return
    problem.snoozed_until = problem.snoozed_due = None
    problem.save(update_fields=["snoozed_until", "snoozed_due"])
    trail.add("problem_snoozed", f"problem:{problem.pk}", until="", reason="it got new documents")


def _solve(trail: audit.Trail, problem: Problem) -> None:
    problem.state, problem.ended_at, problem.ended_by = ProblemState.SOLVED, clock.now(), "cause gone"
    problem.save(update_fields=["state", "ended_at", "ended_by"])
    _no_longer_asked(trail, problem)
    trail.add("problem_solved", f"problem:{problem.pk}", cause=problem.cause)
    notices.problem_solved(trail, problem)


def _no_longer_asked(trail: audit.Trail, problem: Problem) -> None:
    approvals.lapse(trail, approvals.waiting_about(problem.workspace_id, f"problem:{problem.pk}"))

"""Triage: whose a Problem is, what people wrote about it, and until when it sleeps.

None of this touches what a Problem holds: a snoozed Problem still counts, is still solved by itself, and still
waits for its cause to go. All of it is in the trail, by ids and hashes (R69).
"""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256

from django.db.models import Min

from ml_connector import audit, clock
from ml_connector.redaction import redacted
from ml_connector.sync.models import Problem, ProblemComment, ProblemRecord, ProblemState
from ml_connector.sync.problems import DecisionRefused
from ml_connector.workspaces.models import Membership, Person

COMMENT_MAX = 2_000
DUE_NEAR = timedelta(days=3)
"""So long before the earliest due date of what it holds a Problem is awake again."""
SNOOZE_MAX = timedelta(days=366)


def assign(problem: Problem, owner: Person | None, actor: str) -> str:
    """Makes somebody of the Workspace see to it, or nobody; gives back what happened, in words.

    Raises DecisionRefused for somebody who is not in the Workspace, and for a Problem that is over.
    """
    _must_be_open(problem)
    if owner is not None and not Membership.objects.of(problem.workspace_id).filter(person=owner).exists():
        raise DecisionRefused("Only somebody of this workspace can be made owner. Choose one of the list.")
    with audit.recording(problem.workspace, actor=actor) as trail:
        if problem.owner_id != (owner.pk if owner else None):
            problem.owner = owner
            problem.save(update_fields=["owner"])
            trail.add("problem_assigned", f"problem:{problem.pk}", owner=owner.actor if owner else "")
    return f"Problem {problem.pk} is {f'with {owner}' if owner else 'nobody’s'} now."


def comment(problem: Problem, text: str, actor: str) -> ProblemComment:
    """Adds a comment, plain text, also to a Problem that is over. Secrets in it are hidden. Raises DecisionRefused."""
    text = redacted(text.strip().replace("\r\n", "\n"))
    if not text:
        raise DecisionRefused("The comment is empty. Write what others should know.")
    if len(text) > COMMENT_MAX:
        raise DecisionRefused(f"The comment has {len(text):,} characters; {COMMENT_MAX:,} are stored. Shorten it.")
    with audit.recording(problem.workspace, actor=actor) as trail:
        row = ProblemComment.objects.create(
            workspace_id=problem.workspace_id, problem=problem, text=text, author=actor[:100], at=clock.now()
        )
        digest = sha256(text.encode()).hexdigest()
        trail.add("problem_commented", f"problem:{problem.pk}", comment=row.pk, sha256=digest)
    return row


def snooze(problem: Problem, until: date | None, today: date, actor: str) -> str:
    """Lets a Problem sleep until a day, or wakes it; gives back what happened, in words.

    It wakes `DUE_NEAR` before the earliest due date of what it holds, unless that is near already: then whoever
    snoozes it has seen so. `today` is the day in the Workspace's zone. Raises DecisionRefused.
    """
    _must_be_open(problem)
    if until is not None and not today < until <= today + SNOOZE_MAX:
        raise DecisionRefused(f"{until:%Y-%m-%d} cannot be: choose a day after today, a year ahead at most.")
    due = _earliest_due(problem) if until is not None else None
    with audit.recording(problem.workspace, actor=actor) as trail:
        near = due - DUE_NEAR if due is not None else None
        brought_forward = near is not None and until is not None and today < near < until
        problem.snoozed_until, problem.snoozed_due = near if brought_forward else until, due
        problem.save(update_fields=["snoozed_until", "snoozed_due"])
        day = problem.snoozed_until.isoformat() if problem.snoozed_until else ""
        trail.add("problem_snoozed", f"problem:{problem.pk}", until=day)
    if until is None:
        return f"Problem {problem.pk} is awake."
    why = f", because a document of it is due on {due:%Y-%m-%d}" if brought_forward else ""
    return f"Problem {problem.pk} sleeps until {problem.snoozed_until:%Y-%m-%d}{why}, or until it gets new documents."


def asleep(problem: Problem, today: date, earliest_due: date | None) -> date | None:
    """The day on which a snoozed Problem comes back; None for one that is awake. `earliest_due` is that of what it
    holds now."""
    until = problem.snoozed_until
    if until is None or until <= today or problem.state != ProblemState.OPEN:
        return None
    sooner = earliest_due is not None and (problem.snoozed_due is None or earliest_due < problem.snoozed_due)
    return None if sooner else until


def _earliest_due(problem: Problem) -> date | None:
    held = ProblemRecord.objects.of(problem.workspace_id).filter(problem=problem)
    found: date | None = held.aggregate(due=Min("record__due_date"))["due"]
    return found


def _must_be_open(problem: Problem) -> None:
    if problem.state != ProblemState.OPEN:
        raise DecisionRefused(f"Problem {problem.pk} is {problem.state} already.")

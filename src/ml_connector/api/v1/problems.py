"""Problems. What needs a second person is only asked for here: no token can be that (R41, R72)."""

from __future__ import annotations

from typing import Annotated

from django.http import Http404
from ninja import Query, Router

from ml_connector.api.v1.failures import Failure
from ml_connector.api.v1.frame import Call, changes, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import Decided, Decision, Id, Page, Problem, ProblemDetail, Record, Target, Text
from ml_connector.jobs import schedule
from ml_connector.sync import approvals, links, mappings, second_person
from ml_connector.sync import problems as deciding
from ml_connector.sync.models import Approval, ProblemState, RunKind
from ml_connector.sync.models import Problem as ProblemRow
from ml_connector.sync.queries.problem_page import flows_held, problem_view
from ml_connector.sync.queries.problems import newest_problems, one_problem
from ml_connector.sync.queries.records import record_rows
from ml_connector.workspaces.roles import Permission

router = Router(tags=["Problems"])


@reads(router, "/problems", Page[Problem])
def list_problems(
    request: Call,
    workspace: str,
    state: Annotated[ProblemState | None, Query(description="open, solved or handled; all where left out.")] = None,
    cause: Text = "",
    cursor: Cursor = "",
    limit: Limit = SIZE,
) -> object:
    """Each is one cause with what it holds back. The newest first."""
    pages = Pages(cursor, limit, "problems", state, cause)
    before = pages.after_number()
    rows = newest_problems(request.workspace, state=state or "", cause=cause, before=before, at_most=pages.at_most)
    return pages.page(rows, lambda row: row.id)


@reads(router, "/problems/{problem}", ProblemDetail)
def show_problem(request: Call, workspace: str, problem: Id) -> object:
    """One Problem: what happened, what ends it, what was done so far."""
    found = problem_view(request.workspace, problem)
    if found is None:
        raise Http404
    return found


@reads(router, "/problems/{problem}/records", Page[Record])
def list_records_of_problem(
    request: Call, workspace: str, problem: Id, cursor: Cursor = "", limit: Limit = SIZE
) -> object:
    """The Records that it holds back or reports on, in the order in which they were staged."""
    pages = Pages(cursor, limit, "problem records", problem)
    if one_problem(request.workspace, problem) is None:
        raise Http404
    rows = record_rows(request.workspace, problem=problem, after=pages.after_number() or 0, limit=pages.at_most)
    return pages.page(list(rows), lambda row: row.id)


@changes(router, "/problems/{problem}/decide", Decided, Permission.SOLVE)
def decide_problem(request: Call, workspace: str, problem: Id, body: Decision) -> object:
    """Carries out one of the Problem's actions. `retry` replays what it holds. An override and a write-off are only
    asked for: a person approves them in the console."""
    row = _open(request, problem)
    waiting = approvals.waiting_about(request.workspace, f"problem:{problem}")
    if waiting.filter(kind=body.action).exists():
        text = f"Problem {problem}: {body.action} was asked for already and waits for a second person."
        raise Failure("refused", text, "Somebody has to approve it in the console.")
    flows = flows_held(request.workspace, problem)[1]
    said = deciding.solve(row, body.action, body.reason, request.actor, body.evidence)
    schedule.wake([flow.pk for flow in flows], RunKind.PUSH)
    return _decided(request, problem, said)


@changes(router, "/problems/{problem}/map", Decided, Permission.MAP)
def map_code_of_problem(request: Call, workspace: str, problem: Id, body: Target) -> object:
    """Maps the code that the Problem is about; all that waits for it follows."""
    row = _open(request, problem)
    name, _, code = row.subject.partition(":")
    if row.cause not in mappings.CAUSES:
        raise Failure("refused", f"Problem {problem} is a {row.cause}: no mapping ends it.", row.fix)
    flows = flows_held(request.workspace, problem)[1]
    made = second_person.publish_mapping(
        row.integration, name, {code: body.target}, request.actor, f"Problem {problem}"
    )
    if isinstance(made, Approval):
        return _decided(request, problem, f"Asked for: {code} is mapped to {body.target} once somebody approves it.")
    schedule.wake([flow.pk for flow in flows], RunKind.PUSH)
    return _decided(request, problem, f"{code} is mapped to {body.target}.")


@changes(router, "/problems/{problem}/link", Decided, Permission.SOLVE)
def link_supplier_of_problem(request: Call, workspace: str, problem: Id, body: Target) -> object:
    """Says which of the other side's suppliers the Problem's supplier is."""
    row = _open(request, problem)
    view = problem_view(request.workspace, problem)
    if view is None or view.link is None:
        raise Failure("refused", f"Problem {problem} is a {row.cause}: no link ends it.", row.fix)
    flows = flows_held(request.workspace, problem)[1]
    links.answer(row.integration, body.target, request.actor, record=view.link.record, vendor=view.link.vendor)
    schedule.wake([flow.pk for flow in flows], RunKind.PUSH)
    return _decided(request, problem, f"Linked to {body.target}.")


def _open(request: Call, problem: int) -> ProblemRow:
    """The open Problem, locked: of two decisions at once the second sees what the first one did. Raises Failure."""
    rows = ProblemRow.objects.of(request.workspace)
    if not list(rows.select_for_update().filter(pk=problem).values_list("pk", flat=True)):
        raise Http404
    row = rows.select_related(
        "workspace", "integration__workspace", "integration__erp", "integration__platform"
    ).get(pk=problem)  # fmt: skip
    if row.state != ProblemState.OPEN:
        raise Failure("refused", f"Problem {problem} is {row.state} already.", "Nothing is left to be done.")
    return row


def _decided(request: Call, problem: int, said: str) -> object:
    view = problem_view(request.workspace, problem)
    if view is None:
        raise Http404
    return {"text": said, "waits_for_second_person": bool(view.asked), "problem": view.problem}

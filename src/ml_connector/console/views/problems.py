"""Problems: the list, one of them, and the decisions on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ml_connector import clock
from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.views import replaying
from ml_connector.sync import approvals, links, mappings, second_person
from ml_connector.sync import problems as deciding
from ml_connector.sync.links import LinkRefused
from ml_connector.sync.models import Flow, MappingVersion, Problem
from ml_connector.sync.queries.problem_list import AGES, NOBODY, Wanted, problem_list
from ml_connector.sync.queries.problem_page import ProblemView, flows_held, problem_view
from ml_connector.workspaces.roles import Permission

EVIDENCE_MAX = 2_000
REFUSED = (*second_person.REFUSALS, LinkRefused)


@needs(Permission.VIEW)
@require_safe
def listed(request: WorkspaceRequest) -> HttpResponse:
    wanted, page = _wanted(request), request.GET.get("page", "")
    found = problem_list(request.workspace, wanted, int(page) if page.isdecimal() and len(page) < 9 else 1)
    members = people.members(request.workspace)
    context = {
        "list": found,
        "wanted": wanted,
        "owner": request.GET.get("owner", ""),
        "owners": {row.person: row.name or row.email for row in members},
        "ages": AGES,
        "narrowed_by_hand": wanted != Wanted(),
    }
    return render(request, "console/problems/list.html", context)


@needs(Permission.VIEW)
@require_safe
def show(request: WorkspaceRequest, problem: int) -> HttpResponse:
    return problem_page(request, problem)


@needs(Permission.VIEW)
@require_safe
def replay(request: WorkspaceRequest, problem: int) -> HttpResponse:
    """The page's changing part, asked for again while Records that were let go are on their way."""
    return problem_page(request, problem)


@needs(Permission.SOLVE)
@require_POST
def decide(request: WorkspaceRequest, problem: int) -> HttpResponse:
    """A decision of one person. What needs a second one is only asked for here."""
    row = open_row(request, problem)
    action, reason = request.POST.get("action", ""), request.POST.get("reason", "")
    evidence = request.POST.get("evidence", "")[:EVIDENCE_MAX]
    if approvals.waiting_about(request.workspace, f"problem:{row.pk}").filter(kind=action).exists():
        return problem_page(
            request, problem, error="It waits for a second person, who approves it on this page.", status=409
        )
    asks_only = deciding.needs_second_person(row.cause, action)
    return _done(
        request, problem, lambda: deciding.solve(row, action, reason, request.actor, evidence), follows=not asks_only
    )


@needs(Permission.APPROVE)
@require_POST
def approve(request: WorkspaceRequest, problem: int) -> HttpResponse:
    """The second person's word (R41, R72)."""
    row = open_row(request, problem)
    asked = approvals.waiting_about(request.workspace, f"problem:{row.pk}").first()
    if asked is None or asked.asked_by == request.actor:
        text = "You asked for it: somebody else must approve it." if asked else "Nothing waits for approval here."
        return problem_page(request, problem, error=text, status=409)
    return _done(request, problem, lambda: second_person.approve(asked, request.actor, request.POST.get("reason", "")))


@needs(Permission.MAP)
@require_POST
def add_mapping(request: WorkspaceRequest, problem: int) -> HttpResponse:
    """Maps the code that the Problem is about; all that waits for it follows."""
    row = open_row(request, problem)
    name, _, code = row.subject.partition(":")
    target = request.POST.get("target", "").strip()
    if not target or row.cause not in mappings.CAUSES:
        return problem_page(
            request, problem, error="Choose what the code is mapped to. Nothing was changed.", status=400
        )

    started = clock.now()
    ids, flows = flows_held(request.workspace, problem)
    try:
        made = second_person.publish_mapping(row.integration, name, {code: target}, request.actor, f"Problem {row.pk}")
    except REFUSED as refused:
        return problem_page(request, problem, error=str(refused), status=400)
    if isinstance(made, MappingVersion):
        return _follow(request, problem, f"{code} is mapped to {target}.", ids, flows, started)
    said = f"Asked for: {code} is mapped to {target} when a second person approves it."
    if request.htmx:
        return problem_page(request, problem, said=said)
    messages.success(request, said)
    return redirect("problem", workspace=request.workspace.name, problem=problem)


@needs(Permission.SOLVE)
@require_POST
def link(request: WorkspaceRequest, problem: int) -> HttpResponse:
    """Says which of the other side's suppliers the Problem's supplier is."""
    row = open_row(request, problem)
    target = request.POST.get("target", "").strip()
    view = problem_view(request.workspace, problem)
    if not target or view is None or view.link is None:
        return problem_page(
            request, problem, error="Choose a supplier of the other side. Nothing was changed.", status=400
        )
    fix = view.link

    def accept() -> str:
        links.answer(row.integration, target, request.actor, record=fix.record, vendor=fix.vendor)
        return f"Linked to {target}."

    return _done(request, problem, accept)


def _done(
    request: WorkspaceRequest, problem: int, decision: Callable[[], str], *, follows: bool = True
) -> HttpResponse:
    """Carries a decision out and follows what it let go; a refusal is said in place. `follows`: it lets go at all."""
    started = clock.now()
    ids, flows = flows_held(request.workspace, problem)
    try:
        said = decision()
    except REFUSED as refused:
        return problem_page(request, problem, error=str(refused), status=400)
    if not follows:
        if request.htmx:
            return problem_page(request, problem, said=said)
        return redirect(reverse("problem", args=[request.workspace.name, problem]))
    return _follow(request, problem, said, ids, flows, started)


def _follow(
    request: WorkspaceRequest, problem: int, said: str, ids: list[int], flows: list[Flow], started: datetime
) -> HttpResponse:
    query = replaying.begin(ids, flows, started)
    if not request.htmx:
        return redirect(f"{reverse('problem', args=[request.workspace.name, problem])}?{query}")
    request.GET = type(request.GET)(query)
    return problem_page(request, problem, said=said)


def problem_page(
    request: WorkspaceRequest, problem: int, *, error: str = "", said: str = "", status: int = 200
) -> HttpResponse:
    found = problem_view(request.workspace, problem)
    if found is None:
        raise Http404
    members = people.members(request.workspace)
    context = {
        "view": found,
        "names": people.names_of(_actors(found)),
        "replay": replaying.followed(request),
        "query": request.GET.urlencode(),
        "error": error,
        "said": said,
        "given": request.POST,
        "own_request": found.asked is not None and found.asked.asked_by == request.actor,
        "members": members,
        "owner_name": next((row.name or row.email for row in members if row.person == found.problem.owner), ""),
    }
    part = "console/problems/_problem.html" if request.htmx else "console/problems/page.html"
    return render(request, part, context, status=status)


def _wanted(request: WorkspaceRequest) -> Wanted:
    """What the address narrows the list to; what makes no sense in it narrows nothing."""
    owner, age = request.GET.get("owner", ""), request.GET.get("age", "")
    person = int(owner) if owner.isdecimal() and len(owner) < 19 else None
    return Wanted(
        cause=request.GET.get("cause", ""),
        integration=request.GET.get("integration", ""),
        owner={"mine": request.user.pk, "nobody": NOBODY}.get(owner, person),
        older_than=int(age) if age.isdecimal() and int(age) in AGES else 0,
        snoozed={"yes": True, "no": False}.get(request.GET.get("snoozed", "")),
        over_too=request.GET.get("state") == "all",
    )


def _actors(view: ProblemView) -> set[str]:
    asked_by = {view.asked.asked_by} if view.asked else set()
    written = {comment.author for comment in view.comments}
    return {told.actor for told in view.story} | written | asked_by | {view.problem.ended_by}


def open_row(request: WorkspaceRequest, problem: int) -> Problem:
    rows = Problem.objects.of(request.workspace).select_related(
        "workspace", "integration__workspace", "integration__erp", "integration__platform"
    )
    row = rows.filter(pk=problem).first()
    if row is None:
        raise Http404
    return row

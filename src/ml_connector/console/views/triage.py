"""Whose a Problem is, what people say of it, until when it sleeps; and decisions on several at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ml_connector import clock
from ml_connector.console import people
from ml_connector.console.access import WorkspaceRequest, needs
from ml_connector.console.views import problems as pages
from ml_connector.jobs import schedule
from ml_connector.sync import triage
from ml_connector.sync.models import Flow, Problem, Record, RunKind
from ml_connector.sync.problems import DecisionRefused, solve
from ml_connector.sync.queries.problem_list import PAGE, preview
from ml_connector.workspaces.models import Membership, Person
from ml_connector.workspaces.roles import Permission

BULK = {
    "assign": "Assign",
    "snooze": "Snooze",
    "retry": "Retry",
    "skip": "Skip",
    "accept": "Mark as handled",
}
"""What can be done with several at once; what needs a second person is decided one by one."""
TRIAGE = frozenset({"assign", "snooze"})
"""Of these, what decides nothing."""


@needs(Permission.SOLVE)
@require_POST
def owner(request: WorkspaceRequest, problem: int) -> HttpResponse:
    row = pages.open_row(request, problem)
    return _changed(request, problem, lambda: triage.assign(row, _person(request), request.actor))


@needs(Permission.SOLVE)
@require_POST
def comment(request: WorkspaceRequest, problem: int) -> HttpResponse:
    row = pages.open_row(request, problem)

    def add() -> str:
        triage.comment(row, request.POST.get("text", ""), request.actor)
        request.POST = type(request.POST)()
        return "The comment is added."

    return _changed(request, problem, add)


@needs(Permission.SOLVE)
@require_POST
def snooze(request: WorkspaceRequest, problem: int) -> HttpResponse:
    """Until the day given; awake at once without one."""
    row = pages.open_row(request, problem)
    return _changed(request, problem, lambda: triage.snooze(row, _day(request), _today(), request.actor))


@needs(Permission.SOLVE)
@require_POST
def ask(request: WorkspaceRequest) -> HttpResponse:
    """What a decision on the chosen Problems would mean, before anything happens."""
    return _preview(request)


@needs(Permission.SOLVE)
@require_POST
def do(request: WorkspaceRequest) -> HttpResponse:
    """Carries out what the preview showed, Problem by Problem; one that changed meanwhile is left as it is."""
    action, reason = request.POST.get("action", ""), request.POST.get("reason", "")
    if action not in BULK:
        return _preview(request)
    if action in {"skip", "accept"} and not reason.strip():
        return _preview(request, error=f"{BULK[action]} needs a reason: it goes into the audit trail.")
    if action == "snooze" and not request.POST.get("until"):
        return _preview(request, error="Choose the day on which they come back.")
    rows = Problem.objects.of(request.workspace).select_related("workspace", "integration")
    chosen = list(rows.filter(pk__in=_chosen(request)).order_by("pk"))
    try:
        give, until = _person(request), _day(request)
    except DecisionRefused as refused:
        return _preview(request, error=str(refused))

    def act(row: Problem) -> str:
        if action == "assign":
            return triage.assign(row, give, request.actor)
        if action == "snooze":
            return triage.snooze(row, until, _today(), request.actor)
        return solve(row, action, reason, request.actor)

    flows = {} if action in TRIAGE else _flows(request, [row.pk for row in chosen])
    done, refusals = 0, []
    for row in chosen:
        try:
            act(row)
            done += 1
        except DecisionRefused as refused:
            refusals.append(str(refused))
    schedule.wake(list(flows), RunKind.PUSH)
    messages.success(request, f"{BULK[action]}: {done} Problem{'' if done == 1 else 's'}.")
    if refusals:
        messages.error(request, f"{len(refusals)} left as they are. {' '.join(refusals[:3])}")
    return redirect(_back(request))


def _preview(request: WorkspaceRequest, *, error: str = "") -> HttpResponse:
    action, ids = request.POST.get("action", ""), _chosen(request)
    if action not in BULK or not ids:
        what = "no Problem was chosen" if not ids else "no action was chosen"
        messages.error(request, f"Nothing was changed: {what}.")
        return redirect(_back(request))
    context = {
        "preview": preview(request.workspace, ids, "" if action in TRIAGE else action),
        "action": action,
        "word": BULK[action],
        "members": people.members(request.workspace),
        "error": error,
        "given": request.POST,
        "back": _back(request),
        "needs_reason": action in {"skip", "accept"},
    }
    return render(request, "console/problems/bulk.html", context, status=400 if error else 200)


def _changed(request: WorkspaceRequest, problem: int, change: Callable[[], str]) -> HttpResponse:
    try:
        said = change()
    except DecisionRefused as refused:
        return pages.problem_page(request, problem, error=str(refused), status=400)
    if request.htmx:
        return pages.problem_page(request, problem, said=said)
    messages.success(request, said)
    return redirect(reverse("problem", args=[request.workspace.name, problem]))


def _person(request: WorkspaceRequest) -> Person | None:
    """The person that a form names, who must be in the Workspace; None for nobody. Raises DecisionRefused."""
    given = request.POST.get("owner", "")
    if not given:
        return None
    places = Membership.objects.of(request.workspace).select_related("person")
    place = places.filter(person_id=int(given)).first() if given.isdecimal() and len(given) < 19 else None
    if place is None:
        raise DecisionRefused("Only somebody of this workspace can be made owner. Choose one of the list.")
    return place.person


def _day(request: WorkspaceRequest) -> date | None:
    given = request.POST.get("until", "")
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise DecisionRefused(f"{given} is no date. Choose a day after today.") from None


def _today() -> date:
    return timezone.localdate(clock.now())


def _chosen(request: WorkspaceRequest) -> list[int]:
    """No more than a page lists."""
    given = request.POST.getlist("problem")[:PAGE]
    return [int(one) for one in given if one.isdecimal() and len(one) < 19]


def _flows(request: WorkspaceRequest, ids: list[int]) -> dict[int, None]:
    """The Flows whose writes a decision on these Problems makes due."""
    held = Record.objects.of(request.workspace).filter(problems__problem__in=ids).values("flow_id")
    return dict.fromkeys(Flow.objects.of(request.workspace).filter(pk__in=held).values_list("pk", flat=True))


def _back(request: WorkspaceRequest) -> str:
    """The list as it was narrowed when the Problems were chosen."""
    listed = reverse("problems", args=[request.workspace.name])
    given = request.POST.get("back", "")
    own = given.startswith(f"{listed}?") and url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return given if own else listed

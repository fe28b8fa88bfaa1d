"""What every page shows around its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from ml_connector import __version__
from ml_connector.sync.models import Problem, ProblemState
from ml_connector.sync.queries.approval_page import waiting_for
from ml_connector.workspaces.models import Membership
from ml_connector.workspaces.roles import MAY, Permission

PAGES = (
    ("home", "Home", "home"),
    ("problems", "Problems", "problem"),
    ("records", "Records", "record"),
    ("approvals", "Approvals", "approval"),
    ("tie_outs", "Tie-out", ("tie_out", "pack")),
    ("mappings", "Mappings", "mapping"),
    ("runs", "Runs", "run"),
    ("connections", "Connections", "connection"),
    ("audit", "Audit", "audit"),
    ("settings", "Settings", "settings"),
)
"""Name of the address, what people read, and what the names of its further addresses begin with."""


COUNT_IDS = {"problems": "open-problems", "approvals": "waiting-approvals"}


@dataclass(frozen=True)
class Entry:
    """One entry of the navigation."""

    label: str
    address: str
    here: bool
    count: int = 0
    count_id: str = ""
    """Where the count stands in the page, so that a part of a page can bring a new one; empty where there is none."""


def layout(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "auto")
    found: dict[str, Any] = {"theme": theme if theme in {"light", "dark"} else "auto", "version": __version__}
    if settings.SINGLE_SIGN_ON:
        found["single_sign_on"] = settings.SINGLE_SIGN_ON["name"]
    place: Membership | None = getattr(request, "membership", None)
    if place is None:
        return found
    workspace = place.workspace
    here = request.resolver_match.url_name or "" if request.resolver_match else ""
    open_ones = Problem.objects.of(workspace).filter(state=ProblemState.OPEN).count()
    counts = {"problems": open_ones}
    if Permission.APPROVE in MAY[place.role]:
        counts["approvals"] = waiting_for(workspace, place.person.actor)
    found["navigation"] = [
        Entry(
            label,
            reverse(name, args=[workspace.name]),
            here=here == name or here.startswith(begins),
            count=counts.get(name, 0),
            count_id=COUNT_IDS[name] if name in counts else "",
        )
        for name, label, begins in PAGES
    ]
    others = Membership.objects.across_workspaces().filter(person_id=place.person_id).exclude(pk=place.pk)
    found |= {
        "workspace": workspace,
        "role": place.role,
        "may": {permission.value for permission in MAY[place.role]},
        "others": list(others.order_by("workspace__name").values_list("workspace__name", flat=True)[:20]),
    }
    return found

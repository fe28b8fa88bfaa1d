"""Who may do what: every address, as every role, as a stranger and as nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from ml_connector.console.access import PUBLIC, SIGNED_IN
from ml_connector.workspaces.models import Membership, Workspace
from ml_connector.workspaces.roles import MAY, Permission, Role
from tests.console.conftest import person

MACHINES = {"healthz", "readyz", "metrics", "hooks/<str:path>"}
"""For the operator's tools, which say nothing of what a customer's records hold; and for vendors' webhooks, whose
access tests/webhooks/test_endpoint.py tries."""
PARTS = {"<str:workspace>": "acme", "<str:integration>": "bench", "<str:name>": "gl_account",
         "<int:problem>": "999999", "<int:record>": "999999", "<int:connection>": "999999",
         "<int:result>": "999999", "<int:pack>": "999999", "<int:approval>": "999999",
         "<int:task>": "999999", "<int:event>": "999999", "<int:hold>": "999999", "<int:channel>": "999999",
         "<str:kind>": "syspro-bill", "<str:side>": "erp"}  # fmt: skip


TOKEN = re.compile(rb'"X-CSRFToken": "\w+"')


def patterns(resolver: URLResolver, begins: str = "") -> Iterator[tuple[str, URLPattern]]:
    for found in resolver.url_patterns:
        route = begins + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from patterns(found, route)
        else:
            yield route, found


API = "api/v1/"
"""For programs with tokens; tests/api/test_access.py walks it."""
PAGES = [
    (route, found.callback)
    for route, found in patterns(get_resolver())
    if route not in MACHINES and not route.startswith(API)
]


def address(route: str) -> str:
    for part, value in PARTS.items():
        route = route.replace(part, value)
    assert "<" not in route, f"Say in PARTS what stands for the new part of {route}."
    return f"/{route}"


def ask(client: Client, route: str) -> set[int]:
    """The answers to a reading and to a writing request."""
    return {client.get(address(route)).status_code, client.post(address(route)).status_code}


def test_every_address_says_who_may_call_it():  # R74
    undeclared = [route for route, view in PAGES if not hasattr(view, "access")]
    assert undeclared == []
    assert len(PAGES) > 30


def test_what_belongs_to_a_workspace_needs_a_permission():  # R74
    for route, view in PAGES:
        within = route.startswith("w/<str:workspace>/")
        assert within == isinstance(view.access, Permission), route
        assert within or view.access in {PUBLIC, SIGNED_IN}, route


@pytest.mark.parametrize("role", Role.values)
def test_each_role_gets_in_where_its_permissions_say(sign_in, role):  # R74
    client = sign_in(role)
    for route, view in PAGES:
        if isinstance(view.access, Permission):
            refused = ask(client, route) == {403}
            assert refused == (view.access not in MAY[role]), f"{role} at {route}"


def test_a_stranger_cannot_tell_a_workspace_from_one_that_is_not_there(sign_in):  # R74
    client = sign_in("stranger")
    for route, view in PAGES:
        if isinstance(view.access, Permission):
            assert ask(client, route) == {404}, route
            there, nowhere = client.get(address(route)), client.get(address(route).replace("/acme/", "/nowhere/"))
            assert TOKEN.sub(b"", there.content) == TOKEN.sub(b"", nowhere.content), route


def test_nobody_gets_further_than_the_sign_in(sign_in):  # R74
    for route, view in PAGES:
        if view.access == PUBLIC:
            continue
        for answer in (Client(headers={"host": "localhost"}).get(address(route)),
                       Client(headers={"host": "localhost"}).post(address(route))):  # fmt: skip
            assert answer.status_code == 302, route
            assert answer.headers["location"].startswith("/account/sign-in"), route


def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in(people):
    answer = Client(headers={"host": "localhost", "hx-request": "true"}).get("/w/acme/records")
    assert answer.headers["hx-redirect"] == "/account/sign-in"


def test_rows_of_another_workspace_are_not_found_by_their_numbers(pair, sign_in):  # R74
    other = Workspace.objects.get(name="other")
    assert not Membership.objects.of(other).filter(person__email="owner@acme.test").exists()
    client = sign_in("stranger")
    record = pair.record("ELC-1001").pk
    assert client.get(f"/w/other/records/{record}").status_code == 404
    assert client.post(f"/w/other/records/{record}/replay").status_code == 404
    assert client.post(f"/w/other/connections/{pair.erp.pk}/ping").status_code == 404
    assert client.get("/w/other/mappings/bench/gl_account").status_code == 404
    assert client.post("/w/other/runs/start", {"integration": "bench"}).status_code == 404
    assert b"Nothing found" in client.get("/w/other/records?q=ELC-1001").content


def test_an_owner_of_two_workspaces_chooses(people, sign_in):
    other = Workspace.objects.get(name="other")
    both = person("both@acme.test", other)
    acme = Workspace.objects.get(name="acme")
    Membership.objects.create(workspace=acme, person=both, role="auditor", since=both.created_at)
    client = Client(headers={"host": "localhost"})
    client.force_login(both, backend="allauth.account.auth_backends.AuthenticationBackend")
    text = client.get("/").content.decode()
    assert "/w/acme/" in text and "/w/other/" in text


def test_an_administrator_makes_no_owner(sign_in, workspace):
    client = sign_in("administrator")
    assert client.post("/w/acme/settings/people/invite", {"email": "n@acme.test", "role": "owner"}).status_code == 403
    assert client.post("/w/acme/settings/people/remove", {"email": "owner@acme.test"}).status_code == 403
    own = {"email": "administrator@acme.test", "role": "owner"}
    assert client.post("/w/acme/settings/people/invite", own).status_code == 403
    assert Membership.objects.of(workspace).filter(role="owner").count() == 1


def test_the_last_owner_stays(sign_in, workspace):
    client = sign_in("owner")
    assert client.post("/w/acme/settings/people/remove", {"email": "owner@acme.test"}).status_code == 400
    change = {"email": "owner@acme.test", "role": "auditor"}
    assert client.post("/w/acme/settings/people/invite", change).status_code == 400
    assert Membership.objects.of(workspace).filter(role="owner").exists()

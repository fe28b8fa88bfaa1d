"""`people`: who may sign in, as whoever has the host says it."""

from __future__ import annotations

import re

from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.console import people as directory
from ml_connector.console.people import Joining
from ml_connector.workspaces.models import Invitation, Person
from tests.console.conftest import PASSWORD


def code_of(said) -> str:
    found = re.search(r"/join#(\S+)", said.out)
    assert found, said.out
    return found[1]


def test_people_come_in_change_their_role_and_leave(run, workspace):
    code = code_of(run("people", "add", "Olga@acme.test", "--role", "owner"))
    directory.join(code, Joining("", "Olga", PASSWORD))
    assert [(row["email"], row["role"]) for row in run("people", "list", "--json").json] == [
        ("olga@acme.test", "owner")
    ]
    assert run("people", "remove", "olga@acme.test").status == 2, "the last owner stays"
    directory.join(code_of(run("people", "add", "omar@acme.test")), Joining("", "Omar", PASSWORD))
    assert "approver" in run("people", "add", "omar@acme.test", "--role", "approver").out
    assert {row["role"] for row in run("people", "list", "--json").json} == {"owner", "approver"}
    assert run("people", "remove", "omar@acme.test").status == 0
    assert len(run("people", "list", "--json").json) == 1


def test_what_cannot_be_is_said(run, workspace):
    assert "no role" in run("people", "add", "a@acme.test", "--role", "king").err
    assert "no e-mail address" in run("people", "add", "nobody").err
    assert "Nobody signs in" in run("people", "reset", "ghost@acme.test").err


def test_a_lost_password_is_replaced_by_a_link(run, workspace):
    directory.join(code_of(run("people", "add", "olga@acme.test", "--role", "owner")), Joining("", "Olga", PASSWORD))
    code = code_of(run("people", "reset", "olga@acme.test", "--second-factor"))
    person = directory.join(code, Joining("", "", "another long phrase"))
    assert person.check_password("another long phrase") and not person.check_password(PASSWORD)


def test_a_person_is_erased_and_the_trail_holds(run, workspace):  # R69
    directory.join(code_of(run("people", "add", "olga@acme.test", "--role", "owner")), Joining("", "Olga", PASSWORD))
    omar = directory.join(code_of(run("people", "add", "omar@acme.test")), Joining("", "Omar Opal", PASSWORD))
    browser = Client(headers={"host": "localhost"})
    browser.force_login(omar, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get("/w/acme/").status_code == 200
    assert run("people", "erase", "omar@acme.test").status == 0
    assert browser.get("/w/acme/").status_code == 302
    assert not Person.objects.filter(email="omar@acme.test").exists()
    assert not Session.objects.exists() and not Invitation.objects.filter(email="omar@acme.test").exists()
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            content = str(cursor.fetchall()).lower()
            assert "omar" not in content, table
    assert verify(workspace).holds
    assert AuditEntry.objects.of(workspace).get(action="person_erased").subject == omar.actor
    assert directory.names_of([omar.actor]) == {}
    assert run("people", "erase", "olga@acme.test").status == 2, "the last owner stays"

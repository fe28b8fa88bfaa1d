"""Tokens: made and shown once, listed, ended; by people in Settings and by whoever has the host."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from ml_connector import clock, tokens
from ml_connector.audit.models import AuditEntry
from ml_connector.tokens import TokenRefused
from ml_connector.workspaces.models import ApiToken
from tests.api.conftest import Program
from tests.cli.conftest import run
from tests.console.conftest import people, sign_in

__all__ = ["people", "run", "sign_in"]

SETTINGS = "/w/acme/settings"
TOKEN = re.compile(r"mlc_[A-Za-z0-9]{48}")


def test_an_administrator_makes_a_token_that_is_shown_once(sign_in, workspace):
    admin = sign_in("administrator")
    made = admin.post(f"{SETTINGS}/tokens/make", {"name": "ci", "scope": ["view", "run"], "days": "30"})
    text = TOKEN.search(made.content.decode())[0]
    assert Program("acme", text).get("/status").status == 200
    page = admin.get(SETTINGS).content.decode()
    assert not TOKEN.search(page) and text[:12] in page and "ci" in page
    row = ApiToken.objects.of(workspace).get(name="ci")
    assert (row.scopes, row.made_by[:7]) == (["view", "run"], "person:")
    assert timedelta(days=29) < row.expires_at - clock.now() <= timedelta(days=30)
    assert admin.post(f"{SETTINGS}/tokens/revoke", {"name": "ci"}).status_code == 302
    assert Program("acme", text).get("/status").status == 401
    told = list(AuditEntry.objects.of(workspace).filter(action="token").values_list("actor", flat=True))
    assert told == [row.made_by] * 2


@pytest.mark.parametrize("role", ["operator", "approver", "auditor"])
def test_others_neither_make_nor_see_tokens(sign_in, workspace, role):  # R74
    tokens.make(workspace, "secret-agent", ["view"], 30, "person:1")
    client = sign_in(role)
    assert client.post(f"{SETTINGS}/tokens/make", {"name": "x", "scope": "view", "days": "30"}).status_code == 403
    assert client.post(f"{SETTINGS}/tokens/revoke", {"name": "secret-agent"}).status_code == 403
    assert "secret-agent" not in client.get(SETTINGS).content.decode()


def test_what_cannot_be_is_said_and_nothing_is_made(sign_in, workspace):
    owner = sign_in("owner")
    tokens.make(workspace, "ci", ["view"], 30, "person:1")
    for form, said in (
        ({"name": "", "scope": "view", "days": "30"}, "made of letters"),
        ({"name": "a b", "scope": "view", "days": "30"}, "made of letters"),
        ({"name": "new", "days": "30"}, "Choose what the token may do"),
        ({"name": "new", "scope": "approve", "days": "30"}, "cannot be allowed to approve"),
        ({"name": "new", "scope": "view", "days": "367"}, "from 1 to 366 days"),
        ({"name": "new", "scope": "view", "days": "x"}, "from 1 to 366 days"),
        ({"name": "ci", "scope": "view", "days": "30"}, "Choose another name"),
    ):
        answer = owner.post(f"{SETTINGS}/tokens/make", form)
        assert answer.status_code == 400 and said in answer.content.decode(), form
    assert ApiToken.objects.of(workspace).count() == 1


def test_the_command_makes_lists_and_revokes(run, workspace):
    made = run("tokens", "make", "night", "--scope", "view", "--scope", "map", "--days", "7")
    assert made.status == 0 and TOKEN.fullmatch(made.out.strip()) and "shown once" in made.err
    assert Program("acme", made.out.strip()).get("/mappings").status == 200
    row = run("tokens", "list", "--json").json[0]
    assert (row["name"], row["scopes"], row["state"]) == ("night", ["view", "map"], "good")
    assert row["last_used_at"] is not None
    assert "night" in run("tokens", "list").out
    assert run("tokens", "revoke", "night").status == 0
    assert run("tokens", "list", "--json").json[0]["state"] == "revoked"
    assert run("tokens", "make", "night").status == 2
    assert "no token 'ghost'" in run("tokens", "revoke", "ghost").err
    assert Program("acme", made.out.strip()).get("/mappings").status == 401


def test_there_are_not_more_good_tokens_than_anybody_can_watch(workspace):
    for number in range(tokens.AT_MOST):
        tokens.make(workspace, f"t{number}", ["view"], 30, "person:1")
    with pytest.raises(TokenRefused, match="Revoke those"):
        tokens.make(workspace, "more", ["view"], 30, "person:1")
    tokens.revoke(workspace, "t0", "person:1")
    tokens.make(workspace, "more", ["view"], 30, "person:1")

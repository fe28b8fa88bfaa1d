"""The page of the key, and links for a new password."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator

from ml_connector import clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.console import keys
from ml_connector.console import people as directory
from ml_connector.vault.models import Secret
from ml_connector.workspaces.models import Invitation, Membership, Workspace
from tests.console.conftest import person

PAGE = "/w/acme/settings/keys"
RESET = "/w/acme/settings/people/reset"


@pytest.fixture
def alone(people, workspace):
    """No other customer in the installation."""
    other = Workspace.objects.get(name="other")
    Membership.objects.of(other).delete()
    other.delete()
    return workspace


def test_a_rotation_wraps_every_secret_anew_and_stands_in_the_trail(alone, sign_in):  # R75
    vault.put(alone, "connection:erp", "password", "plum tarpaulin")
    clock.hold(clock.now())
    before = keys.state(alone)
    assert before.since is not None and before.stale == 0
    clock.hold(clock.now() + timedelta(days=90))
    client = sign_in("administrator")
    assert before.id in client.get(PAGE).content.decode()
    said = b"".join(client.post(f"{PAGE}/rotate").streaming_content).decode()
    after = keys.state(alone)
    assert after.id != before.id and after.id in said
    assert after.since == clock.now()
    assert set(Secret.objects.of(alone).values_list("key_id", flat=True)) == {after.id}
    assert vault.get(alone, "connection:erp", "password") == "plum tarpaulin"
    entry = AuditEntry.objects.of(alone).get(action="key_rotation")
    assert entry.actor.startswith("person:") and after.id in entry.detail


def test_a_secret_that_a_rotation_left_behind_is_counted(alone, sign_in):  # R75
    vault.put(alone, "connection:erp", "password", "plum tarpaulin")
    assert keys.state(alone).stale == 0
    Secret.objects.of(alone).update(key_id="0" * 16)
    assert keys.state(alone).stale == 1
    assert "Rotation not finished" in sign_in("auditor").get(PAGE).content.decode()


def test_where_customers_share_the_key_the_host_rotates_it(sign_in, workspace):  # R74
    before = keys.state(workspace)
    client = sign_in("owner")
    text = client.get(PAGE).content.decode()
    assert "Rotate now" not in text and "vault rotate" in text
    assert client.post(f"{PAGE}/rotate").status_code == 403
    assert keys.state(workspace).id == before.id


def test_a_key_that_is_not_ours_to_change_says_what_to_do(alone, sign_in, monkeypatch):
    import base64

    from ml_connector.vault.sealing import new_key

    monkeypatch.setenv("ML_CONNECTOR_KEY", base64.b64encode(new_key()).decode())
    client = sign_in("owner")
    assert "the environment of the host" in client.get(PAGE).content.decode()
    said = b"".join(client.post(f"{PAGE}/rotate").streaming_content).decode()
    assert "Put a new key before the old one" in said
    assert not AuditEntry.objects.of(alone).filter(action="key_rotation").exists()


# --- links for a new password


def code_of(answer) -> str:
    return answer.content.decode().partition("/join#")[2].partition('"')[0]


def test_an_administrator_makes_a_link_for_a_new_password(sign_in, people, workspace):
    code = code_of(sign_in("administrator").post(RESET, {"email": "operator@acme.test"}))
    invitation = directory.invitation_of(code)
    assert invitation is not None and invitation.person == people["operator"]
    entry = AuditEntry.objects.of(workspace).get(action="new_password_link")
    assert entry.actor == people["administrator"].actor
    assert "operator" not in f"{entry.subject} {entry.detail}"  # R69


def test_a_lost_second_factor_is_taken_away_only_when_asked_for(sign_in, people):
    made = Authenticator.objects.create(user=people["operator"], type="totp", data={})
    client = sign_in("administrator")
    client.post(RESET, {"email": "operator@acme.test"})
    assert Authenticator.objects.filter(pk=made.pk).exists()
    client.post(RESET, {"email": "operator@acme.test", "second_factor": "yes"})
    assert not Authenticator.objects.filter(pk=made.pk).exists()


def test_an_administrator_makes_no_link_for_an_owner(sign_in):
    assert sign_in("administrator").post(RESET, {"email": "owner@acme.test"}).status_code == 403
    assert not Invitation.objects.exists()


def test_nobody_makes_a_link_into_another_workspace(sign_in, workspace, people):  # R74
    other = Workspace.objects.get(name="other")
    both = person("both@acme.test", workspace, "operator")
    Membership.objects.create(workspace=other, person=both, role="owner", since=clock.now())
    client = sign_in("owner")
    for email in ("both@acme.test", "stranger@other.test", "owner@acme.test", "nobody@acme.test"):
        assert client.post(RESET, {"email": email}).status_code == 400, email
    assert not Invitation.objects.exists()

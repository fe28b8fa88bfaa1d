"""Single sign-on against a strict provider over real HTTP."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.console import people as directory
from ml_connector.redaction import redacted
from ml_connector.workspaces.models import Invitation, Membership, Person
from tests.console.conftest import PASSWORD, person
from tests.console.oidc import CLIENT_ID, CLIENT_SECRET, Provider, provider

SIGN_IN, BEGIN = "/account/sign-in", "/account/single-sign-on"


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch, database) -> Iterator[Provider]:
    with provider() as made:
        chosen = {"issuer": made.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "name": "Acme ID",
                  "passwords": True}  # fmt: skip
        monkeypatch.setattr(settings, "SINGLE_SIGN_ON", chosen)
        yield made


@pytest.fixture
def browser(idp) -> Client:
    return Client(headers={"host": "localhost"}, enforce_csrf_checks=True)


@pytest.fixture
def olga(workspace) -> Person:
    return person("olga@acme.test", workspace, password=PASSWORD)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def at_the_provider(address: str) -> str:
    """A browser at the provider's door: where it is sent back to."""
    try:
        urllib.request.build_opener(_Stay).open(address)
    except urllib.error.HTTPError as answer:
        return answer.headers["location"]
    raise AssertionError("The provider sent nobody back.")


def begun(browser: Client, **more: str) -> str:
    """Where the button leads."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(SIGN_IN).content.decode())
    assert token
    answer = browser.post(BEGIN, {"csrfmiddlewaretoken": token[1], **more})
    assert answer.status_code == 200, answer.content
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.content.decode())
    assert found
    return html.unescape(found[1])


def back(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def signed_in(browser: Client, **more: str):
    return browser.get(back(at_the_provider(begun(browser, **more))))


def is_in(browser: Client) -> bool:
    return browser.get("/w/acme/").status_code == 200


def test_somebody_who_was_invited_comes_in_by_a_verified_address(browser, idp, olga, workspace):
    answer = signed_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert is_in(browser)
    entry = AuditEntry.objects.of(workspace).get(action="sign_in")
    assert (entry.actor, entry.detail) == (f"person:{olga.pk}", '{"by":"single_sign_on"}')
    assert Person.objects.count() == 1
    assert idp.refused == []


def test_the_sign_in_page_offers_it_only_where_it_is_set_up(browser, idp, monkeypatch):
    assert "Sign in with Acme ID" in browser.get(SIGN_IN).content.decode()
    monkeypatch.setattr(settings, "SINGLE_SIGN_ON", {})
    assert "Acme ID" not in browser.get(SIGN_IN).content.decode()
    assert Client(headers={"host": "localhost"}).post(BEGIN).status_code == 404
    assert browser.get(f"{BEGIN}/back?code=x&state=y").status_code == 404


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email_verified": None}, {"email": None}, {"email": "eve@evil.test"},
     {"email_verified": "false"}, {"email": "olga@acme.test.evil.test"}],
)  # fmt: skip
def test_nobody_else_comes_in_and_nobody_signs_up(browser, idp, olga, claims):
    idp.change = claims
    assert signed_in(browser).status_code == 403
    assert not is_in(browser)
    assert Person.objects.count() == 1


def test_an_invitation_is_taken_up_by_its_address_alone(browser, idp, olga, workspace):
    directory.invite(workspace, "omar@acme.test", "operator", olga.actor)
    idp.change = {"email": "Omar@Acme.test", "sub": "u-2", "name": "Omar"}
    assert signed_in(browser).status_code == 302
    assert is_in(browser)
    assert Membership.objects.of(workspace).get(person__email="omar@acme.test").role == "operator"
    assert Invitation.objects.get().used_at is not None
    assert not Person.objects.get(email="omar@acme.test").has_usable_password()


def test_an_invitation_that_ended_lets_nobody_in(browser, idp, olga, workspace):
    directory.invite(workspace, "omar@acme.test", "operator", olga.actor)
    clock.hold(clock.now() + timedelta(hours=25))
    idp.change = {"email": "omar@acme.test"}
    assert signed_in(browser).status_code == 403
    assert Person.objects.count() == 1


# --- the token


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "of another sign-in"}, {"nonce": None}, {"aud": "another"}, {"aud": [CLIENT_ID, "another"]},
     {"iss": "https://evil.example"}, {"exp": 1_700_000_000}, {"exp": None}, {"sub": None}, {"azp": "another"},
     {"iat": 4_000_000_000}],
)  # fmt: skip
def test_a_token_that_is_wrong_in_one_claim_lets_nobody_in(browser, idp, olga, claims):
    idp.change = claims
    assert signed_in(browser).status_code == 403
    assert not is_in(browser)


def test_a_token_signed_by_another_key_lets_nobody_in(browser, idp, olga):
    idp.sign_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert signed_in(browser).status_code == 403
    assert not is_in(browser)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_a_signature_of_a_key_pair_lets_nobody_in(browser, idp, olga, algorithm):
    idp.algorithm = algorithm
    idp.sign_with = CLIENT_SECRET if algorithm == "HS256" else None
    assert signed_in(browser).status_code == 403
    assert not is_in(browser)


def test_a_provider_that_calls_itself_otherwise_is_refused(browser, idp, olga):
    idp.issuer_said = "https://evil.example"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(SIGN_IN).content.decode())
    assert token
    assert browser.post(BEGIN, {"csrfmiddlewaretoken": token[1]}).status_code == 503


def test_an_answer_of_another_issuer_is_refused(browser, idp, olga):
    address = back(at_the_provider(begun(browser)))
    assert browser.get(re.sub(r"iss=[^&]*", "iss=https%3A%2F%2Fevil.example", address)).status_code == 403


# --- the way


def test_state_belongs_to_one_browser_and_is_used_once(browser, idp, olga):
    address = back(at_the_provider(begun(browser)))
    other = Client(headers={"host": "localhost"})
    assert other.get(address).status_code == 403, "a code that was put upon another browser"
    assert browser.get(address).status_code == 302
    assert browser.get(address).status_code == 403, "used before"
    assert browser.get(f"{BEGIN}/back").status_code == 403
    assert browser.get(f"{BEGIN}/back?error=access_denied&state=x").status_code == 403


def test_a_code_without_its_verifier_is_worth_nothing(browser, idp, olga):
    """One who steals a code of another's sign-in cannot put it into their own (PKCE)."""
    stolen = dict(parse_qsl(urlsplit(at_the_provider(begun(Client(headers={"host": "localhost"})))).query))["code"]
    mine = at_the_provider(begun(browser))
    assert browser.get(re.sub(r"code=[^&]*", f"code={stolen}", back(mine))).status_code == 403
    assert "verifier" in idp.refused


def test_the_session_is_a_new_one(browser, idp, olga):
    browser.get(SIGN_IN)
    planted = browser.session
    planted["before"] = "yes"
    planted.save()
    before = planted.session_key
    browser.cookies[settings.SESSION_COOKIE_NAME] = before
    assert signed_in(browser).status_code == 302
    assert browser.session.session_key != before
    thief = Client(headers={"host": "localhost"})
    thief.cookies[settings.SESSION_COOKIE_NAME] = before
    assert thief.get("/w/acme/").status_code == 302


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_it_leads_to_no_other_site(browser, idp, olga, there):
    assert signed_in(browser, next=there).headers["location"] == "/"


def test_it_leads_to_where_one_wanted_to_go(browser, idp, olga):
    assert signed_in(browser, next="/w/acme/records").headers["location"] == "/w/acme/records"


def test_nothing_of_the_address_gets_into_the_request(browser, idp, olga):
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(SIGN_IN).content.decode())
    assert token
    answer = browser.post(f"{BEGIN}?scope=admin&auth_params=nonce%3Dmine%26prompt%3Dnone&process=connect",
                          {"csrfmiddlewaretoken": token[1]})  # fmt: skip
    said = html.unescape(answer.content.decode())
    assert "admin" not in said and "nonce=mine" not in said and "prompt" not in said


def test_it_begins_only_by_a_form_of_ours(browser, idp, olga):
    assert browser.get(BEGIN).status_code == 405
    assert browser.post(BEGIN).status_code == 403


def test_a_second_factor_of_ours_is_still_asked_for(browser, idp, olga):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(olga, generate_totp_secret())
    assert signed_in(browser).headers["location"].startswith("/account/second-factor/ask")
    assert not is_in(browser)


# --- passwords


def by_password(login: str, password: str):
    client = Client(headers={"host": "localhost"})
    return client.post(SIGN_IN, {"login": login, "password": password}).status_code


def test_passwords_can_be_switched_off_for_those_who_come_in_so(browser, idp, olga, workspace, monkeypatch):
    person("host@acme.test", workspace, password=PASSWORD)
    assert signed_in(browser).status_code == 302
    assert by_password("olga@acme.test", PASSWORD) == 302
    monkeypatch.setitem(settings.SINGLE_SIGN_ON, "passwords", False)
    assert by_password("olga@acme.test", PASSWORD) == 200, "refused like a wrong one"
    assert by_password("host@acme.test", PASSWORD) == 302, "who never came in so is let in, should the provider fail"
    with pytest.raises(directory.PeopleRefused, match="Acme ID"):
        directory.new_password_code("olga@acme.test", "os:root")


def test_the_clients_secret_is_known_to_redaction(browser, idp, olga):  # R71
    begun(browser)
    assert CLIENT_SECRET not in redacted(f"said {CLIENT_SECRET} to it")


def test_it_is_set_up_wholly_or_not_at_all():
    ask = "from ml_connector import settings; print(settings.SINGLE_SIGN_ON)"

    def say(**given: str) -> str:
        environment = {**os.environ, **{f"ML_CONNECTOR_OIDC_{name}": value for name, value in given.items()}}
        done = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert say().strip() == "{}"
    assert "ML_CONNECTOR_OIDC_CLIENT_SECRET" in say(ISSUER="https://id.example", CLIENT_ID="x")
    assert "https://" in say(ISSUER="http://id.example", CLIENT_ID="x", CLIENT_SECRET="y")
    assert "'passwords': False" in say(ISSUER="https://id.example", CLIENT_ID="x", CLIENT_SECRET="y", PASSWORDS="0")


def test_the_provider_of_these_tests_is_strict(idp):
    """Should it take anything, the tests above would prove nothing."""
    with pytest.raises(KeyError):
        idp.authorize({"response_type": "code", "client_id": CLIENT_ID, "scope": "openid email"})
    assert idp.token({"code": "unknown"}) is None
    assert jwt.algorithms.RSAAlgorithm.to_jwk(idp.key.public_key())

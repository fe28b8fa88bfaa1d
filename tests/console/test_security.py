"""What a browser is told, and what an attacker meets."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.test import Client

import ml_connector.console
from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.console import people as directory
from ml_connector.workspaces.models import Invitation, Membership, Person, Workspace
from tests.console.conftest import PASSWORD, person

STATIC = Path(ml_connector.console.__file__).parent / "static"
TEMPLATES = Path(ml_connector.console.__file__).parent / "templates"
SIGN_IN = "/account/sign-in"


@pytest.fixture
def browser(database: Path) -> Client:
    """A browser that nobody is signed in with, and that forgets no CSRF token."""
    return Client(headers={"host": "localhost"}, enforce_csrf_checks=True)


@pytest.fixture
def olga(workspace: Workspace) -> Person:
    return person("olga@acme.test", workspace, password=PASSWORD)


def form(browser: Client, address: str, values: dict[str, str]):
    """Opens the page with the form, fills it in and sends it."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(address).content.decode())
    assert found, address
    return browser.post(address, {"csrfmiddlewaretoken": found[1], **values})


def signed_in(browser: Client, login: str = "olga@acme.test", password: str = PASSWORD, **more: str):
    return form(browser, SIGN_IN, {"login": login, "password": password, **more})


def test_every_answer_carries_the_headers(browser, olga):
    for path in ("/account/sign-in", "/join", "/nowhere", "/w/acme/", "/healthz"):
        headers = browser.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"] in {"no-store", "max-age=0, no-cache, no-store, must-revalidate, private"}


def test_no_page_holds_a_script_or_style_of_its_own():
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|hx-on|javascript:", text), template
        assert "|safe" not in text and "autoescape off" not in text, template


def test_files_are_kept_for_ever_under_an_address_that_changes_with_them(browser):
    answer = browser.get(f"{settings.STATIC_URL}console/console.css")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert re.fullmatch(r"/static/[0-9a-f]{12}/", settings.STATIC_URL)
    assert browser.get(f"{settings.STATIC_URL}../../../settings.py").status_code == 404


def test_vendored_files_are_those_that_are_listed():
    listed = dict(line.split()[::-1] for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines())
    there = {path.name for path in (STATIC / "vendor").iterdir()} - {"SHA256SUMS", "VENDORED.md"}
    assert listed.keys() == there
    for name, digest in listed.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_a_form_without_its_token_changes_nothing(browser, olga, workspace):
    signed_in(browser)
    answer = browser.post("/w/acme/settings/time-zone", {"time_zone": "Asia/Tokyo"})
    assert answer.status_code == 403
    workspace.refresh_from_db()
    assert workspace.time_zone == "UTC"


def test_signing_in_gives_a_new_session_and_stands_in_the_trail_by_id(browser, olga, workspace):  # R69
    browser.get(SIGN_IN)
    session = browser.session
    session["before"] = "yes"
    session.save()
    before = session.session_key
    browser.cookies[settings.SESSION_COOKIE_NAME] = before
    assert signed_in(browser).status_code == 302
    assert browser.session.session_key != before
    entry = AuditEntry.objects.of(workspace).get(action="sign_in")
    assert entry.actor == f"person:{olga.pk}"
    assert "olga" not in f"{entry.actor} {entry.subject} {entry.detail}".lower()
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_signing_in_leads_to_no_other_site(browser, olga):
    answer = signed_in(browser, next="https://evil.example/")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/"


def test_attempts_to_sign_in_are_limited(browser, olga):
    answers = [signed_in(browser, password="wrong") for _ in range(6)]
    assert "too many failed" in answers[-1].content.decode().lower()
    assert signed_in(browser).status_code == 200, "the right password is not even looked at"
    elsewhere = Client(headers={"host": "localhost"}, REMOTE_ADDR="198.51.100.7")
    assert b"too many" in elsewhere.post(SIGN_IN, {"login": "olga@acme.test", "password": PASSWORD}).content.lower()


def test_an_unknown_address_is_answered_like_a_wrong_password(browser, olga):
    texts = {
        re.sub(
            r'value="[^"]*"|X-CSRFToken[^}]*', "", signed_in(browser, login=login, password="wrong").content.decode()
        )
        for login in ("olga@acme.test", "nobody@acme.test")
    }
    assert len(texts) == 1


def test_a_second_factor_is_asked_for_and_lies_sealed(browser, olga):  # R75
    secret = generate_totp_secret()
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(olga, secret)
    stored = str(Authenticator.objects.get(user=olga, type="totp").data)
    assert secret not in stored
    assert signed_in(browser).headers["location"].startswith("/account/second-factor/ask")
    assert browser.get("/w/acme/").status_code == 302, "not in yet"
    code = f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06}"
    assert form(browser, "/account/second-factor/ask", {"code": code}).status_code == 302
    assert browser.get("/w/acme/").status_code == 200


def test_behind_https_cookies_are_sent_over_https_only():
    ask = (
        "from ml_connector import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SESSION_COOKIE_NAME, s.SECURE_HSTS_SECONDS > 0, s.ALLOWED_HOSTS[-1], s.CSRF_TRUSTED_ORIGINS[0])"
    )
    address = "https://connector.acme.test"
    environment = {**os.environ, "ML_CONNECTOR_URL": f"{address}/"}
    said = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "True", "__Host-session", "True", "connector.acme.test", address]


# --- one-time links

OLGA = {"email": "Olga@Acme.test", "name": "Olga", "password": PASSWORD, "password_again": PASSWORD}


def test_the_first_owner_comes_in_by_a_link_that_works_once(browser, database):
    code = directory.first_owner_code()
    asked = form(browser, "/join", {"code": code}).content.decode()
    assert "Name of the workspace" in asked
    values = {**OLGA, "code": code, "workspace": "acme", "time_zone": "America/Chicago"}
    assert form(browser, "/join", values).headers["location"] == "/"
    assert browser.get("/", follow=True).status_code == 200
    acme = Workspace.objects.get()
    assert (acme.name, acme.time_zone) == ("acme", "America/Chicago")
    assert [(row.email, row.role) for row in directory.members(acme)] == [("olga@acme.test", "owner")]
    assert form(Client(headers={"host": "localhost"}), "/join", values).status_code == 400
    with pytest.raises(directory.PeopleRefused):
        directory.first_owner_code()
    assert verify(acme).holds


def test_a_link_ends_after_a_day_and_a_newer_one_ends_the_older(browser, database):
    older, newer = directory.first_owner_code(), directory.first_owner_code()
    assert directory.invitation_of(older) is None
    clock.hold(clock.now() + timedelta(hours=25))
    assert directory.invitation_of(newer) is None
    assert newer.encode() not in bytes(Invitation.objects.get().code_hash)


def test_the_first_owner_owns_the_workspaces_that_are_there(browser, workspace):
    values = {**OLGA, "code": directory.first_owner_code()}
    assert form(browser, "/join", values).status_code == 302
    assert Membership.objects.of(workspace).get().role == "owner"
    assert Workspace.objects.count() == 1


def test_a_weak_password_uses_no_link_up(browser, workspace):
    code = directory.first_owner_code()
    answer = form(browser, "/join", {**OLGA, "code": code, "password": "short", "password_again": "short"})
    assert answer.status_code == 400 and "12 characters" in answer.content.decode()
    assert not Person.objects.exists()
    assert directory.invitation_of(code) is not None


def test_somebody_invited_has_the_address_and_the_role_of_the_invitation(browser, olga, workspace):
    code = directory.invite(workspace, "Omar@acme.test", "operator", olga.actor)
    values = {**OLGA, "email": "eve@evil.test", "code": code, "name": "Omar"}
    assert form(browser, "/join", values).status_code == 302
    rows = {row.email: row.role for row in directory.members(workspace)}
    assert rows == {"olga@acme.test": "owner", "omar@acme.test": "operator"}
    details = " ".join(AuditEntry.objects.of(workspace).values_list("detail", flat=True))
    assert "omar" not in details.lower(), "the trail holds no addresses (R69)"


def test_a_new_password_ends_the_sessions_of_the_old_one(browser, olga, workspace):
    signed_in(browser)
    assert browser.get("/w/acme/").status_code == 200
    code = directory.new_password_code("olga@acme.test", "os:root")
    other = Client(headers={"host": "localhost"})
    values = {"code": code, "password": "another long phrase", "password_again": "another long phrase"}
    assert form(other, "/join", values).headers["location"] == SIGN_IN
    assert browser.get("/w/acme/").status_code == 302
    assert signed_in(Client(headers={"host": "localhost"}), password="another long phrase").status_code == 302

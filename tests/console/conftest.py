"""A Workspace with work in it, and people of every role."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from ml_connector import clock
from ml_connector.workspaces.models import Membership, Person, Workspace
from ml_connector.workspaces.roles import Role
from tests.cli.conftest import Run, applied, configuration, run, stand_ins, write
from tests.console.oidc import CLIENT_ID, CLIENT_SECRET, Provider, provider
from tests.sync.pair import Pair, base_pair

__all__ = ["applied", "configuration", "run", "stand_ins", "write"]

PASSWORD = "correct horse battery"

SignIn = Callable[[str], Client]


def person(email: str, workspace: Workspace | None, role: str = Role.OWNER, password: str | None = None) -> Person:
    """Without a password, which takes long to hash, they can only be put into a session."""
    row = Person(email=email, name=email.partition("@")[0].title(), created_at=clock.now())
    row.set_password(password)
    row.save()
    if workspace is not None:
        Membership.objects.create(workspace=workspace, person=row, role=role, since=clock.now())
    return row


@pytest.fixture
def pair(workspace: Workspace) -> Iterator[Pair]:
    """Suppliers, invoices and credits read and delivered once: some confirmed, three held, one Problem each."""
    with base_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        made.sync()
        yield made


@pytest.fixture
def people(workspace: Workspace) -> dict[str, Person]:
    """One person of each role, and a stranger, who owns another Workspace."""
    found = {role.value: person(f"{role.value}@acme.test", workspace, role) for role in Role}
    other = Workspace.objects.create(name="other", created_at=clock.now())
    return {**found, "stranger": person("stranger@other.test", other)}


@pytest.fixture
def sign_in(people: dict[str, Person]) -> SignIn:
    """A browser in which somebody of a role is signed in."""

    def give(role: str) -> Client:
        client = Client(headers={"host": "localhost"})
        client.force_login(people[role], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return give


# --- the whole of it, in a browser

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = f"skipped: there is no browser ({', '.join(CHROMIUM)}) on the PATH. Install one: apt-get install chromium"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Served:
    """`serve` with its worker, as a process of its own."""

    address: str
    link: str
    """By which the first owner comes in."""
    log: Path


@pytest.fixture
def served(applied: Run, database: Path) -> Iterator[Served]:
    """An installation on stand-ins whose suppliers and codes were read; nobody can sign in yet."""
    with serving(database) as found:
        yield found


@contextmanager
def serving(database: Path, *, first: bool = True) -> Iterator[Served]:
    """`serve` on the installation of this test, as long as the block lasts. `first`: nobody can sign in yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said, log = database / "serve.out", database / "serve.log"
    command = [sys.executable, "-m", "ml_connector", "serve", "--port", str(port)]
    with said.open("w") as out, log.open("w") as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        until = time.monotonic() + START_SECONDS
        said_when_up = r"^http://\S+/join#\S+$" if first else r"http://127\.0\.0\.1:\d+"
        while not (found := re.search(said_when_up, said.read_text(), re.MULTILINE)):
            assert process.poll() is None and time.monotonic() < until, f"{said.read_text()}\n{log.read_text()}"
            time.sleep(0.1)
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield Served(f"http://127.0.0.1:{port}", found[0], log)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def identity_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """To be named before `served`: what is served then offers single sign-on."""
    with provider() as made:
        given = {"ISSUER": made.issuer, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET, "NAME": "Acme ID"}
        for name, value in given.items():
            monkeypatch.setenv(f"ML_CONNECTOR_OIDC_{name}", value)
        yield made


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A page of the distribution's browser, without a window. It remembers what went wrong in it: errors of scripts,
    and what the policy of the pages forbade."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(NO_BROWSER)
    from playwright.sync_api import sync_playwright

    # Playwright's loop belongs to this thread as long as it runs; nothing of ours runs inside it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as play:
        # Beside its loop Django keeps another connection, which still leads to the database of the test before.
        connections["default"].close()
        del connections["default"]
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        made = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-US")
        made.faults = []
        made.on("console", lambda said: made.faults.append(said.text) if said.type in {"error", "warning"} else None)
        made.on("pageerror", lambda error: made.faults.append(str(error)))
        yield made
        browser.close()
        assert made.faults == []

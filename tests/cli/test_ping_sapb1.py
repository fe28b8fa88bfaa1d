"""`ping` on a Connection to SAP Business One over TLS: what is wrong, what to do, no user locked by trying (R61)."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ml_connector import sandbox
from ml_connector.sandbox import Running
from tests.cli.conftest import Run, Said

Connected = Callable[..., Running]


@pytest.fixture
def connected(run: Run) -> Iterator[Connected]:
    """Applies a Connection to a stand-in that speaks TLS. `secrets` and `settings` replace those of its ready line."""
    running: list[Running] = []

    def give(settings: dict[str, Any] | None = None, password: str | None = None, **options: Any) -> Running:
        b1 = sandbox.start("sapb1", seed=1, options={"tls": True, "invoices": 5, **options})
        running.append(b1)
        Path("password").write_text(password or b1.secrets["password"])
        chosen = {**b1.settings, **(settings or {})}
        secrets = {"password": {"file": "password"}}
        b1_connection = {"system": "sapb1", "settings": chosen, "secrets": secrets}
        Path("acme.yaml").write_text(yaml.safe_dump({"workspace": "acme", "connections": {"b1": b1_connection}}))
        assert run("apply", "acme.yaml").status == 0
        return b1

    yield give
    for one in running:
        one.stop()


def logins(b1: Running) -> int:
    return sum(row["path"].endswith("/Login") for row in b1.requests())


def locked(b1: Running) -> bool:
    return any(row["Locked"] for row in b1.state("Users"))


def flat(said: Said) -> str:
    """What a command said, without the breaks of lines that a terminal's width puts in."""
    return " ".join((said.out + said.err).split())


def test_a_right_connection_is_green_with_one_sign_in(run: Run, connected: Connected) -> None:
    b1 = connected()
    assert run("ping", "b1").status == 0
    assert run("ping", "b1").status == 0
    assert logins(b1) == 1


def test_a_wrong_authority_is_named_before_anything_is_said_to_the_server(
    run: Run, connected: Connected
) -> None:  # R64
    with sandbox.start("sapb1", seed=2, options={"tls": True, "invoices": 5}) as other:
        foreign = other.settings["tls_ca_bundle"]
    ssl.create_default_context(cadata=foreign)  # it is a certificate, only of somebody else
    b1 = connected({"tls_ca_bundle": foreign})
    said = run("ping", "b1")
    assert said.status != 0
    assert "not trusted" in flat(said)
    assert "tls_ca_bundle" in flat(said)
    assert logins(b1) == 0


def test_a_wrong_company_is_named(run: Run, connected: Connected) -> None:  # R51
    b1 = connected({"company_db": "NOWHERE"})
    said = run("ping", "b1")
    assert said.status != 0
    assert "NOWHERE" in flat(said)
    assert "company_db" in flat(said)
    assert logins(b1) == 1


def test_a_locked_user_is_told_from_a_wrong_password_and_says_who_unlocks_it(run: Run, connected: Connected) -> None:
    b1 = connected()
    b1.edit("actions", {"do": "lock_user", "user": b1.settings["user"], "locked": True})
    said = run("ping", "b1")
    assert said.status != 0
    assert "locked" in flat(said)
    assert "Users" in flat(said), "where an administrator unlocks it"
    assert logins(b1) == 1


def test_a_wrong_password_does_not_lock_the_user(run: Run, connected: Connected) -> None:  # R61
    b1 = connected(password="wrong-one", lock_after=3)
    said = run("ping", "b1")
    assert said.status != 0
    assert "password" in flat(said)
    assert "wrong-one" not in flat(said)
    assert "gets locked" in flat(said), "why not to test again and again"
    assert logins(b1) == 1, "one test is one try"
    assert not locked(b1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_right_is_named_with_where_it_is_given(run: Run, connected: Connected, status: int) -> None:
    b1 = connected(no_rights=["PaymentDrafts"], no_rights_status=status)
    said = run("ping", "b1", "--json")
    assert said.status != 0
    (step,) = [step for step in said.json["steps"] if step["ok"] is False]
    assert step["name"] == "read PaymentDrafts"
    assert "Authorizations" in step["fix"]
    assert logins(b1) == 1, "a refused right is no lapsed session"

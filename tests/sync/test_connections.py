from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as installation

from ml_connector import clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.sync import connections
from ml_connector.sync.connections import confirm_identity, credential_fingerprint, opened
from ml_connector.sync.models import Allowance, Connection
from ml_connector.systems.base import Access, Identity, Setting, System, WrongCompany
from ml_connector.workspaces.models import Workspace

FORM = (
    Setting("server", "Where it is.", required=True),
    Setting("page_size", "Rows.", type=int, default=100),
    Setting("mode", "How.", default="a", choices=("a", "b")),
    Setting("strict", "Whether.", type=bool, default=False),
    Setting("password", "The password.", required=True, secret=True),
)


@dataclass
class FakeClient:
    access: Access
    closed: bool = False
    company: str = "ACME"

    def identity(self) -> Identity:
        return Identity(self.company, f"{self.company} Inc.")

    def close(self) -> None:
        self.closed = True


class Lease:
    checks = 0

    def check(self) -> None:
        self.checks += 1


SYSTEM = System(
    name="fake",
    label="Fake",
    form=FORM,
    connect=FakeClient,  # type: ignore[arg-type]
    credential=lambda settings, secrets: f"{settings['server']}|{settings['mode']}|{secrets['password']}",
    session_idle=lambda settings: settings["page_size"],
)


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.SYSTEMS, "fake", SYSTEM)


@pytest.fixture
def connection(workspace: Workspace) -> Connection:
    vault.put(workspace, "connection:erp", "password", "horse-battery")
    return Connection.objects.create(
        workspace=workspace, name="erp", system="fake", settings={"server": "s"}, credential="c"
    )


def test_a_system_is_lent_what_it_needs(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put(connection.workspace, "connection:erp", "session", "a-session")
    monkeypatch.setattr(installation, "ALLOW_LOOPBACK", False)
    lease: Any = Lease()
    with opened(connection, lease) as client:
        assert isinstance(client, FakeClient)
        access = client.access
        web = {"web_address": "", "web_pages": {}}
        assert access.settings == {"server": "s", "page_size": 100, "mode": "a", "strict": False, **web}
        assert access.secrets == {"password": "horse-battery"}
        assert access.now is clock.now
        assert (access.network.allow_private, access.network.allow_loopback) == (True, False)
        access.may_write()
        access.budget.spend("request", 20_000, 3600)
    assert client.closed
    assert lease.checks == 1
    assert Allowance.objects.get().used == 1


def test_a_client_is_closed_when_the_work_fails(connection: Connection) -> None:
    lease: Any = Lease()
    clients: list[Any] = []
    with pytest.raises(ZeroDivisionError), opened(connection, lease) as client:
        clients.append(client)
        raise ZeroDivisionError
    assert clients[0].closed


def test_a_credential_s_fingerprint_fills_in_defaults_and_tells_nothing(workspace: Workspace) -> None:
    secrets = {"password": "horse-battery"}
    short = credential_fingerprint(SYSTEM, {"server": "s"}, secrets)
    assert short == credential_fingerprint(SYSTEM, {"server": "s", "mode": "a"}, secrets)
    assert short != credential_fingerprint(SYSTEM, {"server": "t"}, secrets)
    assert (len(short), "horse" in short) == (64, False)


def test_another_company_is_refused(connection: Connection) -> None:  # R51
    access: Any = None
    confirm_identity(connection, FakeClient(access))  # type: ignore[arg-type]
    confirm_identity(connection, FakeClient(access))  # type: ignore[arg-type]
    connection.refresh_from_db()
    assert (connection.identity, connection.identity_text) == ("ACME", "ACME Inc.")
    Connection.objects.of(connection.workspace).update(session_serial=1)
    with pytest.raises(WrongCompany, match=r"leads to OTHER Inc., but ACME Inc. was confirmed first"):
        confirm_identity(connection, FakeClient(access, company="OTHER"))  # type: ignore[arg-type]
    connection.refresh_from_db()
    assert connection.identity == "ACME"
    assert AuditEntry.objects.of(connection.workspace).filter(subject=f"connection:{connection.pk}").count() == 1

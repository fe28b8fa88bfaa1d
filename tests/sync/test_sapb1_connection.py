"""A Connection to SAP Business One as the engine opens it: its stored session, its company, its test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector import sandbox, vault
from ml_connector.sync.connections import confirm_identity, credential_fingerprint, opened
from ml_connector.sync.leases import held
from ml_connector.sync.models import Connection, Health
from ml_connector.sync.pinging import ping_connection
from ml_connector.systems.base import AuthFailed, WrongCompany
from ml_connector.systems.sapb1 import SYSTEM
from ml_connector.workspaces.models import Workspace


@pytest.fixture
def b1() -> Iterator[Any]:
    with sandbox.start("sapb1", seed=1, options={"invoices": 5}) as running:
        yield running


@pytest.fixture
def connection(workspace: Workspace, b1: Any) -> Connection:
    for name, secret in b1.secrets.items():
        vault.put(workspace, "connection:erp", name, secret)
    credential = credential_fingerprint(SYSTEM, b1.settings, b1.secrets)
    return Connection.objects.create(
        workspace=workspace, name="erp", system="sapb1", settings=b1.settings, credential=credential
    )


def logins(b1: Any) -> int:
    return sum(row["path"].endswith("/Login") for row in b1.requests())


def test_one_session_serves_one_job_after_the_other(connection: Connection, b1: Any) -> None:  # R60
    for _ in range(2):
        with held(connection.pk, "a job") as lease, opened(connection, lease) as client:
            items = [item for page in client.source("gl_account", {}).changes(None) for item in page.items]
            assert items
        connection.refresh_from_db()
    assert logins(b1) == 1


def test_a_test_of_the_connection_is_green_and_confirms_the_company(connection: Connection, b1: Any) -> None:  # R51
    failed = [step for step in ping_connection(connection, "a person") if step.ok is False]
    assert failed == []
    connection.refresh_from_db()
    assert connection.identity.startswith("RIL|")
    assert connection.health != Health.FAILING
    assert logins(b1) == 1


def test_another_company_under_the_same_address_is_refused(connection: Connection, b1: Any) -> None:  # R51
    Connection.objects.of(connection.workspace).update(identity="RIL2|Other Inc.|US|USD", identity_text="Other Inc.")
    with held(connection.pk, "a job") as lease, opened(connection, lease) as client, pytest.raises(WrongCompany):
        confirm_identity(connection, client)


def test_a_wrong_password_opens_the_circuit_after_one_try(connection: Connection, b1: Any) -> None:  # R61
    vault.put(connection.workspace, "connection:erp", "password", "wrong-one")
    for _ in range(4):
        job = held(connection.pk, "a job")
        with job as lease, opened(connection, lease) as client, pytest.raises(AuthFailed, match="refus"):
            client.identity()
    connection.refresh_from_db()
    assert connection.health == Health.CIRCUIT_OPEN
    assert "wrong-one" not in connection.health_text
    assert logins(b1) == 1

"""A Connection to Basware as the engine opens it: its stored token, its tenant, its test, its region."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ml_connector import vault
from ml_connector.sync.connections import confirm_identity, credential_fingerprint, opened
from ml_connector.sync.leases import held
from ml_connector.sync.models import Connection, Health
from ml_connector.sync.pinging import ping_connection
from ml_connector.systems.base import AuthFailed, Refused, WrongCompany
from ml_connector.systems.basware import SYSTEM
from ml_connector.workspaces.models import Workspace
from tests.systems.basware.site import Reply, Site, jwt, token

SECRETS = {"client_secret": "s3cret-of-the-client"}


def tenant(name: str) -> Reply:
    return token(jwt(iss="https://api.basware.com", bwcid=name, iat=1_000_000, exp=1_003_600))


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.on("POST", "/v1/tokens", tenant("123456-TEST1"))
    yield made
    made.close()


@pytest.fixture
def connection(workspace: Workspace, site: Site) -> Connection:
    settings = {
        "region": "EU",
        "environment": "test",
        "base_url": site.url,
        "client_id": "client-1",
        "company_map": {"RIL": "100/FINANCE"},
        "source_system": "SYSPRO",
    }
    for name, secret in SECRETS.items():
        vault.put(workspace, "connection:basware", name, secret)
    credential = credential_fingerprint(SYSTEM, settings, SECRETS)
    return Connection.objects.create(
        workspace=workspace, name="basware", system="basware", settings=settings, credential=credential
    )


def logins(site: Site) -> int:
    return len(site.calls("POST", "/v1/tokens"))


def test_one_token_serves_one_job_after_the_other(connection: Connection, site: Site) -> None:  # R60
    for _ in range(2):
        with held(connection.pk, "a job") as lease, opened(connection, lease) as client:
            assert [page.items for page in client.source("invoice", {}).changes(None)] == [[], [], []]
        connection.refresh_from_db()
    assert logins(site) == 1


def test_a_test_of_the_connection_confirms_the_tenant(connection: Connection, site: Site) -> None:  # R51
    failed = [step.name for step in ping_connection(connection, "a person") if step.ok is False]
    assert failed == []
    connection.refresh_from_db()
    assert connection.identity == "123456-TEST1|EU test"
    site.on("POST", "/v1/tokens", tenant("654321-TEST1"))
    vault.delete(connection.workspace, "connection:basware", "session")
    with held(connection.pk, "a job") as lease, opened(connection, lease) as client, pytest.raises(WrongCompany):
        confirm_identity(connection, client)


def test_a_wrong_secret_opens_the_circuit_after_one_try(connection: Connection, site: Site) -> None:  # R61
    site.on("POST", "/v1/tokens", Reply(401, {"error": "invalid_client", "echo": SECRETS["client_secret"]}))
    for _ in range(4):
        job = held(connection.pk, "a job")
        with job as lease, opened(connection, lease) as client, pytest.raises(AuthFailed, match="refus"):
            client.identity()
    connection.refresh_from_db()
    assert connection.health == Health.CIRCUIT_OPEN
    assert SECRETS["client_secret"] not in connection.health_text
    assert logins(site) == 1


def test_a_connection_of_another_region_is_never_opened(connection: Connection, site: Site) -> None:  # R65
    settings = {**connection.settings, "region": "US", "hosts": {"EU test": "https://test-api.basware.com"}}
    Connection.objects.of(connection.workspace).update(
        settings={**settings, "base_url": "https://test-api.basware.com"}
    )
    connection.refresh_from_db()
    with held(connection.pk, "a job") as lease, pytest.raises(Refused) as refused, opened(connection, lease):
        pass
    assert refused.value.code == "region_mismatch"
    assert site.seen == []

"""A Connection to Procurify as the engine opens it: its stored token, its domain, its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ml_connector import vault
from ml_connector.sync.connections import confirm_identity, credential_fingerprint, opened
from ml_connector.sync.leases import held
from ml_connector.sync.models import Connection, Health
from ml_connector.sync.pinging import ping_connection
from ml_connector.systems.base import AuthFailed, WrongCompany
from ml_connector.systems.procurify import SYSTEM
from ml_connector.workspaces.models import Workspace
from tests.systems.procurify.domain import Reply, Site, single, token
from tests.systems.procurify.payloads import EUR, USD, vendor

SECRETS = {"client_secret": "s3cret-of-the-client"}
LISTS = (
    "/api/v3/account-codes/", "/api/v3/accounts/", "/api/v3/departments/", "/api/v3/ap/bills/",
    "/api/v3/receipt/items/", "/api/public/v1/payments/", "/api/v2/purchase_orders/purchased/all/",
)  # fmt: skip


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.on("POST", "/oauth/token", token())
    made.rows("/api/v2/currencies/", [USD, EUR])
    made.rows("/api/v3/vendors/", [vendor()])
    for path in LISTS:
        made.rows(path, [])
    made.on("GET", "/api/v3/users/me/", single({"id": 7, "is_active": True, "role": 10}))
    yield made
    made.close()


@pytest.fixture
def connection(workspace: Workspace, site: Site) -> Connection:
    settings = {"base_url": site.url, "client_id": "client-1", "requests_per_second": 1000}
    for name, secret in SECRETS.items():
        vault.put(workspace, "connection:procurify", name, secret)
    credential = credential_fingerprint(SYSTEM, settings, SECRETS)
    return Connection.objects.create(
        workspace=workspace, name="procurify", system="procurify", settings=settings, credential=credential
    )


def sign_ins(site: Site) -> int:
    return len(site.calls("POST", "/oauth/token"))


def test_one_token_serves_one_job_after_the_other(connection: Connection, site: Site) -> None:  # R60
    for _ in range(2):
        with held(connection.pk, "a job") as lease, opened(connection, lease) as client:
            (page,) = client.source("supplier", {}).changes(None)
            assert [item.key for item in page.items] == ["11"]
        connection.refresh_from_db()
    assert sign_ins(site) == 1


def test_a_test_of_the_connection_confirms_the_domain(connection: Connection, site: Site) -> None:  # R51
    failed = [step.name for step in ping_connection(connection, "a person") if step.ok is False]
    assert failed == []
    connection.refresh_from_db()
    assert connection.identity == "acme"
    site.on("POST", "/oauth/token", token(domain="other"))
    vault.delete(connection.workspace, "connection:procurify", "session")
    with held(connection.pk, "a job") as lease, opened(connection, lease) as client, pytest.raises(WrongCompany):
        confirm_identity(connection, client)


def test_a_wrong_secret_opens_the_circuit_after_one_try(connection: Connection, site: Site) -> None:  # R61
    site.on("POST", "/oauth/token", Reply(401, {"error": "invalid_client", "echo": SECRETS["client_secret"]}))
    for _ in range(4):
        job = held(connection.pk, "a job")
        with job as lease, opened(connection, lease) as client, pytest.raises(AuthFailed, match="refus"):
            client.identity()
    connection.refresh_from_db()
    assert connection.health == Health.CIRCUIT_OPEN
    assert SECRETS["client_secret"] not in connection.health_text
    assert sign_ins(site) == 1

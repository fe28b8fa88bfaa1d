"""Opening a Connection: what a System is lent, and to which company it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings as installation

from ml_connector import audit, clock, vault
from ml_connector.integrations import SYSTEMS
from ml_connector.sync.budget import CountedBudget
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Allowance, Connection
from ml_connector.sync.sessions import FIELD, SharedSession
from ml_connector.systems.base import Access, Client, System, WrongCompany
from ml_connector.systems.transport.policy import NetworkPolicy


def network_policy() -> NetworkPolicy:
    """Where this host lets requests go."""
    return NetworkPolicy(installation.ALLOW_PRIVATE_ADDRESSES, installation.ALLOW_LOOPBACK)


@contextmanager
def opened(
    connection: Connection, lease: Lease, *, probing: bool = False, may_write: Callable[[], None] | None = None
) -> Iterator[Client]:
    """The Connection's client for the length of the block, under its lease.

    `probing`: a person tests it, so an open circuit does not keep from signing in. `may_write` is called before each
    request that changes something, in place of the lease's own check; a preview raises there. Raises
    vault.SecretMissing, vault.WrongKey, and what the System raises for settings that it cannot use.
    """
    system = SYSTEMS[connection.system]
    secrets = vault.get_all(connection.workspace, f"connection:{connection.name}")
    secrets.pop(FIELD, None)
    values = with_defaults(system, connection.settings)
    budget = CountedBudget(_counted_as(system, values, secrets))
    access = Access(
        settings=values,
        secrets=secrets,
        sessions=_shared_session(connection, probing=probing),
        budget=budget,
        now=clock.now,
        may_write=may_write or lease.check,
        network=network_policy(),
        fingerprint=vault.fingerprint,
    )
    client = system.connect(access)
    try:
        yield client
    finally:
        client.close()
        budget.give_back()


def confirm_identity(connection: Connection, client: Client) -> None:
    """Keeps the company that a Connection leads to when first seen; refuses another one ever after (R51).

    Asked again for each new session: a session leads to one company, and changed settings end it.
    """
    connection.refresh_from_db(
        fields=["identity", "identity_text", "identity_serial", "session_serial", "session_used_at"]
    )
    asked = connection.identity and connection.identity_serial == connection.session_serial
    if asked and _shared_session(connection).current() is not None:
        return
    found = client.identity()
    connection.refresh_from_db(fields=["session_serial"])
    if not connection.identity:
        with audit.recording(connection.workspace, actor="worker") as trail:
            connection.identity, connection.identity_text = found.key, found.text[:300]
            connection.save(update_fields=["identity", "identity_text"])
            trail.add("config_change", f"connection:{connection.pk}", fields=["identity"], company=found.key)
    elif connection.identity != found.key:
        raise WrongCompany(
            f"It leads to {found.text}, but {connection.identity_text} was confirmed first. Nothing was read or"
            " written. Point it back, or make a new Connection for the other company."
        )
    connection.identity_serial = connection.session_serial
    connection.save(update_fields=["identity_serial"])


def credential_fingerprint(system: System, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """What tells that two Connections share a credential, without saying what it is."""
    return vault.fingerprint(f"{system.name}|{system.credential(with_defaults(system, settings), secrets)}")


def uses_this_hour(connection: Connection) -> dict[str, int]:
    """What the Connection's developer key has used up of each counted allowance, over all that share it."""
    hour = int(clock.now().timestamp()) // 3600 * 3600
    rows = Allowance.objects.filter(fingerprint=counted_as(connection), window__gte=hour)
    return dict(rows.order_by("allowance").values_list("allowance", "used"))


def counted_as(connection: Connection) -> str:
    """What its uses of counted allowances stand under. Raises vault.VaultError."""
    system = SYSTEMS[connection.system]
    secrets = vault.get_all(connection.workspace, f"connection:{connection.name}")
    return _counted_as(system, with_defaults(system, connection.settings), secrets)


def _counted_as(system: System, values: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    return vault.fingerprint((system.counted or system.credential)(values, secrets))


def with_defaults(system: System, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with the form's defaults for what was not given."""
    defaults = {setting.name: setting.default for setting in system.settings()}
    return {**defaults, **given}


def _shared_session(connection: Connection, *, probing: bool = False) -> SharedSession:
    system = SYSTEMS[connection.system]
    idle = timedelta(seconds=system.session_idle(with_defaults(system, connection.settings)))
    return SharedSession(connection, idle, probing=probing)

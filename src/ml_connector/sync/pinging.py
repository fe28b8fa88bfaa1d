"""Ping: a Connection's test, under its lease, and what it says about the Connection's health."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import Q

from ml_connector import audit, clock, vault
from ml_connector.redaction import redacted
from ml_connector.sync import health, problems
from ml_connector.sync.connections import confirm_identity, opened, uses_this_hour
from ml_connector.sync.flows import declaration, side
from ml_connector.sync.leases import Lease, held
from ml_connector.sync.models import Connection, Health, Integration
from ml_connector.systems.base import Client, Step, SystemFailure

CLOCK_TOLERANCE = 60.0
"""Seconds that a system's clock may be off before the test says so."""


def ping_connection(connection: Connection, actor: str, *, try_writing: bool = False) -> Iterator[Step]:
    """Each step of the test as it ends. A test that ends well closes the Connection's circuit (R61).

    Raises LeaseTaken when a job uses the Connection.
    """
    with held(connection.pk, f"ping {actor[:30]} {socket.gethostname()[:16]}:{os.getpid()}") as lease:
        steps: list[Step] = []
        for step in _steps(connection, lease, try_writing=try_writing):
            steps.append(step)
            yield step
        _store(connection, steps, actor)


def _steps(connection: Connection, lease: Lease, *, try_writing: bool) -> Iterator[Step]:
    try:
        with opened(connection, lease, probing=True) as client:
            good = True
            for step in client.ping(record_types(connection), try_writing=try_writing):
                good = good and step.ok is not False
                yield step
            if good:
                yield _company(connection, client)
                yield _clock(client)
                yield _limits(connection, client)
    except (SystemFailure, vault.VaultError) as failure:
        yield Step("settings", ok=False, text=redacted(str(failure)), fix="Correct the file and apply it again.")


def _company(connection: Connection, client: Client) -> Step:
    """The company is kept when it is first confirmed, and compared ever after (R51)."""
    try:
        confirm_identity(connection, client)
    except SystemFailure as failure:
        fix = "Point the Connection back to its company, or add another Connection under a new name."
        return Step("same company", ok=False, text=redacted(str(failure)), fix=fix)
    connection.refresh_from_db(fields=["identity_text"])
    return Step("same company", ok=True, text=connection.identity_text)


def _clock(client: Client) -> Step:
    """Due times and stamps are compared across machines; a clock that is far off makes them lie."""
    theirs = client.server_time()
    if theirs is None:
        return Step("clock", ok=None, text="not tried: its answers do not say the time")
    off = abs((datetime.now(UTC) - theirs).total_seconds())
    fix = "Have both machines take their time from the network (NTP)."
    return Step("clock", ok=off <= CLOCK_TOLERANCE, text=f"{off:.0f} seconds apart from ours", fix=fix)


def _limits(connection: Connection, client: Client) -> Step:
    used = ", ".join(f"{count:,} {name}s" for name, count in uses_this_hour(connection).items())
    at_once = f"{client.parallel} request{'s' if client.parallel > 1 else ''} at a time"
    return Step("limits", ok=True, text=f"{at_once}; taken this hour: {used or 'nothing that is counted'}")


def record_types(connection: Connection) -> list[str]:
    """What the Integrations read or write through this Connection, each type once."""
    found: dict[str, None] = {}
    for integration in _integrations(connection):
        for flow in declaration(integration).flows:
            ends = (flow.source, flow.target)
            if any(side(integration, end).pk == connection.pk for end in ends):
                found[flow.record_type] = None
    return list(found)


def _integrations(connection: Connection) -> list[Integration]:
    rows = Integration.objects.of(connection.workspace_id).filter(Q(erp=connection) | Q(platform=connection))
    return list(rows.select_related("workspace", "erp", "platform"))


def _store(connection: Connection, steps: list[Step], actor: str) -> None:
    failed = [step for step in steps if step.ok is False]
    with audit.recording(connection.workspace, actor=actor) as trail:
        trail.add("ping", f"connection:{connection.pk}", failed=[step.name for step in failed])
        connection.refresh_from_db()
        if not failed:
            health.works(connection)
            for integration in _integrations(connection):
                problems.end_problems(trail, integration, health.said_of(connection))
            return
        if connection.health != Health.CIRCUIT_OPEN:
            connection.health = Health.FAILING
        connection.health_text, connection.health_at = redacted(failed[0].text), clock.now()
        connection.save(update_fields=["health", "health_text", "health_at"])

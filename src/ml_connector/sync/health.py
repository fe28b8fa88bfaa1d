"""A Connection's health: what a failure does to it, and what a success takes back."""

from __future__ import annotations

from datetime import timedelta

from ml_connector import audit, clock
from ml_connector.redaction import redacted
from ml_connector.sync import problems
from ml_connector.sync.backoff import after
from ml_connector.sync.models import Connection, Health, Integration
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import AuthFailed, SystemFailure, Throttled, Transient, WrongCompany

FAILURES_BEFORE_PROBLEM = 5
"""Transient failures in a row after which people are told."""


def works(connection: Connection) -> None:
    """A Run ended well: the Connection is healthy."""
    if connection.health == Health.OK and not connection.failures and connection.not_before is None:
        return
    connection.health, connection.health_text, connection.health_at = Health.OK, "", clock.now()
    connection.failures, connection.not_before = 0, None
    connection.save(update_fields=["health", "health_text", "health_at", "failures", "not_before"])


def fails(trail: audit.Trail, integration: Integration, connection: Connection, failure: SystemFailure) -> None:
    """A Run failed. A throttle waits, transient failures back off and become a Problem, refused credentials open
    the circuit: one Problem, and nothing more is tried (R61)."""
    connection.refresh_from_db(fields=["health", "failures"])
    connection.health_text, connection.health_at = redacted(str(failure)), clock.now()
    match failure:
        case Throttled():
            connection.not_before = clock.now() + timedelta(seconds=failure.retry_after or after(1))
        case AuthFailed() | WrongCompany():
            connection.health = Health.CIRCUIT_OPEN
            problems.open_problem(trail, integration, _refused(connection, failure))
        case Transient():
            connection.health = Health.FAILING
            connection.failures += 1
            connection.not_before = clock.now() + timedelta(seconds=after(connection.failures))
            if connection.failures >= FAILURES_BEFORE_PROBLEM:
                problems.open_problem(trail, integration, _unavailable(connection))
        case _:
            connection.health = Health.FAILING
    connection.save(update_fields=["health", "health_text", "health_at", "failures", "not_before"])


def said_of(connection: Connection) -> list[tuple[str, str]]:
    """Causes and subjects of what may have been said of a Connection, which a success ends."""
    causes = ("credentials_refused", "wrong_company", "target_unavailable")
    return [(cause, f"connection:{connection.name}") for cause in causes]


def _refused(connection: Connection, failure: SystemFailure) -> Cause:
    wrong = isinstance(failure, WrongCompany)
    return Cause(
        "wrong_company" if wrong else "credentials_refused",
        f"connection:{connection.name}",
        f"Connection {connection.name}: {failure}",
        f"Nothing is tried until it is corrected. Correct its settings or secrets, then: ping {connection.name}.",
        blocks=False,
    )


def _unavailable(connection: Connection) -> Cause:
    return Cause(
        "target_unavailable",
        f"connection:{connection.name}",
        f"Connection {connection.name} has not answered {connection.failures} times in a row: {connection.health_text}",
        "It is tried again by itself, less and less often. See that the system is up and reachable.",
        blocks=False,
    )

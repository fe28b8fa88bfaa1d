"""Tests of Connections that run beside the request that asked for them; their steps are stored as they end."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import Error, connections

from ml_connector import clock
from ml_connector.redaction import redacted
from ml_connector.sync.leases import LeaseTaken
from ml_connector.sync.models import Connection, Ping, PingState
from ml_connector.sync.pinging import ping_connection

KEPT = timedelta(days=7)
SILENT = timedelta(minutes=5)
"""A test that has said nothing for so long has lost its process: each step has a time limit well below it."""

log = logging.getLogger(__name__)


class PingRunning(Exception):
    """The Connection is being tested already."""

    def __init__(self, ping: Ping) -> None:
        self.ping = ping
        super().__init__(
            f"Connection {ping.connection.name} is being tested already, since {ping.started_at:%H:%M:%S} UTC. Look at"
            f" ping {ping.pk}."
        )


def begin(connection: Connection, actor: str) -> Ping:
    """Notes that a test is wanted; `execute` runs it. Raises PingRunning."""
    now = clock.now()
    rows = Ping.objects.of(connection.workspace_id).filter(connection=connection)
    rows.filter(started_at__lt=now - KEPT).delete()
    running = rows.filter(state=PingState.RUNNING).select_related("connection").order_by("-pk").first()
    if running is not None and seen(running).state == PingState.RUNNING:
        raise PingRunning(running)
    return Ping.objects.create(
        workspace_id=connection.workspace_id,
        connection=connection,
        asked_by=actor[:100],
        started_at=now,
        said_at=now,
    )


def seen(ping: Ping) -> Ping:
    """The test as it is: one that fell silent is lost."""
    if ping.state == PingState.RUNNING and ping.said_at < clock.now() - SILENT:
        ping.state, ping.text = PingState.LOST, "The process that ran this test ended. Ask for another one."
    return ping


def execute(workspace_id: int, ping_id: int) -> None:
    """Runs a test to its end, in a thread of its own. Lets no exception out; gives the database connection back."""
    try:
        ping = Ping.objects.of(workspace_id).select_related("connection__workspace").get(pk=ping_id)
        try:
            _run(ping)
        except LeaseTaken as taken:
            text = f"Connection {ping.connection.name} is in use by {taken.holder}. Try again in a minute."
            _say(ping, PingState.FAILED, text)
        except Exception as error:
            log.exception("Ping %s ended in an error of ours.", ping_id)
            # Not the error's own text: nobody has looked through it for secrets.
            text = f"An error of ours ended the test ({type(error).__name__}; the log says more)."
            _say(ping, PingState.FAILED, text)
    except Error:
        log.exception("What became of ping %s could not be stored.", ping_id)
    finally:
        connections.close_all()


def _run(ping: Ping) -> None:
    good = True
    for step in ping_connection(ping.connection, ping.asked_by):
        good = good and step.ok is not False
        told = {"name": step.name, "ok": step.ok, "text": redacted(step.text), "fix": redacted(step.fix)}
        ping.steps = [*ping.steps, told]
        _say(ping, PingState.RUNNING, "")
    name = ping.connection.name
    if good:
        _say(ping, PingState.GOOD, f"Connection {name} works.")
    else:
        _say(ping, PingState.FAILED, "Correct what the steps say, then test again.")


def _say(ping: Ping, state: PingState, text: str) -> None:
    ping.state, ping.text, ping.said_at = state, text, clock.now()
    ping.save(update_fields=["state", "text", "said_at", "steps"])

"""A worker's thread that keeps the subscriptions of webhooks: when each is looked at next stands in its row.

Each check takes the Connection's lease, so it comes between two jobs.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.conf import settings as installation
from django.db import Error, connection

from ml_connector import clock
from ml_connector.integrations import SYSTEMS
from ml_connector.jobs import schedule
from ml_connector.sync import leases
from ml_connector.sync.leases import LeaseLost, LeaseTaken
from ml_connector.sync.models import Connection, RunKind, Webhook, WebhookState
from ml_connector.sync.webhooks.checking import check
from ml_connector.sync.webhooks.keeping import idle, row_of

LOOK_SECONDS = 2.0
AT_ONCE = 50
"""Rows that are looked at in one go."""
CLAIMED = timedelta(minutes=5)
"""How far ahead a row's instant is moved while it is checked: should this worker die, another one checks it then."""
PATIENCE_SECONDS = 5.0
"""How long to wait for the end of a job, before others are looked at."""
ASK_SECONDS = 0.1
AGAIN = timedelta(seconds=2)

log = logging.getLogger(__name__)


def keep_webhooks(worker: str, stop: threading.Event) -> None:
    """Checks what is due, until `stop` is set. To be run in a thread of its own."""
    started = False
    while not stop.wait(LOOK_SECONDS):
        try:
            if not started:
                _after_a_pause()
                started = True
            look(worker, stop)
        except Error as error:
            log.warning("The webhooks cannot be looked at: %s", error)
        except Exception:
            log.exception("The webhooks could not be looked at.")
        finally:
            connection.close()


def look(worker: str, stop: threading.Event) -> None:
    """Makes the rows that are missing, then checks those that are due, longest due first."""
    if installation.WEBHOOK_URL:
        _adopt()
    rows = Webhook.objects.across_workspaces().filter(next_check_at__lte=clock.now())
    for row in rows.select_related("workspace", "connection__workspace").order_by("next_check_at")[:AT_ONCE]:
        if stop.is_set():
            return
        if not idle(row) and _claim(row):
            _check(row, worker)


def check_now(webhook: Webhook, holder: str, patience: float) -> None:
    """One check by this process; what is to be read because of it is due then.

    Raises LeaseTaken where a job does not give the Connection back in time, and LeaseLost.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            if not leases.holder_of(webhook.connection_id) or time.monotonic() > give_up:
                with leases.held(webhook.connection_id, holder) as lease:
                    rows = Webhook.objects.of(webhook.workspace_id).select_related("workspace", "connection__workspace")
                    check(rows.get(pk=webhook.pk), lease, lambda flows: schedule.wake(flows, RunKind.PULL))
                    return
        except LeaseTaken:
            if time.monotonic() > give_up:
                raise
        time.sleep(ASK_SECONDS)


def _check(row: Webhook, worker: str) -> None:
    try:
        check_now(row, f"{worker} webhook {row.pk}", PATIENCE_SECONDS)
    except LeaseTaken:
        _put_off(row, AGAIN)
    except LeaseLost:
        log.warning("The check of webhook %s lost its Connection; it is made again.", row.pk)
        _put_off(row, AGAIN)
    except Error:
        raise
    except Exception:
        # The others are checked all the same.
        log.exception("Webhook %s could not be checked.", row.pk)


def _adopt() -> None:
    """A row for each Connection whose System has webhooks."""
    systems = [name for name, system in SYSTEMS.items() if system.webhooks is not None]
    known = Webhook.objects.across_workspaces().values("connection_id")
    for row in Connection.objects.across_workspaces().filter(system__in=systems).exclude(pk__in=known):
        row_of(row)


def _after_a_pause() -> None:
    """Who starts does not know for how long nobody was there: what was missed meanwhile is looked for now."""
    active = Webhook.objects.across_workspaces().filter(state=WebhookState.ACTIVE)
    active.update(next_check_at=clock.now())


def _claim(row: Webhook) -> bool:
    seen = Webhook.objects.of(row.workspace_id).filter(pk=row.pk, next_check_at=row.next_check_at)
    return bool(seen.update(next_check_at=clock.now() + CLAIMED))


def _put_off(row: Webhook, span: timedelta) -> None:
    Webhook.objects.of(row.workspace_id).filter(pk=row.pk).update(next_check_at=clock.now() + span)

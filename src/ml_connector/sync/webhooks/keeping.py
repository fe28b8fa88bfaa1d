"""Whether a Connection is to have a subscription, and what people ask of it.

What is asked for is done by the next check, which is then due (see checking).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings as installation

from ml_connector import audit, clock
from ml_connector.integrations import SYSTEMS
from ml_connector.sync.flows import spec_of
from ml_connector.sync.models import Connection, Webhook, WebhookState
from ml_connector.sync.webhooks.receiving import integrations_of, reading
from ml_connector.systems.base import Wanted

SOON = timedelta(minutes=1)
"""How soon a Connection is looked at again that needs no subscription so far."""
HOOKS = "hooks"
"""First part of the path."""


@dataclass(frozen=True)
class Need:
    """Whether a Connection is to have a subscription."""

    wanted: Wanted | None
    why_not: str
    """In words for people; empty where there is one."""


def address(webhook: Webhook) -> str:
    """Where the vendor is to send to; empty where vendors do not reach this installation."""
    return f"{installation.WEBHOOK_URL}/{HOOKS}/{webhook.path}" if installation.WEBHOOK_URL else ""


def row_of(connection: Connection) -> Webhook:
    """The Connection's row, made where there is none."""
    row, _ = Webhook.objects.of(connection.workspace_id).get_or_create(
        connection=connection,
        defaults={"workspace_id": connection.workspace_id, "path": new_path(), "next_check_at": clock.now()},
    )
    return row


def new_path() -> str:
    return secrets.token_urlsafe(32)


def need(webhook: Webhook) -> Need:
    """Says whether there is to be a subscription, and why not. Asks nobody outside."""
    connection = webhook.connection
    why_not = polled_because(connection, webhook)
    if why_not:
        return Need(None, why_not)
    name = f"ml-connector {connection.workspace.name} {connection.name}"
    return Need(Wanted(name, address(webhook), announced(connection)), "")


def announced(connection: Connection) -> frozenset[str]:
    """The record types that Flows read through the Connection and that its System can announce."""
    webhooks = SYSTEMS[connection.system].webhooks
    if webhooks is None:
        return frozenset()
    return webhooks.record_types & {spec_of(flow).record_type for flow in reading(connection)}


def polled_because(connection: Connection, webhook: Webhook | None) -> str:
    """Why changes are to be found by polling only, as a sentence; empty where there is to be a subscription."""
    system = SYSTEMS[connection.system]
    begun = webhook is not None and bool(webhook.subscription)
    waits = not begun and all(row.paused for row in integrations_of(connection))
    reasons = (
        (system.webhooks is None, f"{system.label} sends no webhooks."),
        (not announced(connection), f"No Flow reads what {system.label} can announce."),
        (not installation.WEBHOOK_URL, "Vendors do not reach this installation: ML_CONNECTOR_WEBHOOK_URL is not set."),
        (bool(connection.stand_in), "It leads to a stand-in of a trial."),
        (webhook is not None and not webhook.wanted, "The subscription was removed by a person."),
        (waits, "Its integration is not started, or paused."),
    )
    return next((text for holds, text in reasons if holds), "")


def ask_new_key(webhook: Webhook, actor: str) -> None:
    """Has the next check, which is due now, put a new key in force."""
    _ask(webhook, actor, "new_key", new_key_wanted=True)


def ask(webhook: Webhook, actor: str, *, wanted: bool) -> None:
    """Has the next check, which is due now, make or remove the subscription."""
    _ask(webhook, actor, "subscribe" if wanted else "remove", wanted=wanted)


def _ask(webhook: Webhook, actor: str, what: str, **changes: bool) -> None:
    with audit.recording(webhook.workspace, actor=actor) as trail:
        rows = Webhook.objects.of(webhook.workspace_id).filter(pk=webhook.pk)
        rows.update(next_check_at=clock.now(), failures=0, **changes)
        trail.add("webhook", f"connection:{webhook.connection_id}", asked_for=what)
    webhook.refresh_from_db()


def idle(webhook: Webhook) -> bool:
    """Whether the vendor need not be asked: there is no subscription and there is to be none. Says so in the row."""
    found = need(webhook)
    if webhook.subscription or found.wanted is not None:
        return False
    rows = Webhook.objects.of(webhook.workspace_id).filter(pk=webhook.pk)
    rows.update(state=WebhookState.NONE, text=found.why_not, next_check_at=clock.now() + SOON, failures=0)
    return True

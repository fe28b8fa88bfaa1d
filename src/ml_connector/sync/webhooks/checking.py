"""One check of a subscription, every hour and whenever something is asked of it (R57, R58).

It can be broken off anywhere. What the vendor has is asked first, so a subscription whose making was not answered is
found by its address. A request for a key whose answer was lost is sent again under the same idempotency key: a key is
shown once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from django.conf import settings as installation
from django.db import transaction

from ml_connector import audit, clock, vault
from ml_connector.integrations import SYSTEMS
from ml_connector.redaction import redacted
from ml_connector.sync import backoff, problems
from ml_connector.sync.connections import confirm_identity, opened
from ml_connector.sync.leases import Lease
from ml_connector.sync.models import Health, Via, Webhook, WebhookState
from ml_connector.sync.problems import Cause
from ml_connector.sync.webhooks.keeping import SOON, Need, need, new_path
from ml_connector.sync.webhooks.receiving import KEY, OLD_KEY, integrations_of, owner, readers, store, subject
from ml_connector.systems.base import (
    AuthFailed,
    NotFound,
    Refused,
    Subscribing,
    Subscription,
    Subscriptions,
    SystemFailure,
    Throttled,
    Wanted,
)

EVERY = timedelta(hours=1)
OLD_KEY_GOOD = timedelta(hours=1)
"""How long the key before is good after a new one is in force: for what was signed with it and comes late."""
ATTEMPT_KEPT = timedelta(hours=23)
"""A vendor forgets an idempotency key after a day."""
HISTORY_BEFORE = timedelta(days=1)
"""From how long before a subscription's beginning its list of events is read."""
HISTORY_OVERLAP = timedelta(minutes=5)
QUIET = timedelta(days=1)
"""After so long without a refused request, the Problem of refused requests is over."""

Woken = Callable[[set[int]], None]
"""Is told which Flows, by id, are to be pulled now."""


def check(webhook: Webhook, lease: Lease, woken: Woken) -> None:
    """One check under the Connection's lease: the subscription becomes as it is to be, and what was missed is stored.
    What goes wrong is stored in the row, with the time of the next try. Raises LeaseLost."""
    connection = webhook.connection
    if connection.health == Health.CIRCUIT_OPEN:
        _set(
            webhook, state=WebhookState.FAILING, next_check_at=clock.now() + SOON,
            text=f"The sign-in of {connection.name} was refused. It goes on once that is corrected.",
        )  # fmt: skip
        return
    try:
        with opened(connection, lease) as client:
            confirm_identity(connection, client)
            assert isinstance(client, Subscribing), f"{connection.system} declares webhooks and has no subscriptions"
            _Check(webhook, client.subscriptions(), lease, woken).run()
    except (SystemFailure, vault.VaultError) as failure:
        _failed(webhook, failure)


class _Check:
    """One check of one subscription."""

    def __init__(self, webhook: Webhook, vendor: Subscriptions, lease: Lease, woken: Woken) -> None:
        self.webhook, self.vendor, self.lease, self.woken = webhook, vendor, lease, woken
        self.workspace, self.connection = webhook.workspace, webhook.connection
        self.did: list[str] = []

    def run(self) -> None:
        found = need(self.webhook)
        if found.wanted is None:
            self._leave(found)
            return
        current = self._as_wanted(self._current(found.wanted), found.wanted)
        if self.webhook.new_key_wanted or KEY not in self._keys():
            self._new_key(current.id)
        self._drop_old_key()
        self._fill_gap(current.id)
        self._good()

    def _current(self, wanted: Wanted) -> Subscription:
        """What the vendor has: ours by its id, else one with our address that we lost sight of, else a new one."""
        if self.webhook.subscription:
            current = self.vendor.get(self.webhook.subscription)
            if current is not None:
                return current
            self._store(subscription="", attempt="")
        found = next((row for row in self.vendor.listed() if row.url == wanted.url), None)
        current = found or self.vendor.make(wanted, self._attempt())
        now = clock.now()
        with self._recording() as trail:
            self._store(subscription=current.id, attempt="", history_at=now - HISTORY_BEFORE)
            if current.key:
                vault.put(self.workspace, owner(self.connection), KEY, current.key)
                self._store(key_since=now, old_key_until=None)
            elif found is not None:
                # Whatever key we hold need not be this one's.
                vault.delete(self.workspace, owner(self.connection), KEY)
            trail.add("webhook", f"connection:{self.connection.pk}", did="subscribed", subscription=current.id)
        self.did.append("the subscription was made" if found is None else "the subscription was found again")
        return current

    def _as_wanted(self, current: Subscription, wanted: Wanted) -> Subscription:
        if current.enabled and current.url == wanted.url and wanted.record_types <= current.record_types:
            return current
        try:
            self.vendor.amend(current.id, wanted)
        except NotFound:
            # Gone since it was looked for, or never amended: under our address it is found again, else made anew.
            self._store(subscription="", attempt="")
            return self._current(wanted)
        did = "switched on again" if not current.enabled else "amended"
        with self._recording() as trail:
            trail.add("webhook", f"connection:{self.connection.pk}", did=did, subscription=current.id)
        label = SYSTEMS[self.connection.system].label
        self.did.append(
            f"{label} had switched the subscription off; it was switched on again"
            if not current.enabled
            else "the subscription was amended"
        )
        return current

    def _new_key(self, subscription: str) -> None:
        key = self.vendor.new_key(subscription, self._attempt())
        now = clock.now()
        with self._recording() as trail:
            before = self._keys().get(KEY)
            if before is not None and before != key:
                vault.put(self.workspace, owner(self.connection), OLD_KEY, before)
                self._store(old_key_until=now + OLD_KEY_GOOD)
            vault.put(self.workspace, owner(self.connection), KEY, key)
            self._store(key_since=now, new_key_wanted=False, attempt="")
            trail.add("webhook", f"connection:{self.connection.pk}", did="new key")
        self.did.append("a new key is in force")

    def _drop_old_key(self) -> None:
        if self.webhook.old_key_until is not None and self.webhook.old_key_until <= clock.now():
            vault.delete(self.workspace, owner(self.connection), OLD_KEY)
            self._store(old_key_until=None)

    def _fill_gap(self, subscription: str) -> None:
        """Stores what the vendor's list has and we do not: what was lost, or came while nobody was there to take it.
        After a change the Flows are pulled besides: a vendor need not list what happened while it was off."""
        since = self.webhook.history_at or clock.now() - HISTORY_BEFORE
        newest, due = since, set[int]()
        for event in self.vendor.events(subscription, since - HISTORY_OVERLAP):
            due |= store(self.connection, [event], Via.HISTORY)
            newest = max(newest, event.at or newest)
        self._store(history_at=newest)
        if self.did:
            webhooks = SYSTEMS[self.connection.system].webhooks
            types = webhooks.record_types if webhooks else frozenset()
            due |= {flow.pk for name in types for flow in readers(self.connection, name)}
        self.woken(due)

    def _leave(self, found: Need) -> None:
        """There is to be none any more. Without a public address of our own it is left to the vendor, who switches
        it off by itself: an address that was only forgotten at one start must not cost the subscription."""
        if self.webhook.subscription and installation.WEBHOOK_URL:
            self.vendor.remove(self.webhook.subscription)
            with self._recording() as trail:
                for field in (KEY, OLD_KEY):
                    vault.delete(self.workspace, owner(self.connection), field)
                # Another address next time: who knew this one does not know that.
                self._store(
                    subscription="",
                    path=new_path(),
                    key_since=None,
                    old_key_until=None,
                    new_key_wanted=False,
                    attempt="",
                )
                trail.add("webhook", f"connection:{self.connection.pk}", did="removed")
        with self._recording() as trail:
            for integration in integrations_of(self.connection):
                for cause in ("webhook_off", "webhook_refused"):
                    problems.end_problem(trail, integration, cause, subject=subject(self.connection))
            again = clock.now() + (EVERY if self.webhook.subscription else SOON)
            self._store(state=WebhookState.NONE, text=found.why_not, failures=0, next_check_at=again)

    def _good(self) -> None:
        now = clock.now()
        refused_at = self.webhook.refused_at
        with self._recording() as trail:
            for integration in integrations_of(self.connection):
                problems.end_problem(trail, integration, "webhook_off", subject=subject(self.connection))
                if refused_at is None or refused_at < now - QUIET:
                    problems.end_problem(trail, integration, "webhook_refused", subject=subject(self.connection))
            text = self.webhook.text if self.webhook.state == WebhookState.ACTIVE else ""
            if self.did:
                text = f"{now:%Y-%m-%d %H:%M} UTC: {', '.join(self.did)}."
            self._store(
                state=WebhookState.ACTIVE, text=text, checked_at=now, failures=0, next_check_at=now + EVERY
            )  # fmt: skip

    # --- small parts

    def _keys(self) -> dict[str, str]:
        return vault.get_all(self.workspace, owner(self.connection))

    def _attempt(self) -> str:
        """The idempotency key of the request that leaves next, committed before it does (R1)."""
        row = self.webhook
        if not row.attempt or row.attempt_at is None or clock.now() - row.attempt_at >= ATTEMPT_KEPT:
            self._store(attempt=str(uuid.uuid4()), attempt_at=clock.now())
        return self.webhook.attempt

    def _recording(self) -> AbstractContextManager[audit.Trail]:
        return audit.recording(self.workspace, actor="worker")

    def _store(self, **values: object) -> None:
        with transaction.atomic():
            self.lease.confirm()
            _set(self.webhook, **values)


def _set(webhook: Webhook, **values: object) -> None:
    """Only these columns: requests that arrive count in the same row."""
    Webhook.objects.of(webhook.workspace_id).filter(pk=webhook.pk).update(**values)
    for name, value in values.items():
        setattr(webhook, name, value)


def _failed(webhook: Webhook, failure: Exception) -> None:
    """Said in the row; what does not pass by itself becomes a Problem. Polling goes on in any case."""
    now, count = clock.now(), webhook.failures + 1
    lasting = isinstance(failure, Refused | AuthFailed | vault.VaultError)
    wait = EVERY if lasting else timedelta(seconds=backoff.after(count))
    if isinstance(failure, Throttled) and failure.retry_after is not None:
        wait = timedelta(seconds=failure.retry_after)
    _set(
        webhook, state=WebhookState.FAILING, text=redacted(str(failure)), failures=count, next_check_at=now + wait
    )  # fmt: skip
    # Refused credentials have a Problem of their own.
    if not lasting or isinstance(failure, AuthFailed):
        return
    connection = webhook.connection
    cause = Cause(
        "webhook_off",
        subject(connection),
        f"Connection {connection.name} has no webhook in force: {failure}",
        f"Changes are found by polling meanwhile. It is tried again every hour, and by: ml-connector webhook subscribe"
        f" {connection.name}",
        blocks=False,
    )
    with audit.recording(webhook.workspace, actor="worker") as trail:
        for integration in integrations_of(connection):
            problems.open_problem(trail, integration, cause)

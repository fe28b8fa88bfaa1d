"""How Messages leave: claimed, sent by the messenger in a process of its own, and settled.

A claim is committed before anything is sent. What a worker that died had claimed may have left: it is not sent again
but shown as unknown. So a Message arrives at most once.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.db.models import Min

from ml_connector import audit, clock, vault
from ml_connector.messenger.address import AddressUnusable, parsed
from ml_connector.messenger.outcome import Outcome, Sent
from ml_connector.redaction import redacted, register
from ml_connector.sync import backoff
from ml_connector.sync.models import Channel, Event, Message, MessageState
from ml_connector.sync.notify import wording
from ml_connector.sync.notify.channels import FIELD, owner
from ml_connector.workspaces.models import Workspace

AT_A_TIME = 4
SECONDS = 60.0
"""What one message may take, all in all."""
CLAIM = timedelta(seconds=3 * SECONDS)
"""After it nobody sends any more who had claimed it."""
GIVE_UP_AFTER = timedelta(hours=24)
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")
"""Of the environment: no proxies, no keys, nothing of ours."""

log = logging.getLogger(__name__)


def send_due() -> int:
    """Sends what is due, a few at a time and one of each Workspace; says how many were tried."""
    _settle_dead()
    claimed = _claim()
    if not claimed:
        return 0
    asked = [_request(row) for row in claimed]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(_ask, asked))
    for message, sent in zip(claimed, answers, strict=True):
        _settle(message, sent)
    return len(claimed)


def send_trial(channel: Channel, actor: str) -> Sent:
    """Sends the message of a test at once. Its outcome is the Channel's newest."""
    words = wording.trial(channel.workspace, channel.name)
    sent = _ask(_put(channel, words.title, words.body, "info", f"test-{channel.pk}-{clock.now():%Y%m%dT%H%M%S%f}"))
    with audit.recording(channel.workspace, actor=actor) as trail:
        trail.add("notification", f"channel:{channel.pk}", event="test", outcome=str(sent.outcome))
        _note(channel, sent)
    return sent


def _claim() -> list[Message]:
    """The oldest that is due of each Workspace, marked as being sent. Of several workers one succeeds."""
    now = clock.now()
    due = Message.objects.across_workspaces().filter(state=MessageState.WAITING, next_at__lte=now)
    longest = due.values("workspace_id").annotate(since=Min("next_at")).order_by("since")
    claimed = []
    for workspace_id in longest.values_list("workspace_id", flat=True)[:AT_A_TIME]:
        of_workspace = due.filter(workspace_id=workspace_id).select_related("workspace", "channel__workspace")
        row = of_workspace.order_by("next_at", "pk").first()
        if row is None:
            continue
        mine = Message.objects.of(row.workspace_id).filter(pk=row.pk, state=MessageState.WAITING, tries=row.tries)
        if mine.update(state=MessageState.SENDING, next_at=now + CLAIM, tries=row.tries + 1):
            row.tries += 1
            claimed.append(row)
    return claimed


def _settle_dead() -> None:
    gone = Message.objects.across_workspaces().filter(state=MessageState.SENDING, next_at__lte=clock.now())
    text = "The worker that sent it died meanwhile: it may have arrived. It is not sent again."
    for row in gone.select_related("workspace", "channel__workspace"):
        _settle(row, Sent(Outcome.UNKNOWN, text))


def _settle(message: Message, sent: Sent) -> None:
    """Stores what became of a message that this worker, or one that died, had claimed."""
    now, channel = clock.now(), message.channel
    again = sent.outcome is Outcome.FAILED and now - message.made_at < GIVE_UP_AFTER
    later = now + timedelta(seconds=backoff.after(message.tries))
    values: dict[str, object] = {"text": sent.text, "next_at": later}
    if again:
        values["state"] = MessageState.WAITING
    else:
        ends = {Outcome.SENT: MessageState.SENT, Outcome.UNKNOWN: MessageState.UNKNOWN}
        values |= {"state": ends.get(sent.outcome, MessageState.FAILED), "ended_at": now}
    with audit.recording(message.workspace, actor="worker") as trail:
        mine = Message.objects.of(message.workspace_id).filter(
            pk=message.pk, state=MessageState.SENDING, tries=message.tries
        )
        if not mine.update(**values):
            return
        if not again or message.tries == 1:
            trail.add(
                "notification", f"channel:{channel.pk}", event=message.event, message=message.pk,
                outcome=str(sent.outcome), tries=message.tries,
            )  # fmt: skip
        _note(channel, sent)
        if again:
            # The Channel as a whole waits: what else there is for it would fail as well, and keep others waiting.
            waiting = Message.objects.of(message.workspace_id).filter(channel=channel, state=MessageState.WAITING)
            waiting.filter(next_at__lt=later).update(next_at=later)
    if sent.outcome is not Outcome.SENT:
        log.warning("A message to channel %s was not sent (%s): %s", channel.pk, sent.outcome, sent.text)


def _note(channel: Channel, sent: Sent) -> None:
    rows = Channel.objects.of(channel.workspace_id).filter(pk=channel.pk)
    if sent.outcome is Outcome.SENT:
        rows.update(last_sent_at=clock.now(), trouble="", trouble_at=None)
    else:
        rows.update(trouble=sent.text, trouble_at=clock.now())


# --- the messenger


def _request(message: Message) -> dict[str, object] | Sent:
    kind = "info" if message.event in {Event.DIGEST, Event.CONNECTION_UP} else "warning"
    return _put(message.channel, message.title, message.body, kind, f"{message.workspace.name}-{message.pk}")


def _put(channel: Channel, title: str, body: str, kind: str, message_id: str) -> dict[str, object] | Sent:
    """What the messenger is asked; the outcome itself where the address cannot be had."""
    try:
        address = vault.get(channel.workspace, owner(channel.pk), FIELD)
        for part in parsed(channel.kind, address).secrets:
            register(part)
    except (vault.VaultError, AddressUnusable):
        return Sent(Outcome.REFUSED, "Its stored address cannot be used. Give it again.")
    return {"kind": channel.kind, "address": address, "title": title, "body": body, "type": kind, "id": message_id,
            "internal": settings.NOTIFY_INTERNAL}  # fmt: skip


def _ask(request: dict[str, object] | Sent) -> Sent:
    """Runs the messenger for one message. Speaks to no database: it may run in a thread of its own."""
    if isinstance(request, Sent):
        return request
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # No user's .netrc adds credentials.
    environment |= {"NETRC": os.devnull, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ml_connector.messenger"], input=json.dumps(request), env=environment,
            capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout)
        return Sent(Outcome(answer["outcome"]), redacted(str(answer["text"])))
    except subprocess.TimeoutExpired:
        return Sent(Outcome.UNKNOWN, f"It did not end within {SECONDS:.0f} seconds: it may have arrived.")
    except subprocess.CalledProcessError as died:
        log.error("The messenger ended with status %s: %s", died.returncode, redacted(died.stderr[-2000:]))  # noqa: TRY400
        return Sent(Outcome.UNKNOWN, "The messenger ended in an error of ours: it may have arrived. The log says more.")
    except (ValueError, KeyError):
        return Sent(Outcome.UNKNOWN, "The messenger said nothing: it may have arrived.")


def recent(workspace: Workspace, at_most: int = 20) -> Sequence[Message]:
    """The newest Messages, for the Settings page."""
    return list(Message.objects.of(workspace).select_related("channel").order_by("-pk")[:at_most])

"""What people are told, when, and how often."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from ml_connector import audit, clock, vault
from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.jobs.notifying import tell as empty_outbox
from ml_connector.redaction import redacted
from ml_connector.sync import health, problems
from ml_connector.sync.models import Channel, Flow, Message, Notice, Record, Run, RunKind, RunState
from ml_connector.sync.notify import channels, gather, sending, silence
from ml_connector.sync.notify.channels import ChannelRefused, Wish
from ml_connector.sync.problems import Cause
from ml_connector.systems.base import AuthFailed, Transient
from ml_connector.vault.models import Secret
from ml_connector.workspaces.models import Workspace
from tests.sync.acts import post
from tests.sync.pair import MONDAY, base_pair


@pytest.fixture
def pair(workspace):
    """Suppliers and codes are read; no document is."""
    with base_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        yield made
        assert made.adds_up()  # R76
        assert verify(workspace).holds


def opened(pair, count: int, run: int | None = None, cause: str = "unmapped_code") -> None:
    with audit.recording(pair.workspace, actor="worker", run=run) as trail:
        for number in range(count):
            found = Cause(cause, f"gl_account:{number}", f"Secret text {number}", "Map it.")
            problems.open_problem(trail, pair.integration, found, pair.flow("invoices"))


def titles(hook) -> list[str]:
    return [row["title"] for row in hook.seen]


def test_what_one_run_found_is_one_message_with_its_money_and_no_content(pair, hook, tell, settings):
    settings.PUBLIC_URL = "https://connector.acme.test"
    tell("problem")
    pair.sync()
    empty_outbox()
    (message,) = hook.seen
    held = Record.objects.of(pair.workspace).filter(state="blocked", currency="USD")
    money = sum((Decimal(row.amount) / 10_000 for row in held), Decimal(0))
    assert message["title"] == "[ml-connector acme] 3 new Problems in bench"
    assert f"USD {money:,.2f}" in " ".join(row["message"] for row in hook.seen)
    assert "https://connector.acme.test/w/acme/problems" in message["message"]
    numbers = Record.objects.of(pair.workspace).exclude(number="").values_list("number", flat=True)
    for content in [*numbers, "Hydra", "10-6"]:
        assert content not in message["message"]


def test_500_problems_of_a_run_are_one_message_sent_when_it_has_ended(pair, hook, tell):
    tell("problem")
    flow = pair.flow("invoices")
    run = Run.objects.create(workspace=pair.workspace, flow=flow, connection=pair.erp, kind=RunKind.PULL,
                             started_at=clock.now(), fence=1)  # fmt: skip
    opened(pair, 500, run.pk)
    empty_outbox()
    assert hook.seen == [], "the Run is still finding more"
    Run.objects.of(pair.workspace).filter(pk=run.pk).update(state=RunState.SUCCEEDED)
    empty_outbox()
    assert titles(hook) == ["[ml-connector acme] 500 new Problems in bench"]
    empty_outbox()
    assert len(hook.seen) == 1


def test_a_notice_is_committed_with_its_problem_or_not_at_all(pair, tell):
    tell("problem")
    with pytest.raises(RuntimeError), transaction.atomic():
        opened(pair, 1)
        raise RuntimeError
    assert not Notice.objects.of(pair.workspace).exists()
    opened(pair, 1)
    row = Notice.objects.of(pair.workspace).get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.of(pair.workspace).create(
            workspace=pair.workspace, event=row.event, subject=row.subject, at=clock.now()
        )


def test_a_problem_that_was_over_at_once_is_not_told(pair, hook, tell):
    tell("problem")
    opened(pair, 1)
    with audit.recording(pair.workspace, actor="worker") as trail:
        problems.end_problem(trail, pair.integration, "unmapped_code")
    empty_outbox()
    assert hook.seen == []


def test_nobody_is_told_of_what_was_before_the_channel(pair, hook, tell):
    opened(pair, 2)
    tell("problem")
    empty_outbox()
    assert hook.seen == []


def test_a_channel_hears_of_its_events_and_integrations_only(pair, hook, tell, workspace):
    tell("silence", name="other event")
    tell("problem", name="this one", integrations=(pair.integration.pk,))
    opened(pair, 1)
    empty_outbox()
    assert list(Message.objects.of(workspace).values_list("channel__name", flat=True)) == ["this one"]
    with pytest.raises(ChannelRefused):
        tell("problem", name="nowhere", integrations=(999,))


# --- connections


def fail(pair, failure, times: int = 1) -> None:
    for _ in range(times):
        with audit.recording(pair.workspace, actor="worker") as trail:
            health.fails(trail, pair.integration, pair.erp, failure)
        empty_outbox()


def works(pair) -> None:
    with audit.recording(pair.workspace, actor="worker") as trail:
        health.works(pair.erp)
        problems.end_problems(trail, pair.integration, health.said_of(pair.erp))
    empty_outbox()


@pytest.mark.parametrize("failure", [AuthFailed("no"), Transient("away")])
def test_an_outage_is_told_once_and_its_end_once(pair, hook, tell, failure):  # R61
    tell("connection_down")
    fail(pair, failure, times=8)
    assert titles(hook) == [f"[ml-connector acme] Connection {pair.erp.name} is down"]
    works(pair)
    works(pair)
    assert titles(hook)[1:] == [f"[ml-connector acme] Connection {pair.erp.name} works again"]
    fail(pair, AuthFailed("again"))
    assert titles(hook)[2:] == [f"[ml-connector acme] Connection {pair.erp.name} is down"]


def test_the_end_of_an_outage_that_nobody_heard_of_is_not_told(pair, hook, tell):
    fail(pair, AuthFailed("no"))
    tell("connection_down")
    works(pair)
    assert hook.seen == []


# --- silence


def test_a_source_that_gives_nothing_is_told_as_silence(pair, hook, tell):  # R19
    tell("silence")
    with audit.recording(pair.workspace, actor="worker") as trail:
        problems.open_problem(trail, pair.integration, Cause("source_silent", "flow:invoices", "Nothing.", "Look.",
                                                             blocks=False), pair.flow("invoices"))  # fmt: skip
    empty_outbox()
    assert titles(hook) == ["[ml-connector acme] Silence in bench: invoices"]


def test_a_schedule_that_did_not_run_is_told_and_ends_by_itself(pair, hook, tell):  # R19
    tell("silence")
    Flow.objects.of(pair.workspace).update(next_pull_at=clock.now() + timedelta(minutes=5))
    assert silence.check_schedules() == 0
    late = Flow.objects.of(pair.workspace).filter(name="invoices")
    late.update(next_pull_at=clock.now() - timedelta(hours=3))
    assert silence.check_schedules() == 1
    assert silence.check_schedules() == 1
    empty_outbox()
    assert titles(hook) == ["[ml-connector acme] Silence in bench: invoices"]
    late.update(paused=True)
    assert silence.check_schedules() == 0
    from tests.sync.acts import causes

    assert causes(pair)["schedule_missed"] == 0


def test_a_flow_that_brings_nothing_for_long_is_told(pair, hook, tell):  # R19
    tell("silence")
    flow = pair.flow("invoices")
    for back in range(40, 8, -2):
        Run.objects.create(workspace=pair.workspace, flow=flow, connection=pair.erp, kind=RunKind.PULL, fence=1,
                           state=RunState.SUCCEEDED, started_at=clock.now() - timedelta(days=back),
                           counts={"new": 3, "changed": 0})  # fmt: skip
    Flow.objects.of(pair.workspace).filter(pk=flow.pk).update(last_success_at=clock.now())
    assert silence.check_quiet() == 1
    empty_outbox()
    assert titles(hook) == ["[ml-connector acme] Silence in bench: invoices"]
    Run.objects.create(workspace=pair.workspace, flow=flow, connection=pair.erp, kind=RunKind.PULL, fence=1,
                       state=RunState.SUCCEEDED, started_at=clock.now(), counts={"new": 1})  # fmt: skip
    assert silence.check_quiet() == 0


# --- the digest


def test_the_digest_comes_once_a_day_in_the_morning_of_the_workspace(pair, hook, tell, workspace):
    workspace.time_zone = "America/Chicago"
    workspace.save()
    tell("digest")
    pair.sync()
    local = MONDAY.replace(day=MONDAY.day + 1)
    clock.hold(local.replace(hour=12, minute=59))  # 6:59 in Chicago
    gather.put_digests()
    empty_outbox()
    assert hook.seen == []
    clock.hold(local.replace(hour=13, minute=1))
    for _ in range(3):
        gather.put_digests()
        empty_outbox()
    (message,) = hook.seen
    assert message["title"] == f"[ml-connector acme] Digest of {local:%Y-%m-%d}"
    assert "Waits for you: 3 Problems, 3 documents, USD " in message["message"]
    assert "Unmapped code: 1 Problem" in message["message"]
    assert "Hydra" not in message["message"]
    clock.hold(local.replace(hour=14) + timedelta(days=1))
    gather.put_digests()
    empty_outbox()
    assert len(hook.seen) == 2


def test_a_channel_of_the_afternoon_has_its_first_digest_tomorrow(pair, hook, tell):
    clock.hold(datetime.combine(MONDAY.date(), MONDAY.time(), MONDAY.tzinfo).replace(hour=15))
    tell("digest")
    gather.put_digests()
    empty_outbox()
    assert hook.seen == []


# --- sending


def test_a_failure_is_tried_again_later_and_arrives_once(pair, hook, tell, workspace):
    channel = tell("problem")
    hook.status = 503
    opened(pair, 1)
    empty_outbox()
    channel.refresh_from_db()
    assert "status 503" in channel.trouble
    hook.status = 200
    empty_outbox()
    assert len(hook.seen) == 1, "not before its time"
    clock.hold(clock.now() + timedelta(minutes=1))
    empty_outbox()
    empty_outbox()
    assert len(hook.seen) == 2
    channel.refresh_from_db()
    assert (channel.trouble, Message.objects.of(workspace).get().state) == ("", "sent")
    told = AuditEntry.objects.of(workspace).filter(action="notification").values_list("detail", flat=True)
    assert [json.loads(detail)["outcome"] for detail in told] == ["failed", "sent"]


def test_what_fails_for_a_day_is_given_up_and_says_so(pair, hook, tell, workspace):
    channel = tell("problem")
    hook.status = 503
    opened(pair, 1)
    for _ in range(60):
        empty_outbox()
        clock.hold(clock.now() + timedelta(minutes=31))
    assert Message.objects.of(workspace).get().state == "failed"
    channel.refresh_from_db()
    assert channel.trouble
    tries = len(hook.seen)
    clock.hold(clock.now() + timedelta(days=2))
    empty_outbox()
    assert len(hook.seen) == tries


def test_what_a_dead_worker_was_sending_is_not_sent_again(pair, hook, tell, workspace):
    channel = tell("problem")
    opened(pair, 1)
    gather.gather()
    (claimed,) = sending._claim()
    assert sending._claim() == [], "another worker finds nothing"
    empty_outbox()
    assert hook.seen == []
    clock.hold(clock.now() + sending.CLAIM)
    empty_outbox()
    claimed.refresh_from_db()
    assert (claimed.state, hook.seen) == ("unknown", [])
    channel.refresh_from_db()
    assert "may have arrived" in channel.trouble


def test_a_late_worker_does_not_settle_what_was_settled_for_it(pair, hook, tell):
    tell("problem")
    opened(pair, 1)
    gather.gather()
    (claimed,) = sending._claim()
    clock.hold(clock.now() + sending.CLAIM)
    empty_outbox()
    sending._settle(claimed, sending.Sent(sending.Outcome.FAILED, "late"))
    claimed.refresh_from_db()
    assert claimed.state == "unknown"


def test_one_workspace_of_many_messages_does_not_hold_up_another(pair, hook, tell):  # R74
    tell("problem")
    for number in range(6):
        opened(pair, 1, cause=f"cause_{number}")
        gather.gather()
    other = Workspace.objects.create(name="other", created_at=clock.now())
    theirs = channels.add(other, Wish("theirs", "webhook", hook.url, ["problem"], ()), "test")
    now = clock.now()
    Message.objects.of(other).create(workspace=other, channel=theirs, event="problem", title="theirs", body="x",
                                     made_at=now, next_at=now)  # fmt: skip
    assert {row.workspace.name for row in sending._claim()} == {"acme", "other"}


def test_no_message_is_waited_for_by_a_run(pair, hook, tell, monkeypatch):
    tell("problem")
    monkeypatch.setattr(sending, "_ask", lambda _: pytest.fail("a Run sent a message itself"))
    pair.sync()
    assert Notice.objects.of(pair.workspace).filter(waiting=True).count() == 3


# --- the address


def test_the_address_lies_sealed_and_is_said_nowhere(pair, hook, tell, workspace):  # R71, R75
    channel = tell("problem")
    hook.status = 404
    opened(pair, 1)
    empty_outbox()
    assert vault.get(workspace, f"channel:{channel.pk}", "address") == hook.url
    stored = bytes(Secret.objects.of(workspace).get(owner=f"channel:{channel.pk}").ciphertext)
    assert b"s3cretpath" not in stored
    rows = [str(Channel.objects.of(workspace).values().get()), str(Message.objects.of(workspace).values().get())]
    rows += map(str, AuditEntry.objects.of(workspace).values_list("detail", flat=True))
    assert "s3cretpath" not in " ".join(rows)
    assert "s3cretpath" not in redacted(f"POST http://127.0.0.1/hook/s3cretpath failed: {hook.url}")
    channels.remove(channel, "test")
    assert not Secret.objects.of(workspace).filter(owner__startswith="channel").exists()


def test_a_change_keeps_the_address_and_stands_in_the_trail(pair, hook, tell, workspace):
    channel = tell("problem")
    channels.change(channel, Wish("", "", "", ["digest"], ()), "test")
    assert vault.get(workspace, f"channel:{channel.pk}", "address") == hook.url
    entry = AuditEntry.objects.of(workspace).filter(subject=f"channel:{channel.pk}").last()
    assert entry is not None and json.loads(entry.detail) == {"fields": ["events", "integrations"]}


def test_old_messages_are_forgotten(pair, hook, tell, workspace):
    tell("problem")
    opened(pair, 1)
    empty_outbox()
    post(pair, "LATE-1")
    clock.hold(clock.now() + gather.KEPT + timedelta(days=1))
    gather.forget()
    assert not Message.objects.of(workspace).exists()
    assert not Notice.objects.of(workspace).exists()


def test_a_channel_that_fails_waits_as_a_whole(pair, hook, tell, workspace):
    tell("problem")
    hook.status = 503
    for number in range(5):
        opened(pair, 1, cause=f"cause_{number}")
        gather.gather()
    empty_outbox()
    assert len(hook.seen) == 1
    assert Message.objects.of(workspace).filter(state="waiting", next_at__gt=clock.now()).count() == 5


def test_words_of_an_address_are_no_secrets_its_tokens_are(hook):  # R71
    slack = "https://hooks.slack.com/services/T00000001/B00000001/abcDEF123456789012345678"
    channels.checked("slack", slack)
    assert redacted("services and workflows run") == "services and workflows run"
    assert "abcDEF123456789012345678" not in redacted("it said abcDEF123456789012345678")

"""The endpoint against everybody who is not BILL (R57)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ml_connector import clock, vault
from ml_connector.api import hooks
from ml_connector.integrations import SYSTEMS
from ml_connector.sync.models import Connection, Problem, Webhook
from ml_connector.sync.webhooks import keeping, receiving
from ml_connector.workspaces.models import Workspace
from tests.webhooks.conftest import Sender, signature

WRITES = ("INSERT", "UPDATE", "DELETE")


def problems(house: Any) -> list[tuple[str, str]]:
    rows = Problem.objects.of(house.workspace).filter(cause__startswith="webhook")
    return list(rows.order_by("pk").values_list("cause", "state"))


def test_a_genuine_event_is_stored_and_answered_with_nothing(sender):  # R57
    answer = sender.send(sender.body())
    assert (answer.status_code, answer.content, answer.cookies) == (200, b"", {})
    assert len(sender.house.events()) == 1


def test_one_that_was_seen_is_answered_200_and_writes_nothing(sender):  # R58
    body = sender.body()
    assert sender.send(body).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        assert sender.send(body).status_code == 200
    assert [
        query["sql"] for query in queries if query["sql"].startswith(WRITES) and "sync_flow" not in query["sql"]
    ] == []
    assert len(sender.house.events()) == 1


@pytest.mark.parametrize("signed", ["", "bm8=", "no base64 !"])
def test_what_is_not_signed_is_refused_and_counted(sender, signed):  # R57
    assert sender.send(sender.body(), signed).status_code == 401
    webhook = sender.house.webhook
    assert (webhook.refused, webhook.refused_at) == (1, clock.now())
    assert sender.house.events() == []


def test_what_was_altered_on_the_way_is_refused(sender):  # R57
    body = sender.body()
    right = signature(sender.house.key, body)
    assert sender.send(body + b" ", right).status_code == 401
    assert sender.send(body.replace(b"stp1", b"stp2"), right).status_code == 401
    assert sender.house.webhook.refused == 2 and sender.house.events() == []


def test_the_key_of_another_workspace_opens_nothing(sender, other):  # R57, R74
    body = sender.body()
    assert sender.send(body, signature(other.key, body)).status_code == 401
    theirs = sender.send(body, signature(sender.house.key, body), other.webhook.path)
    assert theirs.status_code == 401
    assert (sender.house.webhook.refused, other.fresh().refused) == (1, 1)
    assert sender.house.events() == []


def test_what_another_organisation_sends_is_refused_although_it_is_signed(sender):  # R57
    assert sender.send(sender.body(organization="00801OTHER0000000000")).status_code == 401
    assert sender.house.webhook.refused == 1


def test_an_unknown_address_is_answered_like_a_wrong_signature(sender):  # R57
    wrong = sender.send(sender.body(), "bm8=")
    for path in (keeping.new_path(), "x", "%00", "a" * 500):
        unknown = sender.send(sender.body(), path=path)
        assert unknown.status_code == wrong.status_code == 401
        assert (unknown.content, dict(unknown.headers)) == (wrong.content, dict(wrong.headers))


def test_nothing_is_written_before_the_signature_was_found_good(sender, monkeypatch):  # R57
    seen: list[str] = []
    right = SYSTEMS["bill"].webhooks.read

    def read(*arguments: Any) -> Any:
        seen.extend(query["sql"] for query in queries)
        return right(*arguments)

    monkeypatch.setattr(SYSTEMS["bill"].webhooks.__class__, "read", property(lambda _: read), raising=False)
    body = sender.body()
    text = signature(sender.house.key, body)
    path = sender.house.webhook.path
    with CaptureQueriesContext(connection) as queries:
        assert sender.send(body, text, path).status_code == 200
    assert seen and not any(sql.startswith(WRITES) for sql in seen)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "head"])
def test_only_post_is_known_whatever_the_address(sender, method):  # R57
    for path in (sender.house.webhook.path, "nowhere"):
        answer = getattr(sender.client, method)(f"/hooks/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert sender.house.webhook.refused == 0


def test_a_body_that_is_too_large_is_not_looked_at(sender, monkeypatch):  # R57
    monkeypatch.setattr(receiving, "receive", lambda *_: pytest.fail("it was looked at"))
    assert sender.send(b"x" * (hooks.LARGEST + 1)).status_code == 413
    assert sender.house.webhook.refused == 0


def test_the_largest_body_is_taken(sender):
    body = sender.body()
    assert sender.send(body + b" " * (hooks.LARGEST - len(body))).status_code == 200


def test_what_does_not_say_how_long_it_is_is_not_read(sender):
    answer = sender.client.generic("POST", f"/hooks/{sender.house.webhook.path}", CONTENT_LENGTH="")
    assert answer.status_code == 411


def test_it_needs_neither_session_nor_csrf_token(sender):  # R57
    strict = Sender(sender.house)
    strict.client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    assert strict.send(strict.body()).status_code == 200
    assert strict.client.cookies == {}


def test_an_address_that_is_asked_too_often_waits(sender, monkeypatch):  # R57
    monkeypatch.setattr(hooks, "_requests", hooks.PerMinute(2))
    body = sender.body()
    assert [sender.send(body).status_code for _ in range(3)] == [200, 200, 429]
    assert sender.send(body, path=keeping.new_path()).status_code == 401
    assert 0 < int(sender.send(body).headers["retry-after"]) <= 60


def test_whoever_knows_the_address_cannot_have_us_write_without_end(sender, monkeypatch):  # R57
    monkeypatch.setattr(hooks, "_refusals", hooks.PerMinute(2))
    assert [sender.send(sender.body(), "bm8=").status_code for _ in range(4)] == [401] * 4
    assert sender.house.webhook.refused == 2
    assert sender.send(sender.body()).status_code == 200


def test_counters_forget_the_oldest_names_and_the_minute_before(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(hooks.time, "time", lambda: now[0])
    monkeypatch.setattr(hooks.PerMinute, "REMEMBERED", 2)
    counter = hooks.PerMinute(1)
    assert [counter.take("a"), counter.take("a"), counter.take("b"), counter.take("c")] == [True, False, True, True]
    assert counter.take("a")
    now[0] = 60
    assert counter.take("c")


def test_refusals_that_repeat_are_told_once_and_are_over_after_a_quiet_day(sender):  # R57
    house = sender.house
    for _ in range(2):
        sender.send(sender.body(), "bm8=")
    house.later(hours=2)
    sender.send(sender.body(), "bm8=")
    assert problems(house) == []
    for _ in range(5):
        sender.send(sender.body(), "bm8=")
    assert problems(house) == [("webhook_refused", "open")]
    text = Problem.objects.of(house.workspace).get(cause="webhook_refused")
    assert "not genuine" in text.text and "webhook rotate platform" in text.fix
    house.later(hours=23)
    house.look()
    assert problems(house) == [("webhook_refused", "open")]
    house.later(hours=2)
    house.look()
    assert problems(house) == [("webhook_refused", "solved")]
    assert house.webhook.refused == 8


def test_what_is_signed_and_cannot_be_read_is_taken_and_kept_with_its_reason(sender):
    body = b'{"metadata":{"organizationId":"%s"}}' % sender.house.platform.settings["organizationId"].encode()
    assert [sender.send(body).status_code for _ in range(2)] == [200, 200]
    (event,) = sender.house.events()
    assert event.state == "ignored" and "metadata.eventId" in event.text


def test_without_database_or_key_the_vendor_is_asked_to_come_again(sender, monkeypatch):
    def fail(error: Exception) -> Any:
        def raising(*_: Any) -> Any:
            raise error

        return raising

    for error in (OperationalError("locked"), vault.WrongKey("the stored key does not open")):
        with monkeypatch.context() as patch:
            patch.setattr(receiving, "receive", fail(error))
            answer = sender.send(sender.body())
        assert (answer.status_code, answer.headers["retry-after"], answer.content) == (503, "60", b"")


def test_the_key_stands_in_no_log_and_in_no_answer(sender, caplog):  # R71
    key = sender.house.key
    with caplog.at_level("DEBUG"):
        sender.send(sender.body())
        sender.send(sender.body(), "bm8=")
        sender.house.look()
    assert "refused" in caplog.text
    assert key not in caplog.text
    assert sender.house.webhook.path not in caplog.text
    assert key not in str(list(Webhook.objects.of(sender.house.workspace).values()))


class Other:
    """Another customer's Connection to BILL with a webhook."""

    def __init__(self, house: Any) -> None:
        self.workspace = Workspace.objects.create(name="other", created_at=clock.now())
        values = {**house.platform.settings, "organizationId": house.platform.settings["organizationId"]}
        self.connection = Connection.objects.create(
            workspace=self.workspace, name="bill", system="bill", settings=values, credential="another"
        )
        self.webhook = keeping.row_of(self.connection)
        self.key = "the-key-of-another-customer"
        vault.put(self.workspace, receiving.owner(self.connection), "key", self.key)

    def fresh(self) -> Webhook:
        return Webhook.objects.of(self.workspace).get()


@pytest.fixture
def other(sender: Sender) -> Other:
    return Other(sender.house)


def test_each_key_is_good_only_for_its_own_address(sender, other):  # R74
    body = sender.body()
    assert sender.send(body, signature(other.key, body), other.webhook.path).status_code == 200
    assert sender.house.events() == []


def test_the_old_key_is_good_for_an_hour_after_a_new_one(sender):  # R57
    house = sender.house
    old = house.key
    keeping.ask_new_key(house.webhook, "person:1")
    assert house.look().key_since == clock.now()
    assert house.key != old
    body = sender.body("e1")
    assert sender.send(body, signature(old, body)).status_code == 200
    assert sender.send(sender.body("e2")).status_code == 200
    house.later(timedelta(minutes=61))
    body = sender.body("e3")
    assert sender.send(body, signature(old, body)).status_code == 401
    house.look()
    sealed = vault.get_all(house.workspace, receiving.owner(house.platform))
    assert sealed == {"key": house.key}


def test_the_address_is_long_and_made_by_chance(house):  # R57
    assert len(keeping.new_path()) == 43
    assert len({keeping.new_path() for _ in range(100)}) == 100
    assert settings.WEBHOOK_URL == ""

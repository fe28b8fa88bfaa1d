"""The Settings page of notifications, as people use it."""

from __future__ import annotations

import re

import pytest

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.sync.models import Channel, Integration, Message
from ml_connector.workspaces.models import Workspace
from tests.notify.conftest import hook

__all__ = ["hook"]

PAGE = "/w/acme/settings/notifications"


def added(client, hook, **more):
    values = {"name": "AP team", "kind": "webhook", "address": hook.url, "events": ["problem", "digest"], **more}
    return client.post(f"{PAGE}/add", values, follow=True)


@pytest.fixture
def channel(sign_in, hook, workspace) -> Channel:
    assert added(sign_in("administrator"), hook).status_code == 200
    return Channel.objects.of(workspace).get()


def test_a_channel_is_added_shown_and_its_address_never_again(sign_in, hook, channel):  # R71
    text = sign_in("owner").get(PAGE).content.decode()
    assert "AP team" in text and "sealed; never shown" in text
    assert "s3cretpath" not in text and hook.url not in text
    refused = added(sign_in("owner"), hook)
    assert refused.status_code == 400 and "already" in refused.content.decode()
    assert "s3cretpath" not in refused.content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "http://example.com/x"}, "begins with https://"),
        ({"kind": "exec"}, "no kind of channel"),
        ({"events": []}, "at least one thing"),
        ({"name": " "}, "Give the channel a name"),
        ({"integrations": ["999"]}, "is gone"),
        ({"integrations": ["x"]}, "is gone"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changed(sign_in, hook, workspace, wrong, said):
    answer = added(sign_in("owner"), hook, **wrong)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Channel.objects.of(workspace).exists()


def test_the_test_is_sent_at_once_and_stands_in_the_trail(sign_in, hook, channel, workspace):
    client = sign_in("administrator")
    text = b"".join(client.post(f"{PAGE}/{channel.pk}/test").streaming_content).decode()
    assert "works." in text
    assert [row["title"] for row in hook.seen] == ["[ml-connector acme] Test"]
    hook.status = 404
    text = b"".join(client.post(f"{PAGE}/{channel.pk}/test").streaming_content).decode()
    assert "status 404" in text and "did not deliver" in text
    assert "Does not deliver" in client.get(PAGE).content.decode()
    trail = AuditEntry.objects.of(workspace).filter(action="notification").order_by("sequence")
    assert [re.findall('"outcome":"(.*?)"', row.detail) for row in trail] == [["sent"], ["refused"]]


def test_a_channel_of_another_workspace_is_not_there(sign_in, channel):  # R74
    stranger = sign_in("stranger")
    for act in ("change", "remove", "test"):
        assert stranger.post(f"/w/other/settings/notifications/{channel.pk}/{act}").status_code == 404
    assert "AP team" not in stranger.get("/w/other/settings/notifications").content.decode()


def test_an_auditor_sees_the_channels_and_changes_none(sign_in, channel):
    text = sign_in("auditor").get(PAGE).content.decode()
    assert "AP team" in text and "Send a test" not in text and "Add a channel" not in text


def test_a_channel_is_changed_and_removed(sign_in, hook, channel, workspace, pair):
    client = sign_in("owner")
    chosen = Integration.objects.of(workspace).get().pk
    client.post(f"{PAGE}/{channel.pk}/change", {"events": ["connection_down"], "integrations": [chosen]})
    channel.refresh_from_db()
    assert (channel.events, channel.integrations) == (["connection_down", "connection_up"], [chosen])
    now = clock.now()
    Message.objects.of(workspace).create(workspace=workspace, channel=channel, event="problem", title="T" * 200,
                                         body="x", made_at=now, next_at=now)  # fmt: skip
    assert "T" * 200 in client.get(PAGE).content.decode()
    client.post(f"{PAGE}/{channel.pk}/remove")
    assert not Channel.objects.of(workspace).exists()
    assert Workspace.objects.filter(name="acme").exists()

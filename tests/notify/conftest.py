from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings

from ml_connector.sync.models import Channel, Event
from ml_connector.sync.notify import channels
from ml_connector.sync.notify.channels import Wish
from tests.notify.receivers import Hook, Mailbox, mail_server, webhook

EVERYTHING = tuple(event.value for event in Event)

Tell = Callable[..., Channel]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """A webhook on this machine, which the host allows."""
    monkeypatch.setattr(settings, "NOTIFY_INTERNAL", True)
    with webhook() as made:
        yield made


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    monkeypatch.setattr(settings, "NOTIFY_INTERNAL", True)
    with mail_server() as made:
        yield made


@pytest.fixture
def tell(workspace, hook: Hook) -> Tell:
    """Adds a Channel to the webhook."""

    def add(*events: str, name: str = "hook", integrations: tuple[int, ...] = ()) -> Channel:
        wish = Wish(name, "webhook", hook.url, events or EVERYTHING, integrations)
        return channels.add(workspace, wish, "test")

    return add

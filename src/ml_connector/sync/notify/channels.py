"""Channels: adding, changing, removing, testing. Every change is in the trail; an address is never shown again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ml_connector import audit, clock, redaction, vault
from ml_connector.messenger.address import Address, AddressUnusable, parsed
from ml_connector.sync.models import Channel, Event, Integration, Message, MessageState
from ml_connector.workspaces.models import Workspace

AT_MOST = 20
"""Channels of one Workspace."""
FIELD = "address"
OFFERED = (Event.PROBLEM, Event.CONNECTION_DOWN, Event.SILENCE, Event.DIGEST)
"""What a Channel is asked about. Who is told that a Connection is down is told that it is up again."""


class ChannelRefused(ValueError):
    """What was asked for cannot be. Nothing was changed; the text says why and what to do."""


@dataclass(frozen=True)
class ChannelRow:
    """One Channel, and how it does."""

    id: int
    name: str
    kind: str
    events: tuple[str, ...]
    integrations: tuple[int, ...]
    integration_names: tuple[str, ...]
    last_sent_at: datetime | None
    trouble: str
    trouble_at: datetime | None
    waiting: int
    """Messages on their way."""


@dataclass(frozen=True)
class Wish:
    """What a person wants of a Channel."""

    name: str
    kind: str
    address: str
    """Empty in a change: the address stays."""
    events: Sequence[str]
    integrations: Sequence[int]


def channel_rows(workspace: Workspace) -> list[ChannelRow]:
    names = dict(Integration.objects.of(workspace).values_list("pk", "name"))
    on_the_way = Message.objects.of(workspace).filter(state__in=[MessageState.WAITING, MessageState.SENDING])
    waiting: dict[int, int] = {}
    for channel_id in on_the_way.values_list("channel_id", flat=True):
        waiting[channel_id] = waiting.get(channel_id, 0) + 1
    return [
        ChannelRow(
            row.pk,
            row.name,
            row.kind,
            tuple(event for event in row.events if event != Event.CONNECTION_UP),
            tuple(row.integrations),
            tuple(names[pk] for pk in row.integrations if pk in names),
            row.last_sent_at,
            row.trouble,
            row.trouble_at,
            waiting.get(row.pk, 0),
        )
        for row in Channel.objects.of(workspace).order_by("name")
    ]


def add(workspace: Workspace, wish: Wish, actor: str) -> Channel:
    """Raises ChannelRefused."""
    name = wish.name.strip()
    rows = Channel.objects.of(workspace)
    if rows.count() >= AT_MOST:
        raise ChannelRefused(f"A workspace has {AT_MOST} channels at most. Remove one first.")
    if not name or len(name) > 60:
        raise ChannelRefused("Give the channel a name of 60 characters at most, such as AP team.")
    if rows.filter(name=name).exists():
        raise ChannelRefused(f"There is a channel {name} already. Choose another name, or change that one.")
    found = checked(wish.kind, wish.address)
    with audit.recording(workspace, actor=actor) as trail:
        row = Channel(workspace=workspace, name=name, kind=wish.kind, created_at=clock.now())
        _choose(row, wish)
        row.save()
        _seal(workspace, row, found)
        trail.add("config_change", f"channel:{row.pk}", fields=["added", "events", "integrations", FIELD])
    return row


def change(channel: Channel, wish: Wish, actor: str) -> None:
    """Changes what it is told, and its address where a new one is given. Raises ChannelRefused."""
    found = checked(channel.kind, wish.address) if wish.address.strip() else None
    with audit.recording(channel.workspace, actor=actor) as trail:
        _choose(channel, wish)
        fields = ["events", "integrations"]
        if found is not None:
            channel.trouble, channel.trouble_at = "", None
            _seal(channel.workspace, channel, found)
            fields.append(FIELD)
        channel.save(update_fields=["events", "integrations", "trouble", "trouble_at"])
        trail.add("config_change", f"channel:{channel.pk}", fields=fields)


def remove(channel: Channel, actor: str) -> None:
    """What was on its way to it is not sent any more."""
    with audit.recording(channel.workspace, actor=actor) as trail:
        vault.delete(channel.workspace, owner(channel.pk), FIELD)
        trail.add("config_change", f"channel:{channel.pk}", fields=["removed"])
        channel.delete()


def checked(kind: str, address: str) -> Address:
    """Raises ChannelRefused."""
    try:
        found = parsed(kind, address.strip())
    except AddressUnusable as unusable:
        raise ChannelRefused(str(unusable)) from None
    for part in found.secrets:
        redaction.register(part)
    return found


def owner(channel_id: int) -> str:
    """What the vault calls a Channel."""
    return f"channel:{channel_id}"


def _choose(row: Channel, wish: Wish) -> None:
    row.events = _events(wish.events)
    known = set(Integration.objects.of(row.workspace_id).values_list("pk", flat=True))
    if not set(wish.integrations) <= known:
        raise ChannelRefused("One of the Integrations is gone. Load the page again and choose anew.")
    row.integrations = sorted(set(wish.integrations))


def _events(asked: Iterable[str]) -> list[str]:
    chosen = [event.value for event in OFFERED if event.value in set(asked)]
    if not chosen:
        raise ChannelRefused("Choose at least one thing that the channel is told of.")
    return [*chosen, Event.CONNECTION_UP.value] if Event.CONNECTION_DOWN in chosen else chosen


def _seal(workspace: Workspace, row: Channel, address: Address) -> None:
    vault.put(workspace, owner(row.pk), FIELD, address.url.geturl())

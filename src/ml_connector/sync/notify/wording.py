"""What a message says: the cause, how many, how much money, and where to look. No content of documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from ml_connector.sync.models import Event
from ml_connector.sync.queries import ProblemRow
from ml_connector.workspaces.models import Workspace


@dataclass(frozen=True)
class Words:
    title: str
    body: str


def problems(workspace: Workspace, integration: str, rows: Sequence[ProblemRow]) -> Words:
    """New Problems of one Integration."""
    one = len(rows) == 1
    title = f"{counted(len(rows), 'new Problem')} in {integration}"
    lines = _by_cause(rows)
    if len(lines) > 1:
        lines = [f"Together: {_waiting(rows)}", *lines]
    lines += ["", *_link(workspace, f"problems/{rows[0].id}" if one else "problems")]
    return Words(_headed(workspace, title), "\n".join(lines).strip())


def outage(workspace: Workspace, event: Event, rows: Sequence[ProblemRow]) -> Words:
    """Connections that are down, or up again. `subject` of their Problems names them."""
    names = ", ".join(sorted({row.subject.removeprefix("connection:") for row in rows}))
    if event is Event.CONNECTION_UP:
        return Words(
            _headed(workspace, f"Connection {names} works again"),
            "\n".join(["What waited for it goes on by itself.", "", *_link(workspace, "connections")]).strip(),
        )
    lines = sorted({f"{_cause(row.cause)}. {_WHAT_NEXT[row.cause]}" for row in rows})
    body = "\n".join([*lines, "", *_link(workspace, "connections")]).strip()
    return Words(_headed(workspace, f"Connection {names} is down"), body)


def silence(workspace: Workspace, integration: str, rows: Sequence[ProblemRow]) -> Words:
    """Flows that bring nothing."""
    flows = ", ".join(sorted({row.flow or row.subject for row in rows}))
    lines = sorted({f"{_cause(row.cause)}: {_SILENT[row.cause]}" for row in rows})
    body = "\n".join([*lines, "", *_link(workspace, "problems")]).strip()
    return Words(_headed(workspace, f"Silence in {integration}: {flows}"), body)


def digest(workspace: Workspace, day: str, rows: Sequence[ProblemRow], read: int, written: int) -> Words:
    """What waits, and what was done in the last 24 hours."""
    holding = [row for row in rows if row.blocks]
    reporting = len(rows) - len(holding)
    lines = [f"Waits for you: {_waiting(holding)}" if holding else "Nothing waits for you."]
    lines += _by_cause(holding) if holding else []
    lines += [f"To be known: {counted(reporting, 'Problem')} that hold nothing back."] if reporting else []
    lines += [f"Last 24 hours: {counted(read, 'document')} read new or changed, {written:,} written."]
    body = "\n".join([*lines, "", *_link(workspace, "")]).strip()
    return Words(_headed(workspace, f"Digest of {day}"), body)


def trial(workspace: Workspace, channel: str) -> Words:
    """The message of a test."""
    body = "\n".join([f"Channel {channel} works. This message was asked for on the Settings page.", "",
                      *_link(workspace, "settings/notifications")]).strip()  # fmt: skip
    return Words(_headed(workspace, "Test"), body)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def summed(rows: Iterable[ProblemRow]) -> dict[str, Decimal]:
    """What they hold, by currency."""
    total: dict[str, Decimal] = {}
    for row in rows:
        for currency, amount in row.amount.items():
            total[currency] = total.get(currency, Decimal(0)) + amount
    return dict(sorted(total.items()))


_WHAT_NEXT = {
    "credentials_refused": "Nothing is tried until its credentials are corrected and it is tested.",
    "wrong_company": "Nothing is tried until it leads to its company again and is tested.",
    "target_unavailable": "It is tried again by itself. See that the system is up.",
}
_SILENT = {
    "source_silent": "the source gave nothing at all, although it had some before.",
    "source_quiet": "no document has come for much longer than ever before.",
    "schedule_missed": "a reading that was due did not run.",
}
_SHOWN = 12
"""Causes listed in one message."""


def _by_cause(rows: Sequence[ProblemRow]) -> list[str]:
    grouped: dict[str, list[ProblemRow]] = {}
    for row in rows:
        grouped.setdefault(row.cause, []).append(row)
    ordered = sorted(grouped.items(), key=lambda pair: (-sum(row.records for row in pair[1]), pair[0]))
    lines = [f"- {_cause(cause)}: {_waiting(found)}" for cause, found in ordered[:_SHOWN]]
    return [*lines, f"- and {counted(len(ordered) - _SHOWN, 'more cause')}"] if len(ordered) > _SHOWN else lines


def _waiting(rows: Sequence[ProblemRow]) -> str:
    documents = sum(row.records for row in rows)
    text = counted(len(rows), "Problem")
    if documents:
        text += f", {counted(documents, 'document')}"
    money = _money(summed(rows))
    return f"{text}, {money}" if money else text


def _money(amounts: Mapping[str, Decimal]) -> str:
    return " + ".join(f"{currency} {amount:,}" for currency, amount in amounts.items())


def _cause(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _headed(workspace: Workspace, title: str) -> str:
    return f"[ml-connector {workspace.name}] {title}"[:200]


def _link(workspace: Workspace, page: str) -> list[str]:
    """None where the installation does not know its own address."""
    return [f"{settings.PUBLIC_URL}/w/{workspace.name}/{page}"] if settings.PUBLIC_URL else []

"""The story of one Record, told from the audit trail and its Attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.audit.cutting import kept, last_cut
from ml_connector.audit.models import AuditEntry
from ml_connector.sync.models import Attempt, Outcome, Record
from ml_connector.sync.queries.problems import ProblemRow, described_problems
from ml_connector.sync.queries.records import RecordRow, record_rows
from ml_connector.workspaces.models import Workspace

MASKED = ("tax_id",)
"""Fields that are sealed or personal and never leave in a list or story (R71)."""

_OUTCOMES = {
    Outcome.PENDING.value: "under way",
    Outcome.UNKNOWN.value: "no answer",
    Outcome.CONFIRMED.value: "confirmed",
    Outcome.REFUSED.value: "refused",
    Outcome.NOT_DONE.value: "not done",
    Outcome.ADOPTED.value: "found",
}
_WORDS = {
    "link": "linked",
    "search": "searched",
    "skip": "skipped",
    "replay": "replayed",
    "override": "decided by a person",
    "rounding": "rounded",
    "hold": "held by law",
    "hold_lifted": "hold lifted",
    "erase": "erased",
}


@dataclass(frozen=True)
class Event:
    """One thing that happened to a Record."""

    at: datetime
    what: str
    """read, ready, blocked, intent, accepted, no answer, searched, found, confirmed, linked, refused, skipped ..."""
    text: str
    actor: str
    run: int | None


@dataclass(frozen=True)
class RecordStory:
    record: RecordRow
    problems: tuple[ProblemRow, ...]
    """The open ones."""
    events: tuple[Event, ...]
    source: dict[str, Any]
    """The record as its source states it, without what is masked."""

    @property
    def lines(self) -> list[tuple[str, str, str | None, str | None, Decimal]]:
        """Line, kind, account, cost center, amount; of documents only."""
        return [
            (
                line["line_key"],
                line.get("kind", "item"),
                line.get("account"),
                line.get("cost_center"),
                Decimal(line["amount"]),
            )
            for line in self.source.get("lines", [])
        ]


def story(workspace: Workspace, record_id: int) -> RecordStory | None:
    """Everything that is known of a Record, oldest first; None where there is no such Record."""
    row = next(record_rows(workspace, ids=[record_id]), None)
    if row is None:
        return None
    record = Record.objects.of(workspace).select_related("flow__integration").get(pk=record_id)
    attempts = {attempt.pk: attempt for attempt in Attempt.objects.of(workspace).filter(record=record)}
    entries = kept(workspace).filter(subject=f"record:{record_id}").order_by("sequence")
    events = [Event(record.staged_at, "read", "", "worker", None)]
    cut = last_cut(workspace)
    if cut is not None and record.staged_at <= cut.newest:
        text = f"what the trail told until then, on {cut.at:%Y-%m-%d}"
        events.append(Event(cut.newest, "removed by age", text, cut.actor, None))
    versions: list[str] = []
    for entry in entries:
        if entry.source_version and entry.source_version not in versions:
            if versions:
                text = f"a newer version from the source, hash {entry.source_version[:12]}"
                events.append(Event(entry.at, "read", text, "worker", entry.run))
            versions.append(entry.source_version)
        events.append(_event(entry, attempts))
    events[0] = replace(events[0], text=_read(record, versions[0] if len(versions) > 1 else ""))
    problems = described_problems(workspace, [holding.id for holding in row.problems])
    return RecordStory(row, tuple(problems), tuple(events), _source(record))


def _event(entry: AuditEntry, attempts: Mapping[int, Attempt]) -> Event:
    facts: dict[str, Any] = msgspec.json.decode(entry.detail)
    attempt = attempts.get(facts.get("attempt", 0))
    if entry.action in {"offer", "claim", "answer"}:
        what, text = _handed_over(entry.action, facts)
    else:
        what, text = _said(entry.action, facts, attempt)
    return Event(entry.at, what, text, entry.actor, entry.run)


def _said(action: str, facts: Mapping[str, Any], attempt: Attempt | None) -> tuple[str, str]:
    if action in {"intent", "accepted"}:
        asked = f"as request {facts.get('handle', '')}; the target decides later, and is asked"
        meant = f"{facts.get('operation', 'create')}, marked {facts.get('mark', '')}"
        return action, asked if action == "accepted" else meant
    if action == "outcome":
        what = _OUTCOMES.get(facts.get("outcome", ""), facts.get("outcome", ""))
        reason = attempt.error_text if attempt is not None else ""
        return what, reason or (f"as {facts['target_key']}" if facts.get("target_key") else "")
    if action == "decision":
        held = ", ".join(f"Problem {problem}" for problem in facts.get("problems", []))
        return str(facts.get("state", action)), held or str(facts.get("reason", ""))
    if action == "search":
        hits = facts.get("hits", ["one"] if facts.get("found") else [])
        by = f" by {facts['by']}" if "by" in facts else ""
        return "searched", f"found{by}: {', '.join(hits)}" if hits else "nothing found"
    if action in {"link", "link_ended"}:
        ended = action == "link_ended"
        why = "cancelled there" if ended else facts.get("made_by", "")
        return "no longer linked" if ended else "linked", f"to {facts.get('target_key', '')}, {why}"
    told = {"reason", "action", "was", "amount", "currency", "account", "tolerance", "policy"}
    plain = ", ".join(f"{name} {value}" for name, value in facts.items() if name in told)
    return _WORDS.get(action, action.replace("_", " ")), plain


def _handed_over(action: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    """What was asked of a source that hands documents over, and what it was told."""
    cycle, outcome = f"cycle {facts.get('cycle', 1)}", str(facts.get("outcome", ""))
    if action == "offer":
        return "offered", cycle
    if action == "claim":
        what = {"asked": "claim asked for", "elsewhere": "claimed by somebody else"}.get(outcome, "claimed")
        return what, cycle
    if outcome == "asked":
        says = f"success {', '.join(facts.get('vouchers', []))}".strip() if facts.get("success") else "failure"
        return "answer intended", f"{cycle}, {says}, known as {facts.get('code', '')}"
    return {"given": "answered", "refused": "answer refused"}.get(outcome, f"answer {outcome}"), cycle


def _read(record: Record, first: str) -> str:
    """`first`: the hash of the version that was read first, where there have been several."""
    stamp = f"version {record.version}" if record.version and not first else f"hash {(first or _hash(record))[:12]}"
    return f"from the source, {stamp}"


def _hash(record: Record) -> str:
    return bytes(record.hash).hex()


def _source(record: Record) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.json.decode(bytes(record.payload))
    return {name: "(hidden)" if name in MASKED else value for name, value in values.items()}

"""Proposals: what people changed on the platform in fields of a supplier that the ERP owns, offered to the ERP (R45).

Payment terms and tax id come back, and nothing else; bank details never (R52). A difference counts only while the
platform was last sent just what the ERP has: then nobody but its people can have made it. Each is a Problem that a
person applies, or leaves as it is; a tax id needs two. What is applied is written as any other record is, and what the
ERP then shows is not sent back to where it came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ml_connector import audit, clock, vault
from ml_connector.domain.records import Supplier, decode
from ml_connector.integrations.base import FlowKind
from ml_connector.sync import mappings, problems
from ml_connector.sync.flows import declaration, document_flows, policy, spec_of
from ml_connector.sync.models import (
    Attempt,
    Flow,
    Link,
    Outcome,
    Problem,
    ProblemState,
    Record,
    State,
)
from ml_connector.sync.problems import TAX_ID_PROPOSED, TERMS_PROPOSED, Cause
from ml_connector.sync.resolved import Resolved, Skip

OFF, AUTO = "off", "auto"
TERMS, TAX_ID = "terms", "tax_id"
CAUSES = {TERMS: TERMS_PROPOSED, TAX_ID: TAX_ID_PROPOSED}
WROTE = (Outcome.CONFIRMED, Outcome.ADOPTED)
SHOWN, HIDES = 3, 8
"""Last characters of a tax id that are shown, of one that has at least so many (R71)."""


@dataclass(frozen=True)
class Change:
    """One field that the platform has otherwise; both values in the ERP's terms."""

    field: str
    was: str
    now: str
    known: bool = True
    """The ERP has the code."""

    @property
    def detail(self) -> dict[str, Any]:
        """What makes it this change and no other, without a tax id."""
        if self.field == TERMS:
            return {"was": self.was, "now": self.now, "known": self.known}
        return {"was": _digest(self.was), "now": _digest(self.now), "known": True}


@dataclass(frozen=True)
class Judged:
    """A vendor compared with the supplier that it is."""

    key: str
    supplier: Supplier
    version: bytes
    """Hash of the supplier's content."""
    settled: bool
    """The platform was last sent just this."""
    changes: tuple[Change, ...]


class Proposing:
    """Compares one Flow's vendors with the suppliers that they are. Made per Run."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.integration = flow.integration
        page, spec = declaration(flow.integration), spec_of(flow)
        self.source, self.target = page.system(spec.source).label, page.system(spec.target).label

    @staticmethod
    def applies(flow: Flow) -> bool:
        return spec_of(flow).kind is FlowKind.PROPOSED

    # --- comparing

    def judge(self, record: Record) -> Judged | None:
        """None where it is no supplier of the ERP."""
        key = self._linked.get(record.key)
        supplier = self._suppliers.get(key) if key is not None else None
        if key is None or supplier is None or supplier.gone or supplier.erased_at or supplier.invalid:
            return None
        ours, theirs = decode("supplier", bytes(supplier.payload)), decode("supplier", bytes(record.payload))
        changes = tuple(self._changes(ours, theirs))
        return Judged(key, ours, bytes(supplier.hash), _settled(supplier), changes)

    def _changes(self, ours: Supplier, theirs: Supplier) -> list[Change]:
        """A field that the platform leaves empty says nothing."""
        found = []
        if theirs.terms and theirs.terms != self._terms.get(ours.terms or ""):
            code = next((mine for mine, other in self._terms.items() if other == theirs.terms), None)
            found.append(Change(TERMS, ours.terms or "", code or theirs.terms, known=code is not None))
        if theirs.tax_id and plain(theirs.tax_id) != plain(ours.tax_id or ""):
            found.append(Change(TAX_ID, ours.tax_id or "", theirs.tax_id))
        return found

    @cached_property
    def _linked(self) -> dict[str, str]:
        """The ERP's keys of suppliers, by the platform's."""
        rows = Link.objects.of(self.flow.workspace_id).filter(integration=self.integration, type="supplier")
        return dict(rows.values_list("target_key", "source_key"))

    @cached_property
    def _suppliers(self) -> dict[str, Record]:
        rows = Record.objects.of(self.flow.workspace_id).filter(flow__in=document_flows(self.integration, "supplier"))
        return {row.key: row for row in rows}

    @cached_property
    def _terms(self) -> dict[str, str]:
        """The ERP's payment terms, each with its code on the platform."""
        (flow,) = document_flows(self.integration, "payment_term")
        table = mappings.table(self.integration, spec_of(flow).mapping, clock.now().date())
        rows = Record.objects.of(self.flow.workspace_id).filter(flow=flow, gone=False)
        return {key: table.get(key) or key for key in rows.order_by("key").values_list("key", flat=True)}

    # --- proposing

    def report(self, trail: audit.Trail, record: Record, judged: Judged) -> int:
        """Opens what is proposed and ends what no longer is; has written what may be. Says how much is open."""
        changes = {change.field: change for change in judged.changes}
        count = 0
        for field, cause in CAUSES.items():
            change, before = changes.get(field), self._problem(cause, judged.key, state=ProblemState.OPEN)
            if before is not None and (change is None or before.detail != change.detail or self._by_itself(change)):
                problems.end_problem(trail, self.integration, cause, subject=judged.key)
            if change is None or self._left_as_it_is(judged.key, change):
                continue
            if self._agreed(record, judged, change):
                problems.write_soon(trail, record)
                continue
            problems.report(trail, self.flow, record, self._cause(judged, change))
            count += 1
        return count

    def _cause(self, judged: Judged, change: Change) -> Cause:
        named = f"supplier {judged.key} ({judged.supplier.name})"
        keep = (
            f"Mark it as handled to leave {self.target} as it is, and correct it in {self.source}; otherwise the"
            " supplier's next change is held as a conflict."
        )
        if change.field == TAX_ID:
            has = f"has one ending in {_end(change.was)}" if change.was else "has none"
            text = f"{self.source} has a tax id ending in {_end(change.now)} for {named}, {self.target} {has}."
            fix = (
                f"Compare it with the supplier's own paper, then apply it: it is written to {self.target} once a second"
                " person agrees."
            )
        elif change.known:
            has = f"has {change.was}" if change.was else "has none"
            text = f"{self.source} has payment terms {change.now} for {named}, {self.target} {has}."
            fix = f"Apply it to write it to {self.target}."
        else:
            text = (
                f"{self.source} has payment terms {change.now} for {named}, and {self.target} has no payment term that"
                " goes by this code there."
            )
            fix = f"Enter the term in {self.target}, or map its code; then it can be applied."
        return Cause(CAUSES[change.field], judged.key, text, f"{fix} {keep}", blocks=False, detail=change.detail)

    def _by_itself(self, change: Change) -> bool:
        return change.field == TERMS and change.known and policy(self.flow, "enrich") == AUTO

    def _agreed(self, record: Record, judged: Judged, change: Change) -> bool:
        """Whether it may be written: by policy, or by a decision that was not carried out yet."""
        if self._by_itself(change):
            return judged.settled
        decided = self._problem(CAUSES[change.field], judged.key, state=ProblemState.HANDLED)
        if decided is None or decided.action != problems.APPLY or decided.detail != change.detail:
            return False
        rows = Attempt.objects.of(self.flow.workspace_id).filter(record=record, outcome__in=WROTE)
        later = rows.filter(started_at__gte=decided.ended_at).exclude(request=b"").values_list("request", flat=True)
        return not any(getattr(decode("supplier", bytes(request)), change.field) for request in later)

    def _left_as_it_is(self, key: str, change: Change) -> bool:
        decided = self._problem(CAUSES[change.field], key, state=ProblemState.HANDLED)
        return decided is not None and decided.action != problems.APPLY and decided.detail == change.detail

    def _problem(self, cause: str, key: str, **wanted: str) -> Problem | None:
        rows = Problem.objects.of(self.flow.workspace_id).filter(
            integration=self.integration, cause=cause, subject=key[:200], **wanted
        )
        return rows.order_by("-ended_at", "-pk").first()

    # --- writing

    def resolve(self, record: Record, link: Link | None) -> Resolved | Skip:
        """What of a vendor is written to the ERP now: the fields that were agreed on, and no other."""
        judged = self.judge(record)
        if judged is None:
            return Skip(f"It is linked to no supplier of {self.target}.")
        if not judged.changes:
            return Skip(f"As {self.target} has it.")
        agreed = {change.field: change.now for change in judged.changes if self._agreed(record, judged, change)}
        if not agreed:
            return Skip(f"Proposed to {self.target}: nothing is written before somebody agrees.")
        supplier = Supplier(
            code=judged.key, name=judged.supplier.name, terms=agreed.get(TERMS), tax_id=agreed.get(TAX_ID)
        )
        return Resolved(supplier, self._own(record, link, judged.key), {})

    def _own(self, record: Record, link: Link | None, key: str) -> Link:
        """Between the vendor and the supplier that it changes; stored with the first outcome."""
        if link is not None and link.target_key == key:
            return link
        return Link(
            workspace_id=self.flow.workspace_id,
            integration=self.integration,
            type=spec_of(self.flow).link_type,
            source_key=record.key,
            target_key=key,
            made_by="delivered",
            made_at=clock.now(),
        )


class Echoes:
    """Changes of suppliers that came from the platform itself. Of the Flow that writes suppliers there."""

    def __init__(self, flow: Flow) -> None:
        specs = declaration(flow.integration).flows
        named = [spec.name for spec in specs if spec.kind is FlowKind.PROPOSED and spec.target is spec_of(flow).source]
        rows = Flow.objects.of(flow.workspace_id).filter(integration=flow.integration, name__in=named)
        self._flow = rows.first() if spec_of(flow).record_type == "supplier" else None

    def only(self, sent: Any, record: Any, now: Any, link: Link, last: Attempt) -> bool:
        """Whether all that differs between what was last `sent` and `now` was proposed by the platform, and applied
        since. `record`: the supplier in the ERP's own terms."""
        if self._flow is None:
            return False
        differing = {name for name in now.__struct_fields__ if getattr(sent, name) != getattr(now, name)}
        fields = {TAX_ID if name == "tax_id_kind" else name for name in differing}
        if not fields or not fields <= CAUSES.keys():
            return False
        applied = self._applied(link, last)
        return all(plain(getattr(record, name) or "") == plain(applied.get(name, "")) for name in fields)

    def _applied(self, link: Link, last: Attempt) -> Mapping[str, str]:
        rows = Attempt.objects.of(link.workspace_id).filter(
            record__flow=self._flow, record__key=link.target_key, outcome__in=WROTE, answered_at__gt=last.answered_at
        )
        values: dict[str, str] = {}
        for request in rows.exclude(request=b"").order_by("pk").values_list("request", flat=True):
            written = decode("supplier", bytes(request))
            values |= {name: value for name in CAUSES if (value := getattr(written, name))}
        return values


def last_yield(flow: Flow) -> datetime | None:
    """When a Flow last found something to propose, or wrote something by itself."""
    proposed = Problem.objects.of(flow.workspace_id).filter(flow=flow, cause__in=list(CAUSES.values()))
    written = Attempt.objects.of(flow.workspace_id).filter(record__flow=flow, outcome__in=WROTE)
    found = [
        proposed.order_by("-opened_at").values_list("opened_at", flat=True).first(),
        written.order_by("-started_at").values_list("started_at", flat=True).first(),
    ]
    return max((at for at in found if at is not None), default=None)


def plain(value: str) -> str:
    """A code or number without what says nothing in it."""
    return re.sub(r"\W", "", value).casefold()


def _settled(record: Record) -> bool:
    """Whether the platform was last sent just this."""
    sent = record.sent_hash is not None and bytes(record.sent_hash) == bytes(record.hash)
    return record.state == State.CONFIRMED and sent


def _digest(value: str) -> str:
    return vault.fingerprint(f"tax id|{plain(value)}") if value else ""


def _end(value: str) -> str:
    text = plain(value).upper()
    return f"***{text[-SHOWN:]}" if len(text) >= HIDES else "***"

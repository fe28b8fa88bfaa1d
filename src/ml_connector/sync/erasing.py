"""Erasing a supplier's personal data on request (R69): names, address, contacts, tax id, wherever we hold them.

Keys, hashes, amounts and Links stay, so that later documents of the supplier keep working and nothing is sent twice.
The audit trail holds none of what is erased, so its chain stays as it is. Frozen tie-out packs are evidence whose hash
the trail holds: they stay, and are counted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import models, transaction
from django.db.models import Q, QuerySet

from ml_connector import audit
from ml_connector.domain.records import Supplier, canonical, decode
from ml_connector.integrations.base import FlowKind
from ml_connector.redaction import spellings
from ml_connector.sync import holds, retention
from ml_connector.sync.flows import document_flows, spec_of
from ml_connector.sync.models import (
    Approval,
    Attempt,
    CodeListEntry,
    Exchange,
    Flow,
    Hold,
    Integration,
    Link,
    Message,
    Pack,
    Problem,
    ProblemComment,
    Record,
    Run,
    State,
    TargetEntry,
    TieOutLine,
    TieOutRow,
    Transfer,
)
from ml_connector.workspaces.models import KeptAnswer, WorkspaceModel

ERASED = "(erased)"
"""Stands where a text named the supplier."""
SHORTEST = 3
"""Characters of a value that is looked for in texts: shorter ones are part of too much else."""

_TEXTS: tuple[tuple[type[WorkspaceModel], tuple[str, ...]], ...] = (
    (Problem, ("text", "fix", "reason")),
    (ProblemComment, ("text",)),
    (Message, ("title", "body", "text")),
    (Approval, ("title", "reason", "evidence", "decision_reason")),
    (Run, ("text",)),
    (Transfer, ("text", "error")),
    (TieOutRow, ("name",)),
    (TieOutLine, ("text",)),
    (CodeListEntry, ("name",)),
    (KeptAnswer, ("body",)),
    (Hold, ("reason", "lift_reason")),
)
"""Texts of the whole Workspace that may name a supplier."""
_BATCH = 500


class EraseRefused(Exception):
    """Nothing was erased. The text says why, and what to do."""


@dataclass
class Touched:
    """What an erasure changed, or would change."""

    rows: dict[str, int] = field(default_factory=dict)
    """By the name of the table, how many rows."""
    packs: int = 0
    """Frozen packs that name the supplier; they stay."""

    def add(self, model: type[models.Model], count: int) -> None:
        if count:
            self.rows[model.__name__] = self.rows.get(model.__name__, 0) + count


def preview(integration: Integration, key: str) -> Touched:
    """What `erase` would touch. Raises EraseRefused as it does."""
    with transaction.atomic():
        return _Erasure(integration, key).run(change=False)


def erase(integration: Integration, key: str, reason: str, actor: str) -> Touched:
    """Erases the personal data of the supplier whose key the source states. Raises EraseRefused."""
    if not reason.strip():
        raise EraseRefused("It needs a reason: it goes into the audit trail.")
    with audit.recording(integration.workspace, actor=actor) as trail:
        holds.lock(integration.workspace)
        erasure = _Erasure(integration, key)
        if erasure.names(reason):
            raise EraseRefused("The reason must not name them: it stays in the audit trail. Give a case number.")
        touched = erasure.run(change=True)
        trail.add(
            "erase", f"record:{erasure.supplier.pk}", reason=reason.strip(), rows=touched.rows, packs_left=touched.packs
        )
    return touched


class _Erasure:
    """One supplier's erasure: what is known of them, and where it stands."""

    def __init__(self, integration: Integration, key: str) -> None:
        self.integration, self.workspace, self.key = integration, integration.workspace_id, key
        suppliers = document_flows(integration, "supplier")
        rows = Record.objects.of(self.workspace).select_for_update(of=("self",)).filter(flow__in=suppliers, key=key)
        found = rows.select_related("flow__integration__erp", "flow__integration__platform").first()
        if found is None:
            raise EraseRefused(f"{integration.name} has read no supplier with the key {key}.")
        self.supplier = found
        self.copies = self._copies()
        self.documents = list(self._documents())
        self._refuse()
        self.entries = retention.entries_of([found])
        self.values = self._values()
        wanted = "|".join(re.escape(value) for value in sorted(self.values, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<!\w)(?:{wanted})(?!\w)", re.IGNORECASE) if wanted else None
        self.touched = Touched()

    def names(self, text: str) -> bool:
        return self._pattern is not None and self._pattern.search(text) is not None

    def run(self, *, change: bool) -> Touched:
        own = Attempt.objects.of(self.workspace).filter(record__in=[self.supplier, *self.copies])
        touched = self.touched
        touched.add(Record, 1 + len(self.copies))
        touched.add(Attempt, own.exclude(request=b"").count())
        touched.add(TargetEntry, len(self.entries))
        # Exchanges first: what they say goes by the values that the rest is about to lose.
        self._exchanges(change=change)
        self._payloads(change=change)
        for model, fields in _TEXTS:
            self._texts(model, fields, change=change)
        self._details(Problem, change=change)
        self._details(Approval, change=change)
        touched.packs = sum(self.names(_content(pack)) for pack in Pack.objects.of(self.workspace).iterator(20))
        if change:
            retention.empty([self.supplier, *self.copies])
            own.update(natural_key="erased")
            for entry in self.entries:
                entry.natural_key = f"erased:{entry.pk}" if entry.natural_key.startswith("name:") else entry.natural_key
            TargetEntry.objects.of(self.workspace).bulk_update(self.entries, ["natural_key"])
        return touched

    def _copies(self) -> list[Record]:
        """The supplier as the other side has it, where that is read too."""
        rows = Flow.objects.of(self.workspace).filter(integration=self.integration).select_related("integration")
        read = {FlowKind.COMPARED, FlowKind.PROPOSED}
        suppliers = [flow for flow in rows if spec_of(flow).record_type == "supplier"]
        flows = [flow.pk for flow in suppliers if spec_of(flow).kind in read or spec_of(flow).link_type != "supplier"]
        links = Link.objects.of(self.workspace).filter(
            integration=self.integration, type="supplier", source_key=self.key
        )
        found = Record.objects.of(self.workspace).select_for_update(of=("self",)).filter(flow__in=flows)
        found = found.filter(key__in=links.values("target_key")).order_by("pk")
        return list(found.select_related("flow__integration__erp", "flow__integration__platform"))

    def _documents(self) -> Iterator[Record]:
        flows = Flow.objects.of(self.workspace).filter(integration=self.integration).select_related("integration")
        kinds = {flow.pk: spec_of(flow).record_type for flow in flows}
        payments = [pk for pk, kind in kinds.items() if kind == "payment"]
        invoices = [pk for pk, kind in kinds.items() if kind == "invoice"]
        rows = Record.objects.of(self.workspace).filter(
            Q(flow__in=invoices, natural_key__startswith=f"{self.key}|") | Q(flow__in=payments)
        )
        for record in rows.select_related("flow__integration__erp", "flow__integration__platform").iterator(_BATCH):
            if holds.supplier_of(record) == self.key:
                yield record

    def _refuse(self) -> None:
        held = holds.held(self.workspace)
        for record in (self.supplier, *self.documents):
            if held.covers(record):
                (first, *_) = holds.covering(record)
                raise EraseRefused(
                    f"Hold {first.pk} is on {first.label}, so nothing of supplier {self.key} is erased. Lift it first."
                )
        if self.supplier.state not in retention.FINAL:
            raise EraseRefused(
                f"Supplier {self.key} is {self.supplier.state}: it is still to be written. Decide on its Problem, or"
                " wait until it is confirmed."
            )
        under_way = [
            row.number for row in (*self.documents, *self.copies) if row.state in {State.IN_FLIGHT, State.IN_DOUBT}
        ]
        if under_way:
            raise EraseRefused(
                f"{', '.join(under_way[:5])} of supplier {self.key} are being written just now. Try again once it is"
                " known what became of them."
            )

    def _values(self) -> set[str]:
        """What is personal, as each place states it and as URLs, JSON and XML write it."""
        suppliers = [self.supplier, *self.copies]
        payloads = [*(bytes(one.payload) for one in suppliers), *(bytes(entry.payload) for entry in self.entries)]
        requests = Attempt.objects.of(self.workspace).filter(record__in=suppliers).exclude(request=b"")
        payloads += [bytes(request) for request in requests.values_list("request", flat=True)]
        values: set[str | None] = set()
        for payload in payloads:
            stated: Supplier = decode("supplier", payload)
            values |= {stated.name, stated.short_name, stated.tax_id, stated.email, stated.phone, stated.contact}
            if stated.address is not None:
                values |= {stated.address.line1, stated.address.line2, stated.address.line3}
        found = {value.strip() for value in values if value}
        long = {value for value in found if len(value) >= SHORTEST and value.casefold() != self.key.casefold()}
        return {form for value in long for form in spellings(value)}

    # --- where it stands

    def _exchanges(self, *, change: bool) -> None:
        """Those of the supplier's own writes go as a whole, but for what others went along in; of their documents'
        only the values go."""
        attempts = Attempt.objects.of(self.workspace)
        suppliers = [self.supplier.pk, *(copy.pk for copy in self.copies)]
        own = attempts.filter(record__in=suppliers)
        shared = attempts.filter(sent_with__in=own).exclude(record__in=suppliers).values("sent_with")
        alone = Exchange.objects.of(self.workspace).filter(attempt__in=own).exclude(attempt__in=shared)
        self.touched.add(Exchange, alone.count())
        if change:
            alone.delete()
        records = [*suppliers, *(record.pk for record in self.documents)]
        for start in range(0, len(records), _BATCH):
            theirs = attempts.filter(record__in=records[start : start + _BATCH])
            rows = Exchange.objects.of(self.workspace).filter(
                Q(attempt__in=theirs) | Q(attempt__in=theirs.exclude(sent_with=None).values("sent_with"))
            )
            if not change:
                rows = rows.exclude(pk__in=alone.values("pk"))
            self._wipe(rows, ("path", "request", "answer"), change=change)

    def _payloads(self, *, change: bool) -> None:
        """Texts of the supplier's documents that name them: ours, what was sent, what the target showed."""
        for start in range(0, len(self.documents), _BATCH):
            part = self.documents[start : start + _BATCH]
            records = Record.objects.of(self.workspace).filter(pk__in=[row.pk for row in part])
            self._wipe(records, ("payload", "invalid", "reason"), change=change)
            attempts = Attempt.objects.of(self.workspace).filter(record__in=part)
            self._wipe(attempts, ("request", "error_text"), change=change)
        keys = [entry.key for entry in self.entries]
        connections = {entry.connection_id for entry in self.entries}
        theirs = TargetEntry.objects.of(self.workspace).filter(connection__in=connections, supplier__in=keys)
        self._wipe(theirs, ("payload",), change=change)

    def _texts(self, model: type[WorkspaceModel], fields: Iterable[str], *, change: bool) -> None:
        found = Q()
        for name in fields:
            for value in self.values:
                found |= Q(**{f"{name}__icontains": value})
        if found:
            self._wipe(model.objects.of(self.workspace).filter(found), tuple(fields), change=change)

    def _details(self, model: type[Problem] | type[Approval], *, change: bool) -> None:
        self._wipe(model.objects.of(self.workspace).exclude(detail={}), ("detail",), change=change)

    def _wipe(self, rows: QuerySet[Any], fields: tuple[str, ...], *, change: bool) -> None:
        """Puts ERASED in the place of each value in these columns: texts, JSON, and canonical payloads."""
        if self._pattern is None:
            return
        last = 0
        while part := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
            last = part[-1].pk
            changed = []
            for row in part:
                before = {name: getattr(row, name) for name in fields}
                after = {name: self._without(value) for name, value in before.items()}
                if any(_same(before[name]) != after[name] for name in fields):
                    changed.append(row)
                    for name, value in after.items():
                        setattr(row, name, value)
            self.touched.add(rows.model, len(changed))
            if change and changed:
                rows.model.objects.of(self.workspace).bulk_update(changed, fields)

    def _without(self, value: Any) -> Any:
        assert self._pattern is not None
        if isinstance(value, str):
            return self._pattern.sub(ERASED, value)
        if isinstance(value, dict):
            return {name: self._without(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._without(part) for part in value]
        if isinstance(value, bytes | memoryview):
            content = bytes(value)
            if not content or not self.names(content.decode()):
                return content
            return canonical(self._without(msgspec.json.decode(content)))
        return value


def _same(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _content(pack: Pack) -> str:
    return zlib.decompress(bytes(pack.content)).decode()

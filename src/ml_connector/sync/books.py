"""The two books that a tie-out compares, as last read: the source's documents and what the target lists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

import msgspec

from ml_connector.domain.money import to_units
from ml_connector.domain.records import InvoiceStatus
from ml_connector.integrations.base import FlowKind
from ml_connector.sync.differences import Document, Entry, Paid, Reason
from ml_connector.sync.flows import declaration, side
from ml_connector.sync.instant import one_instant
from ml_connector.sync.models import (
    Attempt,
    Flow,
    Integration,
    Link,
    Listing,
    ProblemRecord,
    ProblemState,
    Record,
    State,
    TargetEntry,
)
from ml_connector.sync.models.records import OPEN_OUTCOMES
from ml_connector.sync.paid import Paying, payments_by_bill
from ml_connector.systems.base import DocumentState

CREDITS = "credit_note"
"""Link type of the documents that lower what is owed."""

SUPPLIERS = "supplier"
"""Link type of suppliers."""

_BATCH = 500
_COLUMNS = (
    "key", "payload", "observed", "gone", "number", "natural_key", "amount", "currency", "state", "reason",
    "staged_at", "renewed_at",
)  # fmt: skip

_MISSING: dict[str, Reason] = {
    State.STAGED: Reason.NOT_YET_SENT,
    State.READY: Reason.NOT_YET_SENT,
    State.IN_FLIGHT: Reason.IN_FLIGHT,
    State.IN_DOUBT: Reason.IN_DOUBT,
    State.CONFIRMED: Reason.NOT_LISTED,
    State.SKIPPED: Reason.SKIPPED,
    State.BLOCKED: Reason.BLOCKED,
    State.WRITTEN_OFF: Reason.WRITTEN_OFF,
}

_CAUSES: dict[Reason, frozenset[str]] = {
    Reason.PAID_IN_SOURCE: frozenset({"paid_elsewhere"}),
    Reason.PAID_IN_TARGET: frozenset({"paid_elsewhere"}),
    Reason.AMENDED: frozenset({"edit_after_posting"}),
    Reason.VOIDED_IN_SOURCE: frozenset({"void_after_payment"}),
    Reason.GONE_IN_SOURCE: frozenset({"sweep_missing"}),
}
"""Problems that speak of a difference, besides those that block."""

Place = tuple[str, str]
"""Type and key of a document in the target."""


@dataclass(frozen=True, slots=True)
class Caption:
    """What a document of the target is called."""

    number: str = ""
    date: date | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """An open Problem of a Record."""

    id: int
    cause: str
    text: str
    blocks: bool


@dataclass(frozen=True)
class Book:
    """Both sides, matched."""

    source_label: str
    target_label: str
    source_read_at: datetime | None
    target_read_at: datetime | None
    documents: tuple[Document, ...]
    loose: tuple[Entry, ...] = ()
    """The target's documents that no Record stands for, of suppliers that the source knows."""
    strangers: tuple[Entry, ...] = ()
    """Those of other suppliers."""
    moved: Collection[Place] = ()
    """Places of loose documents that a Record stands for in another currency."""
    suppliers: Mapping[str, str] = field(default_factory=dict)
    """Target's supplier keys to the source's."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of suppliers, by either side's key."""
    captions: Mapping[Place, Caption] = field(default_factory=dict)
    """Of loose documents and strangers."""
    troubles: Mapping[int, tuple[Trouble, ...]] = field(default_factory=dict)

    def problem(self, record: int, reason: Reason) -> Trouble | None:
        """The open Problem of a Record that says most about a difference."""
        for trouble in self.troubles.get(record, ()):
            held = trouble.blocks and reason in {Reason.BLOCKED, Reason.AMENDED, Reason.PAYMENT_HELD}
            if held or trouble.cause in _CAUSES.get(reason, ()):
                return trouble
        return None


class _Head(msgspec.Struct):
    """What the tie-out needs of a stored invoice; the rest of the payload is not decoded."""

    number: str = ""
    supplier: str = ""
    status: InvoiceStatus = InvoiceStatus.APPROVED
    corrects: str | None = None
    posting_date: date | None = None
    date: date | None = None


class _Observed(msgspec.Struct):
    open: Decimal | None = None
    paid: Decimal | None = None


class _Named(msgspec.Struct):
    name: str = ""


_HEADS = msgspec.json.Decoder(_Head)
_OBSERVED = msgspec.json.Decoder(_Observed)
_NAMES = msgspec.json.Decoder(_Named)


def read_book(integration: Integration, seen: Callable[[int], None] | None = None) -> Book:
    """Loads both sides of an Integration's invoices and credit notes from the database, as of one instant.

    `seen` is told how many rows were read so far. Raises ValueError where the Integration moves no invoices.
    """
    reader = _Reader(integration, seen)
    with one_instant():
        return reader.book()


def declares_documents(integration: Integration) -> bool:
    """Whether there is anything to tie out: the Integration moves invoices."""
    return any(
        flow.kind is FlowKind.DOCUMENTS and flow.record_type == "invoice" for flow in declaration(integration).flows
    )


def rows_to_read(integration: Integration) -> int:
    """About how many rows `read_book` goes through, without counting them."""
    rows = Flow.objects.of(integration.workspace_id).filter(integration=integration)
    return sum(rows.values_list("records_ever", flat=True))


class _Reader:
    """Reads what a Book is made of, one query for each kind of row."""

    def __init__(self, integration: Integration, seen: Callable[[int], None] | None = None) -> None:
        self._seen, self._rows = seen, 0
        self.integration = integration
        self.workspace = integration.workspace_id
        self.page = declaration(integration)
        moving = [flow for flow in self.page.flows if flow.kind is FlowKind.DOCUMENTS and flow.record_type == "invoice"]
        if not moving:
            raise ValueError(f"{integration.name} moves no invoices, so there is nothing to tie out.")
        self.from_side = moving[0].source
        self.specs = {flow.name: flow for flow in moving if flow.source is self.from_side}
        self.types = {flow.link_type for flow in self.specs.values()}
        self.target = side(integration, self.from_side.other)
        self.entries: dict[Place, Entry] = {}
        self.archived: set[Place] = set()
        self.by_mark: dict[tuple[str, str], Place] = {}
        self.moved: set[Place] = set()
        self.payments: dict[str, list[Paying]] = {}

    def book(self) -> Book:
        self._read_entries()
        self.payments = payments_by_bill(self.integration)
        documents = tuple(self._documents())
        taken = {(document.entry.type, document.entry.key) for document in documents if document.entry}
        left = [entry for place, entry in self.entries.items() if place not in taken and entry.open]
        suppliers = {target: source for (kind, source), target in self._links().items() if kind == SUPPLIERS}
        flows = self._flows(self.specs)
        return Book(
            self.page.system(self.from_side).label,
            self.page.system(self.from_side.other).label,
            _oldest(flow.last_success_at for flow in flows),
            self._listed_at(),
            documents,
            loose=tuple(entry for entry in left if entry.supplier in suppliers),
            strangers=tuple(entry for entry in left if entry.supplier not in suppliers),
            moved=self.moved,
            suppliers=suppliers,
            names=self._names(),
            captions=self._captions(left),
            troubles=self._troubles(),
        )

    def _count(self, rows: int) -> None:
        self._rows += rows
        if self._seen and self._rows % 1000 == 0:
            self._seen(self._rows)

    def _read_entries(self) -> None:
        rows = TargetEntry.objects.of(self.workspace).filter(connection=self.target, type__in=self.types)
        columns = ("type", "key", "mark", "state", "amount", "open", "currency", "supplier")
        for kind, key, mark, state, amount, stated, currency, supplier in rows.values_list(*columns).iterator():
            if state == DocumentState.ARCHIVED:
                self.archived.add((kind, key))
                continue
            gross = amount if amount is not None else stated or 0
            unsaid = 0 if state == DocumentState.PAID else gross
            left = stated if stated is not None else unsaid
            self.entries[kind, key] = Entry(key, kind, supplier, currency, kind == CREDITS, gross, left)
            if mark:
                self.by_mark[kind, mark] = (kind, key)

    def _documents(self) -> Iterator[Document]:
        links = self._links()
        linked = {(kind, target) for (kind, _), target in links.items()}
        marks = self._open_marks()
        for flow in self._flows(self.specs):
            kind = self.specs[flow.name].link_type
            rows = Record.objects.of(self.workspace).filter(flow=flow).only(*_COLUMNS)
            for record in rows.iterator():
                document = _document(record, flow.name, kind)
                target_key = links.get((kind, record.key))
                place = (kind, target_key) if target_key else self.by_mark.get((kind, marks.get(record.pk, "")))
                if place is None or (target_key is None and place in linked):
                    yield document
                else:
                    yield self._placed(
                        replace(document, linked=target_key is not None), place, record.renewed_at or record.staged_at
                    )
                self._count(1)

    def _placed(self, document: Document, place: Place, read_at: datetime) -> Document:
        """The document with what the target has of it. `read_at`: since when the source states its balance so."""
        entry = self.entries.get(place)
        if entry is not None and entry.currency == document.currency:
            return replace(document, entry=entry, payments=self._paid(place[1], read_at))
        if entry is not None:
            self.moved.add(place)
            return replace(document, missing=Reason.AMENDED)
        archived = place in self.archived
        return replace(document, missing=Reason.ARCHIVED_IN_TARGET if archived else Reason.NOT_LISTED)

    def _paid(self, bill: str, read_at: datetime) -> tuple[Paid, ...]:
        """The target's payments of a bill that the source's balance does not show yet, or still shows."""
        return tuple(
            paying.paid
            for paying in self.payments.get(bill, ())
            if paying.posted_at is None or paying.posted_at > read_at or paying.paid.reason is Reason.PAYMENT_TO_CANCEL
        )

    def _links(self) -> dict[tuple[str, str], str]:
        rows = Link.objects.of(self.workspace).filter(integration=self.integration, type__in=[*self.types, SUPPLIERS])
        return {(kind, source): target for kind, source, target in rows.values_list("type", "source_key", "target_key")}

    def _open_marks(self) -> dict[int, str]:
        """Marks of writes without an answer: the target may show their documents before we have linked them."""
        rows = Attempt.objects.of(self.workspace).filter(
            record__flow__integration=self.integration, outcome__in=OPEN_OUTCOMES
        )
        return dict(rows.values_list("record_id", "mark"))

    def _flows(self, names: Iterable[str]) -> list[Flow]:
        rows = Flow.objects.of(self.workspace).filter(integration=self.integration, name__in=list(names))
        return list(rows.order_by("position"))

    def _names(self) -> dict[str, str]:
        theirs = TargetEntry.objects.of(self.workspace).filter(connection=self.target, type=SUPPLIERS)
        suppliers = [flow.name for flow in self.page.flows if flow.link_type == SUPPLIERS]
        ours = Record.objects.of(self.workspace).filter(flow__in=self._flows(suppliers))
        names: dict[str, str] = {}
        for rows in (theirs, ours):
            for key, payload in rows.values_list("key", "payload").iterator():
                names[key] = _NAMES.decode(bytes(payload)).name
        return names

    def _captions(self, entries: Iterable[Entry]) -> dict[Place, Caption]:
        wanted = {(entry.type, entry.key) for entry in entries}
        captions: dict[Place, Caption] = {}
        rows = TargetEntry.objects.of(self.workspace).filter(connection=self.target, type__in=self.types)
        for start in range(0, len(keys := sorted(key for _, key in wanted)), _BATCH):
            some = rows.filter(key__in=keys[start : start + _BATCH])
            for kind, key, payload in some.values_list("type", "key", "payload"):
                head = _HEADS.decode(bytes(payload))
                captions[kind, key] = Caption(head.number, head.posting_date or head.date)
        return captions

    def _troubles(self) -> dict[int, tuple[Trouble, ...]]:
        rows = (
            ProblemRecord.objects.of(self.workspace)
            .filter(record__flow__integration=self.integration, problem__state=ProblemState.OPEN)
            .order_by("problem__opened_at", "problem_id")
        )
        columns = ("record_id", "problem_id", "problem__cause", "problem__text", "problem__blocks")
        troubles: dict[int, tuple[Trouble, ...]] = {}
        for record, *trouble in rows.values_list(*columns).iterator():
            troubles[record] = (*troubles.get(record, ()), Trouble(*trouble))
        return troubles

    def _listed_at(self) -> datetime | None:
        """When the target's lists were complete; None where one of them never was."""
        rows = Listing.objects.of(self.workspace).filter(connection=self.target, type__in=self.types)
        found = dict(rows.values_list("type", "complete_at"))
        return _oldest(found.get(kind) for kind in self.types)


def _document(record: Record, flow: str, kind: str) -> Document:
    try:
        head = _HEADS.decode(bytes(record.payload))
    except msgspec.ValidationError:
        supplier, _, _ = record.natural_key.partition("|")
        head = _Head(number=record.number, supplier=supplier)
    observed = _OBSERVED.decode(record.observed) if record.observed else _Observed()
    dead = None
    if record.gone:
        dead = Reason.GONE_IN_SOURCE
    elif head.status is InvoiceStatus.VOIDED:
        dead = Reason.VOIDED_IN_SOURCE
    return Document(
        record=record.pk,
        key=record.key,
        number=record.number or head.number or record.key,
        flow=flow,
        supplier=head.supplier,
        currency=record.currency,
        credit=kind == CREDITS,
        gross=record.amount or 0,
        missing=_MISSING[record.state],
        open=to_units(observed.open) if observed.open is not None else None,
        paid=to_units(observed.paid) if observed.paid is not None else None,
        corrects=head.corrects,
        dead=dead,
        date=head.posting_date or head.date,
        note=record.reason,
    )


def _oldest(instants: Iterable[datetime | None]) -> datetime | None:
    """The earliest; None where one is missing or there are none."""
    found = list(instants)
    known = [instant for instant in found if instant is not None]
    return min(known) if known and len(known) == len(found) else None

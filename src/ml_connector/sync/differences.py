"""Itemises, to the smallest unit, what one side's open balance has that the other's has not.

Pure arithmetic on whole units of money of one supplier and one currency. What the source owes less what the
target's bills leave open equals the sum of the items, by construction: each item is a stated fact, and what the
facts leave over is an item of its own, `unexplained`.

Documents belong together in families: an invoice and what corrects it. A source may keep a credit note in the
balance of its invoice (SYSPRO) while the target keeps it as a document of its own until somebody applies it, so
only a family's balances can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Reason(StrEnum):
    """Why the two sides differ."""

    NOT_YET_SENT = "not_yet_sent"
    IN_FLIGHT = "in_flight"
    IN_DOUBT = "in_doubt"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    WRITTEN_OFF = "written_off"
    NOT_LISTED = "not_listed"
    """Delivered, but not in the target's last listing."""
    ARCHIVED_IN_TARGET = "archived_in_target"
    CREDIT_NOT_APPLIED = "credit_not_applied"
    """A credit that is open in the target: its bill still shows the full amount."""
    CREDIT_APPLIED_ELSEWHERE = "credit_applied_elsewhere"
    """A credit that was applied in the target, to another bill than the one that it corrects."""
    PAID_IN_SOURCE = "paid_in_source"
    PAID_IN_TARGET = "paid_in_target"
    """A bill's balance fell in the target, by a payment or by a credit of another document."""
    PAYMENT_TO_POST = "payment_to_post"
    """The target has paid; the payment's posting in the source is on its way."""
    PAYMENT_HELD = "payment_held"
    """The same, and the posting waits for a person."""
    PAYMENT_LEFT_OUT = "payment_left_out"
    """The same, and it is not posted, by a rule or a decision."""
    PAYMENT_UNDER_WAY = "payment_under_way"
    """The target counts a payment that is not paid yet: nothing is to be posted before."""
    PAYMENT_POSTED = "payment_posted"
    """Posted in the source, whose balance was read before that."""
    PAYMENT_TO_CANCEL = "payment_to_cancel"
    """The target has taken a payment back; its posting in the source still stands."""
    AMENDED = "amended"
    """The two sides hold different amounts of the same document."""
    VOIDED_IN_SOURCE = "voided_in_source"
    GONE_IN_SOURCE = "gone_in_source"
    CORRECTS_UNREAD = "corrects_unread"
    """It corrects a document that was never read, so that no balance here contains it."""
    ONLY_IN_TARGET = "only_in_target"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Entry:
    """A bill or credit as the target lists it. Amounts in units, positive."""

    key: str
    type: str
    supplier: str
    currency: str
    credit: bool
    gross: int
    open: int


@dataclass(frozen=True, slots=True)
class Paid:
    """What a payment of the target takes off one of its bills, where the source does not show it the same. Units."""

    reason: Reason
    units: int
    number: str
    """What people know the payment by."""
    record: int


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice, credit note or debit note of the source, and what the target has of it. Units, positive."""

    record: int
    key: str
    number: str
    flow: str
    supplier: str
    currency: str
    credit: bool
    gross: int
    missing: Reason
    """Why the target does not show it, where it does not: from the Record's state."""
    open: int | None = None
    """None: the source states none. A document that corrects another is then in the other one's balance."""
    paid: int | None = None
    corrects: str | None = None
    dead: Reason | None = None
    """Voided or gone: nothing is owed for it any more."""
    date: date | None = None
    note: str = ""
    entry: Entry | None = None
    payments: tuple[Paid, ...] = ()
    linked: bool = False
    """A Link says which document of the target it is."""


@dataclass(frozen=True, slots=True)
class Item:
    """One difference: positive where the source shows more than the target's bills."""

    reason: Reason
    units: int
    document: Document | None = None
    entry: Entry | None = None
    payment: Paid | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A document and those that correct it."""

    root: Document
    others: tuple[Document, ...] = ()
    orphan: bool = False
    """The root corrects a document that is not among those read."""

    @property
    def members(self) -> tuple[Document, ...]:
        return (self.root, *self.others)

    @property
    def owed(self) -> int:
        """What the source shows as open for the family."""
        return sum(_owed(member) for member in self.members)

    @property
    def linked(self) -> int:
        """What the source shows as open for those of its documents that are linked to the target's."""
        return sum(_owed(member) for member in self.members if member.linked)

    @property
    def billed(self) -> int:
        """What the target's bills of the family leave open; its credits are not taken off."""
        return sum(member.entry.open for member in self.members if member.entry and not member.entry.credit)


def families(documents: Iterable[Document]) -> list[Family]:
    """Groups documents of one supplier and currency. A chain of corrections is followed to its beginning."""
    documents = list(documents)
    by_key = {document.key: document for document in documents if not document.credit}
    roots: dict[int, list[Document]] = {}
    for document in documents:
        roots.setdefault(_root(document, by_key).record, []).append(document)
    found = []
    for record, members in roots.items():
        root = next(member for member in members if member.record == record)
        others = tuple(member for member in members if member.record != record)
        found.append(Family(root, others, orphan=root.corrects is not None))
    return found


def differences(family: Family) -> list[Item]:
    """The items of a family; they add up to `owed` less `billed`. None where both sides show nothing open."""
    present = [member for member in family.members if member.entry is not None]
    if family.owed == 0 and not any(member.entry.open for member in present if member.entry):
        return []
    faces = {member.record: _face(member, family) for member in family.members}
    settled = sum(faces.values()) - family.owed
    absent = [
        Item(member.missing, faces[member.record], member)
        for member in family.members
        if member.entry is None and faces[member.record]
    ]
    if not present:
        return list(_nonzero(_less(absent, settled, family)))
    items = [*absent, *(_amended(member, faces[member.record], family) for member in present)]
    items += _movements(family, present, settled)
    return list(_nonzero(items))


def loose(entry: Entry, *, moved: bool = False) -> list[Item]:
    """The items of a target's document that no Record stands for. They add up to minus what its bill leaves open.

    `moved`: a Record does stand for it, in another currency.
    """
    reason = Reason.AMENDED if moved else Reason.ONLY_IN_TARGET
    if not entry.credit:
        return list(_nonzero([Item(reason, -entry.open, entry=entry)]))
    return list(
        _nonzero([Item(Reason.CREDIT_NOT_APPLIED, -entry.open, entry=entry), Item(reason, entry.open, entry=entry)])
    )


def _movements(family: Family, present: list[Document], settled: int) -> Iterator[Item]:
    """Payments and credits: what lowered the balances, on either side."""
    reduced = applied = 0
    credit = None
    for member in present:
        assert member.entry is not None
        if member.entry.credit:
            applied += member.entry.gross - member.entry.open
            credit = credit or member
            yield Item(Reason.CREDIT_NOT_APPLIED, -member.entry.open, member, member.entry)
        else:
            reduced += member.entry.gross - member.entry.open
    bill = next((member for member in present if not member.credit), family.root)
    if applied > reduced:
        yield Item(Reason.CREDIT_APPLIED_ELSEWHERE, reduced - applied, credit, credit.entry if credit else None)
    in_target = max(reduced - applied, 0)
    stated = [member.paid for member in family.members if member.paid is not None and not member.credit]
    in_source = sum(stated) if stated else max(0, min(settled, in_target))
    ahead = in_target - in_source
    for item in _by_payments(present, ahead):
        ahead -= item.units
        yield item
    yield Item(Reason.PAID_IN_TARGET if ahead > 0 else Reason.PAID_IN_SOURCE, ahead, bill, bill.entry)
    yield Item(Reason.UNEXPLAINED, in_source - settled, bill, bill.entry)


def _by_payments(present: list[Document], ahead: int) -> Iterator[Item]:
    """As much of what one side has paid more than the other as known payments of the target explain."""
    sign = 1 if ahead > 0 else -1
    left = abs(ahead)
    for member in present:
        for paid in member.payments:
            if left and (paid.reason is Reason.PAYMENT_TO_CANCEL) is (sign < 0):
                taken = min(left, paid.units)
                left -= taken
                yield Item(paid.reason, sign * taken, member, member.entry, paid)


def _amended(member: Document, face: int, family: Family) -> Item:
    """What the source's version of a document has that the target's version has not."""
    assert member.entry is not None
    held = -member.entry.gross if member.entry.credit else member.entry.gross
    reason = member.dead or family.root.dead or Reason.AMENDED
    if _unread(member, family):
        reason = Reason.CORRECTS_UNREAD
    return Item(reason, face - held, member, member.entry)


def _less(absent: list[Item], settled: int, family: Family) -> list[Item]:
    """Nothing of the family is in the target: the first of its documents stands for what is still owed."""
    if not absent:
        return [Item(Reason.UNEXPLAINED, -settled, family.root)]
    first, *rest = absent
    return [Item(first.reason, first.units - settled, first.document), *rest]


def _owed(document: Document) -> int:
    if document.dead is Reason.GONE_IN_SOURCE:
        return 0
    if document.open is not None:
        return -document.open if document.credit else document.open
    if document.corrects is not None or document.dead is not None:
        return 0
    return -document.gross if document.credit else document.gross


def _face(document: Document, family: Family) -> int:
    """What the document would leave open if nothing had been paid."""
    if document.dead or family.root.dead or _unread(document, family):
        return 0
    return -document.gross if document.credit else document.gross


def _unread(document: Document, family: Family) -> bool:
    return family.orphan and document.open is None


def _root(document: Document, by_key: dict[str, Document]) -> Document:
    """What a document corrects in the end; of documents that correct each other in a circle, the first read."""
    seen = {document.record: document}
    while document.corrects is not None:
        parent = by_key.get(document.corrects)
        if parent is None:
            break
        if parent.record in seen:
            return seen[min(seen)]
        seen[parent.record] = document = parent
    return document


def _nonzero(items: Iterable[Item]) -> Iterator[Item]:
    return (item for item in items if item.units)

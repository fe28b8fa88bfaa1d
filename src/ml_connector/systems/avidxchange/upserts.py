"""Targets of what is written under a key of ours: one way for vendors, codes, orders and invoices.

A write of a key that is there already is taken as a change of it, which is assumed; so nothing is sent again before it
was looked for, by our key first, then by what people know it by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from ml_connector.domain.records import Record
from ml_connector.systems.avidxchange.contract import Operation
from ml_connector.systems.avidxchange.lists import DAY, after, by_external_id, narrowed
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.base import Cursor, Found, NoLonger, NotFound, Ref

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Kind(Generic[R]):
    """What sets one record type apart."""

    noun: str
    listed: Operation
    written: Operation
    about: Callable[[R], str]
    to_wire: Callable[[R, str], Json]
    """The body of a record and its mark. Raises Refused, naming the field, for what would not be taken."""
    from_wire: Callable[[Json], Found[R]]
    ours: Callable[[Found[R], R, str], bool]
    """Whether it bears our key."""
    key: Callable[[R, str], str]
    """Under which it is asked for: the code, or the mark."""
    one: Callable[[str], Found[R] | None]
    identity: tuple[str, ...]
    owned: tuple[str, ...]
    """Further fields that we write."""
    alike: Callable[[Found[R], R], bool] | None = None
    """Whether it is the same by what people know it by, where that is not our key."""
    since: Callable[[R], date | None] = lambda _: None
    """The day from which one alike is looked for."""
    withdrawn: Callable[[Found[R]], R] | None = None
    """The record as it is when it is taken back; None: it cannot be."""
    amended: bool = True
    """Whether what was sent may be changed."""
    gone: Callable[[Found[R]], bool] = lambda _: False
    """Whether it is taken back already."""


@dataclass(frozen=True)
class Upserts(Generic[R]):
    """Target of one kind; also listed, so that a first create is searched in a list."""

    avid: Avid
    kind: Kind[R]

    def find(self, record: R, mark: str) -> list[Found[R]]:
        kind, about = self.kind, f"the search for {self.kind.about(record)}"
        rows = by_external_id(self.avid, kind.listed, kind.key(record, mark), about=about)
        ours = [hit for hit in map(kind.from_wire, rows) if kind.ours(hit, record, mark)]
        if ours or kind.alike is None:
            return _once(ours)
        since = kind.since(record)
        pages = narrowed(self.avid, kind.listed, since - DAY if since else None, about=about)
        found = [kind.from_wire(row) for page, _ in pages for row in page.rows]
        return _once([hit for hit in found if kind.alike(hit, record)])

    def get(self, key: str) -> Found[R] | None:
        return self.kind.one(key)

    def create(self, record: R, mark: str) -> Ref:
        return self._put(record, mark)

    def update(self, ref: Ref, record: R, mark: str) -> Ref:
        """The whole record again. Raises NoLonger for what the platform lets nobody change from outside."""
        if self.kind.amended:
            return self._put(record, mark)
        current = self.kind.one(ref.key)
        if current is None:
            raise NotFound(f"AvidXchange has no {self.kind.noun} {ref.key} any more.")
        changed = self.differences(record, current.record)
        if not changed:
            return Ref(ref.key, amount=getattr(current.record, "gross", None))
        raise NoLonger(
            "edit_after_posting",
            f"AvidXchange takes no change of {self.kind.about(record)} through its interface. Not carried over: "
            f"{', '.join(changed)}. Change it in AvidXchange, or reject it there.",
        )

    def cancel(self, ref: Ref, reason: str) -> None:
        """Makes it inactive or cancelled; nothing is deleted. Done twice is done once. Raises NoLonger where only
        people can."""
        current = self.kind.one(ref.key)
        if current is None:
            raise NotFound(f"AvidXchange has no {self.kind.noun} {ref.key} any more.")
        if self.kind.gone(current):
            return
        if self.kind.withdrawn is None:
            raise NoLonger(
                "edit_after_posting",
                f"{self.kind.about(current.record).capitalize()} was voided in its source ({reason}). AvidXchange "
                "takes nothing back through its interface: reject it there.",
            )
        self._put(self.kind.withdrawn(current), current.mark or "")

    def listing(self, since: Cursor | None) -> Iterator[Sequence[Found[R]]]:
        about = f"the list of {self.kind.noun}s"
        for page, _ in narrowed(self.avid, self.kind.listed, after(since), about=about):
            yield [self.kind.from_wire(row) for row in page.rows]

    def listing_cursor(self, seen: Found[R]) -> Cursor:
        return {"day": (seen.updated or self.avid.access.now().isoformat())[:10]}

    def identity_differences(self, sent: R, found: R) -> list[str]:
        return [name for name in self.differences(sent, found) if name in self.kind.identity]

    def differences(self, sent: R, found: R) -> list[str]:
        """Names of the fields that would be there otherwise had AvidXchange what is sent. What it does not answer is
        unknown and no difference."""
        wanted = self.kind.from_wire(self.kind.to_wire(sent, "")).record
        return [
            name
            for name in (*self.kind.identity, *self.kind.owned)
            if getattr(found, name) is not None and getattr(wanted, name) != getattr(found, name)
        ]

    def _put(self, record: R, mark: str) -> Ref:
        body = self.kind.to_wire(record, mark)
        self.avid.put(self.kind.written, body, about=self.kind.about(record))
        return Ref(self.kind.key(record, mark))


def _once(found: list[Found[R]]) -> list[Found[R]]:
    """Each object once: windows overlap."""
    return list({hit.key: hit for hit in found}.values())

"""Master data of Basware: one Target for every kind of record that is posted under a code of ours.

A POST takes an array, creates or wholly overwrites by `externalCode`, and says only that the data has the right form.
What it led to is asked for by its request. Nothing is ever deleted: what goes is made inactive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ml_connector.domain.records import Record
from ml_connector.systems.base import (
    Accepted,
    Cursor,
    DocumentState,
    Found,
    Item,
    NotFound,
    Page,
    Ref,
    Refused,
    SystemFailure,
)
from ml_connector.systems.basware.errors import NAME, batch_failure
from ml_connector.systems.basware.reading import one, pages, rows
from ml_connector.systems.basware.rows import instant, text, words
from ml_connector.systems.basware.session import LARGEST_REQUEST, P2P, Json, Written, too_large
from ml_connector.systems.basware.statuses import Handle, Statuses
from ml_connector.systems.transport.answer import encode_json

R = TypeVar("R", bound=Record)

THEIRS = frozenset({"lastUpdated", "buvid"})
"""Fields that Basware sets and that are never sent back."""


@dataclass(frozen=True)
class Kind(Generic[R]):
    """One kind of master data."""

    path: str
    list_key: str
    entity: str
    """How the status of a request calls it."""
    noun: str
    most: int
    """Records of a request, and rows of a page."""
    company: str
    """Company code in P2P."""
    code: Callable[[R], str]
    key: Callable[[R], str]
    to_wire: Callable[[R, str], Json]
    """The body under a key. Raises Refused, naming the field, for what Basware would not take."""
    from_wire: Callable[[Json], R]
    active: Callable[[Json], bool]
    deactivated: Callable[[Json], Json]
    """The same body, made inactive."""
    identity: tuple[str, ...]
    """Fields that make it the same thing."""
    touched: Callable[[Json, Json | None], Json | None]
    """The body with a change that says nothing, given Basware's copy; None where there is no field for one."""


class Masters(Generic[R]):
    """Target of one kind; also created in batches, and decided later."""

    def __init__(self, p2p: P2P, statuses: Statuses, kind: Kind[R]) -> None:
        self.p2p = p2p
        self.statuses = statuses
        self.kind = kind
        self.batch_size = kind.most
        self._failed: set[str] = set()
        """Keys against which an error stood when they were last looked for."""
        self._by_code: dict[str, str] | None = None
        self._lock = threading.Lock()

    def find(self, record: R, mark: str) -> list[Found[R]]:
        """What Basware holds under the record's key, else under its code, as long as P2P has it too.

        Codes are unique in P2P: what another interface posted under a key of its own is the same thing. Raises
        Transient while it is not decided. A record that P2P did not take is no hit: it is sent again, which
        overwrites it.
        """
        key = self.kind.key(record)
        row = self._copy(key)
        if row is not None:
            about = self._about(record)
            updated = instant(row, "lastUpdated")
            if not self.statuses.refused_before(self.kind.entity, [key], updated, about):
                self._failed.discard(key)
                return [self._found(row, mark)]
            self._failed.add(key)
            return []
        theirs = self._of_others(record)
        row = self._copy(theirs) if theirs else None
        return [] if row is None else [self._found(row)]

    def get(self, key: str) -> Found[R] | None:
        row = self._copy(key)
        return None if row is None else self._found(row)

    def create(self, record: R, mark: str) -> Accepted:
        key = self.kind.key(record)
        body = self.kind.to_wire(record, key)
        if key in self._failed:
            body = self._changed(body, self._copy(key))
        return self._post(body, self._about(record))

    def create_batch(self, records: Sequence[tuple[R, str]]) -> list[Accepted]:
        """One request for all; what becomes of each is asked for one by one."""
        bodies = {self.kind.key(record): self.kind.to_wire(record, self.kind.key(record)) for record, _ in records}
        about = f"{len(records)} {self.kind.noun}s at once"
        if len(bodies) < len(records):
            raise Refused("batch_refused", f"Two of {about} have the same code.")
        size = len(encode_json(list(bodies.values())))
        if size > LARGEST_REQUEST:
            raise too_large(size, about)
        try:
            request_id = posted(self.p2p, self.kind.path, list(bodies.values()), about).request_id
        except SystemFailure as failure:
            refused = batch_failure(failure, about)
        else:
            return [Handle((request_id,), key).accepted() for key in bodies]
        raise refused

    def update(self, ref: Ref, record: R, mark: str) -> Accepted:
        """Overwrites the whole record. One that says what Basware holds already is sent with a change: it is there
        because P2P did not take it the last time."""
        copy = self._copy(ref.key)
        if copy is None:
            raise NotFound(f"{NAME} has no {self.kind.noun} {ref.key} any more.")
        body = self.kind.to_wire(record, ref.key)
        if agrees(body, copy):
            body = self._changed(body, copy)
        return self._post(body, self._about(record))

    def cancel(self, ref: Ref, reason: str) -> Accepted | None:
        """Makes it inactive; nothing is deleted. Done twice is done once."""
        copy = self._copy(ref.key)
        if copy is None:
            raise NotFound(f"{NAME} has no {self.kind.noun} {ref.key} any more.")
        if not self.kind.active(copy):
            return None
        body = {name: value for name, value in copy.items() if name not in THEIRS and value is not None}
        return self._post(self.kind.deactivated(body), f"{self.kind.noun} {ref.key}")

    def outcome(self, handle: str, record: R, mark: str) -> Ref | None:
        asked = Handle.read(handle)
        (request_id,) = asked.requests
        decided = self.statuses.decided(request_id, self.kind.entity, [asked.key], self._about(record))
        return Ref(asked.key) if decided else None

    def identity_differences(self, sent: R, found: R) -> list[str]:
        return [name for name in self.differences(sent, found) if name in self.kind.identity]

    def differences(self, sent: R, found: R) -> list[str]:
        """Names of the fields that Basware would hold otherwise had it what is sent; those of the identity first."""
        wanted = self.kind.from_wire(self.kind.to_wire(sent, self.kind.key(sent)))
        names = [name for name in sent.__struct_fields__ if getattr(wanted, name) != getattr(found, name)]
        return sorted(names, key=lambda name: name not in self.kind.identity)

    def _copy(self, key: str) -> Json | None:
        return one(self.p2p, self.kind.path, key, about=f"{self.kind.noun} {key}", key=self.kind.list_key)

    def _of_others(self, record: R) -> str:
        """The key under which somebody else posted the record's code; empty where nobody did. The list is read once
        for the life of a Target."""
        with self._lock:
            if self._by_code is None:
                about = f"the list of {self.kind.noun}s"
                asked = {"companyCode": self.kind.company}
                found = rows(self.p2p, self.kind.path, self.kind.list_key, asked, most=self.kind.most, about=about)
                self._by_code = {self.kind.code(self.kind.from_wire(row)): text(row, "externalCode") for row in found}
        return self._by_code.get(self.kind.code(record), "")

    def _changed(self, body: Json, copy: Json | None) -> Json:
        """The body with a change that says nothing. Raises Refused where there is nothing to change and P2P would go
        on without it."""
        changed = self.kind.touched(body, copy)
        key = body["externalCode"]
        if changed is None and agrees(body, copy) and self.statuses.failed(self.kind.entity, [key]):
            raise unchanged(f"{self.kind.noun} {key}")
        return changed or body

    def _post(self, body: Json, about: str) -> Accepted:
        request_id = posted(self.p2p, self.kind.path, [body], about).request_id
        return Handle((request_id,), body["externalCode"]).accepted()

    def _found(self, row: Json, mark: str | None = None) -> Found[R]:
        state = DocumentState.OPEN if self.kind.active(row) else DocumentState.ARCHIVED
        key = words(row, "externalCode") or ""
        return Found(key, self.kind.from_wire(row), mark, state, updated=words(row, "lastUpdated"))

    def _about(self, record: R) -> str:
        return f"{self.kind.noun} {self.kind.code(record)}"


class Copies(Generic[R]):
    """Source of one kind: what was posted of it, read as a whole each time and compared by hash.

    Keys are the codes by which documents name them, not the keys under which they were posted.
    """

    def __init__(self, p2p: P2P, kind: Kind[R]) -> None:
        self.p2p = p2p
        self.kind = kind

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        about = f"the list of {self.kind.noun}s"
        for found in pages(self.p2p, self.kind.path, self.kind.list_key, most=self.kind.most, about=about):
            yield Page([self._item(row) for row in found.rows], None, found.digest)

    def keys(self) -> Iterator[str]:
        for page in self.changes(None):
            yield from (item.key for item in page.items)

    def get(self, key: str) -> Item[R] | None:
        return next((item for page in self.changes(None) for item in page.items if item.key == key), None)

    def _item(self, row: Json) -> Item[R]:
        record = self.kind.from_wire(row)
        return Item(self.kind.code(record), record, None, instant(row, "lastUpdated"))


def posted(p2p: P2P, path: str, bodies: Sequence[Json], about: str) -> Written:
    """One POST of an array. Basware echoes it; an answer that does not, or that names other records, says nothing of
    what was stored, whatever its status (R12)."""
    written = p2p.write("POST", path, list(bodies), about=about)
    body: Any = written.answer.json() if written.answer.content.strip() else None
    if isinstance(body, dict):
        body = next((value for value in body.values() if isinstance(value, list)), None)
    echoed = {row.get("externalCode") for row in body if isinstance(row, dict)} if isinstance(body, list) else set()
    if not {row["externalCode"] for row in bodies} <= echoed:
        raise written.answer.unclear("it names other records than were sent" if echoed else "it names no record")
    return written


def unchanged(about: str) -> Refused:
    return Refused(
        "not_taken_by_p2p",
        f"P2P did not take {about}, and {NAME} skips a record that did not change since. Change it in the source, or "
        "name a text field of it in touch_fields.",
    )


def touched_text(field: str, now: str, longest: int) -> Callable[[Json, Json | None], Json | None]:
    """A change to a text field that is otherwise not used: the time of sending."""

    def touch(body: Json, copy: Json | None) -> Json | None:
        if not field or field in body:
            return None
        text = f"sent again {now}"[:longest]
        return {**body, field: text if copy is None or copy.get(field) != text else f"{text[: longest - 2]} +"}

    return touch


def agrees(ours: Any, theirs: Any) -> bool:
    """Whether what Basware holds says already what we would send; what we do not send is not compared."""
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and all(agrees(value, theirs.get(name)) for name, value in ours.items())
    if isinstance(ours, list):
        return (
            isinstance(theirs, list)
            and len(ours) == len(theirs)
            and all(agrees(mine, other) for mine, other in zip(ours, theirs, strict=True))
        )
    if isinstance(ours, str) and isinstance(theirs, str) and ours[10:11] == "T" and ours != theirs:
        return ours[:10] == theirs[:10] and len(theirs) >= 10
    return bool(ours == theirs)


def within(value: str, longest: int, about: str, field: str, *, fix: str = "Shorten it in the source.") -> str:
    """A text that Basware takes whole. Raises Refused for a longer one: nothing is cut (R31)."""
    if len(value) > longest:
        raise Refused(
            "field_too_long", f"{about}: {field} has {len(value)} characters, {NAME} takes {longest}. {fix}", field
        )
    return value


def required(value: str | None, about: str, field: str) -> str:
    if value is None or not value.strip():
        raise Refused("field_missing", f"{about} has no {field}, which {NAME} requires. Enter it in the source.", field)
    return value.strip()


def names(name: str, code: str, languages: Sequence[str]) -> list[Json]:
    """A name in each language; one of a single character, which Basware does not take, has the code behind it."""
    text = name.strip() or code
    return [
        {"translation": text if len(text) >= 2 else f"{text} {code}", "language": language} for language in languages
    ]


def name_in(row: Json, field: str) -> str | None:
    """The name in en-US, else the first one."""
    named = [one for one in row.get(field) or [] if isinstance(one, dict)]
    chosen = next((one for one in named if one.get("language") == "en-US"), named[0] if named else {})
    return words(chosen, "translation")


def companies_active(row: Json) -> bool:
    """Whether a record is active in any company; active where it does not say."""
    given = [one for one in row.get("companies") or [] if isinstance(one, dict)]
    return not given or any(one.get("active") is not False for one in given)


def companies_inactive(body: Json) -> Json:
    return {**body, "companies": [{**one, "active": False} for one in body.get("companies") or []]}

"""Documents by their change, each with a call of its own: a list's rows have no lines.

Orders are asked for by the day of their change, bills by its instant; what lies within the overlap comes again each
time. So the cursor keeps beside the newest stamp seen what the rows within the overlap looked like: one that looks the
same is not fetched again, one that was changed, or committed late, is (R14, R16). In which order rows come is not
documented: the list is read to its end, which costs little, and then worked off by stamp, so that each page's cursor is
true (R15).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from ml_connector.domain.records import Record
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.procurify.reading import combined, listed
from ml_connector.systems.procurify.rows import day, instant
from ml_connector.systems.procurify.session import Domain, Json

R = TypeVar("R", bound=Record)

FETCHED_AT_ONCE = 20
"""Documents of a page: what is fetched again at most after a crash."""
MOST_SEEN = 1000
"""Rows within the overlap that the cursor keeps; of more, the oldest are fetched again, which changes nothing."""
_DIGITS = 12

_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list, as little of it as is needed."""

    stamp: datetime
    key: str
    look: str
    """What it looked like."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a list was read."""

    changed: datetime | None = None
    """The newest stamp seen in the data; never our own clock."""
    seen: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, cursor: Cursor | None) -> Progress:
        if not cursor or "changed" not in cursor:
            return cls()
        parted = (one.rpartition(":") for one in cursor.get("seen", "").split())
        return cls(datetime.fromisoformat(cursor["changed"]), frozenset((key, look) for key, _, look in parted))


@dataclass(frozen=True)
class Changed(Generic[R]):
    """A Source of documents that are listed by their change and fetched one by one; `Swept` as well."""

    domain: Domain
    path: str
    about: str
    key: Callable[[Json], str]
    stamp: str
    """Name of the field that holds it."""
    since: Callable[[datetime], Mapping[str, str]]
    """What asks for changes from that time on."""
    overlap: timedelta
    kept: timedelta
    """How far back from the newest stamp the next list can reach."""
    wanted: Callable[[Json], bool]
    """Whether a row of the list is worth fetching."""
    open: Callable[[Json], bool]
    """Whether what a row stands for may still change without a stamp."""
    exists: Callable[[Json], bool]
    """Whether a row belongs to this source at all."""
    fetch: Callable[[str], tuple[Item[R] | None, str] | None]
    """The document, None where it does not travel, and the answer's digest; None where it is gone."""

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        done = Progress.of(since)
        start = None if done.changed is None else done.changed - self.overlap
        params = {} if start is None else self.since(start)
        digests, passed, waiting = [], list[Row](), list[Row]()
        for found in listed(self.domain, self.path, self.key, params, about=self.about):
            digests.append(found.digest)
            for row in found.rows:
                one = Row(instant(row, self.stamp), self.key(row), look(row))
                known = (one.key, one.look) in done.seen or not self.wanted(row)
                (passed if known else waiting).append(one)
        newest = done.changed
        for some in _parts(sorted(waiting, key=lambda one: (one.stamp, one.key))):
            fetched = [self.fetch(one.key) for one in some]
            items = [item for one in fetched if one is not None for item in [one[0]] if item is not None]
            passed += some
            newest = max([some[-1].stamp, *([newest] if newest else [])])
            yield Page(items, self._cursor(newest, passed), combined([one[1] for one in fetched if one is not None]))
        ends = [one.stamp for one in passed] + ([newest] if newest else [])
        yield Page([], self._cursor(max(ends), passed) if ends else None, combined(digests))

    def keys(self) -> Iterator[str]:
        for found in listed(self.domain, self.path, self.key, about=self.about):
            yield from (self.key(row) for row in found.rows if self.exists(row))

    def get(self, key: str) -> Item[R] | None:
        found = self.fetch(key)
        return None if found is None else found[0]

    def sweep(self) -> Iterator[Page[R]]:
        """Every document that is still open, whatever its stamp says (R17)."""
        keys = [
            self.key(row)
            for found in listed(self.domain, self.path, self.key, about=self.about)
            for row in found.rows
            if self.open(row)
        ]
        for start in range(0, len(keys), FETCHED_AT_ONCE):
            fetched = [one for key in keys[start : start + FETCHED_AT_ONCE] if (one := self.fetch(key)) is not None]
            items = [item for item, _ in fetched if item is not None]
            yield Page(items, None, combined([digest for _, digest in fetched]))

    def _cursor(self, newest: datetime, passed: Sequence[Row]) -> Cursor:
        """Up to `newest` all was fetched. Kept is what the next reading will list again."""
        within = sorted((one for one in passed if one.stamp >= newest - self.kept), key=lambda one: one.stamp)
        seen = " ".join(f"{one.key}:{one.look}" for one in within[-MOST_SEEN:])
        return {"changed": newest.isoformat(), "seen": seen}


def look(row: Json) -> str:
    """What a row says, in a few letters."""
    return hashlib.sha256(_encode(row)).hexdigest()[:_DIGITS]


def _parts(found: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(found), FETCHED_AT_ONCE):
        yield found[start : start + FETCHED_AT_ONCE]


def cut_over(policy: Mapping[str, Any], name: str, zone: ZoneInfo) -> Callable[[Json], bool]:
    """Whether a row's date, if it has one, lies within the time from `policy["from_date"]` on."""
    given = policy.get("from_date")
    first = None if not given else date.fromisoformat(str(given)[:10])

    def begun(row: Json) -> bool:
        made = None if first is None else day(row, name, zone)
        return first is None or made is None or made >= first

    return begun

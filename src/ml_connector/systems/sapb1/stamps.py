"""Changes by UpdateDate and UpdateTime: two fields of the server's own clock, without zone.

Several rows share a stamp, the server may look at hours and minutes only, a commit may come after its stamp, and the
clock goes back an hour once a year: what is read again covers all of that, and what was not changed meanwhile has the
hash that it had. Fresh rows of some releases have no stamp at all until they are first changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from ml_connector.domain.records import Record
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.sapb1.reading import Batch, Query, Reading
from ml_connector.systems.sapb1.rows import part, quoted, stamp
from ml_connector.systems.sapb1.session import Json

R = TypeVar("R", bound=Record)

CREATED_OVERLAP = timedelta(days=1)
"""A creation date has no time (R14); taken twice, for the clocks and for late commits."""
CHANGE_OF_CLOCK = timedelta(hours=3)
"""A stamp within this after a change of clock may lie in the hour that came twice."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a set was read."""

    updated: datetime | None = None
    """The highest stamp seen in the data; never our own clock."""
    created: date | None = None
    """The day from which on rows without a stamp may be new."""
    loading: bool = False
    """Whether the first load, which may leave out what is closed, has not ended yet."""

    @classmethod
    def of(cls, cursor: Cursor | None) -> Progress:
        stored = cursor or {}
        return cls(
            datetime.fromisoformat(stored["updated"]) if "updated" in stored else None,
            date.fromisoformat(stored["created"]) if "created" in stored else None,
            cursor is None or "loading" in stored,
        )

    def cursor(self) -> Cursor | None:
        texts = {
            "updated": self.updated.isoformat() if self.updated else "",
            "created": self.created.isoformat() if self.created else "",
            "loading": "yes" if self.loading else "",
        }
        return {name: text for name, text in texts.items() if text} or None


@dataclass(frozen=True)
class Stamped(Generic[R]):
    """Reads one set in the order of its changes."""

    reading: Reading
    query: Query
    """With the key, the stamps and the creation date selected."""
    key: str
    created: str
    """Name of the creation date."""
    convert: Callable[[list[Json]], list[Item[R]]]
    overlap: timedelta
    zone: ZoneInfo
    now: Callable[[], datetime]

    def changes(self, since: Cursor | None, *, first: str = "") -> Iterator[Page[R]]:
        """What changed since the cursor, overlap included; what meets `first` until the first load has ended."""
        done = Progress.of(since)
        query = self.query.where(first) if done.loading else self.query
        unstamped = query.where("UpdateDate eq null")
        if done.created is not None:
            unstamped = unstamped.where(f"{self.created} ge {quoted(done.created - CREATED_OVERLAP)}")
        for batch in self.reading.keyed(unstamped, self.key):
            yield Page(self.convert(batch.rows), since, batch.digest)
        done = replace(done, created=self._day_over(done.created))
        for batch in self._stamped(query, done.updated):
            stamps = [found for row in batch.rows if (found := _stamp(row))]
            done = replace(done, updated=max([*stamps, *([done.updated] if done.updated else [])], default=None))
            yield Page(self.convert(batch.rows), done.cursor(), batch.digest)
        if done.loading:
            yield Page([], replace(done, loading=False).cursor(), hashlib.sha256(b"").hexdigest())

    def start(self, seen: datetime) -> datetime:
        """From where to read again after a stamp: the overlap before it, and the hour that the clock went back."""
        before = (seen - CHANGE_OF_CLOCK).replace(tzinfo=self.zone).utcoffset() or timedelta()
        today = self.now().astimezone(self.zone).utcoffset() or timedelta()
        back = max(before - today, timedelta())
        return minute(seen - self.overlap - back)

    def _day_over(self, before: date | None) -> date:
        """A day that ended by every clock: rows made on it are all there. It never goes back."""
        over = self.now().astimezone(self.zone).date() - CREATED_OVERLAP
        return max(before, over) if before else over

    def _stamped(self, query: Query, updated: datetime | None) -> Iterator[Batch]:
        """Stamped rows, each state once. A page asks anew from the newest minute seen; next links serve among the
        rows of one minute only, because they count rows, and those that change meanwhile move to the end (R16)."""
        ordered = replace(query.where("UpdateDate ne null"), order=("UpdateDate", "UpdateTime", self.key))
        frontier = self.start(updated) if updated else None
        seen: set[tuple[object, datetime]] = set()
        more = True
        while more:
            more = False
            wanted = ordered if frontier is None else ordered.where(from_minute(frontier))
            for batch in self.reading.linked(wanted):
                stamped = [(part(row, self.key), moment, row) for row in batch.rows if (moment := _stamp(row))]
                fresh = [row for key, moment, row in stamped if (key, moment) not in seen]
                seen.update((key, moment) for key, moment, _ in stamped)
                yield replace(batch, rows=fresh)
                newest = max((minute(moment) for _, moment, _ in stamped), default=None)
                if batch.following is not None and newest is not None and (frontier is None or newest > frontier):
                    frontier, more = newest, True
                    seen = {(key, moment) for key, moment in seen if moment >= frontier}
                    break


def from_minute(moment: datetime) -> str:
    """The condition for stamps of that minute and later. Date and time compared apart would lose rows past midnight."""
    on = quoted(moment.date())
    return f"UpdateDate gt {on} or (UpdateDate eq {on} and UpdateTime ge '{moment:%H:%M:%S}')"


def minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def instant(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A stamp of the server's clock as a point in time."""
    return None if moment is None else moment.replace(tzinfo=zone).astimezone(UTC)


def _stamp(row: Json) -> datetime | None:
    return stamp(row, "UpdateDate", "UpdateTime")

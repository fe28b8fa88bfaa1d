"""Procurify's lists: page by page, by number.

The block that says how many pages there are stands inside `metadata`, or beside it. Pages may be shorter than asked
for. A next link can carry another scheme or host, so only its query is used. In which order rows come is not
documented, and rows move while others work: whatever was passed over that way is missing from the count, so a list that
gave fewer rows than it counts is read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ml_connector.domain.records import Record
from ml_connector.systems.base import Cursor, Item, NotFound, Page, Refused, ShapeChanged, Transient
from ml_connector.systems.procurify.errors import NAME, TOO_LARGE, TooSlow
from ml_connector.systems.procurify.rows import members, part, whole, words
from ml_connector.systems.procurify.session import Domain, Json
from ml_connector.systems.transport.answer import Answer

R = TypeVar("R", bound=Record)

READINGS = 4
"""Of a list that goes on changing while it is read."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of a list."""

    rows: list[Json]
    digest: str
    """SHA-256 (hex) of the answer as it came."""
    count: int | None
    """Rows of the whole list, as Procurify counts them."""
    size: int | None
    """Rows of a page, as Procurify makes them."""
    following: Mapping[str, str] | None
    """What the next page is asked for with; None on the last one."""


def batch(answer: Answer, asked: Mapping[str, str], about: str) -> Batch:
    """Raises Transient for what is no list, ShapeChanged where nothing says whether there is more of it."""
    body = answer.json()
    if not isinstance(body, dict) or (body.get("errors") and not body.get("data")):
        raise answer.unclear("it is no list")
    if not isinstance(body.get("data"), list):
        raise answer.unclear("it holds no list")
    rows = members(body, "data")
    digest = hashlib.sha256(answer.content).hexdigest()
    block = part(body, "pagination") or part(part(body, "metadata"), "pagination")
    if not block:
        if len(rows) >= int(asked["page_size"]):
            raise ShapeChanged("pagination", f"{NAME} does not say whether {about} has more pages.")
        return Batch(rows, digest, None, None, None)
    page, pages, link = whole(block, "current_page") or int(asked["page"]), whole(block, "num_pages"), None
    link = words(block, "next")
    more = link is not None or (pages is not None and page < pages)
    following = {**asked, "page": str(page + 1), **(dict(parse_qsl(urlsplit(link).query)) if link else {})}
    return Batch(rows, digest, whole(block, "count"), whole(block, "page_size"), following if more else None)


def pages(domain: Domain, path: str, params: Mapping[str, str] | None = None, *, about: str) -> Iterator[Batch]:
    """All pages of a list, once. Ends normally only when Procurify says that there are no more.

    Where a page is too large, or takes too long, the list begins anew with smaller ones.
    """
    asked: Mapping[str, str] = {**(params or {}), "page": "1", "page_size": str(domain.page_size)}
    seen: set[str] = set()
    before: list[Json] = []
    while True:
        seen.add(asked["page"])
        try:
            found = batch(domain.read(path, asked, about=about), asked, about)
        except NotFound:
            if asked["page"] == "1":
                raise ShapeChanged(
                    "path",
                    f"{NAME} no longer has the list at {path}, from which {about} is read. Look for a newer release of "
                    "ml-connector; if the address in the Connection was changed, put it right.",
                ) from None
            return
        except (Refused, TooSlow) as failed:
            if (isinstance(failed, Refused) and failed.code != TOO_LARGE) or not domain.smaller():
                raise
            asked, seen = {**(params or {}), "page": "1", "page_size": str(domain.page_size)}, set()
            continue
        if found.size and found.size < domain.page_size:
            domain.page_size = found.size
        yield found
        if found.following is None:
            return
        if not found.rows:
            raise Transient(f"{NAME} gave an empty page within {about}. It is read again.")
        if found.following["page"] in seen or found.rows == before:
            raise ShapeChanged("pagination", f"{NAME} gave the same page of {about} twice: its pages do not end.")
        asked, before = found.following, found.rows


def listed(
    domain: Domain,
    path: str,
    key: Callable[[Json], str],
    params: Mapping[str, str] | None = None,
    *,
    about: str,
) -> Iterator[Batch]:
    """All rows of a list, each key once. Ends normally only when all of them were seen (R18).

    Raises Transient where the list changes faster than it can be read.
    """
    seen: set[str] = set()
    for reading in range(READINGS):
        count, fresh = None, 0
        for found in pages(domain, path, params, about=about):
            rows = {key(row): row for row in found.rows}
            new = {name: row for name, row in rows.items() if name not in seen}
            seen.update(new)
            fresh += len(new)
            count = found.count
            yield replace(found, rows=list(new.values()))
        if count is None or len(seen) >= count or (reading and not fresh):
            return
    raise Transient(f"{NAME}'s list changes faster than it can be read: {about}. It is read again.")


def rows(
    domain: Domain, path: str, key: Callable[[Json], str], params: Mapping[str, str] | None = None, *, about: str
) -> Iterator[Json]:
    for found in listed(domain, path, key, params, about=about):
        yield from found.rows


def combined(digests: Sequence[str]) -> str:
    """One digest of what several answers were."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


@dataclass(frozen=True)
class Whole(Generic[R]):
    """A Source over a list without stamps: read as a whole each time, compared by hash."""

    domain: Domain
    path: str
    key: Callable[[Json], str]
    convert: Callable[[Json], Item[R] | None]
    """None for a row that is not wanted."""
    about: str
    object: str = ""
    """Path of one object, with {} for its key; empty where Procurify has none."""
    params: Mapping[str, str] | None = None

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        """All there is, whatever the cursor."""
        for found in listed(self.domain, self.path, self.key, self.params, about=self.about):
            yield Page(self._items(found.rows), None, found.digest)

    def keys(self) -> Iterator[str]:
        for page in self.changes(None):
            yield from (item.key for item in page.items)

    def get(self, key: str) -> Item[R] | None:
        if not self.object:
            return next((item for page in self.changes(None) for item in page.items if item.key == key), None)
        if not key.isdigit():
            return None
        found = self.domain.one(self.object.format(key), about=f"{self.about} ({key})")
        return None if found is None else self.convert(found[0])

    def _items(self, found: Sequence[Json]) -> list[Item[R]]:
        return [item for row in found if (item := self.convert(row)) is not None]

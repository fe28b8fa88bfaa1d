"""Pages by keyset: a cursor says behind which row the next page begins, so rows that are added move nothing.

A cursor is opaque. It is good for the list and the filters that it was given for, and for no other.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from ninja import Query

from ml_connector.api.v1.failures import Failure

T = TypeVar("T")

Cursor = Annotated[str, Query(max_length=600, description="`next` of the page before; empty for the first page.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of a page, at most.")]
SIZE = 50


class Pages:
    """One list with its filters. `key` must be what the list is ordered by, and unique in it."""

    def __init__(self, cursor: str, limit: int, *about: object) -> None:
        """Raises Failure for a cursor that is not of this list."""
        self._about = hashlib.sha256(repr(about).encode()).hexdigest()[:12]
        self.limit = limit
        self.position = self._position(cursor) if cursor else None

    @property
    def at_most(self) -> int:
        """Rows to ask for: one more than are shown tells whether there is another page."""
        return self.limit + 1

    def after_number(self) -> int | None:
        """The position of a list that is ordered by a number. Raises Failure."""
        if self.position is not None and (not isinstance(self.position, int) or abs(self.position) >= 2**63):
            raise _unknown()
        return self.position

    def after_text(self) -> str:
        """The position of a list that is ordered by a text; the first page is behind the empty one. Raises Failure."""
        if self.position is None:
            return ""
        if not isinstance(self.position, str) or "\0" in self.position:
            raise _unknown()
        return self.position

    def page(self, rows: Sequence[T], key: Callable[[T], int | str]) -> dict[str, Any]:
        """At most `at_most` rows as a page."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        return {"items": shown, "next": self._cursor(key(shown[-1])) if more else None}

    def slice(self, rows: Sequence[T], key: Callable[[T], str]) -> dict[str, Any]:
        """A page of rows that are all there, in whatever order."""
        after = self.after_text()
        ordered = sorted((row for row in rows if key(row) > after), key=key)
        return self.page(ordered[: self.at_most], key)

    def _cursor(self, position: int | str) -> str:
        return urlsafe_b64encode(msgspec.json.encode([self._about, position])).decode().rstrip("=")

    def _position(self, cursor: str) -> object:
        try:
            content = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            about, position = msgspec.json.decode(content, type=tuple[str, int | str])
        except (ValueError, msgspec.MsgspecError):
            raise _unknown() from None
        if about != self._about:
            raise _unknown()
        return position


def _unknown() -> Failure:
    text = "This cursor is not of this list with these filters."
    return Failure("fields", text, "Begin again without one.", [{"where": "query.cursor", "text": text}])

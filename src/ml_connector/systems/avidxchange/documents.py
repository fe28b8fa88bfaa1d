"""How a document is known: by our mark, which it bears as its external id, else by AvidXchange's own id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ml_connector.domain.numbers import MARK_PATTERN
from ml_connector.domain.records import Record
from ml_connector.systems.avidxchange.contract import Operation
from ml_connector.systems.avidxchange.lists import by_external_id, narrowed
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import Row
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.base import Found

R = TypeVar("R", bound=Record)


def mark_of(row: Row) -> str | None:
    """Our mark; None where the external id is somebody else's."""
    external = row.words("external_id")
    return external if external and MARK_PATTERN.fullmatch(external) else None


def document_key(row: Row) -> str:
    """The mark, because a payment names it too; for what we did not write, the id."""
    return mark_of(row) or row.words("id") or ""


def found_by_key(
    avid: Avid, listed: Operation, single: Operation | None, key: str, convert: Callable[[Json], Found[R]]
) -> Found[R] | None:
    """A document by its key, or None."""
    about = f"document {key}"
    if MARK_PATTERN.fullmatch(key):
        rows = by_external_id(avid, listed, key, about=about)
    elif single is not None:
        row = avid.one(single, key, about=about)
        rows = [] if row is None else [row]
    else:
        rows = [row for page, _ in narrowed(avid, listed, None, about=about) for row in page.rows]
    return next((hit for hit in map(convert, rows) if hit.key == key), None)

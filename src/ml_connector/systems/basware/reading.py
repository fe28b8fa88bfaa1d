"""Basware's lists: page by page, by a token in a header that goes both ways.

An empty list is 404. Pages may be shorter than asked for: only a missing token ends a list. A list can come wrapped in
its key or bare, whatever the description says. The token is opaque, and of unknown life: it is never stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from ml_connector.systems.base import NotFound, ShapeChanged
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.session import CONTINUATION, P2P, Json
from ml_connector.systems.transport.answer import Answer

EMPTY = hashlib.sha256(b"").hexdigest()

DOCUMENTS = "/v1/accountingDocuments"
DOCUMENTS_KEY = "accountingDocuments"


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of a list."""

    rows: list[Json]
    digest: str
    """SHA-256 (hex) of the answer as it came."""
    following: str
    """Token of the next page; empty on the last one."""


def pages(
    p2p: P2P, path: str, key: str, params: Mapping[str, str] | None = None, *, most: int | None = 500, about: str
) -> Iterator[Batch]:
    """All pages of a list. Ends normally only when the list was read to its end.

    `most`: rows that the list allows; None for one that lets nobody choose.
    """
    asked = dict(params or {})
    if most is not None:
        asked["pageSize"] = str(min(most, p2p.options.page_size))
    token = ""
    seen: set[str] = set()
    while True:
        try:
            answer = p2p.read(path, asked, about=about, headers={CONTINUATION: token} if token else None)
        except NotFound:
            yield Batch([], EMPTY, "")
            return
        found = batch(answer, key)
        yield found
        token = found.following
        if not token:
            return
        if token in seen:
            raise ShapeChanged(CONTINUATION, f"{NAME} gave the same token for {about} twice: its pages do not end.")
        seen.add(token)


def rows(
    p2p: P2P, path: str, key: str, params: Mapping[str, str] | None = None, *, most: int | None = 500, about: str
) -> Iterator[Json]:
    for found in pages(p2p, path, key, params, most=most, about=about):
        yield from found.rows


def one(p2p: P2P, path: str, code: str, *, about: str, key: str = "") -> Json | None:
    """The object of a code, bare or as the only member of a list; None where there is none."""
    try:
        answer = p2p.read(f"{path}/{quote(code, safe='')}", about=about)
    except NotFound:
        return None
    body: Any = answer.json()
    if isinstance(body, list) or (key and isinstance(body, dict) and isinstance(body.get(key), list)):
        found = batch(answer, key).rows
        return found[0] if found else None
    if not isinstance(body, dict):
        raise answer.unclear("it is no object")
    return body


def document(p2p: P2P, key: str) -> Json | None:
    """The invoice with an id as it is now, or None."""
    return one(p2p, DOCUMENTS, key, about=f"invoice {key}", key=DOCUMENTS_KEY)


def batch(answer: Answer, key: str) -> Batch:
    """The rows of an answer, wrapped or bare. Raises Transient for what is no list."""
    body = answer.json()
    found = body
    if isinstance(body, dict):
        found = body.get(key)
        if found is None:
            found = next((value for name, value in body.items() if name.lower() == key.lower()), None)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise answer.unclear("it is no list")
    digest = hashlib.sha256(answer.content).hexdigest()
    return Batch(found, digest, answer.headers.get(CONTINUATION, ""))


def moment(value: datetime, overlap: timedelta = timedelta()) -> str:
    """A point in time as a filter takes it."""
    return (value - overlap).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

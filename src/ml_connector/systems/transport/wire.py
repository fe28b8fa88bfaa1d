"""What went over the wire, for whoever listens: the requests that write, and what was answered.

with listening() as heard:
    target.create(record, mark)                      # in the same thread
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

MOST = 256 * 1024
"""Bytes of a body that are kept; of a longer one only its length."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a request or an answer carried. Not redacted."""

    type: str
    """The media type, lower case, as its sender states it."""
    size: int
    content: bytes | None
    """None where it is longer than `MOST`."""

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Body:
        return cls(media_type.lower(), len(content), content if len(content) <= MOST else None)


@dataclass(frozen=True, slots=True)
class Heard:
    """One request that writes, and its answer. Headers are left out: they carry credentials."""

    method: str
    path: str
    """Without the query's secret parameters."""
    request: Body
    status: int | None
    """None where no whole answer came."""
    answer: Body
    failure: str
    """Why there is no answer."""
    milliseconds: int


_listener: ContextVar[list[Heard] | None] = ContextVar("listener", default=None)


@contextmanager
def listening() -> Iterator[list[Heard]]:
    """Collects what this thread writes within the block."""
    heard: list[Heard] = []
    token = _listener.set(heard)
    try:
        yield heard
    finally:
        _listener.reset(token)


def listener() -> list[Heard] | None:
    return _listener.get()

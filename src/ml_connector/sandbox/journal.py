"""The list of requests that a stand-in got, for assertions and measurements."""

import re
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from ml_connector.sandbox.http import Request

KEPT = 200_000
_id_like = re.compile(r"(?<=/)(?=[^/]*\d)[^/]{12,}(?=/|$)")


@dataclass(slots=True)
class Entry:
    """One request. Status stays None while it is being answered, and when it was never answered."""

    n: int
    method: str
    path: str
    query: str
    started: float
    in_flight: int = 1
    key: str | None = None
    write: bool = False
    status: int | None = None
    seconds: float | None = None
    fault: str | None = None

    def row(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "started": datetime.fromtimestamp(self.started, UTC).isoformat(timespec="microseconds"),
            "seconds": None if self.seconds is None else round(self.seconds, 6),
            "in_flight": self.in_flight,
            "key": self.key,
            "write": self.write,
            "fault": self.fault,
        }


class Journal:
    """The last 200,000 requests; control calls are not among them."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._count = 0

    def add(self, method: str, path: str, query: str) -> Entry:
        self._count += 1
        entry = Entry(self._count, method, path, query, time.time())
        self._entries.append(entry)
        return entry

    def rows(self) -> list[dict[str, Any]]:
        return [entry.row() for entry in self._entries]

    def clear(self) -> None:
        self._entries.clear()

    def summary(self) -> dict[str, Any]:
        """Counts by method and path (identifiers in the path as `{id}`), writes, greatest in-flight by key."""
        by_path: Counter[str] = Counter()
        peaks: dict[str, int] = {}
        writes = 0
        for entry in self._entries:
            by_path[f"{entry.method} {_id_like.sub('{id}', entry.path)}"] += 1
            writes += entry.write
            if entry.key is not None:
                peaks[entry.key] = max(peaks.get(entry.key, 0), entry.in_flight)
        return {
            "count": len(self._entries),
            "by_path": dict(by_path.most_common()),
            "writes": writes,
            "max_in_flight": peaks,
        }


def redacted(request: Request, secret_parameters: frozenset[str]) -> str:
    """The raw query with the values of secret parameters replaced by `***`."""
    if not secret_parameters or not request.raw_query:
        return request.raw_query
    if not any(name.lower() in secret_parameters for name, _ in request.query):
        return request.raw_query
    return "&".join(
        f"{quote_plus(name)}={'***' if name.lower() in secret_parameters else quote_plus(value)}"
        for name, value in request.query
    )

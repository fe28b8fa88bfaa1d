"""Faults: what a test or a person asks a stand-in to do wrong, and to which requests.

    {"match": {"method": "POST", "path": "/v3/bills", "nth": 1}, "do": "commit_then_reset"}

A fault without `nth` and `probability` fires for every matching request; `times` bounds it.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import unquote_plus

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.nettcp.spoiling import SPOILINGS

ARGUMENTS: dict[str, frozenset[str]] = {
    "refuse": frozenset({"seconds"}),
    "reset": frozenset({"when"}),
    "commit_then_reset": frozenset(),
    "status": frozenset({"status", "body"}),
    "commit_then_status": frozenset({"status"}),
    "late_commit": frozenset({"seconds", "status"}),
    "throttle": frozenset({"retry_after", "status", "code"}),
    "expire_session": frozenset({"all"}),
    "commit_then_expire_session": frozenset({"all", "answer"}),
    "truncate": frozenset({"bytes"}),
    "garble": frozenset(),
    "malform": frozenset({"how"}),
    "empty": frozenset(),
    "in_band_error": frozenset({"text"}),
    "delay": frozenset({"seconds", "when"}),
    "drip": frozenset({"seconds"}),
}
"""What each `do` takes."""

NEEDED = {"refuse": ("seconds",), "status": ("status",), "late_commit": ("seconds",), "malform": ("how",)}
WHEN = {"reset": ("before", "headers", "connect"), "delay": ("before", "after")}
ANSWERS = ("refused", "reset")
NET_TCP = "NET.TCP"

Stage = Literal["connect", "headers", "body"]
"""When a fault is decided: the connection is accepted, the headers are there, the request is whole."""


class BadFault(ValueError):
    """A fault that says something the kernel does not know."""


@dataclass
class Fault:
    """One entry of the fault list, with its counters."""

    do: str
    arguments: dict[str, Any]
    method: str | None = None
    path: str = "*"
    contains: str | None = None
    nth: frozenset[int] | None = None
    probability: float | None = None
    times: int | None = None
    source: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    @property
    def stage(self) -> Stage:
        when = self.arguments.get("when")
        if self.do == "reset" and when in ("connect", "headers"):
            return "connect" if when == "connect" else "headers"
        return "body"

    def seconds(self) -> float:
        return float(self.arguments.get("seconds", 1))

    def row(self) -> dict[str, Any]:
        return {**self.source, "seen": self.seen, "fired": self.fired}

    def matches(self, request: Request, paths: Sequence[str]) -> bool:
        if self.method is not None and self.method != request.method:
            return False
        if self.path != "*" and not any(fnmatchcase(path.lower(), self.path) for path in paths):
            return False
        if self.contains is None:
            return True
        return (
            self.contains in request.raw_query
            or self.contains in unquote_plus(request.raw_query)
            or self.contains.encode() in request.body
        )

    def takes(self, rng: random.Random) -> bool:
        """Counts a matching request and says whether the fault fires for it."""
        self.seen += 1
        if self.times is not None and self.fired >= self.times:
            return False
        if self.nth is not None and self.seen not in self.nth:
            return False
        if self.probability is not None and rng.random() >= self.probability:
            return False
        self.fired += 1
        return True


class Faults:
    """The fault list. Every fault counts its own matches; the first that fires is done."""

    def __init__(self, seed: int, prefixes: Sequence[str]) -> None:
        self._rng = random.Random(f"faults:{seed}")
        self._prefixes = prefixes
        self._faults: list[Fault] = []

    def replace(self, rows: object) -> None:
        """Takes a new list. Raises BadFault and keeps the old one when an entry is wrong."""
        if not isinstance(rows, list):
            raise BadFault("faults: expected a list")
        self._faults = [parse(row, f"faults[{n}]") for n, row in enumerate(rows)]

    def rows(self) -> list[dict[str, Any]]:
        return [fault.row() for fault in self._faults]

    def resets_connection(self) -> bool:
        """Whether a connection that was just accepted is to be reset."""
        fired = [fault for fault in self._faults if fault.stage == "connect" and fault.takes(self._rng)]
        return bool(fired)

    def fire(self, request: Request, stage: Literal["headers", "body"]) -> Fault | None:
        if not self._faults:
            return None
        paths = self._paths(request.path)
        fired = [
            fault
            for fault in self._faults
            if fault.stage == stage and fault.matches(request, paths) and fault.takes(self._rng)
        ]
        return fired[0] if fired else None

    def _paths(self, path: str) -> list[str]:
        """The path as it came, and without the prefix under which a host of the system is served."""
        shorter = [path[len(prefix) :] for prefix in self._prefixes if path.startswith(f"{prefix}/")]
        return [path, *shorter]


def parse(row: object, where: str) -> Fault:
    """One fault as JSON gives it. Raises BadFault with a text that names the place."""
    if not isinstance(row, dict):
        raise BadFault(f"{where}: expected an object")
    do = row.get("do")
    if do not in ARGUMENTS:
        raise BadFault(f"{where}.do: {do!r} is unknown; known: {', '.join(ARGUMENTS)}")
    match = row.get("match", {})
    if not isinstance(match, dict):
        raise BadFault(f"{where}.match: expected an object")
    _only(match, {"method", "path", "contains", "nth", "probability"}, f"{where}.match")
    _only(row, {"match", "do", "times", *ARGUMENTS[do]}, where)
    arguments = {name: row[name] for name in ARGUMENTS[do] if name in row}
    _check_arguments(do, arguments, where)
    times = _whole(row.get("times"), f"{where}.times", least=1)
    for name in ("method", "path", "contains"):
        _kind(match.get(name), str, "a text", f"{where}.match.{name}")
    if arguments.get("when") == "connect":
        _only(match, {"nth", "probability"}, f"{where}.match, before anything of a request is known")
        if times is None and match.get("nth") is None:
            raise BadFault(f"{where}.times: needed, or the control URL could not be reached to end this fault")
    method = match.get("method")
    if do == "malform" and str(method).upper() != NET_TCP:
        raise BadFault(f"{where}.match.method: a malform fault is for {NET_TCP} alone, and must say so")
    return Fault(
        do=do,
        arguments=arguments,
        method=None if method in (None, "*") else str(method).upper(),
        path=str(match.get("path", "*")).lower(),
        contains=None if match.get("contains") is None else str(match["contains"]),
        nth=_nth(match.get("nth"), where),
        probability=_number(match.get("probability"), f"{where}.match.probability", most=1),
        times=times,
        source={key: value for key, value in row.items() if value is not None},
    )


def gateway_answer(fault: Fault) -> Response:
    """The answer of a `status` fault; what a proxy says for a system that did not, unless it names a body."""
    status = int(fault.arguments.get("status", 502))
    body = fault.arguments.get("body")
    if body is None:
        page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>gateway</body></html>"
        return Response.text(page, status, "text/html")
    return Response.text(body, status) if isinstance(body, str) else Response.json(body, status)


def _only(row: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(row) - known)
    if unknown:
        raise BadFault(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def _check_arguments(do: str, arguments: dict[str, Any], where: str) -> None:
    for name in NEEDED.get(do, ()):
        if arguments.get(name) is None:
            raise BadFault(f"{where}.{name}: a {do} fault needs {'a text' if name == 'how' else 'a number'}")
    for name, known in (("when", WHEN.get(do, ())), ("answer", ANSWERS), ("how", SPOILINGS)):
        value = arguments.get(name)
        if value is not None and value not in known:
            raise BadFault(f"{where}.{name}: {value!r} is unknown; known: {', '.join(known)}")
    _number(arguments.get("seconds"), f"{where}.seconds")
    _whole(arguments.get("bytes"), f"{where}.bytes", least=0)
    _whole(arguments.get("status"), f"{where}.status", least=200, most=599)
    _kind(arguments.get("all"), bool, "true or false", f"{where}.all")
    for name in ("text", "code"):
        _kind(arguments.get(name), str, "a text", f"{where}.{name}")
    if not isinstance(arguments.get("retry_after"), str):
        _number(arguments.get("retry_after"), f"{where}.retry_after")


def _kind(value: object, kind: type, name: str, where: str) -> None:
    if value is not None and not isinstance(value, kind):
        raise BadFault(f"{where}: expected {name}, got {value!r}")


def _whole(value: object, where: str, *, least: int, most: int | None = None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        bounds = f"from {least}" if most is None else f"from {least} to {most}"
        raise BadFault(f"{where}: expected a whole number {bounds}, got {value!r}")
    return value


def _number(value: object, where: str, most: float = math.inf) -> float | None:
    """A number from 0; JSON files give fractions as Decimal."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadFault(f"{where}: expected a number, got {value!r}")
    if not math.isfinite(value) or not 0 <= value <= most:
        raise BadFault(f"{where}: expected a number from 0{'' if most == math.inf else f' to {most}'}, got {value!r}")
    return float(value)


def _nth(value: object, where: str) -> frozenset[int] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, list) else [value]
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        raise BadFault(f"{where}.match.nth: expected a number from 1 or a list of them, got {value!r}")
    return frozenset(numbers)

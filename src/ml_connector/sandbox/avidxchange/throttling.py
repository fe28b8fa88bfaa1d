"""The gateway's limits by second and by minute, and the faults that somebody ordered."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, get_args

from ml_connector.sandbox.avidxchange.faults import KNOWN, LIMITS, GatewayFault
from ml_connector.sandbox.avidxchange.options import AvidXchangeOptions, FaultShape, RetryAfter
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request
from ml_connector.sandbox.standin import BadInput, Row

SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)


@dataclass
class Ordered:
    """A fault for the next requests."""

    code: str
    path: str
    times: int
    seconds: float | None
    shape: FaultShape | None
    retry_after: RetryAfter | None


class Throttling:
    """Windows begin on the full second or minute of the stand-in's clock."""

    def __init__(self, clock: Clock, options: AvidXchangeOptions) -> None:
        self._clock, self._options = clock, options
        self._counts: Counter[tuple[str, str]] = Counter()
        self._starts: dict[str, dt.datetime] = {}
        self._ordered: list[Ordered] = []

    def order(self, action: Row) -> None:
        """`{"do": "gateway_fault", "code": "900804", "times": 1, "path": "*vendors*", "seconds": 30, ...}`."""
        code = str(action.get("code", ""))
        if code not in KNOWN:
            raise BadInput(f"gateway_fault: code must be one of {', '.join(KNOWN)}")
        shape = _choice(action, "shape", get_args(FaultShape))
        retry_after = _choice(action, "retry_after", get_args(RetryAfter))
        seconds = float(action.get("seconds", 30)) if code in LIMITS else None
        times = int(action.get("times", 1))
        self._ordered.append(Ordered(code, str(action.get("path", "*")), times, seconds, shape, retry_after))

    def check_ordered(self, request: Request) -> None:
        """Raises the first ordered fault that the request meets."""
        for one in self._ordered:
            if fnmatchcase(request.path.lower(), one.path.lower()):
                one.times -= 1
                if one.times < 1:
                    self._ordered.remove(one)
                until = None if one.seconds is None else self._clock.now() + dt.timedelta(seconds=one.seconds)
                raise GatewayFault(one.code, until=until, shape=one.shape, retry_after=one.retry_after)

    def count(self, operation: str) -> None:
        """Counts a request in every tier; raises the first limit that it is beyond."""
        options = self._options
        for code, what, limit, length in (
            ("900801", "hard", options.hard_limit_per_second, SECOND),
            ("900807", "burst", options.burst_per_second, SECOND),
            ("900803", "application", options.application_per_minute, MINUTE),
            ("900804", "subscription", options.subscription_per_minute, MINUTE),
            ("900802", operation, options.resource_per_minute, MINUTE),
        ):
            if limit:
                self._count(code, what, limit, length)

    def _count(self, code: str, what: str, limit: int, length: dt.timedelta) -> None:
        now = self._clock.now().replace(microsecond=0)
        start = now if length == SECOND else now.replace(second=0)
        if self._starts.get(what) != start:
            self._starts[what] = start
            self._counts[code, what] = 0
        if self._counts[code, what] >= limit:
            raise GatewayFault(code, until=start + length)
        self._counts[code, what] += 1


def _choice(action: Row, name: str, known: tuple[str, ...]) -> Any:
    value = action.get(name)
    if value is not None and value not in known:
        raise BadInput(f"gateway_fault: {name} must be one of {', '.join(known)}")
    return value

"""The fault matrix: what can become of a request that writes, and of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One row of the matrix."""

    name: str
    """As the matrix says it."""
    do: Mapping[str, Any]
    """What the stand-in is told."""
    committed: bool = False
    """The write takes effect and its answer is lost: it has to be found, and must not be sent again."""
    body_only: bool = False
    """The status of success arrives; what is lost is the body."""
    lasts: float = 0
    """Seconds of real time for which it goes on; the clocks of a bench are held and know nothing of them."""
    sample: bool = False
    """Whether it belongs to the sample that is run on PostgreSQL too."""


REFUSED = 0.3

LATE_COMMIT = 400
"""Seconds until a write takes effect whose answer said that it did not come through."""

SETTLE_WAIT = 600
"""Seconds, the policy under which the matrix is run: by then a late commit has come."""

MATRIX = (
    Fault("cut off, then connections refused", {"do": "refuse", "seconds": REFUSED}, lasts=REFUSED),
    Fault("reset before the body was read", {"do": "reset", "when": "headers"}),
    Fault("reset after the request, nothing committed", {"do": "reset"}),
    Fault("committed, then reset", {"do": "commit_then_reset"}, committed=True, sample=True),
    Fault("committed, then 500", {"do": "commit_then_status", "status": 500}, committed=True),
    Fault("committed, then 502", {"do": "commit_then_status", "status": 502}, committed=True),
    Fault("committed, then 504", {"do": "commit_then_status", "status": 504}, committed=True),
    Fault("committed, answer garbled", {"do": "garble"}, committed=True, body_only=True),
    Fault("committed, answer empty", {"do": "empty"}, committed=True, body_only=True),
    Fault("committed, answer cut short", {"do": "truncate"}, committed=True, body_only=True, sample=True),
    Fault("committed, answer drips in slowly", {"do": "drip", "seconds": 0.5}),
    Fault("504 first, committed later", {"do": "late_commit", "seconds": LATE_COMMIT, "status": 504}, committed=True),
    Fault("500, nothing committed", {"do": "status", "status": 500}),
    Fault("503, nothing committed", {"do": "status", "status": 503}),
    Fault("throttled", {"do": "throttle"}, sample=True),
    Fault("throttled, with the time to wait", {"do": "throttle", "retry_after": 2}),
    Fault("session lost before the request", {"do": "expire_session"}, sample=True),
    Fault(
        "committed, the session lost with the answer",
        {"do": "commit_then_expire_session", "answer": "reset"},
        committed=True,
    ),
    Fault("committed, then called unauthorised", {"do": "commit_then_expire_session", "answer": "refused"}),
    Fault("an error inside an answer of success", {"do": "in_band_error"}),
)
"""Every row is tried with every write call."""

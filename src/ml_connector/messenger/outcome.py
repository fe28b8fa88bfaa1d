"""What became of a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    SENT = "sent"
    FAILED = "failed"
    """It did not arrive; the same may work later."""
    REFUSED = "refused"
    """It did not arrive and will not before somebody changes something."""
    UNKNOWN = "unknown"
    """It may have arrived."""


@dataclass(frozen=True)
class Sent:
    outcome: Outcome
    text: str
    """For people; holds none of the address."""

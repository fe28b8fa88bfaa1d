"""What a far system answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from ml_connector.systems.base import OutcomeUnknown, SystemFailure, Transient

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, of whatever status. Its text form shows neither headers nor content."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    content: bytes = field(repr=False)
    system: str = "The system"
    """The system's name for people."""
    wrote: bool = False
    """Whether this answers `Http.write`."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The content as JSON; fractions become Decimal, never float (R21).

        Raises what `unclear` gives when the content is no JSON.
        """
        try:
            return _DECODER.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            garbled = self.unclear("its content is no valid JSON")
        raise garbled

    def unclear(self, why: str) -> SystemFailure:
        """The error to raise when the answer says nothing: OutcomeUnknown for a write (R12), else Transient."""
        if self.wrote:
            return OutcomeUnknown(
                f"{self.system} answered {self.status}, but {why}. Whether it did what was asked is not known."
            )
        return Transient(f"{self.system} answered {self.status}, but {why}.")

    def retry_after(self, now: datetime) -> float | None:
        """Seconds that the Retry-After header asks to wait (a number or a date), if there is one."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdigit():
            return float(text)
        try:
            when = parsedate_to_datetime(text)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return max(0.0, (when - now).total_seconds())


def encode_json(value: Any) -> bytes:
    """JSON with Decimals as exact numbers."""
    return _ENCODER.encode(value)

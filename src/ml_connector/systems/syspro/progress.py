"""How far invoices were read: the cursor of ApInvoice and of what is booked on invoices later.

No column states a change, so a poll reads again what system dates say may have changed. `since` is the latest
journal date seen and `period` the current period at that time: both cover only scans that ended. While a scan is
under way `phase` and `after` say where it goes on, and `seen` what `since` becomes when it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from ml_connector.systems.base import Cursor
from ml_connector.systems.syspro.company import Period

SCAN = "scan"
"""Phase 1: invoices by the date of their journal."""
REVISIT = "revisit"
"""Phase 2: invoices that recent journals and payments name."""
FURTHER = "further"
"""Phase 3: what was booked on invoices later, as documents of their own."""


@dataclass(frozen=True, slots=True)
class Progress:
    since: date | None = None
    period: Period | None = None
    phase: str = SCAN
    after: tuple[str | int, ...] = ()
    seen: date | None = None

    def at(self, phase: str, after: Sequence[str | int] = (), seen: date | None = None) -> Progress:
        return replace(self, phase=phase, after=tuple(after), seen=seen or self.seen)

    def ended(self, period: Period) -> Progress:
        """The scan is over: what was seen counts from now on."""
        return Progress(since=self.seen or self.since, period=period)

    def cursor(self) -> Cursor:
        texts = {
            "since": self.since.isoformat() if self.since else "",
            "period": f"{self.period.year}/{self.period.number}" if self.period else "",
            "phase": self.phase if self.phase != SCAN or self.after else "",
            "after": msgspec.json.encode(self.after).decode() if self.after else "",
            "seen": self.seen.isoformat() if self.seen else "",
        }
        return {name: text for name, text in texts.items() if text}


def progress(cursor: Cursor | None) -> Progress:
    """Where a stored cursor says to go on."""
    stored = cursor or {}
    year, _, number = stored.get("period", "").partition("/")
    return Progress(
        since=date.fromisoformat(stored["since"]) if "since" in stored else None,
        period=Period(int(year), int(number)) if year else None,
        phase=stored.get("phase", SCAN),
        after=tuple(msgspec.json.decode(stored["after"], type=list[str | int])) if "after" in stored else (),
        seen=date.fromisoformat(stored["seen"]) if "seen" in stored else None,
    )

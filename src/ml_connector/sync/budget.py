"""Counted allowances of a credential: 20,000 requests an hour, 200 log-ins an hour, over all processes (R59).

One row per key and window. A process takes a few uses at a time, so that not every request costs a write, and gives
back what it did not need.
"""

from __future__ import annotations

import threading

from django.db.models import F, QuerySet

from ml_connector import clock
from ml_connector.sync import threads
from ml_connector.sync.models import Allowance
from ml_connector.systems.base import Throttled

AT_ONCE = 100
EXACT_BELOW = 1000
"""A limit smaller than this is counted one by one."""
KEPT_SECONDS = 7 * 24 * 3600
"""Windows that ended longer ago are forgotten."""


class CountedBudget:
    """`systems.base.Budget` for one credential. Its methods may be called from several threads."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self._owner_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._left: dict[tuple[str, int], int] = {}

    def spend(self, allowance: str, limit: int, seconds: int) -> None:
        now = int(clock.now().timestamp())
        window = now - now % seconds
        with self._lock:
            left = self._left.get((allowance, window), 0)
            if left == 0:
                with threads.database(self._owner_thread):
                    left = self._take(allowance, limit, window)
            if left == 0:
                raise Throttled(f"All {limit:,} of this hour are used up ({allowance}).", window + seconds - now)
            self._left[allowance, window] = left - 1

    def give_back(self) -> None:
        """Returns what was taken and not spent."""
        with self._lock:
            for (allowance, window), left in self._left.items():
                if left:
                    self._rows(allowance, window).update(used=F("used") - left)
            self._left.clear()

    def _take(self, allowance: str, limit: int, window: int) -> int:
        _, made = Allowance.objects.get_or_create(fingerprint=self.fingerprint, allowance=allowance, window=window)
        if made:
            passed = Allowance.objects.filter(fingerprint=self.fingerprint, allowance=allowance)
            passed.filter(window__lt=window - KEPT_SECONDS).delete()
        for wanted in (AT_ONCE if limit >= EXACT_BELOW else 1, 1):
            if self._rows(allowance, window).filter(used__lte=limit - wanted).update(used=F("used") + wanted):
                return wanted
        return 0

    def _rows(self, allowance: str, window: int) -> QuerySet[Allowance]:
        return Allowance.objects.filter(fingerprint=self.fingerprint, allowance=allowance, window=window)

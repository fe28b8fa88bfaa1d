"""How long to wait after failures in a row: exponential, with jitter, bounded (R63)."""

from __future__ import annotations

import random

FIRST = 5.0
LONGEST = 30 * 60.0


def after(failures: int) -> float:
    """Seconds to wait after the n-th failure in a row; half of it is chance, so that waiters do not meet."""
    span = min(FIRST * 2.0 ** max(failures - 1, 0), LONGEST)
    return span / 2 + random.random() * span / 2  # noqa: S311

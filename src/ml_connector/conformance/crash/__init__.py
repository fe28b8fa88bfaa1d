"""The crash harness: the product as real processes, killed with SIGKILL at chosen points and at random moments.

    python -m ml_connector.conformance.crash my_pair:GROUND --kills 1000
    python -m ml_connector.conformance.crash my_pair:GROUND --kills 200 --database postgres

After every few kills the product runs until it is idle, and both sides are compared by their own books: nothing lost,
nothing twice, nothing left for a person to do. On SQLite the processes are commands and workers, one at a time; on
PostgreSQL three workers run, and of those one after the other dies. The source is edited all the while.

An author of a pair writes a `Ground`: how to open a bench, what people do in the source, and what each side's own
books say. `points` names the places where processes are killed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_connector.conformance.crash.ground import Ground, running_from

__all__ = ["Ground", "running_from"]


def __getattr__(name: str) -> Any:
    """Imported late: the models need settings, and a process that is to be killed makes those first."""
    if name in __all__:
        from ml_connector.conformance.crash import ground  # noqa: PLC0415

        return getattr(ground, name)
    raise AttributeError(name)

"""The audit trail: append-only, hash-chained per Workspace, checkable without us.

Entries hold ids, hashes and field names, no payloads and no names of people (R69): what they refer to can be erased
and the chain stays verifiable. The entries of a transaction are chained as its last statement.

`checkpoints`, `verify` and `export` are modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_connector.audit.trail import Trail, note, recording

__all__ = ["Trail", "note", "recording"]


def __getattr__(name: str) -> Any:
    """Imported late: Django loads this package before its models may be."""
    if name in __all__:
        from ml_connector.audit import trail  # noqa: PLC0415

        return getattr(trail, name)
    raise AttributeError(name)

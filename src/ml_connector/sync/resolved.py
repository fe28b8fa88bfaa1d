"""What resolving a record comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ml_connector.domain.records import content_hash
from ml_connector.sync.models import Link
from ml_connector.sync.problems import Cause
from ml_connector.sync.rounding import Rounding


@dataclass(frozen=True)
class Resolved:
    """A record as the target will be sent it."""

    record: Any
    link: Link | None
    mapping_versions: dict[str, int]
    warnings: tuple[Cause, ...] = ()
    """What people should know of it; it travels all the same."""
    rounding: Rounding | None = None
    """The line that was added to it."""
    codes: dict[str, list[str]] = field(default_factory=dict)
    """The source's codes that were mapped, by Mapping."""

    @property
    def payload(self) -> bytes:
        return bytes(self.record.payload())

    @property
    def hash(self) -> bytes:
        return content_hash(self.payload)


@dataclass(frozen=True)
class Held:
    """Why the record cannot travel now."""

    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Skip:
    """Why the record is not to travel at all."""

    reason: str


@dataclass(frozen=True)
class Gone:
    """It is no longer in the source, but is in the target, where it stays until people have looked (R18)."""

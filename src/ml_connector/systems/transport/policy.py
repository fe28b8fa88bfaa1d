"""Where requests may go, as the host allows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The host's rules for addresses that requests leave for; link-local and metadata addresses never pass."""

    allow_private: bool = True
    """Private ranges: open by default, because ERPs stand on the premises."""
    allow_loopback: bool = True

"""How an entry becomes bytes. What is fixed for ever stands in `offline_verify`; here is the fast way to the same."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from ml_connector.audit.models import AuditEntry, Checkpoint, Cut

canonical = msgspec.json.Encoder().encode
"""The same bytes as `offline_verify.canonical`, ten times as fast."""

FIELDS = ("sequence", "at", "actor", "run", "transaction", "action", "subject", "source_version", "detail")
"""What is hashed, in this order, as a JSON array without blanks."""


def instant(at: datetime) -> str:
    """The one text form of an instant: UTC with microseconds."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z"


def values(entry: AuditEntry) -> list[object]:
    """A stored entry as it was hashed."""
    return [instant(entry.at) if name == "at" else getattr(entry, name) for name in FIELDS]


def signed_values(row: Checkpoint) -> dict[str, str | int]:
    """A stored checkpoint as `offline_verify` reads it."""
    return {
        "checkpoint": row.sequence,
        "hash": bytes(row.hash).hex(),
        "at": instant(row.at),
        "signature": bytes(row.signature).hex(),
        "public_key": row.public_key,
    }


def cut_values(row: Cut) -> dict[str, str | int]:
    """A stored Cut as `offline_verify` reads it."""
    return {
        "cut": row.sequence,
        "hash": bytes(row.hash).hex(),
        "since": row.since,
        "oldest": instant(row.oldest),
        "newest": instant(row.newest),
        "years": row.years,
        "actor": row.actor,
        "noted": row.noted,
        "at": instant(row.at),
        "signature": bytes(row.signature).hex(),
        "public_key": row.public_key,
    }

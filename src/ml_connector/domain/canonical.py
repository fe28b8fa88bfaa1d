"""What every canonical record is: a frozen value that has one canonical form and one hash."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

R = TypeVar("R", bound="Record")


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of the canonical records."""

    def payload(self) -> bytes:
        """Its canonical JSON."""
        return canonical(self)

    @classmethod
    def from_payload(cls: type[R], payload: bytes) -> R:
        """The record again. Raises msgspec.ValidationError for a payload of another shape."""
        return msgspec.json.decode(payload, type=cls)


canonical = msgspec.json.Encoder(order="sorted").encode
"""The canonical JSON of a record: sorted names, decimals as text, absent fields left out."""

HASH_VERSION = 1
"""Raised when a release hashes other fields: records are then compared and re-hashed, and nothing is sent."""


def content_hash(payload: bytes) -> bytes:
    """SHA-256 of a canonical payload, 32 bytes. Equal hash = nothing to do."""
    return hashlib.sha256(payload).digest()

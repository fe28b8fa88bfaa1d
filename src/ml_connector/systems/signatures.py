"""Signatures of webhooks: HMAC-SHA256 over the raw bytes, compared in constant time (R57).

A body that was parsed and written again has another signature: what arrives is checked as it arrived.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import sha256


def signed(body: bytes, signature: bytes, keys: Sequence[bytes]) -> bool:
    """Whether one of the keys made the signature. How long it takes tells neither how much of a signature was right
    nor which key is in force: every key is tried, and no comparison ends early. An empty key makes none that counts."""
    good = False
    for key in keys:
        good |= hmac.compare_digest(hmac.digest(key, body, sha256), signature) and bool(key)
    return good


def from_base64(text: str) -> bytes:
    """The bytes; none for a text that is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""

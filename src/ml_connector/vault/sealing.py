"""AES-256-GCM and HKDF-SHA-256, as the vault uses them. No database, no files."""

from __future__ import annotations

import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12


class NotSealedSo(Exception):
    """Another key, another binding, or changed bytes."""


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, value: bytes, bound_to: bytes) -> bytes:
    """Nonce and ciphertext. Opens only with the same key and binding."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, bound_to)


def unseal(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    """Raises NotSealedSo."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise NotSealedSo from None


def derived(key: bytes, *purpose: str) -> bytes:
    """A key for one purpose, from which neither `key` nor that of another purpose follows."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=binding("ml-connector", *purpose)).derive(key)


def binding(*parts: str) -> bytes:
    """What something is sealed to. Different parts never give the same bytes."""
    return json.dumps(parts, separators=(",", ":")).encode()

"""What can go wrong with secrets. The texts are shown to people and hold none."""

from __future__ import annotations


class VaultError(Exception):
    """Base of all of them. The text says what to do."""


class SecretMissing(VaultError):
    """Nothing is stored under this owner and field."""


class WrongKey(VaultError):
    """What is stored was sealed with another key, or was changed, or was moved from another place."""


class KeyMissing(VaultError):
    """There is no key-encryption key where it should be."""


class KeyUnusable(VaultError):
    """There is a key-encryption key, and it cannot or must not be used as it is."""

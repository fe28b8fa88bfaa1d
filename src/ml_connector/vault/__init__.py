"""The vault: envelope encryption of secrets. One data key per secret, bound to workspace, owner and field.

A stolen database without the key-encryption key reveals no credential (R75).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ml_connector.vault.errors import KeyMissing, KeyUnusable, SecretMissing, VaultError, WrongKey

if TYPE_CHECKING:
    from ml_connector.vault.rotation import Rotation, rotate
    from ml_connector.vault.secrets import check, delete, fingerprint, get, get_all, put, signing_key

__all__ = [
    "KeyMissing",
    "KeyUnusable",
    "Rotation",
    "SecretMissing",
    "VaultError",
    "WrongKey",
    "check",
    "delete",
    "fingerprint",
    "get",
    "get_all",
    "put",
    "rotate",
    "signing_key",
]

_ROTATION = {"Rotation", "rotate"}


def __getattr__(name: str) -> Any:
    """Imported late: Django loads this package before its models may be."""
    if name in __all__:
        return getattr(import_module(f"{__name__}.{'rotation' if name in _ROTATION else 'secrets'}"), name)
    raise AttributeError(name)

"""Fingerprints of what never becomes part of a record: where a supplier's money goes, and how (R52 to R54).

A fingerprint has a part for each thing that can be changed on its own. Parts of the same name and of the same system
compare; one that only one of two fingerprints has says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

ACCOUNT, PAYEE, METHOD, REMIT_TO, REMIT_EMAIL = "account", "payee", "method", "remit_to", "remit_email"
NOTHING = "-"
"""What a part is where nothing was entered."""

_DIGITS = 32
_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


def observed(keyed: Callable[[str], str] | None, parts: Mapping[str, Any]) -> dict[str, str]:
    """What goes into an Item's `observed`: `bank_fingerprint` as `account=… method=…`, each part hashed by `keyed`;
    nothing where there is no key. Blanks, and the order of rows, make no difference."""
    if keyed is None:
        return {}
    hashed = {}
    for name, value in parts.items():
        kept = _kept(value)
        hashed[name] = keyed(f"bank {name} {_encode(kept).decode()}")[:_DIGITS] if kept else NOTHING
    return {"bank_fingerprint": " ".join(f"{name}={value}" for name, value in sorted(hashed.items()))}


def parts_of(fingerprint: str) -> dict[str, str]:
    """A fingerprint's parts, by name."""
    return dict(part.split("=", 1) for part in fingerprint.split())


def _kept(value: Any) -> Any:
    """The value without what is blank; None where nothing is left."""
    if isinstance(value, Mapping):
        return {name: kept for name, part in value.items() if (kept := _kept(part)) is not None} or None
    if isinstance(value, list | tuple):
        return sorted((kept for part in value if (kept := _kept(part)) is not None), key=_encode) or None
    if isinstance(value, str):
        return " ".join(value.split()).casefold() or None
    return value

"""Access tokens: what one says about itself, and how it is kept in the shared session. Pure.

A token is a JWT of RS256 with `exp`, `iat`, `iss` and `bwcid`, the customer's tenant. `expires_in` is described as
minutes and counts seconds in the only example there is: seconds are assumed, which at worst renews too early. Its
signature is not checked here: it comes over https from the host that it is then sent back to.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ml_connector.systems.transport.answer import Answer

LIFETIME = 3600
"""Seconds, where neither the token nor the answer says any."""
MARGIN = 60
"""Seconds before its end from which a token is not used any more."""


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    ends: int
    """Seconds since the epoch, by our clock, from which it is not used any more."""

    @classmethod
    def issued(cls, answer: Answer, now: datetime) -> Token:
        """The token of a successful answer. Raises what `Answer.unclear` gives where there is none."""
        body = answer.json()
        value = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable() or " " in value:
            raise answer.unclear("it holds no access token")
        lifetime = _lifetime(claims(value), body.get("expires_in"), now)
        return cls(value, int(now.timestamp()) + max(1, lifetime - min(MARGIN, lifetime // 2)))

    @classmethod
    def kept(cls, session: str) -> Token:
        """The token of a stored session."""
        value, _, ends = session.rpartition(" ")
        return cls(value, int(ends) if ends.isdigit() else 0)

    def session(self) -> str:
        return f"{self.value} {self.ends}"

    def fresh(self, now: datetime) -> bool:
        return now.timestamp() < self.ends


def claims(token: str) -> dict[str, Any]:
    """What a JWT says about itself; empty for a token of another form."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def claim(token: str, name: str) -> str:
    """A claim that is a text; empty where it is missing."""
    value = claims(token).get(name)
    return value if isinstance(value, str) else ""


def _lifetime(said: dict[str, Any], expires_in: object, now: datetime) -> int:
    """Seconds that a token lives from now: by its own two stamps, which share a clock, before anything else."""
    ends, begins = said.get("exp"), said.get("iat")
    if isinstance(ends, int) and isinstance(begins, int) and ends > begins:
        return ends - begins
    if isinstance(ends, int) and ends > now.timestamp():
        return int(ends - now.timestamp())
    return expires_in if isinstance(expires_in, int) and expires_in > 0 else LIFETIME

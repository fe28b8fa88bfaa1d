"""Access tokens, as Procurify gives them and as they are kept in the shared session. Pure.

A token lives for a day, cannot be refreshed, and names in its scope the domain and the user that it is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ml_connector.systems.transport.answer import Answer

LIFETIME = 24 * 3600
"""Seconds, where the answer names none."""
DOMAIN = "urn:procurify-api:domain:"


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    ends: int
    """Seconds since the epoch, by our clock."""
    lifetime: int
    domain: str
    """As the scope names it; empty where it names none."""

    @classmethod
    def issued(cls, answer: Answer, now: datetime) -> Token:
        """The token of a successful answer. Raises what `Answer.unclear` gives where there is none."""
        body = answer.json()
        value = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable() or " " in value:
            raise answer.unclear("it holds no access token")
        said = body.get("expires_in")
        counts = isinstance(said, int | Decimal) and not isinstance(said, bool) and said > 0
        lifetime = int(said) if counts else LIFETIME
        scopes = str(body.get("scope") or "").split()
        domain = next((scope.removeprefix(DOMAIN) for scope in scopes if scope.startswith(DOMAIN)), "")
        return cls(value, int(now.timestamp()) + lifetime, lifetime, domain)

    @classmethod
    def kept(cls, session: str) -> Token:
        """The token of a stored session; one that is written otherwise has ended."""
        ends, lifetime, domain, value = [*session.split(" "), "", "", "", ""][:4]
        if not (ends.isdigit() and lifetime.isdigit()):
            return cls(value, 0, 0, "")
        return cls(value, int(ends), int(lifetime), "" if domain == "-" else domain)

    def session(self) -> str:
        return f"{self.ends} {self.lifetime} {self.domain or '-'} {self.value}"

    def lasts(self, now: datetime, seconds: int) -> bool:
        """Whether it is good for that long; of one with a short life, for half of it."""
        return now.timestamp() + min(seconds, self.lifetime // 2) < self.ends

"""The three kinds of credentials as values, and the tokens that two of them give."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ml_connector.systems.base import Throttled
from ml_connector.systems.transport.answer import Answer

if TYPE_CHECKING:
    from ml_connector.systems.avidxchange.settings import AvidSettings

LIFETIME = 3600
"""Seconds, where an answer says none; WSO2's own default."""
LONGEST = 24 * 3600
"""Seconds after which a token that is said to have no end is fetched anew all the same."""
DYING = 5
"""Seconds: a token that has fewer left is waited out. The gateway gives one and the same token until its end."""

Secrets = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What is asked for a token: always a POST of a form."""

    url: str
    """Absolute, or blank: the map's own operation."""
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(frozen=True)
class Profile:
    """One kind of credentials."""

    settings: tuple[str, ...]
    secrets: tuple[str, ...]
    headers: Callable[[AvidSettings, Secrets, str], dict[str, str]]
    """Of each request; the last argument is the token, blank for a profile without one."""
    token: Callable[[AvidSettings, Secrets], TokenRequest] | None = None


def _client(settings: AvidSettings, secrets: Secrets) -> TokenRequest:
    gateway = settings.contract.gateway
    form = {"grant_type": "client_credentials"}
    if settings.scope:
        form["scope"] = settings.scope
    form |= {name: text.replace("{company}", settings.company_id) for name, text in gateway.token_form.items()}
    if gateway.client_in == "body":
        form |= {"client_id": settings.client_id, "client_secret": secrets["client_secret"]}
        return TokenRequest(settings.token_url, {}, form)
    pair = base64.b64encode(f"{settings.client_id}:{secrets['client_secret']}".encode()).decode()
    return TokenRequest(settings.token_url, {"authorization": f"Basic {pair}"}, form)


def _user(settings: AvidSettings, secrets: Secrets) -> TokenRequest:
    form = {"grant_type": "password", "username": settings.user, "password": secrets["password"]}
    return TokenRequest("", {settings.contract.headers.gateway_key: f"Bearer {secrets['gateway_key']}"}, form)


PROFILES: Mapping[str, Profile] = {
    "oauth2_client_credentials": Profile(
        ("client_id",),
        ("client_secret",),
        lambda settings, _, token: {settings.contract.headers.bearer: f"Bearer {token}"},
        _client,
    ),
    "company_user_tokens": Profile(
        (),
        ("company_token", "user_token"),
        lambda settings, secrets, _: {
            settings.contract.headers.company_token: secrets["company_token"],
            settings.contract.headers.user_token: secrets["user_token"],
        },
    ),
    "gateway_key_user_password": Profile(
        ("user",),
        ("gateway_key", "password"),
        lambda settings, secrets, token: {
            settings.contract.headers.gateway_key: f"Bearer {secrets['gateway_key']}",
            settings.contract.headers.user_bearer: f"Bearer {token}",
        },
        _user,
    ),
}


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    ends: int
    """Seconds since the epoch, by our clock, from which it is not used any more."""
    of: str
    """Digest of whom it speaks for: company and key."""

    @classmethod
    def issued(cls, answer: Answer, now: datetime, early: int, of: str) -> Token:
        """The token of a successful answer. Raises Throttled for one that is about to end, so that it is waited out,
        and what `Answer.unclear` gives where there is none."""
        body = answer.json()
        value = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable() or " " in value:
            raise answer.unclear("it holds no access token")
        life = _seconds(body.get("expires_in"))
        if life < DYING:
            raise Throttled("The gateway's token is about to end; the next one is asked for then.", life + 1.0)
        return cls(value, int(now.timestamp()) + max(1, life - min(early, life // 2)), of)

    @classmethod
    def kept(cls, session: str) -> Token:
        """The token of a stored session."""
        value, ends, of = [*session.split(" "), "", "", ""][:3]
        return cls(value, int(ends) if ends.isdigit() else 0, of)

    def session(self) -> str:
        return f"{self.value} {self.ends} {self.of}"

    def usable(self, now: datetime, of: str) -> bool:
        return now.timestamp() < self.ends and self.of == of


def _seconds(said: object) -> int:
    """A life in seconds. None, less than nothing or too much of it: the token is said to have no end."""
    if isinstance(said, str) and said.lstrip("-").isdigit():
        said = int(said)
    if not isinstance(said, int) or isinstance(said, bool):
        return LIFETIME
    return LONGEST if said < 0 else min(said, LONGEST)

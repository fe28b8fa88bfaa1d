"""Who may call: OAuth2 client credentials with an audience, a token of 24 hours, and the rights of a user.

Procurify: the application acts as the user who made it. Its role decides what can be seen and written, and an
inactive user ends it. A token belongs to one domain.
"""

import base64
import datetime as dt
import hashlib
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import BadJson, Request, Response, encode
from ml_connector.sandbox.procurify.errors import Refused, invalid
from ml_connector.sandbox.procurify.options import ProcurifyOptions
from ml_connector.sandbox.standin import BadInput, Row

TOKEN = "/oauth/token"  # noqa: S105 (a path)
AUDIENCE = "https://api.procurify.com/"
CLIENT_HEADER = "x-procurify-client"
FIELDS = ("client_id", "client_secret", "audience", "grant_type")


@dataclass(frozen=True)
class Token:
    text: str
    scope: str
    issued: dt.datetime
    expires: dt.datetime


class Access:
    """The application's credentials, and the tokens that are alive."""

    def __init__(self, seed: int, options: ProcurifyOptions, clock: Clock, user: Callable[[], Row]) -> None:
        self._options = options
        self._clock = clock
        self._user = user
        source = random.Random(f"procurify {options.subdomain} {seed}")
        self.domain = options.subdomain
        self.client_id = f"{source.getrandbits(160):032x}"[:32]
        self.client_secret = f"{source.getrandbits(256):064x}"
        self._key = source.randbytes(32)
        self._ids = source
        self._tokens: dict[str, Token] = {}

    def token(self, request: Request) -> Response:
        """The answer to a request for a token."""
        try:
            given = _application(request)
        except _Wrong as wrong:
            return wrong.response()
        known = given["client_id"] == self.client_id and given["client_secret"] == self.client_secret
        if not known or not self._user()["is_active"]:
            return _Wrong(401, self._options.token_refusal, "Unauthorized").response()
        token = self._issue()
        return Response.json(
            {
                "access_token": token.text,
                "scope": token.scope,
                "expires_in": self._options.token_seconds,
                "token_type": "Bearer",
            }
        )

    def check(self, request: Request, resource: str) -> None:
        """Raises Refused: 401 without a good token, 400 without the client's header, 403 without the right."""
        if self.key(request) is None:
            known = _bearer(request)
            raise Refused(401, "Invalid token or token has expired." if known else "")
        if self._options.client_header == "require" and request.headers.get(CLIENT_HEADER, "").lower() != "api":
            raise invalid("X-Procurify-Client", "This header must be api.", "REQUIRED")
        writes = request.method not in {"GET", "HEAD"}
        lacking = set(self._options.no_rights)
        if resource in lacking or (writes and f"{resource} write" in lacking):
            raise Refused(403)

    def key(self, request: Request) -> str | None:
        """The domain of a request whose token is good."""
        token = self._tokens.get(_bearer(request))
        alive = token is not None and self._clock.now() < token.expires and self._user()["is_active"]
        return self.domain if alive else None

    def expire(self, request: Request | None) -> None:
        if request is None:
            self._tokens.clear()
        else:
            self._tokens.pop(_bearer(request), None)

    def rows(self) -> list[Row]:
        """The tokens that were given out and not ended, without their text."""
        return [
            {
                "id": token.text[-16:],
                "scope": token.scope,
                "issued": token.issued.isoformat(),
                "expires": token.expires.isoformat(),
            }
            for token in self._tokens.values()
        ]

    def edit(self, rows: list[Row]) -> list[Row]:
        """A token can only be ended."""
        for row in rows:
            if row.get("_delete") is not True:
                raise BadInput('tokens: only {"id": ..., "_delete": true} is possible')
            for text in [text for text in self._tokens if text.endswith(str(row.get("id")))]:
                del self._tokens[text]
        return rows

    def _issue(self) -> Token:
        now = self._clock.now()
        expires = now + dt.timedelta(seconds=self._options.token_seconds)
        scope = f"urn:procurify-api:domain:{self.domain} urn:procurify-api:email:{self._user()['email']}"
        claims = {
            "iss": f"https://{self.domain}.procurify.example/",
            "sub": f"{self.client_id}@clients",
            "aud": AUDIENCE,
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "scope": scope,
            "gty": "client-credentials",
            "jti": f"{self._ids.getrandbits(128):032x}",
        }
        head = {"alg": "HS256", "typ": "JWT"}
        content = f"{_plain(encode(head))}.{_plain(encode(claims))}"
        signature = hmac.digest(self._key, content.encode(), hashlib.sha256)
        token = Token(f"{content}.{_plain(signature)}", scope, now, expires)
        self._tokens[token.text] = token
        return token


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


class _Wrong(Exception):
    """A request for a token that is refused, in OAuth's words."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error = status, error

    def response(self) -> Response:
        return Response.json({"error": self.error, "error_description": str(self)}, self.status)


def _application(request: Request) -> dict[str, str]:
    """The fields of a request for a token. Raises _Wrong."""
    if _media_type(request) != "application/json":
        raise _Wrong(400, "invalid_request", "Content-Type must be application/json.")
    try:
        body = request.json()
    except BadJson:
        raise _Wrong(400, "invalid_request", "The body is not JSON.") from None
    given = {name: body.get(name) if isinstance(body, dict) else None for name in FIELDS}
    missing = [name for name, value in given.items() if not isinstance(value, str) or not value]
    if missing:
        raise _Wrong(400, "invalid_request", f"Missing required parameter: {missing[0]}")
    if given["grant_type"] != "client_credentials":
        raise _Wrong(403, "unsupported_grant_type", f"Unsupported grant type: {given['grant_type']}")
    if given["audience"] != AUDIENCE:
        raise _Wrong(403, "access_denied", f"Service not found: {given['audience']}")
    return {name: str(value) for name, value in given.items()}


def _plain(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

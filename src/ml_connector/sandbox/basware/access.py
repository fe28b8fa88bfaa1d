"""Who may call: OAuth2 client credentials with scopes and an expiry, or HTTP Basic.

Basware: the client's id and secret go to `/v1/tokens` as HTTP Basic, `grant_type` and `scope` as a form. The token is
a JWT, RS256, with the tenant as claim `bwcid`. Credentials belong to a tenant in one region.
"""

import base64
import binascii
import datetime as dt
import random
import secrets
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ml_connector.sandbox.basware.errors import Bare
from ml_connector.sandbox.basware.kinds import KINDS
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response, encode
from ml_connector.sandbox.standin import BadInput, Row

TOKENS, KEYS, CONFIGURATION = "/v1/tokens", "/.well-known/jwks.json", "/.well-known/openid-configuration"
FORM = "application/x-www-form-urlencoded"
SCOPES = tuple(
    sorted(
        {f"{name}.{right}" for name in KINDS for right in ("read", "write", "delete")}
        | {f"{name}.{right}" for name in ("accountingDocuments", "requestStatus") for right in ("read", "write")}
        | {f"subscriptions.{right}" for right in ("read", "write", "delete")}
        | {"errorFeedbacks.read", "tasks.read", "companies.read"}
    )
)
"""All that the stand-in serves."""


@dataclass(frozen=True)
class Token:
    text: str
    scopes: frozenset[str]
    issued: dt.datetime
    expires: dt.datetime


class Access:
    """The tenant's credentials, and the tokens that are alive."""

    def __init__(self, seed: int, options: BaswareOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        source = random.Random(f"basware {options.region} {seed}")
        self.tenant = f"{source.randrange(100_000, 1_000_000)}-TEST1"
        self.client_id = f"{source.getrandbits(128):032x}"[:26]
        self.client_secret = f"{source.getrandbits(192):048x}"
        self.api_user = f"api.{options.region.lower()}.{source.randrange(1000, 10_000)}"
        self.api_password = f"Pw-{source.getrandbits(96):024x}"
        self.url = ""
        """Where the stand-in answers; set when the port is known."""
        self._tokens: dict[str, Token] = {}

    # --- tokens --------------------------------------------------------------------------------------------

    def token(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            detail = [{"loc": ["body", "grant_type"], "msg": "field required", "type": "value_error.missing"}]
            return Response.json({"detail": detail}, 422)
        if _basic(request) != (self.client_id, self.client_secret):
            return Response.json({"error": "invalid_client"}, 401)
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return _invalid(
                "grant_type must be client_credentials" if form.get("grant_type") else _missing("grant_type")
            )
        asked = form.get("scope", "").split()
        if not asked:
            return _invalid(_missing("scope"))
        owned = self._options.scopes or SCOPES
        granted = [scope for scope in dict.fromkeys(asked) if scope in owned]
        if not granted or (len(granted) < len(set(asked)) and self._options.unowned_scope == "refuse"):
            return Response.json({"error": "invalid_scope", "error_description": "scope is not granted"}, 400)
        token = self._issue(granted)
        life = self._options.token_seconds
        return Response.json(
            {
                "access_token": token.text,
                "scope": " ".join(granted),
                "expires_in": life if self._options.expires_in == "seconds" else life // 60,
                "token_type": "Bearer",
            }
        )

    def keys(self, request: Request) -> Response:
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "e": _of_number(numbers.e), "n": _of_number(numbers.n)}
        return Response.json({"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": "RS256"}]})

    def configuration(self, request: Request) -> Response:
        return Response.json({"issuer": self._issuer, "jwks_uri": f"{self.url}{KEYS}"})

    # --- requests ------------------------------------------------------------------------------------------

    def check_any(self, request: Request) -> None:
        """Raises Bare, 401, for a request without a good credential."""
        if self.key(request) is None:
            raise Bare(401)

    def check(self, request: Request, scope: str) -> str:
        """Whose request it is. Raises Bare: 401, or the site's status for a token without the scope."""
        token = self._bearer(request)
        if token is not None:
            if scope not in token.scopes:
                raise Bare(self._options.missing_scope_status)
            return self.client_id
        if _basic(request) == (self.api_user, self.api_password):
            return self.api_user
        raise Bare(401)

    def key(self, request: Request) -> str | None:
        """The tenant of a request whose credential is good."""
        known = self._bearer(request) is not None or _basic(request) == (self.api_user, self.api_password)
        return self.tenant if known else None

    def expire(self, request: Request | None) -> None:
        if request is None:
            self._tokens.clear()
        else:
            self._tokens.pop(_credential(request, "bearer"), None)

    def rows(self) -> list[Row]:
        """The tokens that are alive, without their text."""
        return [
            {
                "id": token.text[-16:],
                "scope": " ".join(sorted(token.scopes)),
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

    def _bearer(self, request: Request) -> Token | None:
        token = self._tokens.get(_credential(request, "bearer"))
        return token if token is not None and self._clock.now() < token.expires else None

    def _issue(self, scopes: list[str]) -> Token:
        now = self._clock.now()
        expires = now + dt.timedelta(seconds=self._options.token_seconds)
        if not self._options.jwt:
            text = secrets.token_urlsafe(48)
        else:
            text = self._signed(
                {
                    "sub": self.client_id,
                    "scope": " ".join(scopes),
                    "auth_time": int(now.timestamp()),
                    "iss": self._issuer,
                    "aud": "OpenAPI",
                    "exp": int(expires.timestamp()),
                    "iat": int(now.timestamp()),
                    "jti": secrets.token_hex(16),
                    "bwcid": self.tenant,
                }
            )
        token = Token(text, frozenset(scopes), now, expires)
        self._tokens[text] = token
        return token

    def _signed(self, claims: dict[str, Any]) -> str:
        head = {"alg": "RS256", "kid": self._key_id, "typ": "at+jwt"}
        content = f"{_of_bytes(encode(head))}.{_of_bytes(encode(claims))}"
        signature = self._key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{content}.{_of_bytes(signature)}"

    @property
    def _issuer(self) -> str:
        return self._options.issuer or self.url

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        return _key_of(self.tenant)

    @cached_property
    def _key_id(self) -> str:
        return secrets.token_urlsafe(32)


@lru_cache
def _key_of(tenant: str) -> rsa.RSAPrivateKey:
    """Made once for a tenant while the process lives: that takes a moment."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _credential(request: Request, scheme: str) -> str:
    """What stands in the Authorization header after its scheme; empty for another scheme."""
    given, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if given.lower() == scheme else ""


def _basic(request: Request) -> tuple[str, str] | None:
    try:
        text = base64.b64decode(_credential(request, "basic"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _invalid(description: str) -> Response:
    return Response.json({"error": "invalid_request", "error_description": description}, 400)


def _missing(name: str) -> str:
    return f"{name} field required"


def _of_number(value: int) -> str:
    return _of_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _of_bytes(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

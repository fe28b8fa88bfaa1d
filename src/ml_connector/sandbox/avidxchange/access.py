"""Tokens and credentials: the token endpoint, the older sign-in, the customer's two tokens, and the company.

A token of the gateway's opaque kind comes back the same while it lives; one of the JWT kind is new each time and
revokes the last of the same client and scope.
"""

import base64
import binascii
import datetime as dt
import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ml_connector.sandbox.avidxchange.contract import Contract
from ml_connector.sandbox.avidxchange.faults import GatewayFault, Refused
from ml_connector.sandbox.avidxchange.options import AvidXchangeOptions
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response, encode
from ml_connector.sandbox.standin import Row

FORM = "application/x-www-form-urlencoded"
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


@dataclass
class Token:
    value: str
    scope: str
    issued: dt.datetime
    ends: dt.datetime


class Access:
    def __init__(self, seed: int, contract: Contract, clock: Clock, options: AvidXchangeOptions) -> None:
        self._rng = random.Random(f"avidxchange access {seed}")
        self._clock, self._options, self._contract = clock, options, contract
        self._profile = options.auth_profile
        self.company = f"C{self._rng.randint(100_000, 999_999)}"
        self.user = "ap.integration@example.com"
        self.client_id = self._secret("client")
        self._secrets = {
            "client_secret": self._secret("secret"),
            "company_token": self._secret("company"),
            "user_token": self._secret("user"),
            "gateway_key": self._secret("gateway"),
            "password": self._secret("password"),
        }
        self._tokens: dict[str, Token] = {}

    def settings(self) -> Row:
        match self._profile:
            case "oauth2_client_credentials":
                who = {"client_id": self.client_id}
            case "gateway_key_user_password":
                who = {"user": self.user}
            case "company_user_tokens":
                who = {}
        return {"auth_profile": self._profile, "company_id": self.company, **who}

    def secrets(self) -> Row:
        names = {
            "oauth2_client_credentials": ("client_secret",),
            "company_user_tokens": ("company_token", "user_token"),
            "gateway_key_user_password": ("gateway_key", "password"),
        }[self._profile]
        return {name: self._secrets[name] for name in names}

    # --- tokens ----------------------------------------------------------------------------------------------

    def is_token_request(self, request: Request) -> bool:
        access = self._contract.access
        paths = {"oauth2_client_credentials": [access.token], "gateway_key_user_password": access.sign_in}
        return request.path in paths.get(self._profile, [])

    def token(self, request: Request) -> Response:
        """The answer of the token endpoint or of the sign-in: a token, or OAuth's own form of an error."""
        if request.method != "POST":
            raise GatewayFault("405")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return _failed(400, "invalid_request", f"Content-Type must be {FORM}")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if self._profile == "gateway_key_user_password":
            return self._sign_in(request, form)
        refused = self._refuse_client(request, form)
        if refused is not None:
            return refused
        if form.get("grant_type") != "client_credentials":
            kind = "unsupported_grant_type" if "grant_type" in form else "invalid_request"
            return _failed(400, kind, f"Unsupported grant_type value: {form.get('grant_type', '')}")
        scope = form.get("scope", "")
        if self._options.scopes and any(one not in self._options.scopes for one in scope.split()):
            return _failed(400, "invalid_scope", "Invalid or unknown scope")
        return self._issued(scope or "am_application_scope default")

    def _refuse_client(self, request: Request, form: dict[str, str]) -> Response | None:
        basic = _basic(request.headers.get("authorization", ""))
        given = (form["client_id"], form.get("client_secret", "")) if "client_id" in form else None
        if self._options.client_auth == "basic":
            given = None
        elif self._options.client_auth == "body":
            basic = None
        user = basic or given
        if user is None:
            return _failed(401, "invalid_client", "Unsupported Client Authentication Method!")
        if user[0] != self.client_id:
            text = f"A valid OAuth client could not be found for client_id: {user[0]}"
            return _failed(401, "invalid_client", text)
        if user[1] != self._secrets["client_secret"]:
            return _failed(401, "invalid_client", "Client credentials are invalid.")
        return None

    def _sign_in(self, request: Request, form: dict[str, str]) -> Response:
        self._check_bearer(request.headers.get("authorization"), self._secrets["gateway_key"])
        if form.get("grant_type") != "password":
            return _failed(400, "unsupported_grant_type", "Unsupported grant_type")
        if (form.get("username"), form.get("password")) != (self.user, self._secrets["password"]):
            return _failed(400, "invalid_grant", "The user name or password is incorrect.")
        return self._issued("")

    def _issued(self, scope: str) -> Response:
        now = self._clock.now()
        token = next((one for one in self._tokens.values() if one.scope == scope), None)
        if token is None or token.ends <= now or self._options.jwt:
            if token is not None:
                del self._tokens[token.value]
            ends = now + dt.timedelta(seconds=self._options.token_seconds)
            token = Token(self._value(now, ends), scope, now, ends)
            self._tokens[token.value] = token
        left = int((token.ends - now).total_seconds())
        body = {"access_token": token.value, "scope": scope, "token_type": "Bearer", "expires_in": left}
        return Response.json(body, headers=NO_STORE)

    def _value(self, now: dt.datetime, ends: dt.datetime) -> str:
        number = f"{self._rng.getrandbits(128):032x}"
        if not self._options.jwt:
            return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))
        claims = {"jti": number, "sub": self.client_id, "iat": int(now.timestamp()), "exp": int(ends.timestamp())}
        parts = [encode({"alg": "RS256", "typ": "JWT"}), encode(claims), self._rng.randbytes(256)]
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    # --- requests --------------------------------------------------------------------------------------------

    def check(self, request: Request) -> None:
        """Raises GatewayFault when the request has not the credentials of the profile."""
        access = self._contract.access
        match self._profile:
            case "oauth2_client_credentials":
                self._check_token(request.headers.get(access.bearer.lower()))
            case "gateway_key_user_password":
                self._check_bearer(request.headers.get(access.bearer.lower()), self._secrets["gateway_key"])
                self._check_token(request.headers.get(access.user_bearer.lower()))
            case "company_user_tokens":
                for name in ("company_token", "user_token"):
                    given = request.headers.get(getattr(access, name).lower())
                    if given is None:
                        raise GatewayFault("900902")
                    if given != self._secrets[name]:
                        raise GatewayFault("900901")

    def check_company(self, request: Request) -> None:
        """The company of the request: needed with OAuth, where the credentials are a partner's and not its own."""
        given = self._company_of(request)
        if given is None and self._profile == "oauth2_client_credentials":
            place = self._contract.access.company
            raise Refused(400, "CompanyMissing", f"The {place.place} {place.name} is required.")
        if given is not None and given != self.company:
            raise Refused(403, "CompanyUnknown", "There is no such company, or it is not open to you.")

    def key(self, request: Request) -> str | None:
        """The end of the credential, when it is a live one."""
        try:
            self.check(request)
        except GatewayFault:
            return None
        return f"{self.company}/{self.client_id[-4:]}"

    def expire(self, request: Request | None) -> None:
        """Revokes the token of a request, or all. Lasting tokens of a customer are not sessions and stay."""
        if request is None:
            self._tokens.clear()
            return
        access = self._contract.access
        for name in (access.bearer, access.user_bearer):
            scheme, _, value = request.headers.get(name.lower(), "").partition(" ")
            if scheme.lower() == "bearer":
                self._tokens.pop(value, None)

    def rows(self) -> list[Row]:
        return [
            {"token": f"...{one.value[-4:]}", "scope": one.scope, "ends": one.ends.isoformat(timespec="seconds")}
            for one in self._tokens.values()
        ]

    def _company_of(self, request: Request) -> str | None:
        place = self._contract.access.company
        if place.place == "query":
            return request.parameter(place.name)
        return request.headers.get(place.name.lower())

    def _check_token(self, header: str | None) -> None:
        value = _bearer(header)
        token = self._tokens.get(value)
        if token is None or token.ends <= self._clock.now():
            raise GatewayFault("900901", "Access failure for API. Make sure you have provided the correct credentials")

    def _check_bearer(self, header: str | None, secret: str) -> None:
        if _bearer(header) != secret:
            raise GatewayFault("900901")

    def _secret(self, what: str) -> str:
        return f"{what}-{self._rng.getrandbits(96):024x}"


def _bearer(header: str | None) -> str:
    """What stands behind `Bearer`. Raises GatewayFault without it."""
    if not header:
        raise GatewayFault("900902", "Missing OAuth credentials")
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "bearer":
        raise GatewayFault("900905")
    return value


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _failed(status: int, error: str, text: str) -> Response:
    body: dict[str, Any] = {"error_description": text, "error": error}
    return Response.json(body, status, headers=NO_STORE)

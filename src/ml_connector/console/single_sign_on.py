"""Single sign-on by OpenID Connect: allauth's flow, with what a strict client adds to it.

allauth sends no nonce, and trusts a token that came over TLS without looking at its signature. Here every sign-in has
state, PKCE and a nonce, and the token's signature, issuer, audience, times and nonce are checked. People are matched
by an address that the issuer calls verified, never by anything else, and nobody signs up.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from typing import Any, NoReturn

import jwt
import requests
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from ml_connector import redaction
from ml_connector.console import people

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key pair. Never `none`, nor one with a secret that we share."""
CLOCKS_DIFFER = 60
"""Seconds that the issuer's clock may be off."""
LONGEST_ANSWER = 1_000_000
TRUE = (True, "true", "True", 1, "1")

log = logging.getLogger(__name__)


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """Takes nothing from the address of a request but where to go afterwards."""

    pkce_enabled_default = True

    def __init__(self, request: HttpRequest) -> None:
        chosen = settings.SINGLE_SIGN_ON
        redaction.register(chosen["client_secret"])
        app = SocialApp(
            provider=self.id,
            provider_id="sso",
            name=chosen["name"],
            client_id=chosen["client_id"],
            secret=chosen["client_secret"],
            settings={"server_url": chosen["issuer"].rstrip("/")},
        )
        super().__init__(request, app=app)

    def get_oauth2_adapter(self, request: HttpRequest) -> Adapter:
        return Adapter(request)

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        nonce = secrets.token_urlsafe(24)
        return {
            # Only an address of ours; see allauth's is_safe_url.
            "next_url": get_next_redirect_url(request),
            "process": AuthProcess.LOGIN,
            "scope": self.get_default_scope(),
            "auth_params": {"nonce": nonce},
            # Kept with the state, in the session.
            "nonce": nonce,
        }


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """One sign-in."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, "sso")

    def get_provider(self) -> Provider:
        return Provider(self.request)

    @property
    def openid_config(self) -> dict[str, Any]:
        """Raises OAuth2Error where somebody else answers than the issuer that the host named."""
        config: dict[str, Any] = super().openid_config
        if config.get("issuer", "").rstrip("/") != settings.SINGLE_SIGN_ON["issuer"].rstrip("/"):
            raise OAuth2Error("The provider calls itself by another issuer than the one that is set.")
        return config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        path = reverse("sso_back")
        return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **given: Any) -> Any:
        answer = given["response"]
        if not isinstance(answer.get("id_token"), str):
            raise OAuth2Error("The provider sent no id_token.")
        issuer = request.GET.get("iss")
        if issuer is not None and issuer != self.openid_config["issuer"]:
            raise OAuth2Error("The answer is another issuer's.")
        claims = self._decode_id_token(app, answer["id_token"])
        if "email" not in claims and "userinfo_endpoint" in self.openid_config:
            more = self._fetch_user_info(token.token)
            if more.get("sub") == claims["sub"]:
                claims |= {name: more[name] for name in ("email", "email_verified", "name") if name in more}
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """The claims of a token that holds in every respect but its nonce. Raises OAuth2Error."""
        try:
            header = jwt.get_unverified_header(id_token)
            if header.get("alg") not in ALGORITHMS:
                raise OAuth2Error(f"The token is signed by {header.get('alg')!r}, which is not accepted.")
            claims: dict[str, Any] = jwt.decode(
                id_token,
                _key(self._keys(), header),
                algorithms=[header["alg"]],
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=CLOCKS_DIFFER,
                options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
            )
        except jwt.PyJWTError as wrong:
            raise OAuth2Error(f"The token does not hold ({type(wrong).__name__}).") from None
        parties = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if (len(parties) > 1 or "azp" in claims) and claims.get("azp") != app.client_id:
            raise OAuth2Error("The token is meant for another party.")
        return claims

    def _keys(self) -> jwt.PyJWKSet:
        with session() as opened:
            answer = opened.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            return jwt.PyJWKSet.from_dict(answer.json())


def recognise(request: HttpRequest, sociallogin: Any) -> None:
    """Says who it is, or raises ImmediateHttpResponse with a page that says why nobody comes in."""
    claims = sociallogin.account.extra_data["id_token"]
    expected = str(sociallogin.state.get("nonce", ""))
    if not expected or not hmac.compare_digest(expected.encode(), str(claims["nonce"]).encode()):
        _refuse(request, "The answer does not belong to this sign-in. Begin again.")
    email = str(claims.get("email", ""))
    # xms_edov is how Microsoft Entra says that the address is the person's.
    if not email or not (claims.get("email_verified") in TRUE or claims.get("xms_edov") in TRUE):
        name = settings.SINGLE_SIGN_ON["name"]
        _refuse(request, f"{name} does not vouch for your e-mail address. Its administrator can have it verified.")
    person = people.come_in(email, str(claims.get("name", "")))
    if person is None:
        text = f"Nobody was invited as {email}. An owner or administrator of a workspace can invite you."
        _refuse(request, text)
    sociallogin.user = person


def fail(request: HttpRequest, error: str | None, exception: Exception | None) -> NoReturn:
    """Raises ImmediateHttpResponse with a page that says what went wrong."""
    if error == AuthError.CANCELLED:
        _refuse(request, "The sign-in was cancelled there.")
    log.warning("Single sign-on failed: %s", redaction.redacted(str(exception or error)))
    if isinstance(exception, requests.RequestException):
        _refuse(request, "It does not answer, or answers wrongly. Try again; the log says more.", status=503)
    _refuse(
        request, "The answer could not be accepted: it was too late, was used before, or is not right. Begin again."
    )


def session() -> requests.Session:
    """Speaks to the issuer: no proxies or .netrc of the environment, no redirects, bounded in time and size."""
    opened = _Session()
    opened.trust_env = False
    opened.verify = os.environ.get("SSL_CERT_FILE") or True
    return opened


class _Session(requests.Session):
    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        answer = super().request(method, url, **{"timeout": 10, **options, "allow_redirects": False, "stream": True})
        held = b""
        for part in answer.iter_content(65_536):
            held += part
            if len(held) > LONGEST_ANSWER:
                raise requests.ConnectionError("The answer is too long.")
        answer._content = held
        if answer.is_redirect:
            raise requests.ConnectionError("It wants to send us elsewhere, which is not followed.")
        return answer


def _key(keys: jwt.PyJWKSet, header: dict[str, Any]) -> jwt.PyJWK:
    """The key that the token names; one that names none is the only one's."""
    fitting = [key for key in keys.keys if key.public_key_use in {None, "sig"}]
    if "kid" in header:
        fitting = [key for key in fitting if key.key_id == header["kid"]]
    if len(fitting) != 1:
        raise OAuth2Error("The token's key is not among the provider's.")
    return fitting[0]


def refusal(request: HttpRequest, text: str, status: int = 403) -> HttpResponse:
    context = {"title": "You are not signed in", "text": text, "status": status}
    return render(request, "console/failure.html", context, status=status)


def _refuse(request: HttpRequest, text: str, status: int = 403) -> NoReturn:
    raise ImmediateHttpResponse(refusal(request, text, status))

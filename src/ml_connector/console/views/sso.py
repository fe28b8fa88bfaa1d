"""The way to the provider of single sign-on, and back."""

from __future__ import annotations

import requests
from allauth.core import ratelimit
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ml_connector.console.access import public
from ml_connector.console.single_sign_on import Adapter, refusal

AWAY = "It does not answer, or is not set up as this installation expects. Try again, or sign in by password."


@public
@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """A page that goes there by itself: the policy of pages lets no form lead to another site."""
    _needed()
    if not ratelimit.consume(request, action="sso"):
        return refusal(request, "Too many attempts. Wait a minute, then try again.", status=429)
    try:
        answer: HttpResponse = OAuth2LoginView.adapter_view(Adapter(request))(request)
    except (requests.RequestException, OAuth2Error, ValueError, KeyError):
        return refusal(request, AWAY, status=503)
    if answer.status_code != 302:
        return answer
    return render(request, "account/to_provider.html", {"address": answer["location"]})


@public
@never_cache
@require_safe
def back(request: HttpRequest) -> HttpResponse:
    _needed()
    if not ratelimit.consume(request, action="sso"):
        return refusal(request, "Too many attempts. Wait a minute, then try again.", status=429)
    try:
        answer: HttpResponse = OAuth2CallbackView.adapter_view(Adapter(request))(request)
    except (requests.RequestException, OAuth2Error, ValueError, KeyError, TypeError):
        return refusal(request, AWAY, status=503)
    return answer


def _needed() -> None:
    if not settings.SINGLE_SIGN_ON:
        raise Http404

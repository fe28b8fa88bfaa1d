"""Signing in with allauth: who may, how second factors are stored, and what the trail says of it."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import authenticator_added, authenticator_removed
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from ml_connector.console.people import may_use_password, note_everywhere
from ml_connector.vault.errors import WrongKey
from ml_connector.vault.sealing import NotSealedSo, binding, derived, seal, unseal
from ml_connector.vault.secrets import keys_in_force
from ml_connector.workspaces.models import Person


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """People come in by invitation only, and nothing is mailed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Links are handed over by those who invite, because an installation need not have a mail server."""

    def send_notification_mail(self, *arguments: Any, **options: Any) -> None:
        """See `send_mail`."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Person | None:
        """A password that is switched off is answered like a wrong one."""
        person = super().authenticate(request, **credentials)
        return person if person is None or may_use_password(person) else None

    def reauthenticate(self, user: Person, password: str) -> bool:
        return may_use_password(user) and bool(super().reauthenticate(user, password))


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """What allauth asks about OpenID Connect. All is answered in a module that only a server loads: it imports what
    speaks HTTP and reads tokens."""

    def get_requests_session(self) -> Any:
        from ml_connector.console import single_sign_on  # noqa: PLC0415

        return single_sign_on.session()

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        from ml_connector.console import single_sign_on  # noqa: PLC0415

        single_sign_on.recognise(request, sociallogin)

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Any:
        """Nothing of a token is taken over into our tables here; see `recognise`."""
        return sociallogin.user

    def on_authentication_error(self, request: HttpRequest, provider: Any, **options: Any) -> None:
        from ml_connector.console import single_sign_on  # noqa: PLC0415

        single_sign_on.fail(request, options.get("error"), options.get("exception"))


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The seeds of second factors are sealed: a stolen database makes no codes (R75)."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal(_key(), text.encode(), _BOUND)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return unseal(_key(), base64.b64decode(encrypted_text), _BOUND).decode()
        except NotSealedSo:
            raise WrongKey("This second factor was sealed with another key than the installation's.") from None


_BOUND = binding("second factor")


def _key() -> bytes:
    """From the seed beside the key-encryption key: a rotation of that key leaves it alone."""
    return derived(keys_in_force().signing_seed, "second factor")


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: Person, **_: Any) -> None:
    methods = {record.get("method") for record in request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])}
    note_everywhere(user, "sign_in", by="single_sign_on" if "socialaccount" in methods else "password")


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: Person | None, **_: Any) -> None:
    if user is not None:
        note_everywhere(user, "sign_out")


@receiver(authenticator_added)
def _factor_added(request: HttpRequest, user: Person, authenticator: Any, **_: Any) -> None:
    note_everywhere(user, "second_factor", added=str(authenticator.type))


@receiver(authenticator_removed)
def _factor_removed(request: HttpRequest, user: Person, authenticator: Any, **_: Any) -> None:
    note_everywhere(user, "second_factor", removed=str(authenticator.type))

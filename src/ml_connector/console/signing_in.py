"""Signing in with allauth: who may, how second factors are stored, and what the trail says of it."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from ml_connector.console.people import note_everywhere
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
    note_everywhere(user, "sign_in")


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

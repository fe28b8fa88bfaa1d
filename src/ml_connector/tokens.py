"""API tokens: made and shown once, checked at each request, counted, revoked.

mlc_ + 8 that it is known by + 34 by chance (202 bits) + 6 that check the rest

Scanners know a leaked one by its beginning, and tell it from a look-alike by its end. Only its SHA-256 is stored:
what is so long and came by chance needs no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import BigIntegerField, Case, F, Q, Value, When

from ml_connector import audit, clock
from ml_connector.workspaces.models import ApiToken, Workspace
from ml_connector.workspaces.roles import Permission

SCOPES = (Permission.VIEW, Permission.SOLVE, Permission.MAP, Permission.RUN)
"""What a token can be allowed. Never to be the second person, to change credentials, or to let people in."""

DAYS = 90
"""How long a token lasts unless told otherwise."""
AT_MOST_DAYS = 366
AT_MOST = 50
"""Good tokens of a Workspace at a time."""

PER_MINUTE = 300
"""Requests of one token, over all processes."""

_PREFIX = "mlc_"
_ALPHABET = string.ascii_letters + string.digits
_KNOWN_BY, _CHANCE, _CHECK = 8, 34, 6
_FORM = re.compile(rf"{_PREFIX}([A-Za-z0-9]{{{_KNOWN_BY}}})[A-Za-z0-9]{{{_CHANCE + _CHECK}}}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}")


class TokenRefused(ValueError):
    """A token that cannot be made, revoked or used. The text says why and what to do."""


@dataclass(frozen=True)
class Allowance:
    """What a token may still ask in this minute."""

    granted: bool
    left: int
    seconds: int
    """Until the next minute begins."""


def make(workspace: Workspace, name: str, scopes: Collection[str], days: int, actor: str) -> str:
    """A new token, to be shown once and handed over. Raises TokenRefused."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if not _NAME.fullmatch(name):
        raise TokenRefused("A token's name is made of letters, digits, dots, dashes and underscores, 50 at most.")
    if unknown:
        raise TokenRefused(f"A token cannot be allowed to {', '.join(unknown)}. Choose of: {', '.join(SCOPES)}.")
    if not scopes:
        raise TokenRefused(f"Choose what the token may do: {', '.join(SCOPES)}.")
    if not 1 <= days <= AT_MOST_DAYS:
        raise TokenRefused(f"A token lasts from 1 to {AT_MOST_DAYS} days.")
    now = clock.now()
    with audit.recording(workspace, actor=actor) as trail:
        rows = ApiToken.objects.of(workspace)
        if rows.filter(name=name).exists():
            raise TokenRefused(
                f"There was a token {name} before, and the trail names what it did. Choose another name, such as"
                f" {name}-2."
            )
        if rows.filter(revoked_at=None, expires_at__gt=now).count() >= AT_MOST:
            raise TokenRefused(f"There are {AT_MOST} tokens already. Revoke those that nobody uses.")
        text = _generated()
        allowed = [scope.value for scope in SCOPES if scope in scopes]
        row = ApiToken.objects.create(
            workspace=workspace,
            name=name,
            public=_public(text),
            hash=_hash(text),
            scopes=allowed,
            made_at=now,
            made_by=actor[:100],
            expires_at=now + timedelta(days=days),
        )
        trail.add("token", f"token:{row.pk}", name=name, scopes=allowed, expires=row.expires_at.isoformat())
    return text


def listed(workspace: Workspace) -> list[ApiToken]:
    """The good ones first, by name."""
    now = clock.now()
    return sorted(ApiToken.objects.of(workspace), key=lambda row: (not row.good(now), row.name))


def revoke(workspace: Workspace, name: str, actor: str) -> None:
    """Ends a token at once. Raises TokenRefused where there is none of the name."""
    with audit.recording(workspace, actor=actor) as trail:
        row = ApiToken.objects.of(workspace).filter(name=name).first()
        if row is None:
            raise TokenRefused(f"Workspace {workspace.name} has no token {name!r}.")
        if row.revoked_at is None:
            row.revoked_at = clock.now()
            row.save(update_fields=["revoked_at"])
            trail.add("token", f"token:{row.pk}", name=name, revoked=True)


def check(workspace: str, text: str) -> ApiToken:
    """The token's row, with its Workspace. Raises TokenRefused.

    One that is of another Workspace, or of none, is answered alike, whether there is such a Workspace or not (R74).
    """
    unknown = TokenRefused(f"This is no token of a workspace {workspace}. Make one there under Settings.")
    found = _FORM.fullmatch(text)
    if found is None or not text.endswith(_checked(text[:-_CHECK])):
        raise unknown
    rows = ApiToken.objects.across_workspaces().select_related("workspace")
    row = rows.filter(workspace__name=workspace, public=found[1]).first()
    if not hmac.compare_digest(bytes(row.hash) if row else bytes(32), _hash(text)) or row is None:
        raise unknown
    if row.revoked_at is not None:
        raise TokenRefused(f"The token {row.name} was revoked. Make a new one under Settings.")
    if not row.good(clock.now()):
        raise TokenRefused(f"The token {row.name} expired on {row.expires_at:%Y-%m-%d}. Make a new one under Settings.")
    return row


def count(token: ApiToken) -> Allowance:
    """Counts one request, in one statement that all processes share. A minute never goes back, so that a machine
    whose clock is behind counts into the minute of the others."""
    now = clock.now()
    minute, seconds = divmod(int(now.timestamp()), 60)
    rows = ApiToken.objects.of(token.workspace_id).filter(pk=token.pk)
    granted = rows.filter(Q(minute__lt=minute) | Q(used__lt=PER_MINUTE)).update(
        used=Case(When(minute__lt=minute, then=Value(1)), default=F("used") + 1),
        minute=Case(When(minute__lt=minute, then=Value(minute, BigIntegerField())), default=F("minute")),
        last_used_at=now,
    )
    used = rows.values_list("used", flat=True).first() or 0
    return Allowance(bool(granted), max(PER_MINUTE - used, 0), 60 - seconds)


def _generated() -> str:
    body = _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_KNOWN_BY + _CHANCE))
    return body + _checked(body)


def _checked(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        text += _ALPHABET[digit]
    return text


def _public(text: str) -> str:
    return text[len(_PREFIX) : len(_PREFIX) + _KNOWN_BY]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()

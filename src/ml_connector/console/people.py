"""Who may come in: the first owner, invitations, new passwords, roles. Every change is in the trail by id (R69)."""

from __future__ import annotations

import hashlib
import re
import secrets
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import SESSION_KEY, password_validation
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from ml_connector import audit, clock
from ml_connector.sync.models import Problem, ProblemState
from ml_connector.workspaces.models import Invitation, Membership, Person, Workspace
from ml_connector.workspaces.models.people import ACTOR
from ml_connector.workspaces.roles import Role

LINK_LASTS = timedelta(hours=24)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


class PeopleRefused(ValueError):
    """What was asked for cannot be. Nothing was changed; the text says why and what to do."""


@dataclass(frozen=True)
class MemberRow:
    """Somebody in a Workspace."""

    person: int
    email: str
    name: str
    role: str
    since: datetime
    second_factor: bool
    last_sign_in: datetime | None


@dataclass(frozen=True)
class Joining:
    """What somebody who holds a link says of themselves."""

    email: str
    name: str
    password: str
    workspace: str = ""
    """Name of the first Workspace, where there is none yet."""
    time_zone: str = "UTC"


def nobody_yet() -> bool:
    """Nobody can sign in: the first owner is still to be made."""
    return not Person.objects.exists()


def first_owner_code() -> str:
    """A code that makes its holder the first owner. Earlier ones end. Raises PeopleRefused when there is somebody."""
    with transaction.atomic():
        if not nobody_yet():
            raise PeopleRefused("There are people already. Invite more with: ml-connector people add ADDRESS")
        Invitation.objects.filter(role=Role.OWNER, workspace=None, used_at=None).delete()
        return _invitation(role=Role.OWNER)


def invite(workspace: Workspace, email: str, role: str, actor: str) -> str:
    """A code by which somebody comes into a Workspace; one who signs in already is put there at once, and the code
    is empty. Raises PeopleRefused."""
    if role not in Role.values:
        raise PeopleRefused(f"There is no role {role!r}. Choose one of: {', '.join(Role.values)}.")
    email = _address(email)
    with audit.recording(workspace, actor=actor) as trail:
        person = Person.objects.filter(email=email).first()
        if person is None:
            trail.add("people", "invitation", role=role)
            return _invitation(workspace=workspace, email=email, role=role)
        place = Membership.objects.of(workspace).filter(person=person).first()
        if place is None:
            _join(workspace, person, role)
        else:
            _not_the_last_owner(place, role)
            place.role = role
            place.save(update_fields=["role"])
        trail.add("people", person.actor, role=role)
    return ""


def new_password_code(email: str, actor: str, *, without_second_factor: bool = False) -> str:
    """A code by which somebody chooses a new password; with the flag their second factors are taken away, for one who
    lost them. Raises PeopleRefused."""
    person = _known(email)
    if not may_use_password(person):
        raise PeopleRefused(
            f"{email} signs in by {settings.SINGLE_SIGN_ON['name']}, and passwords are switched off for those who do."
        )
    with transaction.atomic():
        if without_second_factor:
            Authenticator.objects.filter(user=person).delete()
        note_everywhere(person, "new_password_link", actor, without_second_factor=without_second_factor)
        return _invitation(person=person)


def reset_link(workspace: Workspace, email: str, actor: str, *, without_second_factor: bool = False) -> str:
    """A code by which somebody of this Workspace chooses a new password, made by one of its people. Raises
    PeopleRefused.

    Not for somebody who is in other Workspaces too: whoever holds the code would come into those as well.
    """
    person = _known(email)
    places = Membership.objects.across_workspaces().filter(person=person).values_list("workspace_id", flat=True)
    if workspace.pk not in places:
        raise PeopleRefused(f"{email} is not in workspace {workspace.name}.")
    if person.actor == actor:
        raise PeopleRefused("For yourself: change the password and the second factor under My account.")
    if len(places) > 1:
        raise PeopleRefused(
            f"{email} is in other workspaces too. Whoever runs this installation can make the link: people reset."
        )
    return new_password_code(email, actor, without_second_factor=without_second_factor)


def remove(workspace: Workspace, email: str, actor: str) -> None:
    """Takes somebody out of a Workspace; they stay in their others. Raises PeopleRefused."""
    person = _known(email)
    with audit.recording(workspace, actor=actor) as trail:
        place = Membership.objects.of(workspace).filter(person=person).first()
        if place is None:
            raise PeopleRefused(f"{email} is not in workspace {workspace.name}.")
        _not_the_last_owner(place, "")
        place.delete()
        Problem.objects.of(workspace).filter(owner=person, state=ProblemState.OPEN).update(owner=None)
        trail.add("people", person.actor, removed=True)


def erase(email: str, actor: str) -> None:
    """Erases all that is stored of a person: name, address, password, second factors, places, sessions, invitations.
    The trails hold a number only, so they stay as they are and hold (R69). Raises PeopleRefused."""
    person = _known(email)
    with transaction.atomic():
        for place in Membership.objects.across_workspaces().filter(person=person).select_related("workspace"):
            _not_the_last_owner(place, "")
        note_everywhere(person, "person_erased", actor)
        for session in Session.objects.iterator():
            if session.get_decoded().get(SESSION_KEY) == str(person.pk):
                session.delete()
        Invitation.objects.filter(email=person.email).delete()
        person.delete()


def members(workspace: Workspace) -> list[MemberRow]:
    rows = list(Membership.objects.of(workspace).select_related("person").order_by("person__email"))
    secured = set(Authenticator.objects.filter(user__in=[row.person_id for row in rows]).values_list("user", flat=True))
    return [
        MemberRow(
            row.person_id,
            row.person.email,
            row.person.name,
            row.role,
            row.since,
            row.person_id in secured,
            row.person.last_login,
        )
        for row in rows
    ]


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """What people are called who stand in the trail by id; nobody for those who were erased (R69)."""
    ids = {int(actor.removeprefix(ACTOR)) for actor in actors if re.fullmatch(rf"{ACTOR}\d+", actor)}
    return {person.actor: str(person) for person in Person.objects.filter(pk__in=ids)} if ids else {}


def invitation_of(code: str) -> Invitation | None:
    """The link's row, while it is good."""
    digest = hashlib.sha256(code.encode()).digest()
    row = Invitation.objects.select_related("workspace", "person").filter(code_hash=digest, used_at=None).first()
    return row if row is not None and row.expires_at > clock.now() else None


def join(code: str, said: Joining) -> Person:
    """Uses a link up: makes the person and their place, or gives them their new password.

    Raises PeopleRefused for a link that is not good any more, and ValidationError for a password that is too weak.
    """
    with transaction.atomic():
        invitation = invitation_of(code)
        if invitation is None or not _used_up(invitation):
            raise PeopleRefused("This link is not good any more. Ask for a new one where you got it.")
        if invitation.person is not None:
            return _renewed(invitation.person, said)
        email = invitation.email or _address(said.email)
        if Person.objects.filter(email=email).exists():
            raise PeopleRefused(f"{email} can sign in already.")
        if invitation.workspace is None and not nobody_yet():
            raise PeopleRefused("The first owner is there already. Ask them for an invitation.")
        person = Person(email=email, name=said.name.strip()[:100], created_at=clock.now())
        password_validation.validate_password(said.password, person)
        person.set_password(said.password)
        person.save()
        for workspace in [invitation.workspace] if invitation.workspace else _first_workspaces(said):
            with audit.recording(workspace, actor=person.actor) as trail:
                _join(workspace, person, invitation.role)
                trail.add("people", person.actor, role=invitation.role, joined=True)
        return person


def come_in(address: str, name: str) -> Person | None:
    """Somebody whom single sign-on vouches for, by verified address: one who is known, or one who holds an open
    invitation, which this takes up. None for everybody else: nobody signs up by themselves."""
    email = address.strip().lower()
    with transaction.atomic():
        person = Person.objects.filter(email=email).first()
        if person is None:
            person = _invited(email, name.strip()[:100])
        if person is not None:
            person.single_sign_on_at = clock.now()
            person.save(update_fields=["single_sign_on_at"])
    return person


def may_use_password(person: Person) -> bool:
    """False for those who come in by single sign-on where the host has switched passwords off for them."""
    single = settings.SINGLE_SIGN_ON
    return not single or single["passwords"] or person.single_sign_on_at is None


def _invited(email: str, name: str) -> Person | None:
    """All open invitations of the address, to several Workspaces maybe, are taken up at once."""
    rows = Invitation.objects.filter(email=email, used_at=None, expires_at__gt=clock.now(), person=None)
    person = None
    for invitation in rows.exclude(workspace=None).select_related("workspace").order_by("made_at"):
        workspace = invitation.workspace
        if workspace is None or not _used_up(invitation):
            continue
        if person is None:
            person = Person(email=email, name=name, created_at=clock.now())
            person.set_unusable_password()
            person.save()
        if Membership.objects.of(workspace).filter(person=person).exists():
            continue
        with audit.recording(workspace, actor=person.actor) as trail:
            _join(workspace, person, invitation.role)
            trail.add("people", person.actor, role=invitation.role, joined=True, by="single_sign_on")
    return person


def note_everywhere(person: Person, action: str, actor: str | None = None, **detail: Any) -> None:
    """Writes to the trail of every Workspace that a person is in."""
    for place in Membership.objects.across_workspaces().filter(person=person).select_related("workspace"):
        audit.note(place.workspace, actor or person.actor, action, person.actor, **detail)


def _invitation(**values: Any) -> str:
    code = secrets.token_urlsafe(24)
    digest = hashlib.sha256(code.encode()).digest()
    now = clock.now()
    Invitation.objects.create(code_hash=digest, made_at=now, expires_at=now + LINK_LASTS, **values)
    return code


def _used_up(invitation: Invitation) -> bool:
    """Of two who use a link at once, one succeeds."""
    return bool(Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=clock.now()))


def _renewed(person: Person, said: Joining) -> Person:
    password_validation.validate_password(said.password, person)
    person.set_password(said.password)
    person.save(update_fields=["password"])
    note_everywhere(person, "new_password")
    return person


def _first_workspaces(said: Joining) -> list[Workspace]:
    """Those that nobody is in yet; where there is no Workspace at all, a new one of the name given."""
    taken = Membership.objects.across_workspaces().values("workspace_id")
    rows = list(Workspace.objects.exclude(pk__in=taken).order_by("name"))
    if rows:
        return rows
    name = said.workspace.strip()
    if not _NAME.fullmatch(name):
        raise PeopleRefused("A workspace's name is made of letters, digits, dots, dashes and underscores, 60 at most.")
    if said.time_zone not in zoneinfo.available_timezones():
        raise PeopleRefused(f"{said.time_zone} is no time zone. Choose one of the list.")
    return [Workspace.objects.create(name=name, created_at=clock.now(), time_zone=said.time_zone)]


def _join(workspace: Workspace, person: Person, role: str) -> None:
    Membership.objects.create(workspace=workspace, person=person, role=role, since=clock.now())


def _not_the_last_owner(place: Membership, role: str) -> None:
    if place.role != Role.OWNER or role == Role.OWNER:
        return
    if not Membership.objects.of(place.workspace_id).filter(role=Role.OWNER).exclude(pk=place.pk).exists():
        raise PeopleRefused("A workspace needs an owner. Make somebody else owner first.")


def _known(email: str) -> Person:
    person = Person.objects.filter(email=_address(email)).first()
    if person is None:
        raise PeopleRefused(f"Nobody signs in as {email}. `people list` shows who does.")
    return person


def _address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise PeopleRefused(f"{email!r} is no e-mail address.") from None
    return address

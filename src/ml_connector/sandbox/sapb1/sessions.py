"""Users and their sessions: B1SESSION and ROUTEID, a sliding end, locked users, licences."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ml_connector.sandbox.http import BadJson, Request
from ml_connector.sandbox.sapb1 import errors
from ml_connector.sandbox.sapb1.errors import Refused, invalid
from ml_connector.sandbox.sapb1.options import SapB1Options

VERSION = "1000340"
NODE = ".node1"


@dataclass
class User:
    code: str
    password: str
    locked: bool = False
    wrong: int = 0
    """Wrong passwords since the last good one."""


@dataclass
class Session:
    id: str
    user: str
    company: str
    used: dt.datetime


class Sessions:
    """`now` is the stand-in's clock; a session belongs to one company and serves both versions."""

    def __init__(self, company: str, users: list[User], options: SapB1Options, now: Callable[[], dt.datetime]) -> None:
        self.users = {user.code: user for user in users}
        self._company = company
        self._options = options
        self._now = now
        self._alive: dict[str, Session] = {}

    def log_in(self, request: Request) -> Session:
        """A new session for the credentials in the body. Raises Refused."""
        given = _credentials(request)
        if given["CompanyDB"] != self._company:
            raise Refused(401, errors.UNKNOWN_COMPANY, errors.LOGIN_TEXT)
        user = self._authenticated(given["UserName"], given["Password"])
        if 0 < self._options.licences <= len(self.alive()):
            text = "No license is available for this user; contact the system administrator."
            raise Refused(401, self._options.licence_code, text)
        session = Session(str(uuid.uuid4()), user.code, self._company, self._now())
        self._alive[session.id] = session
        return session

    def _authenticated(self, code: str, password: str) -> User:
        user = self.users.get(code)
        if user is None:
            raise Refused(401, errors.WRONG_LOGIN, errors.LOGIN_TEXT)
        if user.locked:
            raise Refused(401, self._options.locked_code, "User account is locked; contact the system administrator.")
        if user.password != password:
            user.wrong += 1
            user.locked = 0 < self._options.lock_after <= user.wrong
            raise Refused(401, errors.WRONG_LOGIN, errors.LOGIN_TEXT)
        user.wrong = 0
        return user

    def use(self, request: Request) -> Session:
        """The living session of a request, its idle time starting anew. Raises Refused."""
        session = self._alive.get(session_id(request) or "")
        if session is None or self._expired(session):
            raise Refused(401, self._options.expiry_code, errors.SESSION_TEXT)
        session.used = self._now()
        return session

    def alive(self) -> list[Session]:
        return [session for session in self._alive.values() if not self._expired(session)]

    def end(self, id_: str | None) -> None:
        self._alive.pop(id_ or "", None)

    def end_all(self) -> None:
        self._alive.clear()

    def _expired(self, session: Session) -> bool:
        return self._now() - session.used > dt.timedelta(minutes=self._options.session_minutes)


def session_id(request: Request) -> str | None:
    """The B1SESSION cookie; ROUTEID and others do not matter."""
    pairs = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pairs if name == "B1SESSION"), None)


def cookies_of(session: Session) -> list[tuple[str, str]]:
    return [("Set-Cookie", f"B1SESSION={session.id};HttpOnly;"), ("Set-Cookie", f"ROUTEID={NODE}; path=/b1s")]


def _credentials(request: Request) -> dict[str, str]:
    """CompanyDB, UserName, Password; the content type does not matter."""
    try:
        body: Any = request.json()
    except BadJson:
        raise invalid("Invalid JSON in the request body.") from None
    if not isinstance(body, dict):
        raise invalid("Invalid JSON in the request body.")
    unknown = set(body) - {"CompanyDB", "UserName", "Password", "Language"}
    if unknown:
        raise Refused(400, errors.UNKNOWN_PROPERTY, f"Property '{sorted(unknown)[0]}' of 'Login' is invalid")
    wrong = [name for name in ("CompanyDB", "UserName", "Password") if not isinstance(body.get(name), str)]
    if wrong:
        raise Refused(401, errors.WRONG_LOGIN, errors.LOGIN_TEXT)
    return body

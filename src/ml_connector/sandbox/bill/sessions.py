"""Login, sessions and the hourly limits.

BILL: a session of a user ends after 35 minutes without calls, one of a sync token after 48 hours; each call
restarts the time. A session works only with the developer key that made it. Earlier sessions stay valid.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from ml_connector.sandbox.bill.errors import Error, Refused, hourly_limit
from ml_connector.sandbox.bill.ids import BANK_ACCOUNT, ORGANISATION, USER, Ids
from ml_connector.sandbox.bill.options import BillOptions
from ml_connector.sandbox.bill.reading import Reader, body_of
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response, decode
from ml_connector.sandbox.standin import BadInput, Row

LOGIN = "/v3/login"


@dataclass(frozen=True)
class Credential:
    kind: Literal["user", "sync_token"]
    username: str
    password: str
    user_id: str


@dataclass
class Session:
    id: str
    credential: Credential
    created: dt.datetime
    used: dt.datetime


class Sessions:
    """Who is logged in, and how often somebody called in this clock hour."""

    def __init__(self, ids: Ids, clock: Clock, options: BillOptions) -> None:
        self._ids, self._clock, self._options = ids, clock, options
        self.organisation = ids.new(ORGANISATION)
        self.bank_account = ids.new(BANK_ACCOUNT)
        self.developer_key = ids.hex("devKey").upper()
        user, token = ids.new(USER), ids.new(USER)
        self.credentials = {
            "user": Credential("user", "ap.clerk@example.com", f"Pw-{ids.hex('password', 16)}", user),
            "sync_token": Credential("sync_token", "ml-connector", ids.hex("token", 40), token),
        }
        self._sessions: dict[str, Session] = {}
        self._logins: list[Row] = []
        self._hour = ""
        self._this_hour: Counter[str] = Counter()
        self._wrong_passwords: Counter[str] = Counter()

    def login(self, request: Request) -> Response:
        reader = Reader(body_of(request))
        username = reader.text("username", required=True) or ""
        password = reader.text("password", required=True) or ""
        organisation = reader.text("organizationId", required=True)
        developer_key = reader.text("devKey", required=True)
        reader.done()
        try:
            self._count("login", self._options.logins_per_hour, self._options.rate_limit_status)
            credential = self._authenticate(username, password, organisation, developer_key)
        except Refused as refused:
            self._log(username, refused.status)
            raise
        self._log(username, 200)
        now = self._clock.now()
        session = Session(self._ids.hex("session").upper(), credential, now, now)
        self._sessions[session.id] = session
        return Response.json(
            {
                "sessionId": session.id,
                "organizationId": self.organisation,
                "userId": credential.user_id,
                "trusted": False,
            }
        )

    def session(self, request: Request) -> Session:
        """The live session of a request; its time starts anew."""
        if request.headers.get("devkey") != self.developer_key:
            raise Refused(401, Error("Developer key is invalid.", "BDC_1102"))
        session = self._sessions.get(request.headers.get("sessionid", ""))
        now = self._clock.now()
        if session is None or (now - session.used).total_seconds() >= self._idle(session):
            raise self._no_session()
        session.used = now
        return session

    def describe(self, session: Session) -> Response:
        return Response.json(
            {
                "organizationId": self.organisation,
                "userId": session.credential.user_id,
                "mfaStatus": "DISABLED",
                "mfaBypass": False,
            }
        )

    def logout(self, session: Session) -> Response:
        self._sessions.pop(session.id, None)
        return Response()

    def count_request(self, limit_status: int) -> None:
        """Refuses with `BDC_1144` beyond the limit of the developer key in this clock hour."""
        self._count("request", self._options.requests_per_hour, limit_status)

    def key(self, request: Request) -> str | None:
        """Developer key (its end) and organisation of a request, when they are ours."""
        if request.path.endswith(LOGIN):
            return self._login_key(request.body)
        known = request.headers.get("sessionid") in self._sessions
        ours = request.headers.get("devkey") == self.developer_key
        return self._key() if known and ours else None

    def expire(self, request: Request | None) -> None:
        if request is None:
            self._sessions.clear()
        else:
            self._sessions.pop(request.headers.get("sessionid", ""), None)

    def rows(self) -> list[Row]:
        return [
            {
                "id": session.id,
                "username": session.credential.username,
                "credentialKind": session.credential.kind,
                "createdTime": session.created.isoformat(timespec="milliseconds"),
                "lastUsedTime": session.used.isoformat(timespec="milliseconds"),
            }
            for session in self._sessions.values()
        ]

    def logins(self) -> list[Row]:
        return list(self._logins)

    def edit(self, rows: list[Row]) -> list[Row]:
        """A session can only be removed from outside."""
        for row in rows:
            if not row.get("_delete"):
                raise BadInput('sessions: only {"id": ..., "_delete": true} is possible')
            self._sessions.pop(str(row.get("id")), None)
        return []

    def _authenticate(
        self, username: str, password: str, organisation: str | None, developer_key: str | None
    ) -> Credential:
        if developer_key != self.developer_key:
            raise Refused(401, Error("Developer key is invalid.", "BDC_1102"))
        if organisation != self.organisation:
            raise Refused(400, Error("Invalid organization id.", "BDC_1123"))
        lock = self._options.login_lock_after
        if lock and self._wrong_passwords[username] >= lock:
            raise Refused(401, Error("Login is locked.", "BDC_1110"))
        for credential in self.credentials.values():
            if (username, password) == (credential.username, credential.password):
                self._wrong_passwords[username] = 0
                return credential
        self._wrong_passwords[username] += 1
        raise Refused(401, Error("Invalid user name or password.", "BDC_1101"))

    def _idle(self, session: Session) -> float:
        if session.credential.kind == "user":
            return self._options.session_idle_s
        return self._options.token_idle_s

    def _no_session(self) -> Refused:
        if self._options.session_error_status == 403:
            return Refused(403, Error("Session has expired.", "BDC_1361"))
        return Refused(401, Error("Session is invalid. Please log in.", "BDC_1109"))

    def _count(self, what: str, limit: int, status: int) -> None:
        hour = self._clock.now().isoformat()[:13]
        if hour != self._hour:
            self._hour = hour
            self._this_hour.clear()
        if self._this_hour[what] >= limit:
            raise hourly_limit(status, limit)
        self._this_hour[what] += 1

    def _log(self, username: str, status: int) -> None:
        now = self._clock.now().isoformat(timespec="milliseconds")
        self._logins.append({"time": now, "username": username, "status": status})

    def _login_key(self, body: bytes) -> str | None:
        try:
            given = decode(body)
        except ValueError:
            return None
        ours = {"devKey": self.developer_key, "organizationId": self.organisation}
        return self._key() if isinstance(given, dict) and ours.items() <= given.items() else None

    def _key(self) -> str:
        return f"{self.organisation}/{self.developer_key[-4:]}"

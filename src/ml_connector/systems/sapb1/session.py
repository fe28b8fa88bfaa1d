"""Requests to the Service Layer: sign-in, the shared session, and answers as values or errors.

A session is the cookie B1SESSION, with ROUTEID beside it, which names the node that has its caches. Both are carried by
hand: B1SESSION comes without a path, and cookie jars lose it. Sign-ins at the same time fail, and one session's calls
run one after another. A session ends when idle: status 401, or code 301, and nothing of the request is executed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from ml_connector.systems.base import Access, AuthFailed, NotFound, OutcomeUnknown, SystemFailure, Transient
from ml_connector.systems.sapb1.errors import NAME, SESSION_LOST, failure, fault, login_failure, session_lost
from ml_connector.systems.sapb1.settings import options
from ml_connector.systems.transport.http import Answer, Http

Json = dict[str, Any]

PARALLEL = 1
SECONDS_PER_REQUEST = 60
"""Sign-ins take up to eight seconds; a page that takes longer than this asks for a smaller page_size."""

_COOKIE = {name: re.compile(rf"\b{name}=([^;,\s]+)") for name in ("B1SESSION", "ROUTEID")}


class ServiceLayer:
    """One Connection's requests."""

    def __init__(self, access: Access) -> None:
        self.options = options(access.settings)
        self.access = access
        self._http = Http(
            self.options.base_url,
            name=NAME,
            access_network=access.network,
            ca_certificates=self.options.tls_ca_bundle or None,
            parallel=PARALLEL,
            total_timeout=SECONDS_PER_REQUEST,
            may_write=access.may_write,
        )
        self._doubtful: str | None = None
        """A session made because its predecessor was refused, until it has been taken once."""
        self._refused: AuthFailed | None = None
        """A refused sign-in: this client does not try again, because SAP Business One locks users (R61)."""
        self.version = ""
        self.session_minutes: int | None = None

    def server_time(self) -> datetime | None:
        return self._http.server_time()

    def alive(self) -> Answer:
        """The answer of the server's own sign of life, which needs no session."""
        base = urlsplit(self.options.base_url)
        return self._http.read("GET", f"{base.scheme}://{base.netloc}/ping/")

    def signed_in(self) -> str:
        """Makes sure that there is a session."""
        return self._session()

    def read(self, path: str, *, about: str, page_size: int | None = None) -> Answer:
        """A successful answer to a GET. A lapsed session is renewed once, and the request repeated once (R62)."""
        headers = {"prefer": f"odata.maxpagesize={page_size}"} if page_size else {}
        return self._reading("GET", path, headers, about)

    def call(self, function: str, *, about: str) -> Json:
        """What a function that changes nothing answers."""
        body = self._reading("POST", function, {}, about)
        found = body.json()
        if not isinstance(found, dict):
            raise body.unclear("it is no object")
        return found

    def write(self, method: str, path: str, body: Any = None, *, about: str) -> Answer:
        """A successful answer to one request that changes something.

        Whether a session ended before the write was handled or meanwhile cannot be told from outside: the session is
        renewed and OutcomeUnknown raised, so that the write is searched for before it comes again (R3, R62).
        """
        session = self._session()
        answer = self._leave("write", method, path, session, {}, body)
        if self._lost(answer):
            text = f"The session of {NAME} ended around {about}: whether it was written is looked up."
            try:
                self._renewed(session)
            except SystemFailure as lost:
                raise OutcomeUnknown(text, then=lost) from None
            raise OutcomeUnknown(text)
        self._taken(session)
        return self._successful(answer, about)

    def one(self, path: str, *, about: str) -> Json | None:
        """The object at a path with its key, or None."""
        try:
            answer = self.read(path, about=about)
        except NotFound:
            return None
        body = answer.json()
        if not isinstance(body, dict):
            raise answer.unclear("it is no object")
        return body

    def own(self, link: str) -> str:
        """A next link as a path or address: bare ones start at the service, those with a slash at the host."""
        if not link.startswith("/"):
            return link
        base = urlsplit(self.options.base_url)
        return f"{base.scheme}://{base.netloc}{link}"

    def close(self) -> None:
        self._http.close()

    def _reading(self, method: str, path: str, headers: dict[str, str], about: str) -> Answer:
        session = self._session()
        answer = self._leave("read", method, path, session, headers, None)
        if self._lost(answer):
            session = self._renewed(session)
            answer = self._leave("read", method, path, session, headers, None)
            if fault(answer).code == SESSION_LOST:
                raise self._never_accepted()
        self._taken(session)
        return self._successful(answer, about)

    def _session(self) -> str:
        return self.access.sessions.current() or self.access.sessions.renew(None, self._sign_in)

    def _renewed(self, stale: str) -> str:
        if stale == self._doubtful:
            raise self._never_accepted()
        self._doubtful = self.access.sessions.renew(stale, self._sign_in)
        return self._doubtful

    def _taken(self, session: str) -> None:
        if session == self._doubtful:
            self._doubtful = None
        self.access.sessions.used()

    def _lost(self, answer: Answer) -> bool:
        return session_lost(answer, self.options.extra_session_codes)

    def _never_accepted(self) -> Transient:
        return Transient(
            f"{NAME} lets us sign in and then does not take the session. Check that the nodes of the Service Layer "
            "run and that base_url has the right spelling: small and capital letters differ."
        )

    def _leave(self, kind: str, method: str, path: str, session: str, headers: dict[str, str], body: Any) -> Answer:
        send = self._http.write if kind == "write" else self._http.read
        given = {"cookie": session, "accept": "application/json", **headers}
        return self._redacted(send(method, path, headers=given, json=body), session)

    def _redacted(self, answer: Answer, session: str = "") -> Answer:
        """An error answer, whose words are shown to people, without our secrets should it echo them (R71)."""
        if answer.ok:
            return answer
        content = answer.content
        for secret in (*self.access.secrets.values(), *(part.partition("=")[2] for part in session.split("; ")[:1])):
            if secret:
                content = content.replace(secret.encode(), b"***")
        return replace(answer, content=content)

    def _sign_in(self) -> str:
        if self._refused is not None:
            raise self._refused
        chosen = self.options
        body = {
            "CompanyDB": chosen.company_db,
            "UserName": chosen.user,
            "Password": self.access.secrets["password"],
        }
        if chosen.language:
            body["Language"] = chosen.language
        answer = self._redacted(self._http.read("POST", "Login", headers={"accept": "application/json"}, json=body))
        if not answer.ok:
            refused = login_failure(answer, chosen.base_url, chosen.company_db, chosen.user, self.access.now())
            if isinstance(refused, AuthFailed):
                self._refused = refused
            raise refused
        found = answer.json()
        if not isinstance(found, dict):
            raise answer.unclear("it holds no session")
        self.version = str(found.get("Version") or "")
        minutes = found.get("SessionTimeout")
        self.session_minutes = minutes if isinstance(minutes, int) else None
        return cookies(found.get("SessionId"), answer)

    def _successful(self, answer: Answer, about: str) -> Answer:
        if answer.ok:
            return answer
        raise failure(answer, about, self.access.now())


def cookies(session_id: object, answer: Answer) -> str:
    """The Cookie header of a session: the body's id, which equals B1SESSION, and the node where one is named."""
    sent = answer.headers.get("set-cookie", "")
    named = {name: found[1] for name, pattern in _COOKIE.items() if (found := pattern.search(sent))}
    session = session_id if isinstance(session_id, str) and session_id else named.get("B1SESSION")
    if not session or not re.fullmatch(r"[\x21-\x3a\x3c-\x7e]+", session):
        raise answer.unclear("it holds no session")
    route = f"; ROUTEID={named['ROUTEID']}" if "ROUTEID" in named else ""
    return f"B1SESSION={session}{route}"

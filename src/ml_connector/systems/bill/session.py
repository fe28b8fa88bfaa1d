"""Requests to BILL: sign-in, the shared session, the limits, and answers as values or errors.

The developer key goes into the body of the sign-in and into a header of every other request, beside the session
id. There is no refresh: a lapsed session (401, `BDC_1109`) means a new sign-in. BILL allows 200 sign-ins and 20,000
requests an hour by developer key, and three requests at a time by organisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ml_connector.systems.base import (
    Access,
    Conflict,
    NotFound,
    OutcomeUnknown,
    Refused,
    SystemFailure,
    Transient,
    WrongCompany,
)
from ml_connector.systems.bill.errors import failure, session_lost
from ml_connector.systems.bill.settings import BillSettings
from ml_connector.systems.transport.http import Answer, Http, Parameters

Json = dict[str, Any]

PARALLEL = 3
HOUR = 3600
LOGINS_PER_HOUR = 200
REQUESTS_PER_HOUR = 20_000
SECONDS_PER_REQUEST = 60


class Bill:
    """One Connection's requests."""

    def __init__(self, access: Access) -> None:
        self.settings = BillSettings.of(access.settings)
        self.access = access
        self._http = Http(
            self.settings.base_url,
            name="BILL",
            access_network=access.network,
            ca_certificates=self.settings.tls_ca_bundle,
            parallel=PARALLEL,
            total_timeout=SECONDS_PER_REQUEST,
            secret_parameters=frozenset({"devkey", "sessionid"}),
            may_write=access.may_write,
            more_bases=(self.settings.events_base_url,),
        )
        self._doubtful: str | None = None
        """A session made because BILL refused its predecessor, until BILL has taken it once."""

    def server_time(self) -> datetime | None:
        return self._http.server_time()

    def read(self, path: str, params: Parameters = (), *, about: str) -> Answer:
        """A successful answer to a GET. A lapsed session is renewed once, and the request repeated once (R62)."""
        session = self._session()
        answer = self._leave(self._http.read, "GET", path, session, params=params)
        if self._lost(answer):
            session = self._renewed(session)
            answer = self._leave(self._http.read, "GET", path, session, params=params)
            if self._lost(answer):
                raise self._never_accepted()
        self._taken(session)
        return self._successful(answer, about)

    def write(self, method: str, path: str, body: Any = None, *, about: str, idempotent: str | None = None) -> Answer:
        """A successful answer to one request that changes something. `idempotent`: a UUID by which BILL's webhook API
        knows a request that came before; its main API has no such thing.

        Whether a session ended before the write was handled or meanwhile cannot be told from outside: the session is
        renewed and OutcomeUnknown raised, so that the write is searched for before it comes again (R3, R62).
        """
        session = self._session()
        more = {"X-Idempotent-Key": idempotent} if idempotent else {}
        answer = self._leave(self._http.write, method, path, session, more, json=body)
        if self._lost(answer):
            text = f"BILL's session ended around {about}: whether it was written is looked up."
            try:
                self._renewed(session)
            except SystemFailure as failure:
                raise OutcomeUnknown(text, then=failure) from None
            raise OutcomeUnknown(text)
        self._taken(session)
        return self._successful(answer, about)

    def write_batch(self, path: str, body: Any, *, about: str) -> Answer:
        """A create of several, all or nothing: one bad member refuses all, so every refusal is Refused."""
        try:
            return self.write("POST", path, body, about=about)
        except (NotFound, Conflict) as unfit:
            text = str(unfit)
        raise Refused("batch_refused", f"BILL took none of {about}. {text}")

    def one(self, path: str, key: str, *, about: str) -> Json | None:
        """The object of a list by its id, or None.

        A user may be allowed to list and not to read by id (`BDC_1145`): then the list is asked for that id.
        """
        try:
            answer = self.read(f"{path}/{key}", about=about)
        except NotFound:
            return None
        except Refused as refused:
            if refused.code != "permission":
                raise
        else:
            return identified(answer, key)
        listed = self.read(path, {"filters": f"id:eq:{key}", "sort": "createdTime:asc", "max": "2"}, about=about).json()
        rows = listed.get("results", []) if isinstance(listed, dict) else []
        return next((row for row in rows if isinstance(row, dict) and row.get("id") == key), None)

    def organization(self) -> str:
        """The organisation's id as BILL states it for the session. Raises WrongCompany for another than set."""
        answer = self.read("/v3/login/session", about="the session's details")
        body = answer.json()
        found = body.get("organizationId") if isinstance(body, dict) else None
        if not isinstance(found, str) or not found:
            raise answer.unclear("it does not name the organisation")
        self._expect_company(found)
        return found

    def close(self) -> None:
        self._http.close()

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
        return session_lost(answer, self.settings.session_lost_codes)

    def _never_accepted(self) -> Transient:
        return Transient(
            "BILL lets us sign in and then does not take the session. Check that devKey belongs to this environment "
            "and that the user still belongs to the organisation."
        )

    def _leave(
        self,
        send: Callable[..., Answer],
        method: str,
        path: str,
        session: str,
        more: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> Answer:
        self.access.budget.spend("request", REQUESTS_PER_HOUR, HOUR)
        headers = {"devKey": self.access.secrets["devKey"], "sessionId": session, "accept": "application/json"}
        headers |= more or {}
        return self._redacted(send(method, path, headers=headers, **rest), session)

    def _redacted(self, answer: Answer, session: str = "") -> Answer:
        """An error answer, whose words are shown to people, without our secrets should it echo them (R71)."""
        if answer.ok:
            return answer
        content = answer.content
        for secret in (*self.access.secrets.values(), session):
            if secret:
                content = content.replace(secret.encode(), b"***")
        return replace(answer, content=content)

    def _sign_in(self) -> str:
        self.access.budget.spend("login", LOGINS_PER_HOUR, HOUR)
        self.access.budget.spend("request", REQUESTS_PER_HOUR, HOUR)
        answer = self._http.read(
            "POST",
            "/v3/login",
            headers={"accept": "application/json"},
            json={
                "username": self.settings.username,
                "password": self.access.secrets["password"],
                "organizationId": self.settings.organization_id,
                "devKey": self.access.secrets["devKey"],
            },
        )
        if not answer.ok:
            raise failure(self._redacted(answer), "the sign-in", self.access.now())
        body = answer.json()
        session = body.get("sessionId") if isinstance(body, dict) else None
        if not isinstance(session, str) or not session:
            raise answer.unclear("it holds no session")
        self._expect_company(body.get("organizationId"))
        return session

    def _expect_company(self, found: object) -> None:
        if found and found != self.settings.organization_id:
            raise WrongCompany(
                f"BILL signed us in to organisation {found}, but the Connection is for "
                f"{self.settings.organization_id}. Nothing is read or written until organizationId is put right."
            )

    def _successful(self, answer: Answer, about: str) -> Answer:
        if answer.ok:
            return answer
        raise failure(answer, about, self.access.now())


def identified(answer: Answer, key: str | None = None) -> Json:
    """The object inside a successful answer. Without an id, or with another's, the answer says nothing (R12)."""
    body = answer.json()
    found = body.get("id") if isinstance(body, dict) else None
    if not isinstance(found, str) or not found or (key is not None and found != key):
        raise answer.unclear("it does not hold the object that was asked for")
    return dict(body)

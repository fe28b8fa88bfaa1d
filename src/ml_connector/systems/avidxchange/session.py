"""Requests to AvidXchange: address, company, credentials, token, limit, and answers as values or errors.

A token speaks for one company. It is kept in the Connection's shared session and renewed by one process at a time: the
gateway gives either the same token again with the seconds that it has left, or a new one that ends the one before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from ml_connector.systems.avidxchange import paths
from ml_connector.systems.avidxchange.contract import Operation, Place
from ml_connector.systems.avidxchange.credentials import PROFILES, Token
from ml_connector.systems.avidxchange.faults import NAME, failure, sign_in_failure, token_ended
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import flag
from ml_connector.systems.avidxchange.settings import options
from ml_connector.systems.base import Access, AuthFailed, NotFound, OutcomeUnknown, Refused, SystemFailure
from ml_connector.systems.transport.http import Answer, Http

PARALLEL = 1
MINUTE = 60
FORM_TYPE = "application/x-www-form-urlencoded"
REFUSED = "refused_by_target"


class Avid:
    """One Connection's requests."""

    def __init__(self, access: Access) -> None:
        """Raises Refused, naming the setting, before anything is sent: for an assumed contract that would leave this
        machine among others."""
        self.settings = options(access.settings)
        self.contract = self.settings.contract
        self.access = access
        self.profile = PROFILES[self.settings.auth_profile]
        for name in self.profile.secrets:
            if not access.secrets.get(name):
                raise Refused(
                    "field_missing", f"Credentials of the kind {self.settings.auth_profile} need {name}.", name
                )
        company = self.contract.company
        self._http = Http(
            self.settings.base_url,
            name=NAME,
            access_network=access.network,
            ca_certificates=self.settings.tls_ca_bundle,
            parallel=PARALLEL,
            may_write=access.may_write,
            more_bases=(self.settings.token_url,),
            secret_parameters=frozenset({company.name}) if company.place is Place.QUERY else frozenset(),
        )
        self._doubtful: str | None = None
        """A session made because the gateway refused its predecessor, until it has been taken once."""

    def server_time(self) -> datetime | None:
        return self._http.server_time()

    def read(
        self,
        operation: Operation,
        *,
        about: str,
        params: Mapping[str, str] | None = None,
        place: Mapping[str, str] | None = None,
        link: str = "",
    ) -> Answer:
        """A successful answer. A token that ended is renewed once, and the request repeated once (R62).

        `place`: what stands for the placeholders of the operation's path. `link`: an address that an answer gave, in
        the operation's stead.
        """
        url = self.linked(link) if link else self._address(operation, place or {})
        session = self._session()
        answer = self._leave(operation.method, url, session, params or {}, None, write=False)
        if session and token_ended(answer, self.contract):
            session = self._renewed(session)
            answer = self._leave(operation.method, url, session, params or {}, None, write=False)
            if token_ended(answer, self.contract):
                raise self._not_taken()
        self._taken(session)
        return self._successful(answer, about)

    def put(self, operation: Operation, item: Json, *, about: str) -> Json:
        """Sends one item and gives what the answer holds of it. HTTP 200 is no success: the item's own result is.

        Whether a token ended before the write was handled or meanwhile cannot be told from outside: it is renewed and
        OutcomeUnknown raised, so that the write is looked for before it comes again (R3, R62).
        """
        body: Json = {**operation.fixed, **item}
        if self.contract.writes.wrap and not operation.bare:
            body = {self.contract.writes.wrap: [body]}
        session = self._session()
        answer = self._leave(operation.method, self._address(operation, {}), session, {}, body, write=True)
        if session and token_ended(answer, self.contract):
            text = f"{NAME}'s token ended around {about}: whether it was written is looked up."
            try:
                self._renewed(session)
            except SystemFailure as lost:
                raise OutcomeUnknown(text, then=lost) from None
            raise OutcomeUnknown(text)
        self._taken(session)
        try:
            self._successful(answer, about)
        except NotFound as gone:
            refusal = str(gone)
        else:
            return self._result(answer, about, bare=operation.bare)
        raise Refused(
            "reference_missing", f"{NAME} does not take {about}: it names something that is not there. {refusal}"
        )

    def one(self, operation: Operation, key: str, *, about: str) -> Json | None:
        """The object of that id, wherever in the answer it lies, or None."""
        try:
            answer = self.read(operation, about=about, place={"id": key})
        except NotFound:
            return None
        body = answer.json()
        for path in self.contract.single:
            found = paths.read(body, path) if paths.parse(path) else body
            if isinstance(found, dict) and found:
                return found
        if isinstance(body, dict) and paths.read(body, self.contract.lists.rows) == []:
            return None
        raise answer.unclear("it does not hold the object that was asked for")

    def linked(self, href: str) -> str:
        """An address that an answer gave; a relative one is below the API. Raises Refused for another server's."""
        gateway = self.contract.gateway
        if "://" in href:
            return href
        path = "/" + href.lstrip("/")
        if gateway.context and path.startswith(self._filled(gateway.context, {}) + "/"):
            return self.settings.base_url + path
        if path.startswith(f"/{gateway.version}/"):
            path = path[len(gateway.version) + 1 :]
        return self._root() + path

    def close(self) -> None:
        self._http.close()

    # --- the token ---

    def _speaker(self) -> str:
        text = "|".join((self.settings.auth_profile, self.settings.token_url, self.settings.company_id,
                         self.settings.client_id, self.settings.user, self.settings.scope))  # fmt: skip
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _session(self) -> str:
        """The stored token with its end; blank for credentials that need none."""
        if self.profile.token is None:
            return ""
        session = self.access.sessions.current()
        if session is not None and Token.kept(session).usable(self.access.now(), self._speaker()):
            return session
        return self.access.sessions.renew(session, self._sign_in)

    def _renewed(self, stale: str) -> str:
        if stale == self._doubtful:
            raise self._not_taken()
        self._doubtful = self.access.sessions.renew(stale, self._sign_in)
        return self._doubtful

    def _taken(self, session: str) -> None:
        if not session:
            return
        if session == self._doubtful:
            self._doubtful = None
        self.access.sessions.used()

    def _sign_in(self) -> str:
        assert self.profile.token is not None
        self._spend()
        asked = self.profile.token(self.settings, self.access.secrets)
        answer = self._http.read(
            "POST",
            asked.url or self._address(self.contract.operations.authorize, {}),
            headers={"accept": "application/json", "content-type": FORM_TYPE, **asked.headers},
            content=urlencode(asked.form).encode(),
        )
        now = self.access.now()
        if not answer.ok:
            raise sign_in_failure(answer, now, self.contract)
        return Token.issued(answer, now, self.contract.gateway.early_renewal, self._speaker()).session()

    def _not_taken(self) -> AuthFailed:
        return AuthFailed(
            f"{NAME} gives a token and then does not take it. Check that the key belongs to this environment, is "
            "subscribed to the API, and that no other program uses it: each new token may end the one before."
        )

    # --- one exchange ---

    def _leave(
        self, method: str, url: str, session: str, params: Mapping[str, str], body: Any, *, write: bool
    ) -> Answer:
        self._spend()
        token = Token.kept(session).value if session else ""
        headers = {
            "accept": "application/json",
            **self.profile.headers(self.settings, self.access.secrets, token),
        }
        company, key = self.contract.company, self.settings.company_id
        params = dict(params)
        if company.place is Place.HEADER:
            headers[company.name] = key
        elif company.place is Place.BODY and write:
            body = {company.name: key, **body}
        elif company.place in {Place.QUERY, Place.BODY}:
            params[company.name] = key
        send = self._http.write if write else self._http.read
        return self._redacted(send(method, url, params=params, headers=headers, json=body), token)

    def _spend(self) -> None:
        self.access.budget.spend("request", self.settings.requests_per_second * MINUTE, MINUTE)

    def _root(self) -> str:
        gateway = self.contract.gateway
        version = f"/{gateway.version}" if gateway.version else ""
        return self.settings.base_url + self._filled(gateway.context, {}) + version

    def _address(self, operation: Operation, place: Mapping[str, str]) -> str:
        return self._root() + self._filled(operation.path, place)

    def _filled(self, path: str, place: Mapping[str, str]) -> str:
        for name, value in {**place, "company": self.settings.company_id}.items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        return path

    def _result(self, answer: Answer, about: str, *, bare: bool) -> Json:
        """The item of the one result. Raises Refused with the item's own errors."""
        writes = self.contract.writes
        body = answer.json() if answer.content.strip() else None
        results = paths.read(body, writes.results)
        results = [results] if isinstance(results, dict) else results
        if bare and not results:
            return {}
        if not isinstance(results, list) or len(results) != 1:
            raise answer.unclear("it does not hold one result for the one item sent")
        ok = flag(paths.read(results[0], writes.ok))
        if ok is None:
            raise answer.unclear("its result says neither yes nor no")
        if not ok:
            raise self._refused(results[0], about)
        item = paths.read(results[0], writes.item)
        return item if isinstance(item, dict) else {}

    def _refused(self, result: Json, about: str) -> Refused:
        writes = self.contract.writes
        errors = paths.listed(paths.read(result, writes.errors))
        texts = [str(paths.read(one, writes.error_text) or "") for one in errors[:3]]
        codes = [str(code) for one in errors if (code := paths.read(one, writes.error_code))]
        said = "; ".join(text for text in texts if text) or "no reason"
        return Refused(codes[0] if codes else REFUSED, f"{NAME} does not take {about}. ({NAME} says: {said[:300]})")

    def _redacted(self, answer: Answer, token: str) -> Answer:
        """An error answer, whose words are shown to people, without our secrets should it echo them (R71)."""
        if answer.ok:
            return answer
        content = answer.content
        for secret in (*self.access.secrets.values(), token, self.settings.client_id):
            if secret:
                content = content.replace(secret.encode(), b"***")
        return replace(answer, content=content)

    def _successful(self, answer: Answer, about: str) -> Answer:
        if answer.ok:
            return answer
        raise failure(answer, about, self.access.now(), self.contract)

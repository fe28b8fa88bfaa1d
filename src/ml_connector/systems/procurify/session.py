"""Requests to Procurify: the token, its renewal, the pace, and answers as values or errors.

Every customer has a host of its own. `POST /oauth/token` takes id, secret and audience as JSON and gives a token for a
day, which is to be kept that long. Every request names its kind of client in `X-Procurify-Client`. No limit is
published, and whoever asks for too much can be suspended: requests leave at a pace, which a 429 slows down.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from ml_connector.systems.base import Access, AuthFailed, NotFound, OutcomeUnknown, SystemFailure, Throttled, Transient
from ml_connector.systems.procurify.errors import NAME, TooSlow, failure, in_band, sign_in_failure, token_lost
from ml_connector.systems.procurify.settings import options
from ml_connector.systems.procurify.tokens import Token
from ml_connector.systems.transport.http import Answer, Http, Parameters

Json = dict[str, Any]

CLIENT = "api"
"""What `X-Procurify-Client` has to say."""
MARGIN = 5 * 60
"""Seconds before its end from which a token is not used any more."""
SMALLEST_PAGE = 10
"""Rows that Procurify gives where nobody asks for a number."""
SLOWEST = 8
"""How many times slower than set the pace gets."""


class Pace:
    """Lets requests leave one after the other, so many in a second."""

    def __init__(self, per_second: int) -> None:
        self._shortest = 1 / per_second
        self._between = self._shortest
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._between
        if start > now:
            time.sleep(start - now)

    def slower(self) -> None:
        with self._lock:
            self._between = min(self._between * 2, self._shortest * SLOWEST)

    @property
    def seconds(self) -> float:
        """Between two requests."""
        return self._between


class Domain:
    """One Connection's requests."""

    def __init__(self, access: Access) -> None:
        self.options = options(access.settings)
        self.access = access
        self.page_size = self.options.page_size
        """Rows that are asked for: fewer, once Procurify gave fewer or took too long."""
        self.pace = Pace(self.options.requests_per_second)
        self._http = Http(
            self.options.base_url,
            name=NAME,
            access_network=access.network,
            ca_certificates=self.options.tls_ca_bundle or None,
            parallel=self.options.parallel,
            total_timeout=self.options.timeout_seconds,
            may_write=access.may_write,
        )
        self._doubtful: str | None = None
        """A session made because its predecessor was refused, until it has been taken once."""
        self._begun = False

    def server_time(self) -> datetime | None:
        return self._http.server_time()

    def read(self, path: str, params: Parameters | None = None, *, about: str) -> Answer:
        """A successful answer to a GET. A lapsed token is renewed once, and the request repeated once (R62)."""
        session = self._session()
        answer = self._leave("GET", path, session, params, None)
        if token_lost(answer):
            session = self._renewed(session)
            answer = self._leave("GET", path, session, params, None)
            if token_lost(answer):
                raise self._not_taken(about)
        self._taken(session)
        return self._successful(answer, about)

    def write(self, method: str, path: str, body: Any, *, about: str) -> Answer:
        """A successful answer to one request that changes something.

        Whether a token ended before the write was handled or meanwhile cannot be told from outside: it is renewed and
        OutcomeUnknown raised, so that the write is looked for before it comes again (R3, R62).
        """
        session = self._session()
        answer = self._leave(method, path, session, None, body)
        if token_lost(answer):
            text = f"{NAME}'s token ended around {about}: whether it was stored is looked up."
            try:
                self._renewed(session)
            except SystemFailure as lost:
                raise OutcomeUnknown(text, then=lost) from None
            raise OutcomeUnknown(text)
        self._taken(session)
        answer = self._successful(answer, about)
        if in_band(answer):
            raise failure(replace(answer, status=400), about, self.access.now())
        return answer

    def one(self, path: str, *, about: str) -> tuple[Json, Answer] | None:
        """The object at a path, and the answer that it came in; None where there is none."""
        try:
            answer = self.read(path, about=about)
        except NotFound:
            return None
        return wrapped(answer), answer

    def named(self) -> str:
        """The customer's domain: as the token says, else as it is set."""
        return Token.kept(self._session()).domain or self.options.subdomain or urlsplit(self.options.base_url).netloc

    def smaller(self) -> bool:
        """Halves the page that is asked for; False where it is as small as it gets."""
        if self.page_size <= SMALLEST_PAGE:
            return False
        self.page_size = max(SMALLEST_PAGE, self.page_size // 2)
        return True

    def close(self) -> None:
        self._http.close()

    # --- the session ---

    def _session(self) -> str:
        """The stored token. At the start of a cycle it has to last for a while, so that it does not end within."""
        chosen, session = self.options, self.access.sessions.current()
        needed = MARGIN if self._begun else max(MARGIN, chosen.renew_ahead_minutes * 60)
        if session is not None and Token.kept(session).lasts(self.access.now(), needed):
            self._begun = True
            return session
        try:
            renewed = self.access.sessions.renew(session, self._sign_in)
        except (Transient, Throttled):
            # A token that still lives is not thrown away because no new one came (R60).
            if session is None or not Token.kept(session).lasts(self.access.now(), MARGIN):
                raise
            renewed = session
        self._begun = True
        return renewed

    def _renewed(self, stale: str) -> str:
        if stale == self._doubtful:
            raise self._not_taken("a request")
        self._doubtful = self.access.sessions.renew(stale, self._sign_in)
        return self._doubtful

    def _taken(self, session: str) -> None:
        if session == self._doubtful:
            self._doubtful = None
        self.access.sessions.used()

    def _not_taken(self, about: str) -> AuthFailed:
        return AuthFailed(
            f"{NAME} gives us a token and then does not take it for {about}. Check that the user who made the "
            "application is active, and make the application anew if so."
        )

    def _sign_in(self) -> str:
        chosen = self.options
        secret = self.access.secrets.get("client_secret", "")
        if not secret:
            raise AuthFailed(f"The secret client_secret is not set, without which nobody can sign in to {NAME}.")
        body = {
            "client_id": chosen.client_id,
            "client_secret": secret,
            "audience": chosen.audience,
            "grant_type": "client_credentials",
        }
        headers = {"accept": "application/json", **chosen.extra_headers}
        answer = self._redacted(self._http.read("POST", "/oauth/token", headers=headers, json=body))
        if not answer.ok:
            raise sign_in_failure(answer, chosen.base_url, self.access.now())
        token = Token.issued(answer, self.access.now())
        if chosen.subdomain and token.domain and token.domain.lower() != chosen.subdomain:
            raise AuthFailed(
                f"The token is for the domain {token.domain}, but the Connection is for {chosen.subdomain}. Nothing is "
                "read or written until subdomain and credentials belong together."
            )
        return token.session()

    # --- requests ---

    def _leave(self, method: str, path: str, session: str, params: Parameters | None, body: Any) -> Answer:
        chosen = self.options
        self.access.budget.spend("request", chosen.requests_per_second * 60, 60)
        token = Token.kept(session).value
        headers = {
            **chosen.extra_headers,
            "authorization": f"Bearer {token}",
            "accept": "application/json",
            "x-procurify-client": CLIENT,
        }
        self.pace.wait()
        send = self._http.read if method == "GET" else self._http.write
        begun = time.monotonic()
        slow = None
        try:
            answer = send(method, path, params=params, headers=headers, json=body)
        except Transient as none:
            if time.monotonic() - begun < chosen.timeout_seconds * 0.95:
                raise
            slow = TooSlow(str(none))
        if slow is not None:
            raise slow
        if answer.status == 429:
            self.pace.slower()
        return self._redacted(answer, token)

    def _redacted(self, answer: Answer, token: str = "") -> Answer:
        """An error answer, whose words are shown to people, without our secrets should it echo them (R71)."""
        if answer.ok:
            return answer
        content = answer.content
        for secret in (*self.access.secrets.values(), token):
            if secret:
                content = content.replace(secret.encode(), b"***")
        return replace(answer, content=content)

    def _successful(self, answer: Answer, about: str) -> Answer:
        if answer.ok:
            return answer
        raise failure(answer, about, self.access.now())


def wrapped(answer: Answer) -> Json:
    """The object of an answer, inside its envelope or bare. Raises what `Answer.unclear` gives where there is none."""
    body = answer.json()
    found = body.get("data", body) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise answer.unclear("it is no object")
    return found

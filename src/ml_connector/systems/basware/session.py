"""Requests to Basware: the token, its renewal, redirects, and answers as values or errors.

`POST /v1/tokens` takes client id and secret as HTTP Basic and gives a token for an hour; there is nothing to refresh it
with. HTTP Basic with an API user works on every call as well. Large answers come as a redirect to a link that lives 15
minutes: it is followed without the credentials. Every answer names its request in `x-amzn-RequestId`, by which its
outcome is asked for later. Each request bears a new UUID of ours in `X-BW-REQUEST-ID`, which the Network API demands
and the others ignore.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urljoin

from ml_connector.systems.base import Access, AuthFailed, OutcomeUnknown, Refused, SystemFailure, Transient
from ml_connector.systems.basware.errors import NAME, REQUEST_ID, failure, in_band, sign_in_failure
from ml_connector.systems.basware.regions import foreign_issuer, host_of
from ml_connector.systems.basware.settings import PARALLEL, options
from ml_connector.systems.basware.tokens import Token, claim
from ml_connector.systems.transport.http import Answer, Http, Parameters

Json = dict[str, Any]

CONTINUATION = "x-amz-meta-continuationtoken"
OUR_REQUEST_ID = "x-bw-request-id"

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_HOPS = 3
LARGEST_REQUEST = 6 * 1000 * 1000
"""Bytes of a request that Basware takes."""


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write, and the id under which its outcome is asked for."""

    answer: Answer
    request_id: str
    """Empty where the answer names none."""


class P2P:
    """One Connection's requests."""

    def __init__(self, access: Access) -> None:
        """Raises Refused (`region_mismatch`) for a host of another region, before anything is sent (R65)."""
        self.options = options(access.settings)
        self.access = access
        self._http = Http(
            self.options.base_url,
            name=NAME,
            access_network=access.network,
            ca_certificates=self.options.tls_ca_bundle,
            parallel=PARALLEL,
            may_write=access.may_write,
        )
        self._doubtful: str | None = None
        """A session made because Basware refused its predecessor, until Basware has taken it once."""

    def server_time(self) -> datetime | None:
        return self._http.server_time()

    def read(
        self, path: str, params: Parameters | None = None, *, about: str, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A successful answer to a GET, behind its redirects. A lapsed token is renewed once, and the request repeated
        once (R62)."""
        session = self._session()
        answer = self._leave("read", "GET", path, session, params, headers or {}, None)
        if answer.status == 401 and session:
            session = self._renewed(session)
            answer = self._leave("read", "GET", path, session, params, headers or {}, None)
            if answer.status == 401:
                raise self._not_taken(about)
        self._taken(session)
        return self._successful(self._followed(answer, about), about)

    def write(
        self, method: str, path: str, body: Any = None, *, about: str, params: Parameters | None = None
    ) -> Written:
        """A successful answer to one request that changes something.

        Whether a token ended before the write was handled or meanwhile cannot be told from outside: it is renewed and
        OutcomeUnknown raised, so that the write is looked for before it comes again (R3, R62).
        """
        session = self._session()
        answer = self._leave("write", method, path, session, params, {"content-type": "application/json"}, body)
        if answer.status == 401 and session:
            text = f"Basware's token ended around {about}: whether it was stored is looked up."
            try:
                self._renewed(session)
            except SystemFailure as lost:
                raise OutcomeUnknown(text, then=lost) from None
            raise OutcomeUnknown(text)
        self._taken(session)
        answer = self._successful(answer, about)
        if in_band(answer):
            raise failure(replace(answer, status=400), about, self.access.now())
        return Written(answer, answer.headers.get(REQUEST_ID, ""))

    def token_claim(self, name: str) -> str:
        """A claim of the token in use; empty for HTTP Basic and for tokens that say nothing."""
        session = self._session()
        return claim(Token.kept(session).value, name) if session else ""

    def close(self) -> None:
        self._http.close()

    # --- the session ---

    def _session(self) -> str:
        """The stored token with its end; empty for HTTP Basic."""
        if self.options.basic:
            return ""
        session = self.access.sessions.current()
        if session is not None and Token.kept(session).fresh(self.access.now()):
            return session
        return self.access.sessions.renew(session, self._sign_in)

    def _renewed(self, stale: str) -> str:
        if stale == self._doubtful:
            raise self._not_taken("a request")
        self._doubtful = self.access.sessions.renew(stale, self._sign_in)
        return self._doubtful

    def _taken(self, session: str) -> None:
        if session and session == self._doubtful:
            self._doubtful = None
        if session:
            self.access.sessions.used()

    def _not_taken(self, about: str) -> AuthFailed:
        return AuthFailed(
            f"{NAME} gives us a token and then does not take it for {about}. The client may lack the right to it: "
            "compare scopes with the list that Basware sent with the client id."
        )

    def _sign_in(self) -> str:
        chosen = self.options
        body = urlencode({"grant_type": "client_credentials", "scope": " ".join(chosen.scopes)}).encode()
        headers = {
            "authorization": self._basic(chosen.user, "client_secret"),
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
        }
        answer = self._redacted(self._http.read("POST", "/v1/tokens", headers=headers, content=body))
        if not answer.ok:
            raise sign_in_failure(answer, chosen.base_url, chosen.user, self.access.now())
        token = Token.issued(answer, self.access.now())
        issuer = claim(token.value, "iss")
        elsewhere = foreign_issuer(issuer, chosen.region, chosen.hosts) if chosen.check_issuer else ""
        if elsewhere:
            raise AuthFailed(
                f"The token was issued by {host_of(issuer)}, a host of {elsewhere}, but the Connection is for "
                f"{chosen.region}. Nothing is read or written until region and credentials belong together."
            )
        return token.session()

    def _basic(self, user: str, name: str) -> str:
        secret = self.access.secrets.get(name, "")
        if not secret:
            raise AuthFailed(f"The secret {name} is not set, without which nobody can sign in to {NAME}.")
        return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()

    # --- requests ---

    def _leave(
        self,
        kind: str,
        method: str,
        path: str,
        session: str,
        params: Parameters | None,
        headers: Mapping[str, str],
        body: Any,
    ) -> Answer:
        self.access.budget.spend("request", self.options.requests_per_minute, 60)
        token = Token.kept(session).value if session else ""
        given = {
            "authorization": f"Bearer {token}" if token else self._basic(self.options.user, "api_password"),
            "accept": "application/json",
            OUR_REQUEST_ID: str(uuid.uuid4()),
            **headers,
        }
        send = self._http.write if kind == "write" else self._http.read
        return self._redacted(send(method, path, params=params, headers=given, json=body), token)

    def _followed(self, answer: Answer, about: str) -> Answer:
        """What lies behind a redirect, fetched without credentials; with the first answer's headers where the last has
        none of their name: the token of the next page can be in either."""
        first, where = answer, self.options.base_url
        for _ in range(MOST_HOPS):
            if answer.status not in REDIRECTS:
                break
            where = urljoin(f"{where}/", answer.headers.get("location", ""))
            answer = self._http.download(where)
        if answer is first:
            return answer
        if not answer.ok:
            raise Transient(
                f"{NAME} sent {about} to a link that answered {answer.status}: such links live a few minutes. It is "
                "asked for again."
            )
        return replace(answer, headers={**first.headers, **answer.headers})

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


def too_large(size: int, about: str) -> Refused:
    """What is raised instead of a request beyond Basware's limit."""
    return Refused(
        "amount_of_data", f"{about} has {size:,} bytes; Basware takes {LARGEST_REQUEST:,} in a request.", None
    )
